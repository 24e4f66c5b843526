"""A broken policy is answered with findings at the right place, however it is broken, and never with a traceback."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amends.engine.diagnostics import CATALOGUE, Diagnostic
from amends.engine.engine import Engine
from amends.engine.library import Library
from amends.engine.scenario import ScenarioFile, read_scenarios, run_case

ROOT = Path(__file__).resolve().parents[2]
TIKTOK = "policies/tiktok_shop/us.yaml"
SHIPPED = (
    "examples/first_policy.yaml",
    "examples/support_ticket.yaml",
    TIKTOK,
    "policies/tiktok_shop/id.yaml",
    "policies/tiktok_shop/th.yaml",
)

#: Nodes without types; in C where PyYAML has it, which is ten times faster.
READER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
WRITER = getattr(yaml, "CBaseDumper", yaml.BaseDumper)

# --- one mistake, one finding -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of broken.yaml."""

    kind: str
    what: str
    file: str
    edits: list[tuple[str, str]]
    at: str | None
    code: str
    hint: str
    others: bool

    def broken(self) -> tuple[str, tuple[int, int], tuple[int, int] | None]:
        """Return the broken text, and the line and column that must be pointed at, with the end where it matters."""
        text = (ROOT / self.file).read_text(encoding="utf-8")
        edits = list(self.edits) if self.at is None else [*self.edits, (unmarked(self.at), self.at)]
        for old, new in edits:
            assert text.count(old) == 1, f"`{old}` stands there {text.count(old)} times"
            text = text.replace(old, new)
        assert text.count("«") == 1
        start = text.index("«")
        text = text.replace("«", "")
        end = text.find("»")
        return unmarked(text), line_and_column(text, start), line_and_column(text, end) if end >= 0 else None


def unmarked(text: str) -> str:
    """Return a text without the marks of places."""
    return text.replace("«", "").replace("»", "")


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Return where a character stands, counted from 1."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def rows() -> Iterator[Row]:
    """Yield the rows of broken.yaml."""
    read = yaml.safe_load(Path(__file__).with_name("broken.yaml").read_text(encoding="utf-8"))
    for kind, items in read.items():
        for item in items:
            name = item.pop("in", TIKTOK)
            yield Row(
                kind=kind,
                file=name if "/" in name else f"policies/tiktok_shop/{name}",
                **{"at": None, "hint": "", "others": False, **item},
            )


ROWS = list(rows())


def load(name: str, data: bytes, folder: Path) -> tuple[Library, Path]:
    """Load a changed policy in a folder that holds what ships beside it."""
    for path in (ROOT / name).parent.glob("*.yaml"):
        shutil.copy(path, folder)
    changed = folder / Path(name).name
    changed.write_bytes(data)
    return Library.load(changed), changed


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.kind}: {row.what}")
def test_a_mistake_is_found_where_it_was_made(row: Row, tmp_path: Path) -> None:
    text, start, end = row.broken()
    library, file = load(row.file, text.encode(), tmp_path)
    found = [
        item
        for item in library.diagnostics
        if (item.code, item.place.line, item.place.column) == (row.code, *start)
    ]
    assert len(found) == 1, library.diagnostics
    assert row.hint in (found[0].hint or "")
    assert found[0].place.file == str(file)
    if end is not None:
        assert (found[0].place.end_line, found[0].place.end_column) == end
    assert row.others == (len(library.diagnostics) > 1), library.diagnostics
    is_error = CATALOGUE[row.code].severity == "error"
    assert (library.policies == ()) == is_error


@pytest.mark.parametrize(
    "kind",
    [
        *("unknown key", "unknown state", "unknown event", "unknown fact", "unknown role", "unknown table"),
        *("unknown param", "unknown reason", "unknown literal of an enum"),
    ],
)
def test_every_misspelt_name_is_answered_with_the_right_one(kind: str) -> None:
    of_kind = [row for row in ROWS if row.kind == kind]
    assert len(of_kind) >= 4
    assert sum("`" in row.hint for row in of_kind) >= len(of_kind) - 1


# --- mangled policies ---------------------------------------------------------------------------------------------------

#: Bits that YAML, expressions, moments and literals make something of.
BITS = [
    *(
        b"- ",
        b": ",
        b"{",
        b"}",
        b"[",
        b"]",
        b'"',
        b"'",
        b"|",
        b">",
        b"&a ",
        b"*a",
        b"!t ",
        b"%",
        b"\t",
        b"\x00",
    ),
    *(
        b"null",
        b"true",
        b"=",
        b"\n---\n",
        b"? ",
        b"<<: ",
        b" #",
        b"@",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\r",
        b"\xe2\x80\xa8",
    ),
    *(
        b"9" * 40,
        b"1e999",
        b"-1",
        b"0",
        b"2026-13-45",
        b"99999999999 days",
        b"(",
        b")",
        b" && ",
        b" ? ",
        b"{}",
        b"~",
    ),
    *(
        b"(" * 300,
        b"[" * 300,
        b"!" * 300,
        b"a." * 300,
        b"\n\n",
        b"\n      ",
        b" after ",
        b"business days",
        b"{{",
        b"}}",
    ),
]
#: Values put in place of any other.
VALUES: list[Any] = [
    *(
        "",
        "=",
        "=x",
        "= 1 +",
        "=now",
        "0",
        "-1",
        "9" * 30,
        "1 day",
        "10.5",
        "true",
        "null",
        "~",
        "to",
        "a b",
        "{x}",
    ),
    *(
        "99999999999 years",
        "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00+14:00",
        "100 USD",
        "1 XXX",
        "é",
        "\u2028",
    ),
    *([], {}, ["x"], {"x": "y"}, [[]], {"when": "true"}, {"to": "start"}, {"type": "list of list of int"}),
    *({"is": "1"}, {"all": []}, {"any": [{"all": []}]}, {"after": {"after": "now"}, "within": "1 day"}),
]


@st.composite
def mangled_bytes(draw: st.DrawFn) -> tuple[str, bytes]:
    """Draw a shipped policy with some bytes or lines deleted, repeated, exchanged or put in."""
    name = draw(st.sampled_from(SHIPPED))
    data = (ROOT / name).read_bytes()
    for _ in range(draw(st.integers(1, 3))):
        lines = data.splitlines(keepends=True) or [b""]
        row, other = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
        at = draw(st.integers(0, len(data)))
        length = draw(st.sampled_from([1, 2, 5, 20, 200]))
        match draw(
            st.sampled_from(
                ["cut", "repeat", "cut line", "repeat line", "exchange", "move", "flip", "put in"]
            )
        ):
            case "cut":
                data = data[:at] + data[at + length :]
            case "repeat":
                data = data[: at + length] + data[at:]
            case "cut line":
                data = b"".join(lines[:row] + lines[row + 1 :])
            case "repeat line":
                data = b"".join([*lines[: row + 1], *lines[row:]])
            case "exchange":
                lines[row], lines[other] = lines[other], lines[row]
                data = b"".join(lines)
            case "move":
                lines.insert(other, lines.pop(row))
                data = b"".join(lines)
            case "flip":
                data = data[:at] + bytes([draw(st.integers(0, 255))]) + data[at + 1 :]
            case _:
                data = data[:at] + draw(st.sampled_from(BITS)) + data[at:]
    return name, data


@st.composite
def mangled_nodes(draw: st.DrawFn) -> tuple[str, bytes]:
    """Draw a shipped policy in which some values stand in place of others."""
    name = draw(st.sampled_from(SHIPPED))
    root = yaml.compose((ROOT / name).read_text(encoding="utf-8"), Loader=READER)
    for _ in range(draw(st.integers(1, 2))):
        places = list(slots(root))
        put_in = draw(st.sampled_from(places))
        if draw(st.booleans()):
            # A copy: what holds itself cannot be written down.
            taken = yaml.serialize(draw(st.sampled_from(places))[0], Dumper=WRITER)
        else:
            taken = yaml.dump(draw(st.sampled_from(VALUES)), Dumper=yaml.SafeDumper)
        put_in[1](yaml.compose(taken, Loader=READER))
    return name, yaml.serialize(root, Dumper=WRITER, allow_unicode=True, width=1_000).encode()


def slots(node: Any) -> Iterator[tuple[Any, Callable[[Any], None]]]:
    """Yield every node below a node, keys too, each with what puts another one there."""
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield item, partial(node.value.__setitem__, index)
            yield from slots(item)
    elif isinstance(node, yaml.MappingNode):
        for index, (key, item) in enumerate(node.value):
            yield item, partial(put_value, node.value, index)
            if isinstance(key, yaml.ScalarNode):
                yield key, partial(put_key, node.value, index)
            yield from slots(item)


def put_value(entries: list[tuple[Any, Any]], index: int, new: Any) -> None:
    """Put another value under a key."""
    entries[index] = (entries[index][0], new)


def put_key(entries: list[tuple[Any, Any]], index: int, new: Any) -> None:
    """Put another key over a value."""
    entries[index] = (new, entries[index][1])


def survives(name: str, data: bytes) -> None:
    """Load a mangled policy: it is clean, or the findings lie in the file; and if it is clean, cases run on it."""
    with tempfile.TemporaryDirectory() as folder:
        library, file = load(name, data, Path(folder))
    text = data.decode("utf-8", errors="replace")
    # Editors end a line here only; YAML 1.1 ends one in more places.
    shown = re.split("\r\n|[\n\r]", text), re.split("\r\n|[\n\r\x85\u2028\u2029]", text)
    for item in library.diagnostics:
        assert is_told(item)
        assert item.place.file != str(file) or any(lies_in(item, lines) for lines in shown), item
    if any(item.severity == "error" for item in library.diagnostics):
        assert library.policies == ()
        return
    for case in scenarios(name).cases[:4]:
        # A case that cannot be played is an error of its own, with a sentence; nothing else may come out.
        result = run_case(case, Engine(library))
        assert result.error is None or result.error.strip()


def is_told(item: Diagnostic) -> bool:
    """Tell whether a finding has one line of text, and speaks of the policy or of what ships beside it."""
    assert "\n" not in item.message
    assert "Traceback" not in item.message
    assert Path(item.place.file).name in {Path(name).name for name in SHIPPED}
    return item.message.strip() == item.message != ""


def lies_in(item: Diagnostic, lines: list[str]) -> bool:
    """Tell whether a finding has a place inside its file."""
    start, end = (item.place.line, item.place.column), (item.place.end_line, item.place.end_column)
    return start <= end and all(
        1 <= line <= len(lines) and 1 <= column <= len(lines[line - 1]) + 1 for line, column in (start, end)
    )


def scenarios(name: str) -> ScenarioFile:
    """Return the cases that ship with a policy."""
    path = ROOT / name
    beside = path.with_name(f"{path.stem}.scenarios.yaml")
    file, found = read_scenarios(beside if beside.is_file() else path.parent / "scenarios" / "cases.yaml")
    assert file is not None, found
    return file


MANGLED = settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@MANGLED
@given(mangled_bytes())
def test_mangled_bytes_never_end_in_a_traceback(mangled: tuple[str, bytes]) -> None:
    survives(*mangled)


@MANGLED
@given(mangled_nodes())
def test_misplaced_values_never_end_in_a_traceback(mangled: tuple[str, bytes]) -> None:
    survives(*mangled)


@pytest.mark.long
@settings(MANGLED, max_examples=5_000)
@given(st.one_of(mangled_bytes(), mangled_nodes()))
def test_many_mangled_policies_never_end_in_a_traceback(mangled: tuple[str, bytes]) -> None:
    survives(*mangled)


@pytest.mark.long
@pytest.mark.parametrize("name", SHIPPED)
def test_no_line_is_needed_for_an_answer(name: str) -> None:
    data = (ROOT / name).read_bytes().splitlines(keepends=True)
    for row in range(len(data)):
        survives(name, b"".join(data[:row] + data[row + 1 :]))
        survives(name, b"".join(data[:row]))
