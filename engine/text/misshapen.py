"""What an author probably meant by a part of the wrong shape, and the words to say so.

It validates nothing. Nouns are the titles of the schema, remedies its descriptions and examples, so that a diagnostic
and an editor's pop-up speak alike.
"""

from __future__ import annotations

import re
from typing import Any, Final

from ..diagnostics import Diagnostics, Place, did_you_mean, meant
from ..document import Fields, Node, Scalar, node_at
from ..version import LANGUAGE
from .shapes import Key, Schema, Shapes, Way, flow, kind_of

_WORDS: Final = {
    "null": "nothing",
    "boolean": "`true` or `false`",
    "number": "a number",
    "string": "text",
    "array": "a list",
    "object": "a map",
}
#: Lists of actions, and the actions that are built in.
_ACTIONS: Final = frozenset({"enter", "exit", "do"})
_VERBS: Final = ("pay", "grant", "reverse")
_BOOLEANS: Final = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
#: Keys that take one name or a list of them.
_NAMES: Final = frozenset({"by", "waits_for", "alarm", "source", "in", "starts", "met_by", "needs"})
#: Longer texts are not shown as the list that they were meant to be.
_LISTED: Final = 60
#: What others call it; the first that is a key at the place is meant.
_HABITS: Final[dict[str, tuple[str, ...]]] = {
    "action": ("do",),
    "actions": ("do",),
    "actor": ("by",),
    "and": ("all",),
    "cap": ("at_most",),
    "condition": ("when",),
    "conditions": ("all",),
    "deadline": ("due",),
    "default": ("otherwise",),
    "description": ("says", "title"),
    "effects": ("do",),
    "else": ("otherwise", "unknown"),
    "entry": ("enter",),
    "event": ("type", "on"),
    "expected": ("expect",),
    "facts": ("given",),
    "guard": ("when",),
    "if": ("when",),
    "input": ("inputs",),
    "label": ("says", "title"),
    "limit": ("at_most",),
    "max": ("at_most",),
    "name": ("id", "policy", "title"),
    "next": ("to",),
    "not": ("unless",),
    "or": ("any",),
    "output": ("outputs",),
    "role": ("by", "waits_for"),
    "roles": ("by", "waits_for"),
    "target": ("to",),
    "text": ("says",),
    "timeout": ("due", "sla"),
    "transitions": ("on",),
    "value": ("is", "then"),
}


class Report:
    """Turns what a validator found into diagnostics, one for each mistake."""

    def __init__(self, root: Node, plain: object, shapes: Shapes, whole: str) -> None:
        self.root = root
        self.plain = plain
        self.shapes = shapes
        self.whole = whole
        self.found = Diagnostics()
        #: What is wrong as a whole: nothing more is told of it.
        self._wrong: set[Way] = set()
        #: Keys that unknown ones were probably meant to be: they are not missing.
        self._meant: set[tuple[Way, str]] = set()
        #: Maps that lack a key.
        self._lacking: set[Way] = set()

    def add(self, keyword: str, expected: Any, value: Any, way: Way, part: Schema) -> None:
        """Report that a value breaks a keyword of its schema, unless that follows from what is reported already.

        Args:
            keyword: the keyword, such as `type`.
            expected: what stands under it; of `required` the one key that is missing.
            value: the plain value; of an unknown key the map that holds it.
            way: the way to the value, or to the unknown or misspelt key, or to what stands there twice.
            part: the part of the schema that holds the keyword.
        """
        if any(way[:length] in self._wrong for length in range(len(way) + 1)):
            return
        match keyword:
            case "additionalProperties" | "required" if self._mixed_action(way, keyword, value):
                pass
            case "additionalProperties":
                self._unknown_key(way, [name for name in expected if name not in value])
            case "required":
                self._missing(way, [expected])
            case "dependentRequired":
                for key, others in expected.items():
                    beside = [f"`{other}`" for other in others if other not in value]
                    if key in value and beside:
                        self._tell("AM103", (*way, Key(key)), f"`{key}` needs {_listed(beside)} beside it")
            case "anyOf" if all(branch.keys() == {"required"} for branch in expected):
                self._missing(way, [key for branch in expected for key in branch["required"]])
            case "uniqueItems":
                message = f"`{_short(value)}` stands twice in {self._subject(way[:-1])}"
                self._tell("AM102", way, message, "remove one")
            case _:
                self._wrong.add(way)
                self._misshapen(keyword, expected, value, way, part)

    def _unknown_key(self, way: Way, free: list[str]) -> None:
        key, around = str(way[-1]), way[:-1]
        near = next((name for name in _HABITS.get(key, ()) if name in free), None)
        hint = f"did you mean `{near}`?" if near else self._part(key, around) or self._home(key)
        hint = hint or did_you_mean(key, free)
        if name := meant(hint):
            self._meant.add((around, name))
        self._tell("AM101", way, f"unknown key `{_short(key)}`", hint)

    def _mixed_action(self, way: Way, keyword: str, value: Any) -> bool:
        """Report a map of two actions, or an `amount` beside what takes none; what follows from it is not told."""
        around = way[:-1] if keyword == "additionalProperties" else way
        if len(around) < 2 or around[-2] not in _ACTIONS or around in self._wrong:
            return around in self._wrong
        verbs = [key for key in value if key in _VERBS]
        if len(verbs) > 1:
            item = "begin a new item of the list with `-`"
            self._tell("AM102", (*around, Key(verbs[1])), "an action is a map of one key", item)
        elif "amount" in value and "grant" not in value and len(value) > 1:
            other = next(key for key in value if key != "amount")
            hint = "write `grant` with the amount, and then `pay`" if other == "pay" else None
            self._tell(
                "AM101", (*around, Key("amount")), f"`amount` does not go with `{_short(other)}`", hint
            )
        else:
            return False
        self._wrong.add(around)
        return True

    def _part(self, key: str, around: Way) -> str | None:
        """Return the part of the policy that a key of the top was meant for: one that differs in little is nearer than home."""
        near = did_you_mean(
            key, [part for part in self.shapes.schema["properties"] if part.startswith(key[:3])]
        )
        return near if not around and meant(near) else None

    def _home(self, key: str) -> str | None:
        if key in self.shapes.schema["properties"]:
            return f"`{key}` is a key of {self.whole} itself"
        homes = [_with_article(title) for title in self.shapes.homes(key)]
        return f"`{key}` is a key of {_listed(homes)}" if 0 < len(homes) <= 4 else None

    def _missing(self, way: Way, keys: list[str]) -> None:
        if any((way, key) in self._meant for key in keys):
            return
        self._lacking.add(way)
        examples = self.shapes.examples(self.plain, (*way, Key(keys[0])), {})
        hint = f"for example `{keys[0]}: {examples[0]}`" if examples else None
        message = f"{self._subject(way)} needs {_listed([f'`{key}`' for key in keys])}"
        self._tell("AM103", self._name_of(way), message, hint)

    def _misshapen(self, keyword: str, expected: Any, value: Any, way: Way, part: Schema) -> None:
        subject, what = self._subject(way), _noun(part)
        match keyword:
            case _ if value is None or (keyword in {"minItems", "minLength", "minProperties"} and not value):
                removed = "the key" if way and isinstance(way[-1], str) else "it"
                self._tell(
                    "AM102", self._name_of(way), f"{subject} is empty", f"give it {what}, or remove {removed}"
                )
            case "const" if way == ("amends",) and type(value) is int:
                message = f"version `{value}` of the language is not known here"
                self._tell("AM109", way, message, f"this engine knows version `{LANGUAGE}`")
            case "enum" | "const":
                allowed = [
                    flow(item) for item in (expected if keyword == "enum" else [expected]) if item is not None
                ]
                message = f"{subject} must be {_listed([f'`{item}`' for item in allowed])}"
                self._tell("AM102", way, message, _nearest(self._text(way), allowed))
            case "pattern":
                remedy = str(part.get("description", "")).split(". ")[0].rstrip(".")
                hint = (
                    _list_of(way, str(value), part)
                    or _variant(way, str(value), expected)
                    or _reported(str(value))
                    or remedy[:1].lower() + remedy[1:]
                    or None
                )
                self._tell("AM102", way, f"`{_short(str(value))}` cannot be {what}", hint)
            case "maxProperties":
                second = Key([*value][1])
                hint = "write each as an item of its own, beginning with `-`"
                self._tell("AM102", (*way, second), f"{subject} must hold one key alone", hint)
            case "minProperties" if way in self._lacking:
                pass
            case "minProperties":
                told = _listed([f"`{key}`" for key in value], "and")
                self._tell("AM102", self._name_of(way), f"{subject} says nothing but {told}")
            case _:
                message = f"{subject} must be {what}, not {_WORDS[kind_of(value)]}"
                self._tell("AM102", way, message, self._hint(way, value, part))

    def _hint(self, way: Way, value: object, part: Schema) -> str | None:
        """Return how to write what was probably meant, or an example."""
        text, kinds = self._text(way), self.shapes.kinds(part)
        key = str(way[-1]) if way else ""
        if part is self.shapes.defs.get("effect_call"):
            near = did_you_mean(key, ("pay", "grant", "reverse", "amount"))
            if near and near.startswith("did you mean"):
                return near
        if key in {"when", "unless"} and isinstance(value, list):
            return "several conditions stand under `all` or `any`"
        if "boolean" in kinds and text.lower() in _BOOLEANS:
            return f"write `{_BOOLEANS[text.lower()]}`"
        quoted = re.search(part["pattern"], text) if "pattern" in part else _noun(part).startswith("text")
        if quoted and kind_of(value) in {"number", "boolean"}:
            return f'write it in quotes: `"{_short(text)}"`'
        listed = (
            "array" in kinds and "string" not in kinds and isinstance(value, str) and len(text) <= _LISTED
        )
        if listed and re.fullmatch(r"[\w. ]+(, *[\w. ]+)*", text):
            return f"write it as a list: `[{text}]`"
        examples = self.shapes.examples(self.plain, way, part)
        return f"for example `{examples[0]}`" if examples else None

    def _tell(self, code: str, way: Way, message: str, hint: str | None = None) -> None:
        self.found.add(code, self._place(way), message, hint=hint)

    def _subject(self, way: Way) -> str:
        """Say what a way leads to: a key, or an item of the nearest key."""
        if not way:
            return self.whole
        if isinstance(way[-1], str):
            return f"`{_short(way[-1])}`"
        key = next((step for step in reversed(way) if isinstance(step, str)), None)
        return f"item {way[-1] + 1}" + (f" of `{_short(key)}`" if key is not None else "")

    def _name_of(self, way: Way) -> Way:
        """Return the way to the key that a node stands under, if it stands under one."""
        return (*way[:-1], Key(way[-1])) if way and isinstance(way[-1], str) else way

    def _text(self, way: Way) -> str:
        """Return the text of a scalar or key, nothing of a list or map."""
        if way and isinstance(way[-1], Key):
            return str(way[-1])
        node = node_at(self.root, way)
        return node.text if isinstance(node, Scalar) else ""

    def _place(self, way: Way) -> Place:
        """Return where a way leads; of a map without a name, where its first key stands."""
        named = way and isinstance(way[-1], str)
        if way and isinstance(way[-1], Key):
            around = node_at(self.root, way[:-1])
            key = around.key(way[-1]) if isinstance(around, Fields) else None
            return key.place if key else around.place
        node = node_at(self.root, way)
        return (
            node.entries[0][0].place
            if isinstance(node, Fields) and node.entries and not named
            else node.place
        )


def _noun(part: Schema) -> str:
    """Say what a value must be: by the title where the schema has one for such values, else by the bare kind."""
    title, type_ = str(part.get("title", "")), part.get("type", [])
    kinds = [kind for kind in ([type_] if isinstance(type_, str) else type_) if kind != "null"]
    whole = kinds in (["array"], ["object"]) and not title.startswith(("List", "Map"))
    if whole or kinds == ["boolean"] or (kinds and not title):
        return _listed([_WORDS[kind] for kind in kinds])
    return _with_article(title) if title else "another value"


def _with_article(title: str) -> str:
    """Write a title of the schema as a noun in a sentence.

    >>> _with_article("Expression"), _with_article("Text"), _with_article("`true` or code of a reason")
    ('an expression', 'text', '`true` or code of a reason')
    """
    noun = title[0].lower() + title[1:]
    if noun.startswith(("text", "`")):
        return noun
    if noun.startswith(("name of", "code of")):
        return f"the {noun}"
    return f"{'an' if noun[0] in 'aeio' else 'a'} {noun}"


def _listed(words: list[str], last: str = "or") -> str:
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _variant(way: Way, text: str, pattern: str) -> str | None:
    """Return the hint for a currency in small letters, and for a zone or a policy whose name has blanks.

    >>> _variant(("currency",), "usd", "^[A-Z]{3}$"), _variant(("timezone",), "America/New York", "^[A-Za-z_/]+$")
    ('write `USD`', 'write `America/New_York`')
    """
    joined = "_".join(text.split()) if way[-1:] in (("timezone",), ("policy",)) else text
    fits = joined.upper() if way[-1:] == ("currency",) else joined
    return f"write `{fits}`" if len(text) <= _LISTED and fits != text and re.search(pattern, fits) else None


def _nearest(text: str, allowed: list[str]) -> str | None:
    if text in allowed:
        return "write it without quotes"
    if _BOOLEANS.get(text.lower()) in allowed:
        return f"write `{_BOOLEANS[text.lower()]}`"
    near = did_you_mean(text, allowed) if text else None
    if meant(near):
        return near
    # `saturday` where `sat` is due.
    begun = [each for each in allowed if len(each) > 2 and text.lower().startswith(each.lower())]
    return f"did you mean `{begun[0]}`?" if begun else None


def _list_of(way: Way, text: str, part: Schema) -> str | None:
    """Return the hint to write several names as a list, where a key takes one name or a list of them."""
    names = [name.strip() for name in text.split(",")]
    if not way or way[-1] not in _NAMES or len(names) < 2 or len(text) > _LISTED:
        return None
    return (
        f"write it as a list: `[{', '.join(names)}]`"
        if all(re.search(part["pattern"], n) for n in names)
        else None
    )


def _reported(text: str) -> str | None:
    """Return what was probably meant by a misspelt event of a payout.

    >>> _reported("refund.setled")
    'did you mean `refund.settled`?'
    """
    name, dot, verb = text.partition(".")
    near = (
        did_you_mean(verb, ("settled", "failed", "reversed", "approved", "declined"))
        if dot and name.isidentifier()
        else None
    )
    return near.replace("`", f"`{name}.", 1) if near and near.startswith("did you mean") else None


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 60 else f"{flat[:59]}…"
