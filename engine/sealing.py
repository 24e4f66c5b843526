"""Sealing a step: commitments to the sensitive values that stand in it, so that its journal entry holds none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from .journal import commitments, path_to
from .policy import RESULT_DATA, CompiledPolicy
from .step import Event, Open, Step
from .values import Sealed


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


def _in_input(policy: CompiledPolicy, step: Step) -> Iterator[str]:
    """Yield where sensitive values stand in an input; what nothing declares may be one, and is taken for it."""
    arrived = step.input
    if isinstance(arrived, Open):
        yield from (f"input/open/facts/{name}" for name in arrived.facts if name in policy.sensitive)
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
    for name, value in step.changes.facts.items():
        if name in policy.sensitive and value is not None and not isinstance(value, Sealed):
            yield f"changes/facts/{name}"
        elif isinstance(value, Mapping):
            yield from (f"changes/facts/{name}/{key}" for key in value if f"{name}.{key}" in policy.sensitive)
