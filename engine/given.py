"""What hosts give, checked before anything is done with it: that it can be written down, and that there is not too much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .errors import InvalidValue, TooLarge
from .literal import written
from .values import to_text

#: How long names may be, in characters: the id of a case, an idempotency key, an event, an actor.
LONGEST_NAME: Final = 200


def check_texts(*texts: str | None) -> None:
    """Refuse what a journal cannot hold, and what is too long for a name."""
    for text in texts:
        if text is not None and len(written(text)) > LONGEST_NAME:
            raise TooLarge(f"`{text[:60]}…` is longer than a name may be, {LONGEST_NAME} characters")


def check_names(*names: str | None) -> None:
    """Refuse what cannot be a key of a table."""
    for name in names:
        written(name or "")
        if name is not None and (not name or len(name) > LONGEST_NAME or not name.isprintable()):
            raise InvalidValue(
                f"the id of a case and a key are 1 to {LONGEST_NAME} printable characters, unlike `{name[:60]!a}`"
            )


def check_size(data: Mapping[str, Any], most: int, what: str) -> None:
    """Refuse what is too large to be kept beside every step."""
    size = len(to_text(data).encode())
    if size > most:
        raise TooLarge(f"{what} take {size} bytes, and may take {most}; send a reference to what is large")
