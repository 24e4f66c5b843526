"""What fuzzing has kept is replayed: no text crashes a reader, takes it longer than a second, or grows past a bound.

The corpus is found by its files: `corpus/TARGET/…`. `make fuzz` looks for more of them.
"""

from __future__ import annotations

import importlib.util
import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
FILES = sorted(path for path in (HERE / "corpus").rglob("*") if path.is_file())
#: Address space of the process that replays: Python and this package alone take about a quarter of it.
SPACE = 400_000_000
#: CPU time for one input, and for one that is repeated until it is as long as a file or a scalar may well be.
SECONDS = 1.0
LONG = {"document": 100_000, "policy": 100_000}
LONG_SCALAR = 20_000

PROGRAM = """
import json, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from targets import TARGETS
name, length = sys.argv[2], int(sys.argv[3])
TARGETS[name](b"x")
for path in sorted((Path(sys.argv[1]) / "corpus" / name).iterdir()):
    data = path.read_bytes()
    data *= max(1, length // max(1, len(data)))
    begun = time.process_time()
    try:
        TARGETS[name](data)
        failed = None
    except BaseException as error:
        failed = repr(error)[:300]
    print(json.dumps([path.name, failed, time.process_time() - begun]), flush=True)
"""


def targets() -> Any:
    spec = importlib.util.spec_from_file_location("targets", HERE / "targets.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.TARGETS


def replayed(target: str, length: int = 0) -> dict[str, tuple[str | None, float]]:
    """Replay what was kept for a target in a process with little memory; by file, what was raised and the CPU time."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, HERE, target, str(length)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (SPACE, SPACE)),
    )
    assert done.returncode == 0, (done.stdout[-300:], done.stderr[-3000:])
    return {name: (failed, took) for name, failed, took in map(json.loads, done.stdout.splitlines())}


TARGETS = targets()


def test_every_target_has_a_corpus_of_small_files() -> None:
    assert {path.parent.name for path in FILES} == set(TARGETS)
    assert len(FILES) >= 100
    assert sum(path.stat().st_size for path in FILES) < 300_000


@pytest.mark.parametrize("target", TARGETS)
def test_what_fuzzing_kept_is_read_or_refused_at_once_in_bounded_memory(target: str) -> None:
    found = replayed(target)
    assert set(found) == {path.name for path in FILES if path.parent.name == target}
    assert {name: failed for name, (failed, _) in found.items() if failed} == {}
    assert {name: took for name, (_, took) in found.items() if took > SECONDS} == {}


@pytest.mark.parametrize("target", TARGETS)
def test_what_fuzzing_kept_takes_no_longer_than_a_second_when_it_is_repeated(target: str) -> None:
    found = replayed(target, LONG.get(target, LONG_SCALAR))
    assert {name: failed for name, (failed, _) in found.items() if failed} == {}
    assert {name: took for name, (_, took) in found.items() if took > SECONDS} == {}
