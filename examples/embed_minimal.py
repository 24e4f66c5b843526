"""A shop that keeps its cases in one file. Kill it between any two lines and start it again: it goes on."""

from datetime import datetime, timedelta
from importlib.resources import files

from amends import Delivery, Engine, Library, Retries, Settled

library = Library.load(f"{files('amends')}/policies/tiktok_shop/us.yaml")
engine = Engine(library, "sqlite:///cases.db", retries=Retries(lease=timedelta(0)))


@engine.effect("payout")
def pay(delivery: Delivery) -> Settled:
    """Pay: a bank that is asked twice with one key pays once."""
    print("pay", delivery.effect.data["amount"], delivery.key)
    return Settled(reference="bank-1")


may, day = datetime.fromisoformat("2026-05-01T12:00:00-04:00"), timedelta(days=1)
order = {"region": "US", "order_total": "75.00", "payment_method": "card", "delivered_at": may}
case = engine.open("tiktok_shop.us", order, key="order-1001", at=may + day)
claim = {"reason": "defective", "amount": "75.00", "evidence": ["photo"]}
engine.send(case.id, "request_refund_only", claim, by="buyer:7", key="claim", at=may + 4 * day)
engine.send(case.id, "reject", {"reason": "as described"}, by="seller:3", key="reject", at=may + 6 * day)
proof = {"evidence": ["order_details", "chat_records", "payment_proof"]}
engine.send(case.id, "request_platform_intervention", proof, by="buyer:7", key="escalate", at=may + 9 * day)
engine.send(case.id, "decide", {"in_favour_of": "buyer"}, by="platform:1", key="decide", at=may + 12 * day)
engine.deliver(at=may + 13 * day)
print(engine.case(case.id).state)
