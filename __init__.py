"""Refund policies as versioned YAML, run by a generic state-machine engine.

Everything a host may touch is in `__all__`; names are found when they are first used, so that importing stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from amends.engine.case import Case, Reason
    from amends.engine.diagnostics import Diagnostic
    from amends.engine.engine import Engine, Sent
    from amends.engine.errors import (
        AmendsError,
        CorruptJournal,
        InvalidValue,
        OutOfOrder,
        UnknownCase,
        UnknownPolicy,
    )
    from amends.engine.library import Library
    from amends.engine.money import Money
    from amends.engine.step import Effect, Query, Step
    from amends.engine.version import VERSION as __version__  # noqa: N811 - the name that hosts know

_HOMES: Final[dict[str, str]] = {
    "AmendsError": "errors",
    "Case": "case",
    "CorruptJournal": "errors",
    "Diagnostic": "diagnostics",
    "Effect": "step",
    "Engine": "engine",
    "InvalidValue": "errors",
    "Library": "library",
    "Money": "money",
    "OutOfOrder": "errors",
    "Query": "step",
    "Reason": "case",
    "Sent": "engine",
    "Step": "step",
    "UnknownCase": "errors",
    "UnknownPolicy": "errors",
}

__all__ = [
    "AmendsError",
    "Case",
    "CorruptJournal",
    "Diagnostic",
    "Effect",
    "Engine",
    "InvalidValue",
    "Library",
    "Money",
    "OutOfOrder",
    "Query",
    "Reason",
    "Sent",
    "Step",
    "UnknownCase",
    "UnknownPolicy",
    "__version__",
]


def __getattr__(name: str) -> Any:
    """Return a public name from the room it lives in (PEP 562)."""
    if name == "__version__":
        return import_module("amends.engine.version").VERSION
    if name in _HOMES:
        return getattr(import_module(f"amends.engine.{_HOMES[name]}"), name)
    raise AttributeError(f"module `amends` has no attribute `{name}`")


def __dir__() -> list[str]:
    return sorted(__all__)
