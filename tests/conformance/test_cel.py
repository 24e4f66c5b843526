"""The conformance tests of CEL: everything that lies inside the profile passes, and the command judges honestly."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

COMMAND = Path(__file__).with_name("cel.py")


def run(file: Path) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, str(COMMAND), str(file)], capture_output=True, text=True, check=False
    )
    return done.returncode, json.loads(done.stdout)


def test_every_test_of_the_profile_passes(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = root.parent / "shared" / "conformance" / "cel_core.json"
    if not file.is_file():
        pytest.skip("the conformance tests lie beside the project, in shared/conformance, and are not here")
    code, report = run(file)
    assert [failure for failure in report["failures"] if failure["profile"]] == []
    assert code == 0
    assert report["profile"]["passed"] > 0
    passed, failed = report["all"]["passed"], report["all"]["failed"]
    with capsys.disabled():
        sys.stdout.write(
            f"\nCEL conformance: profile {report['profile']['passed']} of {report['profile']['passed']}, "
        )
        sys.stdout.write(f"all {passed} of {passed + failed}\n")


@pytest.mark.parametrize(
    ("test", "passes"),
    [
        ({"expr": "1 + 1", "value": {"int": "2"}}, True),
        ({"expr": "1 + 1", "value": {"int": "3"}}, False),
        ({"expr": "1 + 1", "value": {"string": "2"}}, False),
        ({"expr": "1 + 1", "value": {"uint": "2"}}, False),
        ({"expr": "1.5", "value": {"double": "1.5"}}, False),
        ({"expr": "1 / 0", "value": {"int": "1"}}, False),
        ({"expr": "1 / 0", "error": ["division by zero"]}, True),
        ({"expr": "1 / 1", "error": ["division by zero"]}, False),
        ({"expr": "1 + 'a'", "error": ["no overload"]}, False),
        ({"expr": "1 + 'a'", "error": ["no overload"], "unchecked": True}, False),
        ({"expr": "timestamp('x')", "error": ["bad"]}, True),
        ({"expr": "true || 'a'", "value": {"bool": True}, "unchecked": True}, False),
        ({"expr": "[1]", "check_only": True, "deduced_type": "list(int)"}, True),
        ({"expr": "[1]", "value": {"list": [{"int": "1"}]}, "deduced_type": "list(string)"}, False),
        ({"expr": "x.k", "types": {"x": "map(string, int)"}, "bindings": {"x": {"map": [[{"string": "k"}, {"int": "4"}]]}}, "value": {"int": "4"}}, True),
        ({"expr": "x", "types": {"x": "int"}, "value": {"int": "4"}}, False),
        ({"expr": "{'b': 1, 'a': 2}", "value": {"map": [[{"string": "a"}, {"int": "2"}], [{"string": "b"}, {"int": "1"}]]}}, True),
    ],
)  # fmt: skip
def test_the_command_judges_honestly(test: dict[str, Any], passes: bool, tmp_path: Path) -> None:  # noqa: FBT001 - what is due
    file = tmp_path / "tests.json"
    file.write_text(json.dumps({"tests": [{**test, "profile": True}]}), encoding="utf-8")
    code, report = run(file)
    assert report["profile"] == report["all"] == {"passed": int(passes), "failed": int(not passes)}
    assert len(report["failures"]) == code == int(not passes)
