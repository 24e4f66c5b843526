"""Why a step did what it did, as JSON data: reasons as sentences, rules with their sources, and what each condition saw."""

from __future__ import annotations

from typing import Any

from ..calendar import zone
from ..case import Case
from ..policy import CompiledPolicy
from ..publishing.citing import cited
from ..step import Due, Event, Migrate, Open, Step, Trace, unsure
from ..stepping.messages import Messages
from .plain import plain, stamp
from .text import Speech


def speech(policy: CompiledPolicy | None, timezone: str | None, language: str) -> Speech:
    """Return how a case is spoken of: in its zone, by its policy's sentences."""
    return Speech(
        language=language,
        zone=None if timezone is None else zone(timezone),
        reasons={} if policy is None else policy.reasons,
    )


def told(step: Step) -> tuple[str, str]:
    """Return who gave a step its input, and what it was."""
    match step.input:
        case Event(name=name, actor=actor):
            return actor, name
        case Due(timer=timer):
            return "clock", timer
        case Migrate(actor=actor, policy=ref):
            return actor, f"goes on under {ref.version}"
        case _:
            return "host", "opens the case"


def why_data(step: Step, say: Speech) -> dict[str, Any]:
    """Return why a step moved nothing, or what it moved."""
    who, what = told(step)
    return {
        "seq": step.seq,
        "at": stamp(step.at, say.zone),
        "who": who,
        "what": what,
        "verdict": step.verdict,
        "reason": None
        if step.reason is None
        else {"code": step.reason.code, "text": say.sentence(step.reason)},
        "rule": None if step.reason is None else step.reason.rule,
        "missing": list(step.missing),
        "moves": [{"leg": m.leg, "from": m.source, "to": m.target, "rule": m.rule} for m in step.moves],
        "trace": [
            trace_data(trace, say) for trace in (unsure(step) if step.verdict == "applied" else step.trace)
        ],
    }


def full_why(policy: CompiledPolicy, case: Case, step: Step, said: Messages, language: str) -> dict[str, Any]:
    """Return everything that a step did, and why.

    Args:
        policy: what the case is pinned to.
        case: instants carry the offset of its zone.
        step: sensitive values in it are left out where they are sealed.
        said: what its effects say.
        language: of the sentences.
    """
    say = speech(policy, case.timezone, language)
    arrived = step.input
    given = arrived.facts if isinstance(arrived, Open) else arrived.data if isinstance(arrived, Event) else {}
    return {
        "case": case.id,
        **why_data(step, say),
        "fired_at": stamp(arrived.fired_at, say.zone) if isinstance(arrived, Due) else None,
        "occurred_at": stamp(arrived.occurred_at, say.zone) if isinstance(arrived, Event) else None,
        "data": plain(given, say.zone),
        "decision": plain(step.decision, say.zone),
        "sources": [
            {"name": source.name, "cite": source.cite, "read": source.read}
            for source in cited(policy, step, step.reason.rule if step.reason else None)
        ],
        "trace": [trace_data(trace, say) for trace in step.trace],
        "effects": [
            {
                "key": effect.key,
                "kind": effect.kind,
                "data": plain(effect.data, say.zone),
                "texts": {name: say.sentence(reason) for name, reason in said.get(effect.key, {}).items()},
            }
            for effect in step.effects
        ],
        "needs_human": step.changes.needs_human,
    }


def trace_data(trace: Trace, say: Speech) -> dict[str, Any]:
    """Return a candidate that was looked at as JSON data."""
    return {
        "rule": trace.rule,
        "result": trace.result,
        "clauses": [
            {"text": clause.text, "value": clause.value, "saw": plain(clause.saw, say.zone)}
            for clause in trace.clauses
        ],
    }
