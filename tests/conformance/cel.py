"""Run a file of CEL conformance tests against the expression language, and print one JSON object.

    python tests/conformance/cel.py FILE

FILE holds `tests`, each with `expr` and one of `value`, `error`, or `check_only` with `deduced_type`; `types` declares
names and `bindings` gives their values; `profile` marks the tests that stay inside the profile. The object printed has
`profile` and `all`, each with `passed` and `failed`, and `failures`, a list with the reason of each.

How a test is judged:

- `value`: the expression parses, checks, and evaluates to that value, of the same type. With `deduced_type` the type
  found by the checker is compared too.
- `error`: evaluation fails with an error of the rule, or a literal such as `timestamp('…')` cannot be read when it is
  checked. A type problem does not count: the test says that the types are fine.
- `unchecked`: the test is to run without a type check. The language has no such mode, so it is checked like any other,
  and it fails where the check finds problems, even if an error is what it asks for.
- `check_only`: only the deduced type is compared.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from amends.engine import calendar
from amends.engine.errors import AmendsError, RuleError
from amends.engine.expression import Checked, Declared, check_text, evaluate
from amends.engine.types import (
    BOOL,
    DECIMAL,
    DURATION,
    INT,
    TEXT,
    TIMESTAMP,
    Hole,
    ListType,
    MapType,
    Type,
)
from amends.engine.values import Unknown, Value, instant_text, parse_timestamp

#: CEL's names of the types that the profile has too.
TYPES: Final[dict[str, Type]] = {
    "bool": BOOL,
    "int": INT,
    "string": TEXT,
    "timestamp": TIMESTAMP,
    "duration": DURATION,
    "google.protobuf.Timestamp": TIMESTAMP,
    "google.protobuf.Duration": DURATION,
}
NAMES: Final[dict[Type, str]] = {type_: name for name, type_ in reversed(TYPES.items())}


class Failed(Exception):  # noqa: N818 - the outcome of a test
    """A test does not pass; the message says why."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The names of one test: a scope for the checker, an environment for the evaluation."""

    types: dict[str, Type]
    values: dict[str, Value]
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    @property
    def zone(self) -> ZoneInfo:
        return calendar.zone("UTC")

    def find(self, name: str) -> Declared | None:
        return Declared(type=self.types[name], kind="fact") if name in self.types else None

    def names(self) -> Iterable[str]:
        return self.types

    def find_type(self, name: str) -> Type | None:  # noqa: ARG002 - no records here
        return None

    def type_names(self) -> Iterable[str]:
        return ()

    def value(self, name: str) -> Value:
        return self.values.get(name, Unknown(frozenset({name})))

    def call(self, name: str, arguments: tuple[Value, ...]) -> Value:  # noqa: ARG002 - no tables here
        raise RuleError(f"no table {name}")


def read_type(text: str) -> Type:
    """Return a type by CEL's name for it."""
    if text in TYPES:
        return TYPES[text]
    head, _, rest = text.removesuffix(")").partition("(")
    if head == "list":
        return ListType(read_type(rest))
    if head == "map" and rest.startswith("string,"):
        return MapType(read_type(rest.partition(",")[2].strip()))
    raise Failed(f"the profile has no type {text}")


def type_name(type_: Type) -> str:
    """Return CEL's name of a type."""
    match type_:
        case Hole():
            return "dyn"
        case ListType():
            return f"list({type_name(type_.item)})"
        case MapType():
            return f"map(string, {type_name(type_.value)})"
    return NAMES.get(type_, str(type_))


def read_value(data: dict[str, Any]) -> Value:
    """Return a tagged value as one of the language."""
    ((tag, item),) = data.items()
    match tag:
        case "bool" | "string":
            return item
        case "int":
            return int(item)
        case "list":
            return tuple(read_value(part) for part in item)
        case "map":
            return {str(read_value(key)): read_value(value) for key, value in item}
        case "timestamp":
            return parse_timestamp(item)
    raise Failed(f"the profile has no values of type {tag}")


def tagged(value: Value, type_: Type) -> Any:
    """Return a value in the form of the tests; maps are sorted by key."""
    match type_:
        case ListType():
            return {"list": [tagged(item, type_.item) for item in value]}
        case MapType():
            return {"map": [[{"string": key}, tagged(value[key], type_.value)] for key in sorted(value)]}
    if type_ == INT:
        return {"int": str(value)}
    if type_ == TIMESTAMP:
        return {"timestamp": instant_text(value)}
    if type_ == DECIMAL:
        return {"decimal": str(value)}
    names: dict[Type, str] = {BOOL: "bool", TEXT: "string"}
    return {names.get(type_, str(type_)): value}


def in_order(data: Any) -> Any:
    """Return a tagged value with the entries of its maps sorted by key."""
    ((tag, item),) = data.items()
    if tag == "list":
        return {"list": [in_order(part) for part in item]}
    if tag == "map":
        entries = [[in_order(key), in_order(value)] for key, value in item]
        return {"map": sorted(entries, key=lambda entry: json.dumps(entry[0]))}
    return data


def run(test: dict[str, Any]) -> None:
    """Run one test.

    Raises:
        Failed: it does not pass.
    """
    bindings = {name: read_value(value) for name, value in test.get("bindings", {}).items()}
    names = Surroundings({name: read_type(text) for name, text in test.get("types", {}).items()}, bindings)
    checked, problems = check_text(test["expr"], names)
    if checked is None:
        if "error" in test and all(problem.code == "AM106" for problem in problems):
            return
        raise Failed("; ".join(f"{problem.code} {problem.message}" for problem in problems))
    if "deduced_type" in test and type_name(checked.type) != test["deduced_type"]:
        raise Failed(f"the type is {type_name(checked.type)}, not {test['deduced_type']}")
    if not test.get("check_only"):
        judge(test, checked, names)


def judge(test: dict[str, Any], checked: Checked, names: Surroundings) -> None:
    """Evaluate and compare."""
    try:
        value = evaluate(checked, names)
    except RuleError as error:
        if "error" in test:
            return
        raise Failed(f"failed: {error}") from None
    if "error" in test:
        raise Failed(f"gives {value!r:.80}, and should fail")
    if isinstance(value, Unknown):
        raise Failed("is unknown")
    found, expected = tagged(value, checked.type), in_order(test["value"])
    if found != expected:
        raise Failed(f"gives {found!r:.80}, not {expected!r:.80}")


def report(tests: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Run tests, and count what passed in the profile and in all."""
    counts = {group: {"passed": 0, "failed": 0} for group in ("profile", "all")}
    failures: list[dict[str, Any]] = []
    for test in tests:
        try:
            run(test)
            outcome = "passed"
        except (Failed, AmendsError) as error:
            outcome = "failed"
            place = {key: test.get(key) for key in ("file", "section", "name", "expr")}
            failures.append({**place, "profile": bool(test.get("profile")), "reason": str(error)})
        counts["all"][outcome] += 1
        if test.get("profile"):
            counts["profile"][outcome] += 1
    return {**counts, "failures": failures}


def main(arguments: list[str]) -> int:
    """Run the file named on the command line; 0 if every test of the profile passes."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python tests/conformance/cel.py FILE\n")
        return 2
    try:
        data = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{arguments[0]}: {error}\n")
        return 3
    found = report(data["tests"])
    sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=1) + "\n")
    return 1 if found["profile"]["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
