"""The command line.

Most commands read. ``run`` and ``demo`` start something, ``recover`` stores what waits, ``rehydrate`` sends, and only
``import``, ``erase``, ``prune`` and ``rebuild`` change what is stored.

Each command is a module that is imported when it is used, so that ``turnspan run`` costs little.
"""

from __future__ import annotations

import importlib
import keyword
import sys
from typing import Any

import click

from turnspan._version import __version__
from turnspan.cli.output import echo
from turnspan.errors import TurnspanError

COMMANDS = {
    "run": "Run a program and record what its agents do.",
    "demo": "Run a bundled two-agent program and follow one id through record, trace and log.",
    "sessions": "List sessions.",
    "show": "Show a session as a tree.",
    "replay": "Replay a session: what happened when, by agent, by tool, with totals.",
    "find": "Say where an id is in record, trace and log.",
    "verify": "Compare record, trace and log, and prove that nothing was altered.",
    "rehydrate": "Send the spans of recorded turns again, with their own ids.",
    "recover": "Store what dead processes left in their journals.",
    "import": "Store the histories that Xerxes, oats, the OpenAI Agents SDK or Claude Code kept.",
    "export": "Write a session as JSON, Markdown, chat messages, or OTLP.",
    "rebuild": "Make a store again of kept journals, or of another store's audit rows.",
    "erase": "Take the content out of a session and keep the proof.",
    "prune": "Remove what is old.",
    "doctor": "Check home, store, exporters and adapters.",
}


class _Lazy(click.Group):
    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module: Any = importlib.import_module(f"turnspan.cli.{name}{'_' * keyword.iskeyword(name)}")
        command: click.Command = module.command
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="turnspan")
def turnspan() -> None:
    """See what AI agents did, and prove it."""


def main() -> None:
    """Run the command line; errors of ours are one line, not a traceback."""
    try:
        turnspan(prog_name="turnspan", standalone_mode=True)
    except TurnspanError as error:
        echo(f"turnspan: {error}", err=True)
        sys.exit(2)
    except BrokenPipeError:  # `turnspan show | head`
        sys.exit(0)
