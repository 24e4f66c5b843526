"""The checks of a policy that could be read: what is sound in every part may still be wrong as a whole."""

from __future__ import annotations

from ..diagnostics import Diagnostics
from ..document import Node
from ..policy import CompiledPolicy
from .flow import check_flow
from .presence import check_presence
from .secrecy import check_secrecy
from .tables import check_table
from .usage import check_usage
from .windows import check_time_conditions, check_windows
from .written import Written


def run_checks(policy: CompiledPolicy, diagnostics: Diagnostics, node: Node | None = None) -> None:
    """Run every check, in the order of their codes.

    Args:
        policy: compiled without an error.
        diagnostics: where the findings go.
        node: the document it was compiled from, overlays applied. Without it places inside expressions are those of
            the whole expression, and what the policy keeps no place of is not looked at: what reasons insert, and
            declarations that nothing uses.
    """
    written = Written(node)
    check_presence(policy, written, diagnostics)
    check_secrecy(policy, written, diagnostics)
    check_time_conditions(policy, written, diagnostics)
    check_flow(policy, diagnostics)
    for table in policy.tables.values():
        check_table(table, diagnostics)
    check_usage(policy, written, diagnostics)
    check_windows(policy, diagnostics)
