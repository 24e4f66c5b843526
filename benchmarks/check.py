"""What a command costs: processor time of whole processes, start included.

    python benchmarks/check.py [--rounds N] [FOLDER]

FOLDER holds policies, one folder each; without one it is the repository's `policies/`. What is measured, each as a process of
its own that the `amends` of this Python runs:

- `python -c pass`: the floor, which nothing that is written in Python is below. An editable installation raises it.
- `import amends` and `amends --help`: what everything else waits for.
- `amends check` of all policies, of each policy's folder (its scenario files are checked too), and of a made policy of 1,000
  lines, in which a claim passes through eighty desks.

The figure is user plus system time of the process, not the time that passed, so that it holds on a busy machine too. Rounds are
interleaved, the first is thrown away (it may have to write byte code), and medians are printed with the least beside them. The
targets are those of the project; missing one is said, and the exit code is 1. Byte code must be cached, as it is wherever a
package was installed: with PYTHONDONTWRITEBYTECODE set an editable installation is compiled anew by every process.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

POLICIES = Path(__file__).resolve().parent.parent / "policies"
AMENDS = [sys.executable, "-m", "amends"]
LINES = 1_000

#: Seconds that a command may take.
STARTS, FOLDER, LONG, ALL = 0.2, 0.5, 0.3, 1.0


HEAD = """amends: 1
policy: long
version: 2026-01-01
currency: EUR
roles: [asker, desk]
facts: {paid: money, delivered_at: timestamp, proof: optional text}
params: {limit: 100 EUR}
reasons:
  too_late: It could be asked for until {returns.closes}.
  too_much: No more than {paid} was paid.
windows:
  returns: {opens: delivered_at, closes: 30 days after delivered_at, late: too_late}
events:
  ask: {by: asker, data: {amount: money}}
  pass_on: {by: desk, data: {note: text}}
  decide: {by: desk, data: {amount: money}}
  reject: {by: desk}
payouts:
  refund: {amount: decide.amount, at_most: paid, routes: [{via: original_method}]}
states:
  start:
    initial: true
    on:
      ask:
        - {when: ask.amount > paid, refuse: too_much}
        - {when: returns.is_open, to: desk_1}
"""
DESK = """  desk_{n}:
    sla:
      answer_{n}:
        due: 3 days
        breach: {{to: desk_{next}, decision: passed_on_after_{n}}}
    on:
      pass_on:
        - {{when: "pass_on.note != '' && (ask.amount > limit || has(proof))", to: desk_{next}}}
      decide:
        - all: [decide.amount <= paid, decide.amount <= ask.amount]
          to: paid_back
          decision: allowed_by_{n}
      reject: rejected
"""
TAIL = """  desk_{n}:
    on: {{decide: {{when: decide.amount <= paid, to: paid_back}}, reject: rejected}}
  paid_back: {{final: true, enter: [{{pay: refund}}]}}
  rejected: {{final: true}}
"""


def seconds(command: list[str]) -> float:
    """Run a command, and return the processor time that it took.

    Raises:
        SystemExit: the command failed, so its time says nothing.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)  # noqa: S603 - our own
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def long_policy(lines: int) -> str:
    """Return a sound policy of about so many lines: claims that pass from desk to desk, each with a clock and rules of its own."""
    desks = lines // len(DESK.splitlines())
    told = (DESK.format(n=number, next=number + 1) for number in range(1, desks))
    return HEAD + "".join(told) + TAIL.format(n=desks)


def commands(folder: Path, long: Path) -> dict[str, tuple[list[str], float | None]]:
    """Return what is measured, by the words it is shown under: the command, and the seconds that it may take."""
    check = [*AMENDS, "check"]
    below = sorted({path.parent for path in folder.glob("*/*.yaml")})
    length = len(long.read_text(encoding="utf-8").splitlines())
    return {
        "python -c pass": ([sys.executable, "-c", "pass"], None),
        "import amends": ([sys.executable, "-c", "import amends"], STARTS),
        "amends --help": ([*AMENDS, "--help"], STARTS),
        f"amends check {folder.name}": ([*check, str(folder)], ALL),
        **{f"amends check {folder.name}/{one.name}": ([*check, str(one)], FOLDER) for one in below},
        f"amends check, {length:,} lines": ([*check, str(long)], LONG),
    }


def main() -> int:
    """Measure, and print medians."""
    options = argparse.ArgumentParser(description="What a command costs.")
    options.add_argument("folder", type=Path, nargs="?", default=POLICIES)
    options.add_argument("--rounds", type=int, default=11)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as made:
        long = Path(made) / "long.yaml"
        long.write_text(long_policy(LINES), encoding="utf-8")
        measured = commands(given.folder, long)
        rounds: dict[str, list[float]] = {words: [] for words in measured}
        for _ in range(given.rounds + 1):
            for words, (command, _most) in measured.items():
                rounds[words].append(seconds(command))
    print(
        f"processor time of whole processes; Python {sys.version.split()[0]}, medians of {given.rounds} rounds"
    )
    missed = False
    for words, (_command, most) in measured.items():
        taken = rounds[words][1:]
        median = statistics.median(taken)
        missed |= most is not None and median > most
        target = "" if most is None else f"  of {most:.1f} s" + ("  MISSED" if median > most else "")
        print(f"{words:>50}  {median:6.3f} s  (least {min(taken):.3f}){target}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
