"""The lock of published versions: a file `amends.lock` beside the policies, with the digests of what was published.

A version that is in use is not changed any more: what changes is a new version. The lock holds what a version says without
its labels, which may be corrected, and without the end of its time in force, which is written when the next one begins.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..canonical import canonical, sha256
from ..case import PolicyRef
from ..diagnostics import Diagnostics, Place
from ..document import Fields, Node, Scalar, read_file
from ..read.shape import at, entries, word
from ..version import LANGUAGE
from .bundle import model_of

#: Its name, in the folder of the policies that it holds.
FILE: Final = "amends.lock"
_HEAD: Final = """\
# What was published: written by `amends lock`, compared by `amends check`. Keep it with the policies.
"""
Identity = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A version as it was when it was locked: digests (SHA-256, hex)."""

    name: str
    version: str
    #: Of what it says, without labels, holiday dates and the end of its time in force. This is compared.
    rules: str
    #: Of its model and its bundle: what the cases of that time are pinned to.
    model: str
    bundle: str
    #: Where the lock says so; None for one that is not written yet.
    place: Place | None = None


def published(ref: PolicyRef, node: Node) -> Published:
    """Return what a lock keeps of a policy, whose document is given with all that it extends under it."""
    return Published(
        name=ref.name, version=ref.version, rules=rules_digest(node), model=ref.model, bundle=ref.bundle
    )


def rules_digest(node: Node) -> str:
    """Return the digest of what a resolved document says."""
    document = model_of(_without_end(node), {})["document"]
    return sha256(canonical(document))


def _without_end(node: Node) -> Node:
    """Return a document without the end of its time in force, and without that key where nothing else is under it."""
    if not isinstance(node, Fields):
        return node
    kept: list[tuple[Scalar, Node]] = []
    for key, value in node.entries:
        if key.text == "in_force" and isinstance(value, Fields):
            rest = tuple((name, item) for name, item in value.entries if name.text != "until")
            if rest:
                kept.append((key, Fields(rest, value.place)))
        else:
            kept.append((key, value))
    return Fields(tuple(kept), node.place)


def read_lock(path: Path, diagnostics: Diagnostics) -> dict[Identity, Published]:
    """Return what a lock holds, by name and version; what is wrong with it is reported."""
    node, found = read_file(path)
    diagnostics.found.extend(found)
    held: dict[Identity, Published] = {}
    for name, _, versions in entries(at(node, "published")):
        for version, key, digests in entries(versions):
            known = {kind: word(at(digests, kind)) for kind in ("rules", "model", "bundle")}
            if not all(known.values()):
                message = f"the lock lacks a digest of version `{version[:60]}` of `{name[:60]}`"
                hint = "take the file as it was from version control; `amends lock` writes it"
                diagnostics.add("AM103", key.place, message, hint=hint)
                continue
            held[name, version] = Published(
                name=name,
                version=version,
                rules=known["rules"] or "",
                model=known["model"] or "",
                bundle=known["bundle"] or "",
                place=key.place,
            )
    if node is not None and at(node, "published") is None:
        message = "a lock holds `published`, and this one does not"
        diagnostics.add("AM103", node.place, message, hint="remove the file; `amends lock` writes it anew")
    return held


def lock_text(held: Iterable[Published]) -> str:
    """Return the text of a lock: sorted, so that it differs only where what it holds does.

    >>> print(lock_text([Published(name="loan", version="v1", rules="a1", model="b2", bundle="c3")]).split("#")[-1])
     What was published: written by `amends lock`, compared by `amends check`. Keep it with the policies.
    amends: 1
    published:
      "loan":
        "v1":
          rules: "a1"
          model: "b2"
          bundle: "c3"
    <BLANKLINE>
    """
    lines = [f"{_HEAD}amends: {LANGUAGE}", "published:"]
    before = None
    for item in sorted(held, key=lambda item: (item.name, item.version)):
        if item.name != before:
            lines.append(f"  {json.dumps(item.name, ensure_ascii=False)}:")
            before = item.name
        lines.append(f"    {json.dumps(item.version, ensure_ascii=False)}:")
        digests = (("rules", item.rules), ("model", item.model), ("bundle", item.bundle))
        lines += [f'      {kind}: "{digest}"' for kind, digest in digests]
    return "\n".join(lines) + "\n"


def check_published(
    node: Node, identity: Identity, held: Mapping[Identity, Published], diagnostics: Diagnostics
) -> None:
    """Report a published version that says something else than it did."""
    was = held.get(identity)
    if was is None or was.place is None or was.rules == rules_digest(node):
        return
    name, version = identity
    message = f"version `{version}` of `{name}` is published, and no longer says what it did then"
    hint = "leave it as it was, and write what changes as a new `version` that begins where this one ends (`until`)"
    place = (at(node, "version") or node).place
    diagnostics.add("AM113", place, message, hint=hint, related=[("it was locked here", was.place)])


def check_gone(
    held: Mapping[Identity, Published], present: Iterable[Identity], diagnostics: Diagnostics
) -> None:
    """Report published versions that no file declares any more."""
    for name, version in held.keys() - set(present):
        place = held[name, version].place
        if place is not None:
            message = f"version `{version}` of `{name}` is published, and no policy here declares it any more"
            hint = "put it back: its cases may still be open, and `until` ends it for new ones"
            diagnostics.add("AM114", place, message, hint=hint)
