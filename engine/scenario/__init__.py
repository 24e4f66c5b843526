"""Scenario files: what happened in a case, and what must then be true.

`read` makes records of a file, with places; `run` plays a case through a real engine on a virtual clock and says what
was expected, what it was, and why.
"""

from .migration import Tried, try_migration
from .read import (
    Expectation,
    ScenarioCase,
    ScenarioEvent,
    ScenarioFile,
    Wanted,
    find_scenarios,
    read_scenarios,
)
from .run import CaseResult, Check, Refused, Results, play, run_case, run_file

__all__ = [
    "CaseResult",
    "Check",
    "Expectation",
    "Refused",
    "Results",
    "ScenarioCase",
    "ScenarioEvent",
    "ScenarioFile",
    "Tried",
    "Wanted",
    "find_scenarios",
    "play",
    "read_scenarios",
    "run_case",
    "run_file",
    "try_migration",
]
