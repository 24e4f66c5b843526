"""Whether a document has the shape of a schema at all: a plain yes, or not surely.

Nearly every document that is read is sound, and for a yes nothing needs to be known of places, messages or branches.
So a schema is turned into one small test for each of its parts, when that part is first met. It is a sieve and no
judge: what does not pass is given to jsonschema, which alone says what is wrong, and so is whatever meets a keyword
that is not known here. It follows the rules of `engine/schema.py`: `null` is a value only where it `removes`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sized
from typing import Any, Final

from .shapes import Schema, Shapes, kind_of

#: Whether a plain value passes.
Test = Callable[[Any], bool]

#: Keywords that demand nothing, or are read with another one.
_SILENT: Final = frozenset({"$schema", "$id", "$defs", "title", "description", "examples", "then", "else"})


class Sieve:
    """The tests of one schema."""

    def __init__(self, shapes: Shapes, *, removes: bool) -> None:
        self.shapes = shapes
        self.removes = removes
        self._tests: dict[int, Test] = {}

    def passes(self, value: Any) -> bool:
        """Tell whether a plain document surely has the shape of the schema."""
        return self.of(self.shapes.schema)(value)

    def of(self, part: Schema) -> Test:
        """Return the test of a part of the schema, made once."""
        part = self.shapes.body(part) if part.keys() - _SILENT == {"$ref"} else part
        found = self._tests.get(id(part))
        if found is None:
            made = (self._made(keyword, wanted, part) for keyword, wanted in part.items())
            found = self._tests[id(part)] = _every([test for test in made if test is not None])
        return found

    def _made(self, keyword: str, wanted: Any, part: Schema) -> Test | None:
        """Return the test of one keyword, None for one that demands nothing."""
        if keyword in _SILENT:
            return None
        make = _MAKERS.get(keyword)
        return _never if make is None else make(self, wanted, part)

    def late(self, part: Schema) -> Test:
        """Return a test that is made when the first value is there."""
        made: list[Test] = []

        def test(value: Any) -> bool:
            if not made:
                made.append(self.of(part))
            return made[0](value)

        return test


def _type(sieve: Sieve, wanted: str | list[str], _: Schema) -> Test:
    kinds = frozenset((wanted,) if isinstance(wanted, str) else wanted)
    if not sieve.removes:
        kinds -= {"null"}
    return lambda value: kind_of(value) in kinds


def _enum(sieve: Sieve, wanted: list[Any], _: Schema) -> Test:
    if any(isinstance(item, dict | list) for item in wanted):
        return _never
    allowed = {(kind_of(item), item) for item in wanted if sieve.removes or item is not None}
    return lambda value: not isinstance(value, dict | list) and (kind_of(value), value) in allowed


def _ref(sieve: Sieve, wanted: str, _: Schema) -> Test:
    return sieve.of(sieve.shapes.target(wanted))


def _properties(sieve: Sieve, wanted: Schema, _: Schema) -> Test:
    tests: dict[str, Test] = {}

    def test(value: Any) -> bool:
        if isinstance(value, dict):
            for key, below in value.items():
                if key in wanted:
                    known = tests.get(key)
                    if known is None:
                        known = tests[key] = sieve.of(wanted[key])
                    if not known(below):
                        return False
        return True

    return test


def _additional(sieve: Sieve, wanted: Any, part: Schema) -> Test:
    known = part.get("properties", {}).keys()
    if wanted is False:
        return lambda value: not isinstance(value, dict) or value.keys() <= known
    below = sieve.late(wanted)
    return lambda value: (
        not isinstance(value, dict) or all(below(item) for key, item in value.items() if key not in known)
    )


def _names(sieve: Sieve, wanted: Schema, _: Schema) -> Test:
    of_key = sieve.late(wanted)
    return lambda value: not isinstance(value, dict) or all(map(of_key, value))


def _items(sieve: Sieve, wanted: Schema, _: Schema) -> Test:
    of_item = sieve.late(wanted)
    return lambda value: not isinstance(value, list) or all(map(of_item, value))


def _any_of(sieve: Sieve, wanted: list[Schema], _: Schema) -> Test:
    by_kind: dict[str, list[Test]] = {}

    def test(value: Any) -> bool:
        kind = kind_of(value)
        tests = by_kind.get(kind)
        if tests is None:
            # The likeliest branch is the judge's concern: one that passes is enough.
            tests = by_kind[kind] = [sieve.of(part) for part in sieve.shapes.fitting(wanted, value)]
        return any(branch(value) for branch in tests)

    return test


def _if(sieve: Sieve, wanted: Schema, part: Schema) -> Test:
    # Only what surely holds may choose `then`, and only what surely does not `else`.
    condition = sieve.of(wanted) if _is_exact(wanted) else _never
    follow, instead = (sieve.late(part[key]) if key in part else _always for key in ("then", "else"))
    if condition is _never:
        return lambda value: follow(value) and instead(value)
    return lambda value: follow(value) if condition(value) else instead(value)


def _every(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]

    def test(value: Any) -> bool:
        for each in tests:  # noqa: SIM110 - a generator for every value would cost as much as the tests
            if not each(value):
                return False
        return True

    return test


def _always(_: Any) -> bool:
    return True


def _never(_: Any) -> bool:
    return False


def _is_exact(part: Schema) -> bool:
    """Tell whether the test of a condition says no only where the condition does not hold."""
    return all(
        keyword in {"type", "required"} or (keyword == "anyOf" and all(map(_is_exact, wanted)))
        for keyword, wanted in part.items()
    )


def _const(_: Sieve, wanted: Any, __: Schema) -> Test:
    kind = kind_of(wanted)
    return lambda value: kind_of(value) == kind and value == wanted


def _required(_: Sieve, wanted: Iterable[str], __: Schema) -> Test:
    keys = frozenset(wanted)
    return lambda value: not isinstance(value, dict) or value.keys() >= keys


def _dependent(_: Sieve, wanted: Mapping[str, list[str]], __: Schema) -> Test:
    return lambda value: (
        not isinstance(value, dict)
        or all(value.keys() >= set(needs) for key, needs in wanted.items() if key in value)
    )


def _unique(_: Sieve, wanted: bool, __: Schema) -> Test:  # noqa: FBT001 - the schema's
    def test(value: Any) -> bool:
        if not wanted or not isinstance(value, list):
            return True
        texts = [item for item in value if isinstance(item, str)]
        return len(set(texts)) == len(texts)

    return test


def _pattern(_: Sieve, wanted: str, __: Schema) -> Test:
    search = re.compile(wanted).search
    return lambda value: not isinstance(value, str) or search(value) is not None


def _least(kind: type[Sized]) -> Callable[[Sieve, int, Schema], Test]:
    return lambda _, wanted, __: lambda value: not isinstance(value, kind) or len(value) >= wanted


def _most(kind: type[Sized]) -> Callable[[Sieve, int, Schema], Test]:
    return lambda _, wanted, __: lambda value: not isinstance(value, kind) or len(value) <= wanted


_MAKERS: Final[Mapping[str, Callable[[Sieve, Any, Schema], Test]]] = {
    "$ref": _ref,
    "type": _type,
    "enum": _enum,
    "const": _const,
    "properties": _properties,
    "additionalProperties": _additional,
    "propertyNames": _names,
    "required": _required,
    "dependentRequired": _dependent,
    "minProperties": _least(dict),
    "maxProperties": _most(dict),
    "items": _items,
    "minItems": _least(list),
    "uniqueItems": _unique,
    "pattern": _pattern,
    "minLength": _least(str),
    "anyOf": _any_of,
    "if": _if,
}
