"""``turnspan rebuild``: a store made again."""

from __future__ import annotations

import click

from turnspan.cli import output
from turnspan.cli.documents import RebuildDocument
from turnspan.errors import TurnspanError
from turnspan.maintenance.rebuild import lines_of_journals, lines_of_store, rebuild
from turnspan.model.display import counted
from turnspan.settings import Settings, without_password
from turnspan.stores import open_store
from turnspan.stores.base import Audited


@click.command()
@click.option("--store", metavar="URL", required=True, help="URL of the store to create.")
@click.option(
    "--of",
    "source",
    metavar="URL",
    help="URL of a store whose audit rows to use (default: the journals in home).",
)
@click.option("--home", metavar="FOLDER", help="Home folder with the journals (default: .turnspan).")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document, also for errors.")
def command(store: str, source: str | None, home: str | None, as_json: bool) -> None:
    """Rebuild a store from the journals that TURNSPAN_KEEP_JOURNAL=1 kept, or from another store's audit rows.

    Existing data stays, and nothing is stored twice.
    """
    if source is not None:
        if source == store:
            raise TurnspanError("A store is not rebuilt in place: name another one with --store, compare, then move it")
        opened = open_store(source)
        if not isinstance(opened, Audited):
            raise TurnspanError(f"{without_password(source)} keeps no audit rows")
        lines = lines_of_store(opened)
    else:
        directory = Settings.read(home=home).journal_path
        if not directory.is_dir() or not any(directory.iterdir()):
            raise TurnspanError(f"There are no journals in {directory}: TURNSPAN_KEEP_JOURNAL=1 keeps them")
        lines = lines_of_journals(directory)
    target = open_store(store)
    count = rebuild(lines, target)
    done = RebuildDocument(events=count, sessions=len(target.list_sessions()), store=without_password(store))
    if as_json:
        output.document(done)
    else:
        output.line(f"{counted(count, 'event')} folded into {counted(done.sessions, 'session')} in {done.store}")
