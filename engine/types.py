"""The types of the policy language, as plain data.

Facts, event data, params, table inputs and outputs, and every node of a checked expression have one of these.
Spec: docs/language.md, "Types".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

ScalarName = Literal["bool", "int", "decimal", "text", "timestamp", "duration", "date", "period", "window"]


@dataclass(frozen=True, slots=True)
class ScalarType:
    """A type without parts."""

    name: ScalarName

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class MoneyType:
    """An amount; `currency` is known where it can be told from the policy, else None."""

    currency: str | None = None

    def __str__(self) -> str:
        return "money"


@dataclass(frozen=True, slots=True)
class EnumType:
    """One of a list of names. Two enums are the same type if their names are."""

    name: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ListType:
    """A list of at most `limit` items, so that whatever walks it ends."""

    item: Type
    limit: int = 1000

    def __str__(self) -> str:
        return f"list of {self.item}"


@dataclass(frozen=True, slots=True)
class RecordType:
    """Named fields in declared order; a field that may be absent has an OptionalType.

    `defaults` holds the values of fields that may be left out when a record is written, by name.
    """

    name: str
    fields: tuple[tuple[str, Type], ...]
    defaults: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        return self.name

    def field(self, name: str) -> Type | None:
        """Return the type of a field, or None if there is no such field.

        >>> RecordType("line", (("sku", TEXT),)).field("sku") is TEXT
        True
        """
        for key, type_ in self.fields:
            if key == name:
                return type_
        return None


@dataclass(frozen=True, slots=True)
class MapType:
    """Text keys to values of one type."""

    value: Type

    def __str__(self) -> str:
        return f"map of {self.value}"


@dataclass(frozen=True, slots=True)
class OptionalType:
    """A value that may be missing; a missing one is unknown. Never nested."""

    item: Type

    def __str__(self) -> str:
        return f"optional {self.item}"


@dataclass(frozen=True, slots=True)
class Hole:
    """The type of what could not be typed; it fits everywhere, so that one mistake is told once."""

    def __str__(self) -> str:
        return "unknown"


Type = ScalarType | MoneyType | EnumType | ListType | RecordType | MapType | OptionalType | Hole

BOOL: Final = ScalarType("bool")
INT: Final = ScalarType("int")
DECIMAL: Final = ScalarType("decimal")
TEXT: Final = ScalarType("text")
TIMESTAMP: Final = ScalarType("timestamp")
DURATION: Final = ScalarType("duration")
DATE: Final = ScalarType("date")
PERIOD: Final = ScalarType("period")
WINDOW: Final = ScalarType("window")
MONEY: Final = MoneyType()
HOLE: Final = Hole()

#: The types that an author may name, by their names.
NAMED: Final[dict[str, Type]] = {
    **{t.name: t for t in (BOOL, INT, DECIMAL, TEXT, TIMESTAMP, DURATION, DATE, PERIOD)},
    "money": MONEY,
}


def required(type_: Type) -> Type:
    """Return the type of the value when it is there.

    >>> str(required(OptionalType(TEXT)))
    'text'
    """
    return type_.item if isinstance(type_, OptionalType) else type_


def optional(type_: Type) -> Type:
    """Return the type of a value that may be missing; optional twice is optional once.

    >>> str(optional(optional(TEXT)))
    'optional text'
    """
    return type_ if isinstance(type_, OptionalType) else OptionalType(type_)
