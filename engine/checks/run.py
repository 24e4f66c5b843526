"""The checks of a policy that could be read: what is sound in every part may still be wrong as a whole.

Each check is a module of its own, named like its code; its docstring is its page.
"""

from __future__ import annotations

from dataclasses import replace

from ..diagnostics import Diagnostics
from ..document import Node
from ..policy import CompiledPolicy
from .asked_too_early import check_asked_too_early
from .flow import Flow
from .held_for_ever import check_held_for_ever
from .may_be_missing import check_may_be_missing
from .never_paid import check_never_paid
from .no_end import check_no_end
from .no_last_outcome import check_no_last_outcome
from .no_way_out import check_no_way_out
from .sensitive_leak import check_sensitive_leak
from .set_by_two_legs import check_set_by_two_legs
from .shadowed_route import check_shadowed_route
from .shadowed_transition import check_shadowed_transition
from .tables import check_table
from .time_not_told import check_time_not_told
from .unheard_failure import check_unheard_failure
from .unreachable_state import check_unreachable_state
from .unused import check_unused
from .waits_in_vain import check_waits_in_vain
from .waits_without_a_clock import check_waits_without_a_clock
from .window_backwards import check_window_backwards
from .written import Written

_OF_FLOW = (
    check_unreachable_state,
    check_no_way_out,
    check_no_last_outcome,
    check_shadowed_transition,
    check_set_by_two_legs,
    check_no_end,
    check_waits_in_vain,
    check_waits_without_a_clock,
)
_OF_POLICY = (
    check_asked_too_early,
    check_may_be_missing,
    check_sensitive_leak,
    check_time_not_told,
    check_never_paid,
    check_held_for_ever,
    check_shadowed_route,
    check_unused,
    check_window_backwards,
)


def run_checks(policy: CompiledPolicy, diagnostics: Diagnostics, node: Node | None = None) -> None:
    """Run every check.

    Args:
        policy: compiled without an error.
        diagnostics: where the findings go.
        node: the document it was compiled from, overlays applied. Without it places inside expressions are those of
            the whole expression, and what the policy keeps no place of is not looked at: what reasons insert, and
            declarations that nothing uses.
    """
    flow, written = Flow(policy), Written(node)
    for check in _OF_FLOW:
        check(flow, diagnostics)
    for look in _OF_POLICY:
        look(policy, written, diagnostics)
    check_unheard_failure(flow, written, diagnostics)
    for name, table in policy.tables.items():
        # What is wrong with a table as a whole is told at its name.
        check_table(replace(table, place=written.name("tables", name, table.place)), diagnostics)
