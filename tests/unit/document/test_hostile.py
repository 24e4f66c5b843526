"""Hostile input is answered at once and in bounded memory; each runs in a process of its own, with both parsers."""

import resource
import subprocess
import sys

import pytest

SECONDS = 2
#: Address space of the process: Python, PyYAML and this package alone take about a quarter of it.
SPACE = 400_000_000

BOMB = '"\\n".join(["a: &a [x, x]"] + [f"{c}: &{c} [" + ", ".join(["*" + chr(ord(c) - 1)] * 9) + "]" for c in "bcdefghijkl"])'

INPUT = {
    "alias bomb": (BOMB, "AM005"),
    "100,000 nested brackets": ('"[" * 100_000', "AM003"),
    "100,000 nested braces": ('"{a: " * 100_000', "AM003"),
    "100,000 nested dashes": ('"- " * 100_000', "AM003"),
    "50 MB scalar": ('b"a: " + b"x" * 50_000_000', "AM003"),
    "1 MB scalar": ('"a: " + "x" * 990_000', "AM003"),
    "1 MB quote left open": ("\"a: '\" + 'x ' * 490_000", "AM002"),
    "NUL bytes": ("bytes(900_000)", "AM001"),
    "bytes that are not UTF-8": (r'b"\xff" * 900_000', "AM001"),
    "million-key map": ('"".join(f"k{i}: 1\\n" for i in range(1_000_000))', "AM003"),
    "map as wide as the file may be": ('"".join(f"k{i}: 1\\n" for i in range(90_000))', "AM003"),
    "200,000 times one key": ('"a: 1\\n" * 190_000', "AM004"),
    "200,000 tags": ('"- !x\\n" * 190_000', "AM007"),
    "calls cut at commas": ('"[" + "f(a," * 240_000', "AM007"),
    "a million empty lines": ('"\\n" * 990_000', "AM006"),
    "escapes": (r"""'"' + r'\u0041' * 160_000 + r'\q"'""", "AM002"),
    "number of a million digits": ('"9" * 990_000', "AM003"),
}

PROGRAM = """
import sys, time, yaml
from amends.engine.document import read_text
if {without_c}:
    vars(yaml).pop("CSafeLoader", None)
data = {data}
begun = time.process_time()
node, found = read_text(data, "p.yaml")
print(len(found), found[0].code, time.process_time() - begun)
"""


@pytest.mark.parametrize("without_c", [False, True], ids=["any parser", "parser in Python"])
@pytest.mark.parametrize("name", INPUT)
def test_hostile_input_is_answered_at_once_in_bounded_memory(name: str, *, without_c: bool) -> None:
    data, code = INPUT[name]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(data=data, without_c=without_c)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (SPACE, SPACE)),
    )
    assert not done.stderr
    count, first, took = done.stdout.split()
    assert first == code
    assert int(count) <= 1_000
    # The parser in Python stands in where none in C is; it is bounded, not quick.
    assert float(took) < SECONDS * (5 if without_c else 1)
