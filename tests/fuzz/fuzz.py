"""Look for texts that break a reader, guided by the code that they reach.

    python tests/fuzz/fuzz.py                             every target, a minute each
    python tests/fuzz/fuzz.py --seconds 600 cell moment   some targets, for longer
    python tests/fuzz/fuzz.py --keep 45                   and then keep what reaches most, at most so many files a target

What was kept is where each search begins. An input that breaks a target, or takes longer than a second, is written into
the corpus as `crash-…` or `slow-…`, where the normal suite finds it; the command then ends with 1. It needs atheris, which
has wheels for CPython on Linux: `pip install '.[fuzz]'`.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
CORPUS = HERE / "corpus"
NAMES = ("document", "policy", "expression", "moment", "cell", "literal")
#: Longer inputs are tried only where the text of a whole file is read.
LONGEST = {"document": 4_000, "policy": 4_000}
#: What stands for a second of CPU time on a machine that does other work, too.
SLOW_SECONDS = 5


def main() -> int:
    """Fuzz the targets that the command line names, one after another."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(NAMES)}; default: all")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--keep", type=int, help="write the smallest inputs that reach most into the corpus")
    parser.add_argument(
        "--seeds", type=Path, action="append", default=[], help="folders of inputs to begin with"
    )
    parser.add_argument("--run", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.run:
        run(*asked.run)
    if unknown := set(asked.targets) - set(NAMES):
        parser.error(f"there is no target {', '.join(sorted(unknown))}")
    try:
        import atheris  # noqa: F401, PLC0415 - to say what to do before anything is started
    except ImportError:
        sys.stderr.write("fuzz.py needs atheris: pip install '.[fuzz]' (CPython on Linux)\n")
        return 3
    broken = [fuzz(name, asked.seconds, asked.keep, asked.seeds) for name in asked.targets or NAMES]
    return int(any(broken))


def fuzz(name: str, seconds: int, keep: int | None, seeds: list[Path]) -> bool:
    """Fuzz one target, print what was found as a line of JSON, and return whether it broke."""
    kept = CORPUS / name
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        found, broken = Path(folder) / "found", Path(folder) / "broken"
        found.mkdir()
        broken.mkdir()
        begin = [kept, *(seed / name for seed in seeds if (seed / name).is_dir())]
        options = [
            f"-max_total_time={seconds}",
            f"-max_len={LONGEST.get(name, 300)}",
            f"-timeout={SLOW_SECONDS}",
        ]
        log = start(name, Path(folder), f"-artifact_prefix={broken}/", *options, found, *begin)
        failed = list(broken.iterdir())
        for path in failed:
            shutil.copy(path, kept / f"{path.name.partition('-')[0]}-{digest(path)}")
        runs = number(log, "stat::number_of_executed_units:")
        if keep is not None and runs and not failed:
            replace(name, keep, [found, *begin], Path(folder))
        told = {
            "target": name,
            "runs": runs,
            "reached": number(log, "cov:"),
            "kept": len(list(kept.iterdir())),
            "broken": [path.name for path in failed],
        }
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    if failed or not runs:
        sys.stderr.write(log[-4000:])
    return bool(failed) or not runs


def replace(name: str, most: int, folders: list[Path], scratch: Path) -> None:
    """Write those of some inputs that together reach all that they reach into the corpus, the smallest first."""
    small = scratch / "small"
    small.mkdir()
    start(name, scratch, "-set_cover_merge=1", f"-timeout={SLOW_SECONDS}", small, *folders)
    chosen = sorted(small.iterdir(), key=lambda path: (path.stat().st_size, path.name))
    # Evenly from the small to the large, where there are too many.
    step = max(1, len(chosen) / most)
    chosen = [chosen[int(at * step)] for at in range(min(most, len(chosen)))]
    kept = CORPUS / name
    data = [path.read_bytes() for path in chosen] + [path.read_bytes() for path in kept.glob("*-*")]
    shutil.rmtree(kept)
    kept.mkdir()
    for each in data:
        (kept / hashlib.sha256(each).hexdigest()[:12]).write_bytes(each)


def start(name: str, scratch: Path, *options: str | Path) -> str:
    """Run libFuzzer on a target in a process of its own, and return what it said."""
    # It starts itself again by the first word of its command line, which therefore is a program.
    again = scratch / "again"
    again.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" --run {name} "{again}" "$@"\n')
    again.chmod(0o700)
    words = scratch / "words"
    words.write_text("".join(f'"{word}"\n' for word in sorted(known_words())))
    command = [again, f"-dict={words}", "-print_final_stats=1", "-rss_limit_mb=1024", *options]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    return done.stdout + done.stderr


def known_words() -> set[str]:
    """Return the words and signs of world.yaml, of which texts are put together."""
    text = (HERE / "world.yaml").read_text(encoding="utf-8")
    return set(re.findall(r"[a-z_]+|[^\sa-z_\"\\]+", text, re.IGNORECASE | re.ASCII))


def run(name: str, *words: str) -> None:
    """Hand one target and a command line to libFuzzer, which learns from every line of the package; never returns."""
    import atheris  # noqa: PLC0415 - not everybody has it

    sys.path.insert(0, str(HERE))
    with atheris.instrument_imports(include=["amends"]):
        targets = importlib.import_module("targets")

    target: Callable[[bytes], None] = targets.TARGETS[name]
    target(b"x")
    atheris.Setup(list(words), target)
    atheris.Fuzz()


def number(log: str, after: str) -> int:
    """Return the last number that follows a word."""
    words = log.split()
    return next((int(words[at + 1]) for at in range(len(words) - 2, -1, -1) if words[at] == after), 0)


def digest(path: Path) -> str:
    """Return a short name for what a file holds."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


if __name__ == "__main__":
    sys.exit(main())
