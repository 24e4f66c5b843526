"""Laws of cases with several legs, on the example that has three: whatever arrives, in whichever order legs are declared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amends.engine.case import Case
from amends.engine.decide import decide
from amends.engine.evolve import evolve, rebuild
from amends.engine.journal import entry_of, read_entry, vault_of
from amends.engine.policy import CompiledPolicy
from amends.engine.publishing.bundle import Bundle, open_bundle
from amends.engine.step import Due, Event, Input, Open, Step

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECRET = b"s" * 32
EVENTS = {
    "ask_return": ("buyer", {"amount": "80.00"}),
    "agree": ("shop", {}),
    "reject": ("shop", {}),
    "withdraw": ("buyer", {}),
    "hand_in": ("carrier", {}),
    "receive": ("shop", {}),
    "inspect": ("shop", {"worth": "0.5"}),
    "dispute_opened": ("bank", {}),
    "dispute_won": ("bank", {}),
    "dispute_lost": ("bank", {}),
    "refund.settled": ("host", {}),
    "refund.reversed": ("host", {}),
}

scripts = st.lists(
    st.tuples(st.sampled_from([*EVENTS, "agree", "hand_in"]), st.sampled_from([0, 1, 24, 80, 300])),
    max_size=10,
)
settled = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def with_legs_in_every_order(text: str) -> Iterator[str]:
    """Yield a policy whose last section is `legs`, with its legs in each of their orders."""
    head, _, body = text.partition("\nlegs:\n")
    legs = re.split(r"(?m)^(?=  \w+:$)", body)[1:]
    assert len(legs) == 3
    for order in permutations(legs):
        yield f"{head}\nlegs:\n{''.join(order)}"


@pytest.fixture(scope="session")
def policies(root: Path) -> list[CompiledPolicy]:
    """Return the example with its legs in every order, the declared one first."""
    text = (root / "examples" / "return_by_parcel.yaml").read_text(encoding="utf-8")
    found = [open_bundle(Bundle(texts=(order,), holidays={})) for order in with_legs_in_every_order(text)]
    assert len({policy.ref.bundle for policy in found}) == 6
    return found


def played(policy: CompiledPolicy, script: list[tuple[str, int]], *, trusted: bool) -> list[Step]:
    """Return the steps of a case, timers included."""
    steps: list[Step] = []
    case: Case | None = None

    def take(arrived: Input) -> Case:
        step = decide(policy, case, arrived)
        assert isinstance(step, Step)
        steps.append(step)
        return evolve(case, step)

    facts: dict[str, Any] = {"delivered_at": NOON.isoformat(), "paid": "100.00", "trusted": trusted}
    case = take(Open(case_id="c", policy=policy.ref, facts=facts, recorded_at=NOON, secret=SECRET))
    now = NOON
    for name, hours in script:
        now += timedelta(hours=hours)
        while case.timers and case.timers[0].fires_at <= now:
            timer = case.timers[0]
            case = take(Due(timer=timer.id, fires_at=timer.fires_at, fired_at=now))
        role, data = EVENTS[name]
        case = take(
            Event(name=name, data=data, actor=f"{role}:1", role=role, occurred_at=now, recorded_at=now)
        )
    return steps


@settled
@given(script=scripts, trusted=st.booleans())
def test_in_which_order_legs_are_declared_changes_nothing_but_the_order_of_moves(
    policies: list[CompiledPolicy],
    script: list[tuple[str, int]],
    trusted: bool,  # noqa: FBT001 - drawn
) -> None:
    first, *others = (played(policy, script, trusted=trusted) for policy in policies)
    for steps in others:
        for mine, theirs in zip(first, steps, strict=True):
            assert mine.verdict == theirs.verdict
            assert mine.changes == theirs.changes
            assert set(mine.moves) == set(theirs.moves)
            assert sorted(map(repr, mine.effects)) == sorted(map(repr, theirs.effects))


@settled
@given(script=scripts, trusted=st.booleans())
def test_a_case_with_legs_goes_on_from_its_journal_as_it_would_have(
    policies: list[CompiledPolicy],
    script: list[tuple[str, int]],
    trusted: bool,  # noqa: FBT001 - drawn
) -> None:
    for policy in policies:
        steps = played(policy, script, trusted=trusted)
        # Canonical JSON sorts the names of legs; that must not be the order in which they move.
        kept = [read_entry(entry_of(step), vault_of(step), secret=SECRET) for step in steps]
        for number, step in enumerate(steps[1:], 1):
            before = rebuild(kept[:number])
            assert before is not None
            assert before.state == before.legs[policy.legs[0].name]
            again = decide(policy, before, kept[number].input)
            assert isinstance(again, Step)
            assert entry_of(again) == entry_of(step)
