"""The command line: it finds a command, calls it, and turns what nobody foresaw into an exit code. docs/cli.md describes it.

Only click is imported here; a command is imported when it is called, so that `--help` answers at once.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any, Final

import click

from amends.engine.commands.terminal import FAILED, say
from amends.engine.version import LANGUAGE, VERSION

#: Every command and what it is for: `engine/commands/NAME.py` holds it, as `command`.
COMMANDS: Final[dict[str, str]] = {
    "check": "Check policies, and say where they are wrong.",
    "lock": "Lock what policies say now, as published: a later change of them is an error.",
    "simulate": "Dry-run a case, and show its timeline.",
    "test": "Run scenario cases against policies, and show what is not as expected.",
    "migrate": "Show what would become of open cases under a version that takes them over.",
    "diff": "Compare two policies, and what cases come to under each.",
    "worker": "Fire timers and deliver effects, until told to stop.",
    "cases": "List, explain, prove, count and carry the cases of a store.",
    "store": "Look at the tables that cases live in, or bring them up to date.",
    "schema": "Print the JSON Schema of policies, of fragments or of scenario files, for an editor.",
}


class Commands(click.Group):
    """Commands that are imported when called, and never end in a traceback; `AMENDS_DEBUG` brings it back."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's interface
        """Return the names of the commands, in the order in which they are listed."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - likewise
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"amends.engine.commands.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - likewise
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command, and turn what nobody foresaw into a short text and exit code 3."""
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.ClickException, click.Abort):
            raise
        except BrokenPipeError:
            # Whoever read us has stopped; Python would complain again when it flushes on its way out.
            sys.stdout = None
            ctx.exit(FAILED)
        except Exception as problem:
            if os.environ.get("AMENDS_DEBUG"):
                raise
            lines = str(problem).splitlines() or [""]
            what = "the environment failed" if isinstance(problem, OSError) else "this is a mistake in amends"
            say(f"amends: {what}: {type(problem).__name__}: {lines[0]}", to=sys.stderr)
            say("set AMENDS_DEBUG=1 to see where", to=sys.stderr)
            ctx.exit(FAILED)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(
    VERSION, prog_name="amends", message=f"%(prog)s %(version)s, policy language {LANGUAGE}"
)
def main() -> None:
    """Check, dry-run and test policies.

    Exit codes: 0 fine, 1 a policy or an expectation is wrong, 2 wrong usage, 3 the environment failed.
    """
