"""``turnspan replay``: a session as a timeline."""

from __future__ import annotations

from typing import Literal

import click

from turnspan.cli import output
from turnspan.cli.documents import ReplayDocument, TimelineItem
from turnspan.cli.formatting import Display
from turnspan.cli.options import SESSION, Words, display_options, reads_store
from turnspan.cli.views.timeline import aggregates_view, timeline_sums, timeline_view
from turnspan.reading.reader import Reader
from turnspan.reading.timeline import TimelineEntry, aggregates_of

_BY: dict[str, Literal["agent", "tool", "model"]] = {"agent": "agent", "tool": "tool", "model": "model"}


@click.command()
@SESSION
@click.option(
    "--by", default="time", show_default=True, type=click.Choice(["time", *_BY]), help="In order of time, or totals."
)
@click.option("--turn", type=Words(), help="Only this turn: its id, a prefix of it, or its number (-1: the last).")
@display_options(ids=True)
@reads_store
def command(reader: Reader, display: Display, as_json: bool, session: str, turn: str | None, by: str) -> None:
    """Replay SESSION (as for `show`): what happened when, by whom; or what each agent, tool or model did altogether."""
    found = reader.session(session)
    entries = reader.timeline(found)
    if turn is not None:
        turn_id = reader.turn(found, turn).turn_id
        entries = [entry for entry in entries if entry.turn_id == turn_id]
    if by != "time":
        totals = aggregates_of(entries, _BY[by])
        if as_json:
            output.document(ReplayDocument(session_id=found.session_id, by=by, aggregates=totals))
        else:
            output.show(aggregates_view(totals, by))
    elif as_json:
        items = [_item(entry) for entry in entries]
        output.document(ReplayDocument(session_id=found.session_id, by=by, entries=items))
    else:
        output.show(timeline_view(entries, display), timeline_sums(entries))


def _item(entry: TimelineEntry) -> TimelineItem:
    node = entry.node
    return TimelineItem(
        kind=node.kind,
        name=node.name,
        status=node.status,
        started_at=node.started_at,
        offset_ms=entry.offset_ms,
        duration_ms=node.duration_ms,
        depth=entry.depth,
        agent=entry.agent,
        turn_id=entry.turn_id,
        call_id=node.call_id,
        trace_id=node.trace_id,
        span_id=node.span_id,
        audit_event_ids=node.audit_event_ids,
        error=node.error,
        details=node.details,
    )
