"""Bundles: a policy as bytes that need nothing else, and the two digests that cases are pinned to."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amends.engine.document import Fields, Items, Node, Scalar, read_text, walk
from amends.engine.errors import InvalidValue
from amends.engine.library import Library
from amends.engine.policy import CompiledPolicy
from amends.engine.publishing.bundle import Bundle, model_of, open_bundle

TEXT = """
amends: 1
policy: loans
version: v1
title: Loans
roles: {reader: someone who reads, desk: {en: the desk, de: die Theke}}
sources: {house: {cite: page 3, read: primary, says: all of it}}
types: {item: {title: text, says: {type: text, default: ""}}}
facts:
  title: {type: text, default: none, says: of the book}
  items: {type: list of item, default: []}
  says: {type: int, default: 0}
params: {limit: {is: 3, source: house, says: so many}}
reasons: {full: {en: "No more than {limit}.", de: "Nicht mehr als {limit}."}, plain: Some words.}
calendars: {business: [2026-12-24]}
events:
  ask: {by: reader, data: {title: text, says: {type: int, default: 0, says: how often}}, says: to borrow}
  give: {by: desk}
effects: {tell: {title: text, says: text}}
sla: {whole: {due: 9 days, says: all of it, breach: {alarm: desk}}, other: {due: 8 days, breach: {alarm: desk}}}
states:
  open:
    initial: true
    says: it is open
    sla: {says: {due: 2 business days, says: a clock of that name, breach: {to: done}}}
    on:
      ask: [{when: says + size(items) > limit, refuse: full}, {set: {title: ask.title, says: says + 1}, reason: plain}]
      give: {to: done, do: [{tell: {title: =title, says: over}}]}
  done: {final: true, says: it is done}
"""

#: What only people read, as docs/semantics.md and the schema have it.
LABELS = re.compile(
    r"title(/.*)?"
    r"|roles/[^/]+(/.*)?"
    r"|reasons/[^/]+(/.*)?"
    r"|(sources|facts|events|params|states|sla|payouts)/[^/]+/says(/.*)?"
    r"|(events/[^/]+/data|states/[^/]+/sla)/[^/]+/says(/.*)?"
)


def policy_of(text: str) -> CompiledPolicy:
    return open_bundle(Bundle(texts=(text,), holidays={}))


def node_of(text: str) -> Node:
    node, found = read_text(text, "policy.yaml")
    assert node is not None, found
    return node


def scalars(node: Node, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Scalar]:
    """Return every scalar of a document by its path."""
    match node:
        case Scalar():
            return {path: node}
        case Fields():
            inner = [(key.text, value) for key, value in node.entries]
        case Items():
            inner = [(str(i), value) for i, value in enumerate(node.items)]
    return {found: scalar for name, value in inner for found, scalar in scalars(value, (*path, name)).items()}


def changed(node: Node, path: tuple[str, ...], text: str) -> Node:
    """Return a document with another text at a path."""
    match node:
        case Scalar():
            return replace(node, text=text, value=text)
        case Fields():
            return replace(
                node,
                entries=tuple(
                    (key, changed(value, path[1:], text) if key.text == path[0] else value)
                    for key, value in node.entries
                ),
            )
        case Items():
            return replace(
                node,
                items=tuple(
                    changed(item, path[1:], text) if str(i) == path[0] else item
                    for i, item in enumerate(node.items)
                ),
            )


PATHS = sorted(scalars(node_of(TEXT)))


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(PATHS), st.text("abc ", min_size=1, max_size=3))
def test_every_text_counts_in_the_model_but_those_that_only_people_read(
    path: tuple[str, ...], text: str
) -> None:
    node = node_of(TEXT)
    other = changed(node, path, text)
    same = text == scalars(node)[path].text or LABELS.fullmatch("/".join(path)) is not None
    assert (model_of(other, {}) == model_of(node, {})) == same, path


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("title: Loans", "title: {en: Loans, de: Leihen}", True),
        ("title: Loans\n", "", True),
        (", says: to borrow", "", True),
        ("    says: it is open\n", "", True),
        ("reader: someone who reads", "reader: whoever reads", True),
        (
            "roles: {reader: someone who reads, desk: {en: the desk, de: die Theke}}",
            "roles: [reader, desk]",
            True,
        ),
        ("plain: Some words.", "plain: Other words.", True),
        ('de: "Nicht mehr als {limit}."', 'de: "Hoechstens {limit}."', True),
        ('de: "Nicht mehr als {limit}."', 'de: "Nicht mehr."', True),
        ('{en: "No more than {limit}.", de: "Nicht mehr als {limit}."}', '"No more."', False),
        ("says: {type: int, default: 0}", "says: {type: int, default: 1}", False),
        ("title: {type: text, default: none,", "title: {type: text, default: any,", False),
        ("{title: text, says: {type: int", "{title: text, says: {type: decimal", False),
        ("tell: {title: text, says: text}", "tell: {title: text, says: optional text}", False),
        ("title: =title, says: over", "title: =title, says: under", False),
        ("{when: says + size(items) > limit, refuse: full}, ", "", False),
        ("due: 9 days", "due: 10 days", False),
        ("[2026-12-24]", "[2026-12-25]", False),
        ("cite: page 3", "cite: page 4", False),
        ("version: v1", "version: v2", False),
    ],
)
def test_labels_do_not_change_the_model_and_what_has_their_names_does(
    old: str, new: str, *, same: bool
) -> None:
    assert TEXT.count(old) == 1
    policy, other = policy_of(TEXT), policy_of(TEXT.replace(old, new))
    assert policy.ref.bundle != other.ref.bundle
    assert (policy.ref.model == other.ref.model) == same


def test_the_order_of_clocks_counts_for_they_fire_in_it() -> None:
    lines = TEXT.split("\n")
    at = next(i for i, line in enumerate(lines) if line.startswith("sla:"))
    one = "whole: {due: 9 days, says: all of it, breach: {alarm: desk}}"
    two = "other: {due: 8 days, breach: {alarm: desk}}"
    assert lines[at] == f"sla: {{{one}, {two}}}"
    lines[at] = f"sla: {{{two}, {one}}}"
    assert policy_of("\n".join(lines)).ref.model != policy_of(TEXT).ref.model


def test_comments_and_spaces_change_the_bundle_and_not_the_model() -> None:
    noted = TEXT.replace("facts:", "# what is known\nfacts:   # of a case")
    assert policy_of(noted).ref.model == policy_of(TEXT).ref.model
    assert policy_of(noted).ref.bundle != policy_of(TEXT).ref.bundle


def test_digests_are_the_same_every_time() -> None:
    assert policy_of(TEXT).ref == policy_of(TEXT).ref


# --- bytes --------------------------------------------------------------------------------------------------------------

expanded = st.tuples(st.frozensets(st.dates(), max_size=3), st.dates(), st.dates())
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)


@given(st.lists(texts, max_size=3).map(tuple), st.dictionaries(texts, expanded, max_size=2))
def test_a_bundle_that_is_written_is_read_as_the_same_bundle(
    written: tuple[str, ...], holidays: dict[str, tuple[frozenset[date], date, date]]
) -> None:
    bundle = Bundle(texts=written, holidays=holidays)
    read = Bundle.from_bytes(bundle.to_bytes())
    assert read == bundle
    assert read.digest() == bundle.digest()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"texts": [], "holidays": {"US": {}}}',
        b'{"texts": 5, "holidays": {}}',
        b'{"texts": "ab", "holidays": {}}',
        b'{"texts": [1], "holidays": {}}',
        b'{"texts": [], "holidays": {"US": {"dates": ["x"], "first": "2026-01-01", "last": "2026-01-01"}}}',
        b"\xff",
        b"[" * 100_000,
    ],
    ids=lambda data: data[:30].decode(errors="replace"),
)
def test_bytes_that_are_no_bundle_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidValue, match="not a bundle"):
        Bundle.from_bytes(data)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "does not hold a sound policy"),
        ("- a", "does not hold a sound policy"),
        (TEXT.replace("version: v1\n", ""), "does not hold a sound policy"),
        (TEXT.replace("to: done, do", "to: dune, do"), "there is no state `dune`"),
    ],
)
def test_a_bundle_that_holds_no_sound_policy_cannot_be_opened(text: str, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        policy_of(text)


def test_an_error_is_told_before_any_warning() -> None:
    text = TEXT.replace("facts:\n", "facts:\n  unused: optional text\n").replace("due: 9 days", "due: 9 dayz")
    with pytest.raises(InvalidValue) as raised:
        policy_of(text)
    assert "unused" not in str(raised.value)


def test_a_bundle_without_a_text_is_no_policy() -> None:
    with pytest.raises(InvalidValue, match="does not hold a sound policy"):
        open_bundle(Bundle(texts=(), holidays={}))


def test_what_is_opened_from_a_bundle_is_what_was_loaded(root: Path) -> None:
    library = Library.load(root / "policies", root / "examples")
    assert len(library.policies) >= 4
    for policy in library.policies:
        bundle = library.bundles[policy.ref.bundle]
        opened = open_bundle(Bundle.from_bytes(bundle.to_bytes()))
        assert opened.ref == policy.ref
        assert bundle.digest() == policy.ref.bundle
        for name in ("facts", "events", "params", "sensitive", "size", "in_force", "roles"):
            assert plainly(getattr(opened, name)) == plainly(getattr(policy, name))
    again = Library.of_bundles(*library.bundles.values())
    assert {policy.ref for policy in again.policies} == {policy.ref for policy in library.policies}


def plainly(value: Any) -> str:
    """Return a record as text, without the places that name its file."""
    return re.sub(r"place=Place\(.*?\)", "", repr(value))


def test_a_bundle_brings_the_dates_that_its_codes_stood_for(root: Path) -> None:
    library = Library.load(root / "policies" / "tiktok_shop" / "us.yaml")
    (bundle,) = library.bundles.values()
    assert "2026-12-25" in json.loads(bundle.to_bytes())["holidays"]["US"]["dates"]
    fewer = {
        code: (dates - {date(2026, 12, 25)}, first, last)
        for code, (dates, first, last) in bundle.holidays.items()
    }
    opened = open_bundle(replace(bundle, holidays=fewer))
    assert opened.ref.model != library.policies[0].ref.model
    assert opened.ref.bundle != library.policies[0].ref.bundle


def test_every_scalar_of_the_text_was_looked_at() -> None:
    assert len(PATHS) == sum(isinstance(node, Scalar) for _, node in walk(node_of(TEXT)))
