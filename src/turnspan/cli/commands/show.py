"""``turnspan show``: a session as a tree."""

from __future__ import annotations

import sys

import click
from msgspec import to_builtins

from turnspan.cli import output
from turnspan.cli.documents import SESSION_SCHEMA
from turnspan.cli.formatting import Display
from turnspan.cli.options import SESSION, Words, display_options, reads_store
from turnspan.cli.views.session import session_view
from turnspan.reading.prices import cost_of
from turnspan.reading.reader import Reader


@click.command()
@SESSION
@click.option("--turn", type=Words(), help="Only this turn: its id, a prefix of it, or its number (-1: the last).")
@display_options(ids=True)
@reads_store
def command(reader: Reader, display: Display, as_json: bool, session: str, turn: str | None) -> None:
    """Show SESSION as a tree: its id, a prefix of it, the id of a turn, trace or event in it, or "last"."""
    found = reader.session(session)
    if turn is not None:
        found.turns = [reader.turn(found, turn)]
        found.agent_transitions = [t for t in found.agent_transitions if t.turn_id == found.turns[0].turn_id]
    if as_json:
        cost = to_builtins(cost_of(reader.tree(found)))
        output.document({"schema": SESSION_SCHEMA, **found.to_dict(), "cost": cost})
        return
    output.show(
        session_view(
            found,
            reader.tree(found),
            turn_ids=[one.turn_id for one in found.turns],
            children=[child.session_id for child in reader.children(found.session_id)],
            traces=reader.traces,
            display=display,
            links_shown=not sys.stdout.isatty(),
        )
    )
