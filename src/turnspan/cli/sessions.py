"""``turnspan sessions``: which sessions there are."""

from __future__ import annotations

from dataclasses import asdict

import click
from rich.markup import escape
from rich.table import Table

from turnspan.cli.common import console, open_reading, print_json, reads, short, time_of, when
from turnspan.stores.base import SessionFilter
from turnspan.timeline import summaries


@click.command()
@click.option("--workspace", help="Only sessions of this workspace.")
@click.option("--agent", help="Only sessions in which this agent had a turn.")
@click.option(
    "--status", type=click.Choice(["success", "error", "cancelled", "running"]), help="Only with such a turn."
)
@click.option("--since", help="Used since: 2026-11-21, 2026-11-21T10:00, or 2h, 3d ago.")
@click.option("--until", help="Begun before; likewise.")
@click.option("--text", help="With this in a prompt, an answer or an error.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many.")
@click.option("--after", help="The page after this session id.")
@reads
def command(
    workspace: str | None, agent: str | None, status: str | None, since: str | None, until: str | None, text: str | None,
    limit: int, after: str | None, home: str | None, store: str | None, as_json: bool,
) -> None:  # fmt: skip
    """List sessions, the last used first."""
    reading = open_reading(home, store)
    found = summaries(
        reading.store,
        SessionFilter(
            workspace_id=workspace, agent_id=agent, status=status, since=time_of(since), until=time_of(until), text=text,
            limit=limit, after=after,
        ),
    )  # fmt: skip
    if as_json:
        print_json([asdict(one) for one in found])
        return
    if not found:
        click.echo("No session matches.")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("SESSION", "LAST USED", "TURNS", "FAILED", "AGENT", "WORKSPACE", "FIRST PROMPT"):
        table.add_column(name, no_wrap=True, justify="right" if name in ("TURNS", "FAILED") else "left")
    for one in found:
        table.add_row(
            escape(one.session_id), when(one.updated_at), str(one.turns), str(one.failed_turns or "-"),
            escape(one.agent_id or "-"), escape(one.workspace_id or "-"), escape(short(one.prompt, 50)),
        )  # fmt: skip
    console().print(table)
    if len(found) == limit:
        click.echo(f"more: turnspan sessions --after {found[-1].session_id}")
