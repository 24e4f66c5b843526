"""Versions of policies: which of them an instant chooses, whether they follow one another, and which of several is nearest to a case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import combinations, pairwise
from typing import Any, Final

from ..case import PolicyRef
from ..diagnostics import Diagnostics, Place
from ..document import Node
from ..literal import read_literal
from ..policy import CompiledPolicy
from ..read.shape import at

_EVER: Final = datetime.min.replace(tzinfo=UTC)


def is_in_force(policy: CompiledPolicy, facts: Mapping[str, Any], at: datetime) -> bool:
    """Return whether a version takes new cases at the instant that decides: a fact's, or the opening's where it is missing.

    Args:
        policy: one version.
        facts: what the case opens with, as a host gives them.
        at: the opening instant.
    Raises:
        Misfit: the fact that decides is no instant.
    """
    rule = policy.in_force
    given = None if rule.decided_by is None else facts.get(rule.decided_by)
    instant = at
    if given is not None and rule.decided_by is not None:
        instant = read_literal(given, policy.facts[rule.decided_by].type, path=(rule.decided_by,))
    return (rule.starts is None or rule.starts <= instant) and (rule.until is None or instant < rule.until)


def most_specific(policies: Sequence[CompiledPolicy]) -> tuple[CompiledPolicy, ...]:
    """Return the policies that no other of them is laid over, directly or through others.

    Whichever version of its base an overlay is written over, it comes before every version of it. Versions of one name
    are never told apart in this way: only the instant that decides does.
    """
    names = [{name for name, _ in policy.extends} - {policy.ref.name} for policy in policies]
    return tuple(policy for policy in policies if not any(policy.ref.name in others for others in names))


def check_versions(
    policies: Iterable[CompiledPolicy], nodes: Mapping[PolicyRef, Node], diagnostics: Diagnostics
) -> None:
    """Report where the versions of one policy do not follow one another: two at once, none, or by different instants.

    Args:
        policies: of a library.
        nodes: the document of each.
        diagnostics: takes the findings.
    """
    places = {ref: _begins(node) for ref, node in nodes.items()}
    names: dict[str, list[CompiledPolicy]] = {}
    for policy in sorted(policies, key=lambda policy: policy.in_force.starts or _EVER):
        names.setdefault(policy.ref.name, []).append(policy)
    for versions in names.values():
        for earlier, later in combinations(versions, 2):
            _check_pair(earlier, later, places, diagnostics)
        if not _gives_way(versions, names):
            _check_gaps(versions, places, diagnostics)


def _begins(node: Node) -> Place:
    """Return where a policy says from when on it is in force."""
    return (at(at(node, "in_force"), "from") or at(node, "version") or node).place


def _check_pair(
    earlier: CompiledPolicy,
    later: CompiledPolicy,
    places: Mapping[PolicyRef, Place],
    diagnostics: Diagnostics,
) -> None:
    first, second = earlier.in_force, later.in_force
    related = [(f"version `{earlier.ref.version}`", places[earlier.ref])]
    place, name = places[later.ref], later.ref.name
    if first.decided_by != second.decided_by:
        told = [f"`{rule.decided_by}`" if rule.decided_by else "the opening" for rule in (first, second)]
        message = (
            f"version `{later.ref.version}` of `{name}` is chosen by {told[1]}, and version `{earlier.ref.version}` "
            f"by {told[0]}, so a case may find two in force, or none"
        )
        hint = "let one fact decide for every version: `decided_by`"
        diagnostics.add("AM111", place, message, hint=hint, related=related)
    elif first.until is None or second.starts is None or second.starts < first.until:
        message = (
            f"version `{later.ref.version}` of `{name}` is in force while version "
            f"`{earlier.ref.version}` is, so no case can be opened then"
        )
        hint = "end the earlier one with `until`, which is exclusive, where the later one begins"
        diagnostics.add("AM110", place, message, hint=hint, related=related)


def _check_gaps(
    versions: Sequence[CompiledPolicy], places: Mapping[PolicyRef, Place], diagnostics: Diagnostics
) -> None:
    """Report where one version ends before the next begins."""
    for before, later in pairwise(versions):
        until, starts = before.in_force.until, later.in_force.starts
        alike = before.in_force.decided_by == later.in_force.decided_by
        if alike and until is not None and starts is not None and until < starts:
            message = (
                f"no version of `{later.ref.name}` is in force from {until.isoformat()} until {starts.isoformat()}, "
                "so no case can be opened then"
            )
            hint = "let the earlier one end where this one begins"
            related = [(f"version `{before.ref.version}` ends", places[before.ref])]
            diagnostics.add("AM111", places[later.ref], message, hint=hint, related=related)


def _gives_way(versions: Sequence[CompiledPolicy], names: Iterable[str]) -> bool:
    """Return whether a policy is laid over another one that takes the cases which it does not."""
    return any(name in names for policy in versions for name, _ in policy.extends if name != policy.ref.name)
