"""Findings as workflow commands of GitHub Actions, which shows each as an annotation at its line.

A command is one line, `::error file=…,line=…::message`; what would end it, or one of its properties, is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..diagnostics import LIMIT, Diagnostic
from .diagnostics import one_line, page_of


def findings_github(found: Sequence[Diagnostic], *, limit: int = LIMIT) -> str:
    """Return findings as annotations, one a line; nothing where there is none.

    Args:
        found: the findings, in order.
        limit: how many are shown; the rest is counted in a notice.
    """
    lines = [annotation(item) for item in found[:limit]]
    if (rest := len(found) - limit) > 0:
        lines.append(f"::notice title=amends::{rest:,} more findings are not shown")
    return "".join(line + "\n" for line in lines)


def annotation(item: Diagnostic) -> str:
    """Return one finding as a command; the remedy and the page follow the message on lines of their own."""
    place = item.place
    # Columns are for places within one line; over several lines they are refused there.
    within = place.end_line == place.line
    properties: dict[str, object] = {
        "file": place.file,
        "line": place.line,
        **({"col": place.column} if within else {}),
        "endLine": place.end_line,
        **({"endColumn": place.end_column} if within else {}),
        "title": item.code,
    }
    told = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    texts = [one_line(item.message)]
    texts += [f"help: {one_line(item.hint)}"] if item.hint else []
    texts += [f"note: {place}: {one_line(note)}" for note, place in item.related]
    texts.append(f"see: {page_of(item.code)}")
    message = _message("\n".join(texts))
    return f"::{item.severity} {told}::{message}"


def _message(text: str) -> str:
    r"""Escape a message.

    >>> _message("100% sure:\r\nno, not at all")
    '100%25 sure:%0D%0Ano, not at all'
    """
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Escape a property, which a colon or a comma would end.

    >>> _property("C:/a,b.yaml")
    'C%3A/a%2Cb.yaml'
    """
    return _message(text).replace(":", "%3A").replace(",", "%2C")
