"""``turnspan rehydrate``: send the spans of recorded turns again."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click
from opentelemetry.sdk.trace import ReadableSpan
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from turnspan.cli.common import Reading, open_reading, reads, time_of
from turnspan.cli.output import echo, print_json
from turnspan.cli.show import load
from turnspan.errors import TurnspanError
from turnspan.otel_sdk.rehydration import send, spans_again, told_of
from turnspan.otel_sdk.setup import FileSpanExporter, span_exporter
from turnspan.reading.find import hits, summaries
from turnspan.settings import Settings
from turnspan.stores.base import Audited, SessionFilter
from turnspan.telemetry import semconv as sc
from turnspan.telemetry.semconv import PROFILES


@click.command()
@click.argument("what", required=False)
@click.option("--since", help="Sessions used since: 2026-11-21, 2026-11-21T10:00, or 2h, 3d ago.")
@click.option("--otlp", help="Base URL of an OTLP/HTTP receiver (default: OTEL_EXPORTER_OTLP_ENDPOINT).")
@click.option("--rate", default=2000.0, show_default=True, help="Spans a second, at most; 0 is no limit.")
@reads
def command(
    what: str | None,
    since: str | None,
    otlp: str | None,
    rate: float,
    home: str | None,
    store: str | None,
    as_json: bool,
) -> None:
    """Send the spans of WHAT again: a session, a turn, any id in one, or "last"; or of all sessions used since a time.

    They have their own trace ids, span ids, parents, times, attributes, links and status, so that sending twice changes
    nothing. Without an endpoint they go to the span file in home. Spans that other libraries made inside of a turn are
    not ours to send.
    """
    if (what is None) == (since is None):
        raise TurnspanError("Say what to send: a session, a turn, any id in one, `last`, or --since 2h")
    reading = open_reading(home, store)
    settings = reading.settings
    if not isinstance(reading.store, Audited):
        raise TurnspanError(f"{settings.store_url} keeps no audit rows, so spans cannot be made of it")
    url = otlp or settings.otlp
    path = settings.spans_path
    exporter = span_exporter(url) if url else FileSpanExporter(path)
    session_ids, turn_id = _meant(reading, what, time_of(since))
    spans = list(_spans(reading.store, settings, session_ids, turn_id))
    if not url and isinstance(exporter, FileSpanExporter):
        spans = exporter.missing(spans)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, disable=as_json or not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task("spans", total=len(spans))
        sent = send(spans, exporter, spans_per_s=rate, told=lambda done: progress.update(task, completed=done))
    exporter.shutdown()
    done = {"sessions": len(session_ids), "spans": sent, "to": url or str(path)}
    if as_json:
        print_json(done)
    else:
        echo(f"{sent} spans of {len(session_ids)} sessions sent to {done['to']}")


def _meant(reading: Reading, what: str | None, since: str | None) -> tuple[list[str], str | None]:
    """Return the sessions that are meant, and the turn if it is only one."""
    if what is None:
        return [one.session_id for one in summaries(reading.store, SessionFilter(since=since, limit=10**9))], None
    if what != "last":
        named = [hit for hit in hits(reading.store, what) if hit.id == what and hit.turn_id is not None]
        turns = {(hit.session_id, hit.turn_id) for hit in named}
        if len(turns) == 1 and not any(hit.kind == "session" for hit in named):
            ((session_id, turn_id),) = turns
            return [session_id], turn_id
    return [load(reading.store, what).session_id], None


def _spans(store: Audited, settings: Settings, session_ids: list[str], turn_id: str | None) -> Iterator[ReadableSpan]:
    for session_id in session_ids:
        rows = store.audit_events(session_id)
        for span in spans_again(
            told_of(rows), content=settings.span_content, profile=PROFILES[settings.semconv], view_url=settings.view_url
        ):
            if turn_id is None or (span.attributes or {}).get(sc.TURNSPAN_TURN_ID) == turn_id:
                yield span
