"""What stands where: documents against the JSON Schemas in schemas/, each finding one diagnostic at its place.

jsonschema validates, by the same files that an editor completes from. Three of its ways are replaced here: a choice
(`anyOf`) follows the branch that the value is shaped like, so that what is wrong is told from inside that branch;
`null`, which the schema allows for the sake of overlays, counts as nothing in a document that is none; and children
are visited without a new validator and a new resolver for each of them, which is four times as fast. A document that
surely has the right shape passes the sieve in `engine/text/conform.py` before jsonschema is even imported.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Literal

from .diagnostics import Diagnostic
from .document import Node, to_plain
from .packaged import packaged
from .text.conform import Sieve
from .text.misshapen import Report
from .text.shapes import Key, Schema, Shapes, kind_of

if TYPE_CHECKING:
    from jsonschema import ValidationError

Name = Literal["policy", "scenario", "fragment"]
Errors = Iterator["ValidationError"]

#: What messages call a document.
_CALLED: Final[dict[Name, str]] = {"policy": "the policy", "scenario": "the file", "fragment": "the fragment"}
#: No author reads more findings than this; a hostile file could have one for every node.
_LIMIT: Final = 1_000


def schema_text(name: Name) -> str:
    """Return a schema as the package holds it: JSON, 2020-12.

    >>> '"$id": "urn:amends:schema:policy:1"' in schema_text("policy")
    True
    """
    return packaged("amends", "schemas", f"{name}.schema.json").decode("utf-8")


def check_document(node: Node, name: Name) -> tuple[Diagnostic, ...]:
    """Return what is wrong with the shape of a document: unknown, missing and misshapen parts, in order of place.

    A policy that says `extends` is an overlay, and may be as partial as it likes; laid over its base it has lost that
    key, and must be complete.

    >>> from amends.engine.document import read_text
    >>> node, _ = read_text("cases: [{id: A, nmae: x, events: []}]", "s.yaml")
    >>> for found in check_document(node, "scenario"):
    ...     print(f"{found.place}: {found.code} {found.message}; {found.hint}")
    s.yaml:1:17: AM101 unknown key `nmae`; did you mean `name`?
    s.yaml:1:26: AM102 `events` is empty; give it a list, or remove the key
    """
    plain = to_plain(node)
    overlay = name == "policy" and isinstance(plain, dict) and "extends" in plain
    if _sieve(name, overlay).passes(plain):
        return ()
    report = Report(node, plain, _shapes(name), _CALLED[name])
    errors = list(islice(_validator(name, overlay).iter_errors(plain), _LIMIT))
    for error in sorted(errors, key=_rank):
        report.add(
            str(error.validator),
            error.validator_value,
            error.instance,
            tuple(error.absolute_path),
            error.schema,
        )
    return report.found.sorted()


def _rank(error: ValidationError) -> tuple[int, bool]:
    """Return what findings are told by: what is wrong as a whole before its parts, unknown keys before missing ones."""
    unknown = error.validator == "additionalProperties"
    return len(error.absolute_path) - unknown, not unknown


@lru_cache(maxsize=3)
def _shapes(name: Name) -> Shapes:
    return Shapes(json.loads(schema_text(name)))


@lru_cache(maxsize=4)
def _sieve(name: Name, overlay: bool) -> Sieve:  # noqa: FBT001 - a cache's key
    return Sieve(_shapes(name), removes=overlay)


@lru_cache(maxsize=4)
def _validator(name: Name, overlay: bool) -> Any:  # noqa: FBT001 - a cache's key
    """Build the validator of a schema: 2020-12, but for the ways named at the top."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - a twentieth of a second, and only mistakes need it
    from jsonschema.validators import extend  # noqa: PLC0415

    shapes = _shapes(name)
    keywords = _Keywords(shapes, removes=overlay).replaced()
    validator = extend(Draft202012Validator, keywords)  # type: ignore[no-untyped-call] # the stub types nothing
    return validator(shapes.schema)


def _error(keyword: str, expected: Any, value: Any, part: Schema) -> ValidationError:
    from jsonschema import ValidationError  # noqa: PLC0415 - as above

    return ValidationError("", validator=keyword, validator_value=expected, instance=value, schema=part)


class _Keywords:
    """The keywords that are read in a way of our own; each takes what jsonschema gives it, and yields its errors.

    Verdicts are the standard's, but that `null` is no value unless it `removes`, as in an overlay.
    """

    def __init__(self, shapes: Shapes, *, removes: bool) -> None:
        self.shapes = shapes
        self.removes = removes

    def replaced(self) -> Mapping[str, Any]:
        """Return the functions by the keywords that they stand for."""
        return {
            "$ref": self.ref,
            "type": self.type,
            "enum": self.enum,
            "properties": self.properties,
            "additionalProperties": self.additional,
            "propertyNames": self.names,
            "items": self.items,
            "uniqueItems": self.unique,
            "required": self.required,
            "anyOf": self.any_of,
            "if": self.when,
        }

    def below(self, validator: Any, part: Schema, value: Any, *step: str | int) -> Errors:
        """Validate a value by a part of the schema, as Validator.descend does it."""
        for keyword, expected in part.items():
            check = validator.VALIDATORS.get(keyword)
            for error in (check(validator, expected, value, part) or ()) if check else ():
                told = error if isinstance(error.validator, str) else _error(keyword, expected, value, part)
                told.path.extendleft(step)
                yield told

    def ref(self, validator: Any, target: str, value: Any, _part: Schema) -> Errors:
        """Follow a reference; ours all lead to `$defs`."""
        return self.below(validator, self.shapes.target(target), value)

    def type(self, _: Any, types: str | list[str], value: Any, part: Schema) -> Errors:
        """Yield an error if the value is of no such kind."""
        known = (types,) if isinstance(types, str) else types
        if kind_of(value) not in known or (value is None and not self.removes):
            yield _error("type", types, value, part)

    def enum(self, _: Any, allowed: list[Any], value: Any, part: Schema) -> Errors:
        """Yield an error if the value is none of these."""
        kind = kind_of(value)
        found = any(kind == kind_of(item) and value == item for item in allowed)
        if not found or (value is None and not self.removes):
            yield _error("enum", allowed, value, part)

    def properties(self, validator: Any, parts: Schema, value: Any, _part: Schema) -> Errors:
        """Validate what stands under the known keys, in the order in which it is written."""
        if isinstance(value, dict):
            for key in value:
                if key in parts:
                    yield from self.below(validator, parts[key], value[key], key)

    def additional(self, validator: Any, part: Any, value: Any, around: Schema) -> Errors:
        """Validate what stands under other keys; where none may, yield an error for each."""
        known = around.get("properties", {})
        for key in value if isinstance(value, dict) else ():
            if key in known:
                continue
            if part is False:
                error = _error("additionalProperties", [*known], value, around)
                error.path.append(Key(key))
                yield error
            else:
                yield from self.below(validator, part, value[key], key)

    def names(self, validator: Any, part: Schema, value: Any, _part: Schema) -> Errors:
        """Validate the keys themselves."""
        for key in value if isinstance(value, dict) else ():
            yield from self.below(validator, part, key, Key(key))

    def items(self, validator: Any, part: Schema, value: Any, _part: Schema) -> Errors:
        """Validate the items of a list."""
        for index, item in enumerate(value if isinstance(value, list) else ()):
            yield from self.below(validator, part, item, index)

    def unique(self, _: Any, expected: bool, value: Any, part: Schema) -> Errors:  # noqa: FBT001 - jsonschema's
        """Yield an error for every text that stands in a list again; only lists of texts are to be unique."""
        seen: set[str] = set()
        for index, item in enumerate(value if isinstance(value, list) else ()):
            if isinstance(item, str) and item in seen:
                error = _error("uniqueItems", expected, item, part)
                error.path.append(index)
                yield error
            elif isinstance(item, str):
                seen.add(item)

    def required(self, _: Any, keys: list[str], value: Any, part: Schema) -> Errors:
        """Yield an error for every key that is not there."""
        if isinstance(value, dict):
            yield from (_error("required", key, value, part) for key in keys if key not in value)

    def any_of(self, validator: Any, branches: list[Schema], value: Any, part: Schema) -> Errors:
        """Yield the errors of the branch that the value is shaped like, unless another one takes it."""
        fitting = self.shapes.fitting(branches, value)
        chosen = self.shapes.likely(fitting, value)
        errors = [] if chosen is None else list(self.below(validator, chosen, value))
        if chosen is None or (errors and all(branch.keys() == {"required"} for branch in branches)):
            if chosen is None or all(any(self.below(validator, branch, value)) for branch in fitting):
                yield _error("anyOf", branches, value, part)
        elif errors and all(
            any(self.below(validator, other, value)) for other in fitting if other is not chosen
        ):
            yield from errors

    def when(self, validator: Any, condition: Schema, value: Any, part: Schema) -> Errors:
        """Follow `then` or `else`."""
        branch = part.get("else" if any(self.below(validator, condition, value)) else "then")
        if branch is not None:
            yield from self.below(validator, branch, value)
