"""`amends schema`: the JSON Schema of documents, for editors."""

from __future__ import annotations

from typing import get_args

import click

from ..schema import Name, schema_text
from .terminal import say


@click.command("schema")
@click.argument("name", type=click.Choice(get_args(Name)))
def command(name: Name) -> None:
    """Print the JSON Schema of policies, of fragments or of scenario files, for an editor."""
    say(schema_text(name))
