"""``turnspan import``: sessions that other programs kept."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from turnspan.api.observe import recorder_for
from turnspan.cli import output
from turnspan.cli.documents import ImportDocument, UnreadableItem
from turnspan.cli.options import store_options
from turnspan.cli.recovering import recover_first
from turnspan.errors import NothingRecordedError, StoreUnavailableError
from turnspan.interchange.importers import JOINED, KINDS, Report, Unreadable, expected, home_of, read, store_history
from turnspan.interchange.importers.following import Follower
from turnspan.interchange.joining.joiner import Joiner
from turnspan.model.display import counted
from turnspan.reading.reader import Reader
from turnspan.recording.runtime import configure
from turnspan.settings import Settings
from turnspan.stores import InMemorySessionStore, SessionStore, open_store

_SHOWN_MOST = 20
_POLL_S, _RETRY_S = 1.0, 5.0


@click.command()
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("path", type=click.Path(path_type=Path), required=False)
@click.option("--dry-run", is_flag=True, help="Report what would be stored, without storing it.")
@click.option("--follow", is_flag=True, help="Read what coding agents add to their transcripts, until interrupted.")
@store_options
def command(
    kind: str, path: Path | None, dry_run: bool, follow: bool, home: str | None, store: str | None, as_json: bool
) -> None:
    """Import the history of KIND at PATH: sessions keep their times, are marked as imported, and are stored once.

    KIND is xerxes or oats (a folder), openai-agents (a database), jsonl (a file), or that of a coding agent's transcripts:
    claude-code, codex or gemini-cli, whose PATH is where it keeps them unless it is given.
    """
    if follow and (dry_run or as_json or kind not in JOINED):
        raise click.UsageError(f"--follow is for {', '.join(JOINED)}, without --dry-run and --json")
    if path is None:
        if kind not in JOINED:
            raise click.UsageError(f"Missing argument 'PATH': {KINDS[kind]}")
        path = home_of(kind)
    if follow:
        _follow(kind, path, home, store)
        return
    opened = _opened(Settings.read(home=home, store=store), dry_run=dry_run)
    configure(telemetry=False, home=home, store=store)
    if not dry_run and kind in JOINED:
        recover_first(Settings.read(home=home, store=store), opened)  # what a process that was killed had read
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


def _follow(kind: str, path: Path, home: str | None, store: str | None) -> None:
    """Read transcripts as they grow, until interrupted."""
    configure(telemetry=False, home=home, store=store)
    settings = Settings.read(home=home, store=store)
    opened = open_store(settings.store_url)
    recover_first(settings, opened)
    follower = Follower(kind, path, Joiner(kind, opened, recorder_for(opened)))
    output.note(f"following {path}; press Ctrl-C to stop")
    with suppress(KeyboardInterrupt):
        while True:
            wait_s = _POLL_S
            try:
                for one in follower.step():
                    if isinstance(one, Unreadable):
                        output.note(f"could not read {one.where}: {one.why}")
                    elif one.turns or one.changed:
                        says = (
                            f"{counted(one.turns, 'new turn')}, {counted(one.changed, 'turn')} of which more is known"
                        )
                        output.line(f"session {one.session_id}: {says}")
            except StoreUnavailableError as error:
                output.note(f"{error}; what was read is read again")
                wait_s = _RETRY_S
            time.sleep(wait_s)


def _opened(settings: Settings, *, dry_run: bool) -> SessionStore:
    """Open the store; a dry run makes none."""
    if not dry_run:
        return open_store(settings.store_url)
    try:
        return Reader.open(settings).store
    except NothingRecordedError:
        return InMemorySessionStore()
