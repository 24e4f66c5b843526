"""What the environment has already answered is not asked again when the reference takes over from the fast path.

Else a rule that fails would be computed twice wherever it is used, and once more at every name that is built on it.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from ..errors import RuleError
from ..values import Value
from .frame import Env, tells_sensitive


class Refused(Exception):  # noqa: N818 - it is read as a statement
    """The environment failed to give a name: which, and why."""

    def __init__(self, name: str, error: RuleError) -> None:
        super().__init__(name)
        self.name = name
        self.error = error


def ask(env: Env, name: str) -> Value:
    """Return the value of a name.

    Raises:
        Refused: the rule behind it failed.
    """
    try:
        return env.value(name)
    except RuleError as error:
        raise Refused(name, error) from None


class Known(dict[str, Value]):
    """Names known of an environment: each is asked for once."""

    __slots__ = ("env",)

    def __init__(self, env: Env) -> None:
        super().__init__()
        self.env = env

    def __missing__(self, name: str) -> Value:
        value = self[name] = ask(self.env, name)
        return value


class Again:
    """An environment that answers as another one did, and asks that one what it has not been asked.

    Names that are there are remembered by the other one, if it can; this one keeps the name that failed, and what calls
    of tables gave, in their order.
    """

    __slots__ = ("_answers", "_asked", "_env", "_failed")

    def __init__(self, env: Env) -> None:
        self._env = env
        self._answers: list[tuple[str, tuple[Value, ...], Value | RuleError]] = []
        self._asked = 0
        self._failed: dict[str, RuleError] = {}

    @property
    def now(self) -> datetime:
        """The step's instant."""
        return self._env.now

    @property
    def zone(self) -> ZoneInfo:
        """The case's time zone."""
        return self._env.zone

    def tells_sensitive(self, path: str) -> bool:
        """Return whether what a path is worth may be made of a sensitive value."""
        return tells_sensitive(self._env, path)

    def value(self, name: str) -> Value:
        """Return the value of a name, or fail as before."""
        if name in self._failed:
            raise self._failed[name]
        return self._env.value(name)

    def call(self, name: str, arguments: tuple[Value, ...]) -> Value:
        """Return the output of a table, or fail; a call that was made before at this place is not made again."""
        if self._asked == len(self._answers):
            self._answers.append((name, arguments, self._called(name, arguments)))
        before = self._answers[self._asked]
        if before[:2] != (name, arguments):
            return self._env.call(name, arguments)
        self._asked += 1
        if isinstance(before[2], RuleError):
            raise before[2]
        return before[2]

    def _called(self, name: str, arguments: tuple[Value, ...]) -> Value | RuleError:
        try:
            return self._env.call(name, arguments)
        except RuleError as error:
            return error

    def repeat(self) -> None:
        """Answer from the beginning, as before."""
        self._asked = 0

    @staticmethod
    def after(refused: Refused, env: Env) -> Again:
        """Return an environment that fails for a name as it did."""
        again = env if isinstance(env, Again) else Again(env)
        again._failed[refused.name] = refused.error  # noqa: SLF001 - its own
        return again
