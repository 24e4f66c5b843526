"""The face for hosts: keys, time, threads, and what it raises."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amends.engine.calendar import tzdata_version
from amends.engine.engine import Engine
from amends.engine.errors import AmendsError, InvalidValue, RuleError, UnknownCase, UnknownPolicy
from amends.engine.journal import entry_of
from amends.engine.library import Library
from amends.engine.literal import Misfit
from amends.engine.money import Money
from amends.engine.step import Due, Event, Open
from amends.engine.verify import digests, verify
from amends.engine.version import VERSION

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
POLICY = """
amends: 1
policy: small
version: v1
currency: USD
roles: [user, desk]
types: {line: {name: text, price: money}}
facts:
  n: {type: int, default: 0}
  m: {type: int, default: 1}
  paid: optional money
  lines: {type: list of line, default: []}
  quick_at: optional timestamp
  ratio: {type: int, default: =10 / m}
events:
  add: {by: user, data: {count: int, price: optional money}}
  end: {by: user}
states:
  open:
    initial: true
    waits_for: desk
    sla:
      soon: {due: 2 hours, remind: [exactly 1 hour before], breach: {set: {n: n + 100}}}
      at_once: {due: {before: quick_at, within: 1 hour}, breach: {set: {n: n + 1000}}}
    on: {add: {when: add.count > 0, set: {n: n + add.count}}, end: done}
  done: {final: true}
"""


class Ticking:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        return self.time


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    path = tmp_path_factory.mktemp("policies") / "small.yaml"
    path.write_text(POLICY, encoding="utf-8")
    library = Library.load(path)
    assert [item for item in library.diagnostics if item.severity == "error"] == []
    return library


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def engine(library: Library, clock: Ticking) -> Engine:
    return Engine(library, clock=clock)


# --- opening ------------------------------------------------------------------------------------------------------------


def test_a_case_is_opened_by_name_or_by_what_it_is(engine: Engine) -> None:
    assert engine.open("small", {}, case_id="a").id == "a"
    assert engine.open(None, {"n": 3}).facts["n"] == 3
    assert len(engine.open("small", {}).id) == 32


def test_the_same_key_opens_a_case_once(engine: Engine, clock: Ticking) -> None:
    first = engine.open("small", {"n": 3}, key="order-1")
    clock.time += timedelta(days=1)
    assert engine.open("small", {"n": 3}, key="order-1").id == first.id
    assert engine.open(None, {"n": 3}, key="order-1").id == first.id
    assert len(engine.journal(first.id)) == 1
    for facts, name in [({"n": 4}, "small"), ({}, "small"), ({"n": 3}, "other")]:
        with pytest.raises(InvalidValue, match="the key `order-1` came before, with another case"):
            engine.open(name, facts, key="order-1")


def test_an_opening_that_fails_does_not_use_its_key_up(engine: Engine) -> None:
    with pytest.raises(Misfit):
        engine.open("small", {"n": "many"}, key="k")
    assert engine.open("small", {"n": 3}, key="k").facts["n"] == 3


@pytest.mark.parametrize(
    ("facts", "path", "message"),
    [
        ({"nn": 1}, ("nn",), "the policy `small` has no fact `nn`"),
        ({"n": "many"}, ("n",), "a value of type int is due here"),
        ({"n": 1.0}, ("n",), "a float is never exact"),
        ({"paid": "lots"}, ("paid",), "is not an amount of money"),
        ({"lines": [{"name": "a"}]}, ("lines", 0), "the field `price` of line is missing"),
        ({"lines": [{"name": "a", "price": 1, "x": 2}]}, ("lines", 0, "x"), "line has no field `x`"),
        ({"quick_at": "soon"}, ("quick_at",), "is not an instant"),
        ({"quick_at": NOON.replace(tzinfo=None)}, ("quick_at",), "the instant has no offset"),
        ({"timezone": "Nowhere/Town"}, ("timezone",), "is not a time zone"),
        ({"timezone": 5}, ("timezone",), "a value of type text is due here"),
        ({"currency": "dollars"}, ("currency",), "is not the code of a currency"),
        ({"currency": 5}, ("currency",), "a value of type text is due here"),
        pytest.param({"n": object()}, ("n",), "object is not data", id="a foreign object"),
        ({"n": "\ud800"}, ("n",), "half a character"),
    ],
    ids=str,
)
def test_facts_that_do_not_fit_open_no_case_and_say_where(
    engine: Engine, facts: dict[str, Any], path: tuple[Any, ...], message: str
) -> None:
    with pytest.raises(Misfit, match=message) as raised:
        engine.open("small", facts, case_id="x")
    assert raised.value.path == path
    with pytest.raises(UnknownCase):
        engine.case("x")


def test_a_zone_that_is_none_opens_no_case(engine: Engine) -> None:
    with pytest.raises(Misfit, match="is not a time zone"):
        engine.open("small", {}, timezone="Berlin")
    assert engine.open("small", {}, timezone="Europe/Berlin").timezone == "Europe/Berlin"


def test_a_rule_that_fails_at_the_opening_opens_no_case(engine: Engine) -> None:
    with pytest.raises(RuleError, match="division by zero"):
        engine.open("small", {"m": 0}, case_id="x")
    with pytest.raises(UnknownCase, match="there is no case `x`"):
        engine.case("x")


def test_an_id_is_taken_once(engine: Engine) -> None:
    engine.open("small", {}, case_id="a")
    with pytest.raises(InvalidValue, match="there is a case `a` already"):
        engine.open("small", {}, case_id="a")


def test_what_nobody_serves_is_said(engine: Engine) -> None:
    with pytest.raises(UnknownPolicy):
        engine.open("other", {})
    with pytest.raises(UnknownPolicy):
        engine.open(None, {"unheard": 1})


# --- time ---------------------------------------------------------------------------------------------------------------


def test_time_comes_from_the_clock_or_from_the_call(engine: Engine, clock: Ticking) -> None:
    case = engine.open("small", {})
    assert case.at == NOON
    clock.time = NOON + timedelta(minutes=1, microseconds=5)
    sent = engine.send(case.id, "add", {"count": 1}, by="user:1")
    assert sent.step.at == NOON + timedelta(minutes=1)
    east = timezone(timedelta(hours=7))
    sent = engine.send(
        case.id, "add", {"count": 1}, by="user:1", at=(NOON + timedelta(minutes=2)).astimezone(east)
    )
    assert sent.step.at == NOON + timedelta(minutes=2)


@pytest.mark.parametrize(
    "at", [NOON.replace(tzinfo=None), datetime.min.replace(tzinfo=timezone(timedelta(hours=1)))]
)
def test_an_instant_without_an_offset_or_outside_the_calendar_is_refused(
    engine: Engine, at: datetime
) -> None:
    case = engine.open("small", {})
    for call in (
        lambda: engine.open("small", {}, at=at),
        lambda: engine.send(case.id, "add", {"count": 1}, by="user", at=at),
        lambda: engine.send(case.id, "add", {"count": 1}, by="user", occurred_at=at),
        lambda: engine.run_due(at),
    ):
        with pytest.raises(InvalidValue, match=r"offset|years 1 to 9999"):
            call()
    assert len(engine.journal(case.id)) == 1


def test_what_was_due_fires_first_and_is_told(engine: Engine) -> None:
    case = engine.open("small", {})
    sent = engine.send(case.id, "add", {"count": 1}, by="user", at=NOON + timedelta(hours=3))
    assert [step.input.timer for step in sent.before if isinstance(step.input, Due)] == [
        "remind:open/soon",
        "breach:open/soon",
    ]
    assert sent.case.facts["n"] == 101
    assert [effect.kind for effect in sent.effects] == ["remind"]
    assert (sent.state, sent.refusal, sent.decision) == ("open", None, None)


def test_an_event_that_says_it_is_earlier_than_the_case_still_finds_what_is_due_fired(engine: Engine) -> None:
    case = engine.open("small", {"quick_at": NOON})
    assert case.timers[0].fires_at == case.at
    sent = engine.send(case.id, "add", {"count": 1}, by="user", at=NOON - timedelta(hours=1))
    assert [step.input.timer for step in sent.before if isinstance(step.input, Due)] == [
        "breach:open/at_once"
    ]
    assert (sent.step.at, sent.case.facts["n"]) == (NOON, 1001)


def test_run_due_fires_in_every_case_what_is_due_and_once(engine: Engine) -> None:
    cases = [engine.open("small", {}, case_id=name) for name in "ab"]
    assert engine.run_due(NOON) == ()
    assert len(engine.run_due(NOON + timedelta(hours=2))) == 2
    assert len(engine.run_due(NOON + timedelta(hours=2, seconds=1))) == 2
    assert engine.run_due(NOON + timedelta(days=9)) == ()
    assert {engine.case(case.id).facts["n"] for case in cases} == {100}


# --- events -------------------------------------------------------------------------------------------------------------


def test_the_same_key_answers_the_same_again(engine: Engine) -> None:
    case = engine.open("small", {})
    first = engine.send(case.id, "add", {"count": 1}, by="user:1", key="w-1")
    again = engine.send(case.id, "add", {"count": 1}, by="user:1", key="w-1", at=NOON + timedelta(days=3))
    assert again == first
    assert len(engine.journal(case.id)) == 2
    for name, data, by in [
        ("add", {"count": 2}, "user:1"),
        ("end", {}, "user:1"),
        ("add", {"count": 1}, "user:2"),
    ]:
        with pytest.raises(InvalidValue, match="the key `w-1` came before, with another event"):
            engine.send(case.id, name, data, by=by, key="w-1")


def test_a_refusal_uses_its_key_up(engine: Engine) -> None:
    case = engine.open("small", {})
    first = engine.send(case.id, "add", {"count": 0}, by="user:1", key="w-1")
    assert first.refusal is not None
    assert first.refusal.code == "not_allowed"
    engine.send(case.id, "add", {"count": 5}, by="user:1")
    assert engine.send(case.id, "add", {"count": 0}, by="user:1", key="w-1") == first


def test_keys_are_of_their_case(engine: Engine) -> None:
    one, other = engine.open("small", {}), engine.open("small", {})
    engine.send(one.id, "add", {"count": 1}, by="user", key="k")
    assert engine.send(other.id, "add", {"count": 7}, by="user", key="k").case.facts["n"] == 7


def test_data_may_be_plain_or_typed(engine: Engine) -> None:
    case = engine.open("small", {})
    for price in ("5.00", Decimal("5.00"), 5, Money(Decimal(5), "USD")):  # type: ignore[arg-type] # what a host may do
        sent = engine.send(case.id, "add", {"count": "1", "price": price}, by="user")
        assert str(sent.case.facts["add"]["price"]) == "5.00 USD"


@pytest.mark.parametrize(
    "arguments",
    [
        {"data": {"count": 1.0}},
        {"data": {"\ud800": 1}},
        {"data": {"x": 10**50}},
        {"event": "\ud800"},
        {"by": "user:\udfff"},
        {"key": "\ud800"},
    ],
    ids=ascii,
)
def test_what_cannot_be_written_down_is_refused_and_leaves_no_trace(
    engine: Engine, arguments: Mapping[str, Any]
) -> None:
    case = engine.open("small", {})
    given_ = {"event": "add", "data": {"count": 1}, "by": "user", **arguments}
    with pytest.raises(InvalidValue):
        engine.send(case.id, **given_)
    assert len(engine.journal(case.id)) == 1


def test_a_case_that_is_not_there_is_said(engine: Engine) -> None:
    for call in (
        lambda: engine.send("x", "add", by="user"),
        lambda: engine.case("x"),
        lambda: engine.journal("x"),
        lambda: engine.policy_of("x"),
    ):
        with pytest.raises(UnknownCase, match="there is no case `x`"):
            call()


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=4)
    | st.decimals(),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(st.characters(), max_size=3), inner, max_size=2)
    ),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["add", "end", "nothing", "add.settled", ""]) | st.text(st.characters(), max_size=4),
    st.dictionaries(
        st.sampled_from(["count", "price", "$sealed", "a/b"]) | st.text(max_size=2), anything, max_size=3
    ),
    st.sampled_from(["user:1", "desk", ":", ""]) | st.text(st.characters(), max_size=3),
    st.datetimes() | st.datetimes(timezones=st.timezones() | st.just(UTC)),
)
def test_whatever_is_sent_is_answered_or_refused_by_our_own_error(
    library: Library, name: str, data: dict[str, Any], by: str, at: datetime
) -> None:
    engine = Engine(library)
    case = engine.open("small", {}, at=NOON)
    try:
        sent = engine.send(case.id, name, data, by=by, at=at)
    except AmendsError:
        assert len(engine.journal(case.id)) == 1
        return
    assert sent.step.verdict in ("applied", "refused")
    for step in engine.journal(case.id):
        entry_of(step)


# --- what is kept -------------------------------------------------------------------------------------------------------


def test_inputs_carry_the_versions_of_the_engine_and_of_the_zone_rules(engine: Engine) -> None:
    case = engine.open("small", {})
    engine.send(case.id, "add", {"count": 1}, by="user", at=NOON + timedelta(hours=3))
    inputs = [step.input for step in engine.journal(case.id)]
    assert [type(item) for item in inputs] == [Open, Due, Due, Event]
    assert {(item.engine, item.tzdata) for item in inputs} == {(VERSION, tzdata_version())}


def test_many_threads_on_one_engine_lose_nothing(library: Library) -> None:
    engine = Engine(library)
    cases = [engine.open("small", {}, at=NOON, case_id=str(i), secret=b"k") for i in range(3)]
    failed: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for i in range(20):
                case = cases[(number + i) % len(cases)]
                engine.send(case.id, "add", {"count": 1}, by=f"user:{number}", at=NOON + timedelta(seconds=i))
                engine.open("small", {}, at=NOON, key=f"k-{i}")
                engine.run_due(NOON)
        except BaseException as error:  # noqa: BLE001 - the test tells it
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sum(engine.case(case.id).facts["n"] for case in cases) == 120
    for case in cases:
        entries = [entry_of(step) for step in engine.journal(case.id)]
        assert digests(entries)[-1] == engine.case(case.id).head
        assert verify(engine.policy_of(case.id), entries, digests(entries), secret=b"k").case == engine.case(
            case.id
        )
    assert len({engine.open("small", {}, at=NOON, key=f"k-{i}").id for i in range(20)}) == 20


def test_the_machines_clock_is_read_where_no_time_is_given(library: Library) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    opened: Callable[[], Any] = lambda: Engine(library).open("small", {})  # noqa: E731
    assert before <= opened().at <= datetime.now(UTC)


def test_policies_of_bundles_serve_cases_whose_files_are_gone(library: Library, tmp_path: Path) -> None:
    kept = tmp_path / "bundle.json"
    (bundle,) = library.bundles.values()
    kept.write_bytes(bundle.to_bytes())
    engine = Engine(Library.of_bundles(bundle))
    assert engine.open("small", {}, at=NOON).policy == library.policies[0].ref
