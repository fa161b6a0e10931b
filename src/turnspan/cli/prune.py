"""``turnspan prune``: what is old goes."""

from __future__ import annotations

import click

from turnspan.cli.common import open_reading, reads, time_of
from turnspan.cli.output import echo, print_json
from turnspan.errors import TurnspanError
from turnspan.maintenance.retention import prune, shrink


@click.command()
@click.option("--older-than", help="Remove what was last used before: 90d, 2026-01-01.")
@click.option("--max-mb", type=click.IntRange(1), help="Remove the oldest sessions until home takes less than this.")
@click.option("--dry-run", is_flag=True, help="Only say how many sessions that would be.")
@reads
def command(
    older_than: str | None, max_mb: int | None, dry_run: bool, home: str | None, store: str | None, as_json: bool
) -> None:
    """Remove old sessions, with the log lines, local spans and kept journals of their time, and give back the room.

    Of their audit rows the places in the chains stay, so that `turnspan verify` can tell removed from missing.
    """
    before = time_of(older_than)
    if (before is None) == (max_mb is None):
        raise TurnspanError("Say what to remove: --older-than 90d, or --max-mb 500")
    reading = open_reading(home, store)
    if before is not None:
        done = prune(reading.store, reading.settings, before, dry_run=dry_run)
    elif dry_run:
        raise TurnspanError("--dry-run goes with --older-than")
    else:
        done = shrink(reading.store, reading.settings, (max_mb or 0) * 1024 * 1024)
    if as_json:
        print_json(done._asdict())
    elif dry_run:
        echo(f"{done.sessions} sessions would be removed")
    else:
        echo(
            f"{done.sessions} sessions, {done.lines} lines of logs and spans and {done.journals} kept journals removed; "
            f"{done.bytes_freed >> 10} KiB freed"
        )
