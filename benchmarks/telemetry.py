"""What telling OpenTelemetry costs: an event that is sent in memory, where the process has nothing of it, its API, or all.

    python benchmarks/telemetry.py [--rounds N] [--calls N]

Each is measured in a process of its own, for what a process has imported it keeps; rounds are interleaved, and medians are
compared. Spans are sampled, and thrown away when they end.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
KINDS = ("not imported", "imported, and nothing set up", "traces and metrics set up")


def set_up(kind: str) -> None:
    """Import and set up what a kind of process has."""
    if kind == KINDS[0]:
        return
    from opentelemetry import metrics, trace  # noqa: PLC0415 - this is what is measured

    if kind == KINDS[1]:
        return
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader  # noqa: PLC0415
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider  # noqa: PLC0415

    provider = TracerProvider()
    provider.add_span_processor(SpanProcessor())
    trace.set_tracer_provider(provider)
    metrics.set_meter_provider(MeterProvider([InMemoryMetricReader()]))


def measured(kind: str, calls: int) -> float:
    """Return how many microseconds an event takes that is sent to a case in memory."""
    set_up(kind)
    from amends import Engine, Library  # noqa: PLC0415 - after what is measured

    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    engine = Engine(Library.load(ROOT / "examples" / "first_policy.yaml"))
    ids = [
        engine.open("first_policy", {"delivered_at": noon, "paid": "42.50"}, at=noon).id for _ in range(calls)
    ]
    for case_id in ids[: calls // 10]:
        engine.send(case_id, "ask_refund", {"amount": "42.50"}, by="buyer:7", at=noon)
    begun = time.process_time()
    for case_id in ids[calls // 10 :]:
        engine.send(case_id, "ask_refund", {"amount": "42.50"}, by="buyer:7", at=noon)
    return (time.process_time() - begun) / (calls - calls // 10) * 1e6


def main() -> None:
    """Print the medians."""
    options = argparse.ArgumentParser(description="What telling OpenTelemetry costs.")
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--calls", type=int, default=3_000)
    options.add_argument("--kind", choices=KINDS)
    given = options.parse_args()
    if given.kind:
        print(measured(given.kind, given.calls))
        return
    found: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for _ in range(given.rounds):
        for kind, times in found.items():
            command = [sys.executable, __file__, "--kind", kind, "--calls", str(given.calls)]
            times.append(float(subprocess.check_output(command, text=True)))  # noqa: S603 - it is this file
    least = statistics.median(found[KINDS[0]])
    for kind, times in found.items():
        middle = statistics.median(times)
        print(f"{kind:<30} {middle:6.0f} µs a call  {middle / least:5.2f}")


if __name__ == "__main__":
    main()
