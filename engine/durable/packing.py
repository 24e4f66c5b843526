"""Cases between stores, as lines of JSON: what a store keeps of them, and what proves that it is what was written.

Spec: docs/store.md, "From one store to another". The first line says what the file is, then come policies, each before the
first case that was ever under it, and cases; the last line counts them and has the digest of all lines before it. A case is
its journal and what the journal does not tell; all else is made of it anew. Nothing here knows files or databases.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from ..canonical import canonical
from ..case import PolicyRef
from ..errors import AmendsError, InvalidValue
from ..journal import read_entry
from ..literal import written
from ..publishing.bundle import Bundle
from ..step import Migrate, Open
from ..store.protocol import DELIVERY_STATES, Fate, Kept, Keyed
from ..values import instant_text, parse_timestamp
from ..verify import verify_chain

#: What the first line says the file is, and the version of what follows.
WHAT: Final = "cases"
FORMAT: Final = 1
#: No case has as many steps, and no delivery as many attempts.
_COUNTED: Final = 2**31


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """A policy that came with cases."""

    ref: PolicyRef
    bundle: Bundle


# --- writing ------------------------------------------------------------------------------------------------------------


class Packing:
    """Makes the lines of one file.

    Args:
        sensitive: whether sensitive values go with the cases.
    """

    def __init__(self, *, sensitive: bool) -> None:
        self._sensitive = sensitive
        self._digest = hashlib.sha256()
        self._policies: set[str] = set()
        self._cases = 0

    def first(self) -> bytes:
        """Return the first line."""
        return self._line({"amends": WHAT, "format": FORMAT, "sensitive": self._sensitive})

    def lacks(self, refs: Iterable[PolicyRef]) -> list[PolicyRef]:
        """Return those policies that are not yet in the file, each once."""
        return [ref for ref in dict.fromkeys(refs) if ref.bundle not in self._policies]

    def policy(self, ref: PolicyRef, bundle: Bundle) -> bytes:
        """Return the line of a policy."""
        self._policies.add(ref.bundle)
        return self._line({"policy": {**_ref_data(ref), "content": json.loads(bundle.to_bytes())}})

    def case(self, kept: Kept) -> bytes:
        """Return the line of a case."""
        self._cases += 1
        return self._line({"case": _kept_data(kept, sensitive=self._sensitive)})

    def last(self) -> bytes:
        """Return the last line."""
        digest = self._digest.hexdigest()
        return self._line({"end": {"cases": self._cases, "policies": len(self._policies), "sha256": digest}})

    def _line(self, data: Any) -> bytes:
        line = canonical(data) + b"\n"
        self._digest.update(line)
        return line


def refs_of(kept: Kept) -> Iterator[PolicyRef]:
    """Yield what a case was ever pinned to, or was to go on under.

    Raises:
        CorruptJournal: the journal is not the one that was written; the message names the entry.
    """
    verify_chain(kept.entries, kept.heads)
    for entry in kept.entries:
        arrived = read_entry(entry).input
        if isinstance(arrived, Open | Migrate):
            yield arrived.policy


def _ref_data(ref: PolicyRef) -> dict[str, Any]:
    return {"name": ref.name, "version": ref.version, "bundle": ref.bundle, "model": ref.model}


def _kept_data(kept: Kept, *, sensitive: bool) -> dict[str, Any]:
    return {
        "id": kept.case_id,
        "entries": [json.loads(entry) for entry in kept.entries],
        "heads": list(kept.heads),
        "keys": [{"key": one.key, "first": one.first, "seq": one.seq} for one in kept.keys],
        "deliveries": [
            {
                "key": fate.key,
                "state": fate.state,
                "attempts": fate.attempts,
                "next_at": instant_text(fate.next_at),
                "error": fate.error,
            }
            for fate in kept.fates
        ],
        "parked": kept.parked,
        **({"secret": kept.secret.hex(), "vault": dict(kept.vault)} if sensitive else {}),
    }


# --- reading ------------------------------------------------------------------------------------------------------------


def unpacked(lines: Iterable[bytes]) -> Iterator[tuple[int, Brought | Kept]]:
    """Yield the policies and cases of a file, each with the number of its line, from 1 on.

    Raises:
        InvalidValue: the file is not whole, or a line is not one of ours; the message names the line.
    """
    digest = hashlib.sha256()
    counts = Counter({"cases": 0, "policies": 0})
    number, kind, sensitive = 0, "", False
    for number, line in enumerate(lines, 1):
        with at_line(number):
            if kind == "end":
                raise InvalidValue("something follows the last line")
            kind, data = _line(line, first=number == 1)
            match kind:
                case "amends":
                    sensitive = data
                case "policy":
                    counts["policies"] += 1
                    yield number, _brought(data)
                case "case":
                    counts["cases"] += 1
                    yield number, _kept(data, sensitive=sensitive)
                case _ if data != {**counts, "sha256": digest.hexdigest()}:
                    raise InvalidValue("lines were changed, left out or put in since the file was written")
        digest.update(line)
    if kind != "end":
        raise InvalidValue(f"the file ends after line {number}: what follows is missing")


@contextmanager
def at_line(number: int) -> Iterator[None]:
    """Say of what is wrong at which line it is."""
    try:
        yield
    except AmendsError as error:
        raise InvalidValue(f"line {number}: {error}") from error


def _line(line: bytes, *, first: bool) -> tuple[str, Any]:
    """Return what a line is, and its data; of the first whether sensitive values are there."""
    try:
        data = json.loads(line)
        if first:
            kind, found = data["amends"], data["format"]
        else:
            ((kind, found),) = data.items()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidValue("not a line that `amends cases export` writes") from error
    if first:
        if (kind, found) != (WHAT, FORMAT):
            raise InvalidValue(
                f"`{kind}` of format {found} is not read; this amends reads {WHAT} of format {FORMAT}"
            )
        return "amends", data.get("sensitive") is True
    if kind not in {"policy", "case", "end"}:
        raise InvalidValue(f"`{kind[:60]}` is not what a line may hold")
    return kind, found


@contextmanager
def _reading(what: str) -> Iterator[None]:
    try:
        yield
    except AmendsError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidValue(f"not {what}: {type(error).__name__}: {error}") from error


def _brought(data: Any) -> Brought:
    with _reading("a policy"):
        names = [_text(data[name]) for name in ("name", "version", "bundle", "model")]
        ref = PolicyRef(name=names[0], version=names[1], bundle=names[2], model=names[3])
        return Brought(ref=ref, bundle=Bundle.from_bytes(canonical(data["content"])))


def _kept(data: Any, *, sensitive: bool) -> Kept:
    with _reading("a case"):
        return Kept(
            case_id=_text(data["id"]),
            entries=tuple(canonical(entry) for entry in data["entries"]),
            heads=tuple(map(_text, data["heads"])),
            keys=tuple(
                Keyed(key=_text(one["key"]), first=_count(one["first"]), seq=_count(one["seq"]))
                for one in data["keys"]
            ),
            fates=tuple(map(_fate, data["deliveries"])),
            parked=_maybe(data["parked"]),
            secret=bytes.fromhex(data["secret"]) if sensitive else b"",
            vault=dict(data["vault"]) if sensitive else {},
        )


def _fate(data: Any) -> Fate:
    if data["state"] not in DELIVERY_STATES:
        raise InvalidValue(f"`{data['state']}` is no state of a delivery")
    return Fate(
        key=_text(data["key"]),
        state=data["state"],
        attempts=_count(data["attempts"]),
        next_at=parse_timestamp(data["next_at"]),
        error=_maybe(data["error"]),
    )


def _text(data: Any) -> str:
    if not isinstance(data, str) or "\0" in data:
        raise InvalidValue(f"`{data!r:.60}` is not a text that a table can hold")
    return written(data)


def _maybe(data: Any) -> str | None:
    return None if data is None else _text(data)


def _count(data: Any) -> int:
    if type(data) is not int or not 0 <= data < _COUNTED:
        raise InvalidValue(f"`{data!r:.60}` is not a number")
    return data
