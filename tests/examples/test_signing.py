"""Webhooks are signed as Standard Webhooks says, and what is not from the sender, or not from now, is not taken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from fastapi_shop.signing import TOLERANCE, Unverified, key_of, sign, verify

#: The example of the specification's reference libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - it is published
MESSAGE, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}'
AT = datetime.fromtimestamp(1614265330, UTC)
SIGNED = {
    "webhook-id": MESSAGE,
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
SECOND = timedelta(seconds=1)


def test_it_signs_as_the_reference_libraries_do() -> None:
    assert sign(SECRET, MESSAGE, BODY, AT) == SIGNED


def test_what_was_signed_is_verified_with_any_of_several_signatures() -> None:
    assert verify(SECRET, SIGNED, BODY, AT) == MESSAGE
    several = f"v1a,other v1,AAAA {SIGNED['webhook-signature']}"
    assert verify(SECRET, {**SIGNED, "webhook-signature": several}, BODY, AT) == MESSAGE


@pytest.mark.parametrize("late", [TOLERANCE, -TOLERANCE], ids=["old", "early"])
def test_the_window_is_five_minutes_either_way_to_the_second(late: timedelta) -> None:
    assert timedelta(minutes=5) == TOLERANCE
    verify(SECRET, SIGNED, BODY, AT + late)
    with pytest.raises(Unverified, match="too far from now"):
        verify(SECRET, SIGNED, BODY, AT + late + (SECOND if late > timedelta(0) else -SECOND))


@pytest.mark.parametrize(
    ("changes", "body"),
    [
        ({}, BODY + b" "),
        ({"webhook-id": "msg_other"}, BODY),
        ({"webhook-timestamp": "1614265331"}, BODY),
        ({"webhook-timestamp": "1e9"}, BODY),
        ({"webhook-timestamp": "١٦١٤٢٦٥٣٣٠"}, BODY),
        ({"webhook-timestamp": "9" * 5000}, BODY),
        ({"webhook-signature": SIGNED["webhook-signature"].removeprefix("v1,")}, BODY),
        ({"webhook-signature": "v1,"}, BODY),
        ({"webhook-signature": "v1,ü"}, BODY),
        ({"webhook-signature": ""}, BODY),
    ],
    ids=str,
)
def test_nothing_else_is(changes: dict[str, str], body: bytes) -> None:
    with pytest.raises(Unverified):
        verify(SECRET, {**SIGNED, **changes}, body, AT)


@pytest.mark.parametrize("name", sorted(SIGNED))
def test_a_message_without_one_of_its_headers_is_not(name: str) -> None:
    with pytest.raises(Unverified):
        verify(SECRET, {key: value for key, value in SIGNED.items() if key != name}, BODY, AT)


def test_another_secret_does_not_verify_it() -> None:
    with pytest.raises(Unverified, match="no webhook-signature"):
        verify(f"whsec_{'QUFB' * 8}", SIGNED, BODY, AT)


@pytest.mark.parametrize("secret", ["whsec_!", "whsec_QUFB", ""], ids=["no base64", "short", "empty"])
def test_a_secret_that_is_none_is_not_used(secret: str) -> None:
    with pytest.raises(ValueError, match="a secret"):
        key_of(secret)
