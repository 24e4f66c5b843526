"""What docs/security.md promises and no other test shows: roles, limits, hostile text, and what exceptions say."""

from __future__ import annotations

import asyncio
import json
import re
import traceback
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, select, text

from amends.engine.async_engine import AsyncEngine
from amends.engine.case import Case
from amends.engine.cloud_event import cloud_event
from amends.engine.durable.delivery import Settled
from amends.engine.durable.session import Limits
from amends.engine.engine import Engine
from amends.engine.errors import CorruptJournal, InvalidValue, StoreUnavailable, TooLarge
from amends.engine.journal import entry_of
from amends.engine.library import Library
from amends.engine.literal import plain
from amends.engine.policy import RESULTS, VERDICTS, CompiledPolicy
from amends.engine.scenario import read_scenarios
from amends.engine.store.connect import database_url
from amends.engine.store.tables import facts as found_by
from amends.engine.store.tables import metadata

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
IBAN, CONTACT = "DE02120300000000202051", "me@example.org"
ROOT = Path(__file__).parents[2]
#: Folders of policies that ship.
PROGRAMMES = sorted(
    path.parents[1].relative_to(ROOT).as_posix() for path in ROOT.glob("policies/*/scenarios/cases.yaml")
)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def lived(engine: Any) -> None:
    """Let a case come to a payout that needs a sensitive value."""
    engine.open("loan", {"account": IBAN, "fee": "77.77"}, at=NOON, case_id="a")
    engine.send("a", "return_late", {"days": 1, "contact": CONTACT}, by="reader:1", at=NOON)
    engine.send("a", "accept", by="desk", at=NOON)


# --- roles --------------------------------------------------------------------------------------------------------------

#: Actors of no role that is meant: a role is what stands before the colon, to the letter.
STRANGERS = (
    "",
    ":{role}",
    " {role}",
    "{role} ",
    "{role}\n",
    "{capital}",
    "{role}s",
    "nobody:{role}",
    "\u0430{role}",
)


def allowed(policy: CompiledPolicy) -> dict[str, tuple[str, ...]]:
    """Return who may send each event of a policy, those about its payouts included."""
    found = {name: rule.by for name, rule in policy.events.items()}
    for name, rule in policy.payouts.items():
        found |= {f"{name}.{result}": ("host", *rule.reported_by) for result in RESULTS}
        if rule.approvals:
            judges = tuple(role for tier in rule.approvals for role in tier.by)
            found |= {f"{name}.{verdict}": judges for verdict in VERDICTS}
    return found


@pytest.mark.parametrize("path", ["tests/store/policies.yaml", *PROGRAMMES])
def test_every_event_is_refused_to_every_role_that_may_not_send_it(path: str, root: Path) -> None:
    library = Library.load(root / path)
    tried = 0
    for policy in library.policies:
        engine = Engine(library)
        case = opened(engine, policy, root / path)
        for event, roles in allowed(policy).items():
            others = {*policy.roles, "host"} - {*roles}
            hostile = {one.format(role=role, capital=role.upper()) for role in roles for one in STRANGERS}
            for actor in {*others, *(f"{role}:7" for role in others), *hostile}:
                sent = engine.send(case.id, event, by=actor, at=case.at)
                assert sent.refusal is not None
                assert sent.refusal.code == "role_not_allowed", (event, actor)
                tried += 1
        after = engine.case(case.id)
        assert (after.legs, after.facts, after.payouts) == (case.legs, case.facts, case.payouts)
    assert tried > 50


def opened(engine: Engine, policy: CompiledPolicy, path: Path) -> Case:
    """Open a case of a policy with the facts of a shipped case, or with none."""
    file = path / "scenarios" / "cases.yaml"
    cases = read_scenarios(file)[0].cases if file.exists() else ()  # type: ignore[union-attr] # it can be read
    for case in cases:
        chosen = engine.library.choose(plain(case.facts), case.opens_at, case.policy)
        if chosen is policy:
            return engine.open(policy.ref.name, case.facts, at=case.opens_at, case_id="a")
    return engine.open(policy.ref.name, {}, at=NOON, case_id="a")


# --- too much -----------------------------------------------------------------------------------------------------------

GROWING = """
amends: 1
policy: growing
version: v1
roles: [user]
facts: {notes: {type: list of text, default: []}, doubled: {type: text, default: x}}
events: {note: {by: user, data: {text: text}}, start: {by: user}}
states:
  a:
    initial: true
    on: {note: {set: {notes: "notes + [note.text]"}}, start: b}
  b:
    sla: {grow: {due: 1 hour, breach: {set: {doubled: doubled + doubled}, to: c}}}
    on: {note: {}}
  c: {sla: {again: {due: 1 hour, breach: {set: {doubled: doubled + doubled}, to: b}}}, on: {note: {}}}
"""


@pytest.fixture
def growing(tmp_path: Path) -> Library:
    """Return a policy whose facts grow with every event, and by themselves."""
    (tmp_path / "growing.yaml").write_text(GROWING, encoding="utf-8")
    return Library.load(tmp_path / "growing.yaml")


def test_facts_that_grow_beyond_an_entry_are_refused_with_the_remedy_and_leave_nothing(
    growing: Library, make: Callable[..., Any]
) -> None:
    engine = make(growing, limits=Limits(entry_bytes=2_000))
    engine.open("growing", {}, at=NOON, case_id="a")

    def note_on() -> None:
        while True:
            engine.send("a", "note", {"text": "x" * 100}, by="user", at=NOON)

    with pytest.raises(TooLarge, match=r"takes 2\d\d\d bytes of journal, .* raise `Limits.entry_bytes`"):
        note_on()
    sent = engine.case("a").seq
    assert 3 < sent < 20
    assert len(engine.case("a").facts["notes"]) == sent
    assert engine.verify("a").decided == sent + 1
    assert engine.send("a", "start", by="user", at=NOON).state == "b"


def test_a_case_that_grows_by_itself_is_parked_and_goes_on_when_the_limit_is_raised(
    growing: Library, make: Callable[..., Any]
) -> None:
    engine = make(growing, limits=Limits(entry_bytes=3_000))
    engine.open("growing", {}, at=NOON, case_id="a")
    engine.send("a", "start", by="user", at=NOON)
    assert len(engine.run_due(NOON + 100 * HOUR)) < 12
    (stuck,) = engine.cases(stuck=True).cases
    assert stuck.parked.startswith("TooLarge: the step")
    other = make(growing)
    other.unpark("a")
    assert len(other.run_due(NOON + 8 * HOUR)) >= 0
    assert other.verify("a").decided > 2


@pytest.mark.parametrize("call", [{"event": "x" * 201}, {"by": "desk:" + "7" * 200}, {"key": "k" * 201}])
def test_names_are_no_longer_than_200_characters(engine: Any, call: dict[str, str]) -> None:
    engine.open("loan", {}, at=NOON, case_id="a")
    sent = {"event": "accept", "by": "desk", "key": "k", **call}
    with pytest.raises(InvalidValue, match="200"):
        engine.send("a", sent["event"], by=sent["by"], key=sent["key"], at=NOON)
    with pytest.raises(InvalidValue, match="200"):
        engine.open("loan", {}, at=NOON, timezone="x" * 201)
    assert len(engine.journal("a")) == 1


def test_what_a_handler_reports_is_bounded_too(make: Callable[..., Any], library: Library) -> None:
    engine = make(library, limits=Limits(entry_bytes=5_000))
    lived(engine)
    engine.effect("payout")(lambda _: Settled(reference="x" * 5_000))
    (delivery,) = engine.deliver(NOON)
    assert (delivery.state, delivery.error.partition(":")[0]) == ("waiting", "TooLarge")
    assert engine.case("a").payouts["deposit"].state == "asked"


def test_the_page_on_the_store_names_every_limit_with_its_default(root: Path) -> None:
    limits = Limits()
    page = (
        (root / "docs/store.md").read_text(encoding="utf-8").partition("## Limits")[2].partition("\n## ")[0]
    )
    rows = dict(re.findall(r"^\| `Limits\.(\w+)` \| ([\d,]+)", page, re.MULTILINE))
    found = {name: int(value.replace(",", "")) for name, value in rows.items()}
    declared = {field.name: getattr(limits, field.name) for field in fields(limits)}
    assert found == {name: value for name, value in declared.items() if isinstance(value, int)}


# --- hostile text -------------------------------------------------------------------------------------------------------

HOSTILE = (
    "'; DROP TABLE amends_cases; --",
    '" OR 1=1 --',
    "%",
    "_",
    "\\",
    "a' UNION SELECT secret FROM x --",
    "{x}",
    "%s",
)


@pytest.mark.parametrize("word", HOSTILE)
def test_text_that_looks_like_sql_is_text(url: str, library: Library, word: str) -> None:
    with Engine(library, url) as engine:
        engine.open("loan", {"account": word}, at=NOON, case_id=word, key=word)
        engine.open("loan", {}, at=NOON, case_id="plain")
        engine.send(word, "return_late", {"days": 1, "contact": word}, by=f"reader:{word}", at=NOON, key=word)
        engine.send("plain", word, {word: word}, by=word, at=NOON, key=word)
        assert engine.case(word).facts["account"] == word
        assert engine.verify(word).decided == 2
        assert engine.cases(state=word).cases == engine.cases(policy=word).cases == ()
        assert engine.cases(waits_for=word).cases == ()
        assert engine.deliveries(case_id=word) == engine.deliveries(after=word, case_id=word) == ()
        assert len(engine.cases().cases) == 2
        engine.erase(word)
        assert engine.verify("plain").decided == 2


EVIL = """
amends: 1
policy: evil
version: v1
roles: [user]
events: {ask: {by: user, data: {word: text}}}
states:
  a: {initial: true, on: {ask: {when: 'ask.word.matches("^(a+)+(b|a)*$")', to: b}}}
  b: {final: true}
"""


def test_a_pattern_of_an_author_ends_whatever_it_is_matched_with(tmp_path: Path) -> None:
    """With a matcher that goes back and tries again this would take longer than there is time."""
    (tmp_path / "evil.yaml").write_text(EVIL, encoding="utf-8")
    engine = Engine(Library.load(tmp_path))
    engine.open("evil", {}, at=NOON, case_id="a")
    assert engine.send("a", "ask", {"word": "a" * 5_000 + "!"}, by="user", at=NOON).refusal is not None
    assert engine.send("a", "ask", {"word": "a" * 5_000}, by="user", at=NOON).state == "b"


# --- what exceptions say ------------------------------------------------------------------------------------------------


def broken(url: str, table: str) -> None:
    """Take a table away behind the engine's back."""
    database = create_engine(database_url(url))
    with database.begin() as connection:
        connection.execute(text(f"ALTER TABLE {table} RENAME TO {table}_gone"))
    database.dispose()


def mended(url: str, table: str) -> None:
    database = create_engine(database_url(url))
    with database.begin() as connection:
        connection.execute(text(f"ALTER TABLE {table}_gone RENAME TO {table}"))
    database.dispose()


@pytest.mark.parametrize(
    "table",
    ["amends_cases", "amends_case_keys", "amends_vault", "amends_journal", "amends_outbox", "amends_facts"],
)
def test_no_exception_of_a_database_shows_a_fact_or_a_key(url: str, library: Library, table: str) -> None:
    secret = b"0123456789abcdef-the-key-of-case"
    with Engine(library, url) as engine:
        broken(url, table)
        try:
            with pytest.raises(StoreUnavailable) as raised:
                lived_with(engine, secret)
        finally:
            mended(url, table)
    said = "".join(traceback.format_exception(raised.value))
    # The lines of this file are quoted too: of these only what calls, and no value.
    for hidden in (IBAN, CONTACT, "77.77", secret.decode(), secret.hex(), '"$money"'):
        assert hidden not in said, hidden


def test_nor_does_one_on_asyncio(sqlite: str, library: Library) -> None:
    async def opened() -> None:
        async with AsyncEngine(library, sqlite) as engine:
            account = IBAN
            await engine.open("loan", {"account": account}, at=NOON)

    broken(sqlite, "amends_vault")
    with pytest.raises(StoreUnavailable) as raised:
        asyncio.run(opened())
    assert IBAN not in "".join(traceback.format_exception(raised.value))


def lived_with(engine: Engine, secret: bytes) -> None:
    account, contact, fee = IBAN, CONTACT, "77.77"
    engine.open("loan", {"account": account, "fee": fee}, at=NOON, case_id="a", secret=secret)
    engine.send("a", "return_late", {"days": 1, "contact": contact}, by="reader:1", at=NOON)
    engine.send("a", "accept", by="desk", at=NOON)


def test_no_record_shows_the_key_of_a_case(engine: Any) -> None:
    lived(engine)
    secret = engine.case("a").secret
    assert len(secret) == 32
    for record in (engine.case("a"), engine.journal("a"), engine.deliveries(), engine.cases()):
        assert repr(secret) not in repr(record)
    assert secret.hex() not in json.dumps(engine.why("a", 0, reveal=True))


# --- sensitive values ---------------------------------------------------------------------------------------------------


def test_no_case_is_found_by_a_sensitive_fact(url: str, library: Library) -> None:
    """Not even by its digest, from which a short one could be guessed."""
    with Engine(library, url) as engine:
        lived(engine)
    database = create_engine(database_url(url))
    with database.connect() as connection:
        names = set(connection.execute(select(found_by.c.fact)).scalars())
    database.dispose()
    assert names
    assert "account" not in names


def test_a_handler_is_told_what_is_sensitive_and_gets_it(engine: Any) -> None:
    lived(engine)
    seen: list[Any] = []
    engine.effect("payout")(seen.append)
    engine.deliver(NOON)
    (delivery,) = seen
    assert delivery.effect.data["details"] == {"account": IBAN}
    assert delivery.sensitive == ("details/account",)
    assert IBAN not in str(delivery.shown())
    assert delivery.shown()["amount"] == delivery.effect.data["amount"]


def test_what_is_forwarded_holds_nothing_sensitive_unless_asked_for(engine: Any) -> None:
    lived(engine)
    for delivery in engine.deliveries():
        assert IBAN not in json.dumps(cloud_event(delivery, source="x"))
    (payout,) = (one for one in engine.deliveries() if one.effect.kind == "payout")
    assert cloud_event(payout, source="x", reveal=True)["data"]["details"] == {"account": IBAN}


def test_after_an_erasure_nothing_tells_the_value_and_the_chain_is_whole(url: str, library: Library) -> None:
    with Engine(library, url) as engine:
        lived(engine)
        heads = [entry_of(step) for step in engine.journal("a")]
        engine.erase("a")
        told = [engine.why("a", seq, reveal=True) for seq in range(3)]
        whole = repr((told, engine.case("a"), engine.journal("a"), engine.deliveries()))
        assert IBAN not in whole
        assert CONTACT not in whole
        assert [entry_of(step) for step in engine.journal("a")] == heads
        assert engine.verify("a").case == engine.case("a")
    database = create_engine(database_url(url))
    with database.connect() as connection:
        rows = [str(row) for table in metadata.sorted_tables for row in connection.execute(select(table))]
    database.dispose()
    assert not any(IBAN in row or CONTACT in row for row in rows)


def test_a_journal_that_was_changed_after_an_erasure_is_still_found(url: str, library: Library) -> None:
    with Engine(library, url) as engine:
        lived(engine)
        engine.erase("a")
        database = create_engine(database_url(url))
        with database.begin() as connection:
            changed = "UPDATE amends_journal SET head = :head WHERE case_id = 'a' AND seq = 1"
            connection.execute(text(changed), {"head": "0" * 64})
        database.dispose()
        with pytest.raises(CorruptJournal, match="entry 1"):
            engine.verify("a")
