"""``turnspan erase``: content goes, proof stays."""

from __future__ import annotations

import click

from turnspan.cli.common import open_reading, reads
from turnspan.cli.output import echo, print_json
from turnspan.cli.show import load
from turnspan.maintenance.erase import erase


@click.command()
@click.argument("session")
@click.option("--yes", is_flag=True, help="Do not ask.")
@reads
def command(session: str, yes: bool, home: str | None, store: str | None, as_json: bool) -> None:
    """Take prompts, answers, arguments, results, errors and metadata out of SESSION, for good.

    Ids, names, times, status and the chain stay, so that `turnspan verify` still proves what happened, and that this
    was erased.
    """
    reading = open_reading(home, store)
    session_id = load(reading.store, session).session_id
    if not yes:
        click.confirm(f"Erase the content of session {session_id} for good?", abort=True)
    done = erase(session_id, reading.store, reading.settings)
    if as_json:
        print_json({"session_id": session_id, **done._asdict()})
        return
    echo(f"session {session_id}: {done.turns} turns and {done.events} events have no content any more")
    for path in done.files:
        echo(f"written anew: {path}")
    for left in done.left:
        echo(f"not erased by this: {left}")
