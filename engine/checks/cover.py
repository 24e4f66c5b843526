"""Sets of rules over the samples of columns: which rules meet a cell, which cover it, and where no rule holds.

A set of rules is a number whose bit i stands for rule i, a set of samples likewise. Whether boxes together fill a space is
a hard question in general (as hard as satisfiability), so its search has a bound, and says so where it gives up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from itertools import accumulate
from operator import and_, or_, xor
from typing import Final

#: A box, one set of samples a column.
Box = tuple[int, ...]

#: So many steps all searches of one table may take together, and one of them; a step takes about a microsecond.
STEPS: Final = 50_000
STEPS_EACH: Final = 20_000
#: So many columns a search may have, for it goes down column by column.
MAX_COLUMNS: Final = 100
#: So many sets that leave nothing free are kept to compare others with.
_KEPT: Final = 16


class GaveUp(Exception):  # noqa: N818 - it says what became of a search
    """The bound was reached before the answer was found."""


class Patience:
    """How many steps are left to the searches of a table, or to one of them."""

    def __init__(self, steps: int = STEPS, lender: Patience | None = None) -> None:
        self.left = steps
        self.lender = lender

    def once(self) -> Patience:
        """Return what one search may take of it."""
        return Patience(STEPS_EACH, self)

    def spend(self, steps: int) -> None:
        """Take steps.

        Raises:
            GaveUp: there are none left.
        """
        self.left -= steps
        if self.lender:
            self.lender.spend(steps)
        if self.left < 0:
            raise GaveUp


def runs(mask: int) -> Iterator[tuple[int, int]]:
    """Yield the stretches of neighbouring bits that are set, each with its end, exclusive.

    >>> list(runs(0b1100111))
    [(0, 3), (5, 7)]
    """
    start = 0
    while mask:
        zeros = (mask & -mask).bit_length() - 1
        mask >>= zeros
        ones = (~mask & mask + 1).bit_length() - 1
        mask >>= ones
        start += zeros
        yield start, start + ones
        start += ones


def bits(mask: int) -> Iterator[int]:
    """Yield the bits that are set, lowest first.

    >>> list(bits(0b1101))
    [0, 2, 3]
    """
    for start, end in runs(mask):
        yield from range(start, end)


def holding(masks: Sequence[int], size: int) -> list[int]:
    """Return the rules that hold for each sample of a column, from the samples for which each rule holds.

    >>> holding([0b011, 0b110], 3)
    [1, 3, 2]
    """
    turns = [0] * (size + 1)
    for index, mask in enumerate(masks):
        for start, end in runs(mask):
            turns[start] ^= 1 << index
            turns[end] ^= 1 << index
    return list(accumulate(turns[:size], xor))


def meeting(masks: Sequence[int], rows: Sequence[int]) -> dict[int, int]:
    """Return for each mask of a column the rules that hold for one of its samples at least."""
    return _folded(masks, rows, or_, 0)


def covering(masks: Sequence[int], rows: Sequence[int]) -> dict[int, int]:
    """Return for each mask of a column the rules that hold for all of its samples."""
    return _folded(masks, rows, and_, -1)


def _folded(
    masks: Sequence[int], rows: Sequence[int], join: Callable[[int, int], int], start: int
) -> dict[int, int]:
    """Fold the rows under each mask: rows are joined in stretches of 1, 2, 4 …, two of which make any stretch."""
    stretches = [list(rows)]
    while (step := 1 << len(stretches) - 1) * 2 <= len(rows):
        last = stretches[-1]
        stretches.append(list(map(join, last, last[step:])))

    def stretch(low: int, high: int) -> int:
        power = (high - low).bit_length() - 1
        return join(stretches[power][low], stretches[power][high - (1 << power)])

    return {mask: reduce(join, (stretch(*run) for run in runs(mask)), start) for mask in set(masks)}


def fills(rows: Sequence[Sequence[int]], within: Box, rules: int, patience: Patience) -> bool:
    """Return whether some rules together hold everywhere in a box; the arguments are those of `free`.

    Raises:
        GaveUp: nothing can be said.
    """
    return _Search(rows, within, rules, patience).find(0, rules) is None


def free(rows: Sequence[Sequence[int]], within: Box, rules: int, patience: Patience) -> Box | None:
    """Return a box inside a box in which none of some rules holds, or None where they fill it.

    Args:
        rows: for each column, the rules that hold for each of its samples.
        within: the box that is looked at.
        rules: the rules that count.
        patience: what the search may take.
    Raises:
        GaveUp: nothing can be said.

    >>> free([holding([0b01, 0b11], 2), holding([0b11, 0b01], 2)], (0b11, 0b11), 0b11, Patience())
    (2, 2)
    """
    search = _Search(rows, within, rules, patience)
    found = search.find(0, rules)
    if found is None:
        return None
    chosen = dict(zip(search.order, found, strict=False))
    return tuple(
        reduce(or_, (1 << at for at in bits(mask) if row[at] & rules == chosen[column]), 0)
        if column in chosen
        else mask
        for column, (row, mask) in enumerate(zip(rows, within, strict=True))
    )


class _Search:
    """One search, column by column, for a sample of each so that no rule is left that holds for all of them."""

    def __init__(self, rows: Sequence[Sequence[int]], within: Box, active: int, patience: Patience) -> None:
        if len(rows) > MAX_COLUMNS:
            raise GaveUp
        self.patience = patience
        kinds = []
        for row, mask in zip(rows, within, strict=True):
            patience.spend(mask.bit_count() // 4)
            # Samples for which the same rules hold are of one kind.
            kinds.append(list({row[at] & active: None for at in bits(mask)}))
        #: Columns that tell least apart come first, for what is known of one node there serves the most.
        self.order = sorted(range(len(kinds)), key=lambda column: len(kinds[column]))
        self.kinds = [kinds[column] for column in self.order]
        #: The rules that hold everywhere from a column on.
        everywhere = [reduce(and_, kind, active) for kind in self.kinds]
        self.sure = [*accumulate(reversed(everywhere), and_, initial=active)][::-1]
        self.full: set[tuple[int, int]] = set()

    def find(self, level: int, active: int) -> tuple[int, ...] | None:
        """Return a kind for each column from a level on, as far as needed, or None if the rules leave nothing free."""
        if not active:
            return ()
        if active & self.sure[level] or (level, active) in self.full:
            return None
        kinds = self.kinds[level]
        self.patience.spend(len(kinds) + 1)
        left: dict[int, int] = {}
        for kind in kinds:
            left.setdefault(kind & active, kind)
        full: list[int] = []
        for rest in sorted(left, key=int.bit_count):
            # More rules than some that fill it fill it too.
            if any(not fewer & ~rest for fewer in full):
                continue
            found = self.find(level + 1, rest)
            if found is not None:
                return (left[rest], *found)
            if len(full) < _KEPT:
                full.append(rest)
        self.full.add((level, active))
        return None
