"""What effects say to people: the reasons among their fields, with the values that their sentences speak of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..case import Case, Reason
from ..policy import CompiledPolicy
from ..step import Effect
from ..types import required
from .work import Work

#: By the key of an effect, and by its field.
Messages = Mapping[str, Mapping[str, Reason]]


def messages(policy: CompiledPolicy, case: Case, effects: Iterable[Effect]) -> Messages:
    """Return what the effects of a step say.

    Args:
        policy: what the case was pinned to.
        case: as the step left it.
        effects: of the step.
    """
    work = Work(policy, case, case.at)
    return {
        effect.key: {
            name: work.because(str(effect.data[name]), rule=None) for name in _saying(policy, effect)
        }
        for effect in effects
    }


def _saying(policy: CompiledPolicy, effect: Effect) -> Iterator[str]:
    """Yield the fields of an effect that hold a reason of the policy."""
    for field in policy.effects.get(effect.kind, ()):
        if str(required(field.type)) == "reason" and effect.data.get(field.name) in policy.reasons:
            yield field.name
