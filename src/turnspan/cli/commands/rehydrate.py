"""``turnspan rehydrate``: send the spans of recorded turns again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from turnspan.cli import output
from turnspan.cli.documents import RehydrateDocument
from turnspan.cli.options import Id, Time, reads_store
from turnspan.errors import TurnspanError
from turnspan.journal.recorded_events import recorded_events
from turnspan.model.display import counted
from turnspan.otel_sdk.exporters import FileSpanExporter, span_exporter
from turnspan.otel_sdk.rehydration import send, spans_again
from turnspan.reading.pages import summaries
from turnspan.reading.places import hits
from turnspan.reading.reader import Reader
from turnspan.settings import Settings, endpoint_at, without_password
from turnspan.stores.base import Audited, SessionFilter
from turnspan.telemetry import semconv as sc
from turnspan.telemetry.semconv import PROFILES


@click.command()
@click.argument("what", required=False, type=Id())
@click.option("--since", type=Time(), help="Sessions used since: 2026-11-21, 2026-11-21T10:00, or 2h, 3d ago.")
@click.option("--otlp", metavar="URL", help="Base URL of an OTLP/HTTP receiver (default: OTEL_EXPORTER_OTLP_ENDPOINT).")
@click.option(
    "--rate",
    default=2000.0,
    show_default=True,
    type=click.FloatRange(0),
    help="At most this many spans a second; 0: no limit.",
)
@reads_store
def command(reader: Reader, as_json: bool, what: str | None, since: str | None, otlp: str | None, rate: float) -> None:
    """Resend the spans of WHAT: a session, a turn, any id in one, or "last"; or of all sessions used since a time.

    They keep their trace ids, span ids, parents, times, attributes, links and status, so that sending twice changes
    nothing. Without an endpoint they go to the span file in home. Spans that other libraries made inside of a turn are
    not ours to send.
    """
    if (what is None) == (since is None):
        raise click.UsageError("Nothing to send: pass a session, a turn, any id in one, `last`, or --since 2h")
    settings = reader.settings
    if not isinstance(reader.store, Audited):
        url = without_password(settings.store_url)
        raise TurnspanError(f"{url} keeps no audit rows, so spans cannot be rebuilt from it")
    url = endpoint_at(otlp, "traces") if otlp else settings.endpoint("traces")
    path = settings.spans_path
    exporter = span_exporter(url) if url else FileSpanExporter(path)
    session_ids, turn_id = _meant(reader, what, since)
    spans = list(_spans(reader.store, settings, session_ids, turn_id))
    if not url and isinstance(exporter, FileSpanExporter):
        spans = exporter.missing(spans)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, disable=as_json or not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task("spans", total=len(spans))
        sent = send(spans, exporter, spans_per_s=rate, on_progress=lambda done: progress.update(task, completed=done))
    exporter.shutdown()
    done = RehydrateDocument(sessions=len(session_ids), spans=sent, to=otlp or without_password(url) or str(path))
    if as_json:
        output.document(done)
    else:
        output.line(f"{counted(sent, 'span')} of {counted(done.sessions, 'session')} sent to {done.to}")


def _meant(reader: Reader, what: str | None, since: str | None) -> tuple[list[str], str | None]:
    """Return the sessions that are meant, and the turn if it is only one."""
    if what is None:
        return [one.session_id for one in summaries(reader.store, SessionFilter(since=since, limit=10**9))], None
    if what != "last":
        named = [hit for hit in hits(reader.store, what) if hit.id == what and hit.turn_id is not None]
        turns = {(hit.session_id, hit.turn_id) for hit in named}
        if len(turns) == 1 and not any(hit.kind == "session" for hit in named):
            ((session_id, turn_id),) = turns
            return [session_id], turn_id
    return [reader.session(what).session_id], None


def _spans(store: Audited, settings: Settings, session_ids: list[str], turn_id: str | None) -> Iterator[Any]:
    for session_id in session_ids:
        rows = store.audit_events(session_id)
        for span in spans_again(
            recorded_events(rows),
            content=settings.span_content,
            profile=PROFILES[settings.semconv],
            view_url=settings.view_url,
        ):
            if turn_id is None or (span.attributes or {}).get(sc.TURNSPAN_TURN_ID) == turn_id:
                yield span
