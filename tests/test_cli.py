"""The command line, from outside: what it prints, and with which code it ends."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from amends import cli
from amends.engine.commands import check, terminal
from amends.engine.diagnostics import Diagnostics, Place
from amends.engine.version import VERSION

DESK = """\
amends: 1
policy: desk
version: 2026-01-01
roles: [customer, agent]
reasons:
  too_late: {en: "Reopening was possible until {reopening.closes}.", zh: "重新开启的期限是{reopening.closes}。"}
events:
  ask: {by: customer, data: {subject: text, phone: {type: optional text, sensitive: true}}}
  answer: {by: agent}
  reopen: {by: customer}
windows:
  reopening: {opens: answer.at, closes: 2 days after answer.at, late: too_late}
states:
  new: {initial: true, on: {ask: asked}}
  asked:
    waits_for: agent
    sla: {reply: {due: 1 day, breach: {to: overdue, decision: overdue}}}
    on: {answer: answered}
  overdue: {waits_for: agent, on: {answer: answered}}
  answered: {final: true, on: {reopen: {when: reopening.is_open, to: asked}}}
"""
CASES = """\
timezone: Europe/Berlin
cases:
  - id: D-1
    name: nobody answers
    events:
      - {at: "2026-03-02T10:00:00+01:00", actor: "customer:7", type: ask, data: {subject: no sound, phone: "0555"}}
    expect:
      - {at: "2026-03-02T10:00:00+01:00", state: asked, deadline: {name: reply, due: "2026-03-03T23:59:59+01:00"}}
      - {at: "2026-03-04T00:00:00+01:00", state: overdue, decision: overdue}
  - id: D-2
    name: reopened too late
    events:
      - {at: "2026-03-02T10:00:00+01:00", actor: customer, type: ask, data: {subject: no sound}}
      - {at: "2026-03-02T11:00:00+01:00", actor: agent, type: answer}
      - {at: "2026-03-05T00:00:00+01:00", actor: customer, type: reopen}
    expect:
      - {at: "2026-03-05T00:00:00+01:00", state: answered, decision: event_refused, reason: too_late}
"""


pytestmark = pytest.mark.usefixtures("desk")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a policy and its scenarios, which is the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AMENDS_DEBUG", raising=False)
    write(tmp_path / "desk.yaml", DESK)
    write(tmp_path / "desk.scenarios.yaml", CASES)
    return tmp_path


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def broken(desk: Path, *changes: tuple[str, str], file: str = "desk.yaml") -> None:
    """Change a text in a file."""
    text = (desk / file).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    write(desk / file, text)


def amends(*arguments: str) -> Result:
    """Call the command line."""
    return CliRunner().invoke(cli.main, arguments, prog_name="amends")


def data(result: Result) -> Any:
    return json.loads(result.stdout)


# --- check ------------------------------------------------------------------------------------------------------------


def test_a_good_policy_has_no_findings() -> None:
    result = amends("check", "desk.yaml")
    assert (result.exit_code, result.output) == (
        0,
        "desk 2026-01-01: 50 keys, 4 states\nno findings in 1 file\n",
    )


def test_a_wrong_policy_is_shown_where_it_is_wrong(desk: Path) -> None:
    broken(desk, ("answer: answered}\n  overdue", "answer: answred}\n  overdue"))
    result = amends("check", "desk.yaml")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[:4] == [
        "desk.yaml:18:18: error[AM104] there is no state `answred`",
        " |     on: {answer: answred}",
        " | .................^^^^^^^",
        " = help: did you mean `answered`?",
    ]


def test_findings_are_json_when_asked_for(desk: Path) -> None:
    broken(desk, ("answer: answered}\n  overdue", "answer: answred}\n  overdue"))
    result = amends("check", "--format", "json", ".")
    assert result.exit_code == 1
    (found,) = data(result)["diagnostics"]
    assert (found["code"], found["place"]["line"], found["place"]["column"]) == ("AM104", 18, 18)


def test_warnings_alone_are_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Diagnostics()
    found.add("AM501", Place("desk.yaml", 2, 9, 2, 13), "`desk` is never used")
    library = SimpleNamespace(diagnostics=found.sorted(), files=(Path("desk.yaml"),), policies=())
    monkeypatch.setattr(check, "load", lambda *_, **_options: library)
    result = amends("check", "desk.yaml")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "1 warning")


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"a: &x [*x]", b"[" * 100_000, b"", b"\x00", b"amends: 1"]
)
def test_no_file_is_too_broken_to_be_told_about(desk: Path, content: bytes) -> None:
    (desk / "desk.yaml").write_bytes(content)
    result = amends("check", "desk.yaml")
    assert result.exit_code == 1
    assert "desk.yaml:" in result.stdout
    assert not result.stderr


def test_a_path_that_is_not_there_is_wrong_usage() -> None:
    result = amends("check", "dsk.yaml")
    assert result.exit_code == 2
    assert "'dsk.yaml' does not exist" in result.stderr


# --- test -------------------------------------------------------------------------------------------------------------


def test_scenarios_beside_a_policy_are_run() -> None:
    for path in (".", "desk.yaml"):
        result = amends("test", path)
        assert (result.exit_code, result.output) == (0, "2 passed, 0 failed, 0 errors\n")


def test_a_file_of_cases_may_be_named(desk: Path) -> None:
    (desk / "desk.scenarios.yaml").rename(desk / "cases.yaml")
    assert amends("test", "desk.yaml", "--cases", "cases.yaml").output == "2 passed, 0 failed, 0 errors\n"


LEGS = """\
amends: 1
policy: legs
version: v1
roles: [user]
events: {ask: {by: user}}
legs:
  claim: {states: {open: {initial: true, on: {ask: asked}}, asked: {final: true}}}
  parcel: {states: {home: {initial: true, always: {when: claim.state == "asked", to: sent}}, sent: {final: true}}}
"""


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("{claim: asked, parcel: sent}", ""),
        ("{parcel: sent}", ""),
        ("asked", ""),
        ("sent", ""),
        ("{claim: asked, parcel: home}", "claim: asked, parcel: sent"),
        ("home", "claim: asked, parcel: sent"),
        ("{clam: asked}", "did you mean `claim`?"),
        ("{claim: askd}", "did you mean `asked`?"),
        ("{claim: sent}", "one of `open`, `asked`"),
        ("snt", "did you mean `sent`?"),
    ],
)
@pytest.mark.parametrize("options", [(), ("--cases", "other.yaml")], ids=["beside", "named"])
def test_states_of_legs_may_be_expected_by_leg_or_by_name(
    desk: Path, state: str, told: str, options: tuple[str, ...]
) -> None:
    at = "2026-03-02T10:00:00Z"
    case = f"""cases:
  - id: G-1
    name: both move
    events: [{{at: "{at}", actor: user, type: ask}}]
    expect: [{{at: "{at}", state: {state}}}]
"""
    (desk / "legs.yaml").write_text(LEGS, encoding="utf-8")
    (desk / (options[1] if options else "legs.scenarios.yaml")).write_text(case, encoding="utf-8")
    result = amends("test", "legs.yaml", *options)
    assert (result.exit_code, told in result.stdout) == (int(bool(told)), True)


def test_a_failure_is_shown_with_the_why_of_its_step(desk: Path) -> None:
    broken(desk, ("reason: too_late", "reason: too_soon"), file="desk.scenarios.yaml")
    result = amends("test", "desk.yaml")
    assert result.exit_code == 1
    assert result.stdout == (
        "D-2  reopened too late  desk.scenarios.yaml:10:9\n"
        "  2026-03-05 00:00  reason  desk.scenarios.yaml:17:93\n"
        "    expected  too_soon\n"
        "    actual    too_late\n"
        "    why       2026-03-05 00:00  customer reopen: refused\n"
        "              Reopening was possible until 4 March 2026. (windows.reopening)\n"
        "              answered.on.reopen: false\n"
        "                `reopening.is_open` is false (now = 5 March 2026, 00:00; "
        "reopening = 2 March 2026, 11:00 to 4 March 2026)\n"
        "\n"
        "1 passed, 1 failed, 0 errors\n"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("state: asked", "state: overdue"),
        ("state: overdue", "state: asked"),
        ('due: "2026-03-03T23:59:59+01:00"', 'due: "2026-03-03T23:59:58+01:00"'),
        ('due: "2026-03-03T23:59:59+01:00"', 'due: "2026-03-04T00:00:00+01:00"'),
        ("name: reply,", "name: rply,"),
        ("decision: overdue", "decision: answered"),
        ("decision: event_refused", "decision: overdue"),
        ('"2026-03-04T00:00:00+01:00", state', '"2026-03-03T23:59:59+01:00", state'),
        ("decision: overdue", 'amount: "0.01"'),
        ("decision: overdue", "route: card"),
        ("decision: overdue", "currency: EUR"),
    ],
)
def test_an_expectation_that_is_changed_fails(desk: Path, old: str, new: str) -> None:
    broken(desk, (old, new), file="desk.scenarios.yaml")
    result = amends("test", "desk.yaml", "--format", "json")
    assert (result.exit_code, data(result)["failed"]) == (1, 1)


def test_results_are_one_json_object(desk: Path) -> None:
    broken(desk, ("reason: too_late", "reason: too_soon"), file="desk.scenarios.yaml")
    found = data(amends("test", "desk.yaml", "--format", "json"))
    assert (found["passed"], found["failed"], found["errors"]) == (1, 1, 0)
    assert [(case["id"], case["status"]) for case in found["cases"]] == [("D-1", "passed"), ("D-2", "failed")]
    (failed,) = [check for check in found["cases"][1]["checks"] if not check["passed"]]
    assert (failed["key"], failed["expected"], failed["actual"]) == ("reason", "too_soon", "too_late")
    assert failed["why"]["reason"]["text"] == "Reopening was possible until 4 March 2026."


@pytest.mark.parametrize(
    "change",
    [
        ("state: asked, deadline", "state: answered, deadline"),
        ('phone: "0555"', 'phone: ["0555"]'),
        ("type: ask, data: {subject: no sound, phone", "type: ask, data: {subjct: no sound, phone"),
    ],
)
@pytest.mark.parametrize("format_", ["text", "json"])
def test_no_result_shows_a_sensitive_value(desk: Path, change: tuple[str, str], format_: str) -> None:
    broken(desk, change, file="desk.scenarios.yaml")
    result = amends("test", "desk.yaml", "--format", format_)
    assert result.exit_code == 1
    assert "D-1" in result.stdout
    assert "0555" not in result.stdout + result.stderr


def test_a_case_that_cannot_be_played_is_an_error_and_the_others_go_on(desk: Path) -> None:
    broken(
        desk, ("name: nobody answers", "name: nobody answers\n    policy: dsk"), file="desk.scenarios.yaml"
    )
    result = amends("test", "desk.yaml", "--format", "json")
    found = data(result)
    assert (result.exit_code, found["passed"], found["failed"], found["errors"]) == (1, 1, 0, 1)
    assert "`dsk`" in found["cases"][0]["error"]


def test_a_wrong_policy_is_not_run(desk: Path) -> None:
    broken(desk, ("initial: true", "initial: tru"))
    result = amends("test", "desk.yaml")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "desk.yaml:14:18: error[" in result.stderr
    found = data(amends("test", "desk.yaml", "--format", "json"))
    assert found["errors"] == len(found["diagnostics"]) > 0
    assert (found["passed"], found["failed"], found["cases"]) == (0, 0, [])


def test_a_wrong_scenario_file_is_told_once(desk: Path) -> None:
    broken(desk, ("name: nobody answers", "nme: nobody answers"), file="desk.scenarios.yaml")
    result = amends("test", ".")
    assert result.exit_code == 1
    assert result.stderr.count("unknown key `nme`") == 1


def test_policies_without_scenarios_are_wrong_usage(desk: Path) -> None:
    (desk / "desk.scenarios.yaml").unlink()
    result = amends("test", ".")
    assert result.exit_code == 2
    assert "name one with --cases" in result.stderr


# --- simulate ---------------------------------------------------------------------------------------------------------

D_1 = ("simulate", "desk.yaml", "desk.scenarios.yaml", "--case", "D-1")
D_2 = ("simulate", "desk.yaml", "desk.scenarios.yaml", "--case", "D-2")


def test_a_case_is_shown_as_a_timeline() -> None:
    result = amends(*D_1)
    assert result.exit_code == 0
    assert (
        result.stdout
        == """\
D-1  nobody answers
policy desk 2026-01-01; times in Europe/Berlin

2026-03-02 10:00  host        the case is opened
    with            timezone Europe/Berlin
    -> new

2026-03-02 10:00  customer:7  ask
    with            subject no sound; phone (sensitive)
    new -> asked
    rule            new.on.ask
    clocks          reply until 2026-03-03 end of day

2026-03-04 00:00  clock       reply runs out
    asked -> overdue
    rule            asked/reply.breach
    decision        overdue

The events of the case end here.
overdue waits for agent.
"""
    )


def test_a_timeline_ends_when_it_is_told_to() -> None:
    out = amends(*D_1, "--until", "2026-03-03T23:59:59+01:00").stdout
    assert out.endswith(
        "Stopped at 2026-03-03 23:59:59.\nasked waits for agent.\nNext by itself, at 2026-03-04 00:00: reply runs out.\n"
    )


def test_time_passes_when_nobody_acts() -> None:
    out = amends(*D_2, "--until", "2026-03-02T10:30:00+01:00", "--what-if-nobody-acts").stdout
    assert "agent" not in out.partition("reply runs out")[0].partition("ask\n")[2]
    assert out.endswith("From here on nothing happens by itself.\noverdue waits for agent.\n")


def test_a_reason_is_said_in_the_language_asked_for() -> None:
    assert "重新开启的期限是2026年3月4日。" in amends(*D_2, "--lang", "zh").stdout
    assert "Reopening was possible until 4 March 2026." in amends(*D_2, "--lang", "fr").stdout


def test_no_timeline_shows_a_sensitive_value() -> None:
    for form in ("text", "json"):
        assert "0555" not in amends(*D_1, "--format", form).output


def test_two_runs_give_the_same_bytes() -> None:
    assert amends(*D_1, "--format", "json").stdout == amends(*D_1, "--format", "json").stdout


def test_of_several_cases_one_must_be_chosen() -> None:
    result = amends("simulate", "desk.yaml", "desk.scenarios.yaml")
    assert result.exit_code == 2
    assert "choose one with --case: D-1, D-2" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--case", "D-3"), "did you mean `D-2`?"),
        (("--case", "D-1", "--until", "tomorrow"), "is not an instant"),
        (("--case", "D-1", "--until", "2026-03-02T09:59:59+01:00"), "the case is not open by then"),
    ],
)
def test_a_wrong_option_is_wrong_usage(arguments: tuple[str, ...], said: str) -> None:
    result = amends("simulate", "desk.yaml", "desk.scenarios.yaml", *arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


def test_a_case_that_no_policy_takes_is_told(desk: Path) -> None:
    broken(
        desk, ("name: nobody answers", "name: nobody answers\n    policy: dsk"), file="desk.scenarios.yaml"
    )
    result = amends(*D_1)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("desk.scenarios.yaml:3:9: D-1: ")
    assert "`dsk`" in data(amends(*D_1, "--format", "json"))["error"]


# --- schema, and what holds for every command -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["policy", "scenario", "fragment"])
def test_the_schemas_are_printed_as_they_are_shipped(root: Path, name: str) -> None:
    shipped = (root / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8")
    assert amends("schema", name).stdout.rstrip() == shipped.rstrip()


def test_the_version_is_told() -> None:
    assert amends("--version").output == f"amends {VERSION}, policy language 1\n"


def test_every_command_has_help_and_stands_in_the_docs(root: Path) -> None:
    page = (root / "docs" / "cli.md").read_text(encoding="utf-8")
    for name, short in cli.COMMANDS.items():
        command = cli.main.get_command(click.Context(cli.main), name)
        assert command is not None
        assert command.help
        assert command.get_short_help_str(200) == short
        assert f"## amends {name}\n" in page
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, option.name
                assert option.opts[-1] in page, option.name


def test_what_nobody_foresaw_is_short_and_not_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **_options: object) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(check, "load", fail)
    result = amends("check", "desk.yaml")
    assert result.exit_code == 3
    assert result.stderr == (
        "amends: this is a mistake in amends: RuntimeError: two\nset AMENDS_DEBUG=1 to see where\n"
    )
    monkeypatch.setenv("AMENDS_DEBUG", "1")
    assert isinstance(amends("check", "desk.yaml").exception, RuntimeError)


def test_a_failing_disk_is_the_environments_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **_options: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(check, "load", fail)
    result = amends("check", "desk.yaml")
    assert (result.exit_code, result.stderr.splitlines()[0]) == (
        3,
        "amends: the environment failed: OSError: no space left",
    )


def test_every_terminal_can_show_what_is_printed() -> None:
    for encoding in ("ascii", "cp1252", "utf-8"):
        result = CliRunner(charset=encoding).invoke(cli.main, [*D_2, "--lang", "zh"])
        assert result.exit_code == 0
        assert "2026" in result.stdout


def process(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Call the command line as a process of its own."""
    command = [sys.executable, "-m", "amends", *arguments]
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, check=False
    )


def test_the_same_bytes_come_from_every_machine(desk: Path) -> None:
    here = process(*D_2, "--format", "json", cwd=desk)
    there = process(
        *D_2, "--format", "json", cwd=desk, PYTHONHASHSEED="7", TZ="Pacific/Apia", PYTHONIOENCODING="ascii"
    )
    assert (here.returncode, here.stderr) == (0, b"")
    assert here.stdout == there.stdout


def test_a_reader_that_has_stopped_is_no_mistake(desk: Path) -> None:
    command = [sys.executable, "-m", "amends", "schema", "policy"]
    with subprocess.Popen(command, cwd=desk, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 3


def test_colour_is_for_terminals_only(desk: Path) -> None:
    assert b"\x1b" not in process(*D_2, cwd=desk, FORCE_COLOR="1").stdout


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_what_takes_long_says_so_and_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", screen := Terminal())
    monkeypatch.setattr(terminal, "PATIENCE", 0.0)
    with terminal.patience("reading policies") as tell:
        for _ in range(1_000):
            if screen.getvalue():
                break
            time.sleep(0.01)
        tell("2 of 3 cases")
    said, progress, cleared = screen.getvalue().split("\r")[1:4]
    assert (said, progress.rstrip(), cleared.strip()) == ("reading policies", "2 of 3 cases", "")


def test_what_is_quick_or_no_terminal_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, seconds in ((Terminal(), 60.0), (io.StringIO(), 0.0)):
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setattr(terminal, "PATIENCE", seconds)
        with terminal.patience("reading policies") as tell:
            tell("2 of 3 cases")
        assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({"TERM": "xterm"}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_a_terminal_may_decline_colour(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], *, coloured: bool
) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert terminal.in_colour(Terminal()) is coloured
    assert terminal.in_colour(io.StringIO()) is False


def test_only_the_command_that_is_called_loads_what_it_needs() -> None:
    script = "import sys, amends.cli; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not set(loaded) & {
        "yaml",
        "jsonschema",
        "holidays",
        "transitions",
        "rich",
        "re2",
        "tzdata",
        "zoneinfo",
    }


def test_the_page_on_the_command_line_shows_what_it_prints(root: Path) -> None:
    page = (root / "docs" / "cli.md").read_text(encoding="utf-8")
    shown = re.search(r"error\[(AM\d+)\].*?see: docs/diagnostics/(AM\d+)", page, re.DOTALL)
    assert shown is not None
    assert shown[1] == shown[2]


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_whoever_asks_a_command_for_help_waits_for_no_database(name: str) -> None:
    program = (
        "import sys\n"
        "from importlib import import_module\n"
        f"import_module('amends.engine.commands.{name}')\n"
        "print([name for name in ('sqlalchemy', 'alembic', 'holidays') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
