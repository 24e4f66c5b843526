"""Makes the golden journals anew, with the engine that is installed: `python tests/golden_journals/make.py`.

Every later version must be able to read what an earlier one wrote, so a journal that was released is never made anew: a
change that would need it breaks the cases of every host. Before a release, and for a journal that is added, run this.

Of each case of cases.yaml it writes a folder of its name: `journal.jsonl` (an entry a line), `vault.json` (the sensitive
values), `bundle.json` (the policy), `case.json` (what `evolve` makes of it), and `erased_case.json` (the same without
the vault). Ids are the names of the cases, and the key is the same for all: nothing here is secret.
"""

from __future__ import annotations

from pathlib import Path

from amends.engine.canonical import canonical
from amends.engine.engine import Engine
from amends.engine.evolve import rebuild
from amends.engine.journal import entry_of, read_entry, record_to_json, vault_of
from amends.engine.library import Library
from amends.engine.scenario import ScenarioCase, play, read_scenarios, run_case

HERE = Path(__file__).resolve().parent
SECRET = bytes(range(32))


def make(case: ScenarioCase, library: Library, folder: Path) -> None:
    """Run a case, and write what is kept of it."""
    result = run_case(case, Engine(library))
    wrong = [(check.key, check.expected, check.actual) for check in result.checks if not check.passed]
    if result.error or wrong:
        raise SystemExit(f"{case.id} is not what cases.yaml says: {result.error or wrong}")
    engine = Engine(library)
    engine.open(case.policy, case.facts, at=case.opens_at, case_id=case.id, secret=SECRET)
    play(engine, case.id, case.events)
    engine.run_due(max([item.at for item in case.expect]))
    journal = engine.journal(case.id)
    entries = [entry_of(step) for step in journal]
    vault = {commitment: value for step in journal for commitment, value in vault_of(step).items()}
    erased = rebuild(read_entry(entry) for entry in entries)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "journal.jsonl").write_bytes(b"".join(entry + b"\n" for entry in entries))
    (folder / "vault.json").write_bytes(canonical(vault))
    (folder / "bundle.json").write_bytes(library.bundles[engine.policy_of(case.id).ref.bundle].to_bytes())
    (folder / "case.json").write_bytes(canonical(record_to_json(engine.case(case.id))))
    (folder / "erased_case.json").write_bytes(canonical(record_to_json(erased)))


def main() -> None:
    """Make every journal."""
    library = Library.load(HERE / "policy.yaml")
    file, found = read_scenarios(HERE / "cases.yaml")
    if library.diagnostics or file is None:
        raise SystemExit(
            "\n".join(f"{item.place}: {item.message}" for item in (*library.diagnostics, *found))
        )
    for case in file.cases:
        make(case, library, HERE / "journals" / case.id)


if __name__ == "__main__":
    main()
