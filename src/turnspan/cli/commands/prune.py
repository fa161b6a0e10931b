"""``turnspan prune``: what is old goes."""

from __future__ import annotations

import click

from turnspan.cli import output
from turnspan.cli.documents import PruneDocument
from turnspan.cli.options import Time, changes_store
from turnspan.cli.recovering import recover_first
from turnspan.maintenance.retention import prune, shrink
from turnspan.model.display import counted
from turnspan.reading.reader import Reader


@click.command()
@click.option("--older-than", type=Time(), help="Remove sessions last used before this: 90d, 2026-01-01.")
@click.option(
    "--max-mb", type=click.IntRange(1, 2**40), help="Remove the oldest sessions until home takes less than this."
)
@click.option("--dry-run", is_flag=True, help="Only report how many sessions that would remove.")
@changes_store
def command(reader: Reader, as_json: bool, older_than: str | None, max_mb: int | None, dry_run: bool) -> None:
    """Remove old sessions, with the log lines, local spans and kept journals of their time, and free the space.

    The places of their audit rows in the chains stay, so that `turnspan verify` can distinguish removed from missing. What
    dead processes left is stored first, as by `turnspan recover`.
    """
    if (older_than is None) == (max_mb is None):
        raise click.UsageError("Nothing to remove: pass --older-than 90d or --max-mb 500")
    if dry_run and older_than is None:
        raise click.UsageError("--dry-run requires --older-than")
    if not dry_run:
        recover_first(reader.settings, reader.store)
    if older_than is not None:
        done = prune(reader.store, reader.settings, older_than, dry_run=dry_run)
    else:
        done = shrink(reader.store, reader.settings, (max_mb or 0) * 1024 * 1024)
    if as_json:
        output.document(PruneDocument(dry_run=dry_run, **done._asdict()))
    elif dry_run:
        output.line(f"{counted(done.sessions, 'session')} would be removed")
    else:
        output.line(
            f"{counted(done.sessions, 'session')}, {counted(done.lines, 'line')} of logs and spans and {counted(done.journals, 'kept journal')} removed; "
            f"{done.bytes_freed >> 10} KiB freed"
        )
