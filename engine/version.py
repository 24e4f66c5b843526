"""The versions that stand in every journal entry."""

from __future__ import annotations

from typing import Final

#: The package; tests hold it equal to pyproject.toml.
VERSION: Final = "0.1.0"

#: The policy language, the `amends:` key of a policy.
LANGUAGE: Final = 1
