"""Which sources stand behind a step: those of the rule that was taken or refused, and of all that it was computed from.

A journal keeps the names that the rules cite themselves. What a rule is computed from (a window, its moment, the param
that the moment counts) is in the policy, and is followed here, so that an old journal is explained as well as a new one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..expression import Checked
from ..expression.tree import path_of, sources
from ..policy import Candidate, CompiledPolicy
from ..rules.compiled_moment import Choice, CompiledMoment, Computed, Named
from ..rules.condition import Computed as TermComputed
from ..rules.condition import leaves
from ..source import Source
from ..step import Due, Event, Step
from ..table import TermLike


def cited(policy: CompiledPolicy, step: Step, rule: str | None) -> tuple[Source, ...]:
    """Return the sources of a step, those that its rule cites first; what the policy does not describe is left out.

    Args:
        policy: that made the step.
        step: as it was made.
        rule: the id of the rule that the step is about, if it is about one.
    """
    names = list(() if step.reason is None else step.reason.sources)
    names += [name for trace in step.trace if trace.rule == rule for name in trace.sources]
    names += _behind(policy, _read(policy, step, rule))
    names += _of_clock(policy, step)
    return tuple(policy.sources[name] for name in dict.fromkeys(names) if name in policy.sources)


def _read(policy: CompiledPolicy, step: Step, rule: str | None) -> Iterator[str]:
    """Yield the names that the rule of a step reads: a window's own, or those of a candidate's conditions."""
    kind, _, name = (rule or "").partition(".")
    if kind == "windows":
        yield name
    for candidate in _candidates(policy, step):
        if candidate.id == rule:
            for leaf in leaves(candidate.condition):
                yield from _names(leaf.checked)
    for trace in step.trace:
        kind, _, path = trace.rule.partition(".")
        table, _, hit = path.partition(".")
        if kind == "tables" and table in policy.tables:
            for found in policy.tables[table].rules:
                if found.id == hit:
                    for term in found.then:
                        yield from _output(term)


def _output(term: TermLike | None) -> Iterator[str]:
    match term:
        case CompiledMoment():
            yield from _moment(term)
        case TermComputed(checked=checked):
            yield from _names(checked)


def _candidates(policy: CompiledPolicy, step: Step) -> Iterator[Candidate]:
    """Yield what a step may have chosen from: what listens to its event, and what happens by itself."""
    event = step.input.name if isinstance(step.input, Event) else None
    for leg in policy.legs:
        for state in leg.states.values():
            yield from state.on.get(event or "", ())
            yield from state.always
    yield from (escalation.candidate for escalation in policy.escalations)


def _of_clock(policy: CompiledPolicy, step: Step) -> Iterator[str]:
    """Yield the sources of the clock that ran out, or was reminded of."""
    if not isinstance(step.input, Due):
        return
    _, _, name = step.input.timer.partition(":")
    rule = policy.clocks.get(name)
    if rule is not None:
        yield from rule.sources
        yield from _behind(policy, _moment(rule.due))


def _behind(policy: CompiledPolicy, names: Iterable[str]) -> Iterator[str]:
    """Yield the sources of windows and params that names lead to, through moments and defines."""
    waiting, seen = list(names), set[str]()
    while waiting:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        yield from policy.param_sources.get(name, ())
        if name in policy.windows:
            window = policy.windows[name]
            yield from window.sources
            ends = (end for end in (window.opens, window.closes) if end)
            waiting = [*(read for end in ends for read in _moment(end)), *waiting]
        elif name in policy.moments:
            waiting = [*_moment(policy.moments[name]), *waiting]
        elif name in policy.defines:
            waiting = [*_names(policy.defines[name]), *waiting]


def _moment(moment: CompiledMoment) -> Iterator[str]:
    """Yield the names that a moment reads."""
    match moment.base:
        case Named(name=name):
            yield name
        case Computed(checked=checked):
            yield from _names(checked)
        case Choice(parts=parts):
            for part in parts:
                yield from _moment(part.moment)
    for step in moment.steps:
        if isinstance(step.period, Checked):
            yield from _names(step.period)


def _names(checked: Checked) -> Iterator[str]:
    """Yield the names that an expression reads."""
    return (path_of(read).partition(".")[0] for read in sources(checked.root))
