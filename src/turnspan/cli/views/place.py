"""Where an id is, in three places."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from turnspan.cli.documents import FoundPlace, PathStep
from turnspan.reading.places import Place
from turnspan.reading.reader import Reader


def found_place(reader: Reader, place: Place) -> FoundPlace:
    """Return a place with the links to where its trace and its log lines can be looked at."""
    ids = {
        "trace_id": place.trace_id,
        "span_id": place.span_id,
        "session_id": place.hit.session_id,
        "turn_id": place.hit.turn_id,
        "audit_event_id": next(iter(place.audit_event_ids), None),
    }
    return FoundPlace(
        hit=place.hit,
        record=[PathStep(kind=kind, name=name) for kind, name in place.record],
        audit_event_ids=place.audit_event_ids,
        trace_id=place.trace_id,
        span_id=place.span_id,
        span=place.span,
        log=place.log,
        trace_url=reader.traces.to(**ids),
        log_url=reader.logs.to(**ids),
    )


def place_view(place: FoundPlace, trace_source: str | None, log_source: str | None) -> Table:
    """Return a place as a table: what it is, and the way to it in record, trace and log."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(place.hit.kind, Text(place.hit.id))
    table.add_row("record", Text(" > ".join(f"{step.kind} {step.name}" for step in place.record)))
    if place.trace_id is None:
        table.add_row("trace", Text("it has no span"))
    else:
        table.add_row("trace", Text(f"{place.trace_id}  span {place.span_id or '-'}"))
        table.add_row("", _span(place, trace_source))
    for url in filter(None, (place.trace_url, place.log_url)):
        table.add_row("", Text(url, style=f"link {url}"))
    lines = [Text(f"{line.source} {line.event}") for line in place.log]
    nothing = f"no line in {log_source}" if log_source is not None else "no log was searched"
    for number, line in enumerate(lines or [Text(nothing, style="dim")]):
        table.add_row("log" if number == 0 else "", line)
    for number, event_id in enumerate(place.audit_event_ids if place.hit.kind != "audit event" else []):
        table.add_row("audit events" if number == 0 else "", Text(event_id))
    return table


def _span(place: FoundPlace, source: str | None) -> Text:
    if place.span is not None:
        return Text(f"{place.span.name} ({place.span.source})")
    if source is None:
        return Text("no trace was searched: --spans names where spans are kept", style="dim")
    return Text(f"not in {source} (sampled out, or sent elsewhere)", style="dim")
