"""Decision tables, read from the document into the records of table.py.

The schema has judged the shape of every key. What is found here depends on other keys: a cell on its input's type, an
output on its declaration, `when` on whether there are inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from ..diagnostics import Diagnostics, Place, did_you_mean, meant
from ..document import Fields, Items, Node, Scalar
from ..expression import Checked, Declared, Scope
from ..expression.functions import SUMS
from ..moment import CompiledMoment
from ..rules.cell import Cell, has_cells, is_ordered
from ..rules.condition import Computed, Constant, Context, read_condition, read_expression, read_term
from ..table import HITS, OTHERWISE, CompiledRule, CompiledTable, Hit, TermLike
from ..types import (
    INT,
    TIMESTAMP,
    EnumType,
    Hole,
    ListType,
    MoneyType,
    OptionalType,
    RecordType,
    Type,
    optional,
    required,
)
from .cells import read_cell
from .shape import at, entries, items, known, tell_apart, unknown, word
from .table_paths import Terms, misses_of, params_of, reads_of

ReadType = Callable[[Node, str], Type | None]
ReadMoment = Callable[[Node, Context], CompiledMoment | None]

#: An output of this type is a timestamp written as moments are.
MOMENT = "moment"


def read_table(
    name: str,
    node: Node,
    context: Context,
    read_type: ReadType,
    read_moment: ReadMoment,
    sources: Collection[str],
) -> CompiledTable | None:
    """Read one entry of `tables`.

    Args:
        name: the table's.
        node: the map under it, overlays merged.
        context: the names that its expressions may use, and where findings go.
        read_type: reads a type, given the node and a name for an enum that is written out.
        read_moment: reads a moment, given the node and a context that knows the table's parameters.
        sources: the names of the declared sources.
    Returns:
        The table, or None with at least one finding.
    """
    found = len(context.diagnostics.found)
    parameters = _parameters(name, node, context, read_type)
    reader = _Reader(
        name=name,
        node=node,
        context=context.with_scope(_Inside(context.scope, parameters)) if parameters else context,
        parameters=parameters,
        read_type=read_type,
        read_moment=read_moment,
        sources=sources,
    )
    table = reader.table()
    return None if len(context.diagnostics.found) > found else table


@dataclass(frozen=True, slots=True)
class _Inside:
    """The scope of a table with parameters: they, then the names outside."""

    outside: Scope
    parameters: Mapping[str, Declared]

    def find(self, name: str) -> Declared | None:
        return self.parameters.get(name) or self.outside.find(name)

    def names(self) -> Iterable[str]:
        return (*self.parameters, *self.outside.names())

    def find_type(self, name: str) -> Type | None:
        return self.outside.find_type(name)

    def type_names(self) -> Iterable[str]:
        return self.outside.type_names()


@dataclass(frozen=True, slots=True)
class _Output:
    name: str
    type: Type
    #: Whether it is written as moments are.
    moment: bool
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Reads one table; on a mistake it notes it and goes on, so that every cell is looked at."""

    name: str
    node: Node
    #: Knows the parameters.
    context: Context
    parameters: Mapping[str, Declared]
    read_type: ReadType
    read_moment: ReadMoment
    sources: Collection[str]

    @property
    def diagnostics(self) -> Diagnostics:
        return self.context.diagnostics

    def add(self, code: str, place: Place, message: str, hint: str | None = None) -> None:
        self.diagnostics.add(code, place, message, hint=hint)

    def table(self) -> CompiledTable:
        hit = self._hit()
        outputs, single = self._outputs()
        self._check_hit(hit, outputs, single=single)
        inputs = [read_expression(item, self.context) for item in items(at(self.node, "inputs"))]
        for item, checked in zip(items(at(self.node, "inputs")), inputs, strict=True):
            self._check_input(item, checked)
        rules = self._rules(inputs, outputs, single=single)
        otherwise_node = at(self.node, "otherwise")
        otherwise = None
        if otherwise_node is not None:
            otherwise = self._then(otherwise_node, "`otherwise`", outputs, single=single)
        if hit == "priority":
            rules = self._ranked(rules, outputs[0])
        inputs_ = tuple(item for item in inputs if item)
        reads = reads_of(inputs_, rules, otherwise)
        may_miss, by_output = misses_of(hit, inputs_, rules, otherwise)
        # What several rules give, or the one output, is unknown as a whole.
        apart = not single and not hit.startswith("collect")
        return CompiledTable(
            name=self.name,
            hit=hit,
            parameters=tuple((name, declared.type) for name, declared in self.parameters.items()),
            inputs=inputs_,
            outputs=tuple((output.name, output.type) for output in outputs),
            single=single,
            type=_type(self.name, hit, outputs, single=single),
            rules=tuple(rules),
            otherwise=otherwise,
            sources=known(at(self.node, "source"), "source", self.sources, self.diagnostics),
            place=self.node.place,
            reads=frozenset(path for path in reads if path.partition(".")[0] not in self.parameters),
            may_miss=may_miss if apart else may_miss.union(*by_output),
            outputs_may_miss={
                output.name: misses
                for output, misses in zip(outputs, by_output, strict=False)
                if apart and misses and not output.moment
            },
            params={
                name: found.literal
                for name in params_of(inputs_, rules, otherwise)
                if (found := self.context.scope.find(name))
            },
        )

    # --- what the table declares --------------------------------------------------------------------------------------

    def _hit(self) -> Hit:
        node = at(self.node, "hit")
        if not isinstance(node, Scalar) or node.value is None:
            return "first"
        for hit in HITS:
            if node.text == hit:
                return hit
        unknown(node, "hit policy", HITS, self.diagnostics)
        return "first"

    def _outputs(self) -> tuple[tuple[_Output, ...], bool]:
        """Read `outputs`; the flag tells whether it is one type rather than a map."""
        node = at(self.node, "outputs")
        if isinstance(node, Fields) and node.entries:
            return tuple(
                self._output(value, name, f"{self.name}.{name}") for name, _, value in entries(node)
            ), False
        if node is None or isinstance(node, Fields) or word(node) == "":
            self.add(
                "AM103", self.node.place, f"the table `{self.name}` has no outputs", "write `outputs: TYPE`"
            )
            return (_Output(self.name, Hole(), moment=False, place=self.node.place),), True
        return (self._output(node, self.name, self.name),), True

    def _output(self, node: Node, name: str, enum: str) -> _Output:
        if isinstance(node, Scalar) and node.text.strip() == MOMENT:
            return _Output(name, TIMESTAMP, moment=True, place=node.place)
        return _Output(name, self.read_type(node, enum) or Hole(), moment=False, place=node.place)

    def _check_hit(self, hit: Hit, outputs: tuple[_Output, ...], *, single: bool) -> None:
        """Report an output that the hit policy can make nothing of."""
        output = outputs[0]
        type_ = output.type
        if isinstance(type_, Hole):
            return
        fine, due = True, ""
        if hit == "priority":
            fine, due = (
                isinstance(type_, EnumType),
                "an enum, whose values stand in the order of their priority",
            )
        elif hit == "collect sum":
            sums = isinstance(type_, MoneyType) or type_ in SUMS
            fine, due = single and sums, "one output that can be added up"
        elif hit in {"collect min", "collect max"}:
            fine, due = single and is_ordered(type_), "one output whose values have an order"
        elif hit == "collect" and any(item.moment or isinstance(item.type, OptionalType) for item in outputs):
            fine, due = not single, "outputs that are always there"
        if not fine:
            self.add("AM202", output.place, f"`hit: {hit}` needs {due}")

    def _check_input(self, node: Node, checked: Checked | None) -> None:
        type_ = required(checked.type) if checked else Hole()
        if not isinstance(type_, Hole) and not has_cells(type_):
            hint = "ask a question that has a simple answer, such as `size(x)`, `x.is_open` or `x.field`"
            self.add("AM202", node.place, f"no cell can test a value of type `{type_}`", hint)

    # --- rules --------------------------------------------------------------------------------------------------------

    def _rules(
        self, inputs: list[Checked | None], outputs: tuple[_Output, ...], *, single: bool
    ) -> list[CompiledRule]:
        node = at(self.node, "rules")
        if isinstance(node, Fields):
            hint = "a map of rules by their ids is laid over the list of another policy, and there is none"
            self.add("AM102", node.place, "a list of rules is due here", hint)
            return []
        if not isinstance(node, Items) or not node.items:
            self.add("AM103", self.node.place, f"the table `{self.name}` has no rules")
            return []
        rules, ids = [], []
        for index, item in enumerate(node.items, 1):
            if not isinstance(item, Fields):
                self.add("AM102", item.place, "a rule is a map", "such as `{id: small, when: …, then: …}`")
                continue
            id_ = word(item.get("id")) or f"rule_{index}"
            ids.append((id_, item))
            if id_ == OTHERWISE:
                message = f"`{OTHERWISE}` names what is used when every rule is false"
                self.add("AM105", (item.get("id") or item).place, message, "choose another id")
            rules.append(self._rule(id_, item, inputs, outputs, single=single))
        tell_apart(ids, f"rules of the table `{self.name}`", self.diagnostics)
        return rules

    def _rule(
        self,
        id_: str,
        node: Fields,
        inputs: list[Checked | None],
        outputs: tuple[_Output, ...],
        *,
        single: bool,
    ) -> CompiledRule:
        then = node.get("then")
        terms: Terms = ()
        if then is None:
            self.add("AM103", node.place, f"the rule `{id_}` has no `then`")
        else:
            terms = self._then(then, f"the rule `{id_}`", outputs, single=single)
        return CompiledRule(
            id=id_,
            place=node.place,
            cells=self._cells(id_, node, inputs) if inputs else (),
            condition=None if inputs else read_condition(node, self.context),
            then=terms,
            sources=known(node.get("source"), "source", self.sources, self.diagnostics),
        )

    def _cells(self, id_: str, rule: Fields, inputs: list[Checked | None]) -> tuple[Cell, ...]:
        for word_ in ("all", "any", "unless"):
            if key := rule.key(word_):
                hint = "ask it in one more input, or leave `inputs` out and write conditions"
                self.add("AM101", key.place, f"in a table with inputs a rule has no `{word_}`", hint)
        when = rule.get("when")
        nodes = items(when)
        if when is None:
            hint = "write `-` in a cell that does not matter"
            self.add("AM103", rule.place, f"the rule `{id_}` has no `when`, a list of cells", hint)
        elif len(nodes) != len(inputs):
            cells = "one cell" if len(nodes) == 1 else f"{len(nodes)} cells"
            due = "one input" if len(inputs) == 1 else f"{len(inputs)} inputs"
            self.add("AM102", when.place, f"the rule `{id_}` has {cells} for {due}")
        else:
            found = [self._cell(item, checked) for item, checked in zip(nodes, inputs, strict=True)]
            return tuple(cell for cell in found if cell)
        return ()

    def _cell(self, node: Node, checked: Checked | None) -> Cell | None:
        if not isinstance(node, Scalar):
            self.add("AM102", node.place, "a cell is one text", "such as `<= 100`, `a, b` or `-`")
            return None
        if checked is None or not has_cells(required(checked.type)):
            return None
        scope = self.context.scope
        return read_cell(node, checked.type, self.diagnostics, currency=self.context.currency, scope=scope)

    def _then(self, node: Node, what: str, outputs: tuple[_Output, ...], *, single: bool) -> Terms:
        """Read the outputs of a rule, or of `otherwise`."""
        if single:
            return (self._term(node, outputs[0]),)
        names = [output.name for output in outputs]
        if not isinstance(node, Fields):
            due = ", ".join(f"{name}: …" for name in names)
            self.add("AM102", node.place, f"{what} does not give a map of outputs", f"write `{{{due}}}`")
            return ()
        misspelt = set()
        for name, key, _ in entries(node):
            if name not in names:
                message = f"the table `{self.name}` has no output `{name[:60]}`"
                hint = did_you_mean(name, names)
                self.add("AM104", key.place, message, hint)
                misspelt.add(meant(hint))
        return tuple(
            None if output.name in misspelt else self._one_of(node, output, what) for output in outputs
        )

    def _one_of(self, node: Fields, output: _Output, what: str) -> TermLike | None:
        value = node.get(output.name)
        if value is not None and not (isinstance(output.type, OptionalType) and _is_null(value)):
            return self._term(value, output)
        if not isinstance(output.type, OptionalType):
            self.add("AM103", node.place, f"{what} does not give the output `{output.name}`")
        return None

    def _term(self, node: Node, output: _Output) -> TermLike | None:
        if output.moment:
            return self.read_moment(node, self.context)
        return read_term(node, required(output.type), self.context)

    def _ranked(self, rules: list[CompiledRule], output: _Output) -> list[CompiledRule]:
        """Return the rules in the order of their priority: that of the enum's values."""
        if not isinstance(output.type, EnumType):
            return rules
        ranks: dict[str, int] = {}
        for rule in rules:
            term = rule.then[0] if rule.then else None
            if isinstance(term, Constant):
                ranks[rule.id] = output.type.values.index(term.value)
            elif term:
                place = term.place if isinstance(term, Computed) else rule.place
                message = f"the output of `{rule.id}` must be known beforehand, for it is the rule's priority"
                self.add("AM102", place, message, "write one of the enum's values")
        return sorted(rules, key=lambda rule: ranks.get(rule.id, 0))


def _parameters(name: str, node: Node, context: Context, read_type: ReadType) -> dict[str, Declared]:
    """Read `of`. A parameter stands for a stored value: what `has` ensures of it counts as it does of a fact."""
    taken = set(context.scope.names())
    found: dict[str, Declared] = {}
    for parameter, key, value in entries(at(node, "of")):
        if parameter in taken:
            message = f"the parameter `{parameter}` of the table `{name}` has the name of another value"
            hint = "values share one namespace; rename one of them"
            context.diagnostics.add("AM105", key.place, message, hint=hint)
        found[parameter] = Declared(type=read_type(value, f"{name}.{parameter}") or Hole(), kind="fact")
    return found


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def _type(name: str, hit: Hit, outputs: tuple[_Output, ...], *, single: bool) -> Type:
    """Return the type of a table's value."""
    if hit == "collect count":
        return INT
    fields = tuple((item.name, optional(item.type) if item.moment else item.type) for item in outputs)
    type_ = outputs[0].type if single else RecordType(name, fields)
    return ListType(type_) if hit == "collect" else type_
