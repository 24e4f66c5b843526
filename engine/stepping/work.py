"""The working copy of a case during one step: what expressions see, and what the step has done so far.

A step that fails throws its working copy away; nothing here outlives `decide`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from typing import Any
from weakref import proxy
from zoneinfo import ZoneInfo

from ..calendar import Calendar, zone
from ..case import Case, Clock, Payout, Reason
from ..errors import RuleError
from ..expression import Env, Known, discreet, evaluate
from ..expression.frame import missing_among
from ..moment import CompiledMoment, Finished, closing, evaluate_moment, opening
from ..money import Money
from ..policy import CompiledPolicy, WindowRule
from ..rules.condition import Computed, Term, worth
from ..step import Effect, Move, Trace
from ..table import TableResult, look_up
from ..values import Sealed, Unknown, Value, Window, in_currency, in_minor_units, in_order
from .asking import Asking, ask_lookup, ask_taken


class MissingFacts(RuleError):  # noqa: N818 - it says what is so
    """A value is demanded that facts still missing would give."""

    def __init__(self, missing: frozenset[str]) -> None:
        super().__init__("missing: " + ", ".join(sorted(missing)))
        self.missing = missing


class Work:
    """What a step reads and writes. It is the environment of every expression evaluated in the step."""

    def __init__(
        self, policy: CompiledPolicy, case: Case, now: datetime, asking: Asking | None = None
    ) -> None:
        self.policy = policy
        self.case = case
        #: The step's instant, which `now` leaves where the future is looked at.
        self.at = now
        #: Answers about other cases; None outside of a step, where they are unknown.
        self.asking = asking
        self.zone: ZoneInfo = zone(case.timezone)
        self.currency = case.currency
        self.legs: dict[str, str] = dict(case.legs)
        self.facts: dict[str, Value] = dict(case.facts)
        self.clocks: dict[str, Clock] = dict(case.clocks)
        self.payouts: dict[str, Payout] = dict(case.payouts)
        #: Of each balance that it takes from: what those who share it have in common.
        self.sharing: dict[str, Value] = {name: share.of for name, share in case.takes.items()}
        self.moves: list[Move] = []
        self.effects: list[Effect] = []
        self.trace: list[Trace] = []
        self.decision: Value = None
        self.reason: Reason | None = None
        #: Events of payouts that this step has raised and not yet offered to the legs.
        self.raised: list[str] = []
        #: Paths in the journal entry at which sensitive values stand.
        self.sensitive_paths: list[str] = []
        self._arriving: dict[str, Value] = {}
        self._now = now
        #: What is known of declared names, until something changes that they may depend on.
        self.known = Known(proxy(self))
        self._finished: dict[str, Finished | Unknown] = {}

    # --- what expressions see -----------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """The instant that the rules see."""
        return self._now

    @now.setter
    def now(self, instant: datetime) -> None:
        self._now = instant
        self.changed()

    def changed(self) -> None:
        """Forget what was computed, for something it may depend on has changed."""
        self.known.clear()
        self._finished.clear()

    def value(self, name: str) -> Value:
        """Return the value of a declared name, or Unknown."""
        known = self.known
        if name not in known:
            known[name] = self._compute(name)
        return known[name]

    def call(self, name: str, arguments: tuple[Value, ...]) -> Value:
        """Return the value of a table with parameters."""
        return self._noted(name, look_up(self.policy.tables[name], self, arguments))

    def calendar(self, name: str) -> Calendar | Unknown:
        """Return a declared calendar; where an expression chooses it, the one that it names."""
        named = [name]
        reads: frozenset[str] = frozenset()
        while (found := self.policy.calendars.get(named[-1])) is not None:
            if isinstance(found, Calendar):
                return found
            reads |= found.reads
            chosen = evaluate(found, self)
            if isinstance(chosen, Unknown):
                return chosen
            if chosen in named:
                problem = f"the calendar `{name}` is chosen by itself: {' → '.join([*named, chosen])}"
                break
            named.append(chosen)
        else:
            problem = f"there is no calendar `{named[-1]}`"
        raise discreet(RuleError(problem), reads, self)

    def finished(self, name: str) -> Finished | Unknown:
        """Return a declared moment."""
        if name not in self._finished:
            self._finished[name] = evaluate_moment(self.policy.moments[name], self)
        return self._finished[name]

    def _compute(self, name: str) -> Value:
        policy = self.policy
        if name in self._arriving:
            return self._arriving[name]
        if name in policy.facts or name in policy.records:
            found = self.facts.get(name)
            return Unknown(frozenset({name})) if found is None or isinstance(found, Sealed) else found
        if name in policy.params:
            return policy.params[name]
        if name in policy.defines:
            return evaluate(policy.defines[name], self)
        if name in policy.windows:
            return self.window(policy.windows[name])
        if name in policy.moments:
            moment = self.finished(name)
            return moment if isinstance(moment, Unknown) else moment.at
        if name in policy.tables:
            return self._noted(name, look_up(policy.tables[name], self))
        if name in policy.payouts:
            return self.payout_record(name)
        if name in policy.lookups:
            return self.lookup(name)
        if name in policy.balances:
            return self.balance(name)
        if (leg := next((leg for leg in policy.legs if leg.name == name), None)) is not None:
            # Before the opening it is asked by defaults: every leg will stand in its initial state.
            return {"state": self.legs.get(name, leg.initial)}
        raise RuleError(f"nothing is declared as `{name}`")

    def window(self, rule: WindowRule) -> Window:
        """Return a declared window as it stands now."""

        def end(moment: CompiledMoment | None, *, opens: bool) -> datetime | Unknown | None:
            if moment is None:
                return None
            found = evaluate_moment(moment, self)
            if isinstance(found, Unknown):
                return found
            return opening(found) if opens else closing(found)

        return Window(
            opens=end(rule.opens, opens=True),
            closes=end(rule.closes, opens=False),
            early=rule.early,
            late=rule.late,
        )

    def payout_record(self, name: str) -> dict[str, Value]:
        """Return what `name.state`, `.granted`, `.paid` and `.route` are worth."""
        payout = self.payouts.get(name)
        zero = Money(Fraction(0), self.currency or "")
        if payout is None:
            return {"state": "none", "granted": zero, "paid": zero}
        record: dict[str, Value] = {"state": payout.state, "granted": payout.granted, "paid": payout.paid}
        vias = [part.via for part in payout.parts if part.via]
        return {**record, "route": vias[0]} if vias else record

    def lookup(self, name: str) -> Value:
        """Return the value of a lookup: the same throughout a step, for it looks back from the step's instant."""
        if self.asking is None:
            return Unknown(frozenset({name}))
        return ask_lookup(self.policy.lookups[name], self.asking, self, self.at, self.currency)

    def balance(self, name: str) -> Value:
        """Return what `name.limit`, `.taken` and `.left` are worth, or Unknown while a fact is missing."""
        rule = self.policy.balances[name]
        if self.asking is None:
            return Unknown(frozenset({name}))
        of, limit = self.shared(name), evaluate(rule.limit, self)
        if (missing := missing_among((of, limit))) is not None:
            return missing
        taken = sum(ask_taken(rule, of, self.asking, self.currency), self.taken(name))
        left = limit - taken
        return {"limit": limit, "taken": taken, "left": left if left.amount > 0 else left.times(0)}

    def shared(self, balance: str) -> Value:
        """Return what those have in common who share a balance: once this case takes from it, that stays what it was."""
        return self.sharing.get(balance, self.value(self.policy.balances[balance].of))

    def taken(self, balance: str) -> Money:
        """Return what this case has taken of a balance so far."""
        rules = self.policy.payouts
        found = [p.taken for name, p in self.payouts.items() if balance in dict(rules[name].balances)]
        return sum(found, Money(Fraction(0), self.currency or ""))

    def _noted(self, name: str, result: TableResult) -> Value:
        if result.rule is not None:
            rule = f"tables.{name}.{result.rule}"
            entry = Trace(rule=rule, result="holds", sources=result.sources)
            if entry not in self.trace:
                self.trace.append(entry)
        return result.value

    # --- values that are demanded -------------------------------------------------------------------------------------

    def demand(self, term: Term, env: Env | None = None) -> Value:
        """Return the value of a term, where it stands among names of its own in their environment.

        Raises:
            MissingFacts: it is unknown.
            RuleError: its expression failed.
        """
        value = worth(term, env or self)
        if isinstance(value, Unknown):
            raise MissingFacts(value.missing)
        return value

    def stored(self, term: Term) -> Value:
        """Return the value of a term as a case keeps it and the host is told it: money that was computed is rounded here.

        Raises:
            MissingFacts: it is unknown.
            RuleError: its expression failed.
        """
        value = in_currency(self.demand(term), self.currency)
        return in_order(in_minor_units(value, self.policy.rounding) if isinstance(term, Computed) else value)

    def told(self) -> Reason | None:
        """Return the reason that the step stated last, with the values that its sentence speaks of as the step left them."""
        reason = self.reason
        return reason and replace(self.because(reason.code, reason.rule), sources=reason.sources)

    def because(self, code: str, rule: str | None, sources: tuple[str, ...] = ()) -> Reason:
        """Return a reason with the values that its sentence speaks of, as they are now."""
        values: dict[str, Value] = {}
        text = self.policy.reasons.get(code)
        for insert, checked in text.inserts if text else ():
            try:
                value = in_currency(evaluate(checked, self), self.currency)
                values[insert] = in_minor_units(value, self.policy.rounding)
            except RuleError as error:
                values[insert] = str(error)
        hits = {source for entry in self.trace if entry.result == "holds" for source in entry.sources}
        return Reason(
            code=code, rule=rule, sources=tuple(dict.fromkeys([*sources, *sorted(hits)])), values=values
        )

    def is_sensitive(self, path: str) -> bool:
        """Return whether a path is, holds or lies within a sensitive value."""
        return any(
            path == secret or secret.startswith(path + ".") or path.startswith(secret + ".")
            for secret in self.policy.sensitive
        )

    def tells_sensitive(self, path: str) -> bool:
        """Return whether what a path is worth may be made of a sensitive value, through whatever it is computed from."""
        policy = self.policy
        if not policy.sensitive:
            return False
        name = path.partition(".")[0]
        reads: set[str] = {path}
        if name in policy.defines:
            reads |= policy.defines[name].reads
        elif name in policy.tables:
            reads |= policy.tables[name].reads
        elif name in policy.moments:
            reads |= policy.moments[name].reads
        elif name in policy.balances:
            reads |= policy.balances[name].limit.reads
        elif name in policy.windows:
            rule = policy.windows[name]
            reads |= {read for end in (rule.opens, rule.closes) if end for read in end.reads}
        return any(self.is_sensitive(read) for read in reads)

    # --- what a step does ---------------------------------------------------------------------------------------------

    def arrive(self, names: Mapping[str, Any]) -> None:
        """Let the rules see the records of an event that is being judged."""
        self._arriving = dict(names)
        self.changed()

    def keep(self) -> None:
        """Store the records of the event that arrived, for it was accepted."""
        self.facts.update(self._arriving)
        self._arriving = {}
        self.changed()

    def ask(
        self, kind: str, data: Mapping[str, Value], *, key: str | None = None, sensitive: tuple[str, ...] = ()
    ) -> None:
        """Ask the host for an effect; `sensitive` are paths in its data."""
        index = len(self.effects)
        self.sensitive_paths.extend(f"effects/{index}/data/{path}" for path in sensitive)
        default = f"{self.case.id}/{self.case.seq + 1}/{index}"
        self.effects.append(Effect(key=key or default, kind=kind, data=data))

    def reads_sensitive(self, term: Term) -> bool:
        """Return whether the value of a term comes from a sensitive one."""
        return isinstance(term, Computed) and any(self.is_sensitive(path) for path in term.checked.reads)
