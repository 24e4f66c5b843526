"""Types as JSON Schema (2020-12), for whoever makes a form or an API of what may be sent.

What fits the schema of a type is read as a value of it (`literal` reads more: a host's own dates and amounts). Like all
schemas of text these say nothing of calendars: a 30th of February fits, and is refused when it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .literal import MAX_TEXT
from .period import UNITS
from .types import (
    EnumType,
    Hole,
    ListType,
    MapType,
    MoneyType,
    OptionalType,
    RecordType,
    ScalarName,
    ScalarType,
    Type,
    required,
)

Schema = dict[str, Any]

_AMOUNT: Final = r"-?[0-9]{1,18}(\.[0-9]{1,12})?"
#: Numbers that must stay exact are text: what reads JSON makes floats of others.
_SCALARS: Final[Mapping[ScalarName, Schema]] = {
    "bool": {"type": "boolean"},
    "int": {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
    "decimal": {"type": "string", "pattern": f"^{_AMOUNT}$", "examples": ["0.25"]},
    "text": {"type": "string", "maxLength": MAX_TEXT},
    "timestamp": {"type": "string", "format": "date-time", "examples": ["2026-03-05T20:00:00-05:00"]},
    "date": {"type": "string", "format": "date", "examples": ["2026-03-05"]},
    # Narrower than what is read: no fractions, and whatever fits is shorter than the longest duration.
    "duration": {
        "type": "string",
        "pattern": "^-?(?=[0-9])([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,9}s)?$",
        "examples": ["1h30m", "90s"],
    },
    "period": {
        "type": "string",
        "pattern": f"^[0-9]{{1,6}} (calendar day|{'|'.join(UNITS)})s?$",
        "examples": ["2 business days"],
    },
}
_MONEY: Final[Schema] = {
    "type": "string",
    "pattern": f"^{_AMOUNT}( [A-Z]{{3}})?$",
    "examples": ["42.50", "42.50 EUR"],
}


def schema_of(type_: Type) -> Schema:
    """Return the JSON Schema of a type's values; of an optional one, that of the values that are there.

    >>> schema_of(ListType(EnumType("proof", ("photo", "video")), limit=3))
    {'type': 'array', 'items': {'type': 'string', 'enum': ['photo', 'video']}, 'maxItems': 3}
    """
    match type_:
        case OptionalType(item):
            return schema_of(item)
        case EnumType(values=values):
            return {"type": "string", "enum": list(values)}
        case ListType(item, limit):
            return {"type": "array", "items": schema_of(item), "maxItems": limit}
        case MapType(value):
            return {"type": "object", "additionalProperties": schema_of(value)}
        case RecordType(fields=fields, defaults=defaults):
            optional = dict(defaults)
            return object_schema(
                {name: schema_of(field) for name, field in fields},
                [name for name, field in fields if name not in optional and field == required(field)],
            )
        case MoneyType():
            return dict(_MONEY)
        case ScalarType(name) if name in _SCALARS:
            return dict(_SCALARS[name])
        case ScalarType() | Hole():
            return {}


def object_schema(properties: Mapping[str, Schema], needed: list[str]) -> Schema:
    """Return the schema of an object that has these properties and no others, some of which it must have."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": needed,
        "additionalProperties": False,
    }
