"""All that tables keep of some cases, put together case by case, for it to be looked at or carried elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Select

from . import codec
from .protocol import Kept, Keyed
from .statements import ENTRIES, FATES, KEYS, SECRETS, STANDING, VAULTS


def all_kept(
    execute: Callable[[Select[Any], dict[str, Any]], Iterable[Any]], ids: Sequence[str], *, reveal: bool
) -> Iterator[Kept]:
    """Yield what is kept of cases, in the order of their ids.

    Args:
        execute: returns the rows that a statement selects.
        ids: of the cases.
        reveal: read keys and sensitive values too.
    """

    def rows_of(statement: Select[Any]) -> Iterable[Any]:
        return execute(statement, {"ids": ids})

    entries, keys, fates = (_by_case(rows_of(statement)) for statement in (ENTRIES, KEYS, FATES))
    secrets = {row.case_id: row.secret for row in rows_of(SECRETS)} if reveal else {}
    values = _by_case(rows_of(VAULTS)) if reveal else {}
    for row in rows_of(STANDING):
        secret = secrets.get(row.id)
        yield Kept(
            case_id=row.id,
            entries=tuple(bytes(one.entry) for one in entries[row.id]),
            heads=tuple(one.head for one in entries[row.id]),
            keys=tuple(Keyed(key=one.key, first=one.first, seq=one.seq) for one in keys[row.id]),
            fates=tuple(codec.fate_of(one) for one in fates[row.id]),
            parked=row.parked,
            secret=bytes(secret or b""),
            vault=codec.vault_from(values.get(row.id, ()), secret),
        )


def _by_case(rows: Iterable[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.case_id].append(row)
    return found
