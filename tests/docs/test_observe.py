"""The page on observing lists what there is to see, and nothing else: spans, attributes, metrics, and log records with their fields."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest
from opentelemetry.metrics import NoOpMeter
from opentelemetry.trace import NoOpTracer

from amends.engine.durable import notices
from amends.engine.errors import StoreUnavailable
from amends.engine.step import Due, Effect, Step
from amends.engine.store.protocol import Delivery
from amends.engine.telemetry import instruments
from amends.engine.telemetry.watching import Call

if TYPE_CHECKING:
    from tests.docs.pages import Block

PAGE = "docs/howto/observe.md"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
#: Names of spans and of the instrumentation, which are constants too.
SPANS = {instruments.STEP, instruments.DELIVER}


@pytest.fixture(scope="module")
def tables(root: Path) -> dict[str, list[list[str]]]:
    """Return the rows of each table of the page, by the head of its first column."""
    found: dict[str, list[list[str]]] = {}
    rows: list[list[str]] = []
    for line in (root / PAGE).read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            rows = []
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not rows:
            found[cells[0]] = rows
        rows.append(cells)
    return {head: body[2:] for head, body in found.items()}


def names(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def test_the_page_lists_every_span(tables: dict[str, list[list[str]]]) -> None:
    spans = {f"{instruments.SCOPE}.{call}" for call in get_args(Call)} | SPANS
    assert {name for row in tables["span"] for name in names(row[0])} == spans


def test_the_page_lists_every_attribute(tables: dict[str, list[list[str]]]) -> None:
    constants = {
        value for name, value in vars(instruments).items() if name.isupper() and isinstance(value, str)
    }
    attributes = {value for value in constants - SPANS if "." in value and not value[0].isdigit()}
    assert len(attributes) >= 20
    assert {name for row in tables["attribute"] for name in names(row[0])} == attributes


class Recorded(NoOpMeter):
    """A meter that notes what is made of it."""

    def __init__(self) -> None:
        super().__init__("amends")
        self.made: dict[str, str] = {}

    def create_counter(self, name: str, unit: str = "", description: str = "") -> Any:
        self.made[name] = f"counter, `{unit}`"
        return super().create_counter(name, unit, description)

    def create_histogram(self, name: str, unit: str = "", description: str = "", **options: Any) -> Any:
        self.made[name] = f"histogram, `{unit}`"
        return super().create_histogram(name, unit, description, **options)


def test_the_page_lists_every_metric_with_its_kind_and_unit(tables: dict[str, list[list[str]]]) -> None:
    meter = Recorded()
    instruments.instruments_of(NoOpTracer(), meter)
    assert {names(row[0])[0]: row[1] for row in tables["metric"]} == meter.made


def raised() -> OSError:
    """Return an exception that was raised."""
    try:
        raise OSError
    except OSError as error:
        return error


def test_the_page_lists_every_record_with_its_fields(
    tables: dict[str, list[list[str]]], caplog: pytest.LogCaptureFixture
) -> None:
    effect = Effect(key="a/refund/all/1", kind="payout", data={})
    delivery = Delivery(case_id="a", seq=1, asked_at=NOON, effect=effect, next_at=NOON)
    due = Due(timer="breach:x/y", fires_at=NOON, fired_at=NOON + timedelta(hours=1))
    step = Step(seq=1, at=NOON, input=due, verdict="applied")
    told: dict[str, Callable[[], object]] = {
        "parked": lambda: notices.parked("a", raised()),
        "late": lambda: notices.late([("a", step)], timedelta(minutes=5)),
        "failed": lambda: notices.failed(delivery, raised(), NOON),
        "given_up": lambda: notices.given_up(delivery, raised()),
        "conflict": lambda: notices.conflict(10),
        "waiting": lambda: notices.waiting(StoreUnavailable()),
        "began": notices.began,
        "ended": notices.ended,
    }
    public = {
        name for name, found in vars(notices).items() if getattr(found, "__module__", "") == notices.__name__
    }
    assert {name for name in public if not name.startswith("_")} - {"where"} == set(told)
    with caplog.at_level(logging.DEBUG, "amends"):
        for tell in told.values():
            tell()
    logged = {
        (
            record.name,
            record.levelname.lower(),
            *(name for name in vars(record) if name.startswith("amends_")),
        )
        for record in caplog.records
    }
    listed = {(names(row[0])[0], row[1], *names(row[3])) for row in tables["logger"]}
    assert listed == logged
    fields = {name for record in logged for name in record[2:]}
    assert {name for row in tables["field"] for name in names(row[0])} == fields


def test_the_program_of_the_page_prints_its_spans(
    root: Path, blocks_of: Callable[[str], tuple[Block, ...]]
) -> None:
    """In a process of its own: what it sets up is the process's."""
    (program,) = [block.text for block in blocks_of(PAGE) if block.language == "python"]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert re.findall(r'"name": "(amends\.\w+)"', done.stdout) == ["amends.open", "amends.send"]
    assert "buyer:7" not in done.stdout
    assert "42.50" not in done.stdout
