"""How much a file may hold before reading gives up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a file may hold; a policy is a page or two."""

    #: Bytes of the file.
    size: int = 1_000_000
    #: Lists and maps within one another.
    depth: int = 40
    #: Scalars, lists and maps together, keys included.
    nodes: int = 50_000
    #: Characters of one scalar.
    text: int = 20_000
    #: Characters of one number.
    number: int = 100
    #: Findings after which reading stops: nobody reads on.
    findings: int = 1_000


LIMITS: Final = Limits()
