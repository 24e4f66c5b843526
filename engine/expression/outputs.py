"""The outputs of a table that gives several: each is unknown by itself while what it reads is missing.

Which rule hits is one question, and then every output has a value of its own. So a table that is read by its fields needs
no more than these do, and one that is read as a whole is a record written out of its fields.
"""

from __future__ import annotations

from ..types import OptionalType, RecordType, required
from .checking import flow_key
from .flow import Flow, Keys, Typed
from .scope import Scope
from .tree import Field, Node, RecordOf, Reference, TableCall, path_of


def own_misses(of: Node, output: str, scope: Scope) -> Keys:
    """Return the optional paths whose absence leaves an output unknown, whichever rule hits; none of what is no table."""
    if isinstance(of, Reference | TableCall):
        declared = scope.find(of.name)
        if declared is not None and declared.kind == "table":
            return declared.outputs_may_miss.get(output, frozenset())
    return frozenset()


def read(node: Field, of: Flow, own: Keys, present: Keys) -> Flow:
    """Return the flow of one output, where `of` is that of the table."""
    if not own:
        return of
    key = flow_key(node)
    misses = dict.fromkeys(sorted(frozenset() if key in present else own - present), (node.start, node.end))
    known = of.known | {key}
    return Flow({**of.misses, **misses}, known, known, known)


def whole(typed: Typed, scope: Scope, present: Keys) -> Typed:
    """Return a table that is read as a whole: where outputs may be missing by themselves, a record of all of them."""
    node = typed.node
    if not isinstance(node, Reference | TableCall) or not isinstance(node.type, RecordType):
        return typed
    declared = scope.find(node.name)
    if declared is None or not declared.outputs_may_miss:
        return typed
    fields: list[tuple[str, Node]] = []
    flow = typed.flow
    for name, type_ in node.type.fields:
        field = Field(node, name, f"{path_of(node)}.{name}", required(type_), node.start, node.end)
        fields.append((name, field))
        flow = read(field, flow, declared.outputs_may_miss.get(name, frozenset()), present)
    may_lack = frozenset(name for name, type_ in node.type.fields if isinstance(type_, OptionalType))
    return Typed(RecordOf(tuple(fields), may_lack, node.type, node.start, node.end), flow)
