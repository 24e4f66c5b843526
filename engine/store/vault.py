"""Sensitive values at rest: each encrypted under the key of its case, so that forgetting the key forgets them all.

AES-256-GCM, bound to the value's commitment in the journal. The key is derived from the case's secret, which also makes
the commitments: one row to delete, in one table, and neither can be opened again, in any copy of the other tables.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from typing import Any, Final

from ..canonical import canonical
from ..errors import CorruptJournal

_PURPOSE: Final = b"amends.vault.1"
_NONCE: Final = 12


def locked(secret: bytes, commitment: str, value: Any) -> bytes:
    """Return a value (as JSON) encrypted under a case's secret."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - a compiled library, which only sensitive values need

    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(_key(secret)).encrypt(nonce, canonical(value), commitment.encode())


def unlocked(secret: bytes, commitment: str, kept: bytes) -> Any:
    """Return the value (as JSON) that `locked` encrypted.

    Raises:
        CorruptJournal: it was encrypted under another secret, or for another place, or was changed.
    """
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    try:
        return json.loads(AESGCM(_key(secret)).decrypt(kept[:_NONCE], kept[_NONCE:], commitment.encode()))
    except (InvalidTag, ValueError):
        raise CorruptJournal(f"the sensitive value committed to as {commitment[:12]}… was changed") from None


def _key(secret: bytes) -> bytes:
    return hmac.digest(secret, _PURPOSE, hashlib.sha256)
