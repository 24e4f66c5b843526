"""Cases of a scenario file as a migration would find them: what another version would make of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from ..case import Case
from ..engine import Engine
from ..errors import AmendsError
from ..library import Library
from ..policy import CompiledPolicy
from ..publishing.migration import MigrationPreview, takes_over
from .read import ScenarioCase
from .run import open_case, play

Fate = Literal["moves", "stays", "closed", "not asked", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What a migration would do to a case of a file."""

    case: ScenarioCase
    at: datetime
    #: `moves` and `stays` come with a preview. A case is `closed` where it stands in final states only, and `not asked` where
    #: no version takes over cases of its own.
    fate: Fate
    #: The policy that it is under; None where it could not be played.
    policy: CompiledPolicy | None = None
    timezone: str | None = None
    preview: MigrationPreview | None = None
    error: str | None = None


def try_migration(
    case: ScenarioCase, library: Library, *, at: datetime | None = None, version: str | None = None
) -> Tried:
    """Play a case up to an instant, and say what would become of it then; nothing is kept.

    Args:
        case: of a file; one that is not open by then is an error.
        library: the versions, the one that takes cases over among them.
        at: when; the last event or expectation of the case where left out.
        version: that takes it over, where several would.
    """
    end = at or max([*(event.at for event in case.events), *(item.at for item in case.expect)])
    engine = Engine(library)
    try:
        if end < case.opens_at:
            return Tried(case=case, at=end, fate="error", error="the case is not open by then")
        opened = open_case(case, engine)
        play(engine, opened.id, (event for event in case.events if event.at <= end))
        engine.run_due(end)
    except AmendsError as problem:
        return Tried(case=case, at=end, fate="error", error=str(problem))
    now, policy = engine.case(opened.id), engine.policy_of(opened.id)
    known = Tried(case=case, at=end, fate="not asked", policy=policy, timezone=now.timezone)
    if _is_closed(policy, now):
        return replace(known, fate="closed")
    takers = [taker for taker in library.policies if takes_over(taker, now)]
    versions = [taker.ref.version for taker in takers if version in (None, taker.ref.version)]
    if len(versions) > 1:
        names = ", ".join(versions)
        return replace(known, fate="error", error=f"several versions take it over ({names}); say which")
    if not versions:
        return known
    preview = engine.preview_migration(opened.id, versions[0], at=end)
    fate: Fate = "moves" if preview.refused is None else "stays"
    return replace(known, fate=fate, preview=preview)


def _is_closed(policy: CompiledPolicy, case: Case) -> bool:
    return all(leg.states[case.legs[leg.name]].final is not None for leg in policy.legs)
