"""The journal: canonical bytes of every record, chained, and read back without a policy."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from amends.engine.canonical import canonical
from amends.engine.case import (
    Approval,
    Clock,
    ClockStatus,
    Counted,
    Left,
    Part,
    PartStatus,
    Pause,
    Payout,
    PolicyRef,
    Reason,
    Share,
    Timer,
)
from amends.engine.errors import CorruptJournal
from amends.engine.evolve import evolve, rebuild
from amends.engine.journal import (
    _at,
    chain,
    commit,
    entry_of,
    path_to,
    read_entry,
    record_from_json,
    record_to_json,
    vault_of,
)
from amends.engine.money import Money
from amends.engine.period import Ends, Roll
from amends.engine.step import (
    Answered,
    Changes,
    Clause,
    Due,
    Effect,
    Event,
    Migrate,
    Move,
    Open,
    Query,
    Same,
    Step,
    Trace,
)
from amends.engine.values import Sealed, Unknown
from amends.engine.verify import digests, verify_chain
from amends.engine.version import VERSION

SMALL = """
roles: [user]
facts: {n: {type: int, default: 0}, word: {type: optional text, sensitive: true}}
events: {add: {by: user, data: {count: int, note: {type: optional text, sensitive: true}}}, end: {by: user}}
states:
  a:
    initial: true
    sla: {act: {due: 2 days, breach: {set: {n: n + 100}}}}
    on: {add: [{when: add.count < 9 && (has(word) || n >= 0), set: {n: n + add.count}}], end: b}
  b: {final: true}
"""

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
numbers = st.integers(0, 2**53 - 1)
instants = st.datetimes(timezones=st.just(UTC)).map(lambda t: t.replace(microsecond=0, fold=0))
moneys = st.builds(Money, st.fractions(), st.sampled_from(["", "USD", "JPY"]))
scalars = st.one_of(
    st.booleans(),
    st.integers(),
    st.fractions(),
    texts,
    instants,
    moneys,
    st.timedeltas().map(lambda d: timedelta(days=d.days, seconds=d.seconds)),
    st.builds(Unknown, st.frozensets(texts, max_size=2)),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=2).map(tuple)
        | st.dictionaries(texts | st.sampled_from(["$", "$int", "$sealed", "a/b", "~"]), inner, max_size=2)
    ),
    max_leaves=4,
)
maps = st.dictionaries(texts | st.sampled_from(["a/b", "~1"]), values, max_size=3)


#: The fields of each record that examples fill.
KNOWN: dict[Any, set[str]] = {}


def record(type_: Any, **known: Any) -> st.SearchStrategy[Any]:
    """Return any record of a type."""
    KNOWN[type_] = set(known)
    return st.builds(type_, **known)


refs = record(PolicyRef, name=texts, version=texts, bundle=texts, model=texts)
clocks = record(
    Clock,
    name=texts,
    state=st.none() | texts,
    status=st.sampled_from(get_args(ClockStatus)),
    started_at=instants,
    due=st.none() | instants,
    left=st.none()
    | record(Left, count=numbers, unit=st.sampled_from(["seconds", "days", "business days"]), calendar=texts),
    counted=record(
        Counted,
        unit=st.sampled_from(["seconds", "days", "business days"]),
        calendar=texts,
        timezone=texts,
        ends=st.sampled_from(get_args(Ends)),
        roll=st.sampled_from(get_args(Roll)),
        rolls_on=texts,
        reached=st.none() | instants,
    ),
    pauses=st.lists(record(Pause, since=instants, until=st.none() | instants), max_size=2).map(tuple),
    reminders=st.lists(instants, max_size=2).map(tuple),
)
parts = record(
    Part,
    id=texts,
    amount=moneys,
    status=st.sampled_from(get_args(PartStatus)),
    route=st.none() | texts,
    via=st.none() | texts,
    missing=st.lists(texts, max_size=2).map(tuple),
    wanted=st.booleans(),
    attempt=numbers,
    tender=st.none() | texts,
    tried=st.lists(texts, max_size=2).map(tuple),
    back=st.none() | moneys,
    reversals=numbers,
    returned=st.none() | moneys,
)
payouts = record(
    Payout,
    granted=moneys,
    parts=st.lists(parts, max_size=2).map(tuple),
    seq=numbers,
    turn=numbers,
    made=numbers,
    numbered=st.dictionaries(texts, numbers, max_size=2),
    approvals=st.lists(
        record(Approval, by=texts, role=texts, at=instants, amount=moneys, declined=st.booleans()), max_size=2
    ).map(tuple),
    payer=st.none() | texts,
)
timers = record(Timer, id=texts, fires_at=instants)
reasons = record(
    Reason, code=texts, rule=st.none() | texts, sources=st.lists(texts, max_size=2).map(tuple), values=maps
)
inputs = st.one_of(
    record(
        Open,
        case_id=texts,
        policy=refs,
        facts=maps,
        recorded_at=instants,
        timezone=st.none() | texts,
        key=st.none() | texts,
        engine=texts,
        tzdata=texts,
    ),
    record(
        Event,
        name=texts,
        data=maps,
        actor=texts,
        role=texts,
        occurred_at=instants,
        recorded_at=instants,
        key=st.none() | texts,
        engine=texts,
        tzdata=texts,
    ),
    record(Due, timer=texts, fires_at=instants, fired_at=instants, engine=texts, tzdata=texts),
    record(
        Migrate,
        policy=refs,
        actor=texts,
        recorded_at=instants,
        key=st.none() | texts,
        undoes=st.none() | numbers,
        states=st.dictionaries(texts, texts, max_size=2),
        facts=st.dictionaries(texts, st.none() | values, max_size=2),
        clocks=st.dictionaries(texts, clocks, max_size=2),
        engine=texts,
        tzdata=texts,
    ),
)
changes = record(
    Changes,
    legs=st.dictionaries(texts, st.none() | texts, max_size=2),
    facts=st.dictionaries(texts, st.none() | values, max_size=2),
    clocks=st.dictionaries(texts, st.none() | clocks, max_size=2),
    payouts=st.dictionaries(texts, payouts, max_size=2),
    takes=st.dictionaries(texts, record(Share, of=values, taken=moneys), max_size=2),
    timers=st.none() | st.lists(timers, max_size=2).map(tuple),
    holding=st.none() | st.lists(texts, max_size=2).map(tuple),
    needs_human=st.none() | texts,
    timezone=st.none() | texts,
    currency=st.none() | texts,
    policy=st.none() | refs,
)
traces = record(
    Trace,
    rule=texts,
    result=st.sampled_from(["taken", "holds", "false", "unknown", "refused", "failed"]),
    clauses=st.lists(
        record(
            Clause,
            text=texts,
            value=texts,
            saw=st.dictionaries(texts, values | st.just(Sealed("")), max_size=2),
        ),
        max_size=2,
    ).map(tuple),
    sources=st.lists(texts, max_size=2).map(tuple),
)
queries = record(
    Query,
    kind=st.sampled_from(["count", "sum", "taken", "host"]),
    name=texts,
    same=st.lists(record(Same, fact=texts, value=scalars), max_size=2).map(tuple),
    policies=st.lists(texts, max_size=2).map(tuple),
    states=st.lists(texts, max_size=2).map(tuple),
    decisions=st.lists(texts, max_size=2).map(tuple),
    payout=st.none() | texts,
    figure=st.none() | st.sampled_from(["granted", "paid"]),
    currency=st.none() | texts,
    since=st.none() | instants,
    until=st.none() | instants,
)
steps = record(
    Step,
    seq=numbers,
    at=instants,
    input=inputs,
    verdict=st.sampled_from(["applied", "refused", "undecided"]),
    moves=st.lists(
        record(Move, leg=texts, source=st.none() | texts, target=st.none() | texts, rule=texts), max_size=2
    ).map(tuple),
    changes=changes,
    effects=st.lists(record(Effect, key=texts, kind=texts, data=maps), max_size=2).map(tuple),
    answers=st.lists(record(Answered, query=queries, value=values), max_size=2).map(tuple),
    trace=st.lists(traces, max_size=2).map(tuple),
    decision=st.none() | values,
    reason=st.none() | reasons,
    missing=st.lists(texts, max_size=2).map(tuple),
)


# --- the codec ----------------------------------------------------------------------------------------------------------


@given(steps)
@settings(max_examples=200)
def test_every_record_of_a_step_is_read_as_it_was_written(step: Step) -> None:
    entry = entry_of(step)
    read = read_entry(entry)
    assert read == step
    assert entry_of(read) == entry


def test_the_random_records_fill_every_field() -> None:
    for type_, known in KNOWN.items():
        assert {item.name for item in fields(type_)} - {"secret", "sealed"} == known, type_.__name__


json_data = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(json_data)
def test_canonical_json_is_that_of_rfc_8785(data: Any) -> None:
    assert canonical(data) == rfc8785.dumps(data)


def test_names_are_sorted_by_utf_16_code_units() -> None:
    data: Any = {"\U0001f600": 1, "\uff01": 2, "z": [{"\uff01": 1, "\U00010000": 2}]}
    assert canonical(data) == rfc8785.dumps(data)
    assert list(json.loads(canonical(data))) == ["z", "\U0001f600", "\uff01"]


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_not_json_is_not_written(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical({"x": number})


@pytest.mark.parametrize(
    "entry",
    [
        b"",
        b"[]",
        b"{}",
        b"null",
        b"\xff",
        b'{"input":{}}',
        b'{"input":{"open":{}},"seq":0}',
        b'{"at":{"$at":"2026-03-02T12:00:00Z"},"input":{"shut":{}},"seq":0,"verdict":"applied"}',
        b'{"at":{"$decimal":"1/0"},"input":{"due":{}},"seq":0,"verdict":"applied"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
    ids=lambda entry: entry[:20].decode(errors="replace"),
)
def test_bytes_that_are_no_entry_are_a_corrupt_journal(entry: bytes) -> None:
    with pytest.raises(CorruptJournal, match="not a journal entry"):
        read_entry(entry)


# --- the chain ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def entries(play: Callable[..., Any]) -> tuple[bytes, ...]:
    """Return the journal of a small case."""
    made = play(SMALL)
    for count in (1, 20, 2):
        made.send("add", {"count": count})
    made.send("end")
    return tuple(entry_of(step) for step in made.steps)


def test_the_chain_is_sha_256_over_a_domain_a_line_feed_the_digest_before_and_the_entry(
    entries: tuple[bytes, ...],
) -> None:
    head = bytes(32)
    for entry, digest in zip(entries, digests(entries), strict=True):
        head = hashlib.sha256(b"amends.step.1\n" + head + entry).digest()
        assert digest == head.hex()
    assert chain("0" * 64, entries[0]) == digests(entries)[0]


def test_the_head_of_a_case_is_the_digest_of_its_last_entry(
    entries: tuple[bytes, ...],
) -> None:
    case = rebuild(read_entry(entry) for entry in entries)
    assert case is not None
    assert case.head == digests(entries)[-1]


def test_whatever_is_changed_left_out_moved_or_added_is_found(entries: tuple[bytes, ...]) -> None:
    heads = digests(entries)
    tampered = [
        *((*entries[:i], *entries[i + 1 :]) for i in range(len(entries))),
        *((*entries[:i], entries[i], *entries[i:]) for i in range(len(entries))),
        *(
            (*entries[:i], entries[i].replace(b'"seq":', b'"seq":1'), *entries[i + 1 :])
            for i in range(len(entries))
        ),
        (entries[1], entries[0], *entries[2:]),
    ]
    verify_chain(entries, heads)
    for changed in tampered:
        with pytest.raises(CorruptJournal, match="entry"):
            verify_chain(changed, heads)


def test_a_step_that_does_not_follow_cannot_be_taken(entries: tuple[bytes, ...]) -> None:
    read = [read_entry(entry) for entry in entries]
    opened = evolve(None, read[0])
    assert rebuild([]) is None
    for case, step in [
        (None, read[1]),
        (opened, read[2]),
        (opened, read[0]),
        (opened, replace(read[0], seq=1)),
    ]:
        with pytest.raises(CorruptJournal, match=r"follow|begins with the opening"):
            evolve(case, step)


# --- what is written besides --------------------------------------------------------------------------------------------


def test_an_input_carries_the_version_of_the_engine_also_where_it_is_this_one(
    entries: tuple[bytes, ...],
) -> None:
    for entry in entries:
        ((_, written),) = json.loads(entry)["input"].items()
        assert written["engine"] == VERSION


def test_the_versions_of_an_input_are_kept_as_they_were() -> None:
    due = Due(timer="wake", fires_at=NOON, fired_at=NOON, engine="0.0.9", tzdata="2024a")
    read = record_from_json(Due, record_to_json(due))
    assert (read.engine, read.tzdata) == ("0.0.9", "2024a")


def test_the_key_of_a_case_never_stands_in_its_journal(entries: tuple[bytes, ...]) -> None:
    assert all(b"k" * 32 not in entry and (b"k" * 32).hex().encode() not in entry for entry in entries)
    assert all(b"secret" not in entry for entry in entries)


# --- sensitive values ---------------------------------------------------------------------------------------------------


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), st.integers(0, 20))
def test_a_value_that_is_taken_out_is_committed_to_and_comes_back_from_the_vault(
    play: Callable[..., Any], note: str, count: int
) -> None:
    made = play(SMALL, {"word": note})
    made.send("add", {"count": count, "note": note})
    for step in made.steps:
        vault = vault_of(step)
        assert set(vault) == set(step.sealed.values())
        assert read_entry(entry_of(step), vault).input == replace(step.input, **_keyless(step))
        for path, commitment in step.sealed.items():
            assert commitment == commit(b"k" * 32, step.seq, path, vault[commitment])
            assert commitment != commit(b"x" * 32, step.seq, path, vault[commitment])


def _keyless(step: Step) -> dict[str, Any]:
    return {"secret": b""} if isinstance(step.input, Open) else {}


def test_one_value_in_two_places_or_steps_has_two_commitments(play: Callable[..., Any]) -> None:
    made = play(SMALL, {"word": "same"})
    made.send("add", {"count": 1, "note": "same"})
    made.send("add", {"count": 1, "note": "same"}, at=NOON + timedelta(seconds=1))
    commitments = [commitment for step in made.steps for commitment in step.sealed.values()]
    assert len(commitments) == len(set(commitments)) == 6


def test_an_erased_value_is_unknown_and_the_case_evolves_to_the_same_head(play: Callable[..., Any]) -> None:
    made = play(SMALL, {"word": "gone"})
    made.send("add", {"count": 1, "note": "gone"})
    blind = rebuild(read_entry(entry_of(step)) for step in made.steps)
    assert blind is not None
    assert blind.head == made.now.head
    assert isinstance(blind.facts["word"], Sealed)
    assert isinstance(blind.facts["add"]["note"], Sealed)
    assert blind.facts["n"] == 1
    made.case = blind
    step = made.send("add", {"count": 1})
    assert (step.verdict, made.now.facts["n"]) == ("applied", 2)


@given(st.lists(st.text("a/~0\u00e91", max_size=4), min_size=1, max_size=3))
def test_a_path_leads_back_to_where_it_came_from(keys: list[str]) -> None:
    data: Any = "here"
    for key in reversed(keys):
        data = {key: data, key + "x": 0}
    assert _at(data, path_to(*keys)) == "here"
