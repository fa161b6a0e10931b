"""``turnspan sessions``: which sessions there are."""

from __future__ import annotations

import shlex
import sys

import click

from turnspan.cli import output
from turnspan.cli.documents import SessionsDocument
from turnspan.cli.formatting import Display
from turnspan.cli.options import LARGEST, Id, Seconds, Time, Words, display_options, reads_store
from turnspan.cli.tables import Column, Table
from turnspan.reading.reader import Reader
from turnspan.stores.base import SessionFilter, SessionSummary

_PROMPT = 60
_COLUMNS = [
    Column("SESSION"),
    Column("LAST USED", rank=1),
    Column("TURNS", "number", rank=2),
    Column("FAILED", "number", rank=5),
    Column("AGENT", rank=4),
    Column("WORKSPACE", rank=6),
    Column("FIRST PROMPT", "text", rank=3),
]


@click.command()
@click.option("--workspace", type=Words(), help="Only sessions of this workspace.")
@click.option("--agent", type=Words(), help="Only sessions in which this agent had a turn.")
@click.option(
    "--status", type=click.Choice(["success", "error", "cancelled", "running"]), help="Only sessions with such a turn."
)
@click.option("--since", type=Time(), help="Used since this time: 2026-11-21, 2026-11-21T10:00, or 2h, 3d ago.")
@click.option("--until", type=Time(), help="Started before this time.")
@click.option(
    "--search",
    "--text",
    type=Words(),
    help="Only with these words in one turn: its prompt, answer, error, notes, or its tools' names, arguments, results and"
    ' errors. All of them; "a phrase", begin*.',
)
@click.option("--tool", type=Words(), help="Only with a call of this tool.")
@click.option("--model", type=Words(), help="Only with a call of this model.")
@click.option("--parent", type=Id(), help="Only those whose parent is this session.")
@click.option(
    "--min-tokens",
    type=click.IntRange(0, LARGEST),
    metavar="COUNT",
    help="Only with a turn that used at least this many tokens.",
)
@click.option("--min-seconds", type=Seconds(0), help="Only with a turn that took at least this long.")
@click.option(
    "--limit",
    default=20,
    show_default=True,
    type=click.IntRange(1, 1000),
    metavar="COUNT",
    help="How many sessions to list.",
)
@click.option("--after", type=Id(), help="List the page after this session id.")
@display_options(ids=False)
@reads_store
def command(
    reader: Reader,
    display: Display,
    as_json: bool,
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
) -> None:
    """List sessions, the last used first."""
    page = reader.sessions(
        SessionFilter(
            workspace_id=workspace,
            agent_id=agent,
            status=status,
            since=since,
            until=until,
            text=search,
            tool=tool,
            model=model,
            parent_id=parent,
            min_tokens=min_tokens,
            min_duration_ms=None if min_seconds is None else min_seconds * 1000,
            limit=limit,
            after=after,
        ),
        costs=as_json,
    )
    if as_json:
        output.document(SessionsDocument(sessions=page.sessions, next=page.next))
    elif not page.sessions:
        output.line("No session matches.")
    else:
        output.show(_table(page.sessions, display))
        if page.next is not None and sys.stdout.isatty():  # a list in a pipe is a list
            output.line(f"more: turnspan sessions --after {shlex.quote(page.next)}")


def _table(sessions: list[SessionSummary], display: Display) -> Table:
    table = Table(_COLUMNS)
    for session in sessions:
        table.add(
            session.session_id,
            display.time(session.updated_at),
            str(session.turns),
            str(session.failed_turns or "-"),
            session.agent_id or "-",
            session.workspace_id or "-",
            display.cell(session.prompt, _PROMPT),
        )
    return table
