"""Moments as an author writes them, as text or as a map, read into compiled moments.

    30 days after delivered_at                  {after: delivered_at, within: 30 days}
    exactly 5 days before check_in              {before: check_in, within: 5 days, ends: same_time}
                                                {later_of: [2 days after sent_at, "promised, if any"]}

What is exported here is all that other rooms need of moments. Spec: docs/language.md, "Moments".
"""

from __future__ import annotations

from typing import Final, cast, get_args

from .calendar import zone_names
from .counting import Finished, before, closing, count, due_again, left, opening
from .diagnostics import did_you_mean
from .document import Fields, Items, Node, Scalar
from .period import Direction, Ends, Roll
from .rules.compiled_moment import DEFAULT_CALENDAR, Choice, CompiledMoment, MomentEnv, Part, evaluate_moment
from .rules.condition import Context
from .rules.moment_parts import GIVEN, Almanac, Counted, Length, Parts, Reads, Rules, Start
from .rules.moment_text import (
    DIRECTIONS,
    Span,
    keyword,
    looks_like_period,
    moment_hint,
    speaks_of_period,
    stray_word,
    without_if_any,
    without_prefix,
)

__all__ = [
    "DEFAULT_CALENDAR",
    "Almanac",
    "CompiledMoment",
    "Finished",
    "MomentEnv",
    "before",
    "closing",
    "count",
    "due_again",
    "evaluate_moment",
    "left",
    "opening",
    "read_moment",
]

#: What a map counts from stands under one of these.
HEADS: Final = (*DIRECTIONS, "later_of", "earlier_of")
_KEYS: Final = (*HEADS, "within", "ends", "roll", "calendar", "timezone")
#: What stands once, around all maps of a moment.
_OUTERMOST: Final = ("ends", "roll", "timezone")


def read_moment(
    node: Node, context: Context, *, almanac: Almanac, given: bool = False
) -> CompiledMoment | None:
    """Read a moment, as text or as a map.

    Args:
        node: where it is written.
        context: the names that it may use, and the list that findings go to.
        almanac: the declared calendars, and what the case's zone is computed from.
        given: whether it may leave out what it counts from, since `evaluate_moment` is given that. Then a period alone
            is a moment too (counted `after`), a text may end in `after`, `from` or `before`, and a map may have `within`
            and nothing to count from.
    Returns:
        The moment, or None with at least one finding.
    """
    reader = _Reader(context, almanac, given=given)
    moment = reader.moment(node, Rules())
    return None if reader.failed else moment


class _Reader(Parts):
    """Reads moments, in the one form or the other."""

    def moment(self, node: Node, rules: Rules) -> CompiledMoment | None:
        if isinstance(node, Fields):
            return self.outline(node, rules)
        span = self.span(node, "a moment", "30 days after X")
        return self.text(span, rules) if span else None

    # --- the text form ----------------------------------------------------------------------------------------------

    def text(self, span: Span, rules: Rules) -> CompiledMoment | None:
        if span.text.startswith("="):
            return self.alone(span.cut(1), rules)
        skip, span = without_if_any(span)
        if skip:
            self.add("AM207", skip.place, "only a part of `later_of` can be skipped", "leave out `, if any`")
        found = keyword(span)
        if found is None:
            return self.alone(span, rules)
        direction, word = found
        ends, head = without_prefix(span.cut(0, word.start - span.start))
        tail = span.cut(word.end - span.start)
        start = self.counted_from(tail, word)
        length = self.period(head) if head.text else None
        if not head.text:
            hint = f"write `30 days {direction} {tail.text or 'X'}`"
            self.add("AM207", word.place, f"`{direction}` needs a period before it", hint)
        if start is None or length is None:
            return None
        if direction == "before" and ends is None and not length.exact:
            hint = f"write `exactly {span.text}`, or begin with `end of day` or `start of day`"
            self.add("AM207", span.place, "counting whole days back leaves open when the day ends", hint)
        return self.made(self.step(Counted(start), direction, length, rules), rules, ends=ends)

    def counted_from(self, span: Span, word: Span) -> Start | None:
        """Return what stands behind `after`, `from` or `before`."""
        if not span.text:
            if self.given:
                return GIVEN
            message = f"`{word.text}` does not say what to count from"
            self.add("AM207", word.place, message, "name a timestamp or a date after it")
            return None
        return self.single(span)

    def single(self, span: Span) -> Start | None:
        """Read one anchor, which is neither a period nor counted itself."""
        nested = keyword(span)
        if nested:
            hint = "write the inner moment as a map, or give it a name under `moments`"
            self.add(
                "AM207", nested[1].place, f"`{nested[0]}` cannot stand within what is counted from", hint
            )
            return None
        start = self.anchor(span)
        if isinstance(start, Length):
            message = f"`{span.text}` is a period, and counting starts from a timestamp or a date"
            self.add("AM202", span.place, message)
            return None
        return start

    def alone(self, span: Span, rules: Rules) -> CompiledMoment | None:
        """Read a text that has no `after`, `from` or `before`."""
        ends, rest = without_prefix(span)
        if self.given and (ends or looks_like_period(rest)):
            start: Start | Length | None = self.period(rest)
        elif ends or looks_like_period(span) or speaks_of_period(span):
            self.unread(span)
            return None
        else:
            start = self.anchor(span)
        if start is None:
            return None
        if isinstance(start, Start):
            return self.made(Counted(start), rules)
        if self.given:
            return self.made(self.step(Counted(GIVEN), "after", start, rules), rules, ends=ends)
        hint = f"write `{span.text} after X`, where X is a timestamp or a date"
        self.add("AM207", span.place, f"`{span.text}` says how long, and not from when", hint)
        return None

    def unread(self, span: Span) -> None:
        """Say why a text that speaks of a period, or of an end of day, is not a moment."""
        stray = stray_word(span)
        place, hint = (stray[0].place, stray[1]) if stray else (span.place, moment_hint(span.text))
        self.add("AM207", place, f"`{span.text}` does not say what to count from", hint)

    # --- the map form -----------------------------------------------------------------------------------------------

    def outline(self, fields: Fields, rules: Rules) -> CompiledMoment | None:
        """Read a map with the maps inside it."""
        rules = self.rules(fields, rules)
        ends = cast("Ends | None", self.choose(fields, "ends", get_args(Ends)))
        roll = cast("Roll", self.choose(fields, "roll", get_args(Roll)) or "none")
        if roll != "none":
            self.declared(rules.calendar, cast("Node", fields.get("roll")).place, "business days")
        counted = self.chain(fields, rules)
        if counted is None:
            return None
        back = counted.steps and counted.steps[-1].direction == "before"
        if back and ends is None and counted.last and not counted.last.exact:
            hint = "add `ends: same_time`, `ends: end_of_day` or `ends: start_of_day`"
            message = "counting whole days back leaves open when the day ends"
            self.add("AM207", counted.last.place, message, hint)
        return self.made(counted, rules, ends=ends, roll=roll)

    def choose(self, fields: Fields, key: str, choices: tuple[str, ...]) -> str | None:
        """Read one of a few words that stands under a key."""
        node = fields.get(key)
        span = self.span(node, f"the word for `{key}`", f"{key}: {choices[0]}") if node else None
        if span and span.text not in choices:
            self.add(
                "AM106",
                span.place,
                f"`{span.text}` cannot stand under `{key}`",
                did_you_mean(span.text, choices),
            )
            return None
        return span.text if span else None

    def rules(self, fields: Fields, rules: Rules) -> Rules:
        """Return the rules that stand around a map, with its own in their place."""
        calendar = self.named(fields, "calendar", self.almanac.names())
        timezone = self.named(fields, "timezone", zone_names())
        return Rules(calendar or rules.calendar, timezone or rules.timezone)

    def check_keys(self, fields: Fields) -> None:
        """Note the keys that a moment does not have, and those that cannot stand together."""
        heads = [key for key, _ in fields.entries if key.text in HEADS]
        for key in heads[1:]:
            message = f"`{heads[0].text}` and `{key.text}` cannot stand together"
            self.add(
                "AM207",
                key.place,
                message,
                "put one map within the other, or give one a name under `moments`",
            )
        for key, _ in fields.entries:
            if key.text == "pause_while":
                hint = "a clock is paused, not a moment: put it beside `due`"
                self.add("AM207", key.place, "`pause_while` is not part of a moment", hint)
            elif key.text not in _KEYS:
                self.add(
                    "AM101", key.place, f"a moment has no key `{key.text}`", did_you_mean(key.text, _KEYS)
                )

    def chain(self, fields: Fields, rules: Rules) -> Counted | None:
        """Read what a map counts, from the innermost map outwards."""
        self.check_keys(fields)
        head, node = next(((key.text, node) for key, node in fields.entries if key.text in HEADS), ("", None))
        if node is None:
            if self.given:
                return self.counted(fields, "after", Counted(GIVEN), rules)
            hint = "one of " + ", ".join(f"`{name}`" for name in HEADS)
            self.add("AM103", fields.place, "the moment does not say what to count from", hint)
            return None
        if head in DIRECTIONS:
            return self.counted(fields, head, self.inner(node, rules), rules)
        if within := fields.key("within"):
            hint = f"put it around: `{{after: {{{head}: …}}, within: …}}`"
            self.add("AM207", within.place, f"`within` cannot stand beside `{head}`", hint)
        return self.choice(head, node, rules)

    def inner(self, node: Node, rules: Rules) -> Counted | None:
        """Read what a map counts from: a map again, or an anchor."""
        if not isinstance(node, Fields):
            span = self.span(node, "what to count from", "delivered_at")
            start = self.single(span.cut(1) if span.text.startswith("=") else span) if span else None
            return Counted(start) if start else None
        for key, _ in node.entries:
            if key.text in _OUTERMOST:
                hint = "move it to the outermost map, or give the inner moment a name under `moments`"
                self.add("AM207", key.place, f"`{key.text}` holds once, for the whole moment", hint)
        return self.chain(node, self.rules(node, rules))

    def counted(
        self, fields: Fields, direction: Direction, start: Counted | None, rules: Rules
    ) -> Counted | None:
        """Count the `within` of a map."""
        node = fields.get("within")
        if node is None:
            if all(key.text in _KEYS for key, _ in fields.entries):
                self.add("AM103", fields.place, "the moment has no `within`", "such as `within: 30 days`")
            return None
        span = self.span(node, "a period", "30 days")
        length = self.period(span.cut(1) if span.text.startswith("=") else span) if span else None
        return self.step(start, direction, length, rules) if start and length else None

    def choice(self, head: str, node: Node, rules: Rules) -> Counted | None:
        """Read the parts of `later_of` or `earlier_of`."""
        if not isinstance(node, Items) or not node.items:
            self.add(
                "AM102", node.place, "a list of moments is due here", f"such as `{head}: [2 days after X, Y]`"
            )
            return None
        parts = [self.part(item, rules) for item in node.items]
        known = tuple(part for part in parts if part)
        if len(known) < len(parts):
            return None
        ends = {part.moment.whole_day for part in known}
        return Counted(
            Start(
                base=Choice(pick="later" if head == "later_of" else "earlier", parts=known),
                uses=_uses(head, known),
                whole_day=ends.pop() if len(ends) == 1 else None,
            )
        )

    def part(self, node: Node, rules: Rules) -> Part | None:
        """Read one part; a text may end in `, if any`."""
        if not isinstance(node, Scalar):
            moment, skip = self.moment(node, rules), None
        else:
            span = self.span(node, "a moment", "30 days after X")
            if span is None:
                return None
            skip, rest = without_if_any(span)
            moment = self.text(rest, rules)
        return Part(moment=moment, if_any=skip is not None) if moment else None


def _uses(head: str, parts: tuple[Part, ...]) -> Reads:
    """Return what a choice reads, and what it may miss: `earlier_of` nothing, if one part is always known."""
    reads = frozenset[str]().union(*(part.moment.reads for part in parts))
    awaited = [part for part in parts if not part.if_any] if head == "later_of" else []
    misses = [part.moment.may_miss for part in awaited or parts]
    if not awaited and not all(misses):
        return Reads(reads)
    return Reads(reads, frozenset[str]().union(*misses))
