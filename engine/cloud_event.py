"""A delivery as a CloudEvent 1.0 (https://github.com/cloudevents/spec), to be forwarded to a webhook or a queue."""

from __future__ import annotations

from typing import Any

from .render.plain import plain, stamp
from .store.protocol import Delivery


def cloud_event(delivery: Delivery, *, source: str, reveal: bool = False) -> dict[str, Any]:
    """Return a delivery as a CloudEvent in its JSON form.

    It is the same however often it is delivered, and so are `source` and `id`, by which a receiver knows it again. In the
    place of a sensitive value stands `{"sensitive": true}`.

    Args:
        delivery: as a handler gets it.
        source: a URI reference that names the application, such as `https://example.org/cases`.
        reveal: give sensitive values too, to a receiver who needs them.
    """
    return {
        "specversion": "1.0",
        "id": delivery.key,
        "source": source,
        "type": f"amends.{delivery.effect.kind}",
        "subject": delivery.case_id,
        "time": stamp(delivery.asked_at),
        "datacontenttype": "application/json",
        "data": plain(delivery.effect.data if reveal else delivery.shown()),
    }
