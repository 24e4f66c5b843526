"""The example shop through HTTP: the founding flow, who may do what, and what a call that fails is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from amends import Conflict, CorruptJournal, Engine, StoreUnavailable

from .conftest import CLAIM, DAY, DELIVERED, ORDER, PROOF, Web


def problem(answer: Any) -> dict[str, Any]:
    """Return what an answer says went wrong, in the form of RFC 9457."""
    told: dict[str, Any] = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert told["status"] == answer.status_code
    assert told["type"]
    assert told["title"]
    assert told["detail"]
    return told


def test_the_founding_flow_ends_with_the_money_back_on_the_card(web: Web) -> None:
    web.ordered()
    web.clock.at = DELIVERED + 6 * DAY
    asked = web.does("buyer-7", "request_refund_only", CLAIM)
    assert (asked["state"], asked["decision"], asked["reason"]) == (
        "seller_review",
        "eligible",
        "in_return_window",
    )
    assert asked["deadlines"]["seller_review"] == "2026-05-07T03:59:59Z"
    web.clock.at += 2 * DAY
    assert web.does("seller-3", "reject", {"reason": "as described"})["state"] == "rejected_by_seller"
    web.clock.at += 10 * DAY
    assert web.does("buyer-7", "request_platform_intervention", PROOF)["state"] == "platform_review"
    assert [one["order"] for one in web.get("platform-1", "/desk")["cases"]] == ["1001"]
    web.clock.at += 4 * DAY
    decided = web.does("platform-1", "decide", {"in_favour_of": "buyer"})
    assert decided["money"]["refund"] == {"state": "asked", "granted": "75.00 USD", "paid": "0.00 USD"}
    assert web.get("platform-1", "/desk")["cases"] == []
    web.works()
    closed = web.case()
    assert (closed["state"], closed["money"]["refund"]["paid"]) == ("closed_refunded", "75.00 USD")
    assert web.bank.came["1001/refund/all/1"] == 1
    assert web.shop.engine.verify("1001").decided == 8


def test_a_seller_who_is_silent_has_agreed_a_second_after_the_deadline(web: Web) -> None:
    web.ordered()
    web.does("buyer-7", "request_refund_only", CLAIM)
    web.clock.at = DELIVERED + 2 * DAY + timedelta(hours=8, minutes=59, seconds=59)
    web.works()
    assert web.case()["state"] == "seller_review"
    web.clock.at += timedelta(seconds=1)
    web.works()
    assert (web.case()["state"], web.case()["decision"]) == ("closed_refunded", "auto_approved")


def test_a_buyer_may_withdraw_until_the_money_is_on_its_way(web: Web) -> None:
    web.ordered()
    refused = problem(web.send("buyer-7", "withdraw"))
    assert (refused["status"], refused["code"]) == (409, "not_accepted")
    web.does("buyer-7", "request_refund_only", CLAIM)
    assert web.does("buyer-7", "withdraw")["state"] == "closed_withdrawn"
    web.ordered("1002")
    web.does("buyer-7", "request_refund_only", CLAIM, order="1002")
    web.does("seller-3", "approve", order="1002")
    assert problem(web.send("buyer-7", "withdraw", order="1002"))["code"] == "not_accepted"


# --- answers ------------------------------------------------------------------------------------------------------------


def test_what_may_be_done_is_told_to_whom_may_do_it_with_a_form(web: Web) -> None:
    web.ordered()
    forms = {one["event"]: one for one in web.get("buyer-7", "/orders/1001/case/allowed")}
    assert set(forms) == {"request_return_refund", "request_refund_only", "complain_to_authority"}
    form = forms["request_refund_only"]
    assert form["says"] == "asks for a refund without a return"
    assert form["data"]["required"] == ["reason", "amount"]
    assert "defective" in form["data"]["properties"]["reason"]["enum"]
    assert web.get("seller-3", "/orders/1001/case/allowed") == []


def test_a_preview_says_what_would_come_and_does_nothing(web: Web) -> None:
    web.ordered()
    before = web.case()
    path = "/orders/1001/case/events/request_refund_only"
    would = web.call("buyer-7", "POST", path, CLAIM, key="k", params={"preview": "true"})
    assert would.json()["state"] == "seller_review"
    no = problem(
        web.call("buyer-7", "POST", path, {**CLAIM, "evidence": []}, key="k", params={"preview": "true"})
    )
    assert (no["status"], no["code"], no["detail"][:23]) == (409, "proof_needed", "Please show what is wro")
    assert web.case() == before


def test_a_step_is_explained_in_either_language_and_without_the_contact(web: Web) -> None:
    web.ordered()
    web.does("buyer-7", "request_refund_only", CLAIM)
    told = web.get("buyer-7", "/orders/1001/case/why")
    assert (told["who"], told["what"], told["reason"]["code"]) == (
        "buyer:7",
        "request_refund_only",
        "in_return_window",
    )
    assert told["data"]["contact"] == {"sensitive": True}
    assert {source["name"] for source in told["sources"]} >= {"returns_2025"}
    zh = web.get("buyer-7", "/orders/1001/case/why", params={"lang": "zh", "step": 1})
    assert zh["reason"]["text"].startswith("申请在退货期限内")
    assert problem(web.call("buyer-7", "GET", "/orders/1001/case/why?step=99"))["status"] == 404


@pytest.mark.parametrize(
    ("who", "event", "data", "status", "code"),
    [
        ("buyer-7", "request_refund_only", {**CLAIM, "evidence": []}, 409, "proof_needed"),
        ("buyer-7", "request_refund_only", {**CLAIM, "amount": "75.01"}, 409, "amount_not_payable"),
        ("buyer-7", "request_refund_only", {**CLAIM, "reason": "bored"}, 422, "invalid_data"),
        ("buyer-7", "request_refund_only", {}, 422, "invalid_data"),
        ("seller-3", "request_refund_only", CLAIM, 403, "role_not_allowed"),
        ("buyer-7", "approve", {}, 403, "role_not_allowed"),
        ("seller-3", "approve", {}, 409, "not_accepted"),
        ("platform-1", "decide", {"in_favour_of": "buyer"}, 409, "not_accepted"),
        ("buyer-7", "complain_to_authority", {"authority": "any"}, 409, "platform_first"),
    ],
    ids=str,
)
def test_a_refusal_is_a_problem_that_says_why(
    who: str, event: str, data: Any, status: int, code: str, web: Web
) -> None:
    web.ordered()
    told = problem(web.send(who, event, data))
    assert (told["status"], told["code"], told["title"]) == (status, code, "The event was refused")
    why = web.get("platform-1", "/orders/1001/case/why")
    assert (why["verdict"], why["reason"]["text"], why["reason"]["code"]) == ("refused", told["detail"], code)


# --- who ----------------------------------------------------------------------------------------------------------------


def test_nobody_does_anything_unknown(web: Web) -> None:
    web.ordered()
    for who in (None, "buyer-9"):
        answer = web.call(who, "GET", "/orders/1001/case")
        assert problem(answer)["status"] == 401
        assert answer.headers["www-authenticate"] == "Bearer"


def test_an_order_is_there_for_its_buyer_its_seller_and_the_others_roles_only(web: Web) -> None:
    web.ordered()
    seen = {
        who: web.call(who, "GET", "/orders/1001").status_code
        for who in ("buyer-7", "seller-3", "platform-1", "carrier-1", "buyer-8", "seller-4")
    }
    assert seen == {
        "buyer-7": 200,
        "seller-3": 200,
        "platform-1": 200,
        "carrier-1": 200,
        "buyer-8": 404,
        "seller-4": 404,
    }
    assert problem(web.send("seller-4", "approve"))["status"] == 404
    assert web.shop.engine.case("1001").seq == 0


def test_what_the_shop_does_itself_has_its_roles_too(web: Web) -> None:
    assert problem(web.call("seller-3", "PUT", "/orders/1", ORDER))["status"] == 403
    web.put("buyer-7", "/orders/1", ORDER)
    assert problem(web.call("buyer-7", "PUT", "/orders/1/delivery"))["status"] == 403
    assert problem(web.call("seller-3", "PUT", "/orders/1/case"))["status"] == 403
    assert problem(web.call("buyer-7", "GET", "/desk"))["status"] == 403


# --- the same again -----------------------------------------------------------------------------------------------------


def test_the_same_key_gives_the_first_answer_again(web: Web) -> None:
    web.ordered()
    first = web.send("buyer-7", "request_refund_only", CLAIM, key="a")
    again = web.send("buyer-7", "request_refund_only", CLAIM, key="a")
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert web.shop.engine.case("1001").seq == 1
    refused = web.send("buyer-7", "withdraw", {"no": "such field"}, key="b")
    assert web.send("buyer-7", "withdraw", {"no": "such field"}, key="b").json() == refused.json()
    assert web.shop.engine.case("1001").seq == 2


def test_a_key_that_came_with_other_data_is_refused_and_keys_are_their_senders_own(web: Web) -> None:
    web.ordered()
    web.send("buyer-7", "request_refund_only", CLAIM, key="a")
    told = problem(web.send("buyer-7", "request_refund_only", {**CLAIM, "amount": "1.00"}, key="a"))
    assert (told["status"], "came before" in told["detail"]) == (422, True)
    assert web.send("seller-3", "approve", key="a").json()["state"] == "refund_approved"


def test_an_event_without_a_key_is_not_taken(web: Web) -> None:
    web.ordered()
    answer = web.call("buyer-7", "POST", "/orders/1001/case/events/request_refund_only", CLAIM)
    told = problem(answer)
    assert (told["status"], told["errors"]) == (422, ["header.Idempotency-Key: Field required"])


def test_an_order_is_placed_and_delivered_once(web: Web) -> None:
    assert web.call("buyer-7", "PUT", "/orders/1", ORDER).status_code == 201
    web.put("carrier-1", "/orders/1/delivery")
    web.clock.at += DAY
    assert web.put("carrier-1", "/orders/1/delivery")["delivered_at"] == "2026-04-28T19:00:00Z"
    assert web.call("buyer-7", "PUT", "/orders/1", ORDER).status_code == 200
    for who, order in (("buyer-7", {**ORDER, "total": "1.00"}), ("buyer-8", ORDER)):
        assert problem(web.call(who, "PUT", "/orders/1", order))["status"] == 409


def test_a_case_is_opened_once_with_the_order_as_it_was_then(web: Web) -> None:
    web.put("buyer-7", "/orders/1", ORDER)
    assert problem(web.call("buyer-7", "GET", "/orders/1/case"))["status"] == 404
    assert web.put("buyer-7", "/orders/1/case")["deadlines"]["return_window"] is None
    web.put("carrier-1", "/orders/1/delivery")
    assert web.put("buyer-7", "/orders/1/case")["deadlines"]["return_window"] is None


# --- what else goes wrong -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("error", "status"), [(Conflict(), 409), (StoreUnavailable(), 503)], ids=str)
def test_what_may_go_better_a_moment_later_says_so(
    error: Exception, status: int, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.ordered()

    def fails(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(Engine, "send", fails)
    answer = web.send("buyer-7", "request_refund_only", CLAIM)
    assert problem(answer)["detail"] == str(error)
    assert (answer.status_code, answer.headers["retry-after"]) == (status, "1")


def test_of_what_nobody_foresaw_the_caller_is_told_nothing(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    web.ordered()

    def fails(*_: Any, **__: Any) -> None:
        raise CorruptJournal("entry 3 of the case 1001")

    monkeypatch.setattr(Engine, "case", fails)
    told = TestClient(web.client.app, raise_server_exceptions=False).get(
        "/orders/1001/case", headers={"authorization": "Bearer buyer-7"}
    )
    assert (problem(told)["status"], "1001" in told.text) == (500, False)
    with pytest.raises(CorruptJournal):
        web.call("buyer-7", "GET", "/orders/1001/case")


def test_whatever_fails_is_told_in_one_form(web: Web) -> None:
    web.ordered()
    path = "/orders/1001/case/events/reject"
    assert problem(web.call("seller-3", "POST", path, {"reason": "x" * 70_000}, key="a"))["status"] == 413
    assert problem(web.call("seller-3", "POST", path, {"reason": 1.5}, key="a"))["status"] == 422
    assert problem(web.call("seller-3", "POST", path, ["no", "object"], key="a"))["status"] == 422
    assert problem(web.call("seller-3", "POST", path, {"reason": "x"}, key="a b"))["status"] == 422
    assert problem(web.call("seller-3", "GET", "/nowhere"))["status"] == 404
    wrong = web.call("seller-3", "GET", path)
    assert (problem(wrong)["status"], wrong.headers["allow"]) == (405, "POST")


def test_the_desk_lists_page_by_page_whom_it_is_asked_for(web: Web) -> None:
    for number in range(3):
        web.ordered(str(number))
    web.does("buyer-7", "request_refund_only", CLAIM, order="1")
    page = web.get("platform-1", "/desk", params={"role": "buyer", "limit": 1})
    assert [one["order"] for one in page["cases"]] == ["0"]
    page = web.get("platform-1", "/desk", params={"role": "buyer", "limit": 1, "after": page["next"]})
    assert ([one["order"] for one in page["cases"]], page["next"]) == (["2"], None)
    (late,) = web.get("platform-1", "/desk", params={"role": "seller"})["cases"]
    assert (late["order"], late["waits_for"], late["due_at"]) == ("1", ["seller"], "2026-04-30T15:59:59Z")
    assert web.get("platform-1", "/desk", params={"role": "seller", "overdue": True})["cases"] == []
    web.clock.at += 3 * DAY
    assert len(web.get("platform-1", "/desk", params={"role": "seller", "overdue": True})["cases"]) == 1
    assert problem(web.call("platform-1", "GET", "/desk?after=nothing"))["status"] == 404
