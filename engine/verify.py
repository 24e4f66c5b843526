"""Verifying a journal: that its entries follow one another, and that the policy makes each of them of its input.

Spec: docs/semantics.md. To restore a case `evolve` is enough; this says whether what is restored can be believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .case import Case, PolicyRef
from .decide import decide
from .errors import AmendsError, CorruptJournal, InvalidValue
from .evolve import evolve
from .journal import Vault, chain, commitments, entry_of, read_entry
from .policy import CompiledPolicy
from .step import Migrate, Open, Query, Step

#: What the first entry follows.
NOTHING = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A journal that was verified, and the case it makes."""

    case: Case
    #: How many entries were decided again. Those from the first erased value on are held by the chain alone.
    decided: int


def digests(entries: Iterable[bytes]) -> tuple[str, ...]:
    """Return the digest (SHA-256, hex) of each entry of a journal, chained to those before it.

    The last one is the `head` of the case.

    >>> digests([b"{}"])[0][:16]
    '635a9cb8679fdbae'
    """
    found: list[str] = []
    for entry in entries:
        found.append(chain(found[-1] if found else NOTHING, entry))
    return tuple(found)


def verify_chain(entries: Sequence[bytes], heads: Sequence[str]) -> None:
    """Compare the entries of a journal with their digests, as they were kept when each was written.

    Raises:
        CorruptJournal: an entry was changed, left out, put in or moved; the message names the first such.

    >>> verify_chain([b"{}", b"{}"], digests([b"{}", b"{}"]))
    """
    for seq, (digest, head) in enumerate(zip(digests(entries), heads, strict=False)):
        if digest != head:
            raise CorruptJournal(f"entry {seq} is not the one that was written")
    if len(entries) != len(heads):
        raise CorruptJournal(f"entry {min(len(entries), len(heads))} is missing, or was never written")


def verify(
    policies: CompiledPolicy | Iterable[CompiledPolicy],
    entries: Sequence[bytes],
    heads: Sequence[str],
    *,
    vault: Vault | None = None,
    secret: bytes = b"",
) -> Verified:
    """Rebuild a case from its journal, decide every step again, and return the case.

    Args:
        policies: what the case is pinned to, from its bundle; of a case that was migrated, every version it was under.
        entries: of the journal, the opening first.
        heads: the digest of each entry, as kept when it was written; the last is the head of the case.
        vault: the sensitive values beside the journal, of every entry; an entry that lacks one was erased.
        secret: the case's key, to prove that the vault's values are those committed to; without it they count as
            erased.
    Raises:
        CorruptJournal: an entry is not what was written, or not what the policy makes of its input; the message names
            the first such.
        InvalidValue: a policy that the case was pinned to is not among them, or there are no entries.
    """
    known = [policies] if isinstance(policies, CompiledPolicy) else list(policies)
    by_ref = {policy.ref: policy for policy in known}
    verify_chain(entries, heads)
    case: Case | None = None
    decided, whole = 0, True
    for seq, entry in enumerate(entries):
        step = _read(seq, entry, vault or {}, secret)
        own = _is_whole(step, vault or {}, secret)
        if own:
            _prove(step, secret)
        whole = whole and own
        if whole:
            _decide_again(_policy_of(step, case, by_ref), case, step, entry)
            decided += 1
        case = evolve(case, step)
        if case.policy not in by_ref:
            raise InvalidValue(f"the case is pinned to {case.policy.name} {case.policy.version}")
    if case is None:
        raise InvalidValue("a journal begins with the opening of the case, and this one has no entries")
    return Verified(case=case, decided=decided)


def _policy_of(step: Step, case: Case | None, known: Mapping[PolicyRef, CompiledPolicy]) -> CompiledPolicy:
    """Return the policy that made a step: of an opening and a migration the one that the case is pinned to by it."""
    match step.input:
        case Open(policy=ref) | Migrate(policy=ref):
            pass
        case _ if case is not None:
            ref = case.policy
        case _:
            raise CorruptJournal("a journal begins with the opening of the case")
    if ref not in known:
        raise InvalidValue(f"the case is pinned to {ref.name} {ref.version}")
    return known[ref]


def _read(seq: int, entry: bytes, vault: Vault, secret: bytes) -> Step:
    try:
        step = read_entry(entry, vault, secret=secret)
    except CorruptJournal as problem:
        raise CorruptJournal(f"entry {seq}: {problem}") from problem
    if step.seq != seq:
        raise CorruptJournal(f"entry {seq} says that it is entry {step.seq}")
    return step


def _is_whole(step: Step, vault: Vault, secret: bytes) -> bool:
    return not step.sealed or (secret != b"" and set(step.sealed.values()) <= vault.keys())


def _prove(step: Step, secret: bytes) -> None:
    """Compare the vault's values with the commitments to them."""
    if commitments(step, list(step.sealed), secret) != step.sealed:
        raise CorruptJournal(f"entry {step.seq}: a value of the vault is not the one that was committed to")


def _decide_again(policy: CompiledPolicy, case: Case | None, step: Step, entry: bytes) -> None:
    """Compare an entry with what the policy makes of its input."""
    try:
        again = decide(policy, case, step.input, _answers(step))
    except AmendsError as problem:
        raise CorruptJournal(f"entry {step.seq} cannot come of its input: {problem}") from problem
    if not isinstance(again, Step) or entry_of(again) != entry:
        raise CorruptJournal(f"entry {step.seq} is not what the policy makes of its input")


def _answers(step: Step) -> dict[Query, Any]:
    """Return what a step was told when it was made: nobody is asked again."""
    try:
        return {item.query: item.value for item in step.answers}
    except TypeError:
        raise CorruptJournal(f"entry {step.seq} asks by a value that nothing can be found by") from None
