"""Why something may be missing: how a case may come to stand where it is demanded without it."""

from __future__ import annotations

from collections import deque

from .presence import Presence
from .ways import Way


def why_missing(presence: Presence, key: str, state: str, event: str | None = None) -> str:
    """Return how a case may come to stand in a state without a path, by the shortest way there is."""
    if presence.of_window(key):
        return "a window gives a reason only outside of it, by `early` and `late`"
    if said := presence.told.get(key.partition(".")[0] if "." in key else ""):
        return f"`{said}` may come without it"
    if _brings(presence, event, key):
        return f"`{event}` may come without it"
    if key in presence.standing[state]:
        return "it may be gone by then"
    if other := presence.others.losing(presence.home[state], key, event):
        when = "clears it in the same step" if event == other.event else "may have cleared it"
        if _brings(presence, other.event, key):
            when = f"may have taken `{other.event}` without it"
        return f"`{other.candidate.id}` in the leg `{presence.home[other.source]}` {when}"
    into: dict[str, list[Way]] = {}
    for way in presence.ways:
        if way.outcome.refuse is None and way.source in presence.standing:
            into.setdefault(way.target or way.source, []).append(way)
    waiting: deque[tuple[str, ...]] = deque([(state,)])
    seen = {state}
    while waiting:
        trail = waiting.popleft()
        if trail[0] in presence.initial and key not in presence.opened:
            named = " → ".join(f"`{name}`" for name in trail)
            return f"nothing on the way {named} ensures it" if trail[1:] else f"nothing in {named} ensures it"
        for way in into.get(trail[0], ()):
            if key not in presence.after(way, frozenset({key})):
                lost = f"`{way.event}` may come without it"
                return lost if _brings(presence, way.event, key) else f"`{way.candidate.id}` clears it"
            if key not in presence.after(way) and way.source not in seen:
                seen.add(way.source)
                waiting.append((way.source, *trail))
    return "nothing ensures it"


def _brings(presence: Presence, event: str | None, key: str) -> bool:
    """Return whether a path is a field of the record that an event leaves."""
    rule = presence.policy.events.get(event or "")
    name, _, field = key.partition(".")
    return rule is not None and bool(field) and name in {rule.name, rule.keep_as}
