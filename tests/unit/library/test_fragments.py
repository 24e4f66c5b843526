"""Fragments: states that policies share, with arguments, in the files of fragments/."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
import yaml

from amends.engine.engine import Engine
from amends.engine.errors import InvalidValue
from amends.engine.library import Library
from amends.engine.publishing.bundle import Bundle, open_bundle

HERE = Path(__file__).parent / "fragments"
CASES = yaml.safe_load((HERE / "cases.yaml").read_text(encoding="utf-8"))
SHOP = """\
amends: 1
policy: shop
version: "1"
roles: [buyer, shop]
events: {{ask: {{by: buyer}}, agree: {{by: shop}}}}
legs:
  claim:
    states:
      new: {{initial: true, on: {{ask: asked}}}}
      asked: {{sla: {{answer: {{due: 2 days, breach: {{to: agreed}}}}}}, on: {{agree: agreed}}}}
      agreed: {{sla: {{all: {{due: 60 days, breach: {{to: done}}}}}}}}
      done: {{final: true}}
  back:
    include: {include}
    with: {with}
{more}"""
RIGHT = {"include": "parcel", "with": '{may_send: claim.state == "agreed"}', "more": ""}
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Library]:
    """Return what writes some files beside fragments/parcel.yaml, and loads shop.yaml."""

    def of(files: dict[str, Any] | None = None, *, whole: bool = False) -> Library:
        (tmp_path / "fragments").mkdir(exist_ok=True)
        shutil.copy(HERE / "parcel.yaml", tmp_path / "fragments" / "parcel.yaml")
        for name, content in {"shop.yaml": {}, **(files or {})}.items():
            text = content if isinstance(content, str) else SHOP.format(**{**RIGHT, **content})
            (tmp_path / name).write_text(text, encoding="utf-8")
        return Library.load(tmp_path if whole else tmp_path / "shop.yaml")

    return of


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_mistake_is_found_at_its_place(
    case: dict[str, Any], load: Callable[..., Library], tmp_path: Path
) -> None:
    library = load(case["files"])
    told = [
        f"{Path(item.place.file).relative_to(tmp_path)}:{item.place.line}:{item.place.column} {item.code} {item.message}"
        + (f" ({item.hint})" if item.hint else "")
        for item in library.diagnostics
    ]
    wanted = case["finds"]
    assert [said[: len(part)] for said, part in zip_longest(told, wanted, fillvalue="")] == wanted, told
    assert len(library.policies) == (0 if wanted else 1)


def test_a_fragment_is_checked_where_no_policy_includes_it(load: Callable[..., Library]) -> None:
    alone = 'amends: 1\nfragment: alone\nversion: "1"\nargs: {a: period}\nstates: {one: {finel: true}}\n'
    library = load({"alone.yaml": alone}, whole=True)
    assert [(item.code, item.place.line) for item in library.diagnostics] == [("AM501", 4), ("AM101", 5)]
    assert len(library.files) == 3


def test_names_begin_with_the_leg_and_the_vocabulary_is_the_policys(load: Callable[..., Library]) -> None:
    more = '  forth: {include: parcel, with: {may_send: "true", hand_in: send}}\n'
    (policy,) = load({"shop.yaml": {"more": more}}).policies
    claim, back, forth = policy.legs
    assert list(claim.states) == ["new", "asked", "agreed", "done"]
    assert list(back.states) == ["back_at_home", "back_under_way", "back_received", "back_lost"]
    assert list(forth.states) == ["forth_at_home", "forth_under_way", "forth_received", "forth_lost"]
    assert forth.states["forth_at_home"].on.keys() == {"send"}
    assert (back.initial, back.states["back_under_way"].slas[0].breach[0].outcome.to) == (
        "back_at_home",
        "back_lost",
    )
    assert [role for role in policy.roles if role != "host"] == ["buyer", "shop", "carrier", "warehouse"]
    assert set(policy.events) == {"ask", "agree", "hand_in", "send", "receive"}
    assert policy.reasons["back_lost"].text == {"en": "The parcel did not arrive, and $5 are owed."}
    assert {e.name: (e.leg, e.states) for e in policy.escalations} == {
        "back_found": ("back", frozenset({"back_at_home"})),
        "forth_found": ("forth", frozenset({"forth_at_home"})),
    }


def test_the_policy_wins_over_what_it_includes(load: Callable[..., Library]) -> None:
    more = "    states: {back_under_way: {sla: {transit: {due: 3 days}}}}\nevents_: {}\n"
    shop = SHOP.format(**{**RIGHT, "more": more}).replace("events_: {}\n", "")
    shop = shop.replace("agree: {by: shop}}", "agree: {by: shop}, receive: {by: shop}}")
    (policy,) = load({"shop.yaml": shop}).policies
    assert policy.events["receive"].by == ("shop",)
    assert [item.name for item in policy.events["receive"].fields] == ["condition"]
    (clock,) = policy.legs[1].states["back_under_way"].slas
    assert (str(clock.due.steps[0].period), clock.breach[0].outcome.alarm) == ("3 days", ("warehouse",))


def test_an_expression_stands_in_brackets_inside_another(load: Callable[..., Library]) -> None:
    either = '{may_send: claim.state == "agreed" || claim.state == "done"}'
    (policy,) = load({"shop.yaml": {"with": either}}).policies
    condition: Any = policy.legs[1].states["back_at_home"].on["hand_in"][0].condition
    assert condition.checked.text == '(claim.state == "agreed" || claim.state == "done") && size("back") > 0'


def test_a_group_among_states_begins_with_its_name_and_is_not_initial(load: Callable[..., Library]) -> None:
    group = (
        'amends: 1\nfragment: details\nversion: "1"\nargs: {next: name}\nroles: [clerk]\nevents: {give: {by: clerk}}\n'
        "states:\n  asked: {initial: true, sla: {wait: {due: 2 days, breach: {to: gone}}}, on: {give: $next}}\n"
        "  gone: {final: true}\n"
    )
    policy = (
        'amends: 1\npolicy: shop\nversion: "1"\nroles: [buyer]\nevents: {ask: {by: buyer}}\nstates:\n'
        "  new: {initial: true, on: {ask: bank_asked}}\n  bank: {include: details, with: {next: paid}}\n"
        "  paid: {final: true}\n"
    )
    library = load({"shop.yaml": policy, "details.yaml": group})
    assert library.diagnostics == ()
    (found,) = library.policies
    assert list(found.legs[0].states) == ["new", "bank_asked", "bank_gone", "paid"]
    assert found.legs[0].initial == "new"


def test_a_name_that_is_given_is_the_policys_though_the_fragment_has_one_like_it(
    load: Callable[..., Library],
) -> None:
    group = (
        'amends: 1\nfragment: twice\nversion: "1"\nargs: {next: name, late: {type: name, default: gone}}\n'
        "states:\n  asked: {initial: true, always: {to: $next}, sla: {x: {due: 2 days, breach: {to: $late}}}}\n"
        "  done: {final: true}\n  gone: {final: true}\n"
    )
    policy = (
        'amends: 1\npolicy: shop\nversion: "1"\nroles: [buyer]\nevents: {ask: {by: buyer}}\nstates:\n'
        "  new: {initial: true, on: {ask: a_asked}}\n  a: {include: twice, with: {next: done}}\n"
        "  done: {final: true}\n"
    )
    (found,) = load({"shop.yaml": policy, "twice.yaml": group}).policies
    asked = found.legs[0].states["a_asked"]
    assert asked.always[0].outcome.to == "done"
    assert asked.slas[0].breach[0].outcome.to == "a_gone"


def test_an_overlay_may_give_other_arguments(load: Callable[..., Library], tmp_path: Path) -> None:
    over = (
        'amends: 1\npolicy: shop.north\nversion: "1"\nextends: {policy: shop, version: "1"}\n'
        "legs: {back: {with: {wait: 3 days}}}\n"
    )
    load({"north.yaml": over})
    library = Library.load(tmp_path / "north.yaml")
    assert library.diagnostics == ()
    (clock,) = library.policies[0].legs[1].states["back_under_way"].slas
    assert str(clock.due.steps[0].period) == "3 days"


def test_the_text_of_a_fragment_is_part_of_the_bundle_and_of_both_digests(
    load: Callable[..., Library], tmp_path: Path
) -> None:
    (policy,) = (library := load()).policies
    kept = library.bundles[policy.ref.bundle]
    text = (HERE / "parcel.yaml").read_text(encoding="utf-8")
    assert kept.fragments == {"parcel": text}
    again = Bundle.from_bytes(kept.to_bytes())
    shutil.rmtree(tmp_path / "fragments")
    assert open_bundle(again).ref == policy.ref
    longer = Bundle(texts=kept.texts, holidays={}, fragments={"parcel": text.replace("10 days", "11 days")})
    assert open_bundle(longer).ref.bundle != policy.ref.bundle
    assert open_bundle(longer).ref.model != policy.ref.model
    with pytest.raises(InvalidValue, match="does not hold the fragment `parcel`"):
        open_bundle(Bundle(texts=kept.texts, holidays={}))


def test_a_bundle_without_fragments_has_the_bytes_that_it_always_had() -> None:
    assert "fragments" not in json.loads(Bundle(texts=("a",), holidays={}).to_bytes())


def test_a_case_runs_through_the_states_of_a_fragment(load: Callable[..., Library]) -> None:
    engine = Engine(load())
    case = engine.open("shop", {}, at=NOON)
    assert engine.send(case.id, "hand_in", by="carrier:1", at=NOON).refusal is not None
    engine.send(case.id, "ask", by="buyer:1", at=NOON)
    engine.send(case.id, "agree", by="shop:1", at=NOON)
    sent = engine.send(case.id, "hand_in", by="carrier:1", at=NOON)
    assert sent.case.legs == {"claim": "agreed", "back": "back_under_way"}
    assert str(sent.deadlines["transit"]) == "2026-03-12 23:59:59+00:00"
