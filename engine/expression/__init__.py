"""The expression language: the syntax and meaning of CEL in a strict, typed profile.

Text becomes a syntax tree (`parse`), the checker turns that into a checked tree of plain data or into problems with a
place (`check`, or `check_text` for both steps), and `evaluate` gives its value, or `Unknown` with the facts that are
missing. `explain` says what each part of a condition was worth, and what it saw. What the room does not know: YAML,
policies, cases, clocks. Names come from a `Scope`, values from an `Env`.

Spec: docs/expressions.md. Source: the CEL language definition.

>>> from dataclasses import dataclass
>>> from datetime import datetime, UTC
>>> from fractions import Fraction
>>> from amends.engine.calendar import zone
>>> from amends.engine.money import Money
>>> from amends.engine.types import BOOL, MONEY, OptionalType
>>> class Facts:
...     types = {"paid": MONEY, "asked": OptionalType(MONEY)}
...     def find(self, name):
...         return Declared(type=self.types[name], kind="fact") if name in self.types else None
...     def names(self):
...         return self.types
...     def find_type(self, name):
...         return None
...     def type_names(self):
...         return ()
>>> @dataclass
... class Known:
...     values: dict
...     now = datetime(2026, 3, 5, tzinfo=UTC)
...     zone = zone("UTC")
...     def value(self, name):
...         return self.values.get(name, Unknown(frozenset({name})))
...     def call(self, name, arguments):
...         raise LookupError(name)
>>> guard, problems = check_text("asked <= paid * 0.5", Facts(), expect=BOOL)
>>> sorted(guard.may_miss)
['asked']
>>> evaluate(guard, Known({"paid": Money(Fraction(9), "USD"), "asked": Money(Fraction(4), "USD")}))
True
>>> evaluate(guard, Known({"paid": Money(Fraction(9), "USD")}))
Unknown(missing=frozenset({'asked'}))
>>> check_text("asked <= payed", Facts())[1][0].hint
'did you mean `paid`?'
"""

from ..values import Unknown
from .again import Known
from .check import check, check_text
from .checked import Checked
from .checking import Problem
from .explain import Leaf, Seen, explain
from .frame import Env, Frame, discreet, tells_sensitive
from .functions import FUNCTIONS, OVERLOADS, Overload
from .interpret import interpret, run
from .parser import parse
from .runtime import evaluate, observe, warm
from .scope import Declared, Kind, Scope
from .syntax import Expr
from .tokens import RESERVED, SyntaxProblem
from .tree import Node

__all__ = [
    "FUNCTIONS",
    "OVERLOADS",
    "RESERVED",
    "Checked",
    "Declared",
    "Env",
    "Expr",
    "Frame",
    "Kind",
    "Known",
    "Leaf",
    "Node",
    "Overload",
    "Problem",
    "Scope",
    "Seen",
    "SyntaxProblem",
    "Unknown",
    "check",
    "check_text",
    "discreet",
    "evaluate",
    "explain",
    "interpret",
    "observe",
    "parse",
    "run",
    "tells_sensitive",
    "warm",
]
