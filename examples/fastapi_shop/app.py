"""The application: `uvicorn --factory fastapi_shop.app:create_app`, from the folder `examples`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

from fastapi import FastAPI
from httpx2 import Client

from . import cases, desk, ordering, problems, webhooks
from .shop import Clock, Settings, Shop
from .worker import working

_ABOUT = """\
A small shop whose refunds are run by [amends](https://pypi.org/project/amends/).

Place an order as `buyer-7`, have it delivered as `carrier-1`, open its case, and see under `allowed` what you may do. Every event
of the policy has an endpoint of its own. What the rules do not allow is answered with a problem (RFC 9457) that says why.
"""


def create_app(
    settings: Settings | None = None, *, clock: Clock | None = None, client: Client | None = None
) -> FastAPI:
    """Return the application.

    Args:
        settings: read from the environment where left out.
        clock: the machine's where left out.
        client: sends the webhooks.
    """
    settings = settings or Settings.from_environment()
    shop = Shop(settings, clock or Clock())
    sender = client or Client()
    webhooks.send_effects(shop.engine, settings, shop.clock, sender)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with working(shop.engine) if settings.works else nullcontext():
            yield
        sender.close()
        shop.close()

    app = FastAPI(
        title="Example shop",
        version="1.0",
        description=_ABOUT,
        lifespan=lifespan,
        webhooks=webhooks.outgoing,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.shop = shop
    problems.install(app)
    for router in (ordering.router, cases.router, cases.event_router(), desk.router, webhooks.router):
        app.include_router(router)
    return app
