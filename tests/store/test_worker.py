"""Workers: they fire and deliver, wait for what is away, and stop when they are told to."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from amends import cli
from amends.engine.engine import Engine
from amends.engine.errors import StoreUnavailable
from amends.engine.library import Library
from amends.engine.worker import Worker

LONG_AGO = datetime(2020, 3, 2, 12, tzinfo=UTC)
HANDLERS = """
from pathlib import Path
from amends import Settled

def register(engine):
    @engine.effect("payout")
    def pay(delivery):
        with Path("paid.txt").open("a") as file:
            file.write(delivery.key + "\\n")
        return Settled()
"""


def until(so: Callable[[], bool]) -> None:
    """Wait until something is so, or fail."""
    for _ in range(600):
        if so():
            return
        time.sleep(0.05)
    pytest.fail("it did not come about in half a minute")


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def start(url: str, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "amends", "worker", "--handlers", "handlers", "--idle", "0.05"]
    worker = subprocess.Popen([*command, "--store", url], cwd=folder, stderr=subprocess.PIPE, text=True)
    assert worker.stderr is not None
    assert "the worker begins" in worker.stderr.readline()
    return worker


def test_workers_end_what_was_left_behind_and_stop_when_told(
    url: str, library: Library, tmp_path: Path
) -> None:
    (tmp_path / "handlers.py").write_text(HANDLERS, encoding="utf-8")
    names = [f"{index}" for index in range(5)]
    with Engine(library, url) as engine:
        for name in names:
            engine.open("loan", {"account": "x"}, at=LONG_AGO, case_id=name)
        workers = [start(url, tmp_path) for _ in range(2)]
        until(lambda: all(engine.case(name).payouts.get("deposit") for name in names))
        until(lambda: all(engine.case(name).payouts["deposit"].state == "settled" for name in names))
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        told = [worker.communicate(timeout=30)[1] for worker in workers]
        assert [worker.returncode for worker in workers] == [0, 0]
        assert all("the worker ends" in text for text in told)
        paid = (tmp_path / "paid.txt").read_text(encoding="utf-8").split()
        assert sorted(paid) == [f"{name}/deposit/all/1" for name in names]
        assert [engine.verify(name).decided for name in names] == [5] * len(names)


def test_a_worker_that_is_killed_leaves_nothing_half_done(
    library: Library, sqlite: str, tmp_path: Path
) -> None:
    (tmp_path / "handlers.py").write_text(
        HANDLERS.replace("        return", "        import time; time.sleep(60)\n        return"),
        encoding="utf-8",
    )
    with Engine(library, sqlite) as engine:
        engine.open("loan", {"account": "x"}, at=LONG_AGO, case_id="a")
        worker = start(sqlite, tmp_path)
        until((tmp_path / "paid.txt").exists)
        worker.kill()
        worker.communicate(timeout=30)
        (delivery,) = (one for one in engine.deliveries("waiting") if one.effect.kind == "payout")
        assert (delivery.attempts, engine.case("a").payouts["deposit"].state) == (1, "asked")
        engine.effect("payout")(lambda _: None)
        assert engine.deliver() == ()
        (done,) = engine.deliver(at=delivery.next_at)
        assert (done.attempts, done.state, engine.verify("a").decided) == (2, "done", 4)


def test_a_database_that_is_away_is_waited_for(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(library)
    engine.open("loan", {"account": "x"}, at=LONG_AGO, case_id="a")
    away = [StoreUnavailable(), StoreUnavailable()]
    whole = engine.store.transact

    def transact(work: Any, *, reads: bool = False) -> Any:
        if away and not reads:
            raise away.pop()
        return whole(work, reads=reads)

    monkeypatch.setattr(engine.store, "transact", transact)
    worker = Worker(engine, idle=timedelta(milliseconds=10))
    thread = threading.Thread(target=worker.run)
    thread.start()
    until(lambda: engine.case("a").state == "closed")
    worker.stop()
    thread.join()
    assert away == []


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--store", "nonsense"], 2, "not the address of a database"),
        (["--store", "postgresql://localhost:1/none"], 3, "the database failed"),
        ([], 2, "--store"),
        (["--handlers", "no_such_module"], 2, "there is no module `no_such_module`"),
        (["--handlers", "json"], 2, "has no function `register(engine)`"),
    ],
    ids=str,
)
def test_what_a_worker_cannot_begin_with_is_said(
    arguments: list[str], code: int, said: str, sqlite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    given = ["--store", sqlite] if "--handlers" in arguments else []
    done = CliRunner().invoke(cli.main, ["worker", *given, *arguments])
    assert (done.exit_code, said in done.output) == (code, True), done.output


STOPPED = """
import signal
from datetime import timedelta
from types import SimpleNamespace

from amends.engine.worker import Worker

idle = SimpleNamespace(run_due=lambda limit: (), deliver=lambda limit: ())
for index in range(1_000):
    worker = Worker(idle, idle=timedelta(microseconds=20))
    signal.signal(signal.SIGALRM, lambda *_: worker.stop())
    signal.setitimer(signal.ITIMER_REAL, 0.0005 + index % 50 * 0.00001)
    worker.run()
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this platform has no timers that send signals")
def test_a_signal_ends_a_worker_at_whichever_instruction_it_arrives() -> None:
    subprocess.run([sys.executable, "-c", STOPPED], check=True, timeout=120)
