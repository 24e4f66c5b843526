"""`amends schema`: the JSON Schema of documents, for editors."""

from __future__ import annotations

import click

from ..schema import schema_text
from .terminal import say


@click.command("schema")
@click.argument("name", type=click.Choice(["policy", "scenario"]))
def command(name: str) -> None:
    """Print the JSON Schema of policies or of scenario files, for an editor."""
    say(schema_text("policy" if name == "policy" else "scenario"))
