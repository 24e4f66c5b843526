"""Files that travel inside a package: schemas, pages, the tables of time zones.

They are asked of whatever loaded the package, so that it may be a folder, an editable installation or a zipped wheel.
`importlib.resources` would do it too, and takes longer to load than a schema to read.
"""

from __future__ import annotations

from pkgutil import get_data


def packaged(package: str, *way: str) -> bytes:
    """Return what a file of a package holds.

    Args:
        package: by its name, such as `amends`.
        way: the folders below it, and the file.
    Raises:
        FileNotFoundError: the package has no such file.

    >>> packaged("amends", "schemas", "policy.schema.json")[:1]
    b'{'
    """
    data = get_data(package, "/".join(way))
    if data is None:
        raise FileNotFoundError(f"{package} has no file {'/'.join(way)}")
    return data
