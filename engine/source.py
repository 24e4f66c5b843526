"""Where a rule comes from, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

Sureness = Literal["primary", "secondary", "recalled", "assumed"]

#: How a source was read, surest first: its own text, someone's report of it, memory, or a choice where sources are silent.
SURENESS: Final[tuple[Sureness, ...]] = ("primary", "secondary", "recalled", "assumed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One entry of a policy's `sources`."""

    #: The name that rules cite it by.
    name: str
    #: What a reader needs to find the text: title, address, date.
    cite: str
    read: Sureness
    #: What it says, in a sentence.
    says: str | None = None
    #: When somebody last looked whether it still says so.
    checked: date | None = None
