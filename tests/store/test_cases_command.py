"""`amends cases`, from outside: what it prints, with which code it ends, and that nothing sensitive slips out."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import create_engine, make_url

from amends import cli
from amends.engine.durable.delivery import Retries, Settled
from amends.engine.engine import Engine
from amends.engine.library import Library

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HALF, SECOND = timedelta(minutes=30), timedelta(seconds=1)
IBAN, CONTACT = "DE02 1203 0000 0000 2020 51", "me@example.org"
AT = ("--at", "2026-03-06T18:30:00Z")


def fill(engine: Engine) -> None:
    """Make one case of every kind that an operator meets."""

    @engine.effect("payout")
    def pay(delivery: Any) -> Settled:
        if delivery.case_id == "c-dead":
            raise RuntimeError("the bank is away")
        return Settled(reference="b")

    for index, name in enumerate(("a-open", "b-paid", "c-dead", "d-parked", "e-failed", "f-later")):
        facts: dict[str, Any] = {"account": IBAN, "fee": f"{index}1.50"}
        if name == "e-failed":
            facts["divisor"] = 0
        opened = NOON if name != "f-later" else NOON + 4 * DAY
        engine.open("loan", facts, at=opened + index * HOUR, case_id=name, secret=bytes(32))
    for name in ("b-paid", "c-dead"):
        data = {"days": 2, "contact": CONTACT}
        engine.send(name, "return_late", data, by="reader:1", at=NOON + DAY, key="k")
        engine.send(name, "accept", by="desk", at=NOON + DAY)
    engine.deliver(NOON + DAY)
    engine.send(
        "a-open",
        "return_late",
        {"days": 1, "contact": CONTACT},
        by="reader:1",
        at=NOON + 3 * DAY + 11 * HOUR + HALF,
    )
    engine.store.transact(lambda transaction: transaction.park("d-parked", "it was damaged"))
    engine.run_due(NOON + 3 * DAY + 13 * HOUR + SECOND)


@pytest.fixture(scope="module")
def filled(made_once: Path, tmp_path_factory: pytest.TempPathFactory, library: Library) -> Path:
    """Return a file with cases, to be copied."""
    path = tmp_path_factory.mktemp("filled") / "cases.db"
    shutil.copy(made_once, path)
    with Engine(library, f"sqlite:///{path}", retries=Retries(attempts=1)) as engine:
        fill(engine)
    return path


@pytest.fixture
def store(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the address of a file with cases, which commands take where none is given."""
    address = f"sqlite:///{shutil.copy(filled, tmp_path / 'cases.db')}"
    monkeypatch.setenv("AMENDS_STORE", address)
    return address


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, library: Library, store: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the address of a database of either kind with the same cases, which commands then take."""
    if request.param == "sqlite":
        return store
    address = str(request.getfixturevalue("postgres"))
    with Engine(library, address, retries=Retries(attempts=1)) as engine:
        fill(engine)
    monkeypatch.setenv("AMENDS_STORE", address)
    return address


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Return what compares an output with its file, whole; what differs from machine to machine is left out."""
    folder = Path(__file__).parent / "golden"

    def compare(name: str, text: str) -> None:
        assert re.sub(r'"[0-9a-f]{64}"', '"…"', text) == (folder / name).read_text(encoding="utf-8")

    return compare


def cases(*arguments: str, **options: Any) -> Result:
    return CliRunner().invoke(cli.main, ["cases", *arguments], prog_name="amends", **options)


def lines(result: Result) -> list[Any]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


PRINTED: dict[str, tuple[str, ...]] = {
    "list.txt": ("list", *AT),
    "list.jsonl": ("list", *AT, "--format", "json"),
    "show_open.txt": ("show", "a-open", "--at", "2026-03-06T01:15:00Z"),
    "show_paid.txt": ("show", "b-paid", *AT),
    "show_dead.txt": ("show", "c-dead", *AT),
    "show_failed.txt": ("show", "e-failed", *AT),
    "show.json": ("show", "c-dead", *AT, "--format", "json"),
    "why.txt": ("why", "b-paid", "--seq", "1"),
    "why.json": ("why", "b-paid", "--seq", "1", "--format", "json"),
    "journal.txt": ("journal", "e-failed"),
    "report.txt": ("report", *AT),
    "report.json": ("report", *AT, "--format", "json"),
    "verify.txt": ("verify",),
}


@pytest.mark.usefixtures("url")
@pytest.mark.parametrize("name", PRINTED)
def test_what_is_printed_is_the_same_whole_and_from_every_store(
    name: str, golden: Callable[[str, str], None]
) -> None:
    result = cases(*PRINTED[name])
    assert (result.exit_code, result.stderr) == (0, "")
    golden(name, result.stdout)


# --- sensitive values ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("form", ["text", "json"])
def test_nothing_sensitive_is_shown_unless_it_is_asked_for(form: str) -> None:
    asked = [
        *(("show", name) for name in ("a-open", "b-paid")),
        *(("why", "b-paid", "--seq", str(seq)) for seq in (0, 1, 2)),
        *(("journal", name) for name in ("a-open", "b-paid")),
        ("list", "--all"),
        ("report",),
        ("verify",),
    ]
    for arguments in asked:
        result = cases(*arguments, "--format", form)
        assert result.exit_code == 0
        assert IBAN not in result.output
        assert CONTACT not in result.output
    for arguments, value in [(asked[0], IBAN), (asked[3], CONTACT), (asked[2], IBAN)]:
        assert value in cases(*arguments, "--format", form, "--with-sensitive").stdout
    if form == "json":
        assert IBAN in cases("journal", "b-paid", "--format", form, "--with-sensitive").stdout


# --- list ---------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("options", "found"),
    [
        ((), "abcdef"),
        (("--policy", "loan"), "abcdef"),
        (("--policy", "other"), ""),
        (("--state", "out"), "df"),
        (("--waits-for", "bank"), "a"),
        (("--open",), "adef"),
        (("--closed",), "bc"),
        (("--stuck",), "de"),
        (("--overdue",), "ade"),
        (("--overdue", "--at", "2026-03-10T00:00:00Z"), "adef"),
        (("--overdue", "--at", "2026-03-06T01:30:00Z"), "de"),
        (("--overdue", "--at", "2026-03-06T01:30:01Z"), "ade"),
        (("--opened-from", "2026-03-02T14:00:00Z", "--opened-before", "2026-03-06T17:00:00Z"), "cde"),
        (("--closed", "--opened-from", "2026-03-02T14:00:00Z"), "c"),
    ],
)
def test_cases_are_listed_by_what_is_asked(options: tuple[str, ...], found: str) -> None:
    at = () if "--at" in options else AT
    assert "".join(one["id"][0] for one in lines(cases("list", "--format", "json", *at, *options))) == found


@pytest.mark.usefixtures("url")
def test_a_list_goes_on_after_any_place_in_it() -> None:
    first = cases("list", "--limit", "2", *AT)
    place = re.search(r"more follow: --after '(.*)'", first.stdout)
    assert place is not None
    rest = lines(cases("list", "--after", place[1], "--format", "json"))
    assert "".join(one["id"][0] for one in rest) == "cdef"
    after = lines(cases("list", "--after", rest[1]["place"], "--limit", "1", "--format", "json"))
    assert [one["id"] for one in after] == ["e-failed"]
    assert "more follow" not in cases("list", "--limit", "6").stdout
    assert "more follow" not in cases("list", "--limit", "2", "--all").stdout
    assert cases("list", "--state", "nowhere").stdout == "no cases\n"


def test_a_damaged_row_keeps_no_other_case_from_being_shown(url: str) -> None:
    execute(url, "UPDATE amends_cases SET snapshot = '{' WHERE id = 'b-paid'")
    found = lines(cases("list", "--format", "json", *AT))
    assert [one["id"] for one in found if one["damaged"]] == ["b-paid"]
    assert len(found) == 6
    assert "damaged" in cases("list").stdout
    assert "1 damaged" in cases("report").stdout
    shown = cases("show", "b-paid")
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert re.fullmatch(r"amends: not a case: .*\n", shown.stderr)


# --- verify -------------------------------------------------------------------------------------------------------------


def execute(url: str, statement: str) -> None:
    """Do to a database what nobody should."""
    parsed = make_url(url)
    driver = "sqlite" if parsed.get_backend_name() == "sqlite" else "postgresql+psycopg"
    database = create_engine(parsed.set(drivername=driver))
    with database.begin() as connection:
        connection.exec_driver_sql(statement)
    database.dispose()


def test_a_corrupted_case_is_named_with_its_entry_and_the_others_are_proven(url: str) -> None:
    execute(url, "UPDATE amends_journal SET head = 'x' WHERE case_id = 'b-paid' AND seq = 1")
    execute(
        url, "UPDATE amends_cases SET snapshot = replace(snapshot, 'running', 'ended') WHERE id = 'd-parked'"
    )
    result = cases("verify")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[:2] == [
        "b-paid: entry 1 is not the one that was written",
        "d-parked: the case `d-parked` is not what its journal makes",
    ]
    assert re.match(r"2 of 6 cases not sound; \d+ entries proven", result.stdout.splitlines()[2])
    found = json.loads(cases("verify", "--format", "json").stdout)
    assert [one["id"] for one in found["wrong"]] == ["b-paid", "d-parked"]
    assert cases("verify", "a-open", "f-later").exit_code == 0
    assert cases("verify", "--state", "out").exit_code == 1
    exported = cases("export")
    assert exported.exit_code == 1
    assert exported.stderr == "amends: the case `b-paid`: entry 1 is not the one that was written\n"


# --- export and import --------------------------------------------------------------------------------------------------


def test_cases_go_from_store_to_store_by_files_and_pipes(url: str, tmp_path: Path) -> None:
    for options in ((), ("--with-sensitive",)):
        there = f"sqlite:///{tmp_path / f'there{len(options)}.db'}"
        exported = cases("export", *options)
        assert (exported.exit_code, exported.stderr) == (0, "")
        assert (IBAN in exported.stdout) == bool(options)
        done = cases("import", "-", "--store", there, "--take-over", input=exported.stdout_bytes)
        assert (done.exit_code, done.stderr) == (0, "")
        assert re.match(r"imported 6 cases, \d+ entries, 1 policy; timers fire", done.stdout)
        again = cases("export", *options, "--store", there)
        assert again.stdout_bytes == exported.stdout_bytes
        assert cases("verify", "--store", there).exit_code == 0
        # From the second store on to a database of the first kind would be the same; its own has them already.
        back = cases("import", "-", "--store", url, input=again.stdout_bytes)
        assert (back.exit_code, back.stdout) == (1, "")
        assert back.stderr.endswith("there is a case `a-open` already; nothing was imported\n")


@pytest.mark.usefixtures("store")
def test_an_import_says_that_copies_do_nothing_by_themselves(tmp_path: Path) -> None:
    there = f"sqlite:///{tmp_path / 'there.db'}"
    file = tmp_path / "cases.jsonl"
    file.write_bytes(cases("export", "a-open", "c-dead").stdout_bytes)
    done = cases("import", str(file), "--store", there, "--format", "json")
    assert json.loads(done.stdout)["taken_over"] is False
    assert "parked: imported as a copy" in cases("list", "--store", there).stdout
    file.write_bytes(file.read_bytes().replace(b"a-open", b"a-opem"))
    wrong = cases("import", str(file), "--store", there)
    assert (wrong.exit_code, wrong.stdout) == (1, "")
    assert wrong.stderr.startswith(f"{file}: line 3: ")
    assert wrong.stderr.endswith("; nothing was imported\n")


# --- what goes wrong ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "x"), "there is no case `x`"),
        (("why", "x"), "there is no case `x`"),
        (("journal", "x"), "there is no case `x`"),
        (("verify", "a-open", "x"), "there is no case `x`"),
        (("export", "x"), "there is no case `x`"),
        (("why", "a-open", "--seq", "99"), r"has the steps 0 to \d+, and no step 99"),
        (("list", "--after", "x"), "`x` is not the `next` of a page"),
        (("list", "--after", "x y"), "`x` is not an instant"),
    ],
)
def test_what_is_not_there_is_said_in_a_line(arguments: tuple[str, ...], said: str) -> None:
    result = cases(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert re.fullmatch(rf"Error: .*{said}.*\n", result.stderr)


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "--limit", "0"),
        ("list", "--at", "tomorrow"),
        ("why", "a-open", "--seq", "-1"),
        ("report", "--opened-from", "2026-03-02"),
        ("import", "no_such_file.jsonl"),
        ("show",),
        ("lst",),
    ],
)
def test_a_wrong_option_is_wrong_usage(arguments: tuple[str, ...]) -> None:
    result = cases(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("nonsense", 2),
        ("oracle://x", 2),
        ("sqlite:///:memory:", 2),
        ("sqlite:///not_there.db", 2),
        ("sqlite:///text.db", 3),
        ("postgresql://localhost:1/none", 3),
    ],
)
def test_a_store_that_cannot_be_looked_at_is_told_and_not_made(
    address: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.db").write_text("this is no database\n" * 100, encoding="utf-8")
    result = cases("list", "--store", address)
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "not_there.db").exists()


def test_tables_of_another_version_are_the_environments_fault(sqlite: str) -> None:
    execute(sqlite, "UPDATE amends_version SET version_num = '9999'")
    result = cases("list", "--store", sqlite)
    assert result.exit_code == 3
    assert "run `amends store upgrade`" in result.stderr


def test_every_command_of_the_group_has_help_and_stands_in_the_docs(root: Path) -> None:
    page = (root / "docs" / "cli.md").read_text(encoding="utf-8")
    group = cli.main.get_command(click.Context(cli.main), "cases")
    assert isinstance(group, click.Group)
    for name, command in group.commands.items():
        assert command.help
        assert f"amends cases {name}" in page
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, option.name
                assert all(known in page for known in option.opts), option.name
