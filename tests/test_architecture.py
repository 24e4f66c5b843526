"""The house holds: which room may know which, and what no room may do. docs/architecture.md says why."""

from __future__ import annotations

import ast
import graphlib
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

#: Every module of amends and its floor; a package covers the modules below it.
FLOORS: dict[str, int] = {
    # 0: values, which import only each other
    "engine.calendar": 0,
    "engine.canonical": 0,
    "engine.errors": 0,
    "engine.hours": 0,
    "engine.money": 0,
    "engine.packaged": 0,
    "engine.period": 0,
    "engine.source": 0,
    "engine.types": 0,
    "engine.values": 0,
    "engine.version": 0,
    # 1: text with places, and frozen records
    "engine.case": 1,
    "engine.counting": 1,
    "engine.diagnostics": 1,
    "engine.document": 1,
    "engine.form": 1,
    "engine.given": 1,
    "engine.journal": 1,
    "engine.literal": 1,
    "engine.pages": 1,
    "engine.schema": 1,
    "engine.sent": 1,
    "engine.step": 1,
    "engine.text": 1,
    # 2: from a document to a compiled policy
    "engine.checks": 2,
    "engine.compile": 2,
    "engine.expression": 2,
    "engine.moment": 2,
    "engine.policy": 2,
    "engine.read": 2,
    "engine.rules": 2,
    "engine.table": 2,
    # 3: the step
    "engine.allowed": 3,
    "engine.decide": 3,
    "engine.evolve": 3,
    "engine.machine": 3,
    "engine.payout": 3,
    "engine.sla": 3,
    "engine.stepping": 3,
    "engine.verify": 3,
    # 4: what is kept
    "engine.deadlines": 4,
    "engine.durable": 4,
    "engine.library": 4,
    "engine.publishing": 4,
    "engine.store": 4,
    "engine.telemetry": 4,
    # 5: faces for hosts and readers
    "engine.async_engine": 5,
    "engine.cloud_event": 5,
    "engine.engine": 5,
    "engine.operations": 5,
    "engine.render": 5,
    "engine.scenario": 5,
    "engine.simulate": 5,
    "engine.worker": 5,
    # 6: the command line, and the names that `import amends` offers
    "__main__": 6,
    "cli": 6,
    "engine.commands": 6,
    "": 6,
}

#: These two are doors, not rooms: they hold a docstring, and import nothing.
EMPTY = {"engine"}

#: Who may import a package that is not ours. What is not listed may be imported by nobody.
OUTSIDE: dict[str, tuple[str, ...]] = {
    "alembic": ("engine.store",),
    "click": ("cli", "engine.commands"),
    "cryptography": ("engine.store",),
    "holidays": ("engine.calendar",),
    "jsonschema": ("engine.schema",),
    "opentelemetry": ("engine.telemetry",),
    "re2": ("engine.expression",),
    "referencing": ("engine.schema",),
    "sqlalchemy": ("engine.store",),
    "transitions": ("engine.machine",),
    "tzdata": ("engine.calendar",),
    "yaml": ("engine.document", "engine.text"),
}

#: What may be imported inside a function, and why it waits until then.
LAZY: dict[str, str] = {
    "alembic": "a fifth of a second; only making tables needs it",
    "cryptography": "a compiled library; only sensitive values in a database need it",
    "hashlib": "OpenSSL, a hundredth of a second; to find mistakes nothing is hashed",
    "holidays": "half a second; most policies list their dates, and a rebuild from a journal must not need it",
    "jsonschema": "a twentieth of a second; only a document that is wrong needs it",
    "opentelemetry": "only a process that has set it up needs it, and has imported it itself",
    "re2": "a compiled library; only `matches` needs it",
    "tzdata": "it holds data; only its version is ever asked of the module",
}

#: Rooms that may import anything inside a function.
LAZY_ROOMS = {
    "": "names are resolved when asked for, so that importing stays quick",
    "engine.store": "who keeps cases in memory loads no database",
}

#: Modules whose presence alone would make a step depend on more than its input. Floors 0 to 3 do without.
IMPURE = {
    *("asyncio", "locale", "logging", "os", "pathlib", "random", "secrets", "shutil", "socket"),
    *("sqlite3", "subprocess", "tempfile", "threading", "time", "urllib", "uuid"),
}
#: Rooms of those floors that may know one all the same.
TOUCHES: dict[str, set[str]] = {
    "engine.document": {"os", "pathlib"}
}  # it reads the file it is given, and no other
#: Methods that read a clock.
CLOCK = {"now", "utcnow", "today"}
#: Names that would run text, or reach behind a name that the compiler can see.
RUNS_TEXT = {"eval", "exec", "compile", "__import__", "globals", "locals", "vars"}
#: Rooms that may use one of those words all the same, and why.
RUNS: dict[str, dict[str, str]] = {
    "engine.expression.generate": {"compile": "it compiles a syntax tree that it built itself, and no text"},
}
REACHES = {"getattr", "setattr", "delattr"}
#: Rooms that may reach for an attribute by a name that is not written out, and whose name it is.
REACHING = {
    "": "the names of `__all__`",
    "cli": "the commands of its own list",
    "engine.commands.worker": "the module of handlers that an operator names",
    "engine.document": "flags of files that an operating system may lack",
    "engine.journal": "the fields of our own records",
    "engine.telemetry.watching": "the methods of a transaction, which it hands on",
}

LONGEST_MODULE = 400
LONGEST_FUNCTION = 60

Trees = Mapping[str, ast.Module]


def parse(root: Path) -> dict[str, ast.Module]:
    """Parse the package: dotted names below `amends` ("" is the package itself) to syntax trees."""
    paths = [*root.glob("*.py"), *(root / "engine").rglob("*.py")]
    return {name(path.relative_to(root)): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def name(path: Path) -> str:
    """Return the dotted name of a file below the package."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def tree_of(**sources: str) -> dict[str, ast.Module]:
    """Build a house from source texts; `__` in a name stands for a point, `root` for the package itself."""
    return {
        ("" if key == "root" else key.replace("__", ".")): ast.parse(text) for key, text in sources.items()
    }


def room(module: str) -> str | None:
    """Return the row of FLOORS that holds a module, or None."""
    parts = module.split(".")
    rows = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((row for row in rows if row in FLOORS), None)


def imports(module: str, trees: Trees) -> Iterator[tuple[str, ast.AST]]:
    """Yield what a module imports, as absolute names, with the place. `from p import m` names the module p.m.

    `importlib.import_module("m")`, with the name written out, is an import like any other.
    """
    packages = {"", *(key for key in trees if any(other.startswith(f"{key}.") for other in trees))}
    here = ["amends", *module.split(".")] if module else ["amends"]
    for node in ast.walk(trees[module]):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            up = node.level - (module in packages) if node.level else 0
            base = here[: len(here) - up] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{origin}.{alias.name}"
                yield (inner if inner.removeprefix("amends.") in trees else origin), node
        elif (written := imported_by_call(node)) is not None:
            yield written, node


def imported_by_call(node: ast.AST) -> str | None:
    """Return the name that a call of import_module has written out, None of anything else."""
    if not isinstance(node, ast.Call) or ast.unparse(node.func).rpartition(".")[2] != "import_module":
        return None
    first = node.args[0] if node.args else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


def own(target: str) -> str | None:
    """Return the name below `amends` of an import of ours, None of another's."""
    if target == "amends":
        return ""
    return target.removeprefix("amends.") if target.startswith("amends.") else None


def at(module: str, node: ast.AST) -> str:
    """Say where something stands."""
    return f"{module or 'amends'}:{getattr(node, 'lineno', 1)}"


# --- the rules: each yields a sentence per breach ---------------------------------------------------------------------


def strangers(trees: Trees) -> Iterator[str]:
    """Find modules that no row of FLOORS holds, and doors that are rooms."""
    for module, tree in trees.items():
        if module in EMPTY:
            if len(tree.body) != 1 or ast.get_docstring(tree) is None:
                yield f"{module}: holds more than its docstring"
        elif module and room(module) is None:
            yield f"{module}: on no floor; give it one in FLOORS and in docs/architecture.md"


def upward(trees: Trees) -> Iterator[str]:
    """Find imports of a higher floor, or of the package's own face."""
    for module in trees:
        mine = room(module)
        for target, node in imports(module, trees):
            theirs = own(target)
            if theirs is None or theirs in EMPTY or mine is None:
                continue
            row = room(theirs)
            if row is not None and FLOORS[row] > FLOORS[mine]:
                yield f"{at(module, node)}: floor {FLOORS[mine]} imports {theirs or 'amends'}, floor {FLOORS[row]}"


def unknown(trees: Trees) -> Iterator[str]:
    """Find imports of ours that lead to no module."""
    for module in trees:
        for target, node in imports(module, trees):
            if (theirs := own(target)) is not None and theirs not in trees:
                yield f"{at(module, node)}: imports {target}, which is not there"


def cycles(trees: Trees) -> Iterator[str]:
    """Find modules that import each other, however far round."""
    graph = {
        module: {
            theirs
            for target, _ in imports(module, trees)
            if (theirs := own(target)) is not None and theirs != module
        }
        for module in trees
    }
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        yield "cycle: " + " <- ".join(error.args[1])


def outsiders(trees: Trees) -> Iterator[str]:
    """Find packages of others imported where they have no business."""
    for module in trees:
        for target, node in imports(module, trees):
            top = target.partition(".")[0]
            if own(target) is not None or top in sys.stdlib_module_names:
                continue
            if (room(module) or module) not in OUTSIDE.get(top, ()):
                yield f"{at(module, node)}: imports {top}"


def lazy(trees: Trees) -> Iterator[str]:
    """Find imports inside functions that have no reason in LAZY."""
    for module, tree in trees.items():
        if module in LAZY_ROOMS:
            continue
        inside = {
            id(node)
            for function in ast.walk(tree)
            if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            for node in ast.walk(function)
        }
        for target, node in imports(module, trees):
            if id(node) in inside and target.partition(".")[0] not in LAZY:
                yield f"{at(module, node)}: imports {target} inside a function"


def text_run(trees: Trees) -> Iterator[str]:
    """Find calls that run text as code, import by a name, or reach for an attribute whose name is not written out."""
    for module, tree in trees.items():
        plain = {
            id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call) and imported_by_call(node)
        }
        for node in ast.walk(tree):
            word = (
                node.attr
                if isinstance(node, ast.Attribute)
                else node.id
                if isinstance(node, ast.Name)
                else ""
            )
            if word == "import_module" and id(node) not in plain and module not in REACHING:
                yield f"{at(module, node)}: import_module of a name that is not written out"
            allowed = node.id in RUNS.get(module, {}) if isinstance(node, ast.Name) else False
            if (
                isinstance(node, ast.Name)
                and node.id in RUNS_TEXT
                and not allowed
                and not defined(tree, node.id)
            ):
                yield f"{at(module, node)}: {node.id}"
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            written = len(node.args) > 1 and isinstance(node.args[1], ast.Constant)
            if node.func.id in REACHES and not written and module not in REACHING:
                yield f"{at(module, node)}: {node.func.id} by a name that is not written out"


def defined(tree: ast.Module, word: str) -> bool:
    """Tell whether a module gives the name a meaning of its own, so that the builtin is not meant."""
    return any(
        (isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == word)
        or (isinstance(node, ast.arg) and node.arg == word)
        or (isinstance(node, ast.alias) and word in {node.name, node.asname})
        for node in ast.walk(tree)
    )


def impure(trees: Trees) -> Iterator[str]:
    """Find clocks, chance, files and surroundings below the fourth floor, and printing anywhere in the engine."""
    for module, tree in trees.items():
        row = room(module)
        if row is None or not module.startswith("engine"):
            continue
        low = FLOORS[row] <= 3
        for target, statement in imports(module, trees):
            if low and target.partition(".")[0] in IMPURE - TOUCHES.get(row, set()):
                yield f"{at(module, statement)}: imports {target}"
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            called = node.func
            if isinstance(called, ast.Name) and called.id in (
                {"print", "input", "open"} if low else {"print", "input"}
            ):
                yield f"{at(module, node)}: {called.id}"
            if (
                low
                and isinstance(called, ast.Attribute)
                and called.attr in CLOCK
                and reads_clock(called.value)
            ):
                yield f"{at(module, node)}: {ast.unparse(called)}"


def reads_clock(owner: ast.expr) -> bool:
    """Tell whether `owner.now()` asks the machine: `datetime`, `date`, `dt.datetime` do, `policy.now()` does not."""
    last = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
    return last in {"datetime", "date"}


def long_functions(trees: Trees) -> Iterator[str]:
    """Find functions whose body, docstring aside, is longer than a screen."""
    for module, tree in trees.items():
        for node in ast.walk(tree):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if ast.get_docstring(node, clean=False) is not None:
                lines -= (node.body[0].end_lineno or 0) - node.body[0].lineno + 1
            if lines > LONGEST_FUNCTION:
                yield f"{at(module, node)}: {node.name} has {lines} lines"


# --- the house as it stands -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def house(root: Path) -> Trees:
    return parse(root)


def test_every_module_is_on_a_floor(house: Trees) -> None:
    assert list(strangers(house)) == []


def test_no_module_imports_a_higher_floor(house: Trees) -> None:
    assert list(upward(house)) == []


def test_every_import_of_ours_leads_to_a_module(house: Trees) -> None:
    assert list(unknown(house)) == []


def test_no_modules_import_each_other_in_a_circle(house: Trees) -> None:
    assert list(cycles(house)) == []


def test_each_outside_package_is_known_only_to_its_rooms(house: Trees) -> None:
    assert list(outsiders(house)) == []


def test_imports_stand_at_the_top_but_for_a_reason(house: Trees) -> None:
    assert list(lazy(house)) == []


def test_no_text_is_ever_run_as_code(house: Trees) -> None:
    assert list(text_run(house)) == []


def test_a_step_reads_no_clock_chance_file_or_surroundings(house: Trees) -> None:
    assert list(impure(house)) == []


def test_no_module_is_longer_than_the_ceiling(root: Path) -> None:
    lengths = {
        path.relative_to(root).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in [*root.glob("*.py"), *(root / "engine").rglob("*.py")]
    }
    assert {path: length for path, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_no_function_is_longer_than_a_screen(house: Trees) -> None:
    assert list(long_functions(house)) == []


def test_the_page_on_architecture_shows_every_room_on_its_floor(root: Path) -> None:
    page = (root / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = (line.split("|")[1:3] for line in page.splitlines() if re.match(r"\| \d \|", line))
    shown = {(room, int(floor)) for floor, rooms in rows for room in re.findall(r"`(\w+)`", rooms)}
    assert shown == {(row.removeprefix("engine."), floor) for row, floor in FLOORS.items() if row}


# --- the rules bite ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line", ["from ..decide import decide", "from amends.engine import decide", "from .. import decide"]
)
def test_an_upward_import_is_found_however_it_is_written(line: str) -> None:
    house = tree_of(
        engine__expression="", engine__expression__parse=line, engine__decide="", engine='"""Door."""'
    )
    assert list(upward(house)) == ["engine.expression.parse:1: floor 2 imports engine.decide, floor 3"]


def test_an_import_of_the_own_floor_or_below_is_fine() -> None:
    house = tree_of(
        engine='"""Door."""',
        engine__expression="from .parse import parse",
        engine__expression__parse="from ..money import Money\nfrom .. import table",
        engine__money="",
        engine__table="",
    )
    assert list(upward(house)) == []
    assert list(unknown(house)) == []
    assert list(cycles(house)) == []


def test_the_engine_does_not_import_its_own_face() -> None:
    assert list(upward(tree_of(root="", engine__scenario="from amends import Engine"))) == [
        "engine.scenario:1: floor 5 imports amends, floor 6"
    ]


def test_a_circle_on_one_floor_is_found() -> None:
    house = tree_of(
        engine__money="from . import period", engine__period="from .money import Money", engine='"""Door."""'
    )
    assert len(list(cycles(house))) == 1


def test_an_import_for_type_checkers_counts_like_any_other() -> None:
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .engine import Engine"
    assert list(upward(tree_of(engine__case=text, engine__engine="")))


def test_a_room_that_the_table_does_not_know_is_found() -> None:
    assert len(list(strangers(tree_of(engine__cellar="", helpers="", engine="import os")))) == 3


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("engine__decide", "import transitions"),
        ("engine__decide", "from transitions.core import Machine"),
        ("engine__decide", "import click"),
        ("engine__compile", "from rich.table import Table"),
        ("engine__library", "import requests"),
        ("engine__decide", "import importlib\nimportlib.import_module('transitions')"),
    ],
)
def test_an_outside_package_in_the_wrong_room_is_found(module: str, text: str) -> None:
    assert len(list(outsiders(tree_of(**{module: text})))) == 1


def test_an_outside_package_in_its_room_is_fine() -> None:
    house = tree_of(
        engine__machine="import transitions", engine__render__text="import json", cli="import click"
    )
    assert list(outsiders(house)) == []


def test_an_import_inside_a_function_is_found_unless_it_has_a_reason() -> None:
    text = "def f():\n    from .money import Money\n    import holidays\n"
    assert list(lazy(tree_of(engine__calendar=text, engine__money="", root=text))) == [
        "engine.calendar:2: imports amends.engine.money inside a function"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "eval('1')",
        "exec('1')",
        "run = eval",
        "compile('1', '', 'eval')",
        "__import__('os')",
        "import importlib\nimportlib.import_module(__name__)",
        "from importlib import import_module\nimport_module(name)",
        "def f(x, word): return getattr(x, word)",
        "def f(x, word): setattr(x, word, 1)",
        "globals()['f']()",
    ],
)
def test_text_run_as_code_is_found(text: str) -> None:
    assert len(list(text_run(tree_of(engine__compile=text)))) == 1


def test_only_the_generator_may_compile_and_it_may_not_run_text() -> None:
    for word, found in (("compile", 0), ("eval", 1), ("exec", 1)):
        text = f"{word}('1', '', 'eval')"
        assert len(list(text_run(tree_of(engine__expression__generate=text)))) == found
        assert len(list(text_run(tree_of(engine__expression__runtime=text)))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "import re\nre.compile('a')",
        "def f(x): return getattr(x, 'name', None)",
        "import importlib\nimportlib.import_module('holidays')",
        "from . import compile\ncompile.compiled()",
    ],
)
def test_harmless_lookalikes_of_running_text_are_fine(text: str) -> None:
    assert list(text_run(tree_of(engine__compile=text))) == []


@pytest.mark.parametrize(
    "text",
    [
        "from datetime import datetime\ndatetime.now()",
        "from datetime import date\ndate.today()",
        "import datetime as dt\ndt.datetime.now(dt.UTC)",
        "import time",
        "from random import choice",
        "import os",
        "import os.path as p",
        "open('policy.yaml')",
        "print('here')",
    ],
)
def test_an_impure_step_is_found(text: str) -> None:
    assert len(list(impure(tree_of(engine__decide=text)))) == 1


def test_the_upper_floors_may_read_clocks_but_not_print() -> None:
    text = "import os, time\nfrom datetime import datetime\ndatetime.now()\nprint('here')"
    assert list(impure(tree_of(engine__engine=text))) == ["engine.engine:4: print"]


def test_a_time_of_day_and_an_own_now_are_no_clocks() -> None:
    assert list(impure(tree_of(engine__moment="from datetime import time\ntime(12)\nscope.now()"))) == []


def test_a_long_function_is_found_and_its_docstring_is_not_counted() -> None:
    body = "    x = 1\n" * (LONGEST_FUNCTION - 1)
    fits = f'def f():\n    """One.\n\n    Two.\n    """\n{body}'
    assert list(long_functions(tree_of(engine__money=fits))) == []
    assert len(list(long_functions(tree_of(engine__money=f"{fits}    x = 2\n")))) == 1
