"""A transaction on tables: what SQLite and PostgreSQL are asked, in SQLAlchemy's expressions and never as text."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar, cast

from sqlalchemy import (
    ClauseElement,
    Connection,
    CursorResult,
    Executable,
    Select,
    Table,
    and_,
    delete,
    exists,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as insert_or_not
from sqlalchemy.exc import DBAPIError

from ..case import Case, PolicyRef
from ..errors import CorruptJournal, InvalidValue
from ..journal import read_entry
from ..publishing.bundle import Bundle
from ..step import Query, Step
from ..stepping.answers import Tally, answer, tallied
from . import codec, statements
from .at_hand import AtHand
from .faults import meaning_of
from .protocol import CaseKey, Delivery, DeliveryState, Fate, Kept, Keyed, LostRace, Saved, Sought, Summary
from .searching import is_asked, page_of
from .tables import (
    balances,
    case_keys,
    cases,
    event_keys,
    facts,
    journal,
    openings,
    outbox,
    policies,
    shares,
    vault,
)
from .whole import all_kept

Item = TypeVar("Item")

#: How many values one statement takes at most; SQLite allows 32,766 and PostgreSQL 65,535.
_CHUNK: Final = 1_000
#: How many keys are looked up at once. Each is looked for in each of their cases: SQLite finds no pairs by an index.
_KEYS: Final = 30


class SqlTransaction:
    """What is done between a connection's begin and its commit.

    Args:
        connection: in a transaction, of whichever kind the database has.
        at_hand: what the store has at hand.
        locking: whether cases that are read are to be locked, row by row; SQLite locks itself as a whole.
    """

    def __init__(self, connection: Connection, at_hand: AtHand, *, locking: bool) -> None:
        self._connection = connection
        self._at_hand = at_hand
        self._locking = locking
        self._seals: dict[str, codec.Seals] = {}
        self._tallies: dict[str, Tally] = {}

    def _locked(self, query: Select[Any], table: Table, *, skip: bool = False) -> Select[Any]:
        """Return a query whose rows of a table nobody else gets until the end; SQLite is locked as a whole."""
        return query.with_for_update(of=table, skip_locked=skip) if self._locking else query

    def _execute(self, statement: Executable, values: codec.Row | None = None) -> CursorResult[Any]:
        try:
            return cast("CursorResult[Any]", self._connection.execute(statement, values))
        except DBAPIError as error:
            raise meaning_of(error) from error

    def _prepared(self, statement: ClauseElement, *rows: codec.Row) -> CursorResult[Any]:
        """Execute a statement of every step, with each of some rows."""
        try:
            return self._at_hand.prepared.execute(self._connection, statement, rows)
        except DBAPIError as error:
            raise meaning_of(error) from error

    def _scalar(self, query: Select[Any]) -> Any:
        return self._execute(query).scalar()

    def _insert(self, table: Table, rows: Sequence[codec.Row]) -> None:
        if rows:
            self._prepared(statements.into(table), *rows)

    # --- cases ----------------------------------------------------------------------------------------------------------

    def cases(self, ids: Collection[str]) -> Mapping[str, Case]:
        """Read the rows of cases, locked where rows are locked, in the order of their ids."""
        one, several = statements.READ_ONE, statements.READ
        if self._locking:
            one, several = statements.READ_ONE_LOCKED, statements.READ_LOCKED
        if len(ids) == 1:
            rows = self._prepared(one, {"id": next(iter(ids))}).all()
            return {row.id: self._case(row) for row in rows}
        chunks = (self._execute(several, {"ids": chunk}).all() for chunk in _chunks(sorted(set(ids))))
        return {row.id: self._case(row) for rows in chunks for row in rows}

    def _case(self, row: Any) -> Case:
        """Return the case that a row holds, and remember what its next row is made from."""
        if (known := self._at_hand.decoded.find(row)) is not None:
            case, self._tallies[row.id] = known
            return case
        kept = self._vault(row.id, row.secret) if codec.holds_sealed(row.snapshot) else {}
        case, self._seals[row.id] = codec.case_of(row.snapshot, row.secret, kept)
        self._tallies[row.id] = tally = codec.tally_of(row.tally, {})
        if not self._seals[row.id]:
            self._at_hand.decoded.keep(case, row.snapshot, tally, row.tally)
        return case

    def sealed(self, ids: Collection[str]) -> Mapping[str, Case]:
        """Read the rows of cases, and neither keys nor values."""
        return {
            row.id: codec.case_of(row.snapshot, None, {})[0]
            for chunk in _chunks(sorted(set(ids)))
            for row in self._execute(statements.SNAPSHOTS, {"ids": chunk})
        }

    def kept(self, ids: Collection[str], *, reveal: bool = False) -> tuple[Kept, ...]:
        """Read every table that keeps something of cases."""
        return tuple(
            kept
            for chunk in _chunks(sorted(set(ids)))
            for kept in all_kept(self._execute, chunk, reveal=reveal)
        )

    def settle(self, fates: Collection[Fate]) -> None:
        """Update deliveries."""
        if fates:
            self._prepared(statements.SETTLE, *(codec.fate_row(fate) for fate in fates))

    def _secret(self, case_id: str) -> bytes | None:
        found: bytes | None = self._scalar(select(case_keys.c.secret).where(case_keys.c.case_id == case_id))
        return found

    def _vault(self, case_id: str, secret: bytes | None) -> Mapping[str, Any]:
        query = select(vault.c.commitment, vault.c.value).where(vault.c.case_id == case_id)
        return codec.vault_from(self._execute(query).all(), secret)

    def steps(self, case_id: str, first: int = 0, last: int | None = None) -> tuple[Step, ...]:
        """Read journal entries, with the values of the vault in them."""
        query = select(journal.c.entry).where(journal.c.case_id == case_id, journal.c.seq >= first)
        if last is not None:
            query = query.where(journal.c.seq <= last)
        entries = self._execute(query.order_by(journal.c.seq)).scalars().all()
        secret = self._secret(case_id)
        kept = self._vault(case_id, secret)
        return tuple(read_entry(bytes(entry), kept, secret=secret or b"") for entry in entries)

    def entries(self, case_id: str) -> tuple[tuple[bytes, str], ...]:
        """Read journal entries as they are."""
        query = select(journal.c.entry, journal.c.head).where(journal.c.case_id == case_id)
        rows = self._execute(query.order_by(journal.c.seq))
        return tuple((bytes(row.entry), row.head) for row in rows)

    def vault(self, case_id: str) -> Mapping[str, Any]:
        """Read and decrypt the values of the vault."""
        return self._vault(case_id, self._secret(case_id))

    def opened(self, key: str) -> str | None:
        """Look an idempotency key of openings up."""
        found: str | None = self._scalar(select(openings.c.case_id).where(openings.c.key == key))
        return found

    def keyed(self, pairs: Collection[CaseKey]) -> Mapping[CaseKey, Keyed]:
        """Look idempotency keys of cases up."""
        if len(pairs) == 1:
            ((case_id, key),) = pairs
            rows = self._prepared(statements.KEYED_ONE, {"case_id": case_id, "key": key}).all()
            return {(row.case_id, row.key): Keyed(key=row.key, first=row.first, seq=row.seq) for row in rows}
        found: dict[CaseKey, Keyed] = {}
        for chunk in _chunks(sorted(set(pairs)), _KEYS):
            ids, keys = ({*part} for part in zip(*chunk, strict=True))
            for row in self._execute(statements.KEYED, {"ids": [*ids], "keys": [*keys]}):
                found[row.case_id, row.key] = Keyed(key=row.key, first=row.first, seq=row.seq)
        return found

    def bundle(self, digest: str) -> Bundle | None:
        """Read a policy, and compare it with its digest."""
        content = self._scalar(select(policies.c.content).where(policies.c.bundle == digest))
        if content is None:
            return None
        if hashlib.sha256(content).hexdigest() != digest:
            raise CorruptJournal(f"the policy kept as {digest} is another")
        return Bundle.from_bytes(content)

    def keep_bundle(self, ref: PolicyRef, bundle: Bundle | None) -> None:
        """Insert a policy that is not there."""
        if bundle is None:
            raise InvalidValue("no case can be kept with a library that was only checked; use `Library.load`")
        known = self._scalar(select(policies.c.name).where(policies.c.bundle == ref.bundle))
        if known is None:
            row = {
                "bundle": ref.bundle,
                "name": ref.name,
                "version": ref.version,
                "model": ref.model,
                "content": bundle.to_bytes(),
            }
            self._insert(policies, [row])

    def save(self, saved: Sequence[Saved]) -> None:
        """Insert new cases, advance others from the step at which they were read, and insert what belongs to them."""
        new = [one for one in saved if one.before is None]
        moved = [one for one in saved if one.before is not None]
        rows = {one.case.id: self._case_row(one) for one in saved}
        self._insert(cases, [{**rows[one.case.id], **codec.opened_row(one)} for one in new])
        self._insert(
            case_keys,
            [{"case_id": one.case.id, "secret": one.case.secret} for one in new if one.case.secret],
        )
        if moved:
            advanced = [{**rows[one.case.id], "case": one.case.id, "before": one.before} for one in moved]
            for row in advanced:
                del row["id"]
            if self._prepared(statements.ADVANCE, *advanced).rowcount != len(moved):
                raise LostRace
        self._write_beside(saved)

    def _case_row(self, one: Saved) -> codec.Row:
        """Return a case's row, and remember what its next one is made from."""
        seals, tally = self._seals.get(one.case.id, {}), self._tallies.get(one.case.id)
        for written in one.written:
            seals = codec.seals_after(seals, written.step)
            tally = tallied(tally, written.case, written.step)
        self._seals[one.case.id] = seals
        self._tallies[one.case.id] = tally = cast("Tally", tally)
        row = codec.case_row(one, seals, tally)
        if not seals:
            self._at_hand.decoded.keep(one.case, row["snapshot"], tally, row["tally"])
        return row

    def _write_beside(self, saved: Sequence[Saved]) -> None:
        """Write what belongs to the steps of cases."""
        steps = [(one.case, written) for one in saved for written in one.written]
        self._insert(
            journal,
            [
                {"case_id": case.id, "seq": w.step.seq, "entry": w.entry, "head": w.case.head}
                for case, w in steps
            ],
        )
        self._insert(vault, [row for case, w in steps for row in codec.vault_rows(case, w.step)])
        self._insert(outbox, [row for case, w in steps for row in codec.delivery_rows(case.id, w.step)])
        self._insert(
            event_keys,
            [
                {"case_id": one.case.id, "key": k.key, "first": k.first, "seq": k.seq}
                for one in saved
                for k in one.keys
            ],
        )
        self._replace(facts, saved, codec.fact_rows)
        self._replace(shares, saved, codec.share_rows)
        self._insert(
            openings,
            [{"key": one.opened_by, "case_id": one.case.id} for one in saved if one.opened_by is not None],
        )

    def _replace(
        self,
        table: Table,
        saved: Sequence[Saved],
        rows_of: Callable[[Saved], tuple[list[str], list[codec.Row]]],
    ) -> None:
        """Write the rows of what was changed in place of those before."""
        gone, new = [], []
        for one in saved:
            names, rows = rows_of(one)
            gone += [{"case": one.case.id, "name": name} for name in names]
            new += rows
        if gone:
            self._prepared(statements.gone_from(table), *gone)
        if new:
            self._prepared(statements.put_into(table, self._connection.dialect.name), *new)

    def answer(self, query: Query, case_id: str) -> Any:
        """Select the cases that a question can be about, and answer from their tallies."""
        if query.kind == "host":
            return None
        if query.kind == "taken" and self._locking:
            self._hold(query)
        wanted = select(cases.c.tally).where(cases.c.id != case_id, *is_asked(query)).order_by(cases.c.id)
        known = {same.fact: same.value for same in query.same}
        return answer(query, (codec.tally_of(text, known) for text in self._execute(wanted).scalars()))

    def _hold(self, query: Query) -> None:
        """Keep others from being told what was taken of a balance, until the end of the transaction."""
        (same,) = query.same
        row = {"balance": query.name, "of": codec.digest_of(same.value)}
        self._execute(insert_or_not(balances).values(row).on_conflict_do_nothing())
        mine = and_(balances.c.balance == row["balance"], balances.c.of == row["of"])
        self._execute(select(balances.c.of).where(mine).with_for_update())

    def due(self, by: datetime, limit: int) -> tuple[str, ...]:
        """Select the cases that are due, and pass over those that are locked."""
        query = (
            select(cases.c.id)
            .where(cases.c.due_at <= by, cases.c.parked.is_(None))
            .order_by(cases.c.due_at, cases.c.id)
            .limit(limit)
        )
        return tuple(self._execute(self._locked(query, cases, skip=True)).scalars())

    def park(self, case_id: str, why: str | None) -> None:
        """Note why a case is parked."""
        self._execute(update(cases).where(cases.c.id == case_id).values(parked=why))

    def erase(self, case_id: str, secret: bytes) -> None:
        """Delete the key and the values, and insert the new key."""
        self._execute(delete(vault).where(vault.c.case_id == case_id))
        self._execute(delete(case_keys).where(case_keys.c.case_id == case_id))
        self._insert(case_keys, [{"case_id": case_id, "secret": secret}])

    def summaries(
        self, sought: Sought, after: tuple[datetime, str] | None, limit: int
    ) -> tuple[Summary, ...]:
        """Select cases by place and by what is sought."""
        rows = self._execute(page_of(sought, after, limit))
        return tuple(codec.summary_of(row) for row in rows)

    # --- deliveries -----------------------------------------------------------------------------------------------------

    def claim(
        self, by: datetime, until: datetime, limit: int, kinds: Collection[str] | None
    ) -> tuple[Delivery, ...]:
        """Select deliveries that are due, pass over those that are locked, and lease them."""
        earlier = outbox.alias()
        before_it = exists().where(
            earlier.c.lane == outbox.c.lane, earlier.c.seq < outbox.c.seq, earlier.c.state != "done"
        )
        query = select(outbox).where(outbox.c.state == "waiting", outbox.c.next_at <= by, ~before_it)
        if kinds is not None:
            query = query.where(outbox.c.kind.in_(sorted(kinds)))
        query = query.order_by(outbox.c.next_at, outbox.c.key).limit(limit)
        rows = self._execute(self._locked(query, outbox, skip=True)).all()
        if rows:
            self._execute(
                update(outbox)
                .where(outbox.c.key.in_([row.key for row in rows]))
                .values(attempts=outbox.c.attempts + 1, next_at=until)
            )
        return tuple(self._delivery(row, attempts=row.attempts + 1, next_at=until) for row in rows)

    def _delivery(self, row: Any, **changes: Any) -> Delivery:
        kept = {}
        if codec.holds_sealed(row.effect):
            kept = dict(self.vault(row.case_id))
        return codec.delivery_of(row, kept, **changes)

    def told(
        self, delivery: Delivery, state: DeliveryState, next_at: datetime, error: str | None = None
    ) -> bool:
        """Update a delivery that is at the same attempt."""
        mine = and_(
            outbox.c.key == delivery.key,
            outbox.c.state == "waiting",
            outbox.c.attempts == delivery.attempts,
        )
        done = self._execute(update(outbox).where(mine).values(state=state, next_at=next_at, error=error))
        return done.rowcount == 1

    def deliveries(
        self, state: DeliveryState | None, case_id: str | None, after: str | None, limit: int
    ) -> tuple[Delivery, ...]:
        """Select deliveries by place."""
        query = select(outbox)
        if state is not None:
            query = query.where(outbox.c.state == state)
        if case_id is not None:
            query = query.where(outbox.c.case_id == case_id)
        if after is not None:
            query = query.where(outbox.c.key > after)
        rows = self._execute(query.order_by(outbox.c.key).limit(limit)).all()
        return tuple(self._delivery(row) for row in rows)

    def resolve(self, key: str, state: DeliveryState, at: datetime) -> bool:
        """Update a delivery that was given up."""
        dead = and_(outbox.c.key == key, outbox.c.state == "dead")
        done = self._execute(update(outbox).where(dead).values(state=state, attempts=0, next_at=at))
        return done.rowcount == 1


def _chunks(items: Sequence[Item], size: int = _CHUNK) -> Iterable[Sequence[Item]]:
    return (items[start : start + size] for start in range(0, len(items), size))
