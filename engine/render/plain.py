"""Values as plain JSON for programs that read reports: no type tags, no floats, instants with the case's own offset.

The journal keeps its own, exact form (values.py); this one is for looking at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from ..money import decimal_text
from ..values import Sealed, Unknown, Value, Window


def plain(value: Value, zone: ZoneInfo | None = None) -> Any:
    """Return a value as JSON: amounts, fractions, periods and instants are text.

    >>> plain({"share": Fraction("12.5"), "tries": 2, "contact": None})
    {'share': '12.5', 'tries': 2, 'contact': None}
    """
    match value:
        case None | bool() | str() | int():
            return value
        case Fraction():
            return decimal_text(value)
        case datetime():
            return stamp(value, zone)
        case date():
            return value.isoformat()
        case timedelta():
            return f"{value // timedelta(seconds=1)}s"
        case Unknown():
            return {"unknown": sorted(value.missing)}
        case Sealed():
            return {"sensitive": True}
        case Window():
            return {"opens": plain(value.opens, zone), "closes": plain(value.closes, zone)}
        case list() | tuple():
            return [plain(item, zone) for item in value]
        case Mapping():
            return {str(key): plain(item, zone) for key, item in value.items()}
    return str(value)


def stamp(instant: datetime, zone: ZoneInfo | None = None) -> str:
    """Write an instant to the second, with the offset that a zone has then.

    >>> stamp(datetime(2026, 3, 6, 1, 0, tzinfo=UTC))
    '2026-03-06T01:00:00+00:00'
    """
    return instant.astimezone(zone or UTC).isoformat(timespec="seconds")


def dumped(data: Any) -> str:
    r"""Write JSON that is the same on every machine: sorted keys, ASCII, a line end.

    >>> dumped({"b": "退", "a": []})
    '{\n  "a": [],\n  "b": "\\u9000"\n}\n'
    """
    return json.dumps(data, indent=2, sort_keys=True, allow_nan=False) + "\n"


def lined(data: Any) -> str:
    r"""Write JSON as one line, that is the same on every machine: for lists that are read line by line.

    >>> lined({"b": "退", "a": []})
    '{"a":[],"b":"\\u9000"}\n'
    """
    return json.dumps(data, separators=(",", ":"), sort_keys=True, allow_nan=False) + "\n"
