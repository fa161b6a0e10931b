"""``turnspan erase``: content goes, proof stays."""

from __future__ import annotations

import click

from turnspan.cli import output
from turnspan.cli.documents import EraseDocument
from turnspan.cli.options import SESSION, changes_store
from turnspan.cli.recovering import recover_first
from turnspan.maintenance.erase import erase
from turnspan.model.display import counted
from turnspan.reading.reader import Reader


@click.command()
@SESSION
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@changes_store
def command(reader: Reader, as_json: bool, session: str, yes: bool) -> None:
    """Erase prompts, answers, arguments, results, errors and metadata from SESSION, for good.

    Ids, names, times, status and the chain stay, so that `turnspan verify` still proves what happened, and that this
    was erased. What dead processes left is stored first, as by `turnspan recover`.
    """
    session_id = reader.session(session).session_id
    if not yes:
        click.confirm(f"Erase the content of session {session_id} for good?", abort=True)
    recover_first(reader.settings, reader.store)
    done = erase(session_id, reader.store, reader.settings)
    if as_json:
        output.document(EraseDocument(session_id=session_id, **done._asdict()))
        return
    output.line(
        f"session {session_id}: {counted(done.turns, 'turn')} and {counted(done.events, 'event')} have no content any more"
    )
    for path in done.files:
        output.line(f"written anew: {path}")
    for left in done.left:
        output.line(f"not erased: {left}")
