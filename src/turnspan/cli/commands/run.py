"""``turnspan run``: a program, unchanged, in a Python that watches it from its first line."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import click

from turnspan.cli.launching import with_bootstrap
from turnspan.errors import SettingsError, TurnspanError
from turnspan.journal.seals import Key
from turnspan.recording.redaction import Redactor
from turnspan.settings import Settings, scheme_of

_OPTIONS = {
    "home": "TURNSPAN_HOME",
    "store": "TURNSPAN_STORE",
    "adapters": "TURNSPAN_ADAPTERS",
    "session": "TURNSPAN_SESSION_ID",
    "workspace": "TURNSPAN_WORKSPACE_ID",
    "log": "TURNSPAN_LOG",
    "otlp": "OTEL_EXPORTER_OTLP_ENDPOINT",
}


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("-m", "module", is_flag=True, help="The program is a module, as with python -m.")
@click.option("--home", metavar="FOLDER", help="Home folder (default: .turnspan).")
@click.option(
    "--store",
    metavar="URL",
    help="Store URL: sqlite:///path, postgresql://user@host/database, redis://host, file:///path.",
)
@click.option("--otlp", metavar="URL", help="Base URL of an OTLP/HTTP receiver, such as http://localhost:4318.")
@click.option("--adapters", metavar="NAMES", help="Runtimes to instrument: comma-separated names; -name excludes one.")
@click.option("--session", metavar="ID", help="Session id for a program that has none.")
@click.option("--workspace", metavar="ID", help="Workspace of new sessions.")
@click.option("--log", metavar="WHERE", help="Where log lines go: file, a path, stderr, structlog, off.")
@click.argument("program", nargs=-1, required=True, type=click.UNPROCESSED)
def command(module: bool, program: tuple[str, ...], **given: str | None) -> None:
    """Run PROGRAM with its arguments and record what its agents do; no line of it is changed.

    PROGRAM is a script (turnspan run prog.py --its-option), a module (turnspan run -m package), or a command that starts
    Python (turnspan run uvicorn app:app). Its output and exit code are its own.
    """
    environment = with_bootstrap({**os.environ, **{_OPTIONS[name]: value for name, value in given.items() if value}})
    _check(given)
    arguments = _command_line(program, module=module)
    sys.stdout.flush()
    os.execve(arguments[0], arguments, environment)  # noqa: S606  the very purpose


def _check(given: dict[str, str | None]) -> None:
    """Say what is wrong with settings before the program starts; once it runs, it is not stopped for them."""
    settings = Settings.read(
        **{{"session": "session_id", "workspace": "workspace_id"}.get(k, k): v for k, v in given.items()}
    )
    scheme_of(settings.store_url)
    Redactor(settings.redact, settings.capture_content, settings.content_limit)
    Key.read(settings.signing_key)
    if settings.adapters != "all":
        from importlib.metadata import entry_points

        from turnspan.instrumentation.registry import GROUP, AdapterState, choose, name_of

        found = {name_of(entry): entry for entry in entry_points(group=GROUP)}
        for name in choose(settings.adapters, found):
            adapter = AdapterState.of(found[name])
            if name in settings.adapters.split(",") and (reason := adapter.broken or adapter.missing):
                raise SettingsError(f"The adapter {name} cannot be used: {reason}")


def _command_line(program: tuple[str, ...], *, module: bool) -> list[str]:
    if module:
        return [sys.executable, "-m", *program]
    first = program[0]
    if first == "-m":
        return [sys.executable, *program]
    if Path(first).is_file() and not os.access(first, os.X_OK):
        return [sys.executable, *program]
    if Path(first).suffix == ".py" or Path(first).is_dir():
        if not Path(first).exists():
            raise TurnspanError(f"There is no program {first!r} in {Path.cwd()}")
        return [sys.executable, *program]
    beside = Path(sys.executable).parent / first  # a command of the same virtual environment
    found = str(beside) if beside.is_file() else shutil.which(first)
    if found is None:
        raise TurnspanError(f"There is no program {first!r}: neither a file in {Path.cwd()} nor a command on the PATH")
    return [found, *program[1:]]
