"""Decision tables: their records, and looking one up.

A rule holds, does not, or is unknown because facts are missing; the hit policy says what a table makes of that. What is
known while facts are missing stays so whatever they turn out to be, and an outcome that would fail agrees with none.
Spec: docs/language.md, "Tables".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Final, Literal, get_args
from zoneinfo import ZoneInfo

from .calendar import Calendar
from .diagnostics import Place
from .errors import RuleError
from .expression import Checked, evaluate, tells_sensitive
from .expression.functions import summing
from .moment import CompiledMoment, Finished, MomentEnv, evaluate_moment
from .rules.cell import Cell, matches, precedes
from .rules.condition import Condition, Term, holds, worth
from .types import Type
from .values import Unknown, Value

Hit = Literal[
    "first",
    "unique",
    "any",
    "priority",
    "collect",
    "collect sum",
    "collect min",
    "collect max",
    "collect count",
]
HITS: Final[tuple[Hit, ...]] = get_args(Hit)

#: What a result calls the rule when none holds.
OTHERWISE: Final = "otherwise"

#: What gives one output.
TermLike = Term | CompiledMoment


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledRule:
    """One rule. In a table with inputs it has a cell an input, else a condition (None always holds)."""

    id: str
    place: Place
    cells: tuple[Cell, ...] = ()
    condition: Condition | None = None
    #: One an output; None leaves an optional output out.
    then: tuple[TermLike | None, ...]
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledTable:
    """A table that can be looked up."""

    name: str
    hit: Hit
    #: Of a table that is a function: names and types, in order.
    parameters: tuple[tuple[str, Type], ...]
    inputs: tuple[Checked, ...]
    outputs: tuple[tuple[str, Type], ...]
    #: Whether the value is the one output, rather than a record of them.
    single: bool
    #: Of the value.
    type: Type
    #: In the order in which they are tried: as written, or with `hit: priority` the highest first.
    rules: tuple[CompiledRule, ...]
    otherwise: tuple[TermLike | None, ...] | None
    sources: tuple[str, ...]
    place: Place
    #: Paths that it reads, the values of its parameters apart.
    reads: frozenset[str]
    #: Optional paths whose absence can make it unknown; of several outputs, those that can leave open which rule hits.
    may_miss: frozenset[str]
    #: Of several outputs: by output, the optional paths whose absence can make that one unknown besides.
    outputs_may_miss: Mapping[str, frozenset[str]] = field(default_factory=dict, hash=False)
    #: The params that its cells, inputs and outputs name, with their values: constants, as far as checks are concerned.
    params: Mapping[str, Value] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableResult:
    """What a look-up gave."""

    #: Unknown while facts that matter are missing.
    value: Value
    #: The rules it comes from: one, `otherwise`, or all that were collected. Empty while it is unknown.
    rules: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    @property
    def rule(self) -> str | None:
        """The rule that hit, or None while none is known to; collected rules are joined by commas."""
        return ", ".join(self.rules) or None


@dataclass(frozen=True, slots=True)
class Inside:
    """The environment of what has names of its own, such as a called table its parameters: they, then the names outside."""

    outside: MomentEnv
    arguments: Mapping[str, Value]

    @property
    def now(self) -> datetime:
        """The step's instant."""
        return self.outside.now

    @property
    def zone(self) -> ZoneInfo:
        """The case's zone."""
        return self.outside.zone

    def tells_sensitive(self, path: str) -> bool:
        """Return whether what a path outside is worth may be made of a sensitive value."""
        return tells_sensitive(self.outside, path)

    def value(self, name: str) -> Value:
        """Return the value of a parameter, or of a name outside."""
        return self.arguments[name] if name in self.arguments else self.outside.value(name)

    def call(self, name: str, arguments: tuple[Value, ...]) -> Value:
        """Return what another table gives, which sees no parameters of this one."""
        return self.outside.call(name, arguments)

    def calendar(self, name: str) -> Calendar | Unknown:
        """Return a declared calendar."""
        return self.outside.calendar(name)

    def finished(self, name: str) -> Finished | Unknown:
        """Return a declared moment."""
        return self.outside.finished(name)


def look_up(table: CompiledTable, env: MomentEnv, arguments: Sequence[Value] = ()) -> TableResult:
    """Return what a table gives in a case.

    Args:
        table: a table without findings.
        env: the values of the case.
        arguments: the values of the parameters, in order.
    Raises:
        RuleError: an expression failed, no rule holds and there is no `otherwise`, or rules hold that may not together.
    """
    if table.parameters:
        names = (name for name, _ in table.parameters)
        env = Inside(env, dict(zip(names, arguments, strict=True)))
    inputs = [_input(checked, env) for checked in table.inputs]
    if table.hit in {"first", "priority"}:
        return _first(table, inputs, env)
    holding: list[CompiledRule] = []
    doubtful: list[CompiledRule] = []
    missing = Unknown()
    for rule in table.rules:
        found = _holds(rule, inputs, env)
        if isinstance(found, Unknown):
            doubtful.append(rule)
            missing |= found
        elif found:
            holding.append(rule)
    match table.hit:
        case "unique":
            return _unique(table, holding, doubtful, missing, env)
        case "any":
            return _any(table, holding, doubtful, missing, env)
        case _:
            return TableResult(value=missing) if doubtful else _collect(table, holding, env)


# --- does a rule hold? ------------------------------------------------------------------------------------------------


def _input(checked: Checked, env: MomentEnv) -> Value | RuleError:
    """Return an input, or why it failed: that matters only to rules whose cell looks at it."""
    try:
        return evaluate(checked, env)
    except RuleError as error:
        return error


def _holds(rule: CompiledRule, inputs: Sequence[Value | RuleError], env: MomentEnv) -> bool | Unknown:
    """Return whether a rule holds: decided by a false cell, and unknown outweighs a failure, as in `all`."""
    if not inputs:
        return holds(rule.condition, env)
    unknown: Unknown | None = None
    failed: RuleError | None = None
    for cell, value in zip(rule.cells, inputs, strict=True):
        if cell.anything:
            continue
        try:
            if isinstance(value, RuleError):
                raise value
            found = matches(cell, value)
        except RuleError as error:
            failed = failed or error
            continue
        if isinstance(found, Unknown):
            unknown = unknown | found if unknown else found
        elif not found:
            return False
    if unknown:
        return unknown
    if failed:
        raise failed
    return True


# --- what the table makes of it ---------------------------------------------------------------------------------------


def _first(table: CompiledTable, inputs: Sequence[Value | RuleError], env: MomentEnv) -> TableResult:
    """Give the first rule that holds, if none before it may.

    With `priority` a doubt that makes no difference is none: rules of one rank give the same output.
    """
    doubtful: list[CompiledRule] = []
    missing = Unknown()
    hit = None
    for rule in table.rules:
        try:
            found = _holds(rule, inputs, env)
        except RuleError:
            if not doubtful:
                raise
            # Whether it is ever asked, the missing facts decide.
            return TableResult(value=missing)
        if isinstance(found, Unknown):
            doubtful.append(rule)
            missing |= found
        elif found:
            hit = rule
            break
    if not doubtful:
        return _give(table, hit, env)
    agreed = _agreed(table, [hit, *doubtful], env) if table.hit == "priority" else None
    return agreed or TableResult(value=missing)


def _unique(
    table: CompiledTable,
    holding: Sequence[CompiledRule],
    doubtful: Sequence[CompiledRule],
    missing: Unknown,
    env: MomentEnv,
) -> TableResult:
    if len(holding) > 1:
        raise RuleError(f"two rules of `{table.name}` hold: `{holding[0].id}` and `{holding[1].id}`")
    if not doubtful:
        return _give(table, holding[0] if holding else None, env)
    # Cells are known never to overlap (AM402), conditions are not: two of them may yet hold.
    may_fail = bool(holding) or (len(doubtful) > 1 and not table.inputs)
    agreed = None if may_fail else _agreed(table, [None, *doubtful], env)
    return agreed or TableResult(value=missing)


def _any(
    table: CompiledTable,
    holding: Sequence[CompiledRule],
    doubtful: Sequence[CompiledRule],
    missing: Unknown,
    env: MomentEnv,
) -> TableResult:
    results = [_give(table, rule, env) for rule in holding]
    for rule, result in zip(holding[1:], results[1:], strict=True):
        if _differ(results[0].value, result.value):
            both = f"`{holding[0].id}` and `{rule.id}`"
            raise RuleError(f"two rules of `{table.name}` hold and do not agree: {both}")
    if not doubtful:
        return _joined(results) if results else _give(table, None, env)
    possible = [*holding, *doubtful] if holding else [None, *doubtful]
    return _agreed(table, possible, env) or TableResult(value=missing)


def _collect(table: CompiledTable, holding: Sequence[CompiledRule], env: MomentEnv) -> TableResult:
    rules: Sequence[CompiledRule | None] = holding
    if not holding and table.otherwise is not None:
        rules = [None]
    results = [_give(table, rule, env) for rule in rules]
    values = tuple(result.value for result in results)
    if unknown := [part for value in values for part in _unknowns(value)]:
        return TableResult(value=reduce(or_, unknown))
    return TableResult(
        value=_aggregate(table, values),
        rules=tuple(id_ for result in results for id_ in result.rules),
        sources=_distinct(source for result in results for source in result.sources) or table.sources,
    )


def _aggregate(table: CompiledTable, values: tuple[Value, ...]) -> Value:
    match table.hit:
        case "collect sum":
            zero, add = summing(table.type)
            return reduce(add, values, zero)
        case "collect count":
            return len(values)
        case "collect min":
            return reduce(lambda best, value: value if precedes(value, best) else best, _some(table, values))
        case "collect max":
            return reduce(lambda best, value: value if precedes(best, value) else best, _some(table, values))
        case _:
            return values


def _some(table: CompiledTable, values: tuple[Value, ...]) -> tuple[Value, ...]:
    if not values:
        raise RuleError(f"no rule of `{table.name}` holds")
    return values


def _agreed(table: CompiledTable, rules: Sequence[CompiledRule | None], env: MomentEnv) -> TableResult | None:
    """Return what every rule would give (None stands for `otherwise`), or None if they differ or one would fail."""
    try:
        results = [_give(table, rule, env) for rule in rules]
    except RuleError:
        return None
    values = [result.value for result in results]
    alike = not _unknowns(values[0]) and all(value == values[0] for value in values[1:])
    if not alike:
        return None
    return TableResult(
        value=values[0], sources=_distinct(source for result in results for source in result.sources)
    )


def _unknowns(value: Value) -> list[Unknown]:
    """Return what is unknown in what rules give: all of it, or one output and another."""
    parts = value.values() if isinstance(value, dict) else (value,)
    return [part for part in parts if isinstance(part, Unknown)]


def _differ(one: Value, other: Value) -> bool:
    """Return whether two rules surely give something else; an output that is unknown may turn out the same."""
    if isinstance(one, dict) and isinstance(other, dict):
        return any(_differ(one.get(name), other.get(name)) for name in one.keys() | other.keys())
    return one != other and not isinstance(one, Unknown) and not isinstance(other, Unknown)


def _joined(results: Sequence[TableResult]) -> TableResult:
    """Return what rules give that hold together and do not differ: what one of them does not know is unknown."""
    return replace(results[0], value=_met([result.value for result in results]))


def _met(values: Sequence[Value]) -> Value:
    if len(values) > 1 and all(isinstance(value, dict) for value in values):
        names = dict.fromkeys(name for value in values for name in value)
        return {name: _met([value.get(name) for value in values]) for name in names}
    unknown = [value for value in values if isinstance(value, Unknown)]
    return reduce(or_, unknown) if unknown else values[0]


def _give(table: CompiledTable, rule: CompiledRule | None, env: MomentEnv) -> TableResult:
    """Return the outputs of a rule, or of `otherwise`; one that is unknown leaves the others as they are."""
    terms = table.otherwise if rule is None else rule.then
    if terms is None:
        raise RuleError(f"no rule of `{table.name}` holds")
    name, sources = (rule.id, rule.sources or table.sources) if rule else (OTHERWISE, table.sources)
    given = zip(table.outputs, terms, strict=True)
    outputs = {output: _output(term, env) for (output, _), term in given if term is not None}
    value = outputs[table.outputs[0][0]] if table.single else outputs
    return TableResult(value=value, rules=(name,), sources=sources)


def _output(term: TermLike, env: MomentEnv) -> Value:
    if not isinstance(term, CompiledMoment):
        return worth(term, env)
    finished = evaluate_moment(term, env)
    return finished if isinstance(finished, Unknown) else finished.at


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
