"""The names of spans, attributes and metrics, and what they are given to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from ..version import VERSION

if TYPE_CHECKING:
    from opentelemetry.metrics import Counter, Histogram, Meter
    from opentelemetry.trace import Tracer

#: Name of the instrumentation, and first part of the name of a call's span.
SCOPE: Final = "amends"
#: Spans of a step within a call that made several, and of a delivery.
STEP: Final = "amends.step"
DELIVER: Final = "amends.deliver"

# Attributes.
CASE: Final = "amends.case.id"
POLICY: Final = "amends.policy.name"
POLICY_VERSION: Final = "amends.policy.version"
SEQ: Final = "amends.step.seq"
INPUT: Final = "amends.step.input"
VERDICT: Final = "amends.step.verdict"
DECISION: Final = "amends.step.decision"
REASON: Final = "amends.step.reason"
MOVES: Final = "amends.step.moves"
EVENT: Final = "amends.event.name"
TIMER: Final = "amends.timer.id"
LATENESS: Final = "amends.timer.lateness"
REPEATED: Final = "amends.call.repeated"
RETRIES: Final = "amends.call.retries"
STEPS: Final = "amends.call.steps"
KIND: Final = "amends.effect.kind"
KEY: Final = "amends.delivery.key"
ATTEMPT: Final = "amends.delivery.attempt"
OUTCOME: Final = "amends.delivery.outcome"
ERROR: Final = "error.type"

#: Seconds: a timer that a worker fires is late by moments, one that waited for a worker by hours.
_LATENESS_BUCKETS: Final = (1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400, 604_800)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruments:
    """What spans and numbers are given to."""

    tracer: Tracer
    steps: Counter
    fired: Counter
    lateness: Histogram
    deliveries: Counter
    conflicts: Counter
    parked: Counter


@cache
def instruments() -> Instruments:
    """Return what this process has set up, also where it does so later: until then they do nothing."""
    from opentelemetry import metrics, trace  # noqa: PLC0415 - only a process that has it already comes here

    return instruments_of(trace.get_tracer(SCOPE, VERSION), metrics.get_meter(SCOPE, VERSION))


def instruments_of(tracer: Tracer, meter: Meter) -> Instruments:
    """Return the instruments of a tracer and a meter."""
    return Instruments(
        tracer=tracer,
        steps=meter.create_counter("amends.steps", "{step}", "Steps that were kept."),
        fired=meter.create_counter("amends.fired_timers", "{timer}", "Timers that fired."),
        lateness=meter.create_histogram(
            "amends.timer.lateness",
            "s",
            "How long after its instant a timer fired.",
            explicit_bucket_boundaries_advisory=_LATENESS_BUCKETS,
        ),
        deliveries=meter.create_counter("amends.deliveries", "{delivery}", "Deliveries that were made."),
        conflicts=meter.create_counter(
            "amends.conflicts", "{conflict}", "Tries of a call that others were faster than."
        ),
        parked=meter.create_counter(
            "amends.parked_cases", "{case}", "Cases whose timers could not be fired."
        ),
    )
