"""Small policies from text."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from textwrap import dedent

import pytest

from amends.engine.policy import CompiledPolicy
from amends.engine.publishing.bundle import Bundle, open_bundle

HEADER = "amends: 1\npolicy: small\nversion: v1\n"


@cache
def policy_of(text: str) -> CompiledPolicy:
    """Return the policy that a text holds; identity and version are put before it."""
    return open_bundle(Bundle(texts=(HEADER + dedent(text),), holidays={}))


@pytest.fixture(scope="session")
def compiled() -> Callable[[str], CompiledPolicy]:
    """Return what compiles a policy's text."""
    return policy_of
