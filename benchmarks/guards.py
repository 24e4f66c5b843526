"""What a guard costs: by hand, generated, generated with its explanation, interpreted, and in Google's CEL.

    python benchmarks/guards.py [--rounds N] [--ints]

One guard of eleven leaves, of the kinds that policies have: money compared with a difference of amounts and with a constant,
enums (`==` and `in`), a bool, `has`, a window, a timestamp, a period, an int and the size of a list. The input passes, so
every leaf is evaluated. What is compared, over the same facts in a dict:

- by hand: a Python function as one would write it. Amounts are `decimal.Decimal` (`--ints`: minor units), enums texts, a
  window two datetimes, a period a pair; a fact that is missing is not in the dict. It asks nothing about currencies.
- generated: `evaluate(checked, env)`, where the environment tells its facts (`known`). Amounts are exact, and two
  currencies would be found.
- explained: `observe(checked, env)`: the value, and what each leaf was worth and saw.
- told: `observe`, and `explain` makes the records of it: text, place, worth and facts of each of the eleven leaves. A step
  does that once for its trace.
- asked: `evaluate` where the environment only answers `value(name)`, a call a name.
- interpreted: the reference.
- cel-expr-python, if it is installed: compiled once, the facts given as a dict. It has no money, periods or windows: amounts
  are ints of minor units there, the window two timestamps, the period a text. Of its leaves that is cheaper than ours.

Rounds are interleaved, a round runs each contender so often that it takes some milliseconds, and medians are compared: the
ratios hold on a busy machine too. Nothing is kept between two evaluations but what is compiled, and what each amount remembers
of itself: how many ten-thousandths it is.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import timeit
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from amends.engine.calendar import zone
from amends.engine.expression import Declared, check_text, evaluate, explain, interpret, observe, warm
from amends.engine.money import Money
from amends.engine.period import Period
from amends.engine.types import (
    BOOL,
    INT,
    MONEY,
    PERIOD,
    TEXT,
    TIMESTAMP,
    WINDOW,
    EnumType,
    ListType,
    OptionalType,
    RecordType,
    Type,
)
from amends.engine.values import Unknown, Value, Window

GUARD = """claim.amount <= order_total - refunded
&& claim.amount >= money("5 USD")
&& claim.reason in ["defective", "wrong_item", "not_as_described"]
&& returns.is_open
&& region == "US"
&& !final_sale
&& has(delivered_at)
&& delivered_at <= claim.at
&& review_time == period("2 business days")
&& rejections < 3
&& claim.evidence.size() >= 1"""

CEL = """claim.amount <= order_total - refunded
&& claim.amount >= 500
&& claim.reason in ["defective", "wrong_item", "not_as_described"]
&& opens <= now && now <= closes
&& region == "US"
&& !final_sale
&& delivered_at > timestamp("1970-01-01T00:00:00Z")
&& delivered_at <= claim_at
&& review_time == "2 business days"
&& rejections < 3
&& claim.evidence.size() >= 1"""

REASON = EnumType("reason", ("defective", "wrong_item", "not_as_described", "changed_mind"))
REGION = EnumType("region", ("US", "ID", "TH"))
CLAIM = RecordType(
    "claim", (("amount", MONEY), ("reason", REASON), ("at", TIMESTAMP), ("evidence", ListType(TEXT)))
)
TYPES: dict[str, Type] = {
    "claim": CLAIM,
    "order_total": MONEY,
    "refunded": MONEY,
    "returns": WINDOW,
    "region": REGION,
    "final_sale": BOOL,
    "delivered_at": OptionalType(TIMESTAMP),
    "review_time": PERIOD,
    "rejections": INT,
}
NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
OPENS, CLOSES = datetime(2026, 3, 1, 9, tzinfo=UTC), datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)
CLAIMED = datetime(2026, 3, 4, 8, tzinfo=UTC)
USUAL = {
    "region": "US",
    "final_sale": False,
    "delivered_at": OPENS,
    "rejections": 1,
}


def usd(amount: str) -> Money:
    """Return an amount."""
    return Money(Fraction(amount), "USD")


OURS: dict[str, Value] = {
    **USUAL,
    "claim": {"amount": usd("49.90"), "reason": "wrong_item", "at": CLAIMED, "evidence": ("photo", "video")},
    "order_total": usd("149.80"),
    "refunded": usd("20.00"),
    "returns": Window(opens=OPENS, closes=CLOSES),
    "review_time": Period(2, "business day"),
}


def facts_by_hand(amount: Callable[[str], Any]) -> dict[str, Any]:
    """Return the facts as a program of its own would keep them."""
    claim = {"amount": amount("49.90"), "reason": "wrong_item", "at": CLAIMED, "evidence": ["photo", "video"]}
    return {
        **USUAL,
        "claim": claim,
        "order_total": amount("149.80"),
        "refunded": amount("20.00"),
        "returns": (OPENS, CLOSES),
        "review_time": (2, "business day"),
    }


def by_hand(facts: Mapping[str, Any], now: datetime, least: Any) -> bool:
    """Decide as `GUARD` does."""
    claim = facts["claim"]
    opens, closes = facts["returns"]
    return bool(
        claim["amount"] <= facts["order_total"] - facts["refunded"]
        and claim["amount"] >= least
        and claim["reason"] in ("defective", "wrong_item", "not_as_described")
        and opens <= now <= closes
        and facts["region"] == "US"
        and not facts["final_sale"]
        and facts.get("delivered_at") is not None
        and facts["delivered_at"] <= claim["at"]
        and facts["review_time"] == (2, "business day")
        and facts["rejections"] < 3
        and len(claim["evidence"]) >= 1
    )


class Names:
    """The scope of the guard."""

    def find(self, name: str) -> Declared | None:
        """Return what a name stands for."""
        return Declared(type=TYPES[name], kind="fact") if name in TYPES else None

    def names(self) -> Mapping[str, Type]:
        """Return every name."""
        return TYPES

    def find_type(self, name: str) -> Type | None:  # noqa: ARG002 - none is asked for
        """Return a type by its name."""
        return None

    def type_names(self) -> tuple[str, ...]:
        """Return the name of every record type."""
        return ()


@dataclass(frozen=True, slots=True)
class Asked:
    """An environment that answers name by name."""

    facts: Mapping[str, Value]
    now: datetime
    zone: ZoneInfo

    def value(self, name: str) -> Value:
        """Return a fact."""
        return self.facts[name] if name in self.facts else Unknown(frozenset({name}))

    def call(self, name: str, arguments: tuple[Value, ...]) -> Value:
        """Return what a table gives; there is none."""
        raise LookupError(name, arguments)


@dataclass(frozen=True, slots=True)
class Told(Asked):
    """An environment that tells what it knows."""

    known: Mapping[str, Value]


def google(expression: str) -> tuple[Any, dict[str, Any]] | None:
    """Return the guard in cel-expr-python and its facts, or None if that is not installed."""
    try:
        from cel_expr_python import cel  # noqa: PLC0415 - it need not be there
    except ImportError:
        return None
    kinds = {"order_total": cel.Type.INT, "refunded": cel.Type.INT, "rejections": cel.Type.INT}
    kinds |= {"claim": cel.Type.Map(cel.Type.STRING, cel.Type.DYN), "final_sale": cel.Type.BOOL}
    kinds |= {"region": cel.Type.STRING, "review_time": cel.Type.STRING}
    kinds |= dict.fromkeys(("opens", "closes", "now", "delivered_at", "claim_at"), cel.Type.TIMESTAMP)
    environment = cel.NewEnv(variables=kinds)
    compiled = environment.compile(expression)
    facts = {**facts_by_hand(lambda text: int(Decimal(text) * 100)), "review_time": "2 business days"}
    del facts["returns"]
    # It converts no timestamp inside a map.
    facts |= {"opens": OPENS, "closes": CLOSES, "now": NOW, "claim_at": facts["claim"].pop("at")}
    return compiled, facts


def contenders(*, ints: bool) -> dict[str, timeit.Timer]:
    """Return everything that is measured, by name; the first is what the others are compared with."""
    checked, problems = check_text(GUARD, Names(), expect=BOOL)
    if checked is None:
        raise SystemExit(str(problems))
    warm(checked)
    warm(checked, watched=True)
    amount: Callable[[str], Any] = (lambda text: int(Decimal(text) * 100)) if ints else Decimal
    names: dict[str, Any] = {
        **{tool.__name__: tool for tool in (by_hand, evaluate, observe, explain, interpret)},
        "facts": facts_by_hand(amount),
        "now": NOW,
        "least": amount("5"),
        "guard": checked,
        "told": Told(OURS, NOW, zone("UTC"), OURS),
        "asked": Asked(OURS, NOW, zone("UTC")),
    }
    statements = {
        "by hand": "by_hand(facts, now, least)",
        "generated": "evaluate(guard, told)",
        "explained": "observe(guard, told)[0]",
        "told": "explain(guard, told, seen=observe(guard, told)[1])[10].value",
        "asked": "evaluate(guard, asked)",
        "interpreted": "interpret(guard, told)",
    }
    if (other := google(CEL)) is not None:
        names["google"], names["google_facts"] = other
        statements["cel-expr-python"] = "google.eval(data=google_facts).plain_value()"
    for word, statement in statements.items():
        if eval(statement, names) is not True:  # noqa: S307 - a line of this file
            raise SystemExit(f"{word} does not pass")
    # Time of this thread on a processor: what else the machine does is not counted.
    return {
        word: timeit.Timer(text, globals=names, timer=time.thread_time) for word, text in statements.items()
    }


def main() -> int:
    """Measure, and print medians and ratios."""
    options = argparse.ArgumentParser(description="What a guard costs.")
    options.add_argument("--rounds", type=int, default=101)
    options.add_argument("--ints", action="store_true", help="amounts by hand are ints of minor units")
    given = options.parse_args()
    running = contenders(ints=given.ints)
    times = {word: max(1, int(0.06 / timer.timeit(20))) for word, timer in running.items()}
    rounds: dict[str, list[float]] = {word: [] for word in running}
    for _ in range(given.rounds):
        for word, timer in running.items():
            rounds[word].append(timer.timeit(times[word]) / times[word])
    first = next(iter(running))
    version = sys.version.split()[0]
    print(f"an 11-leaf guard that passes; Python {version}, medians of {given.rounds} interleaved rounds")
    for word, measured in rounds.items():
        ratios = sorted(mine / base for mine, base in zip(measured, rounds[first], strict=True))
        print(
            f"{word:>16}  {statistics.median(measured) * 1e6:8.2f} µs"
            f"  {statistics.median(ratios):7.2f} × by hand"
            f"  (quartiles {ratios[len(ratios) // 4]:.2f}, {ratios[3 * len(ratios) // 4]:.2f})"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
