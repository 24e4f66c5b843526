"""The journal: steps as canonical bytes, chained by digest, with sensitive values committed to and not written.

Canonical JSON as RFC 8785: sorted keys, no spaces. The chain is SHA-256 over `amends.step.1`, one byte 0x0A, the 32 bytes
of the previous digest (zeros first) and the entry's bytes. A commitment is HMAC-SHA256 under the case's key over the
canonical JSON of `[seq, path, value]`: who has the key can prove a value, and without it nobody can guess one.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache, partial
from operator import attrgetter
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from .canonical import canonical
from .errors import CorruptJournal
from .money import Money
from .step import Due, Event, Input, Migrate, Open, Step
from .values import from_json, map_text, quoted, to_text

_DOMAIN: Final = b"amends.step.1\n"
_INPUTS: Final[dict[str, type]] = {"open": Open, "event": Event, "due": Due, "migrate": Migrate}
#: Fields that never reach the journal.
_UNWRITTEN: Final = frozenset({"secret", "sealed"})
#: Fields that always do: what the default is changes with every version.
_WRITTEN: Final = frozenset({"engine"})

#: What every entry with a commitment in it holds.
_SEALED: Final = b'"$sealed"'

#: Sensitive values beside the journal: commitment to its JSON.
Vault = Mapping[str, Any]


def chain(head: str, entry: bytes) -> str:
    """Return the digest (hex) of an entry that follows the entry with digest `head`."""
    return hashlib.sha256(_DOMAIN + bytes.fromhex(head) + entry).hexdigest()


def commit(secret: bytes, seq: int, path: str, value: Any) -> str:
    """Return the commitment (hex) to a value (as JSON) that stands at a path of a step."""
    return hmac.new(secret, canonical([str(seq), path, value]), hashlib.sha256).hexdigest()


def entry_of(step: Step) -> bytes:
    """Return the journal entry of a step: canonical bytes without any sensitive value."""
    return text_of(step, step.sealed).encode()


def vault_of(step: Step) -> dict[str, Any]:
    """Return the sensitive values of a step, by commitment, to be kept beside the journal until they are erased."""
    data = record_to_json(step)
    values = {commitment: _at(data, path) for path, commitment in step.sealed.items()}
    # What is not at hand is a commitment itself, and nothing to keep.
    return {commitment: value for commitment, value in values.items() if value != {"$sealed": commitment}}


def commitments(step: Step, paths: list[str], secret: bytes) -> dict[str, str]:
    """Return the commitment to each sensitive value of a step, by its path (see `path_to`) in the entry."""
    data = record_to_json(step)
    return {path: commit(secret, step.seq, path, _at(data, path)) for path in sorted(paths)}


def read_entry(entry: bytes, vault: Vault | None = None, *, secret: bytes = b"") -> Step:
    """Return the step that an entry holds; sensitive values come from the vault, or stay sealed.

    Raises:
        CorruptJournal: the bytes are not an entry.
    """
    try:
        data, sealed = (
            uncovered(json.loads(entry), vault or {}) if _SEALED in entry else (json.loads(entry), {})
        )
        ((kind, body),) = data["input"].items()
        data["input"] = None
        step: Step = record_from_json(Step, data)
        arrived: Input = record_from_json(_INPUTS[kind], body)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CorruptJournal(f"not a journal entry: {error}") from error
    changes: dict[str, Any] = {"input": arrived, "sealed": sealed}
    if isinstance(arrived, Open) and secret:
        changes["input"] = _replaced(arrived, secret=secret)
    whole: Step = _replaced(step, **changes)
    return whole


def _replaced(record: Any, **changes: Any) -> Any:
    values = {f.name: getattr(record, f.name) for f in fields(record)}
    return type(record)(**{**values, **changes})


def covered(data: dict[str, Any], sealed: Mapping[str, str]) -> dict[str, Any]:
    """Put commitments in place of the values at some paths of a record as JSON, and return it."""
    for path, commitment in sealed.items():
        parents, _, last = path.rpartition("/")
        holder: Any = _at(data, parents) if parents else data
        holder[int(last) if isinstance(holder, list) else _unescaped(last)] = {"$sealed": commitment}
    return data


def uncovered(data: Any, vault: Vault) -> tuple[Any, dict[str, str]]:
    """Return a record as JSON with the vault's values in place of commitments, and the commitments by their paths."""
    sealed: dict[str, str] = {}
    return _unsealed(data, vault, sealed, ""), sealed


def path_to(*keys: str) -> str:
    """Return the path to what stands under some keys, written as in a JSON pointer.

    >>> path_to("data", "and/or")
    'data/and~1or'
    """
    return "/".join(key.replace("~", "~0").replace("/", "~1") for key in keys)


def _unescaped(key: str) -> str:
    return key.replace("~1", "/").replace("~0", "~")


def _at(data: Any, path: str) -> Any:
    for key in path.split("/"):
        data = data[int(key)] if isinstance(data, list) else data[_unescaped(key)]
    return data


def _unsealed(data: Any, vault: Vault, sealed: dict[str, str], path: str) -> Any:
    """Put the vault's values in place of commitments, and note where they were."""
    if isinstance(data, dict):
        commitment = data.get("$sealed")
        if isinstance(commitment, str) and commitment and len(data) == 1:
            sealed[path] = commitment
            return vault.get(commitment, data)
        return {
            key: _unsealed(item, vault, sealed, f"{path}/{path_to(key)}" if path else path_to(key))
            for key, item in data.items()
        }
    if isinstance(data, list):
        return [_unsealed(item, vault, sealed, f"{path}/{i}") for i, item in enumerate(data)]
    return data


def text_of(record: Any, sealed: Mapping[str, str] | None = None) -> str:
    """Return a record of case.py or step.py as canonical JSON; fields that hold their default are left out.

    Args:
        record: what is written.
        sealed: commitments, by the paths at which they stand in place of values.
    """
    kind: type = type(record)
    text = _writer(kind)(record)
    return canonical(covered(json.loads(text), sealed)).decode() if sealed else text


def record_to_json(record: Any) -> dict[str, Any]:
    """Return what `text_of` writes as JSON data."""
    data: dict[str, Any] = json.loads(text_of(record))
    return data


@cache
def _writer(hint: Any) -> Callable[[Any], str]:
    """Return how values of a field's type are written."""
    origin = get_origin(hint)
    if hint == Input:
        kinds = {type_: f'{{"{kind}":%s}}' for kind, type_ in _INPUTS.items()}
        return lambda value: kinds[type(value)] % text_of(value)
    if origin in (Union, types.UnionType):
        write = _writer(_inner(hint))
        return lambda value: "null" if value is None else write(value)
    if _is_record(hint):
        return _record_writer(hint)
    if origin is tuple:
        write_item = _writer(get_args(hint)[0])
        return lambda value: "[" + ",".join([write_item(item) for item in value]) + "]"
    if origin is Mapping:
        write_value = _writer(get_args(hint)[1])
        return partial(map_text, write=write_value)
    if hint is int:
        # As text, like every number of an entry: readers of JSON differ in what they make of large ones.
        return lambda value: f'"{value}"'
    return quoted if origin is Literal or hint is str else to_text


def _record_writer(type_: type) -> Callable[[Any], str]:
    hints = _hints(type_)
    written = sorted((f for f in fields(type_) if f.name not in _UNWRITTEN), key=attrgetter("name"))
    values_of = attrgetter(*(item.name for item in written))
    known = [
        (f'"{item.name}":', MISSING if item.name in _WRITTEN else _default(item), _writer(hints[item.name]))
        for item in written
    ]

    def write(record: Any) -> str:
        parts = [
            name + write_value(value)
            for (name, default, write_value), value in zip(known, values_of(record), strict=False)
            if value is not default and value != default
        ]
        return "{" + ",".join(parts) + "}"

    return write


def record_from_json(type_: Any, data: Mapping[str, Any]) -> Any:
    """Return the record that `text_of` wrote, from its JSON data."""
    readers = _readers(type_)
    return type_(**{key: readers[key](item) for key, item in data.items()})


@cache
def _readers(type_: type) -> dict[str, Callable[[Any], Any]]:
    return {name: _reader(hint) for name, hint in _hints(type_).items()}


@cache
def _reader(hint: Any) -> Callable[[Any], Any]:
    """Return how values of a field's type are read; each may also be None."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _reader(_inner(hint))
    if _is_record(hint):
        return lambda data: None if data is None else record_from_json(hint, data)
    if origin is tuple:
        read_item = _reader(get_args(hint)[0])
        return lambda data: None if data is None else tuple([read_item(item) for item in data])
    if origin is Mapping:
        read_value = _reader(get_args(hint)[1])
        return lambda data: None if data is None else {key: read_value(item) for key, item in data.items()}
    if hint is int:
        return lambda data: None if data is None else int(data)
    if origin is Literal or hint is str:
        return lambda data: data
    return from_json


def _inner(hint: Any) -> Any:
    return next(arg for arg in get_args(hint) if arg is not type(None))


def _is_record(hint: Any) -> bool:
    if get_origin(hint) in (Union, types.UnionType):
        hint = _inner(hint)
    return isinstance(hint, type) and is_dataclass(hint) and hint is not Money


def _default(item: Field[Any]) -> Any:
    if item.default is not MISSING:
        return item.default
    if item.default_factory is not MISSING:
        return item.default_factory()
    return MISSING


@cache
def _hints(type_: type) -> dict[str, Any]:
    return get_type_hints(type_)
