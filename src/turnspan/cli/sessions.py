"""``turnspan sessions``: which sessions there are."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import click
from rich.markup import escape
from rich.table import Table

from turnspan.cli.common import console, open_reading, print_json, reads, short, when
from turnspan.errors import TurnspanError
from turnspan.stores.base import SessionFilter
from turnspan.timeline import summaries

_AGO = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


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
            workspace_id=workspace, agent_id=agent, status=status, since=_time(since), until=_time(until), text=text,
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


def _time(text: str | None) -> str | None:
    if text is None:
        return None
    if ago := re.fullmatch(r"(\d+)([smhdw])", text):
        at = datetime.now(UTC) - timedelta(**{_AGO[ago[2]]: int(ago[1])})
        return at.isoformat()
    try:
        return datetime.fromisoformat(text).astimezone(UTC).isoformat()
    except ValueError as error:
        raise TurnspanError(
            f"{text!r} is no time; write 2026-11-21, 2026-11-21T10:00, or 2h, 3d for so long ago"
        ) from error
