"""``turnspan find``: where an id is."""

from __future__ import annotations

import click

from turnspan.cli import output
from turnspan.cli.documents import FindDocument
from turnspan.cli.options import Id, reads_store, source_options
from turnspan.cli.views.place import found_place, place_view
from turnspan.reading.reader import Reader


@click.command()
@click.argument("id_", metavar="ID", type=Id(sessions_only=False))
@source_options
@reads_store
def command(reader: Reader, as_json: bool, id_: str, spans: str | None, logs: str | None) -> None:
    """Look up ID in record, trace and log.

    Any id will do, or a prefix of one: audit event, trace, span, turn, call, session, response.
    """
    span_source, line_source = reader.span_source(spans), reader.line_source(logs)
    places = [found_place(reader, place) for place in reader.find(id_, span_source, line_source)]
    traces, lines = (None if source is None else source.name for source in (span_source, line_source))
    if as_json:
        output.document(FindDocument(query=id_, trace_source=traces, log_source=lines, places=places))
    else:
        output.show(*(place_view(place, traces, lines) for place in places))
