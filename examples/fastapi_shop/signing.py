"""Webhooks signed as https://www.standardwebhooks.com says: `v1`, HMAC-SHA256 over id, time and body."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

#: A message older or newer than this is not taken, whoever signed it: so nobody can send it again later.
TOLERANCE: Final = timedelta(minutes=5)


class Unverified(Exception):  # noqa: N818 - it says what the message is
    """A message is not from whom it says, or not from now."""


def key_of(secret: str) -> bytes:
    """Return the key of a secret such as `whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw`.

    Raises:
        ValueError: it is not one, or is shorter than 24 bytes.
    """
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise ValueError("a secret is `whsec_` and base64") from error
    if len(key) < 24:
        raise ValueError("a secret has at least 24 bytes")
    return key


def sign(secret: str, message_id: str, body: bytes, at: datetime) -> dict[str, str]:
    """Return the headers of a message.

    Args:
        secret: shared with the receiver, and with nobody else.
        message_id: the same each time the message is sent; the receiver knows it again by this.
        body: as it is sent, byte by byte.
        at: the instant of this attempt.
    """
    seconds = str(int(at.timestamp()))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{_signature(secret, message_id, seconds, body)}",
    }


def verify(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """Return the id of a message that was signed with a secret, and lately.

    Args:
        secret: shared with the sender.
        headers: of the request, by their names in lower case; there may be several signatures, of several secrets.
        body: as it came, before anything reads it.
        now: the receiver's present instant.
    Raises:
        Unverified: it was not.
    """
    message_id, seconds = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 12):
        raise Unverified("webhook-timestamp is not a number of seconds")
    if abs(int(seconds) - now.timestamp()) > TOLERANCE.total_seconds():
        raise Unverified("webhook-timestamp is too far from now")
    expected = f"v1,{_signature(secret, message_id, seconds, body)}".encode()
    given = headers.get("webhook-signature", "").split(" ")
    if not message_id or not any(hmac.compare_digest(expected, one.encode()) for one in given):
        raise Unverified("no webhook-signature is of this message and this secret")
    return message_id


def _signature(secret: str, message_id: str, seconds: str, body: bytes) -> str:
    signed = b".".join((message_id.encode(), seconds.encode(), body))
    return base64.b64encode(hmac.digest(key_of(secret), signed, hashlib.sha256)).decode()
