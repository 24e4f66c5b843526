"""Evaluating: the fast path where there is one, the reference wherever that one gives up.

An expression gets its function when it has been evaluated a few times: most of a policy's never are within one command.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ..values import Value
from .again import Again, Known, Refused
from .checked import Checked
from .explain import Seen
from .frame import Env
from .generate import generate
from .interpret import interpret

#: Making a function costs as much as so many evaluations without it; so many, where they are explained.
WARM: Final = 64
WARM_WATCHED: Final = 32
_NEVER: Final = -(2**62)


def evaluate(checked: Checked, env: Env, variables: Mapping[str, Value] | None = None) -> Value:
    """Return the value of an expression, or Unknown with the paths that are missing.

    Args:
        checked: the expression.
        env: what it sees of the case.
        variables: values of the names that the scope declared as variables.
    Raises:
        RuleError: a part failed, and nothing made up for it; the message names the part.
    """
    compiled = checked.compiled
    function = compiled.plain
    if function is None and (function := _function(checked, watched=False)) is None:
        return interpret(checked, env, variables)
    if compiled.calls:
        env = Again(env)
    try:
        known = env.known  # type: ignore[attr-defined] # it need not be there
    except AttributeError:
        known = Known(env)
    try:
        value = function(known, env, variables)
    except Exception as error:  # noqa: BLE001 - whatever it is, the reference finds it again, and says it better
        value, env = None, _after(error, env)
    return _by_reference(checked, env, variables) if value is None else value


def observe(
    checked: Checked, env: Env, variables: Mapping[str, Value] | None = None
) -> tuple[Value, Seen | None]:
    """Return the value of a condition, and what `explain` needs to tell why; None if that one has to look for itself.

    Arguments and failures are those of `evaluate`.
    """
    compiled = checked.compiled
    function = compiled.watched
    if function is None and (function := _function(checked, watched=True)) is None:
        return interpret(checked, env, variables), None
    if compiled.calls:
        env = Again(env)
    try:
        known = env.known  # type: ignore[attr-defined] # as above
    except AttributeError:
        known = Known(env)
    try:
        found: tuple[Value, Seen | None] | None = function(known, env, variables)
    except Exception as error:  # noqa: BLE001 - as above
        found, env = None, _after(error, env)
    return (_by_reference(checked, env, variables), None) if found is None else found


def _after(error: Exception, env: Env) -> Env:
    """Return an environment that fails as it did, if it did."""
    return Again.after(error, env) if isinstance(error, Refused) else env


def _by_reference(checked: Checked, env: Env, variables: Mapping[str, Value] | None) -> Value:
    if isinstance(env, Again):
        env.repeat()
    return interpret(checked, env, variables)


def _function(checked: Checked, *, watched: bool) -> Callable[..., Any] | None:
    """Return the function of an expression, if it is time to make it."""
    compiled = checked.compiled
    compiled.evaluations += 1
    due = compiled.evaluations > (WARM_WATCHED if watched else WARM)
    return warm(checked, watched=watched) if due else None


def warm(checked: Checked, *, watched: bool = False) -> Callable[..., Any] | None:
    """Make the function of an expression now; gives None where Python cannot hold it."""
    generated = generate(checked, watched=watched)
    compiled = checked.compiled
    if generated is None:
        compiled.evaluations = _NEVER
        return None
    compiled.calls = generated.calls
    if watched:
        compiled.leaves = generated.leaves
        compiled.watched = generated.function
    else:
        compiled.plain = generated.function
    return generated.function
