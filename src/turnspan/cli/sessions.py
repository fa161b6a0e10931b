"""``turnspan sessions``: which sessions there are."""

from __future__ import annotations

from dataclasses import asdict

import click
from rich.table import Table

from turnspan.cli.common import open_reading, reads, short, time_of, when
from turnspan.cli.output import console, echo, escape, print_json
from turnspan.reading.find import summaries
from turnspan.stores.base import SessionFilter


@click.command()
@click.option("--workspace", help="Only sessions of this workspace.")
@click.option("--agent", help="Only sessions in which this agent had a turn.")
@click.option(
    "--status", type=click.Choice(["success", "error", "cancelled", "running"]), help="Only with such a turn."
)
@click.option("--since", help="Used since: 2026-11-21, 2026-11-21T10:00, or 2h, 3d ago.")
@click.option("--until", help="Begun before; likewise.")
@click.option(
    "--search",
    "--text",
    help="With these words in one turn: its prompt, answer, error, or its tools' names, arguments and errors."
    ' All of them; "a phrase", begin*.',
)
@click.option("--tool", help="Only with a call of this tool.")
@click.option("--model", help="Only with a call of this model.")
@click.option("--parent", help="Only those that came out of this session.")
@click.option("--min-tokens", type=click.IntRange(0), help="Only with a turn that used so many tokens.")
@click.option("--min-seconds", type=click.FloatRange(0), help="Only with a turn that took so long.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many.")
@click.option("--after", help="The page after this session id.")
@reads
def command(
    workspace: str | None,
    agent: str | None,
    status: str | None,
    since: str | None,
    until: str | None,
    search: str | None,
    tool: str | None,
    model: str | None,
    parent: str | None,
    min_tokens: int | None,
    min_seconds: float | None,
    limit: int,
    after: str | None,
    home: str | None,
    store: str | None,
    as_json: bool,
) -> None:
    """List sessions, the last used first."""
    reading = open_reading(home, store)
    found = summaries(
        reading.store,
        SessionFilter(
            workspace_id=workspace,
            agent_id=agent,
            status=status,
            since=time_of(since),
            until=time_of(until),
            text=search,
            tool=tool,
            model=model,
            parent_id=parent,
            min_tokens=min_tokens,
            min_duration_ms=None if min_seconds is None else min_seconds * 1000,
            limit=limit,
            after=after,
        ),
    )
    if as_json:
        print_json([asdict(one) for one in found])
        return
    if not found:
        echo("No session matches.")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("SESSION", "LAST USED", "TURNS", "FAILED", "AGENT", "WORKSPACE", "FIRST PROMPT"):
        table.add_column(name, no_wrap=True, justify="right" if name in ("TURNS", "FAILED") else "left")
    for one in found:
        table.add_row(
            escape(one.session_id),
            escape(when(one.updated_at)),
            str(one.turns),
            str(one.failed_turns or "-"),
            escape(one.agent_id or "-"),
            escape(one.workspace_id or "-"),
            escape(short(one.prompt, 50)),
        )
    console().print(table)
    if len(found) == limit:
        echo(f"more: turnspan sessions --after {found[-1].session_id}")
