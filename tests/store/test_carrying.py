"""Cases from one store to another: nothing is lost, nothing is asked for twice, and what is not sound is not let in."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from amends.engine import operations
from amends.engine.canonical import canonical
from amends.engine.durable.arriving import Arrivals
from amends.engine.durable.delivery import Retries, Settled
from amends.engine.durable.packing import unpacked
from amends.engine.engine import Engine
from amends.engine.errors import CorruptJournal, InvalidValue, UnknownCase
from amends.engine.library import Library
from amends.engine.operations import Operations
from amends.engine.render.report import report_json, report_text
from amends.engine.store.memory import MemoryStore
from amends.engine.store.protocol import Kept, Sought
from amends.engine.values import Sealed
from amends.engine.verify import digests

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: As long as an id may be: keys that are made of it are longer.
LONG = "x" * 200
IBAN = "DE02 1203 0000 0000 2020 51"


def fill(engine: Engine) -> None:
    """Make cases of every kind: open and closed, with keys, with deliveries of every state, parked, erased."""

    @engine.effect("payout")
    def pay(delivery: Any) -> Settled:
        if delivery.case_id == "dead":
            raise RuntimeError("the bank is away")
        return Settled(reference="b")

    for index, name in enumerate(("open", "paid", "dead", "late", "erased", "new", LONG)):
        engine.open("loan", {"account": IBAN}, at=NOON + index * HOUR, case_id=name, key=f"order-{name[:9]}")
    for name in ("paid", "dead", LONG):
        engine.send(
            name,
            "return_late",
            {"days": 2, "contact": "me@example.org"},
            by="reader:1",
            at=NOON + DAY,
            key="k",
        )
        engine.send(name, "accept", by="desk", at=NOON + DAY)
    engine.deliver(NOON + DAY)
    engine.erase("erased")
    engine.send("erased", "give_account", {"iban": "NL91"}, by="reader", at=NOON + 2 * DAY, key="after")
    engine.send("late", "accept", by="desk", at=NOON + 2 * DAY, key="refused")
    engine.store.transact(lambda transaction: transaction.park("late", "it was damaged"))


@pytest.fixture
def filled(library: Library) -> Engine:
    engine = Engine(library, retries=Retries(attempts=1))
    fill(engine)
    return engine


def export(engine: Engine, *, reveal: bool = True, **sought: Any) -> bytes:
    return b"".join(Operations(engine).export(Sought(**sought), reveal=reveal, tell=lambda _: None))


def bring(engine: Engine, lines: bytes, *, live: bool = True) -> Any:
    return Operations(engine).import_(io.BytesIO(lines), live=live, tell=lambda _: None)


# --- there and back -----------------------------------------------------------------------------------------------------


def test_from_store_to_store_not_a_byte_is_lost(library: Library, sqlite: str, postgres: str) -> None:
    with Engine(library, sqlite, retries=Retries(attempts=1)) as first:
        fill(first)
        lines = export(first)
        cases = {one.id: first.case(one.id) for one in first.cases().cases}
        deliveries = first.deliveries()
        listed = first.cases()
    assert len(cases) == 7
    for store in (postgres, MemoryStore()):
        with Engine(Library(), store) as there:
            done = bring(there, lines)
            assert (done.cases, done.policies) == (7, 1)
            assert export(there) == lines
            assert {name: there.case(name) for name in cases} == cases
            assert there.deliveries() == deliveries
            assert there.cases() == listed
            for name, case in cases.items():
                assert there.verify(name).case == case
            lines = export(there)


def test_what_came_goes_on_as_it_would_have(filled: Engine, sqlite: str) -> None:
    with Engine(filled.library, sqlite) as there:
        bring(there, export(filled))
        for engine in (filled, there):
            # The same keys give the same answers, and the same timers fire.
            sent = engine.send(
                "paid", "return_late", {"days": 2, "contact": "me@example.org"}, by="reader:1", key="k"
            )
            assert (sent.step.seq, sent.state) == (1, "back")
            assert engine.open("loan", {"account": IBAN}, key="order-new").id == "new"
            with pytest.raises(InvalidValue, match="came before, with another event"):
                engine.send("erased", "accept", by="desk", key="after")
            engine.run_due(NOON + 9 * DAY)
            engine.unpark("late")
            engine.run_due(NOON + 9 * DAY)
        assert [there.case(one.id).head for one in there.cases().cases] == [
            filled.case(one.id).head for one in filled.cases().cases
        ]


def test_a_migrated_case_takes_every_version_along(tmp_path: Path, sqlite: str) -> None:
    text = """
amends: 1
policy: desk
version: v1
in_force: {until: 2026-06-01T00:00:00Z}
roles: [user]
events: {ask: {by: user}}
states:
  fresh: {initial: true, on: {ask: done}}
  done: {final: true}
"""
    newer = text.replace("until:", "from:").replace("version: v1", "version: v2\nmigrates: {from: [v1]}")
    (tmp_path / "old.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "new.yaml").write_text(newer, encoding="utf-8")
    engine = Engine(Library.load(tmp_path))
    engine.open("desk", {}, at=NOON, case_id="a")
    assert engine.migrate("a", "v2", by="ops:7", at=NOON, key="m").refusal is None
    with Engine(Library(), sqlite) as there:
        assert bring(there, export(engine)).policies == 2
        assert there.verify("a").decided == 2
        assert there.migrate_back("a", by="ops:7", at=NOON).case.policy.version == "v1"


def test_some_cases_may_go_and_their_policies_with_them(filled: Engine) -> None:
    lines = export(filled, ids=("new", "open"))
    found = [json.loads(line) for line in lines.splitlines()]
    assert [next(iter(one)) for one in found[1:]] == ["policy", "case", "case", "end"]
    assert [one["case"]["id"] for one in found if "case" in one] == ["open", "new"]
    assert export(filled, policy="other").count(b"\n") == 2


# --- sensitive values ---------------------------------------------------------------------------------------------------


def test_sensitive_values_stay_behind_unless_they_are_asked_for(filled: Engine, sqlite: str) -> None:
    lines = export(filled, reveal=False)
    for secret in (IBAN, "me@example.org", "NL91", filled.case("open").secret.hex()):
        assert secret.encode() in export(filled)
        assert secret.encode() not in lines
    with Engine(Library(), sqlite) as there:
        bring(there, lines)
        assert export(there, reveal=False) == lines
        case = there.case("open")
        assert isinstance(case.facts["account"], Sealed)
        assert (case.head, case.secret == filled.case("open").secret) == (filled.case("open").head, False)
        # The chain bears out the whole journal, and what can be decided without the values is decided again.
        assert there.verify("open").decided == 0
        # What comes later is kept under the new key.
        there.send("open", "return_late", {"days": 1, "contact": "you"}, by="reader", at=NOON + DAY)
        assert there.case("open").facts["return_late"]["contact"] == "you"
        there.verify("open")


def test_a_value_that_is_not_the_one_committed_to_is_refused_after_an_erasure_too(
    filled: Engine, sqlite: str
) -> None:
    lines = export(filled, ids=("erased",))
    assert b'"NL91"' in lines
    with (
        Engine(Library(), sqlite) as there,
        pytest.raises(InvalidValue, match="is not the one that was committed to"),
    ):
        bring(there, sealed_again(lines.replace(b'"NL91"', b'"NL92"')))


# --- nothing is asked for twice -----------------------------------------------------------------------------------------


def test_what_was_delivered_is_not_delivered_again(filled: Engine, sqlite: str) -> None:
    called: list[str] = []
    with Engine(Library(), sqlite) as there:

        @there.effect("*")
        def deliver(delivery: Any) -> None:
            called.append(delivery.key)

        bring(there, export(filled))
        there.deliver(NOON + DAY)
        assert called == sorted(one.key for one in filled.deliveries("waiting"))
        assert "paid/deposit/all/1" not in called
        assert [one.key for one in there.deliveries("dead")] == ["dead/deposit/all/1"]


def test_a_copy_does_nothing_by_itself_until_a_person_says_so(filled: Engine, sqlite: str) -> None:
    called: list[str] = []
    with Engine(Library(), sqlite) as there:

        @there.effect("*")
        def deliver(delivery: Any) -> None:
            called.append(delivery.key)

        bring(there, export(filled), live=False)
        assert there.run_due(NOON + 99 * DAY) == ()
        assert there.deliver(NOON + 99 * DAY) == ()
        parked = {one.id: one.parked for one in there.cases(stuck=True).cases}
        assert parked == {
            **dict.fromkeys(("open", "erased", "new"), "imported as a copy, which does nothing by itself"),
            "late": "it was damaged",
        }
        waiting = [one.key for one in filled.deliveries("waiting")]
        assert waiting
        there.resolve(waiting[0], "again", at=NOON + DAY)
        there.deliver(NOON + DAY)
        assert called == waiting[:1]
        there.unpark("open")
        assert there.run_due(NOON + 99 * DAY) != ()


# --- what is refused ----------------------------------------------------------------------------------------------------


def sealed_again(lines: bytes) -> bytes:
    """Return lines that were changed with an end that fits them, as somebody would who means it."""
    *kept, last = lines.splitlines(keepends=True)
    end = json.loads(last)
    end["end"]["sha256"] = hashlib.sha256(b"".join(kept)).hexdigest()
    return b"".join(kept) + canonical(end) + b"\n"


def changed(lines: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """Change the first case of a file, and make the rest fit."""
    found = lines.splitlines(keepends=True)
    at = next(index for index, line in enumerate(found) if line.startswith(b'{"case"'))
    data = json.loads(found[at])
    change(data["case"])
    found[at] = canonical(data) + b"\n"
    return sealed_again(b"".join(found))


def forge(case: dict[str, Any]) -> None:
    """Change an entry, and chain the journal anew."""
    case["entries"][1]["decision"] = "forged"
    case["heads"] = list(digests([canonical(entry) for entry in case["entries"]]))


REFUSED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "an entry is changed": (
        lambda case: case["entries"][1].update(decision="x"),
        "entry 1 is not the one that was",
    ),
    "and the chain with it": (forge, "entry 1 is not what the policy makes"),
    "an entry is left out": (lambda case: case["entries"].pop(), "entry 3 is missing"),
    "no entry is there": (lambda case: case.update(entries=[], heads=[]), "begins with the opening"),
    "an entry is none": (
        lambda case: case["entries"].__setitem__(0, {"x": 1}),
        "entry 0: not a journal entry",
    ),
    "another id": (lambda case: case.update(id="other"), "is not that of the case `other`"),
    "an id that no table can hold": (lambda case: case.update(id="a\nb"), "printable characters"),
    "a key is left out": (lambda case: case.update(keys=[]), "keys are not those of the journal"),
    "a key is another": (lambda case: case["keys"][0].update(key="x"), "keys are not those of the journal"),
    "a key did too much": (lambda case: case["keys"][0].update(first=0), "cannot begin after it"),
    "a delivery is left out": (lambda case: case.update(deliveries=[]), "deliveries are not those"),
    "a delivery is made twice": (
        lambda case: case["deliveries"].append(case["deliveries"][0]),
        "deliveries are not",
    ),
    "a delivery is nowhere": (
        lambda case: case["deliveries"][0].update(state="x"),
        "`x` is no state of a delivery",
    ),
    "a number is none": (lambda case: case["deliveries"][0].update(attempts="1"), "is not a number"),
    "a value is another": (
        lambda case: case["vault"].update(dict.fromkeys(case["vault"], "x")),
        "is not the one that was committed to",
    ),
    "the secret is another": (
        lambda case: case.update(secret="00" * 32),
        "is not the one that was committed to",
    ),
    "the secret is none": (lambda case: case.update({"secret": "x"}), "not a case"),
    "a field is lacking": (lambda case: case.pop("parked"), "not a case: KeyError: 'parked'"),
    "a text that no table can hold": (
        lambda case: case.update(parked="a\0b"),
        "is not a text that a table can hold",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_case_that_is_not_sound_is_refused_with_its_line_and_nothing_is_changed(
    filled: Engine, name: str
) -> None:
    change, said = REFUSED[name]
    lines = export(filled, ids=("paid", "new"))
    there = Engine(Library())
    with pytest.raises(InvalidValue, match=rf"line 3: .*{said}"):
        bring(there, changed(lines, change))
    assert there.cases().cases == ()
    bring(there, lines)
    assert [one.id for one in there.cases().cases] == ["paid", "new"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda _: [], "ends after line 0"),
        (lambda lines: lines[:-1], "ends after line 4: what follows is missing"),
        (
            lambda lines: [*lines[:-1], lines[-1].replace(b'"cases":2', b'"cases":3')],
            "line 5: lines were changed",
        ),
        (lambda lines: [*lines[:2], *lines[3:]], "line 4: lines were changed, left out or put in"),
        (lambda lines: [*lines, b"\n"], "line 6: something follows"),
        (lambda lines: lines[1:], "line 1: not a line that"),
        (lambda lines: [lines[0], *lines], "line 2: not a line that"),
        (
            lambda lines: [lines[0].replace(b'"format":1', b'"format":2'), *lines[1:]],
            "`cases` of format 2 is not read",
        ),
        (lambda lines: [lines[0], b"{}\n"], "line 2: not a line that"),
        (lambda lines: [lines[0], b'{"x":1}\n'], "line 2: `x` is not what a line may hold"),
        (lambda lines: [lines[0], b"\xff\xfe\n"], "line 2: not a line that"),
        (lambda lines: [lines[0], b"[" * 100_000], "line 2: not a line that"),
        (lambda lines: [lines[0], b'{"policy":{}}\n'], "line 2: not a policy: KeyError: 'name'"),
        (lambda lines: [lines[0], lines[2]], "line 2: the policy loan v1 .* did not come before it"),
        (
            lambda lines: [lines[0], lines[1].replace(b"lent + ", b"lent - ")],
            "line 2: the policy loan v1 is another than it says",
        ),
        (
            lambda lines: [lines[0], lines[1].replace(b"policy: loan", b"police: loan")],
            "line 2: the bundle does not",
        ),
        (lambda lines: [*lines[:3], lines[2]], "line 4: the case `paid` came before"),
    ],
)
def test_a_file_that_is_not_whole_is_refused_and_nothing_is_changed(
    filled: Engine, change: Callable[[list[bytes]], list[bytes]], said: str
) -> None:
    lines = export(filled, ids=("paid", "new")).splitlines(keepends=True)
    there = Engine(Library())
    with pytest.raises(InvalidValue, match=said):
        bring(there, b"".join(change(lines)))
    assert there.cases().cases == ()


def test_what_is_there_already_is_refused_and_nothing_is_changed(filled: Engine, library: Library) -> None:
    lines = export(filled)
    there = Engine(library)
    there.open("loan", {}, at=NOON, case_id="new")
    with pytest.raises(InvalidValue, match="there is a case `new` already"):
        bring(there, lines)
    other = Engine(library)
    other.open("loan", {}, at=NOON, case_id="mine", key="order-dead")
    with pytest.raises(InvalidValue, match="the case `mine` was opened with the key `order-dead` of `dead`"):
        bring(other, lines)
    assert [len(engine.cases().cases) for engine in (there, other)] == [1, 1]


def test_what_comes_to_be_there_meanwhile_undoes_all_of_it(
    filled: Engine, library: Library, address: Any
) -> None:
    lines = export(filled)
    with Engine(library, address) as there:
        # All is proven and nothing is written when somebody else opens a case of the same id.
        def told(_: int) -> None:
            there.open("loan", {}, at=NOON, case_id="new")

        with pytest.raises(InvalidValue, match="there is a case `new` already"):
            Operations(there).import_(io.BytesIO(lines), live=True, tell=told)
        assert [one.id for one in there.cases().cases] == ["new"]
        assert there.deliveries() == there.deliveries(case_id="new")


def test_a_corrupted_journal_is_not_exported(filled: Engine, sqlite: str) -> None:
    with Engine(Library(), sqlite) as there:
        bring(there, export(filled))
        with there.store._engine.begin() as connection:  # type: ignore[attr-defined]
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.exec_driver_sql(
                "UPDATE amends_journal SET entry = CAST(replace(entry, 'reader', 'desk') AS BLOB) "
                "WHERE case_id = 'paid' AND seq = 1"
            )
        with pytest.raises(CorruptJournal, match="the case `paid`: entry 1 is not the one that was written"):
            export(there)


def test_cases_that_are_not_there_are_not_exported_in_silence(filled: Engine) -> None:
    operations = Operations(filled)
    assert operations.meant((), Sought(policy="loan")) == Sought(policy="loan")
    assert operations.meant(("new", "open", "new"), Sought()).ids == ("new", "open")
    with pytest.raises(UnknownCase, match="there is no case `x`"):
        operations.meant(("new", "x"), Sought())


def test_every_line_of_a_file_is_read_as_what_it_is(filled: Engine) -> None:
    lines = export(filled)
    assert [number for number, _ in unpacked(io.BytesIO(lines))] == list(range(2, 10))


def test_however_many_cases_there_are_only_a_page_is_read_at_a_time(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(library)
    for index in range(7):
        engine.open("loan", {}, at=NOON + index * HOUR, case_id=str(index))
    monkeypatch.setattr(operations, "PAGE", 2)
    asked: list[int] = []
    transact = engine.store.transact

    def counted(*arguments: Any, **options: Any) -> Any:
        asked.append(1)
        return transact(*arguments, **options)

    monkeypatch.setattr(engine.store, "transact", counted)
    found = Operations(engine).standings(Sought())
    assert next(found).summary.id == "0"
    assert len(asked) == 1
    assert [one.summary.id for one in found] == ["1", "2", "3", "4", "5", "6"]
    assert len(asked) == 4


def test_a_file_that_was_exported_once_is_read_for_good() -> None:
    """What is decided may change with the engine; the form of the file, the chain and what is kept may not."""
    arrivals = Arrivals()
    found = []
    with (Path(__file__).parent / "golden" / "format_1.jsonl").open("rb") as file:
        for _, item in unpacked(file):
            if isinstance(item, Kept):
                found.append(arrivals.of(item, prove=False))
            else:
                arrivals.add(item)
    paid, dead, parked = found
    assert (paid.saved.case.state, paid.saved.case.facts["account"]) == ("closed", IBAN)
    assert next((key.key, key.first, key.seq) for key in paid.saved.keys) == ("k", 1, 1)
    assert {fate.key: fate.state for fate in dead.fates} == {
        "c-dead/2/0": "waiting",
        "c-dead/deposit/all/1": "dead",
    }
    assert (parked.parked, parked.saved.case.timers[0].id) == ("it was damaged", "remind:out/lending")


def test_a_report_tells_apart_whose_money_it_is(tmp_path: Path) -> None:
    text = """
amends: 1
policy: desk
version: v1
currency: EUR
roles: [user, shop]
facts: {payer: role}
payouts:
  out: {amount: money("3 EUR"), routes: [{via: bank}]}
  charge: {from: shop, amount: money("2 EUR"), routes: [{via: invoice}]}
  fine: {from: =payer, amount: money("1 EUR"), routes: [{via: invoice}]}
states:
  done: {initial: true, final: true, enter: [{pay: out}, {pay: charge}, {pay: fine}]}
"""
    (tmp_path / "desk.yaml").write_text(text, encoding="utf-8")
    library = Library.load(tmp_path)
    assert [item.message for item in library.diagnostics if item.severity == "error"] == []
    engine = Engine(library)
    engine.open("desk", {"payer": "user"}, at=NOON, case_id="a")
    report = Operations(engine).report(Sought(), NOON, lambda _: None)
    assert {key: str(sums["asked"]) for key, sums in report.money.items()} == {
        ("EUR", ""): "3.00 EUR",
        ("EUR", "shop"): "2.00 EUR",
        ("EUR", "user"): "1.00 EUR",
    }
    assert "EUR from user" in report_text(report)
    assert json.loads(report_json(report))["money"][2]["from"] == "user"
