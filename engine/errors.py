"""Exceptions that a host can cause. What an author can cause is a diagnostic, never one of these."""

from __future__ import annotations


class AmendsError(Exception):
    """The root of every exception that amends raises on purpose; its docstring is its default text."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip().splitlines()[0])


class InvalidValue(AmendsError, ValueError):  # noqa: N818 - a host reads it as a statement
    """A value is not of its declared type; pass one that is."""


class RuleError(AmendsError):
    """A rule failed while it was computed: division by zero, overflow, a missing key, mixed currencies."""


class CorruptJournal(AmendsError):  # noqa: N818
    """A journal entry does not fit the chain before it; restore it from a copy."""


class UnknownPolicy(AmendsError, LookupError):  # noqa: N818
    """No policy of that name, version or digest is in the library; load the folder that holds it."""


class AmbiguousPolicy(UnknownPolicy):
    """More than one policy takes the case, and none of them extends the others; name one, or narrow what they serve."""


class UnknownCase(AmendsError, LookupError):  # noqa: N818
    """There is no case of that id; open it first."""


class OutOfOrder(AmendsError):  # noqa: N818
    """An input is older than the case, or a timer due before it has not fired; fire what is due first."""


class TooLarge(InvalidValue):
    """The data are larger than the engine's limits allow; send less, or raise the limit."""


class Conflict(AmendsError):  # noqa: N818
    """Others kept changing the same case first; do the call again, with the same key if it has one."""


class StoreUnavailable(AmendsError):  # noqa: N818
    """The database does not answer or cannot write; mend it, and do the call again with the same key."""


class StoreOutdated(AmendsError):  # noqa: N818
    """The tables are not those of this version of amends; run `amends store upgrade`, or the version that made them."""
