"""What OpenTelemetry is told of calls: names, codes and counts of what was committed, and never a fact."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from amends.engine.durable.delivery import Retries, Settled
from amends.engine.durable.trying import TRIES
from amends.engine.engine import Engine
from amends.engine.errors import Conflict, UnknownCase
from amends.engine.library import Library
from amends.engine.sent import Sending
from amends.engine.store.memory import MemoryStore
from amends.engine.store.protocol import LostRace
from amends.engine.telemetry import watching
from amends.engine.telemetry.instruments import instruments_of

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
IBAN, CONTACT = "DE02120300000000202051", "me@example.org"
LOAN = {"amends.policy.name": "loan", "amends.policy.version": "v1"}


class Told:
    """What was told so far."""

    def __init__(self, sampler: Any = None) -> None:
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.provider = TracerProvider(sampler=sampler)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meters = MeterProvider([self._reader])
        self.instruments = instruments_of(self.provider.get_tracer("amends"), self.meters.get_meter("amends"))

    def spans(self) -> list[Any]:
        """Return the spans that ended since the last time, in the order in which they began."""
        found: list[Any] = [*self._exporter.get_finished_spans()]
        found.sort(key=lambda span: span.start_time)
        self._exporter.clear()
        return found

    def numbers(self) -> dict[tuple[Any, ...], Any]:
        """Return what was counted, by name and attributes; of a histogram its count and sum."""
        found = {}
        data: Any = self._reader.get_metrics_data()
        for scope in [scope for one in data.resource_metrics for scope in one.scope_metrics] if data else []:
            for metric in scope.metrics:
                for point in metric.data.data_points:
                    name = (metric.name, *(point.attributes[key] for key in sorted(point.attributes)))
                    found[name] = point.value if hasattr(point, "value") else (point.count, point.sum)
        return found


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """Return what is told in this test, and in no other."""
    found = Told()
    monkeypatch.setattr(watching, "instruments", lambda: found.instruments)
    return found


def shape(spans: list[Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return names and attributes of spans."""
    return [(span.name, dict(span.attributes)) for span in spans]


# --- calls --------------------------------------------------------------------------------------------------------------


def test_an_opening_is_a_span_of_its_step(told: Told, engine: Any) -> None:
    engine.open("loan", {"account": IBAN}, at=NOON, case_id="a", key="k")
    assert shape(told.spans()) == [
        (
            "amends.open",
            {
                **LOAN,
                "amends.case.id": "a",
                "amends.call.steps": 1,
                "amends.step.seq": 0,
                "amends.step.input": "open",
                "amends.step.verdict": "applied",
                "amends.step.moves": ("main: out",),
            },
        )
    ]
    engine.open("loan", {"account": IBAN}, at=NOON, key="k")
    assert shape(told.spans()) == [
        ("amends.open", {"amends.case.id": "a", "amends.call.steps": 0, "amends.call.repeated": True})
    ]


def test_an_event_is_a_span_of_its_step_and_timers_before_it_are_spans_within(
    told: Told, engine: Any
) -> None:
    engine.open("loan", {}, at=NOON, case_id="a")
    told.spans()
    engine.send("a", "return_late", {"days": 1}, by="reader:1", at=NOON + 3 * DAY, key="k")
    send, remind = told.spans()
    assert shape([send, remind]) == [
        (
            "amends.send",
            {
                **LOAN,
                "amends.case.id": "a",
                "amends.call.steps": 2,
                "amends.step.seq": 2,
                "amends.step.input": "event",
                "amends.step.verdict": "applied",
                "amends.step.moves": ("main: out > back",),
                "amends.event.name": "return_late",
            },
        ),
        (
            "amends.step",
            {
                **LOAN,
                "amends.case.id": "a",
                "amends.step.seq": 1,
                "amends.step.input": "due",
                "amends.step.verdict": "applied",
                "amends.step.moves": (),
                "amends.timer.id": "remind:out/lending",
                "amends.timer.lateness": 12 * 3600 + 1,
            },
        ),
    ]
    assert remind.parent.span_id == send.context.span_id
    engine.send("a", "return_late", {"days": 1}, by="reader:1", at=NOON + 3 * DAY, key="k")
    assert shape(told.spans()) == [
        ("amends.send", {"amends.case.id": "a", "amends.call.steps": 0, "amends.call.repeated": True})
    ]


@pytest.mark.parametrize(
    ("event", "data", "by", "reason", "named"),
    [
        ("accept", {}, "desk", "not_accepted", True),
        ("accept", {}, "reader", "role_not_allowed", True),
        ("return_late", {"days": CONTACT}, "reader", "invalid_data", True),
        (CONTACT, {}, CONTACT, "unknown_event", False),
    ],
)
def test_a_refusal_is_told_by_its_code_alone(
    told: Told,
    library: Library,
    event: str,
    data: Any,
    by: str,
    reason: str,
    named: bool,  # noqa: FBT001
) -> None:
    engine = Engine(library)
    engine.open("loan", {}, at=NOON, case_id="a")
    told.spans()
    engine.send("a", event, data, by=by, at=NOON)
    (span,) = told.spans()
    assert span.attributes["amends.step.verdict"] == "refused"
    assert span.attributes["amends.step.decision"] == "event_refused"
    assert span.attributes["amends.step.reason"] == reason
    assert ("amends.event.name" in span.attributes) is named
    assert CONTACT not in span.to_json()


def test_a_batch_is_a_span_with_a_span_for_each_step(told: Told, engine: Any) -> None:
    for name in "ab":
        engine.open("loan", {}, at=NOON, case_id=name)
    told.spans()
    engine.send_many([sending(name, days) for name in "ab" for days in (-1, 1)])
    batch, *steps = told.spans()
    assert shape([batch]) == [("amends.send", {"amends.call.steps": 4})]
    assert {span.name for span in steps} == {"amends.step"}
    for name in "ab":
        its = [span for span in steps if span.attributes["amends.case.id"] == name]
        assert [span.attributes["amends.step.verdict"] for span in its] == ["refused", "applied"]
    assert {span.parent.span_id for span in steps} == {batch.context.span_id}


def sending(case_id: str, days: int) -> Sending:
    return Sending(case_id=case_id, event="return_late", data={"days": days}, by="reader", at=NOON)


def test_timers_are_spans_within_that_of_their_batch_and_who_finds_nothing_leaves_none(
    told: Told, engine: Any
) -> None:
    engine.open("loan", {}, at=NOON, case_id="a")
    told.spans()
    assert engine.run_due(NOON + HOUR) == ()
    assert told.spans() == []
    assert len(engine.run_due(NOON + 4 * DAY)) == 3
    batch, *steps = told.spans()
    assert shape([batch]) == [("amends.run_due", {"amends.call.steps": 3})]
    assert [span.attributes["amends.timer.id"] for span in steps] == [
        "remind:out/lending",
        "breach:out/lending",
        "breach:overdue/soon",
    ]
    assert [span.attributes.get("amends.step.decision") for span in steps] == [None, "too_late", None]
    assert {span.parent.span_id for span in steps} == {batch.context.span_id}


def test_a_migration_is_a_span(told: Told, make: Callable[..., Any], tmp_path: Path, root: Path) -> None:
    text = (root / "tests/store/policies.yaml").read_text(encoding="utf-8")
    (tmp_path / "old.yaml").write_text(text + "in_force: {until: 2027-01-01T00:00:00Z}\n", encoding="utf-8")
    (tmp_path / "new.yaml").write_text(
        text.replace("version: v1", "version: v2\nmigrates: {from: [v1]}")
        + "in_force: {from: 2027-01-01T00:00:00Z}\n",
        encoding="utf-8",
    )
    engine = make(Library.load(tmp_path))
    engine.open("loan", {}, at=NOON, case_id="a")
    told.spans()
    engine.migrate("a", "v2", by="ops:7", at=NOON)
    engine.migrate_back("a", by="ops:7", at=NOON)
    there, back = told.spans()
    assert {span.name for span in (there, back)} == {"amends.migrate"}
    assert [span.attributes["amends.policy.version"] for span in (there, back)] == ["v2", "v1"]
    assert there.attributes["amends.step.input"] == "migrate"


# --- deliveries ---------------------------------------------------------------------------------------------------------


def test_a_handler_runs_within_the_span_of_its_delivery(
    told: Told, make: Callable[..., Any], library: Library
) -> None:
    engine = make(library, retries=Retries(attempts=2))
    engine.open("loan", {"account": IBAN}, at=NOON, case_id="a")
    engine.send("a", "return_late", {"days": 1}, by="reader", at=NOON)
    engine.send("a", "accept", by="desk", at=NOON)
    within: list[Any] = []

    def pay(_: Any) -> Settled:
        within.append(trace.get_current_span().get_span_context().span_id)
        if len(within) < 2:
            raise OSError(CONTACT)
        return Settled(reference="r")

    def fail(_: Any) -> None:
        raise OSError(CONTACT)

    engine.effect("payout")(pay)
    engine.effect("letter")(fail)
    told.spans()
    for hours in range(3):
        engine.deliver(NOON + hours * HOUR)
    spans = told.spans()
    made = [span for span in spans if span.name == "amends.deliver"]
    assert {
        (
            span.attributes["amends.effect.kind"],
            span.attributes["amends.delivery.attempt"],
            span.attributes["amends.delivery.outcome"],
        )
        for span in made
    } == {("payout", 1, "failed"), ("payout", 2, "done"), ("letter", 1, "failed"), ("letter", 2, "given_up")}
    payments = [span for span in made if span.attributes["amends.effect.kind"] == "payout"]
    assert within == [span.context.span_id for span in payments]
    assert {span.attributes["amends.delivery.key"] for span in payments} == {"a/deposit/all/1"}
    (settled,) = (span for span in spans if span.name == "amends.step")
    assert settled.attributes["amends.event.name"] == "deposit.settled"
    assert settled.parent.span_id == payments[-1].context.span_id
    assert told.numbers()["amends.deliveries", "given_up", "letter"] == 1
    assert told.numbers()["amends.deliveries", "done", "payout"] == 1
    assert not any(CONTACT in span.to_json() for span in spans)


# --- what goes wrong ----------------------------------------------------------------------------------------------------


class Racing(MemoryStore):
    """A store in which others are faster, so often."""

    times = 0

    def transact(self, work: Callable[[Any], Any], *, reads: bool = False) -> Any:
        def lost(transaction: Any) -> None:
            work(transaction)
            raise LostRace

        if not reads and self.times:
            self.times -= 1
            super().transact(lost)
        return super().transact(work, reads=reads)


def test_races_that_were_lost_are_counted_and_only_what_was_committed_is_told(
    told: Told, library: Library
) -> None:
    store = Racing()
    engine = Engine(library, store)
    store.times = 3
    engine.open("loan", {}, at=NOON, case_id="a")
    (span,) = told.spans()
    assert (span.attributes["amends.call.retries"], span.attributes["amends.call.steps"]) == (3, 1)
    store.times = TRIES
    with pytest.raises(Conflict):
        engine.send("a", "divide", by="desk", at=NOON)
    (span,) = told.spans()
    assert shape([span]) == [
        ("amends.send", {"amends.case.id": "a", "amends.call.retries": TRIES, "error.type": "Conflict"})
    ]
    store.times = TRIES
    with pytest.raises(Conflict):
        engine.run_due(NOON + 9 * DAY)
    (span,) = told.spans()
    assert (span.name, span.attributes["error.type"]) == ("amends.run_due", "Conflict")
    assert told.numbers()["amends.conflicts",] == 3 + 2 * TRIES
    assert told.numbers()["amends.steps", "loan", "v1", "open", "applied"] == 1
    assert len([name for name in told.numbers() if name[0] == "amends.steps"]) == 1


def test_an_exception_is_told_by_its_type_alone(told: Told, engine: Any) -> None:
    with pytest.raises(UnknownCase):
        engine.send(CONTACT, "divide", by="desk", at=NOON)
    with pytest.raises(Exception, match="is not"):
        engine.open("loan", {"fee": f"1 {CONTACT}"}, at=NOON)
    first, second = told.spans()
    assert shape([first]) == [("amends.send", {"amends.case.id": CONTACT, "error.type": "UnknownCase"})]
    assert shape([second]) == [("amends.open", {"error.type": "Misfit"})]
    for span in (first, second):
        assert (span.status.status_code, span.status.description) == (trace.StatusCode.ERROR, None)
        assert span.events == ()
    assert CONTACT not in second.to_json()


def test_cases_that_are_parked_are_counted(told: Told, library: Library) -> None:
    store = MemoryStore()
    Engine(library, store).open("loan", {}, at=NOON, case_id="a")
    store.transact(lambda transaction: transaction.bundles.clear())  # type: ignore[attr-defined]
    told.spans()
    assert Engine(Library(), store).run_due(NOON + 9 * DAY) == ()
    assert shape(told.spans()) == [("amends.run_due", {"amends.call.steps": 0})]
    assert told.numbers()["amends.parked_cases",] == 1


# --- numbers ------------------------------------------------------------------------------------------------------------


def test_steps_and_timers_are_counted_by_policy_and_verdict(told: Told, engine: Any) -> None:
    engine.open("loan", {}, at=NOON, case_id="a")
    engine.send("a", "accept", by="desk", at=NOON)
    engine.send("a", "divide", by="desk", at=NOON)
    (remind, _, _) = engine.run_due(NOON + 4 * DAY)
    engine.send("a", "take_back", by="desk", at=NOON + 4 * DAY, key="k")
    engine.send("a", "take_back", by="desk", at=NOON + 4 * DAY, key="k")
    numbers = told.numbers()
    assert {name[3:]: count for name, count in numbers.items() if name[0] == "amends.steps"} == {
        ("open", "applied"): 1,
        ("event", "refused"): 1,
        ("event", "applied"): 2,
        ("due", "applied"): 3,
    }
    assert numbers["amends.fired_timers", "loan", "v1"] == 3
    count, seconds = numbers["amends.timer.lateness", "loan", "v1"]
    assert count == 3
    assert seconds > (NOON + 4 * DAY - remind.input.fires_at).total_seconds() > 0


# --- what is never told -------------------------------------------------------------------------------------------------

WORDS = """
amends: 1
policy: words
version: v1
currency: EUR
roles: [user]
types: {colour: [red, blue]}
facts: {name: text, colour: colour, price: money}
events: {a: {by: user}, b: {by: user}, c: {by: user}, d: {by: user}, end: {by: user}}
states:
  one:
    initial: true
    on:
      a: {decision: plain_code}
      b: {decision: =name}
      c: {decision: =colour}
      d: {decision: '={"x": name}'}
      end: two
  two: {final: true}
"""


def test_a_decision_is_told_where_the_policy_writes_it_and_not_where_it_is_made_of_facts(
    told: Told, tmp_path: Path
) -> None:
    (tmp_path / "words.yaml").write_text(WORDS, encoding="utf-8")
    engine = Engine(Library.load(tmp_path))
    engine.open("words", {"name": "Ann", "colour": "red", "price": "77.77"}, at=NOON, case_id="w")
    for event in "abcd":
        engine.send("w", event, by="user:ann", at=NOON)
    spans = told.spans()
    assert [span.attributes.get("amends.step.decision") for span in spans] == [
        None,
        "plain_code",
        None,
        "red",
        None,
    ]
    for span in spans:
        assert not any(text in span.to_json() for text in ("Ann", "ann", "77.77"))


def test_no_fact_and_no_actor_is_told(told: Told, engine: Any) -> None:
    engine.open("loan", {"account": IBAN, "fee": "77.77"}, at=NOON, case_id="a", key="open-key")
    engine.send("a", "return_late", {"days": 4711, "contact": CONTACT}, by="reader:ann", at=NOON, key="e-key")
    engine.send("a", "accept", {"undeclared": IBAN}, by="desk:bob", at=NOON)
    engine.send("a", "accept", by="desk:bob", at=NOON)
    engine.effect("*")(lambda _: None)
    engine.deliver(NOON)
    whole = json.dumps([span.to_json() for span in told.spans()]) + str(told.numbers())
    for text in (IBAN, CONTACT, "77.77", "4711", "ann", "bob", "undeclared", "open-key", "e-key"):
        assert text not in whole


def test_a_trace_that_is_not_sampled_is_not_told_and_still_counted(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told(ALWAYS_OFF)
    monkeypatch.setattr(watching, "instruments", lambda: told.instruments)
    engine = Engine(library)
    engine.open("loan", {}, at=NOON, case_id="a")
    engine.run_due(NOON + 9 * DAY)
    assert told.spans() == []
    assert told.numbers()["amends.fired_timers", "loan", "v1"] == 3


# --- whose cost it is ---------------------------------------------------------------------------------------------------

PROGRAM = """
import sys
from datetime import UTC, datetime, timedelta
BEFORE
from amends import Engine, Library
noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
with Engine(Library.load("tests/store/policies.yaml"), sys.argv[1]) as engine:
    engine.effect("*")(lambda _: None)
    engine.open("loan", {}, at=noon, case_id="a")
    engine.send("a", "accept", by="desk", at=noon)
    engine.run_due(noon + timedelta(days=9))
    engine.deliver(noon + timedelta(days=9))
AFTER
"""


def ran(root: Path, url: str, before: str, after: str) -> str:
    """Run a host in a process of its own, and return what it prints."""
    program = PROGRAM.replace("BEFORE", before).replace("AFTER", after)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, url],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_process_that_has_set_nothing_up_imports_nothing_of_it(root: Path, sqlite: str) -> None:
    found = ran(root, sqlite, "", "print([name for name in sys.modules if name.startswith('opentelemetry')])")
    assert found == "[]\n"


def test_a_process_needs_not_have_it_installed(root: Path, sqlite: str) -> None:
    assert ran(root, sqlite, "sys.modules['opentelemetry'] = None", "print('done')") == "done\n"


def test_what_a_process_sets_up_is_found_even_after_the_engine_was_made(root: Path, sqlite: str) -> None:
    after = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
with Engine(Library.load("tests/store/policies.yaml"), sys.argv[1]) as engine:
    engine.open("loan", {}, at=noon, case_id="b")
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    engine.open("loan", {}, at=noon, case_id="c")
(span,) = exporter.get_finished_spans()
print(span.name, span.attributes["amends.case.id"], span.instrumentation_scope.name)
"""
    assert ran(root, sqlite, "", after) == "amends.open c amends\n"
