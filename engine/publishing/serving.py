"""Whether two policies of a library take the same case: what `serves` and the time in force say, as far as it can be told.

A policy takes a case in some *ways*: each is a list of facts with the values that they may have. Two policies meet where a
way of one and a way of the other leave room for a case. Only what compares facts with constants is read (with `&&`, `||`,
`!` and `in`, through defines too); a way that asks for anything else is left out, so whatever is found is so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import combinations, islice, product
from operator import and_
from typing import Final

from ..case import PolicyRef
from ..checks.boxes import shown
from ..checks.columns import Column, column_of
from ..checks.questions import constant_of, question_of
from ..diagnostics import Diagnostics, Place
from ..document import Node
from ..expression import Checked
from ..expression.tree import Apply, Constant, ListOf, Logic, Not, Reference
from ..expression.tree import Node as Expressed
from ..policy import CompiledPolicy
from ..read.shape import at
from ..rules.cell import Cell, Interval, exactly
from ..rules.condition import leaves
from ..types import BOOL, TIMESTAMP, EnumType, RecordType, Type, required

#: More ways of one policy than these are not looked at, and no more pairs of ways in a library.
_MOST: Final = 64
_PAIRS: Final = 20_000
#: What chooses a version where no fact does.
_OPENING: Final = "the opening"
_NOWHERE: Final = Place("", 1, 1, 1, 1)
_HINT: Final = (
    "let their `serves` or `in_force` shut each other out, or lay one over the other with `extends`"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ask:
    """What a way asks of a fact, or of the opening."""

    #: Of the fact, such as `order.country`.
    path: str
    cell: Cell


#: A way: all of it must hold. None stands for what cannot be told.
_Way = tuple[_Ask | None, ...]
_Sure = tuple[_Ask, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taker:
    policy: CompiledPolicy
    ways: tuple[_Sure, ...]


def check_serving(
    policies: Iterable[CompiledPolicy], nodes: Mapping[PolicyRef, Node], diagnostics: Diagnostics
) -> None:
    """Report each policy that takes a case which one before it takes too, with such a case.

    Args:
        policies: of a library.
        nodes: the document of each.
        diagnostics: takes the findings.
    """
    places = {ref: (at(node, "serves") or node).place for ref, node in nodes.items()}
    takers = [_Taker(policy=policy, ways=tuple(_ways_of(policy))) for policy in policies if policy.serves]
    reported: set[tuple[str, str]] = set()
    for one, other, *ways in islice(_pairs(takers), _PAIRS):
        names = (one.policy.ref.name, other.policy.ref.name)
        case = None if names in reported else _case(one.policy, other.policy, *ways)
        if case is not None:
            reported.add(names)
            message = (
                f"`{names[0]}` and `{names[1]}` both take a case with {case}, so the host has to name one"
            )
            related = [(f"`{names[0]}`", places[one.policy.ref])]
            diagnostics.add("AM116", places[other.policy.ref], message, hint=_HINT, related=related)


def _pairs(takers: Sequence[_Taker]) -> Iterator[tuple[_Taker, _Taker, _Sure, _Sure]]:
    """Yield every two policies of which none comes before the other, with a way of each."""
    for one, other in combinations(takers, 2):
        if not _is_over(one.policy, other.policy):
            for way, another in product(one.ways, other.ways):
                yield one, other, way, another


def _is_over(one: CompiledPolicy, other: CompiledPolicy) -> bool:
    """Return whether one of two policies comes before the other, or both are versions of one."""
    first, second = one.ref.name, other.ref.name
    return first == second or first in dict(other.extends) or second in dict(one.extends)


def _case(one: CompiledPolicy, other: CompiledPolicy, way: _Sure, another: _Sure) -> str | None:
    """Return a case that is taken in both ways, in words, or None where there is none, or none that both can read."""
    asked: dict[str, list[Cell]] = {}
    for ask in (*way, *another):
        asked.setdefault(ask.path, []).append(ask.cell)
    told = []
    for path, cells in asked.items():
        types = [_type_of(policy, path) for policy in (one, other)]
        kind = _joined(*types)
        if kind is None:
            return None
        column = column_of(kind, cells)
        held = reduce(and_, column.masks, _known_to_all(column, types))
        if not held:
            return None
        if held != column.all:
            told.append(f"{path} = {shown(column.example(held))}")
    return ", ".join(told) or "any facts"


def _type_of(policy: CompiledPolicy, path: str) -> Type | None:
    """Return the type of a fact, or of a field of one, if the policy declares it."""
    if path == _OPENING:
        return TIMESTAMP
    name, *fields = path.split(".")
    found: Type | None = policy.facts[name].type if name in policy.facts else None
    for field in fields:
        record = found and required(found)
        found = record.field(field) if isinstance(record, RecordType) else None
    return found and required(found)


def _joined(one: Type | None, other: Type | None) -> Type | None:
    """Return the type that a fact has in both policies; two enums make one of the values of both."""
    if isinstance(one, EnumType) and isinstance(other, EnumType):
        return replace(one, values=tuple(dict.fromkeys((*one.values, *other.values))))
    return one if one == other else None


def _known_to_all(column: Column, types: Iterable[Type | None]) -> int:
    """Return the samples that are values of every enum among some types: nobody else can read them."""
    enums = [type_.values for type_ in types if isinstance(type_, EnumType)]
    return sum(
        1 << index
        for index, sample in enumerate(column.samples)
        if sample is None or all(sample in values for values in enums)
    )


# --- ways ---------------------------------------------------------------------------------------------------------------


def _ways_of(policy: CompiledPolicy) -> Iterator[_Sure]:
    """Yield the ways in which a policy takes a case while it is in force, without those that cannot be told."""
    time = _time_of(policy)
    (serves,) = leaves(policy.serves)
    for way in _written(policy, serves.checked, serves.checked.root, holds=True):
        sure = [ask for ask in (*way, *time) if ask is not None]
        if len(sure) == len(way) + len(time):
            yield tuple(sure)


def _time_of(policy: CompiledPolicy) -> _Way:
    """Return what `in_force` asks of the instant that decides."""
    rule = policy.in_force
    if rule.starts is None and rule.until is None:
        return ()
    stretch = Interval(rule.starts, rule.until, high_in=False)
    return (_Ask(path=rule.decided_by or _OPENING, cell=_cell(stretch)),)


def _cell(*intervals: Interval, negated: bool = False) -> Cell:
    return Cell(text="", place=_NOWHERE, intervals=intervals, negated=negated)


def _written(policy: CompiledPolicy, checked: Checked, node: Expressed, *, holds: bool) -> tuple[_Way, ...]:
    """Return the ways in which a part of an expression is true, or false."""
    match node:
        case Constant(value=value):
            return ((),) if value == holds else ()
        case Not(of=of):
            return _written(policy, checked, of, holds=not holds)
        case Logic(operator=operator, operands=operands):
            parts = [_written(policy, checked, operand, holds=holds) for operand in operands]
            return _together(parts) if (operator == "&&") == holds else _either(parts)
        case Reference(name=name, kind="define"):
            defined = policy.defines[name]
            return _written(policy, defined, defined.root, holds=holds)
    return ((_ask(policy, checked, node, holds=holds),),)


def _together(parts: Iterable[tuple[_Way, ...]]) -> tuple[_Way, ...]:
    """Return the ways in which all of some parts hold."""
    found: tuple[_Way, ...] = ((),)
    for ways in parts:
        found = tuple((*one, *other) for one, other in islice(product(found, ways), _MOST))
    return found


def _either(parts: Iterable[tuple[_Way, ...]]) -> tuple[_Way, ...]:
    """Return the ways in which one of some parts holds."""
    return tuple(islice((way for ways in parts for way in ways), _MOST))


def _ask(policy: CompiledPolicy, checked: Checked, node: Expressed, *, holds: bool) -> _Ask | None:
    """Return what a comparison asks of a fact, or None where it is no comparison of a fact with constants."""
    match node:
        case Apply(overload=overload, arguments=(item, ListOf(items=items))) if overload.startswith("in("):
            values = [constant_of(one, policy.params) for one in items]
            cell = _cell(*(exactly(value) for value in values), negated=not holds)
            path = question_of(replace(checked, root=item), policy.params).key
            return None if None in values or _type_of(policy, path) is None else _Ask(path=path, cell=cell)
    question = question_of(replace(checked, root=node), policy.params)
    if _type_of(policy, question.key) is None or (question.truth is None and question.type != BOOL):
        return None
    return _Ask(path=question.key, cell=question.read(_cell(exactly(holds))))
