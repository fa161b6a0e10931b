"""``turnspan recover``: store what dead processes left."""

from __future__ import annotations

import sys

import click

from turnspan.cli.common import reads, recover_for
from turnspan.cli.output import echo, print_json
from turnspan.settings import Settings
from turnspan.stores import open_store


@click.command()
@reads
def command(home: str | None, store: str | None, as_json: bool) -> None:
    """Store what dead processes left in their journals; every start of a recorded program does so too."""
    settings = Settings.read(home=home, store=store)
    url = settings.store_url
    found = recover_for(settings, open_store(url))
    if as_json:
        print_json([one._asdict() for one in found])
        return
    for one in found:
        if one.problem is not None:
            echo(f"journal {one.journal}: {one.events} events wait: {one.problem}", err=True)
            continue
        torn = f", {one.torn_bytes} bytes of a torn line dropped" if one.torn_bytes else ""
        sent = f", {one.spans} spans sent again" if one.spans else ""
        echo(f"journal {one.journal}: {one.events} events, {one.interrupted_turns} interrupted turns{torn}{sent}")
    stored = [one for one in found if one.problem is None]
    echo(f"{len(stored)} of {len(found)} journals recovered into {url}")
    sys.exit(0 if len(stored) == len(found) else 1)
