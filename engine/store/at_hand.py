"""What a store keeps at hand from one transaction to the next: statements as a database's text, and cases as records.

Nothing in here is ever believed: a statement means what it meant, and a case is only what its row still says.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from sqlalchemy import ClauseElement, Connection, CursorResult, Dialect
from sqlalchemy.sql.compiler import SQLCompiler

from ..case import Case
from ..stepping.answers import Tally

#: How many cases are kept: those that were moved or read last. Each takes some 10 kB.
MOST: Final = 1_000

Row = Mapping[str, Any]


class AtHand:
    """What one store has at hand; its transactions share it, in whatever threads they are.

    Args:
        dialect: of the store's database.
    """

    def __init__(self, dialect: Dialect) -> None:
        self.prepared = Prepared(dialect)
        self.decoded = Decoded()


class Prepared:
    """Statements as text, with their values in the driver's form.

    To look a statement up and to arrange its values takes SQLAlchemy longer than SQLite takes to do it. So that is done once.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        #: Two threads may both make one; they make the same.
        self._made: dict[ClauseElement, _Text] = {}

    def execute(
        self, connection: Connection, statement: ClauseElement, rows: Sequence[Row]
    ) -> CursorResult[Any]:
        """Execute a statement with each of some rows, which all have the same keys."""
        text = self._made.get(statement)
        if text is None:
            text = self._made[statement] = _text_of(statement, self._dialect, tuple(rows[0]))
        return connection.exec_driver_sql(text.sql, [text.values(row) for row in rows])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    sql: str
    #: Names of the values, each with what makes the driver's value of it.
    names: tuple[tuple[str, Callable[[Any], Any] | None], ...]
    #: Whether the driver takes them in this order, and not by name.
    positional: bool

    def values(self, row: Row) -> tuple[Any, ...] | dict[str, Any]:
        if self.positional:
            return tuple([row[name] if bind is None else bind(row[name]) for name, bind in self.names])
        return {name: row[name] if bind is None else bind(row[name]) for name, bind in self.names}


def _text_of(statement: ClauseElement, dialect: Dialect, keys: tuple[str, ...]) -> _Text:
    compiled = cast("SQLCompiler", statement.compile(dialect=dialect, column_keys=list(keys)))
    binds = {
        name: parameter.type.dialect_impl(dialect).bind_processor(dialect)
        for parameter, name in compiled.bind_names.items()
    }
    names = binds if compiled.positiontup is None else compiled.positiontup
    return _Text(
        sql=str(compiled),
        names=tuple((name, binds[name]) for name in names),
        positional=compiled.positiontup is not None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    snapshot: str
    tally_text: str
    case: Case
    tally: Tally


class Decoded:
    """Cases as records, by the rows that they were read from or written to: the same text is not read again.

    A case with sensitive values is not kept, for part of it stands elsewhere.

    Args:
        most: how many are kept.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def find(self, row: Any) -> tuple[Case, Tally] | None:
        """Return what a row of a case says, if that is known."""
        with self._lock:
            known = self._known.get(row.id)
            if known is None:
                return None
            self._known.move_to_end(row.id)
        if (
            known.snapshot != row.snapshot
            or known.tally_text != row.tally
            or known.case.secret != (row.secret or b"")
        ):
            return None
        return known.case, known.tally

    def keep(self, case: Case, snapshot: str, tally: Tally, tally_text: str) -> None:
        """Keep a case with its row."""
        known = _Known(snapshot=snapshot, tally_text=tally_text, case=case, tally=tally)
        with self._lock:
            self._known[case.id] = known
            self._known.move_to_end(case.id)
            if len(self._known) > self._most:
                self._known.popitem(last=False)
