"""The sentences of reasons, and the expressions in braces that they insert."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ..document import Node, Scalar
from ..expression import Checked, SyntaxProblem, check, parse
from ..expression.check import MAX_PROBLEMS
from ..policy import ReasonText
from ..rules.condition import Context
from .shape import entries, says


def read_reasons(node: Node | None, context: Context, clocks: Collection[str]) -> dict[str, ReasonText]:
    """Read `reasons`; the expressions that their sentences insert are checked like any other.

    Args:
        node: what stands under `reasons`.
        context: what the expressions may name.
        clocks: the names of clocks, which are no values: whoever inserts one is told what to insert.
    """
    found = {}
    for code, _, value in entries(node):
        inserts: dict[str, Checked] = {}
        texts = [value] if isinstance(value, Scalar) else [text for _, _, text in entries(value)]
        for text in texts:
            if isinstance(text, Scalar):
                inserts.update(_inserts(text, context, clocks))
        found[code] = ReasonText(code=code, text=says(value), inserts=tuple(inserts.items()))
    return found


def _inserts(node: Scalar, context: Context, clocks: Collection[str]) -> Iterator[tuple[str, Checked]]:
    told = 0
    if (start := unclosed(node.text)) is not None:
        hint = "close it with `}`, or write `{{` for a brace"
        context.diagnostics.add(
            "AM201", node.place_of(start, start + 1), "the brace is not closed", hint=hint
        )
    for start, end in insertions(node.text):
        if told >= MAX_PROBLEMS:
            return
        text = node.text[start:end]
        try:
            expr = parse(text)
        except SyntaxProblem as problem:
            place = node.place_of(start + problem.start, start + problem.end)
            context.diagnostics.add("AM201", place, problem.message, hint=problem.hint)
            told += 1
            continue
        checked, problems = check(expr, text, context.scope)
        told += len(problems)
        for found in problems:
            place = node.place_of(start + found.start, start + found.end)
            meant = found.hint
            if found.code == "AM104" and (name := text[found.start : found.end]) in clocks:
                meant = f"`{name}` is a clock: declare the moment that it is due, write `due` by its name, and insert that"
            context.diagnostics.add(found.code, place, found.message, hint=meant)
        if checked and not problems:
            yield text.strip(), checked


def insertions(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the expressions in braces stand in a sentence; `{{` is a brace.

    >>> [("closed on {returns.closes}"[a:b]) for a, b in insertions("closed on {returns.closes}")]
    ['returns.closes']
    """
    index = 0
    while (index := text.find("{", index)) >= 0:
        if text.startswith("{{", index):
            index += 2
            continue
        end = text.find("}", index)
        if end < 0:
            return
        yield index + 1, end
        index = end + 1


def unclosed(text: str) -> int | None:
    """Return where a brace stands that begins an insertion and is never closed, or None.

    >>> unclosed("by {ask.by"), unclosed("by {ask.by} or {{nobody")
    (3, None)
    """
    last = max((end + 1 for _, end in insertions(text)), default=0)
    found = text.replace("{{", "  ").find("{", last)
    return found if found >= 0 else None
