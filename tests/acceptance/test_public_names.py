"""What `import amends` offers: every name, and only those, without paying for what is not used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import amends


@pytest.mark.parametrize("name", amends.__all__)
def test_every_public_name_is_there(name: str) -> None:
    value = getattr(amends, name)
    assert isinstance(value, str) if name.startswith("__") else value.__name__ == name
    assert name in dir(amends)


def test_a_star_import_brings_the_public_names() -> None:
    code = "from amends import *; import amends; print(set(amends.__all__) <= set(globals()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_importing_alone_loads_no_room() -> None:
    code = "import amends, sys; print([name for name in sys.modules if name.startswith('amends.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_name_that_is_not_public_is_not_there() -> None:
    with pytest.raises(AttributeError, match="`Journal`"):
        amends.Journal  # noqa: B018 - it is not there
