"""Why a condition is what it is: its leaves, in order, with what each saw."""

from __future__ import annotations

from typing import Any

from amends.engine.values import Unknown, parse_timestamp


def told(leaves: Any) -> list[tuple[str, Any]]:
    return [(leaf.text, leaf.value) for leaf in leaves]


def test_every_leaf_that_was_needed_is_told_in_order(library: Any) -> None:
    text = '!urgent && (tries > 3 || price > fee) && kind == "atlas"'
    assert told(library.leaves(text)) == [
        ("urgent", False),
        ("tries > 3", False),
        ("price > fee", True),
        ('kind == "atlas"', True),
    ]


def test_what_a_decided_condition_did_not_need_is_left_out(library: Any) -> None:
    assert told(library.leaves("urgent && tries > 3")) == [("urgent", False)]
    assert told(library.leaves("!urgent || tries > 3")) == [("urgent", False)]
    assert told(library.leaves("urgent ? tries > 3 : tries > 1")) == [("urgent", False), ("tries > 1", True)]


def test_a_leaf_names_what_it_saw(library: Any) -> None:
    (leaf,) = library.leaves("price - fee > half || false", half=library.value("fee"))[:1]
    assert leaf.saw == (
        ("fee", library.value("fee")),
        ("half", library.value("fee")),
        ("price", library.value("price")),
    )
    assert (leaf.start, leaf.end) == (0, 18)


def test_a_window_shows_itself_and_the_instant(library: Any) -> None:
    (leaf,) = library.leaves("claims.is_open", asked_at=parse_timestamp("2026-03-05T12:00:00Z"))
    assert [path for path, _ in leaf.saw] == ["claims", "now"]


def test_an_unknown_leaf_names_what_is_missing(library: Any, missing: Any) -> None:
    first, second = library.leaves("damage.amount > fee && sure")
    assert (first.value, dict(first.saw)["damage.amount"]) == (missing("damage"), missing("damage"))
    assert second.value == missing("sure")
    assert isinstance(library.leaves("sure ? tries > 1 : tries > 2")[0].value, Unknown)


def test_a_failing_leaf_says_so_and_the_others_are_still_told(library: Any) -> None:
    first, second = library.leaves("1 / (tries - 2) == 1 || urgent")
    assert (first.value, first.failed) == ("division by zero in `1 / (tries - 2)`", True)
    assert (second.value, second.failed) == (False, False)


def test_a_loop_is_one_leaf_and_shows_its_list(library: Any) -> None:
    (leaf,) = library.leaves("tags.exists(t, t == name)")
    assert leaf.value is False
    assert leaf.saw == (("name", "Ada"), ("tags", ("old", "rare")))


def test_a_condition_without_operators_is_its_own_leaf(library: Any) -> None:
    assert told(library.leaves("has(mark)")) == [("has(mark)", False)]
    assert told(library.leaves("tries + 1")) == [("tries + 1", 3)]


def test_a_source_that_fails_is_shown_as_failing(library: Any) -> None:
    (leaf,) = library.leaves("verdict(lines[7]).owed")
    assert leaf.failed
    assert dict(leaf.saw)["lines"] == library.value("lines")
