"""Calls that are watched, each by a span, and counted by what they committed."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final, Literal, Self, cast

from ..case import Case
from ..durable.session import Policies
from ..step import Due
from ..store.protocol import Delivery, Result, Saved, Transaction, Work, Written
from .instruments import (
    ATTEMPT,
    CASE,
    DELIVER,
    ERROR,
    KEY,
    KIND,
    OUTCOME,
    POLICY,
    POLICY_VERSION,
    REPEATED,
    RETRIES,
    SCOPE,
    STEP,
    STEPS,
    Instruments,
    instruments,
)
from .telling import Teller, Telling, kind_of, lateness

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

#: The calls that have a span of their own.
Call = Literal["open", "send", "migrate", "run_due"]

_OUTCOMES: Final = {"done": "done", "waiting": "failed", "dead": "given_up"}


class Watch:
    """A call that nobody watches."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _type: object, _error: BaseException | None, _trace: object) -> None:
        pass

    def noting(self, work: Work[Result]) -> Work[Result]:
        """Return work of which is noted what it writes."""
        return work

    def lost(self) -> None:
        """Note that others were faster, and that the call is tried again."""

    def done(self, result: Result) -> Result:
        """Tell what was committed, and return the result."""
        return result

    def delivered(self, delivery: Delivery) -> Delivery:
        """Tell what became of a delivery, and return it."""
        return delivery


#: The one watch of all calls that nobody watches.
UNWATCHED: Final = Watch()


class Telemetry:
    """Watches the calls of one engine.

    Args:
        policies: those that its cases are pinned to.
    """

    def __init__(self, policies: Policies) -> None:
        self._teller = Teller(policies)

    def watch(self, call: Call | None = None, case_id: str | None = None) -> Watch:
        """Return what watches a call.

        Args:
            call: what its span is named after; None for what has no span.
            case_id: of the case, if it is about one event of one.
        """
        return _Call(instruments(), self._teller, call, case_id) if _is_set_up() else UNWATCHED

    def deliver(self, delivery: Delivery) -> Watch:
        """Return what watches a delivery."""
        return _Delivering(instruments(), delivery) if _is_set_up() else UNWATCHED


def _is_set_up() -> bool:
    """Return whether this process can have set anything up; it is never imported on our account."""
    return "opentelemetry.trace" in sys.modules or "opentelemetry.metrics" in sys.modules


class _Noted:
    """A transaction of which is noted what it writes of cases."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self.written: list[Written] = []
        self.parked = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transaction, name)

    def save(self, saved: Sequence[Saved]) -> None:
        self._transaction.save(saved)
        self.written += (written for one in saved for written in one.written)

    def park(self, case_id: str, why: str | None) -> None:
        self._transaction.park(case_id, why)
        self.parked += why is not None


class _Call(Watch):
    """A call that is watched: its span, and what its last try has written."""

    def __init__(self, to: Instruments, telling: Telling, call: Call | None, case_id: str | None) -> None:
        self._to = to
        self._telling = telling
        self._name = f"{SCOPE}.{call}"
        self._is_single = case_id is not None or call == "open"
        self._is_batch = call == "run_due"
        self._noted: _Noted | None = None
        self._retries = 0
        self._began = time.time_ns()
        self._span: Span | None = None
        self._scope: AbstractContextManager[Span] | None = None
        # Whoever asks whether anything is due, and hears that nothing is, leaves no span: a worker does so every second.
        if call is not None and not self._is_batch:
            self._scope = _scope(to.tracer, self._name, {} if case_id is None else {CASE: case_id})

    def __enter__(self) -> Self:
        if self._scope is not None:
            self._span = self._scope.__enter__()
        return self

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if self._is_batch and error is not None:
            self._begin()
        if self._span is not None:
            if self._retries:
                self._span.set_attribute(RETRIES, self._retries)
            _fail(self._span, error)
        if self._scope is not None:
            self._scope.__exit__(None, None, None)
        elif self._span is not None:
            self._span.end()

    def _begin(self) -> None:
        self._span = self._to.tracer.start_span(self._name, start_time=self._began)

    def noting(self, work: Work[Result]) -> Work[Result]:
        def noted(transaction: Transaction) -> Result:
            self._noted = _Noted(transaction)
            return work(cast("Transaction", self._noted))

        return noted

    def lost(self) -> None:
        self._retries += 1
        self._to.conflicts.add(1)

    def done(self, result: Result) -> Result:
        if (noted := self._noted) is None:
            return result
        _count(self._to, noted)
        if self._is_batch and (noted.written or noted.parked):
            self._begin()
        if self._span is None:
            # What a delivery brought about is told within the span of the delivery.
            self._tell(noted.written)
        elif self._span.is_recording():
            self._describe(self._span, noted.written, result)
        return result

    def _describe(self, span: Span, written: Sequence[Written], result: object) -> None:
        """Tell of the case's last step on the span of a call that is about one case, and of others in spans within it."""
        span.set_attribute(STEPS, len(written))
        if isinstance(result, Case):
            span.set_attribute(CASE, result.id)
        if self._is_single and written:
            *written, last = written
            span.set_attributes(self._telling(last))
        elif self._is_single:
            span.set_attribute(REPEATED, value=True)
        self._tell(written, span)

    def _tell(self, written: Sequence[Written], within: Span | None = None) -> None:
        """Tell of steps in spans of their own."""
        if not written:
            return
        from opentelemetry.trace import set_span_in_context  # noqa: PLC0415 - only who has it already comes here

        context = None if within is None else set_span_in_context(within)
        for one in written:
            self._to.tracer.start_span(STEP, context, attributes=self._telling(one)).end()


class _Delivering(Watch):
    """A delivery that is watched: the handler runs within its span."""

    def __init__(self, to: Instruments, delivery: Delivery) -> None:
        known = {
            CASE: delivery.case_id,
            KIND: delivery.effect.kind,
            KEY: delivery.key,
            ATTEMPT: delivery.attempts,
        }
        self._to = to
        self._scope = _scope(to.tracer, DELIVER, known)
        self._span: Span | None = None

    def __enter__(self) -> Self:
        self._span = self._scope.__enter__()
        return self

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if self._span is not None:
            _fail(self._span, error)
        self._scope.__exit__(None, None, None)

    def delivered(self, delivery: Delivery) -> Delivery:
        outcome = _OUTCOMES[delivery.state]
        self._to.deliveries.add(1, {KIND: delivery.effect.kind, OUTCOME: outcome})
        if self._span is not None:
            self._span.set_attribute(OUTCOME, outcome)
        return delivery


def _count(to: Instruments, noted: _Noted) -> None:
    """Count what was committed."""
    for kind, count in Counter(tuple(kind_of(one).items()) for one in noted.written).items():
        to.steps.add(count, dict(kind))
    for one in noted.written:
        if isinstance(one.step.input, Due):
            of = {POLICY: one.case.policy.name, POLICY_VERSION: one.case.policy.version}
            to.fired.add(1, of)
            to.lateness.record(lateness(one.step.input), of)
    if noted.parked:
        to.parked.add(noted.parked)


def _scope(tracer: Tracer, name: str, known: dict[str, Any]) -> AbstractContextManager[Span]:
    # What an exception says may quote a fact: only its type is told, by `_fail`.
    return tracer.start_as_current_span(
        name, attributes=known, record_exception=False, set_status_on_exception=False
    )


def _fail(span: Span, error: BaseException | None) -> None:
    """Tell of which type the exception is that ended a call, if one did."""
    if error is None:
        return
    from opentelemetry.trace import StatusCode  # noqa: PLC0415 - as above

    span.set_status(StatusCode.ERROR)
    span.set_attribute(ERROR, type(error).__qualname__)
