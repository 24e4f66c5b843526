"""A library of policies: which one serves a case, and which version of it is in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from .allowed import Allowed, declared
from .diagnostics import did_you_mean
from .errors import AmbiguousPolicy, RuleError, UnknownPolicy
from .literal import Misfit
from .policy import CompiledPolicy
from .publishing.bundle import Bundle, open_bundle
from .publishing.loading import Loaded, load_policies
from .publishing.versions import is_in_force, most_specific
from .rules.condition import holds
from .stepping.intake import read_facts, reading_of

#: Of how many policies it is told why they cannot read the facts of a case; of more, only their names are.
_TOLD: Final = 3


@dataclass(slots=True)
class Library(Loaded):
    """The policies of some files and folders. Mistakes of authors are in `diagnostics`, never raised."""

    @classmethod
    def load(cls, *paths: Path | str) -> Library:
        """Read, check and compile every policy in some files and folders.

        In a folder every `*.yaml` file below it counts; files that hold `cases` are scenarios, and are only checked.
        A policy that one of them extends is also looked for beside it.
        """
        return load_policies(paths, cls)

    @classmethod
    def check(cls, *paths: Path | str) -> Library:
        """Do what `load` does to find mistakes, and no more: no case can be opened with what it returns.

        Holidays of countries are not made, which takes longer than everything else, so there are no bundles and no digests.
        """
        return load_policies(paths, cls, dates=False)

    @classmethod
    def of_bundles(cls, *bundles: Bundle) -> Library:
        """Return a library of bundles, for cases whose files are long gone."""
        policies = tuple(open_bundle(bundle) for bundle in bundles)
        return cls(policies=policies, bundles={b.digest(): b for b in bundles})

    def get(self, name: str, version: str | None = None) -> CompiledPolicy:
        """Return a policy by its name, and its version where there are several.

        Raises:
            UnknownPolicy: there is none, or more than one.
        """
        named = [policy for policy in self.policies if policy.ref.name == name]
        found = [policy for policy in named if version in (None, policy.ref.version)]
        if len(found) == 1:
            return found[0]
        if found:
            versions = ", ".join(sorted(policy.ref.version for policy in found))
            raise UnknownPolicy(f"`{name}` has several versions ({versions}); say which")
        hint = did_you_mean(name, [policy.ref.name for policy in self.policies])
        broken = "; some policies have errors, see `diagnostics`" if self.diagnostics else ""
        wanted = f"`{name}`" if version is None else f"version {version} of `{name}`"
        raise UnknownPolicy(f"the library has no policy {wanted}{broken}" + (f"; {hint}" if hint else ""))

    def events(self, name: str, version: str | None = None) -> tuple[Allowed, ...]:
        """Return every event that a policy declares, whatever state a case is in: what an API is made of.

        Raises:
            UnknownPolicy: as `get`.
        """
        return declared(self.get(name, version))

    def choose(self, facts: Mapping[str, Any], at: datetime, name: str | None = None) -> CompiledPolicy:
        """Return the policy that takes a case: by name, or by `serves`, in the version in force.

        Of policies that both take it, an overlay comes before whatever it is laid over.

        Args:
            facts: what the case opens with, as a host gives them.
            at: the opening instant; a policy may choose its version by a fact instead.
            name: of the policy, when the host knows it.
        Raises:
            UnknownPolicy: none takes it.
            AmbiguousPolicy: more than one does, and none of them is laid over the others.
            Misfit: the fact that chooses the version of the named policy is no instant.
        """
        candidates = [p for p in self.policies if p.ref.name == name] if name else list(self.policies)
        if name and not candidates:
            return self.get(name)
        if name:
            found = tuple(policy for policy in candidates if is_in_force(policy, facts, at))
        else:
            found = most_specific([policy for policy in candidates if takes(policy, facts, at)])
        if len(found) == 1:
            return found[0]
        what = f"version of `{name}`" if name else "policy"
        if not found:
            others = "" if name else f"; the library has {self._others(facts, at)}"
            raise UnknownPolicy(f"no {what} takes a case with these facts at {at.isoformat()}{others}")
        names = ", ".join(f"{policy.ref.name} {policy.ref.version}" for policy in found)
        raise AmbiguousPolicy(f"more than one {what} takes this case: {names}")

    def _others(self, facts: Mapping[str, Any], at: datetime) -> str:
        """Return the policies that there are, each with what keeps it from reading these facts, if these are few."""
        misfits = {policy.ref.name: why for policy in self.policies if (why := _misfit(policy, facts, at))}
        told = misfits if len(misfits) <= _TOLD else {}
        names = sorted({policy.ref.name for policy in self.policies})
        return ", ".join(f"{name} ({told[name]})" if name in told else name for name in names) or "none"


def takes(policy: CompiledPolicy, facts: Mapping[str, Any], at: datetime) -> bool:
    """Return whether a policy is in force for a case with these facts, and takes it.

    One whose `serves` says nothing takes every case it can read.
    """
    try:
        return _takes(policy, facts, at)
    except (Misfit, RuleError):
        return False


def _takes(policy: CompiledPolicy, facts: Mapping[str, Any], at: datetime) -> bool:
    if not is_in_force(policy, facts, at):
        return False
    if policy.serves is None:
        # What it would ask for is no fact, and so no reason not to take the case: scenarios give it beside facts.
        asked = {*policy.lookups, *policy.balances}
        read_facts(policy, {name: value for name, value in facts.items() if name not in asked}, at)
        return True
    return holds(policy.serves, reading_of(policy, facts, at)) is True


def _misfit(policy: CompiledPolicy, facts: Mapping[str, Any], at: datetime) -> str | None:
    """Return why a policy cannot read these facts, or None where it can."""
    try:
        _takes(policy, facts, at)
    except Misfit as misfit:
        return f"{misfit}: {misfit.hint}" if misfit.hint else str(misfit)
    except RuleError:
        return None
    return None
