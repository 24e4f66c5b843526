"""Any fault of the catalogue, planted into any policy that ships, is found at its place.

The policies are found by their files, the faults are in planters.py. In the suite all faults that do not hide one another are
planted at once, which is quick; `pytest -m long` plants each alone.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml

from amends.engine.diagnostics import CATALOGUE, Diagnostic
from amends.engine.library import Library

if TYPE_CHECKING:
    from tests.acceptance.planting import Sheet

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def load(name: str) -> Any:
    """Return a module that stands beside this one."""
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


PLANTING, PLANTERS = load("planting"), load("planters").PLANTERS

#: A policy says which version of the language it is written in, and a file of cases does not.
POLICIES: Final = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("policies", "examples")
    for path in (ROOT / folder).rglob("*.yaml")
    if re.search(r"^amends:", path.read_text(encoding="utf-8"), re.MULTILINE)
)
#: What cannot be planted, with the reason: pairs of a code and of what is true of a policy.
CANNOT: Final[dict[str, dict[str, str]]] = yaml.safe_load((HERE / "planted.yaml").read_text(encoding="utf-8"))

#: Faults after which the rest of the file, or of the policy, is not looked at.
STOPS: Final = frozenset({"AM001", "AM002", "AM003", "AM006", "AM007", "AM008", "AM107", "AM115"})
#: Faults that are looked for in a policy whose every part can be read.
OF_THE_WHOLE: Final = frozenset(
    {
        *("AM204", "AM208", "AM209", "AM210", "AM302", "AM303", "AM304", "AM305", "AM306", "AM307", "AM308"),
        *("AM309", "AM310", "AM311", "AM312", "AM313", "AM401", "AM402", "AM404", "AM405", "AM501", "AM502"),
    }
)
#: Faults of several files.
BETWEEN: Final = frozenset({"AM111", "AM113", "AM114", "AM116", "AM117"})
#: What a message about a table says to show that it is right: some value of an input.
WITNESS: Final = re.compile(r"\b[\w.()]+ = \S")
OF_TABLES: Final = ("AM401", "AM402", "AM404", "AM405")


@dataclass(frozen=True, slots=True)
class Planted:
    """A policy with faults in it, and what was found."""

    #: By code, where each fault was planted: file, line and column.
    places: dict[str, tuple[str, int, int]]
    found: tuple[Diagnostic, ...]


@cache
def sheet_of(policy: str) -> Sheet:
    """Return a policy that ships, taken apart."""
    return PLANTING.Sheet(ROOT / policy)  # type: ignore[no-any-return]


def can(code: str, policy: str) -> bool:
    """Tell whether a fault can be planted into a policy."""
    sheet = sheet_of(policy)
    true_of = {"everywhere", "base" if sheet.base is None else "overlay", "legs" if sheet.legs else "states"}
    return not true_of & set(CANNOT.get(code, {}))


PAIRS: Final = [(code, policy) for policy in POLICIES for code in CATALOGUE if can(code, policy)]


def plant(policy: str, codes: tuple[str, ...], folder: Path) -> Planted:
    """Plant faults into a copy of a policy, and check it beside what it extends."""
    sheet = sheet_of(policy)
    faults = {code: PLANTERS[code](sheet) for code in codes}
    text, marks = sheet.planted(faults)
    file = folder / Path(policy).name
    places = {code: (str(file), *mark) for code, mark in marks.items()}
    for code, fault in faults.items():
        for name, content in fault.beside.items():
            before, mark, _ = content.partition("«")
            (folder / name).write_text(content.replace("«", ""), encoding="utf-8")
            if mark:
                last = before.rpartition("\n")[2]
                places[code] = (str(folder / name), before.count("\n") + 1, len(last) + 1)
    assert set(places) == set(codes)
    base = sheet.base
    while base is not None:
        shutil.copy(base.path, folder)
        base = base.base
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    # What was put beside it is asked for with it, and what it extends is found; only of a folder is it known what is gone.
    names = [name for fault in faults.values() for name in fault.beside]
    asked = [folder] if "amends.lock" in names else [file, *(folder / name for name in names)]
    return Planted(places, Library.load(*asked).diagnostics)


#: Faults that are planted together: what cannot be read, what cannot be compiled, what is wrong as a whole. AM404 is by itself,
#: for a rule that AM402 repeats closes the gap.
BATCHES: Final = (
    *((code,) for code in sorted(STOPS)),
    tuple(code for code in CATALOGUE if code not in STOPS | OF_THE_WHOLE | BETWEEN),
    *((code,) for code in sorted(BETWEEN)),
    tuple(code for code in CATALOGUE if code in OF_THE_WHOLE and code != "AM404"),
    ("AM404",),
)


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Planted]:
    """Return what plants a fault into a policy, with all that can be planted beside it."""

    @cache
    def batch(policy: str, codes: tuple[str, ...]) -> Planted:
        codes = tuple(code for code in codes if can(code, policy))
        return plant(policy, codes, tmp_path_factory.mktemp("planted"))

    return lambda code, policy: batch(policy, next(codes for codes in BATCHES if code in codes))


def finding(code: str, planted: Planted) -> Diagnostic:
    """Return the finding at the place of a fault, in the right file, with a witness where one exists."""
    place = planted.places[code]
    found = [
        item
        for item in planted.found
        if (item.code, item.place.file, item.place.line, item.place.column) == (code, *place)
    ]
    assert len(found) == 1, (place, planted.found)
    if code in OF_TABLES:
        assert WITNESS.search(found[0].message), found[0].message
    return found[0]


def test_there_is_a_planter_for_every_code_of_the_catalogue() -> None:
    assert set(PLANTERS) == set(CATALOGUE)


def test_every_policy_that_ships_is_planted_into() -> None:
    assert {"policies/tiktok_shop/us.yaml", "examples/first_policy.yaml"} <= set(POLICIES)
    shipped = {path for folder in ("policies", "examples") for path in (ROOT / folder).rglob("*.yaml")}
    others = {path for path in shipped if path.relative_to(ROOT).as_posix() not in POLICIES}
    assert all(re.search(r"^cases:", path.read_text(encoding="utf-8"), re.MULTILINE) for path in others)


def test_hardly_anything_cannot_be_planted_and_a_reason_is_given() -> None:
    reasons = [reason for by_kind in CANNOT.values() for reason in by_kind.values()]
    assert set(CANNOT) <= set(CATALOGUE)
    assert all(reason.strip() for reason in reasons)
    assert len(reasons) <= 2


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_fault_is_planted_into_some_policy(code: str) -> None:
    assert any(pair[0] == code for pair in PAIRS)


@pytest.mark.parametrize(("code", "policy"), PAIRS)
def test_a_planted_fault_is_found_at_its_place_whatever_else_is_wrong(
    code: str, policy: str, together: Callable[[str, str], Planted]
) -> None:
    assert finding(code, together(code, policy)).severity == CATALOGUE[code].severity


@pytest.mark.long
@pytest.mark.parametrize(("code", "policy"), PAIRS)
def test_a_fault_that_is_planted_alone_is_found_and_no_other_error(
    code: str, policy: str, tmp_path: Path
) -> None:
    planted = plant(policy, (code,), tmp_path)
    found = finding(code, planted)
    assert {item for item in planted.found if item.severity == "error"} <= {found}
