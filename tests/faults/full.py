"""A process may write no larger files, as on a disk that is full, and then may again.

python -m tests.faults.full sqlite:////tmp/cases.db
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
from itertools import count
from pathlib import Path

from amends.engine.engine import Engine
from amends.engine.errors import StoreUnavailable
from amends.engine.store.tables import openings
from tests.faults.story import IBAN, NOON, Bank, engine_of, library, prove, rows_of, way_in


def fill(engine: Engine, at_most: int = 3_000) -> str:
    """Open cases until the database takes no more, and return what was said; nothing if it took so many."""
    known = len(engine.cases(limit=1000).cases)
    for index in count(known):
        if index == known + at_most:
            return ""
        try:
            engine.open(
                "pot",
                {"account": IBAN, "pot": f"{index}" * 20},
                at=NOON,
                key=f"open-{index}",
                case_id=f"{index:05}",
            )
        except StoreUnavailable as error:
            return str(error)
    raise AssertionError


def main() -> int:
    """Fill, go on, and print how far it came."""
    options = argparse.ArgumentParser(description="Write until there is no room.")
    options.add_argument("url")
    url = options.parse_args().url
    policies = library()
    with tempfile.TemporaryDirectory() as folder:
        engine = engine_of(url, Bank(Path(folder) / "bank"), policies)
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, most))
        told = fill(engine)
        again = fill(engine)
        before = prove(url, policies).cases
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        assert fill(engine, at_most=3) == ""
        after = prove(url, policies).cases
        engine.close()
    database = way_in(url)
    assert len(rows_of(database, openings)) == after
    database.dispose()
    print(json.dumps({"told": told, "told again": again, "cases before": before, "cases after": after}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
