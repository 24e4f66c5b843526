"""`serves` reads amounts as the opening does: without a currency they are of the policy's."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from amends.engine.library import Library

POLICY = """\
amends: 1
policy: {name}
version: 2026-01-01
currency: EUR
serves: {serves}
facts: {{price: money}}
states: {{open: {{initial: true, final: true}}}}
"""


@pytest.mark.parametrize(("price", "chosen"), [("499.99", "small"), ("500", "large"), ("500 EUR", "large")])
def test_a_bare_amount_chooses_the_policy(tmp_path: Path, price: str, chosen: str) -> None:
    for name, serves in (("small", 'price < money("500 EUR")'), ("large", 'price >= money("500 EUR")')):
        (tmp_path / f"{name}.yaml").write_text(POLICY.format(name=name, serves=serves), encoding="utf-8")
    library = Library.load(tmp_path)
    assert library.diagnostics == ()
    assert library.choose({"price": price}, datetime(2026, 3, 1, tzinfo=UTC)).ref.name == chosen
