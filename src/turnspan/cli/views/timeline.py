"""A session as a timeline, and its totals."""

from __future__ import annotations

from rich.text import Text

from turnspan.cli.formatting import STATUS_STYLE, Display, format_duration, format_status
from turnspan.cli.tables import Column, Table
from turnspan.model.display import counted
from turnspan.reading.timeline import Aggregate, TimelineEntry, aggregates_of
from turnspan.reading.tree import TimelineNode

_CONTENT = 60


def timeline_view(entries: list[TimelineEntry], how: Display) -> Table:
    """Return a timeline."""
    columns = [
        Column("TIME", rank=4),
        Column("AFTER", "number", rank=1),
        Column("AGENT", rank=2),
        Column("WHAT"),
        Column("STATUS"),
        Column("TOOK", "number"),
        *([Column("SPAN"), Column("EVENTS")] if how.ids else []),
        Column("CONTENT", "text", rank=3),
    ]
    table = Table(columns)
    for entry in entries:
        node = entry.node
        what = Text(f"{'  ' * entry.depth}{node.label} ").append(node.name, style="bold")
        table.add(
            how.time(node.started_at, precise=True),
            f"{entry.offset_ms / 1000:.3f} s",
            entry.agent,
            what,
            Text(format_status(node.status), style=STATUS_STYLE.get(node.status, "")),
            format_duration(node.duration_ms),
            *([node.span_id or "-", _events(node)] if how.ids else []),
            Text(how.cell(content, _CONTENT) if (content := _content(node)) else "", style="dim"),
        )
    return table


def timeline_sums(entries: list[TimelineEntry]) -> str:
    """Return what a timeline adds up to, as a line."""
    turns = [entry.node for entry in entries if entry.node.kind == "turn"]
    tools, models = (sum(entry.node.kind == f"{kind} call" for entry in entries) for kind in ("tool", "model"))
    spent = aggregates_of(entries, "model")
    tokens = f"{sum(one.input_tokens for one in spent)} in / {sum(one.output_tokens for one in spent)} out tokens"
    took = format_duration(sum(turn.duration_ms or 0 for turn in turns))
    return f"{counted(len(turns), 'turn')}, {counted(models, 'model call')}, {counted(tools, 'tool call')}, {tokens}, {took}"


def aggregates_view(aggregates: list[Aggregate], by: str) -> Table:
    """Return totals."""
    names = ("TURNS" if by == "agent" else "CALLS", "FAILED", "TOOK", "TOKENS IN", "TOKENS OUT")
    priced = any(total.cost is not None and (total.cost.prices or total.cost.usd) for total in aggregates)
    costs = [Column("COST", "number")] if priced else []
    table = Table([Column(by.upper()), *(Column(name, "number") for name in names), *costs])
    for total in aggregates:
        table.add(
            total.name,
            str(total.count),
            str(total.failed or "-"),
            format_duration(total.duration_ms),
            str(total.input_tokens or "-"),
            str(total.output_tokens or "-"),
            *([total.cost.or_unknown()] if priced and total.cost is not None else []),
        )
    return table


def _content(node: TimelineNode) -> object:
    """Return what something was given, or says."""
    details = node.details
    return details.get("prompt") or details.get("arguments") or details.get("data") or details.get("reason")


def _events(node: TimelineNode) -> str:
    """Return the events of something: of a turn the first and the last, the others have rows of their own."""
    ids = node.audit_event_ids
    return " ".join([ids[0], ids[-1]] if node.kind == "turn" and len(ids) > 2 else ids) or "-"
