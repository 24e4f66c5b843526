"""The checks of a policy that could be read: what is sound in every part may still be wrong as a whole."""

from __future__ import annotations

from ..diagnostics import Diagnostics
from ..policy import CompiledPolicy


def run_checks(policy: CompiledPolicy, diagnostics: Diagnostics) -> None:
    """Run every check, in the order of their codes."""
