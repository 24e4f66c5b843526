"""What a policy computes: params, moments, windows, tables and defines, each read when it is first asked for."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from ..document import Fields, Node, Scalar
from ..expression import Checked, Declared
from ..literal import Misfit, read_literal
from ..moment import Almanac, CompiledMoment, read_moment
from ..policy import WindowRule
from ..rules.condition import Context, read_constant, read_expression
from ..table import CompiledTable
from ..types import (
    BOOL,
    DATE,
    DECIMAL,
    INT,
    MONEY,
    PERIOD,
    TEXT,
    TIMESTAMP,
    WINDOW,
    EnumType,
    MoneyType,
    Type,
    optional,
)
from ..values import Value
from .bounds import check_bounds, check_removed, first_bounded
from .guarded import check_guarded
from .scope import PolicyScope
from .shape import at, entries, known
from .tables import read_table
from .vocabulary import Types

#: Types that a param without a declared type is tried as, in this order.
_PARAM_TYPES = (BOOL, INT, DECIMAL, PERIOD, MONEY, DATE, TIMESTAMP)


class Rules:
    """The rules of one document; `declare` adds their names to the scope, and asking for a name reads it."""

    def __init__(
        self,
        node: Node,
        context: Context,
        scope: PolicyScope,
        types: Types,
        *,
        reason: EnumType,
        sources: Collection[str],
        almanac: Almanac,
        under: tuple[Node, ...] = (),
    ) -> None:
        self.node = node
        self.under = under
        self.context = context
        self.scope = scope
        self.types = types
        self.reason = reason
        self.sources = tuple(sources)
        self.almanac = almanac
        self.diagnostics = context.diagnostics
        self.params: dict[str, Value] = {}
        self.param_sources: dict[str, tuple[str, ...]] = {}
        self.moments: dict[str, CompiledMoment] = {}
        self.windows: dict[str, WindowRule] = {}
        self.tables: dict[str, CompiledTable] = {}
        self.defines: dict[str, Checked] = {}

    def declare(self) -> None:
        """Declare params, moments, windows, tables and defines, to be read when first asked for."""
        readers = {
            "params": ("param", self._param),
            "moments": ("moment", self._moment),
            "windows": ("window", self._window),
            "tables": ("table", self._table),
            "define": ("define", self._define),
        }
        for section, (what, read) in readers.items():
            for name, key, value in entries(at(self.node, section)):
                self.scope.declare_lazily(name, what, key.place, value, partial(read, name, value))
        layers = (*self.under, self.node)
        check_removed(layers, self.diagnostics)
        check_guarded(layers, self.diagnostics)

    def _param(self, name: str, node: Node) -> Declared | None:
        written = at(node, "is") if isinstance(node, Fields) else node
        if written is None:
            return None
        layers = [*(at(at(below, "params"), name) for below in self.under), node]
        type_ = self._param_type(name, first_bounded(layers) or node)
        constant = read_constant(written, type_, self.context)
        if constant is None:
            return None
        self.params[name] = constant.value
        check_bounds(name, layers, type_, self.context.currency, self.diagnostics)
        cited = at(node, "source") if isinstance(node, Fields) else None
        self.param_sources[name] = known(cited, "source", self.sources, self.diagnostics)
        return Declared(type=type_, kind="param", reads=frozenset(), literal=constant.value)

    def _param_type(self, name: str, node: Node) -> Type:
        type_node, written = at(node, "type"), at(node, "is") if isinstance(node, Fields) else node
        if type_node is not None:
            return self.types.read(type_node, name)
        return TEXT if written is None else self._guess(written)

    def _guess(self, node: Node) -> Type:
        """Return the type that a literal is written as."""
        if not isinstance(node, Scalar) or (
            isinstance(node.value, str) and not node.plain and not _is_counted(node)
        ):
            return TEXT
        for type_ in _PARAM_TYPES:
            try:
                read_literal(node.value, type_)
            except Misfit:
                continue
            return (
                MoneyType(self.context.currency)
                if isinstance(type_, MoneyType) and self.context.currency
                else type_
            )
        return TEXT

    def moment(
        self, node: Node, context: Context | None = None, *, given: bool = False
    ) -> CompiledMoment | None:
        """Read a moment with the policy's names and calendars; a table with parameters brings a context with these."""
        return read_moment(node, context or self.context, almanac=self.almanac, given=given)

    def _moment(self, name: str, node: Node) -> Declared | None:
        moment = self.moment(node)
        if moment is None:
            return None
        self.moments[name] = moment
        type_ = optional(TIMESTAMP) if moment.may_miss else TIMESTAMP
        return Declared(type=type_, kind="moment", may_miss=moment.may_miss, reads=moment.reads)

    def _window(self, name: str, node: Node) -> Declared | None:
        if not isinstance(node, Fields):
            return None
        ends: dict[str, CompiledMoment | None] = {}
        for key in ("opens", "closes"):
            written = node.get(key)
            ends[key] = self.moment(written) if written is not None else None
        codes: dict[str, str | None] = {}
        for key in ("early", "late"):
            given = node.get(key)
            constant = read_constant(given, self.reason, self.context) if given is not None else None
            codes[key] = constant.value if constant else None
        self.windows[name] = WindowRule(
            name=name,
            opens=ends["opens"],
            closes=ends["closes"],
            early=codes["early"],
            late=codes["late"],
            sources=known(node.get("source"), "source", self.sources, self.diagnostics),
            place=node.place,
        )
        used = [moment for moment in ends.values() if moment]
        return Declared(
            type=WINDOW,
            kind="window",
            may_miss=frozenset().union(*(m.may_miss for m in used)),
            reads=frozenset().union(*(m.reads for m in used)),
        )

    def _table(self, name: str, node: Node) -> Declared | None:
        table = read_table(name, node, self.context, self.types.read, self.moment, self.sources)
        if table is None:
            return None
        self.tables[name] = table
        parameters = tuple(type_ for _, type_ in table.parameters) or None
        return Declared(
            type=table.type,
            kind="table",
            may_miss=table.may_miss,
            outputs_may_miss=table.outputs_may_miss,
            reads=table.reads,
            parameters=parameters,
        )

    def _define(self, name: str, node: Node) -> Declared | None:
        checked = read_expression(node, self.context)
        if checked is None:
            return None
        self.defines[name] = checked
        return Declared(
            type=checked.type,
            kind="define",
            may_miss=checked.may_miss,
            reads=checked.reads,
            ensures_true=checked.ensures_true,
            ensures_false=checked.ensures_false,
        )


def _is_counted(node: Scalar) -> bool:
    return node.text[:1].isdigit()
