"""What was probably meant by values that do not go together, judged by their types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ..errors import RuleError
from ..types import BOOL, DECIMAL, INT, TEXT, EnumType, MoneyType, Type
from .functions import ORDERINGS, OVERLOADS
from .tree import Apply, Constant, Node

#: How values are written that have no literal of their own.
_WRITTEN: Final[Mapping[str, str]] = {
    "date": 'a date is written `date("2026-03-05")`',
    "timestamp": 'an instant is written `timestamp("2026-03-05T12:00:00Z")`',
    "duration": 'a length of time is written `duration("72h")`',
    "period": 'a period is written `period("3 days")`',
    "money": 'an amount is written `money("5 USD")`',
}
_AMOUNT: Final = 'an amount names its currency, such as `money("5 USD")`; only `0` is money of any'
_MOMENT: Final = (
    "how long a period is depends on the calendar; declare a moment, such as `3 days after opened_at`"
)


def of_operator(name: str, nodes: Sequence[Node]) -> str | None:
    """Return the hint for what stands beside an operator: an amount and a number, or a comparison of a comparison."""
    kinds = {type(node.type) for node in nodes}
    number = next((node for node in nodes if node.type in (INT, DECIMAL)), None)
    if MoneyType in kinds and isinstance(number, Constant):
        return _AMOUNT
    if name in ORDERINGS and isinstance(nodes[0], Apply) and nodes[0].type == BOOL:
        return "compare twice: `1 < x && x < 3`"
    return None


def of_values(nodes: Sequence[Node]) -> str | None:
    """Return the hint for two values of which one is a time, or a quoted text."""
    names = {_name(node.type) for node in nodes}
    if "period" in names and names & {"timestamp", "date"}:
        return _MOMENT
    if names == {"timestamp", "date"}:
        return "`date(…)` is the local date of a timestamp"
    if len(nodes) == 2 and "int" in names and (times := names & {"date", "timestamp", "duration", "period"}):
        return _WRITTEN[times.pop()]
    return _of_text(*nodes) or _of_text(*reversed(nodes)) if len(nodes) == 2 else None


def of_due(node: Node, wanted: Type) -> str | None:
    """Return the hint for a value where one of another type is due."""
    if isinstance(node, Constant) and isinstance(wanted, MoneyType) and node.type in (INT, DECIMAL):
        return _AMOUNT
    if isinstance(node.type, EnumType) and isinstance(wanted, EnumType):
        return "two enums are different types, even if names are alike; declare one under `types`, and name it in both places"
    kind = _name(wanted)
    if node.type == TEXT and isinstance(node, Constant):
        return _meant(str(node.value), kind) or _WRITTEN.get(kind)
    return None


def _of_text(node: Node, other: Node) -> str | None:
    """Return the hint for a text beside a value of another type."""
    kind = _name(other.type)
    if node.type != TEXT or kind == "text":
        return None
    if isinstance(node, Constant) and (hint := _meant(str(node.value), kind) or _WRITTEN.get(kind)):
        return hint
    return "`string(…)` makes a text of a value" if _is_scalar(other.type) else None


def _meant(text: str, kind: str) -> str | None:
    """Return how a value is written that was quoted as a text."""
    if kind in ("int", "decimal", "bool") and _reads(kind, text):
        return f"write `{text}` without quotes"
    if kind in ("date", "timestamp") and _reads("period", text):
        return _MOMENT
    return f'write `{kind}("{text}")`' if _reads(kind, text) else None


def _is_scalar(type_: Type) -> bool:
    """Return whether `string(…)` takes a type."""
    return f"string({_name(type_)})" in OVERLOADS


def _reads(kind: str, text: str) -> bool:
    """Return whether text can be read as a value of a type."""
    row = OVERLOADS.get(f"{kind}(text)")
    try:
        return row is not None and row.run(text) is not None
    except RuleError:
        return False


def _name(type_: Type) -> str:
    """Return the name of a type, whatever its currency."""
    return "money" if isinstance(type_, MoneyType) else str(type_)
