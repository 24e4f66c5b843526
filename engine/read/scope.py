"""What the names of one policy mean: facts, records, params, moments, windows, tables, defines and payouts.

Declarations that are defined by others are read when they are first asked for, so that their order in the file does not
matter; one that leads back to itself is found on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from ..diagnostics import Diagnostics, Place
from ..expression import RESERVED, Declared
from ..types import HOLE, Type

#: What an expression reads otherwise than as a name.
_WORDS: Final = RESERVED | {"false", "in", "now", "null", "true"}
_UNREADABLE = Declared(type=HOLE, kind="variable")


@dataclass(slots=True)
class PolicyScope:
    """The scope of a policy's expressions, filled while the policy is read."""

    diagnostics: Diagnostics
    find_named_type: Callable[[str], Type | None]
    record_names: Callable[[], Iterable[str]]
    _declared: dict[str, Declared] = field(default_factory=dict)
    _lazy: dict[str, tuple[Place, Callable[[], Declared | None]]] = field(default_factory=dict)
    _places: dict[str, tuple[str, Place]] = field(default_factory=dict)
    _busy: list[str] = field(default_factory=list)

    def declare(
        self, name: str, what: str, place: Place, declared: Declared | Callable[[], Declared | None]
    ) -> bool:
        """Add a name; a second declaration under it, or a word of the language, is reported, and is not added."""
        if name in _WORDS:
            message = f"the {what} cannot be called `{name}`, for that is a word of the expression language"
            self.diagnostics.add("AM105", place, message, hint="choose another name")
            return False
        if name in self._places:
            first, first_place = self._places[name]
            self.diagnostics.add(
                "AM105",
                place,
                f"the {what} `{name}` has the name of a {first}",
                hint="values share one namespace; rename one of them",
                related=[("the first one", first_place)],
            )
            return False
        self._places[name] = (what, place)
        if isinstance(declared, Declared):
            self._declared[name] = declared
        else:
            self._lazy[name] = (place, declared)
        return True

    def find(self, name: str) -> Declared | None:
        """Return what a name stands for, or None."""
        if name in self._declared or name not in self._lazy:
            return self._declared.get(name)
        if name in self._busy:
            chain = " → ".join([*self._busy[self._busy.index(name) :], name])
            self.diagnostics.add("AM205", self._lazy[name][0], f"`{name}` is defined by itself: {chain}")
            return _UNREADABLE
        self._busy.append(name)
        declared = self._lazy[name][1]() or _UNREADABLE
        self._busy.pop()
        self._declared[name] = declared
        return declared

    def names(self) -> tuple[str, ...]:
        """Return every name."""
        return tuple(self._places)

    def read_all(self) -> None:
        """Read every declaration, also those that nothing asks for."""
        for name in list(self._lazy):
            self.find(name)

    def find_type(self, name: str) -> Type | None:
        """Return a type of the policy by its name."""
        return self.find_named_type(name)

    def type_names(self) -> tuple[str, ...]:
        """Return the names of the policy's records."""
        return tuple(self.record_names())
