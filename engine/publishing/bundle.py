"""A bundle: everything a policy is made of, as bytes that need neither the folder nor the holidays library.

It holds the texts (what is extended first) and the dates of every holiday code they name. A case is pinned to its digest, and
to the digest of the model: the resolved document without the texts that only people read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from typing import Any, Final

from ..calendar import country_codes, expand_holidays, holiday_span, is_holiday_code
from ..calendar import holiday_codes as every_code
from ..canonical import canonical, sha256
from ..case import PolicyRef
from ..compile import compile_policy
from ..diagnostics import Diagnostic, Diagnostics, Place
from ..document import Fields, Items, Node, Scalar, read_text, to_plain
from ..errors import InvalidValue
from ..policy import CompiledPolicy
from ..read.almanac import Expanded, holiday_codes
from ..read.fragment import Find, Fragment, Includer
from ..read.sentences import insertions
from ..read.shape import at, word
from ..schema import check_document
from ..text.overlay import merge
from ..version import LANGUAGE

#: Holidays that were not made: a calendar of them knows no day, and says so when it is asked.
_UNMADE: Final[Expanded] = (frozenset(), date.max, date.min)

#: What an overlay never takes over from the policy it extends.
OWN: Final = ("policy", "version", "title", "serves", "in_force", "extends", "migrates")
#: No country has a longer name.
_COUNTRY: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """The texts of a policy, what is extended first, and the holidays that they name."""

    texts: tuple[str, ...]
    holidays: Mapping[str, Expanded]
    #: The texts of fragments, by the reference that includes them.
    fragments: Mapping[str, str] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return the bundle as canonical JSON."""
        holidays = {
            code: {"dates": sorted(map(str, dates)), "first": str(first), "last": str(last)}
            for code, (dates, first, last) in self.holidays.items()
        }
        # Without any the bytes are those of a time before there were fragments.
        fragments = {"fragments": dict(self.fragments)} if self.fragments else {}
        return canonical({"amends": LANGUAGE, "texts": list(self.texts), "holidays": holidays, **fragments})

    @classmethod
    def from_bytes(cls, data: bytes) -> Bundle:
        """Return the bundle that `to_bytes` wrote.

        Raises:
            InvalidValue: the bytes are not a bundle.
        """
        try:
            read = json.loads(data)
            holidays = {
                code: (
                    frozenset(map(date.fromisoformat, known["dates"])),
                    date.fromisoformat(known["first"]),
                    date.fromisoformat(known["last"]),
                )
                for code, known in read["holidays"].items()
            }
            texts = tuple(read["texts"])
            fragments = dict(read.get("fragments", {}))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InvalidValue(f"not a bundle: {error}") from error
        every = (*texts, *fragments.values())
        if not (isinstance(read["texts"], list) and all(isinstance(text, str) for text in every)):
            raise InvalidValue("not a bundle: `texts` is a list of texts")
        return cls(texts=texts, holidays=holidays, fragments=fragments)

    def digest(self) -> str:
        """Return the SHA-256 of its bytes, in hex."""
        return sha256(self.to_bytes())


def expand(node: Node, diagnostics: Diagnostics, *, dates: bool = True) -> dict[str, Expanded]:
    """Return the dates of every holiday code that a document names; a code that nobody knows is reported.

    Without `dates` a code is only looked up: making holidays takes longer than all the checks of a policy.
    """
    found: dict[str, Expanded] = {}
    for code, scalar in holiday_codes(at(node, "calendars")):
        if code in found:
            continue
        if not dates and is_holiday_code(code):
            found[code] = _UNMADE
            continue
        try:
            first, last = holiday_span(code)
            found[code] = (expand_holidays(code), first, last)
        except InvalidValue as error:
            hint = _country(code) or diagnostics.near(code, every_code())
            diagnostics.add("AM104", scalar.place, str(error), hint=hint)
    return found


def _country(text: str) -> str | None:
    """Return the hint for the name of a country where its code is due, well spelt or not.

    >>> _country("United States"), _country("Gremany"), _country("USX")
    ('write `US`', 'write `DE`', None)
    """
    if text.isupper() or len(text) > _COUNTRY:
        return None
    codes = country_codes()
    near = get_close_matches("".join(filter(str.isalpha, text.casefold())), codes, n=1, cutoff=0.8)
    return f"write `{codes[near[0]]}`" if near else None


def overlaid(base: Node, over: Node, diagnostics: Diagnostics) -> Node:
    """Return a document laid over the one it extends."""
    inherited = Fields(
        tuple((key, value) for key, value in base.entries if key.text not in OWN)
        if isinstance(base, Fields)
        else (),
        base.place,
    )
    if not isinstance(over, Fields):
        return over
    own = Fields(tuple((key, value) for key, value in over.entries if key.text != "extends"), over.place)
    return merge(inherited, own, diagnostics)


def model_of(node: Node, holidays: Mapping[str, Expanded]) -> Any:
    """Return what a policy means as plain data: the resolved document without labels, and its holidays."""
    return {
        "document": _without_labels(node, ()),
        "holidays": {code: sorted(map(str, dates)) for code, (dates, _, _) in holidays.items()},
    }


def _without_labels(node: Node, path: tuple[str, ...]) -> Any:
    """Return a node as plain data; a map is a list of pairs, for the order of clocks and escalations counts."""
    match node:
        case Fields():
            if path == ("roles",):
                # With texts for people it is a map, and without a list.
                return [key.text for key, _ in node.entries]
            if path == ("reasons",):
                return [[key.text, _inserted(value)] for key, value in node.entries]
            return [
                [key.text, _without_labels(value, (*path, key.text))]
                for key, value in node.entries
                if not _is_label((*path, key.text))
            ]
        case Items():
            return [_without_labels(item, (*path, "")) for item in node.items]
        case Scalar():
            value = to_plain(node)
            return value if value is None or isinstance(value, bool | str) else node.text


def _inserted(sentences: Node) -> list[str]:
    """Return the expressions that the sentences of a reason insert: their values stand in steps, the words do not."""
    texts = [value for _, value in sentences.entries] if isinstance(sentences, Fields) else [sentences]
    return sorted(
        {
            text.text[start:end].strip()
            for text in texts
            if isinstance(text, Scalar)
            for start, end in insertions(text.text)
        }
    )


def _is_label(path: tuple[str, ...]) -> bool:
    """Return whether only people read what stands at a path; an author's own names may be those of labels."""
    match path:
        case ("title",) | ("sources", _, "checked"):
            return True
        case (
            "sources" | "facts" | "events" | "params" | "states" | "sla" | "payouts" | "lookups" | "balances",
            _,
            "says",
        ):
            return True
        case ("events", _, "data", _, "says") | ("states", _, "sla", _, "says"):
            return True
        case ("legs", _, *rest):
            return _is_label(tuple(rest))
    return False


def compile_node(
    node: Node, bundle: Bundle, *, pinned: bool = True, under: tuple[Node, ...] = ()
) -> tuple[CompiledPolicy | None, tuple[Diagnostic, ...]]:
    """Judge a resolved document by the schema and compile it, pinned to its bundle.

    Without `pinned` no digests are made: the policy is only looked at, and no case can be opened with it. `under` are the
    documents that it is laid over, each resolved, the lowest first.
    """
    findings = check_document(node, "policy")
    ref = PolicyRef(
        name=word(at(node, "policy")) or "",
        version=word(at(node, "version")) or "",
        bundle=bundle.digest() if pinned else "",
        model=sha256(canonical(model_of(node, bundle.holidays))) if pinned else "",
    )
    policy, compiled = compile_policy(node, ref, bundle.holidays, shapely=not findings, under=under)
    # What the schema already said of a place is not said twice.
    said = {(item.place.file, item.place.line, item.place.column) for item in findings}
    rest = tuple(i for i in compiled if (i.place.file, i.place.line, i.place.column) not in said)
    return (None if findings else policy), (*findings, *rest)


def open_bundle(bundle: Bundle) -> CompiledPolicy:
    """Return the policy that a bundle holds, without the folder it came from and without the holidays library.

    Raises:
        InvalidValue: the bundle does not hold a sound policy.
    """
    diagnostics = Diagnostics()
    resolved: Node | None = None
    under: list[Node] = []
    for index, text in enumerate(bundle.texts):
        node, found = read_text(text, f"bundle:{index}")
        diagnostics.found.extend(found)
        if node is None:
            break
        if resolved is not None:
            under.append(resolved)
        resolved = node if resolved is None else overlaid(resolved, node, diagnostics)
    whole = None if resolved is None else Includer(_kept(bundle), diagnostics).included(resolved)
    if whole is None or diagnostics.has_errors:
        raise InvalidValue("the bundle does not hold a sound policy")
    policy, found = compile_node(whole, bundle, under=tuple(under))
    if policy is None:
        wrong = next(item for item in found if item.severity == "error")
        raise InvalidValue(f"the bundle does not hold a sound policy: {wrong.message} ({wrong.place})")
    return policy


def _kept(bundle: Bundle) -> Find:
    """Return what finds the fragments that a bundle holds."""

    def find(reference: str, _: Place) -> Fragment | None:
        text = bundle.fragments.get(reference)
        node = None if text is None else read_text(text, f"bundle:{reference}")[0]
        if text is None or node is None:
            raise InvalidValue(f"the bundle does not hold the fragment `{reference}`")
        return Fragment(node, text)

    return find
