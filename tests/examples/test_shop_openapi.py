"""The example shop's API keeps what its OpenAPI document says, whatever it is called with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from fastapi_shop import cases, desk, ordering, webhooks
from fastapi_shop.app import create_app
from fastapi_shop.shop import POLICY, Settings, load_policies
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from .conftest import CLAIM, KEYS, SECRET_IN, SECRET_OUT, Stopped, Web

#: Who calls what: somebody who may, so that the rules are asked and not only the door.
CALLERS = {
    "place_order": "buyer-7",
    "deliver_order": "carrier-1",
    "waiting_cases": "platform-1",
    **{
        event.event: f"{event.by[0]}-{3 if event.by[0] == 'seller' else 7 if event.by[0] == 'buyer' else 1}"
        for event in load_policies().events(POLICY)
    },
}


#: What is too large is refused as such (413), which the check of what was to be refused does not know by itself.
REFUSED = ["400", "401", "403", "404", "405", "409", "413", "415", "422"]
CONFIG = schemathesis.Config.from_dict(
    {"checks": {"negative_data_rejection": {"expected-statuses": REFUSED}}}
)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return a shop with an order, whose case is with the seller."""
    path = tmp_path_factory.mktemp("openapi") / "shop.db"
    made = create_app(
        Settings(database=f"sqlite:///{path}", secret_out=SECRET_OUT, secret_in=SECRET_IN, works=False),
        clock=Stopped(),
    )
    with TestClient(made) as client:
        web = Web(client, made.state.shop.clock, bank=None)  # type: ignore[arg-type] # nobody is sent anything
        web.ordered()
        web.does("buyer-7", "request_refund_only", CLAIM)
        yield made


def operations() -> list[str]:
    """Return the names of all operations."""
    routers = (
        ordering.router,
        cases.router,
        cases.event_router(),
        desk.router,
        webhooks.router,
    )
    return [route.name for router in routers for route in router.routes if isinstance(route, APIRoute)]


def test_every_event_of_the_policy_has_an_endpoint_that_describes_its_data(app: Any) -> None:
    paths = app.openapi()["paths"]
    for event in load_policies().events(POLICY):
        operation = paths[f"/orders/{{order_id}}/case/events/{event.event}"]["post"]
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        assert {name: schema[name] for name in event.schema} == event.schema
        assert all(role in operation["summary"] for role in event.by)


def test_every_failure_is_described_as_a_problem(app: Any) -> None:
    document = app.openapi()
    assert {
        operation["operationId"] for path in document["paths"].values() for operation in path.values()
    } == set(operations())
    for path in document["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                if status >= "400":
                    (media,) = response["content"].items()
                    assert media == (
                        "application/problem+json",
                        {"schema": {"$ref": "#/components/schemas/Problem"}},
                    )
    assert document["components"]["schemas"]["Problem"]["properties"]["code"]
    assert document["webhooks"]["effect"]["post"]["requestBody"]


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("name", operations())
def test_an_operation_keeps_to_the_document(name: str, mode: GenerationMode, app: Any) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=CONFIG)
    operation = schema.find_operation_by_id(name)
    caller = {"Authorization": f"Bearer {CALLERS.get(name, 'buyer-7')}"}

    @settings(max_examples=10, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def keeps(case: schemathesis.Case[Any]) -> None:
        if mode is GenerationMode.POSITIVE and "/case" in case.path:
            # The order that is there, and a key for each event: what becomes of one that comes twice is tested elsewhere.
            case.path_parameters["order_id"] = "1001"
            case.headers["Idempotency-Key"] = f"key-{next(KEYS)}"
        case.call_and_validate(headers=caller)

    keeps()
