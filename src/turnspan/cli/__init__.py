"""The command line.

Most commands read: they change nothing and send nothing. ``run`` and ``demo`` start something, ``recover`` stores what
waits, ``rehydrate`` sends, and only ``import``, ``erase``, ``prune`` and ``rebuild`` change what is stored.

Each command is a module in ``commands`` that is imported when it is used, so that ``turnspan run`` costs little.

Private: what users import is in ``turnspan`` and its public modules.
"""

from __future__ import annotations

import importlib
import keyword
import os
import sys
import traceback
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

import click

from turnspan._version import __version__
from turnspan.errors import TurnspanError
from turnspan.settings import unknown_variables

COULD_NOT = 4
"""Exit code of a command that could not do what it was asked: usage, an unknown session, an unreachable store.

What a check found has other codes: see ``verify`` and ``doctor``.
"""
COMMANDS = {
    "run": "Run a program and record what its agents do.",
    "demo": "Run a bundled two-agent program and follow one id through record, trace and log.",
    "sessions": "List sessions.",
    "show": "Show a session as a tree.",
    "view": "Show sessions in the browser.",
    "serve": "Receive OTLP from programs in any language, and show their sessions in the browser.",
    "replay": "Replay a session: what happened when, by agent, by tool, with totals.",
    "find": "Look up an id in record, trace and log.",
    "why": "Explain a step: which model call asked for it, and where its values appeared before.",
    "diff": "Compare two sessions, or two turns, step by step.",
    "verify": "Compare record, trace and log, and prove that nothing was altered.",
    "anchor": "Write the signed head of the store, to be kept where nobody can rewrite it.",
    "rehydrate": "Resend the spans of recorded turns, with their original ids.",
    "recover": "Store what dead processes left in their journals.",
    "import": "Import histories of Xerxes, oats, the OpenAI Agents SDK or Claude Code.",
    "export": "Write a session as JSON, Markdown, one HTML file, chat messages, or OTLP.",
    "rebuild": "Rebuild a store from kept journals, or from another store's audit rows.",
    "erase": "Erase the content of a session and keep the proof.",
    "prune": "Remove old sessions, spans and log lines.",
    "doctor": "Check home, store, exporters and adapters.",
}

_REPORT_VARIABLES_THEMSELVES = ("run", "serve", "import", "demo", "doctor")
"""What records warns of unknown variables by itself, the demo takes none, and doctor lists them as a check."""


class _CommandLine(click.Group):
    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module: Any = importlib.import_module(f"turnspan.cli.commands.{name}{'_' * keyword.iskeyword(name)}")
        command: click.Command = module.command
        command.name = name
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            close = get_close_matches(args[0], COMMANDS, n=1)
            hint = f"did you mean {close[0]}?" if close else "`turnspan --help` lists them"
            ctx.fail(f"Unknown command {args[0]!r}: {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; a reader that has seen enough (``turnspan show | head``) is not an error."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what Python still flushes goes nowhere
            ctx.exit(0)

    def main(self, args: Sequence[str] | None = None, *rest: Any, **more: Any) -> Any:
        """Run a command; its errors are one line, or a document where JSON was asked for, and one exit code."""
        given = list(sys.argv[1:] if args is None else args)
        as_json = "--json" in given and given[0] != "run"
        more["standalone_mode"] = False
        for stream in (sys.stdout, sys.stderr):
            if callable(reconfigure := getattr(stream, "reconfigure", None)):
                reconfigure(errors="backslashreplace")  # what this terminal's encoding has no character for
        try:
            code = super().main(given, *rest, **more)
        except click.Abort as error:
            _say("aborted")
            sys.exit(130 if isinstance(error.__cause__, KeyboardInterrupt) else COULD_NOT)  # 128 and SIGINT, as shells
        except click.ClickException as error:
            _fail(error, error.format_message(), as_json=as_json)
        except TurnspanError as error:
            _fail(error, str(error), as_json=as_json)
        except Exception as error:
            traceback.print_exc()
            _fail(error, f"{type(error).__name__}: {error}; please report this", as_json=as_json)
        sys.exit(code if isinstance(code, int) else 0)


def _fail(error: Exception, message: str, *, as_json: bool) -> NoReturn:
    from turnspan.cli import documents, output

    if as_json:
        detail = documents.ErrorDetail(kind=_kind_of(error), message=message)
        output.document(documents.ErrorDocument(error=detail))
    elif isinstance(error, click.UsageError) and error.ctx is not None:
        output.note(f"{message} (see `{error.ctx.command_path} --help`)")
    else:
        output.note(message)
    sys.exit(COULD_NOT)


def _say(text: str) -> None:
    from turnspan.cli.output import note

    note(text)


def _kind_of(error: Exception) -> str:
    """Return the name of an error for programs: ``session_not_found`` for :class:`SessionNotFoundError`."""
    if isinstance(error, click.ClickException):
        return "usage"
    if not isinstance(error, TurnspanError):
        return "unexpected"
    name = type(error).__name__.removesuffix("Error")
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


@click.group(
    cls=_CommandLine,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog='Commands and ids complete in bash with: eval "$(_TURNSPAN_COMPLETE=bash_source turnspan)"; zsh and fish'
    " likewise. A command that fails exits with 4.",
)
@click.version_option(__version__, prog_name="turnspan")
@click.pass_context
def turnspan(ctx: click.Context) -> None:
    """See what AI agents did, and prove it."""
    if ctx.invoked_subcommand is None:
        from turnspan.cli.output import line

        line(ctx.get_help())
    elif ctx.invoked_subcommand not in _REPORT_VARIABLES_THEMSELVES:
        for name, meant in unknown_variables(os.environ).items():
            _say(f"unknown environment variable {name}" + (f"; did you mean {meant}?" if meant else ""))


def main() -> None:
    """Run the command line."""
    turnspan(prog_name="turnspan")
