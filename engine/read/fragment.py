"""Fragments: groups of states that policies share, put into a document before anything else is read of it.

A fragment is a document with states, and the vocabulary and rules that they need. Its arguments stand in it as `$name`,
in keys, in values and inside texts, and are replaced here; what it calls its states is prefixed by the name under which
it is included. Every node keeps the place it was written at, so that findings point into the fragment, or to the
argument that was given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from ..diagnostics import Diagnostics, Place
from ..document import Fields, Items, Node, Scalar, to_plain
from ..literal import Misfit, read_literal
from ..types import BOOL, DATE, DECIMAL, DURATION, INT, MONEY, PERIOD, TEXT, TIMESTAMP, Type
from .shape import at, entries, word
from .substitution import LEG, Arguments, check_arguments, substituted

#: What a fragment is, and no policy takes over.
_OWN: Final = frozenset({"amends", "fragment", "version", "title", "args", "states"})
#: No document includes more than these: fragments that include others twice would grow without end.
MOST: Final = 100
#: Types whose literals are judged where they are given; of what names something it is told where it stands.
LITERALS: Final[Mapping[str, Type]] = {
    "bool": BOOL,
    "int": INT,
    "decimal": DECIMAL,
    "text": TEXT,
    "timestamp": TIMESTAMP,
    "duration": DURATION,
    "date": DATE,
    "period": PERIOD,
    "money": MONEY,
}


@dataclass(frozen=True, slots=True)
class Fragment:
    """A fragment as it was read."""

    node: Node
    text: str

    @property
    def name(self) -> str:
        """What it calls itself."""
        return word(at(self.node, "fragment")) or ""

    @property
    def states(self) -> Node | None:
        """Its states, by the names that they have in it."""
        return at(self.node, "states")


#: Returns the fragment that a reference in a file means, or None.
Find = Callable[[str, Place], Fragment | None]


def check_fragment(node: Node, diagnostics: Diagnostics) -> None:
    """Report what is wrong with a fragment by itself: arguments that nothing uses, uses of none, and their defaults."""
    check_arguments(node, at(node, "args"), diagnostics)
    for _, _, rule in entries(at(node, "args")):
        if (default := at(rule, "default")) is not None:
            judge(default, _type_of(rule), diagnostics)


@dataclass(slots=True)
class Includer:
    """Puts the fragments that a document names into it."""

    find: Find
    diagnostics: Diagnostics
    #: What was found, by the reference that asked for it.
    texts: dict[str, str] = field(default_factory=dict)
    _shared: list[Fields] = field(default_factory=list)
    _count: int = 0

    def included(self, node: Node) -> Node | None:
        """Return a document with its fragments in it; None with findings where one cannot be."""
        if not isinstance(node, Fields):
            return node
        before = self._errors()
        whole = read_by(node, {"legs": self._legs, "states": self._outer})
        self._report_clashes(node)
        if self._errors() > before:
            return None
        brought: Node = Fields((), node.place)
        for shared in self._shared:
            brought = laid(brought, shared)
        return _roles_and(brought, whole)

    def _errors(self) -> int:
        return sum(item.severity == "error" for item in self.diagnostics.found)

    def _report_clashes(self, policy: Fields) -> None:
        """Report what two fragments declare differently, and the policy does not declare itself."""
        first: dict[tuple[str, str], tuple[Scalar, Node]] = {}
        for shared in self._shared:
            for section, _, part in entries(shared):
                for name, key, value in entries(part):
                    before, other = first.setdefault((section, name), (key, value))
                    if to_plain(other) != to_plain(value) and at(policy.get(section), name) is None:
                        message = f"two fragments declare `{name}` under `{section}`, each in its own way"
                        hint = f"declare `{name}` in the policy, which then holds for both"
                        related = [("the first one", before.place)]
                        self.diagnostics.add("AM105", key.place, message, hint=hint, related=related)

    def _legs(self, node: Node) -> Node:
        if not isinstance(node, Fields):
            return node
        return Fields(tuple((key, self._leg(key, value)) for key, value in node.entries), node.place)

    def _leg(self, key: Scalar, node: Node) -> Node:
        if not isinstance(node, Fields):
            return node
        node = read_by(node, {"states": self._outer})
        if "include" not in node:
            return node
        states = laid(self._part(key, node, ()), node.get("states") or Fields((), node.place))
        label = replace(key, text="states", value="states", stands=key.place)
        rest = tuple((k, v) for k, v in node.entries if k.text not in {"include", "with", "states"})
        return Fields(((label, states), *rest), node.place)

    def _outer(self, node: Node) -> Node:
        return self._states(node, ())

    def _states(self, node: Node, chain: tuple[str, ...]) -> Node:
        """Return states with those of included groups among them."""
        if not isinstance(node, Fields):
            return node
        found: list[tuple[Scalar, Node]] = []
        for key, value in node.entries:
            if isinstance(value, Fields) and "include" in value:
                group = laid(self._part(key, value, chain), at(value, "states") or Fields((), value.place))
                found += [(name, _not_initial(state)) for _, name, state in entries(group)]
            else:
                found.append((key, value))
        return Fields(tuple(found), node.place)

    def _part(self, key: Scalar, node: Fields, chain: tuple[str, ...]) -> Node:
        """Return the states that one `include` brings; what else its fragment has is kept for the whole document."""
        nothing = Fields((), node.place)
        reference = node.get("include")
        if not isinstance(reference, Scalar):
            return nothing
        fragment = self.find(reference.text, reference.place)
        if fragment is None:
            return nothing
        if fragment.name in chain:
            names = " → ".join([*chain[chain.index(fragment.name) :], fragment.name])
            self.diagnostics.add("AM115", reference.place, f"`{fragment.name}` includes itself: {names}")
            return nothing
        self._keep(reference, fragment)
        self._count += 1
        if self._count > MOST:
            message = f"a policy includes fragments more than {MOST} times"
            self.diagnostics.add("AM003", reference.place, message)
            return nothing
        arguments = self._arguments(reference, node, fragment, key)
        if arguments is None:
            return nothing
        # Its own states first: what is given may have the name of one of them.
        renamed = _Renamed.of(key.text, fragment.states).document(fragment.node)
        body = substituted(renamed, arguments, self.diagnostics)
        inside = self._states(at(body, "states") or nothing, (*chain, fragment.name))
        shared = tuple((k, _by_name(v)) for k, v in _entries(body) if k.text not in _OWN)
        if shared:
            self._shared.append(Fields(shared, fragment.node.place))
        return inside

    def _keep(self, reference: Scalar, fragment: Fragment) -> None:
        """Keep the text of a fragment for the bundle, under the reference that it is found by."""
        first = self.texts.setdefault(reference.text, fragment.text)
        if first != fragment.text:
            message = f"`{reference.text[:60]}` means one file here and another one elsewhere in the policy"
            hint = "include them by the names of the fragments"
            self.diagnostics.add("AM115", reference.place, message, hint=hint)

    def _arguments(
        self, reference: Scalar, node: Fields, fragment: Fragment, key: Scalar
    ) -> Arguments | None:
        """Return what stands for each argument, or None with findings."""
        declared = {name: value for name, _, value in entries(at(fragment.node, "args"))}
        given = {name: (written, value) for name, written, value in entries(node.get("with"))}
        before = len(self.diagnostics.found)
        for name, (written, value) in given.items():
            if name not in declared:
                message = f"the fragment `{fragment.name}` has no argument `{name[:60]}`"
                hint = self.diagnostics.near(name, declared)
                self.diagnostics.add("AM104", written.place, message, hint=hint)
            else:
                judge(value, _type_of(declared[name]), self.diagnostics)
        found: dict[str, Node] = {LEG: key}
        own = _Renamed.of(key.text, fragment.states)
        for name, rule in declared.items():
            default = at(rule, "default")
            if name in given:
                found[name] = given[name][1]
            elif default is not None:
                found[name] = own.names(default) if _type_of(rule) == "name" else default
            elif len(self.diagnostics.found) == before:
                message = f"the fragment `{fragment.name}` needs the argument `{name}`"
                hint = f"write it under `with`: `{name}: …`"
                self.diagnostics.add("AM103", reference.place, message, hint=hint)
        if len(self.diagnostics.found) > before:
            return None
        expressions = frozenset(name for name, rule in declared.items() if _type_of(rule) == "expression")
        return Arguments(found, expressions)


def judge(value: Node, type_: str, diagnostics: Diagnostics) -> None:
    """Report a literal that is not of an argument's type; names and expressions are judged where they stand."""
    wanted = LITERALS.get(type_)
    if wanted is None or not isinstance(value, Scalar):
        return
    names_something = value.plain and value.text.replace(".", "_").isidentifier() and type_ != "text"
    if value.text.startswith("=") or (names_something and not isinstance(value.value, bool)):
        return
    try:
        read_literal(to_plain(value), wanted, currency="XXX")
    except Misfit as misfit:
        diagnostics.add("AM106", value.place, str(misfit), hint=misfit.hint)


def _type_of(rule: Node) -> str:
    return word(at(rule, "type")) or word(rule) or ""


def _by_name(section: Node) -> Node:
    """Return a section as a map: what a list names stands for itself."""
    if not isinstance(section, Items):
        return section
    return Fields(tuple((item, item) for item in section.items if isinstance(item, Scalar)), section.place)


def laid(base: Node, over: Node) -> Node:
    """Return a tree laid over another: maps merge key by key, what is new comes last; of anything else the upper one wins."""
    if not (isinstance(base, Fields) and isinstance(over, Fields)):
        return over
    merged = [
        (over.key(key.text) or key, laid(value, over.get(key.text) or value)) for key, value in base.entries
    ]
    merged += [(key, value) for key, value in over.entries if key.text not in base]
    return Fields(tuple(merged), over.place)


def _roles_and(shared: Node, policy: Fields) -> Node:
    """Return a policy laid over what its fragments bring; their roles are added to its own."""
    own = policy.get("roles")
    if not isinstance(own, Items):
        return laid(shared, policy)
    named = {word(item) for item in own.items}
    brought = tuple(key for key, _ in _entries(at(shared, "roles")) if key.text not in named)
    roles = Items((*own.items, *brought), own.place)
    return read_by(laid(shared, policy), {"roles": lambda _: roles})


def _not_initial(state: Node) -> Node:
    """Return a state of a group, which is entered from outside and not by the opening."""
    if not isinstance(state, Fields):
        return state
    return Fields(tuple((k, v) for k, v in state.entries if k.text != "initial"), state.place)


def _entries(node: Node | None) -> Iterator[tuple[Scalar, Node]]:
    if isinstance(node, Fields):
        yield from node.entries


def read_by(node: Node, readers: Mapping[str, Callable[[Node], Node]]) -> Fields:
    """Return a map in which what stands under some keys is read by a function of theirs."""
    found = ((k, readers[k.text](v) if k.text in readers else v) for k, v in _entries(node))
    return Fields(tuple(found), node.place)


def _map(node: Node, readers: Mapping[str, Callable[[Node], Node]]) -> Node:
    return read_by(node, readers) if isinstance(node, Fields) else node


#: Keys under which states are named, each with what its value is.
_TARGETS: Final = frozenset({"to", "in", "starts", "met_by"})


@dataclass(frozen=True, slots=True)
class _Renamed:
    """A fragment whose own states have the prefix under which it is included, wherever a key names one."""

    prefix: str
    own: frozenset[str]
    #: Groups among them: their states begin with their names.
    groups: tuple[str, ...]

    @classmethod
    def of(cls, prefix: str, states: Node | None) -> _Renamed:
        """Return what renames the states of a fragment."""
        groups = (f"{name}_" for name, _, state in entries(states) if at(state, "include") is not None)
        return cls(prefix, frozenset(name for name, _, _ in entries(states)), tuple(groups))

    def document(self, node: Node) -> Node:
        """Return the whole fragment, renamed."""
        sections = {"states": self._states, "sla": self._clocks, "escalations": self._each}
        return _map(node, {**sections, "lookups": self._lookups})

    def _lookups(self, node: Node) -> Node:
        # What a lookup counts in other policies has their names.
        own = (key.text for key, value in _entries(node) if at(value, "policy") is None)
        return _map(node, dict.fromkeys(own, lambda rule: _map(rule, {"in": self.names})))

    def _states(self, node: Node) -> Node:
        if not isinstance(node, Fields):
            return node
        return Fields(tuple((self._name(key), self._state(value)) for key, value in node.entries), node.place)

    def _state(self, node: Node) -> Node:
        parts = {"on": self._each, "always": self._candidates, "sla": self._clocks}
        # A group within a group has arguments, which may name states.
        return _map(node, {**parts, "with": self._arguments})

    def _arguments(self, node: Node) -> Node:
        return _map(node, {key.text: self.names for key, _ in _entries(node)})

    def _clocks(self, node: Node) -> Node:
        clock = {"breach": self._candidates, "met_by": self.names, "starts": self.names}
        return _map(node, {key.text: lambda item: _map(item, clock) for key, _ in _entries(node)})

    def _each(self, node: Node) -> Node:
        return _map(node, {key.text: self._candidates for key, _ in _entries(node)})

    def _candidates(self, node: Node) -> Node:
        match node:
            case Items():
                return Items(tuple(self._candidates(item) for item in node.items), node.place)
            case Fields():
                return _map(node, dict.fromkeys(_TARGETS, self.names) | {"unknown": self._candidates})
        return self._name(node)

    def names(self, node: Node) -> Node:
        """Return one name of a state, or a list of them, renamed."""
        match node:
            case Items():
                return Items(tuple(self.names(item) for item in node.items), node.place)
            case Scalar():
                return self._name(node)
        return node

    def _name(self, node: Scalar) -> Scalar:
        """Return the name of a state of one's own with the prefix; any other as it is."""
        if node.text not in self.own and not node.text.startswith(self.groups):
            return node
        text = f"{self.prefix}_{node.text}"
        return replace(node, text=text, value=text, stands=node.place)
