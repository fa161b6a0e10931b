"""``turnspan find``: where an id is."""

from __future__ import annotations

import click
from rich.table import Table

from turnspan.cli.common import Reading, open_reading, reads
from turnspan.cli.output import console, escape, linked, print_json
from turnspan.errors import TurnspanError
from turnspan.reading.find import Place, hits, place_of


@click.command()
@click.argument("id_")
@reads
def command(id_: str, home: str | None, store: str | None, as_json: bool) -> None:
    """Say where ID is in record, trace and log.

    Any id will do, or the beginning of one: audit event, trace, span, turn, call, session, response.
    """
    reading = open_reading(home, store)
    places = find(reading, id_)
    links = [links_of(reading, place) for place in places]
    if as_json:
        print_json([{**place.to_dict(), **more} for place, more in zip(places, links, strict=True)])
        return
    for place, more in zip(places, links, strict=True):
        console().print(as_table(place, **more))


def links_of(reading: Reading, place: Place) -> dict[str, str | None]:
    """Return where a place's trace and its log lines can be looked at."""
    ids = {
        "trace_id": place.trace_id,
        "span_id": place.span_id,
        "session_id": place.hit.session_id,
        "turn_id": place.hit.turn_id,
        "audit_event_id": next(iter(place.audit_event_ids), None),
    }
    return {"trace_url": reading.traces.to(**ids), "log_url": reading.logs.to(**ids)}


def find(reading: Reading, wanted: str) -> list[Place]:
    """Return where an id, or what begins like it, is.

    Raises:
        TurnspanError: When nothing has it, or too many things begin like it.

    """
    found = hits(reading.store, wanted.strip())
    if not found:
        raise TurnspanError(f"Nothing in {reading.settings.store_url} has an id that is or begins with {wanted!r}")
    ids = sorted({hit.id for hit in found})
    if len(ids) > 1:
        some = ", ".join(ids[:5]) + (", ..." if len(ids) > 5 else "")
        raise TurnspanError(f"{wanted!r} may be any of {len(ids)} ids: {some}; give more of it")
    turns = {(hit.session_id, hit.turn_id): hit for hit in found if hit.turn_id is not None} or {("", ""): found[0]}
    return [place_of(reading.store, hit, reading.settings.log_path, reading.spans_path) for hit in turns.values()]


def as_table(place: Place, trace_url: str | None = None, log_url: str | None = None) -> Table:
    """Return a place for people."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(place.hit.kind, escape(place.hit.id))
    table.add_row("record", escape(place.record))
    table.add_row(
        "trace", f"{place.trace_id or '-'}  span {place.span_id or '-'}" if place.trace_id else "no span: it has none"
    )
    if place.trace_id:
        table.add_row(
            "",
            escape(place.span) if place.span else "[dim]not in the local span file (sampled out, or sent elsewhere)[/]",
        )
    for url in filter(None, (trace_url, log_url)):
        table.add_row("", linked(url, url))
    for number, line in enumerate(place.log or ["[dim]no line in the log file[/]"]):
        table.add_row("log" if number == 0 else "", escape(line) if place.log else line)
    for number, event_id in enumerate(place.audit_event_ids if place.hit.kind != "audit event" else []):
        table.add_row("audit events" if number == 0 else "", event_id)
    return table
