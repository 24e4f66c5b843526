"""Findings as SARIF 2.1.0 (the OASIS format for the results of static analysis), for code scanning and for editors.

Every finding is in it: the limit on what a report shows is for people. Rules are those of the findings; help comes from
the pages of docs/diagnostics, which the caller reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PureWindowsPath
from typing import Any, Final
from urllib.parse import quote

from ..diagnostics import CATALOGUE, Diagnostic, Place
from ..version import VERSION
from .diagnostics import one_line
from .plain import dumped

#: Where the schema of this form stands; readers recognise it by this.
SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def findings_sarif(found: Sequence[Diagnostic], pages: Mapping[str, str]) -> str:
    """Return findings as a SARIF log with one run.

    Args:
        found: the findings, in order.
        pages: the text of each code's page, in Markdown; a rule without one has no help.
    """
    return dumped(sarif_data(found, pages))


def sarif_data(found: Sequence[Diagnostic], pages: Mapping[str, str]) -> dict[str, Any]:
    """Return findings as the JSON data of a SARIF log.

    >>> sarif_data([], {})["runs"][0]["results"]
    []
    """
    codes = sorted({item.code for item in found})
    driver = {
        "name": "amends",
        "semanticVersion": VERSION,
        "rules": [_rule(code, pages.get(code)) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        # A caret counts characters, not UTF-16 units.
        "columnKind": "unicodeCodePoints",
        "results": [_result(item, codes.index(item.code)) for item in found],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str, page: str | None) -> dict[str, Any]:
    rule = CATALOGUE[code]
    data: dict[str, Any] = {
        "id": code,
        "name": rule.name,
        "shortDescription": {"text": rule.about},
        "defaultConfiguration": {"level": rule.severity},
    }
    if page is not None:
        data["help"] = {"text": page, "markdown": page}
    return data


def _result(item: Diagnostic, index: int) -> dict[str, Any]:
    # A message has no field for the remedy; a reader wants both.
    said = one_line(item.message) + (f"; {one_line(item.hint)}" if item.hint else "")
    data: dict[str, Any] = {
        "ruleId": item.code,
        "ruleIndex": index,
        "level": item.severity,
        "message": {"text": said},
        "locations": [{"physicalLocation": _location(item.place)}],
    }
    if item.related:
        data["relatedLocations"] = [
            {"id": number, "message": {"text": one_line(note)}, "physicalLocation": _location(place)}
            for number, (note, place) in enumerate(item.related, 1)
        ]
    return data


def _location(place: Place) -> dict[str, Any]:
    return {
        "artifactLocation": {"uri": file_uri(place.file)},
        "region": {
            "startLine": place.line,
            "startColumn": place.column,
            "endLine": place.end_line,
            "endColumn": place.end_column,
        },
    }


def file_uri(file: str) -> str:
    r"""Return a file's name as a URI: relative as it is given, absolute with its scheme.

    >>> file_uri("policies/退款 1.yaml"), file_uri("/srv/a.yaml"), file_uri("C:\\srv\\a.yaml")
    ('policies/%E9%80%80%E6%AC%BE%201.yaml', 'file:///srv/a.yaml', 'file:///C:/srv/a.yaml')
    """
    windows = PureWindowsPath(file)
    path = windows.as_posix() if windows.drive else file
    if windows.drive:
        return f"file:///{quote(path, safe='/:')}"
    # A colon in the first part would be taken for a scheme.
    return f"file://{quote(path)}" if path.startswith("/") else quote(path)
