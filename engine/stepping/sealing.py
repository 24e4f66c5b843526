"""Sealing a step: commitments to the sensitive values that stand in it, so that its journal entry holds none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ..journal import commitments, path_to
from ..policy import RESULT_DATA, CompiledPolicy
from ..step import Event, Migrate, Open, Step
from ..values import Sealed, Value


def seal(step: Step, policy: CompiledPolicy, secret: bytes, paths: Iterable[str] = ()) -> Step:
    """Return the step with a commitment to each sensitive value in it.

    Args:
        step: as it was made.
        policy: says what is sensitive.
        secret: the case's key.
        paths: where sensitive values stand in its effects.
    """
    found = [*paths, *_in_input(policy, step), *_in_changes(policy, step)]
    return replace(step, sealed=commitments(step, found, secret)) if found else step


def open_to_all(step: Step, at: str, data: Mapping[str, Value]) -> Mapping[str, Value]:
    """Return data that stands at a path of a step, sealed where the journal only commits to it."""
    return {key: _shown(step, f"{at}/{key}", value) for key, value in data.items()}


def _shown(step: Step, path: str, value: Value) -> Value:
    if isinstance(value, Mapping) and path not in step.sealed:
        return open_to_all(step, path, value)
    hides = any(sealed == path or sealed.startswith(f"{path}/") for sealed in step.sealed)
    return Sealed("") if hides else value


def _in_input(policy: CompiledPolicy, step: Step) -> Iterator[str]:
    """Yield where sensitive values stand in an input; what nothing declares may be one, and is taken for it."""
    arrived = step.input
    if isinstance(arrived, Open):
        yield from (f"input/open/facts/{name}" for name in arrived.facts if name in policy.sensitive)
    elif isinstance(arrived, Migrate):
        yield from _within(policy, "input/migrate/facts", arrived.facts)
    elif isinstance(arrived, Event):
        rule = policy.events.get(arrived.name)
        if rule is not None:
            declared = {item.name: item.sensitive for item in rule.fields}
        elif arrived.name.partition(".")[0] in policy.payouts:
            declared = dict.fromkeys(RESULT_DATA.get(arrived.name.partition(".")[2], ()), False)
        else:
            declared = {}
        yield from (
            path_to("input", "event", "data", name) for name in arrived.data if declared.get(name, True)
        )


def _in_changes(policy: CompiledPolicy, step: Step) -> Iterator[str]:
    yield from _within(policy, "changes/facts", step.changes.facts)


def _within(policy: CompiledPolicy, path: str, facts: Mapping[str, Value]) -> Iterator[str]:
    """Yield where sensitive values stand among facts and records that are written at a path."""
    for name, value in facts.items():
        if name in policy.sensitive and value is not None and not isinstance(value, Sealed):
            yield f"{path}/{name}"
        elif isinstance(value, Mapping):
            yield from (f"{path}/{name}/{key}" for key in value if f"{name}.{key}" in policy.sensitive)
