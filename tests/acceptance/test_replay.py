"""A journal is the case: it is rebuilt, and decided again to the byte, where nothing else is left of it.

And it can be believed: what was changed in it is found, and what was erased from beside it is nowhere in it.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from amends.engine.calendar import tzdata_version
from amends.engine.case import Case
from amends.engine.engine import Engine
from amends.engine.errors import CorruptJournal, InvalidValue
from amends.engine.evolve import evolve
from amends.engine.journal import entry_of, read_entry, vault_of
from amends.engine.library import Library
from amends.engine.policy import CompiledPolicy
from amends.engine.publishing.bundle import Bundle
from amends.engine.scenario import ScenarioCase, ScenarioFile, play
from amends.engine.values import Sealed
from amends.engine.verify import Verified, digests, verify, verify_chain
from amends.engine.version import VERSION

#: Sensitive values of the shipped cases; none of them may stand in a journal.
ACCOUNT = b"0000000000"
SENSITIVE = (ACCOUNT, b'"Buyer"', b"buyer@example.test", b"b@example.test", b"+1 555 0100")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is kept of a case that was run to its end."""

    case: Case
    policy: CompiledPolicy
    bundle: Bundle
    entries: tuple[bytes, ...]
    vault: Mapping[str, Any]
    secret: bytes

    @property
    def heads(self) -> tuple[str, ...]:
        """The digests of the entries, as a store keeps them."""
        return digests(self.entries)


def run(case: ScenarioCase, library: Library) -> Kept:
    """Run a case to its last event or expectation, and a year on, under a key of its own."""
    engine = Engine(library)
    secret = hashlib.sha256(case.id.encode()).digest()
    opened = engine.open(case.policy, case.facts, at=case.opens_at, case_id=case.id, secret=secret)
    play(engine, opened.id, case.events)
    last = max([event.at for event in case.events] + [expected.at for expected in case.expect])
    engine.run_due(last.replace(year=last.year + 1))
    journal = engine.journal(opened.id)
    policy = engine.policy_of(opened.id)
    return Kept(
        case=engine.case(opened.id),
        policy=policy,
        bundle=library.bundles[policy.ref.bundle],
        entries=tuple(entry_of(step) for step in journal),
        vault={key: value for step in journal for key, value in vault_of(step).items()},
        secret=secret,
    )


@pytest.fixture(scope="module")
def kept(
    root: Path, library: Library, policies: Path, read: Callable[[Path], ScenarioFile]
) -> dict[str, Kept]:
    """Return what is kept of every shipped case, by its id."""
    scenarios = {
        policies / "scenarios" / "cases.yaml": library,
        policies / "scenarios" / "founding_flow.yaml": library,
        root / "examples" / "support_ticket.scenarios.yaml": Library.load(
            root / "examples" / "support_ticket.yaml"
        ),
    }
    return {case.id: run(case, served) for path, served in scenarios.items() for case in read(path).cases}


@pytest.fixture(scope="module")
def folder(kept: Mapping[str, Kept], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with everything that is kept, and nothing else."""
    made = tmp_path_factory.mktemp("kept")
    (made / "bundles").mkdir()
    for case_id, item in kept.items():
        (made / "bundles" / f"{item.bundle.digest()}.json").write_bytes(item.bundle.to_bytes())
        (made / "cases" / case_id).mkdir(parents=True)
        (made / "cases" / case_id / "journal.jsonl").write_bytes(b"\n".join(item.entries))
        (made / "cases" / case_id / "vault.json").write_text(json.dumps(item.vault), encoding="utf-8")
        (made / "cases" / case_id / "secret").write_bytes(item.secret)
    return made


@pytest.mark.parametrize(
    "surroundings",
    [
        {"PYTHONHASHSEED": "7", "TZ": "Pacific/Apia", "LC_ALL": "C"},
        {"PYTHONHASHSEED": "0", "TZ": "America/St_Johns"},
    ],
    ids=["Apia", "St John's"],
)
def test_journals_are_rebuilt_and_decided_again_where_nothing_else_is_left(
    surroundings: dict[str, str], kept: Mapping[str, Kept], folder: Path, tmp_path: Path
) -> None:
    script = Path(__file__).with_name("replay.py")
    done = subprocess.run(
        [sys.executable, "-W", "error", script, folder],
        cwd=tmp_path,
        env={
            **{name: os.environ[name] for name in ("PATH", "PYTHONPATH", "SYSTEMROOT") if name in os.environ},
            **surroundings,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {case_id: item.case.head for case_id, item in kept.items()}


def test_the_cases_that_are_rebuilt_are_those_that_ship(kept: Mapping[str, Kept], cases: Any) -> None:
    assert {case["id"] for case in cases["cases"]} < set(kept)
    assert sum(case_id.startswith("FF-") for case_id in kept) == 10
    assert sum(case_id.startswith("ST-") for case_id in kept) == 6


def test_a_journal_without_its_vault_makes_the_same_case_with_sealed_values(kept: Mapping[str, Kept]) -> None:
    for item in kept.values():
        case: Case | None = None
        for entry in item.entries:
            step = read_entry(entry)
            assert entry_of(step) == entry
            case = evolve(case, step)
        assert case is not None
        assert case.head == item.case.head
        assert case.legs == item.case.legs
        assert case.clocks == item.case.clocks
        assert case.payouts == item.case.payouts


def test_erased_bank_details_are_sealed(kept: Mapping[str, Kept]) -> None:
    case: Case | None = None
    for entry in kept["TT-11"].entries:
        case = evolve(case, read_entry(entry))
    assert case is not None
    whole, erased = kept["TT-11"].case.facts["payout_details"], case.facts["payout_details"]
    assert (whole["bank"], whole["account"]) == ("BCA", ACCOUNT.decode())
    assert erased["bank"] == "BCA"
    for field in ("account", "holder", "email"):
        assert isinstance(erased[field], Sealed)
        assert kept["TT-11"].vault[erased[field].commitment] == whole[field]


def test_sensitive_values_stand_in_the_vault_and_nowhere_else(folder: Path) -> None:
    assert ACCOUNT in (folder / "cases" / "TT-11" / "vault.json").read_bytes()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "vault.json":
            written = path.read_bytes()
            assert [value for value in SENSITIVE if value in written] == [], path.relative_to(folder)


def test_a_commitment_under_another_key_or_at_another_step_is_another(kept: Mapping[str, Kept]) -> None:
    commitments = [commitment for item in kept.values() for commitment in item.vault]
    assert len(commitments) == len(set(commitments)) > len(SENSITIVE)


def test_every_entry_names_the_versions_that_made_it(kept: Mapping[str, Kept]) -> None:
    for item in kept.values():
        for entry in item.entries:
            (written,) = json.loads(entry)["input"].values()
            assert written["engine"] == VERSION
            assert written["tzdata"] == tzdata_version()


# --- believing it -------------------------------------------------------------------------------------------------------


def verified(item: Kept, **changes: Any) -> Verified:
    """Verify a journal, or what became of it."""
    kept = {
        "entries": item.entries,
        "heads": item.heads,
        "vault": item.vault,
        "secret": item.secret,
        **changes,
    }
    return verify(item.policy, kept["entries"], kept["heads"], vault=kept["vault"], secret=kept["secret"])


def test_every_journal_is_verified(kept: Mapping[str, Kept]) -> None:
    for item in kept.values():
        assert verified(item) == Verified(case=item.case, decided=len(item.entries))


def test_an_erased_journal_is_decided_again_up_to_what_was_erased(kept: Mapping[str, Kept]) -> None:
    item = kept["TT-11"]
    result = verified(item, vault={}, secret=b"")
    given = next(seq for seq, entry in enumerate(item.entries) if b"$sealed" in entry)
    assert 0 < result.decided == given < len(item.entries)
    assert result.case.head == item.case.head


def flipped(entry: bytes, at: int) -> bytes:
    """Return an entry with one bit of one byte changed."""
    return entry[:at] + bytes([entry[at] ^ 1]) + entry[at + 1 :]


def test_any_changed_byte_is_found_at_its_entry(kept: Mapping[str, Kept]) -> None:
    item = kept["TT-11"]
    for seq, entry in enumerate(item.entries):
        for at in range(len(entry)):
            entries = (*item.entries[:seq], flipped(entry, at), *item.entries[seq + 1 :])
            with pytest.raises(CorruptJournal, match=rf"^entry {seq} "):
                verify_chain(entries, item.heads)


def test_a_dropped_entry_is_found_at_its_place(kept: Mapping[str, Kept]) -> None:
    item = kept["TT-06"]
    for seq in range(len(item.entries)):
        left_out = (*item.entries[:seq], *item.entries[seq + 1 :])
        with pytest.raises(CorruptJournal, match=rf"^entry {seq} "):
            verified(item, entries=left_out)
        with pytest.raises(CorruptJournal, match=rf"^entry {seq} "):
            verified(item, entries=(*item.entries[:seq], b"{}", *item.entries[seq:]))


def test_dropping_an_entry_with_its_digest_is_found_too(kept: Mapping[str, Kept]) -> None:
    item = kept["TT-06"]
    for seq in range(len(item.entries) - 1):
        left_out = (*item.entries[:seq], *item.entries[seq + 1 :])
        with pytest.raises(CorruptJournal, match=rf"^entry {seq} "):
            verified(item, entries=left_out, heads=(*item.heads[:seq], *item.heads[seq + 1 :]))


def test_two_swapped_entries_are_found_at_the_first(kept: Mapping[str, Kept]) -> None:
    item = kept["TT-06"]
    for seq in range(len(item.entries) - 1):
        swapped = (*item.entries[:seq], item.entries[seq + 1], item.entries[seq], *item.entries[seq + 2 :])
        with pytest.raises(CorruptJournal, match=rf"^entry {seq} "):
            verified(item, entries=swapped)


def forged(item: Kept, old: bytes, new: bytes) -> tuple[int, tuple[bytes, ...]]:
    """Return the entries with a text replaced in the first that holds it, and which one that is."""
    seq = next(seq for seq, entry in enumerate(item.entries) if old in entry)
    return seq, (*item.entries[:seq], item.entries[seq].replace(old, new, 1), *item.entries[seq + 1 :])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"granted":{"$money":"75 USD"}', b'"granted":{"$money":"75.01 USD"}'),
        (b'"target":"platform_review"', b'"target":"refund_approved"'),
        (b'"key":"TT-06/refund/all/1"', b'"key":"TT-06/refund/all/2"'),
        (b'"decision":"eligible"', b'"decision":"approved"'),
        (b'"due":{"$at":"2026-05-17T03:59:59Z"}', b'"due":{"$at":"2026-05-18T03:59:59Z"}'),
        (b'"actor":"platform"', b'"actor":"seller"'),
        (b'"trace":[', b'"trace":[{"result":"holds","rule":"mine"},'),
        (b'"seq":"3"', b'"seq":"4"'),
        (b'"verdict":"applied"', b'"verdict":"refused"'),
    ],
)
def test_a_forgery_with_digests_of_its_own_is_not_what_the_policy_makes(
    old: bytes, new: bytes, kept: Mapping[str, Kept]
) -> None:
    item = kept["TT-06"]
    seq, entries = forged(item, old, new)
    with pytest.raises(CorruptJournal, match=rf"^entry {seq}\b"):
        verified(item, entries=entries, heads=digests(entries))


def test_another_value_in_the_vault_is_found_at_the_entry_that_committed_to_it(
    kept: Mapping[str, Kept],
) -> None:
    item = kept["TT-11"]
    commitment = next(key for key, value in item.vault.items() if value == ACCOUNT.decode())
    seq = next(seq for seq, entry in enumerate(item.entries) if commitment.encode() in entry)
    with pytest.raises(CorruptJournal, match=rf"^entry {seq}: a value of the vault"):
        verified(item, vault={**item.vault, commitment: "1111111111"})


def test_a_journal_is_not_verified_with_another_policy_or_without_entries(kept: Mapping[str, Kept]) -> None:
    with pytest.raises((InvalidValue, CorruptJournal)):
        verify(kept["TT-12"].policy, kept["TT-06"].entries, kept["TT-06"].heads)
    with pytest.raises(InvalidValue, match="no entries"):
        verify(kept["TT-06"].policy, (), ())


def test_entries_that_are_no_entries_are_named(kept: Mapping[str, Kept]) -> None:
    policy = kept["TT-06"].policy
    for junk in (b"", b"{}", b"[]", b"\xff", b'{"seq":0,"input":{"open":{}}}', b"null", b'{"input":7}'):
        entries: Sequence[bytes] = (junk,)
        with pytest.raises(CorruptJournal, match=r"^entry 0: not a journal entry"):
            verify(policy, entries, digests(entries))
