"""JSON data as bytes in one way only, and their digest: what journals, bundles and locks are compared by.

The bytes are those of RFC 8785, for data without floats: sorted keys, nothing between the parts, text as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any


def keys_in_order(keys: Iterable[str]) -> list[str]:
    """Return keys in the order of RFC 8785: by UTF-16 code units.

    >>> keys_in_order(["b", "a"])
    ['a', 'b']
    """
    found = sorted(keys)
    # Python sorts by code points: within ASCII that is the same.
    return found if "".join(found).isascii() else sorted(found, key=lambda key: key.encode("utf-16-be"))


def canonical(data: Any) -> bytes:
    """Return JSON data as canonical bytes.

    >>> canonical({"b": 1, "a": ["é"]}).decode()
    '{"a":["é"],"b":1}'
    """
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    if not text.isascii():
        # RFC 8785 sorts keys by UTF-16 code units, Python by code points: they differ beyond the basic plane.
        text = json.dumps(_utf16_order(data), separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def _utf16_order(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _utf16_order(data[key]) for key in keys_in_order(data)}
    if isinstance(data, list):
        return [_utf16_order(item) for item in data]
    return data


def sha256(data: bytes) -> str:
    """Return the SHA-256 digest of bytes, in hex.

    >>> sha256(canonical({}))[:8]
    '44136fa3'
    """
    import hashlib  # noqa: PLC0415 - it loads OpenSSL, and to find mistakes nothing is hashed

    return hashlib.sha256(data).hexdigest()
