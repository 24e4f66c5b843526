"""What is fuzzed: each target takes any bytes, and holds a reader of author text to what every reader promises.

The promise: whatever the text is, there is a value or there are findings, and never another exception; a finding stands inside
of the text, and says itself in one line of printable words. `fuzz.py` looks for bytes that break it; `test_corpus.py` replays
what it kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

from amends.engine.case import PolicyRef
from amends.engine.compile import _Compiler
from amends.engine.decide import decide
from amends.engine.diagnostics import ENOUGH, Diagnostic, Diagnostics, EnoughError
from amends.engine.document import Scalar, read_text
from amends.engine.errors import RuleError
from amends.engine.evolve import evolve
from amends.engine.expression import check_text, evaluate, explain
from amends.engine.expression.generate import generate
from amends.engine.literal import Misfit, read_literal
from amends.engine.moment import evaluate_moment, read_moment
from amends.engine.publishing.bundle import Bundle, compile_node, expand
from amends.engine.read.cells import read_cell
from amends.engine.rules.cell import matches
from amends.engine.schema import check_document
from amends.engine.step import Open, Step
from amends.engine.stepping.work import Work
from amends.engine.text.nodes import FileText, Written
from amends.engine.types import (
    BOOL,
    DATE,
    DECIMAL,
    DURATION,
    INT,
    PERIOD,
    TEXT,
    TIMESTAMP,
    EnumType,
    MoneyType,
    Type,
    required,
)
from amends.engine.values import from_json, to_text

HERE: Final = Path(__file__).parent
FILE: Final = "fuzzed.yaml"
NOON: Final = datetime(2026, 3, 6, 12, tzinfo=UTC)
#: The types that cells and literals are read as.
TYPES: Final[tuple[Type, ...]] = (
    BOOL,
    INT,
    DECIMAL,
    TEXT,
    TIMESTAMP,
    DURATION,
    DATE,
    PERIOD,
    MoneyType(),
    MoneyType("USD"),
    EnumType("kind", ("novel", "atlas", "score", "not", "1")),
)

#: Names of world.yaml whose values cells are asked about; the last is not known.
ASKED: Final = (
    "urgent",
    "tries",
    "ratio",
    "name",
    "lent_at",
    "wait",
    "day",
    "grace",
    "price",
    "kind",
    "limit",
)


@cache
def world() -> tuple[_Compiler, Work]:
    """Return the names of world.yaml, and a case that was opened with their defaults."""
    node, found = read_text((HERE / "world.yaml").read_bytes(), "world.yaml")
    assert node is not None
    assert not found
    ref = PolicyRef(name="fuzzed", version="1", bundle="", model="")
    compiler = _Compiler(node, ref, {}, Diagnostics())
    policy = compiler.policy()
    assert not compiler.diagnostics.found
    step = decide(policy, None, Open(case_id="1", policy=ref, facts={}, recorded_at=NOON))
    assert isinstance(step, Step)
    case = evolve(None, step)
    return compiler, Work(policy, case, NOON)


def document(data: bytes) -> None:
    """Read bytes as a file, and judge what was read by both schemas."""
    node, found = read_text(data, FILE)
    assert node is not None or found
    told(found, data)
    if node is not None:
        told(check_document(node, "policy"), data)
        told(check_document(node, "scenario"), data)


def policy(data: bytes) -> None:
    """Check bytes as a policy from its first byte to its last rule."""
    node, found = read_text(data, FILE)
    if node is not None and not found:
        diagnostics = Diagnostics()
        bundle = Bundle(texts=(), holidays=expand(node, diagnostics, dates=False))
        compiled, checked = compile_node(node, bundle)
        told((*diagnostics.found, *checked), data)
        assert compiled is not None or checked


def expression(data: bytes) -> None:
    """Check a text as an expression; where it is one, evaluate it in every way that there is."""
    text = data.decode(errors="replace")
    compiler, case = world()
    checked, problems = check_text(text, compiler.scope)
    assert (checked is None) == bool(problems)
    for problem in problems:
        assert 0 <= problem.start <= problem.end <= len(text)
        said(problem.message, problem.hint)
    if checked is not None:
        case.changed()
        with suppress(RuleError):
            evaluate(checked, case)
        explain(checked, case)
        generate(checked)
        generate(checked, watched=True)


def moment(data: bytes) -> None:
    """Read a text as a moment, with and without something it counts from; where it is one, compute it."""
    compiler, case = world()
    node = scalar(data.decode(errors="replace"))
    for given in (False, True):
        diagnostics = Diagnostics(most=ENOUGH)
        context = replace(compiler.context, diagnostics=diagnostics)
        read = None
        with suppress(EnoughError):
            read = read_moment(node, context, almanac=compiler.almanac, given=given)
        told(diagnostics.found, data)
        assert read is not None or diagnostics.found
        if read is not None:
            case.changed()
            with suppress(RuleError):
                evaluate_moment(read, case, given=NOON if given else None)


def cell(data: bytes) -> None:
    """Read a text as a cell over every type; where it is one, ask it of values."""
    compiler, case = world()
    node = scalar(data.decode(errors="replace"))
    for type_ in TYPES:
        diagnostics = Diagnostics(most=ENOUGH)
        read = None
        with suppress(EnoughError):
            read = read_cell(node, type_, diagnostics, currency="USD", scope=compiler.scope)
        told(diagnostics.found, data)
        assert read is not None or diagnostics.found
        if read is not None:
            for name in ASKED:
                declared = compiler.scope.find(name)
                if declared is not None and required(declared.type) == type_:
                    with suppress(RuleError):
                        matches(read, case.value(name))


def literal(data: bytes) -> None:
    """Read a text as a literal of every type; what is read can be stored, and comes back the same."""
    text = data.decode(errors="replace")
    for type_ in TYPES:
        try:
            value = read_literal(text, type_, currency="USD")
        except Misfit as misfit:
            said(str(misfit), misfit.hint)
        else:
            assert from_json(json.loads(to_text(value))) == value


def scalar(text: str) -> Scalar:
    """Return a text as it would stand alone in a file."""
    source = FileText(FILE, text)
    written = Written(source, 0, len(text), "")
    return Scalar(text=text, value=text, plain=True, stands=written)


def told(found: Iterable[Diagnostic], data: bytes) -> None:
    """Hold findings to standing inside of the text, in one line each."""
    lines = data.count(b"\n") + data.count(b"\r") + 1
    for item in found:
        place = item.place
        assert (1, 1) <= (place.line, place.column) <= (place.end_line, place.end_column)
        assert place.end_line <= lines
        said(item.message, item.hint)
        assert item.message.isprintable()
        assert item.hint is None or item.hint.isprintable()


def said(message: str, hint: str | None) -> None:
    """Hold a finding to saying something."""
    assert message
    assert hint is None or hint


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    target.__name__: target for target in (document, policy, expression, moment, cell, literal)
}
