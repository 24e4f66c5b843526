"""One evaluation: what it sees, what it may use up, and the three-valued logic that decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from ..errors import RuleError
from ..values import Unknown, Value
from .tokens import quoted
from .tree import Node

#: All loops of one evaluation together may turn so often.
MAX_TURNS: Final = 100_000


class Env(Protocol):
    """What an evaluation sees of the case."""

    @property
    def now(self) -> datetime:
        """The step's instant, in UTC."""

    @property
    def zone(self) -> ZoneInfo:
        """The case's time zone."""

    def value(self, name: str) -> Value:
        """Return the value of a declared name, or Unknown; may raise RuleError."""

    def call(self, name: str, arguments: tuple[Value, ...]) -> Value:
        """Return the output of a table with parameters, or Unknown; may raise RuleError."""


class PartFailed(RuleError):  # noqa: N818 - it is read as a statement
    """A rule failed, and its message already names the part."""


def tells_sensitive(env: object, path: str) -> bool:
    """Return whether what a path is worth may be made of a sensitive value; an environment that cannot say has none."""
    asked = getattr(env, "tells_sensitive", None)
    return asked is not None and bool(asked(path))


def discreet(error: RuleError, reads: Iterable[str], env: object) -> RuleError:
    """Return a failure as it may be written down: of a rule that reads sensitive values none is repeated.

    Which facts are missing is no value, and is told.
    """
    if type(error) in (RuleError, PartFailed) and any(tells_sensitive(env, path) for path in reads):
        return PartFailed("a rule failed on a sensitive value")
    return error


class Frame:
    """One evaluation: its text, its environment, its variables, and how often its loops have turned."""

    __slots__ = ("env", "text", "turns", "variables")

    def __init__(self, text: str, env: Env, variables: Mapping[str, Value]) -> None:
        self.text = text
        self.env = env
        self.variables = dict(variables)
        self.turns = 0

    def turn(self, node: Node) -> None:
        """Count one turn of a loop."""
        self.turns += 1
        if self.turns > MAX_TURNS:
            raise self.failed(f"the loops turn more than {MAX_TURNS} times", node)

    def failed(self, message: str, node: Node) -> RuleError:
        """Return the failure of a part, which the message names."""
        return PartFailed(f"{message} in {quoted(self.text[node.start : node.end], 120)}")


def missing_among(values: Iterable[Value]) -> Unknown | None:
    """Return what is missing among values, all of it, or None."""
    missing: Unknown | None = None
    for value in values:
        if type(value) is Unknown:
            missing = value if missing is None else missing | value
    return missing


def decide(parts: Iterable[Callable[[], Value]], deciding: bool) -> Value:  # noqa: FBT001 - one of the two truths
    """Return `&&` (`deciding` False) or `||` (True) of conditions: one that is `deciding` decides, whatever the others are.

    Else an unknown makes it unknown, and a failure beside it does not count; else a failure is raised.
    """
    missing: Unknown | None = None
    failure: RuleError | None = None
    for part in parts:
        try:
            value = part()
        except RuleError as error:
            failure = failure or error
            continue
        if value is deciding:
            return deciding
        if type(value) is Unknown:
            missing = value if missing is None else missing | value
    if missing is not None:
        return missing
    if failure is not None:
        raise failure
    return not deciding


def keyed(pairs: Iterable[tuple[str, Value]], node: Node, frame: Frame) -> dict[str, Value]:
    """Return a map of pairs whose keys differ."""
    found: dict[str, Value] = {}
    for key, value in pairs:
        if key in found:
            raise frame.failed(f"the key {quoted(key)} comes twice", node)
        found[key] = value
    return found
