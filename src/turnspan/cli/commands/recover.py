"""``turnspan recover``: store what dead processes left."""

from __future__ import annotations

import sys

import click

from turnspan.cli import output
from turnspan.cli.documents import RecoverDocument, RecoveredJournal
from turnspan.cli.options import store_options
from turnspan.cli.recovering import recover_journals
from turnspan.model.display import counted
from turnspan.settings import Settings, without_password
from turnspan.stores import open_store


@click.command()
@store_options
def command(home: str | None, store: str | None, as_json: bool) -> None:
    """Store what dead processes left in their journals, as every start of a recorded program does.

    Each journal goes to the store that its process was given. With --store all of them go to that one: where a URL was
    mistyped, or a store has moved. Exit code 1 when a journal still waits.
    """
    settings = Settings.read(home=home, store=store)
    found = recover_journals(settings, open_store(settings.store_url), into_this=store is not None)
    waiting = [one for one in found if one.problem is not None]
    url = without_password(settings.store_url)
    if as_json:
        journals = [RecoveredJournal(**one._asdict()) for one in found]
        output.document(RecoverDocument(store=url, journals=journals))
        sys.exit(1 if waiting else 0)
    for one in found:
        if one.problem is not None:
            output.note(f"journal {one.journal}: {counted(one.events, 'event')} still waiting: {one.problem}")
            continue
        torn = f", {one.torn_bytes} bytes of a torn line dropped" if one.torn_bytes else ""
        sent = f", {counted(one.spans, 'span')} sent again" if one.spans else ""
        lost = f", {counted(one.lost, 'event')} lost because its disk was full" if one.lost else ""
        output.line(
            f"journal {one.journal}: {counted(one.events, 'event')}, {counted(one.interrupted_turns, 'interrupted turn')}{torn}{sent}{lost}"
        )
    if waiting and store is None:
        output.note("if the store has moved, pass its new URL: `turnspan recover --store URL`")
    output.line(f"{len(found) - len(waiting)} of {len(found)} journals recovered into {url}")
    sys.exit(1 if waiting else 0)
