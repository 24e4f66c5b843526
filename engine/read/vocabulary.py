"""What a policy talks about: types, facts, events, effects, reasons, sources, roles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from ..diagnostics import Diagnostics, Place
from ..document import Fields, Items, Node, Scalar
from ..policy import HOST, SYSTEM, Event, Field
from ..rules.condition import Context, read_constant, read_term
from ..source import SURENESS, Source
from ..types import (
    DATE,
    HOLE,
    MONEY,
    NAMED,
    TEXT,
    TIMESTAMP,
    EnumType,
    Hole,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Type,
    optional,
    required,
)
from .shape import at, entries, flag, items, known, names, says, word

#: Facts that every policy has without declaring them.
BUILT_IN_FACTS: Final[dict[str, Type]] = {"timezone": OptionalType(TEXT), "currency": OptionalType(TEXT)}

#: What other languages call a type.
_FOREIGN: Final[dict[str, str]] = {
    **dict.fromkeys(["string", "str", "char", "varchar"], "write `text`"),
    **dict.fromkeys(["datetime", "date_time", "instant", "time"], "write `timestamp`"),
    "boolean": "write `bool`",
    **dict.fromkeys(["integer", "long"], "write `int`"),
    **dict.fromkeys(["float", "double", "real"], "write `decimal`, which is exact"),
    **dict.fromkeys(["number", "numeric"], "write `decimal`, or `int` for whole numbers"),
    **dict.fromkeys(["amount", "currency"], "write `money`"),
    **dict.fromkeys(["interval", "timedelta"], "write `period`, or `duration` for exact seconds"),
    **dict.fromkeys(["list", "array", "set"], "say of what: `list of text`"),
    **dict.fromkeys(["map", "dict", "object"], "declare a record under `types`, or write `map of text`"),
    "enum": "write the values as a list, such as `[small, large]`",
}

#: Fields that every record of an event has beside its data.
RECORD_FIELDS: Final[tuple[tuple[str, Type], ...]] = (
    ("at", TIMESTAMP),
    ("recorded_at", TIMESTAMP),
    ("by", TEXT),
    ("event", TEXT),
)

#: Reasons that every policy has without declaring them; render/text.py has their sentences.
BUILT_IN_REASONS: Final = (
    "not_allowed",
    "not_accepted",
    "closed",
    "unknown_event",
    "invalid_data",
    "role_not_allowed",
    "may_not_approve",
    "missing_facts",
    "rule_failed",
    "not_migrated",
)


#: The record `tender` that every policy knows: a means by which money came in. A policy may declare its own. Its amount is
#: of any currency, as that of a declared record is: the case's own wins over what the policy says.
TENDER: Final = RecordType("tender", (("id", TEXT), ("method", TEXT), ("amount", MONEY)))


#: How deep types may stand within one another, and how many fields they may have together: values are walked as deep, and
#: a record in two fields of a record in two fields … doubles.
MAX_DEPTH: Final = 16
MAX_FIELDS: Final = 1_000


@dataclass(slots=True)
class Types:
    """The named types of a policy, read when they are first asked for."""

    node: Node | None
    diagnostics: Diagnostics
    #: `role` and `reason`, whose values the policy declares elsewhere.
    built_in: Mapping[str, Type]
    #: Of amounts that name none, where the policy fixes it.
    currency: str | None = None
    _read: dict[str, Type] = field(default_factory=dict)
    _busy: list[str] = field(default_factory=list)
    #: Of each type that was read: how deep it goes, and how many fields it has with all within.
    _extents: dict[str, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Report types that have the name of a built-in one: which of the two was meant could not be seen."""
        for name, key, _ in entries(self.node):
            if name in NAMED or name in self.built_in:
                hint = "give it a name of its own"
                self.diagnostics.add("AM105", key.place, f"the type `{name}` is built in", hint=hint)

    def names(self) -> list[str]:
        """Return every name that may stand where a type is due."""
        return [*NAMED, *self.built_in, "tender", *(key for key, _, _ in entries(self.node))]

    def named(self, name: str) -> Type | None:
        """Return the type of a name, or None if nothing is declared under it."""
        if name in self._read:
            return self._read[name]
        declared = at(self.node, name)
        if declared is None and name == "tender":
            return TENDER
        if declared is None:
            return NAMED.get(name) or self.built_in.get(name)
        if name in self._busy:
            chain = " → ".join([*self._busy, name])
            self.diagnostics.add("AM205", declared.place, f"the type `{name}` holds itself: {chain}")
            return HOLE
        if len(self._busy) >= MAX_DEPTH:
            self._too_large(declared.place)
            return HOLE
        self._busy.append(name)
        type_ = self._declared(name, declared)
        self._busy.pop()
        depth, count = self._extents[name] = self._extent(type_)
        if depth > MAX_DEPTH or count > MAX_FIELDS:
            self._too_large(declared.place)
            type_, self._extents[name] = HOLE, (0, 0)
        self._read[name] = type_
        return type_

    def _too_large(self, place: Place) -> None:
        message = f"types stand within one another more than {MAX_DEPTH} deep, or with more than {MAX_FIELDS:,} fields"
        self.diagnostics.add("AM003", place, message)

    def _extent(self, type_: Type) -> tuple[int, int]:
        """Return how deep a type goes, and how many fields it has; of types that it names that is known."""
        match type_:
            case OptionalType(item) | ListType(item) | MapType(item):
                depth, count = self._extent(item)
                return depth + 1, count
            case RecordType():
                if type_.name in self._extents:
                    return self._extents[type_.name]
                within = [self._extent(field_type) for _, field_type in type_.fields]
                depth = max((depth for depth, _ in within), default=0)
                return depth + 1, len(within) + sum(count for _, count in within)
        return 0, 0

    def _declared(self, name: str, node: Node) -> Type:
        if isinstance(node, Fields):
            return self._record(name, node)
        return self.read(node, name)

    def _record(self, name: str, node: Fields) -> Type:
        fields: list[tuple[str, Type]] = []
        defaults = []
        for key, _, value in entries(node):
            written = at(value, "type") if isinstance(value, Fields) else value
            type_ = self.read(written, f"{name}.{key}") if written is not None else HOLE
            fields.append((key, type_))
            default = at(value, "default")
            if default is not None:
                context = Context(scope=NO_NAMES, diagnostics=self.diagnostics, currency=self.currency)
                constant = read_constant(default, type_, context)
                if constant:
                    defaults.append((key, constant.value))
        return RecordType(name, tuple(fields), tuple(defaults))

    def read(self, node: Node, name: str) -> Type:
        """Read a type: a name, `list of …`, `map of …`, `optional …`, or a list of names as an enum called `name`."""
        if isinstance(node, Items):
            return EnumType(name, names(node))
        if isinstance(node, Scalar):
            return self._phrase(node, node.text.strip(), 0)
        self.diagnostics.add("AM102", node.place, "a type is due here")
        return HOLE

    def _phrase(self, node: Scalar, text: str, start: int, depth: int = 0) -> Type:
        if depth > MAX_DEPTH:
            self._too_large(node.place)
            return HOLE
        for prefix in ("optional ", "list of ", "map of "):
            if text.startswith(prefix):
                rest = text[len(prefix) :].lstrip()
                inner = self._phrase(node, rest, start + len(text) - len(rest), depth + 1)
                if isinstance(inner, OptionalType):
                    place = node.place_of(start, start + len(text))
                    message = f"`optional` cannot stand within `{prefix.strip()}`"
                    remedy = f"write `optional {prefix}…` if the whole may be missing"
                    remedy = "write it once" if prefix == "optional " else remedy
                    self.diagnostics.add("AM106", place, message, hint=remedy)
                    return HOLE
                if prefix == "optional ":
                    return optional(inner)
                return ListType(inner) if prefix == "list of " else MapType(inner)
        type_ = self.named(text)
        if type_ is None:
            place = node.place_of(start, start + len(text))
            hint = _FOREIGN.get(text.lower()) or self.diagnostics.near(text, self.names())
            self.diagnostics.add("AM104", place, f"there is no type `{text[:60]}`", hint=hint)
            return HOLE
        return type_


class _NoNames:
    """The scope of literals: no name means anything."""

    def find(self, name: str) -> None:  # noqa: ARG002 - the scope's interface
        return None

    def names(self) -> tuple[str, ...]:
        return ()

    def find_type(self, name: str) -> None:  # noqa: ARG002 - the scope's interface
        return None

    def type_names(self) -> tuple[str, ...]:
        return ()


NO_NAMES: Final = _NoNames()


def read_sources(node: Node | None, diagnostics: Diagnostics) -> dict[str, Source]:
    """Read `sources`."""
    found = {}
    for name, _, value in entries(node):
        read, checked = word(at(value, "read")), at(value, "checked")
        context = Context(scope=NO_NAMES, diagnostics=diagnostics)
        day = read_constant(checked, DATE, context) if checked is not None else None
        found[name] = Source(
            name=name,
            cite=word(at(value, "cite")) or "",
            read=read if read in SURENESS else "assumed",
            says=word(at(value, "says")),
            checked=None if day is None else day.value,
        )
    return found


def read_roles(node: Node | None, diagnostics: Diagnostics) -> tuple[dict[str, dict[str, str]], str]:
    """Read `roles`, a list of names or a map to text for people; return them with the built-in one, and which that is."""
    if isinstance(node, Fields):
        roles = {key: says(value) for key, _, value in entries(node)}
    else:
        # A text of names with commas is no list, which the schema says; who is meant by them is plain all the same.
        listed = node.text.replace(",", " ").split() if isinstance(node, Scalar) else names(node)
        roles = {name: {} for name in listed}
    host = SYSTEM if HOST in roles else HOST
    written = [key for _, key, _ in entries(node)] if isinstance(node, Fields) else items(node)
    for item in written:
        if isinstance(item, Scalar) and item.text == host:
            # Whoever has it may report what became of money.
            message = f"the role `{host}` is the application itself, where `{HOST}` is a role of the policy"
            diagnostics.add("AM105", item.place, message, hint="give the role a name of its own")
    return {**roles, host: {}}, host


def read_field(name: str, node: Node, types: Types, context: Context, *, prefix: str = "") -> Field:
    """Read a fact, or a field of event data or of an effect: a type, or `{type, default, says, sensitive}`."""
    return read_default(read_type(name, node, types, prefix=prefix), node, context)


def read_type(name: str, node: Node, types: Types, *, prefix: str = "") -> Field:
    """Read a field without its default, which may speak of names that are declared later."""
    written = at(node, "type") if isinstance(node, Fields) else node
    return Field(
        name=name,
        type=types.read(written, prefix + name) if written is not None else HOLE,
        default=None,
        sensitive=flag(at(node, "sensitive")),
        says=says(at(node, "says")),
        place=node.place,
    )


def read_default(field: Field, node: Node, context: Context) -> Field:
    """Return the field with its default, where it has one."""
    written = at(node, "default")
    return (
        replace(field, default=read_term(written, required(field.type), context))
        if written is not None
        else field
    )


def read_event(
    name: str, node: Node, roles: Mapping[str, object], host: str, types: Types, context: Context
) -> Event:
    """Read one entry of `events`, which anybody may send but `host` where it does not say who."""
    by = known(at(node, "by"), "role", roles, context.diagnostics)
    for key, place, _ in entries(at(node, "data")):
        if key in dict(RECORD_FIELDS):
            message = f"every record has a field `{key}` of its own, so `{name}` cannot bring one"
            context.diagnostics.add("AM105", place.place, message, hint="give it another name")
    return Event(
        name=name,
        by=by or tuple(role for role in roles if role != host),
        fields=tuple(
            read_field(key, value, types, context, prefix=f"{name}.")
            for key, _, value in entries(at(node, "data"))
        ),
        keep_as=word(at(node, "keep_as")),
        says=says(at(node, "says")),
        place=node.place,
    )


def record_type(name: str, events: list[Event]) -> RecordType:
    """Return the type of the record that some events share: fields that are not in all of them are optional."""
    types: dict[str, Type] = {}
    for event in events:
        for item in event.fields:
            types.setdefault(item.name, item.type)
    shared: list[tuple[str, Type]] = []
    for field_name, type_ in types.items():
        carriers = [item for event in events for item in event.fields if item.name == field_name]
        always = len(carriers) == len(events) and all(
            not isinstance(item.type, OptionalType) or item.default for item in carriers
        )
        shared.append((field_name, required(type_) if always else optional(type_)))
    return RecordType(name, (*shared, *(f for f in RECORD_FIELDS if f[0] not in types)))


def clashing_fields(events: list[Event]) -> list[tuple[Event, Field, Type]]:
    """Return the fields by which events that share a record differ in type."""
    seen: dict[str, Type] = {}
    clashes: list[tuple[Event, Field, Type]] = []
    for event in events:
        for item in event.fields:
            first = seen.setdefault(item.name, required(item.type))
            if first != required(item.type) and not isinstance(first, Hole):
                clashes.append((event, item, first))
    return clashes
