"""``turnspan import``: sessions that other programs kept."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from turnspan.cli import output
from turnspan.cli.documents import ImportDocument, UnreadableItem
from turnspan.cli.options import store_options
from turnspan.errors import NothingRecordedError
from turnspan.interchange.importers import KINDS, Report, expected, read, store_history
from turnspan.model.display import counted
from turnspan.reading.reader import Reader
from turnspan.recording.runtime import configure
from turnspan.settings import Settings
from turnspan.stores import InMemorySessionStore, SessionStore, open_store

_SHOWN_MOST = 20


@click.command()
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Report what would be stored, without storing it.")
@store_options
def command(kind: str, path: Path, dry_run: bool, home: str | None, store: str | None, as_json: bool) -> None:
    """Import the history of KIND at PATH: sessions keep their times, are marked as imported, and are stored once.

    KIND is xerxes, oats or claude-code (a folder), openai-agents (a database), or jsonl (a file).
    """
    opened = _opened(Settings.read(home=home, store=store), dry_run=dry_run)
    configure(telemetry=False, home=home, store=store)
    report = Report()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, disable=as_json or not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task("reading", total=expected(kind, path))
        for report in store_history(kind, read(kind, path), opened, dry_run=dry_run):
            progress.update(
                task, advance=1, description=f"{counted(report.sessions, 'session')}, {counted(report.turns, 'turn')}"
            )
    if as_json:
        unreadable = [UnreadableItem(**one._asdict()) for one in report.unreadable]
        counts = {"sessions": report.sessions, "turns": report.turns, "already": report.already}
        output.document(ImportDocument(**counts, unreadable=unreadable, dry_run=dry_run))
    else:
        would = "would be stored" if dry_run else "stored"
        output.line(
            f"{counted(report.sessions, 'session')} and {counted(report.turns, 'turn')} {would}; {counted(report.already, 'turn')} already stored"
        )
        for one in report.unreadable[:_SHOWN_MOST]:
            output.line(f"could not read {one.where}: {one.why}")
        if len(report.unreadable) > _SHOWN_MOST:
            output.line(f"... and {len(report.unreadable) - _SHOWN_MOST} more; --json lists them all")
    if report.unreadable and not report.sessions and not report.already:
        sys.exit(1)


def _opened(settings: Settings, *, dry_run: bool) -> SessionStore:
    """Open the store; a dry run makes none."""
    if not dry_run:
        return open_store(settings.store_url)
    try:
        return Reader.open(settings).store
    except NothingRecordedError:
        return InMemorySessionStore()
