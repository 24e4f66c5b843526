"""Write the pages that have their text elsewhere: of checks the docstring of their module, and the list of all pages.

Run it after a change of the catalogue or of a check: `python tests/diagnostics/write_pages.py`. Tests compare.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from amends.engine.diagnostics import CATALOGUE, Rule
from amends.engine.pages import page_head, page_name

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "diagnostics"
GROUPS = {
    "AM0": "Reading the file",
    "AM1": "Structure and names",
    "AM2": "Expressions, moments and values",
    "AM3": "Flow",
    "AM4": "Tables",
    "AM5": "Care",
}
LIST_HEAD = """\
# What `amends check` finds

Every code has a page: what it finds, why that matters, a wrong example and the right one. `amends check --explain CODE` prints it.
A policy with an error cannot run; warnings alone are fine. Codes never change their meaning and are never used again.

Examples leave out what does not matter for them: `amends`, `policy`, `version`, and sometimes `states`.
"""


def pages() -> Iterator[tuple[Path, str]]:
    """Yield each page that is written from elsewhere, and its text."""
    for rule in CATALOGUE.values():
        module = ROOT / "engine" / "checks" / f"{rule.name.replace('-', '_')}.py"
        if module.exists():
            doc = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
            yield FOLDER / page_name(rule.code), page_head(rule.code) + doc.partition("\n")[2].rstrip() + "\n"
    yield FOLDER / "README.md", LIST_HEAD + "".join(_tables())


def _tables() -> Iterator[str]:
    for group, rules in groupby(CATALOGUE.values(), key=lambda rule: rule.code[:3]):
        yield f"\n## {GROUPS[group]}\n\n| code | is | finds |\n|---|---|---|\n"
        yield from map(_row, rules)


def _row(rule: Rule) -> str:
    return f"| [{rule.code}]({page_name(rule.code)}) | {rule.severity} | {rule.about} |\n"


if __name__ == "__main__":
    for path, text in pages():
        path.write_text(text, encoding="utf-8")
