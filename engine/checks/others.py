"""What the other legs of a policy may do to what is surely there in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..expression.flow import Keys
from ..policy import CompiledPolicy
from .paths import NONE
from .ways import Way


class Others:
    """What other legs than one may do to it: between its own moves, and within a step that moves them too."""

    def __init__(self, policy: CompiledPolicy, found: Sequence[Way], home: Mapping[str, str]) -> None:
        self.policy = policy
        self._ways = {
            leg.name: [way for way in found if home[way.source] != leg.name and way.outcome.refuse is None]
            for leg in policy.legs
        }
        computed = {*policy.defines, *policy.tables, *policy.moments, *policy.payouts}
        self._computed = frozenset(computed)
        self._left: dict[tuple[str, str | None], frozenset[str]] = {}

    def heard(self, leg: str) -> set[str]:
        """Return the events that other legs listen to."""
        return {way.event for way in self._ways[leg] if way.event}

    def losing(self, leg: str, key: str, event: str | None) -> Way | None:
        """Return a way of another leg on which a key may get lost, rather one on the same event."""
        name, _, field = key.partition(".")
        found = [way for way in self._ways[leg] if name in cleared_by(way)]
        kept = {event.name: event.keep_as for event in self.policy.events.values()}
        if field:
            found += [way for way in self._ways[leg] if name in {way.event, kept.get(way.event or "")}]
        return next((way for way in found if way.event == event), found[0] if found else None)

    def leave(self, leg: str, present: Keys, *, event: str | None = None) -> Keys:
        """Return what is still there once other legs have acted.

        Args:
            leg: the one that is followed.
            present: what was there.
            event: the one whose step it is, in which others may have acted before; else any time may have passed.
        """
        if (leg, event) not in self._left:
            acting = [way for way in self._ways[leg] if event is None or way.event == event]
            cleared = frozenset(name for way in acting for name in cleared_by(way))
            self._left[leg, event] = cleared | self._computed if acting else NONE
        gone = self._left[leg, event]
        return frozenset(key for key in present if key.partition(".")[0] not in gone) if gone else present


def cleared_by(way: Way) -> list[str]:
    """Return the facts that a way clears."""
    return [name for name, term in way.outcome.sets if term is None]
