"""Importing a file of cases: first all of it is proven, then all of it is written in one transaction, or nothing is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO, Final, TypeVar

from ..errors import InvalidValue
from ..store.protocol import Kept, Sought, Transaction, Work
from .arriving import Arrivals, at_rest, bring
from .packing import Brought, at_line, unpacked

Item = TypeVar("Item")
#: How many cases are read or written at once, with all that is kept of them.
CHUNK: Final = 100


@dataclass(slots=True)
class Imported:
    """What was imported."""

    cases: int = 0
    entries: int = 0
    policies: int = 0
    #: Deliveries that nobody has made yet.
    waiting: int = 0


def proven(file: IO[bytes], arrivals: Arrivals) -> Iterator[str]:
    """Yield the ids of a file's cases, each when it is proven.

    Raises:
        InvalidValue: the file or a case is not sound; the message names the line.
    """
    file.seek(0)
    ids, keys = set[str](), set[str]()
    for number, item in unpacked(file):
        with at_line(number):
            if isinstance(item, Brought):
                arrivals.add(item)
                continue
            key = arrivals.of(item, prove=True).saved.opened_by
            if item.case_id in ids:
                raise InvalidValue(f"the case `{item.case_id}` came before")
            if key is not None and key in keys:
                raise InvalidValue(f"the key `{key}` opened another case before")
        ids.add(item.case_id)
        keys.update(() if key is None else (key,))
        yield item.case_id


def absent(ids: Sequence[str]) -> Work[None]:
    """Find early, before much is proven in vain, that cases are there already; `written` makes sure.

    Raises:
        InvalidValue: one is there.
    """

    def work(transaction: Transaction) -> None:
        for summary in transaction.summaries(Sought(ids=tuple(ids)), None, 1):
            raise InvalidValue(f"there is a case `{summary.id}` already")

    return work


def written(file: IO[bytes], arrivals: Arrivals, *, live: bool) -> Work[Imported]:
    """Write what a file holds, which was proven.

    Args:
        file: read again from its beginning.
        arrivals: that took its policies in when it was proven.
        live: go on with the cases here; else they are copies that do nothing by themselves.
    """

    def work(transaction: Transaction) -> Imported:
        file.seek(0)
        imported = Imported()
        for page in chunks((item for _, item in unpacked(file)), CHUNK):
            for item in page:
                if isinstance(item, Brought):
                    transaction.keep_bundle(item.ref, item.bundle)
                    imported.policies += 1
            cases = [arrivals.of(item, prove=False) for item in page if isinstance(item, Kept)]
            bring(transaction, [one if live else at_rest(one) for one in cases])
            imported.cases += len(cases)
            imported.entries += sum(len(one.saved.written) for one in cases)
            imported.waiting += sum(fate.state == "waiting" for one in cases for fate in one.fates)
        return imported

    return work


def chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield items in lists of a size; the last one has the rest."""
    waiting = iter(items)
    while chunk := list(islice(waiting, size)):
        yield chunk
