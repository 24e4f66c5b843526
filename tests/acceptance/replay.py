"""Rebuilds the cases of a folder from their journals and decides every step again, and prints what came out.

Run by test_replay.py in a process of its own, which knows the folder and nothing else: no policies, no holidays. It fails
at the first byte that differs.

    python replay.py FOLDER        FOLDER/bundles/DIGEST.json, FOLDER/cases/NUMBER/{journal.jsonl, vault.json, secret}
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

#: What a rebuild must do without: whoever imports one of these, or opens a policy, is stopped.
sys.modules["holidays"] = None  # type: ignore[assignment]


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and str(arguments[0]).endswith((".yaml", ".yml")):
        raise AssertionError(f"a rebuild reads no policy: {arguments[0]}")


def main(folder: Path) -> None:
    from amends.engine.case import Case  # noqa: PLC0415
    from amends.engine.decide import decide  # noqa: PLC0415
    from amends.engine.evolve import evolve  # noqa: PLC0415
    from amends.engine.journal import entry_of, read_entry  # noqa: PLC0415
    from amends.engine.publishing.bundle import Bundle, open_bundle  # noqa: PLC0415 - after holidays is gone
    from amends.engine.step import Step  # noqa: PLC0415

    policies = {}
    for path in sorted(folder.glob("bundles/*")):
        bundle = Bundle.from_bytes(path.read_bytes())
        assert bundle.digest() == path.stem
        policies[path.stem] = open_bundle(bundle)
    heads = {}
    for kept in sorted(folder.glob("cases/*")):
        vault = json.loads((kept / "vault.json").read_bytes())
        secret = (kept / "secret").read_bytes()
        case: Case | None = None
        for entry in (kept / "journal.jsonl").read_bytes().splitlines():
            step = read_entry(entry, vault, secret=secret)
            assert entry_of(step) == entry
            rebuilt = evolve(case, step)
            again = decide(policies[rebuilt.policy.bundle], case, step.input)
            assert isinstance(again, Step)
            assert entry_of(again) == entry, (
                f"{kept.name}, entry {step.seq}: {entry_of(again)!r}, not {entry!r}"
            )
            assert evolve(case, again) == rebuilt
            case = rebuilt
        assert case is not None
        heads[kept.name] = case.head
    json.dump(heads, sys.stdout)


sys.addaudithook(watch)
main(Path(sys.argv[1]))
