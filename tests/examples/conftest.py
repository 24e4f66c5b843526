"""The example shop, and a bank that it sends its webhooks to, on a clock that a test sets."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from amends import Engine, Library

# Last, so that nothing beside the examples hides what is installed.
sys.path.append(str(Path(__file__).parents[2] / "examples"))

from fastapi_shop.app import create_app
from fastapi_shop.bank import Bank, create_bank
from fastapi_shop.shop import Clock, Settings, Shop

#: A Tuesday, and the day on which the founding flow's order is delivered.
DELIVERED = datetime(2026, 4, 28, 19, tzinfo=UTC)
DAY = timedelta(days=1)
KEYS = count()
SECRET_OUT, SECRET_IN = f"whsec_{'b3V0' * 8}", f"whsec_{'aW4x' * 8}"

ORDER = {"seller": "3", "total": "75.00", "payment_method": "card"}
CLAIM = {"reason": "defective", "amount": "75.00", "contact": "buyer@example.test", "evidence": ["photo"]}
PROOF = {"evidence": ["order_details", "chat_records", "payment_proof"]}


@dataclass
class Stopped(Clock):
    """A clock that a test moves."""

    at: datetime = DELIVERED

    def now(self) -> datetime:
        return self.at


@dataclass
class Web:
    """A shop as its callers see it."""

    client: TestClient
    clock: Stopped
    bank: Bank

    @property
    def shop(self) -> Shop:
        """What is behind it."""
        found: Shop = self.client.app.state.shop  # type: ignore[attr-defined] # TestClient does not say which app
        return found

    def call(
        self,
        who: str | None,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        **options: Any,
    ) -> Response:
        headers = {"authorization": f"Bearer {who}"} if who else {}
        if key:
            headers["idempotency-key"] = key
        return self.client.request(method, path, json=body, headers=headers, **options)

    def put(self, who: str, path: str, body: Any = None) -> Any:
        """Put something that is taken, and return the answer."""
        return ok(self.call(who, "PUT", path, body))

    def get(self, who: str, path: str, **options: Any) -> Any:
        """Get something that is there."""
        return ok(self.call(who, "GET", path, **options))

    def send(
        self, who: str, event: str, data: Any = None, *, order: str = "1001", key: str | None = None
    ) -> Response:
        """Send an event, under a key of its own where the test needs none."""
        path = f"/orders/{order}/case/events/{event}"
        return self.call(who, "POST", path, data or {}, key=key or f"key-{next(KEYS)}")

    def does(self, who: str, event: str, data: Any = None, *, order: str = "1001") -> Any:
        """Send an event that is taken, and return the case."""
        return ok(self.send(who, event, data, order=order))

    def ordered(self, order: str = "1001", **changes: str) -> None:
        """Have an order placed and delivered, and its case opened."""
        self.put("buyer-7", f"/orders/{order}", {**ORDER, **changes})
        self.put("carrier-1", f"/orders/{order}/delivery")
        self.put("buyer-7", f"/orders/{order}/case")

    def works(self) -> None:
        """Do what a worker does once."""
        self.shop.engine.run_due()
        self.shop.engine.deliver()

    def case(self, order: str = "1001") -> Any:
        """Return a case as the platform sees it."""
        return self.get("platform-1", f"/orders/{order}/case")


def ok(answer: Response) -> Any:
    """Return the body of an answer that is none of a failure."""
    assert answer.is_success, (answer.status_code, answer.text)
    return answer.json() if answer.content else None


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with empty tables, to be copied: making them takes longer than most tests."""
    path = tmp_path_factory.mktemp("shop") / "empty.db"
    Engine(Library(), f"sqlite:///{path}").close()
    return path


@pytest.fixture
def settings(made_once: Path, tmp_path: Path) -> Settings:
    return Settings(
        database=f"sqlite:///{shutil.copy(made_once, tmp_path / 'shop.db')}",
        webhook_url="/events",
        secret_out=SECRET_OUT,
        secret_in=SECRET_IN,
        works=False,
    )


@pytest.fixture
def open_shop(settings: Settings) -> Iterator[Callable[..., Web]]:
    """Return what opens a shop over the same file, with the same bank and clock, and closes it in the end."""
    clock = Stopped()
    bank = create_bank(settings, clock=clock)
    with ExitStack() as until_the_end:

        def opened(with_settings: Settings = settings, *, bank_client: TestClient | None = None) -> Web:
            app = create_app(with_settings, clock=clock, client=bank_client or TestClient(bank))
            client = until_the_end.enter_context(TestClient(app))
            bank.state.bank.shop = client
            return Web(client, clock, bank.state.bank)

        yield opened


@pytest.fixture
def web(open_shop: Callable[..., Web]) -> Web:
    """Return a shop without a worker: the test says when one works."""
    return open_shop()
