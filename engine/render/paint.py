"""A terminal's colours, or none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Paint:
    r"""Wraps text in the terminal's codes while it is on.

    >>> Paint(on=False).good("passed"), Paint(on=True).good("passed")
    ('passed', '\x1b[32mpassed\x1b[0m')
    """

    on: bool

    def bold(self, text: str) -> str:
        """Make a text stand out."""
        return self._wrapped(text, 1)

    def faint(self, text: str) -> str:
        """Make a text step back."""
        return self._wrapped(text, 2)

    def good(self, text: str) -> str:
        """Mark what went well."""
        return self._wrapped(text, 32)

    def error(self, text: str) -> str:
        """Mark what is wrong."""
        return self._wrapped(text, 31)

    def warning(self, text: str) -> str:
        """Mark what wants attention."""
        return self._wrapped(text, 33)

    def _wrapped(self, text: str, code: int) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.on and text else text
