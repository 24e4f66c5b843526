"""Refund policies as versioned YAML, run by a generic state-machine engine.

Everything a host may touch is in `__all__`; names are found when they are first used, so that importing stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from amends.engine.allowed import Allowed
    from amends.engine.async_engine import AsyncEngine
    from amends.engine.case import Case, Reason
    from amends.engine.cloud_event import cloud_event
    from amends.engine.diagnostics import Diagnostic
    from amends.engine.durable.delivery import Failed, Retries, Reversed, Settled
    from amends.engine.durable.listing import Page
    from amends.engine.durable.session import Limits
    from amends.engine.engine import Engine
    from amends.engine.errors import (
        AmbiguousPolicy,
        AmendsError,
        Conflict,
        CorruptJournal,
        InvalidValue,
        OutOfOrder,
        RuleError,
        StoreOutdated,
        StoreUnavailable,
        TooLarge,
        UnknownCase,
        UnknownPolicy,
    )
    from amends.engine.library import Library
    from amends.engine.money import Money
    from amends.engine.publishing.migration import MigrationPreview
    from amends.engine.sent import Sending, Sent
    from amends.engine.step import Effect, Query, Step
    from amends.engine.store.protocol import Delivery, Summary
    from amends.engine.version import VERSION as __version__  # noqa: N811 - the name that hosts know
    from amends.engine.worker import Worker

_HOMES: Final[dict[str, str]] = {
    "Allowed": "allowed",
    "AmbiguousPolicy": "errors",
    "AmendsError": "errors",
    "AsyncEngine": "async_engine",
    "Case": "case",
    "Conflict": "errors",
    "CorruptJournal": "errors",
    "Delivery": "store.protocol",
    "Diagnostic": "diagnostics",
    "Effect": "step",
    "Engine": "engine",
    "Failed": "durable.delivery",
    "InvalidValue": "errors",
    "Library": "library",
    "Limits": "durable.session",
    "MigrationPreview": "publishing.migration",
    "Money": "money",
    "OutOfOrder": "errors",
    "Page": "durable.listing",
    "Query": "step",
    "Reason": "case",
    "Retries": "durable.delivery",
    "Reversed": "durable.delivery",
    "RuleError": "errors",
    "Sending": "sent",
    "Sent": "sent",
    "Settled": "durable.delivery",
    "Step": "step",
    "StoreOutdated": "errors",
    "StoreUnavailable": "errors",
    "Summary": "store.protocol",
    "TooLarge": "errors",
    "UnknownCase": "errors",
    "UnknownPolicy": "errors",
    "Worker": "worker",
    "cloud_event": "cloud_event",
}

__all__ = [
    "Allowed",
    "AmbiguousPolicy",
    "AmendsError",
    "AsyncEngine",
    "Case",
    "Conflict",
    "CorruptJournal",
    "Delivery",
    "Diagnostic",
    "Effect",
    "Engine",
    "Failed",
    "InvalidValue",
    "Library",
    "Limits",
    "MigrationPreview",
    "Money",
    "OutOfOrder",
    "Page",
    "Query",
    "Reason",
    "Retries",
    "Reversed",
    "RuleError",
    "Sending",
    "Sent",
    "Settled",
    "Step",
    "StoreOutdated",
    "StoreUnavailable",
    "Summary",
    "TooLarge",
    "UnknownCase",
    "UnknownPolicy",
    "Worker",
    "__version__",
    "cloud_event",
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
