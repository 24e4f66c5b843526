"""The same case gives the same bytes, whatever the order of Python's sets, the machine's zone and the folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ELSEWHERE = {"PYTHONHASHSEED": "7", "TZ": "Pacific/Apia"}

#: Every case of the file, in both forms.
EVERY_CASE = """
import sys
from pathlib import Path
from amends.engine.library import Library
from amends.engine.render.timeline import timeline_json, timeline_text
from amends.engine.scenario import read_scenarios
from amends.engine.simulate import simulate
library = Library.load(sys.argv[1])
file, _ = read_scenarios(Path(sys.argv[2]))
for case in file.cases:
    timeline = simulate(case, library, what_if_nobody_acts=True)
    for language in ("en", "zh"):
        sys.stdout.buffer.write(timeline_json(timeline, language=language).encode())
        sys.stdout.buffer.write(timeline_text(timeline, language=language).encode())
"""


def started(*command: str | Path, **surroundings: str) -> subprocess.Popen[bytes]:
    """Start a Python of our own, with the surroundings it would have anyway and those given."""
    environment = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    return subprocess.Popen(
        [sys.executable, *command],
        env={**environment, "PYTHONUTF8": "1", **surroundings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def printed(process: subprocess.Popen[bytes]) -> bytes:
    """Wait for a process and return what it printed; it must be well."""
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, b"")
    return out


@pytest.mark.parametrize("form", ["json", "text"])
def test_simulate_prints_the_same_bytes_in_apia(form: str, policies: Path, cases_file: Path) -> None:
    command = ("-m", "amends", "simulate", policies, cases_file, "--case", "TT-06", "--format", form)
    here, there = started(*command), started(*command, **ELSEWHERE)
    first, second = printed(here), printed(there)
    assert first == second
    assert b"closed_refunded" in first


def test_every_case_has_the_same_timelines_in_apia(policies: Path, cases_file: Path, cases: Any) -> None:
    here = started("-c", EVERY_CASE, policies, cases_file)
    there = started("-c", EVERY_CASE, policies, cases_file, **ELSEWHERE)
    first, second = printed(here), printed(there)
    assert first == second
    assert [case["id"] for case in cases["cases"] if json.dumps(case["id"]).encode() not in first] == []
