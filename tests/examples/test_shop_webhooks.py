"""What the example shop sends and takes: each effect once for whoever is sent it twice, each result once, nothing unsigned."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from fastapi_shop.bank import create_bank
from fastapi_shop.shop import Settings
from fastapi_shop.signing import sign
from httpx2 import Response

from .conftest import CLAIM, DAY, PROOF, SECRET_IN, SECRET_OUT, Web, ok

Open = Callable[..., Web]
RESULT = {"subject": "1001", "payout": "refund", "part": "all", "result": "settled", "reference": "bank-1"}


class Silent(TestClient):
    """A receiver that is away, or that takes what comes and says nothing of it."""

    def __init__(self, settings: Settings, *, status: int) -> None:
        super().__init__(create_bank(settings))
        self.status = status
        self.came: list[tuple[dict[str, str], bytes]] = []

    def post(self, url: Any, **options: Any) -> Response:
        self.came.append((options["headers"], options["content"]))
        return Response(self.status, request=self.build_request("POST", url))


def approved(web: Web, order: str = "1001") -> None:
    """Bring a case to where money is asked for."""
    web.ordered(order)
    web.does("buyer-7", "request_refund_only", CLAIM, order=order)
    web.does("seller-3", "approve", order=order)


def told(web: Web, result: dict[str, Any], message: str = "m-1", secret: str = SECRET_IN) -> Response:
    """Send a result as the payment provider does."""
    body = json.dumps(result).encode()
    headers = {"content-type": "application/json", **sign(secret, message, body, web.clock.now())}
    return web.client.post("/webhooks/payments", content=body, headers=headers)


@pytest.fixture
def taking(settings: Settings) -> Silent:
    return Silent(settings, status=202)


@pytest.fixture
def quiet(open_shop: Open, taking: Silent) -> Web:
    """Return a shop whose receiver takes everything, and reports nothing."""
    return open_shop(bank_client=taking)


# --- out ----------------------------------------------------------------------------------------------------------------


def test_each_effect_is_sent_as_a_signed_cloud_event(quiet: Web, taking: Silent) -> None:
    approved(quiet)
    quiet.works()
    sent = {headers["webhook-id"]: (headers, body) for headers, body in taking.came}
    headers, body = sent["1001/refund/all/1"]
    assert headers == {
        "content-type": "application/cloudevents+json",
        **sign(SECRET_OUT, "1001/refund/all/1", body, quiet.clock.now()),
    }
    event = json.loads(body)
    assert (event["specversion"], event["id"], event["type"]) == ("1.0", "1001/refund/all/1", "amends.payout")
    assert (event["subject"], event["source"]) == ("1001", "https://shop.example/refunds")
    assert event["data"] == {
        "payout": "refund",
        "part": "all",
        "amount": "75.00 USD",
        "via": "original_method:card",
    }
    notice = json.loads(sent["1001/1/0"][1])
    assert (notice["type"], notice["data"]["to"]) == ("amends.notify", "buyer")
    assert notice["data"]["texts"]["en"].startswith("We have your request for 75.00 USD.")
    assert notice["data"]["texts"]["zh"].startswith("我们已收到您75.00 USD的退款申请")
    described = ok(quiet.call(None, "GET", "/openapi.json"))["components"]["schemas"]["CloudEvent"]
    assert set(described["required"]) == set(event)


def test_what_was_not_taken_is_sent_again_with_the_same_id_and_a_new_time(quiet: Web, taking: Silent) -> None:
    taking.status = 503
    approved(quiet)
    quiet.works()
    assert {one.state for one in quiet.shop.engine.deliveries()} == {"waiting"}
    first, taking.came, taking.status = list(taking.came), [], 202
    quiet.clock.at += timedelta(minutes=1)
    quiet.works()
    assert sorted(one["webhook-id"] for one, _ in taking.came) == sorted(
        one["webhook-id"] for one, _ in first
    )
    assert {body for _, body in taking.came} == {body for _, body in first}
    assert {one["webhook-timestamp"] for one, _ in taking.came} == {str(int(quiet.clock.at.timestamp()))}
    assert {one.state for one in quiet.shop.engine.deliveries()} == {"done"}


def test_without_a_receiver_effects_wait(open_shop: Open, settings: Settings) -> None:
    web = open_shop(replace(settings, webhook_url=None))
    approved(web)
    web.works()
    assert {(one.state, one.attempts) for one in web.shop.engine.deliveries()} == {("waiting", 0)}


def test_the_bank_pays_once_for_a_message_that_comes_twice(web: Web, taking: Silent, open_shop: Open) -> None:
    quiet = open_shop(bank_client=taking)
    approved(quiet)
    quiet.works()
    bank = TestClient(create_bank(web.bank.settings, clock=web.clock))
    bank.app.state.bank.shop = web.client  # type: ignore[attr-defined] # as in conftest
    ((headers, body),) = [one for one in taking.came if one[0]["webhook-id"] == "1001/refund/all/1"]
    for _ in range(2):
        assert bank.post("/events", content=body, headers=headers).status_code == 202
    assert (web.case()["state"], web.case()["step"]) == ("closed_refunded", 3)
    assert bank.post("/events", content=body + b" ", headers=headers).status_code == 403


# --- in -----------------------------------------------------------------------------------------------------------------


def test_a_result_that_comes_twice_counts_once(quiet: Web) -> None:
    approved(quiet)
    for _ in range(2):
        assert told(quiet, RESULT).status_code == 204
        quiet.clock.at += timedelta(minutes=4)
    assert (quiet.case()["state"], quiet.case()["step"]) == ("closed_refunded", 3)
    other = told(quiet, {**RESULT, "reference": "bank-2"})
    assert (other.status_code, "came before" in other.json()["detail"]) == (422, True)


def test_a_result_for_a_part_that_is_gone_is_recorded_and_changes_nothing(quiet: Web) -> None:
    approved(quiet)
    before = quiet.case()
    assert told(quiet, {**RESULT, "part": "gone"}).status_code == 204
    assert quiet.case() == {**before, "step": before["step"] + 1}


def test_a_payment_that_failed_goes_another_way(quiet: Web, taking: Silent) -> None:
    approved(quiet)
    assert told(quiet, {**RESULT, "result": "failed", "cause": "the card is closed"}).status_code == 204
    assert quiet.case()["state"] == "payout_details_required"
    account = {"bank": "First", "account": "000", "holder": "me"}
    assert quiet.does("buyer-7", "provide_payout_details", account)["state"] == "refund_approved"
    quiet.works()
    events = [json.loads(body) for _, body in taking.came]
    (asked,) = [event for event in events if event["data"].get("via") == "bank_transfer"]
    assert asked["data"]["details"] == {f"payout_details.{name}": value for name, value in account.items()}
    assert told(quiet, {**RESULT, "part": asked["data"]["part"]}, "m-2").status_code == 204
    assert quiet.case()["state"] == "closed_refunded"


@pytest.mark.parametrize("secret", [SECRET_OUT, f"whsec_{'QUFB' * 8}"], ids=["the other way's", "unknown"])
def test_a_result_signed_with_another_secret_is_not_taken(secret: str, quiet: Web) -> None:
    approved(quiet)
    answer = told(quiet, RESULT, secret=secret)
    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
    assert quiet.case()["step"] == 2


def test_a_result_that_was_recorded_is_not_taken_later(quiet: Web) -> None:
    approved(quiet)
    body = json.dumps(RESULT).encode()
    headers = sign(SECRET_IN, "m-1", body, quiet.clock.now())
    quiet.clock.at += timedelta(minutes=5, seconds=1)
    answer = quiet.client.post("/webhooks/payments", content=body, headers=headers)
    assert (answer.status_code, quiet.case()["step"]) == (403, 2)


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"subject": "9"}, 404), ({"payout": "gift"}, 409), ({"result": "lost"}, 422), ({"part": 1}, 422)],
    ids=str,
)
def test_a_result_that_means_nothing_is_a_problem(changes: dict[str, Any], status: int, quiet: Web) -> None:
    approved(quiet)
    answer = told(quiet, {**RESULT, **changes})
    assert (answer.status_code, answer.json()["status"]) == (status, status)


# --- workers ------------------------------------------------------------------------------------------------------------


def test_a_restart_in_the_middle_loses_and_doubles_nothing(open_shop: Open, settings: Settings) -> None:
    away = Silent(settings, status=503)
    first = open_shop(bank_client=away)
    first.ordered()
    first.does("buyer-7", "request_refund_only", CLAIM)
    refused = first.send("seller-3", "decide", key="k").json()
    first.does("seller-3", "reject", {"reason": "as described"})
    first.works()
    first.client.__exit__()
    second = open_shop()
    assert second.case()["state"] == "rejected_by_seller"
    assert second.send("seller-3", "decide", key="k").json() == refused
    second.clock.at += DAY
    second.does("buyer-7", "request_platform_intervention", PROOF)
    second.does("platform-1", "decide", {"in_favour_of": "buyer"})
    second.works()
    assert second.case()["state"] == "closed_refunded"
    assert {one["webhook-id"] for one, _ in away.came} <= set(second.bank.came)
    assert set(second.bank.came.values()) == {1}
    assert second.shop.engine.verify("1001").decided == second.case()["step"] + 1


def until(so: Callable[[], bool]) -> None:
    """Wait until something is so, or fail."""
    for _ in range(600):
        if so():
            return
        time.sleep(0.05)
    pytest.fail("it did not come about in half a minute")


def test_two_workers_send_everything_once(open_shop: Open, settings: Settings) -> None:
    webs = [open_shop(replace(settings, works=True)) for _ in range(2)]
    orders = [str(number) for number in range(6)]
    with ThreadPoolExecutor() as callers:
        list(callers.map(approved, webs * 3, orders))
    until(lambda: all(webs[0].case(order)["state"] == "closed_refunded" for order in orders))
    until(lambda: all(one.state == "done" for one in webs[1].shop.engine.deliveries()))
    assert set(webs[0].bank.came.values()) == {1}
    assert {f"{order}/refund/all/1" for order in orders} <= set(webs[0].bank.came)
