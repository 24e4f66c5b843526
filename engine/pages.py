"""The pages that explain each code: docs/diagnostics/<code>-<name>.md, as the package holds them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from .diagnostics import CATALOGUE, did_you_mean
from .errors import InvalidValue
from .packaged import packaged

_FOLDER: Final = ("docs", "diagnostics")


def page_name(code: str) -> str:
    """Return the file name of a code's page.

    >>> page_name("AM104")
    'AM104-unknown-name.md'
    """
    rule = CATALOGUE[code]
    return f"{rule.code}-{rule.name}.md"


def code_of(word: str) -> str:
    """Return the code that a word means: the code itself, or the name of its page.

    Raises:
        InvalidValue: it means none; the text names the nearest one.

    >>> code_of("am104"), code_of("unknown-name")
    ('AM104', 'AM104')
    """
    codes = {name: rule.code for rule in CATALOGUE.values() for name in (rule.code, rule.name)}
    folded = word.upper() if word[:2].upper() == "AM" else word.lower()
    if folded not in codes:
        hint = did_you_mean(folded, codes)
        raise InvalidValue(f"there is no code `{word[:60]}`" + (f"; {hint}" if hint else ""))
    return codes[folded]


def page_head(code: str) -> str:
    r"""Return how a code's page begins, so that pages and catalogue speak alike.

    >>> page_head("AM302")
    '# AM302 unreachable-state\n\nWarning: no way leads into the state.\n'
    """
    rule = CATALOGUE[code]
    return f"# {code} {rule.name}\n\n{rule.severity.capitalize()}: {rule.about}.\n"


def page_text(code: str) -> str:
    """Return the page of a code of the catalogue, in Markdown."""
    return packaged("amends", *_FOLDER, page_name(code)).decode("utf-8")


def page_texts(codes: Iterable[str]) -> dict[str, str]:
    """Return the pages of some codes."""
    return {code: page_text(code) for code in dict.fromkeys(codes)}
