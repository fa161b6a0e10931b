"""``turnspan verify``: do record, trace and log agree, and is the record what was written?"""

from __future__ import annotations

import sys

import click

from turnspan.cli import output
from turnspan.cli.documents import VERIFY_SCHEMA
from turnspan.cli.options import Duration, Id, Time, source_options, store_options
from turnspan.cli.views.report import report_view
from turnspan.reading.reader import Reader
from turnspan.settings import Settings, endpoint_at
from turnspan.verification import existing_store, verify


@click.command()
@click.argument("session", required=False, type=Id())
@click.option("--since", type=Time(), help="Sessions used since: 2026-11-21, 2026-11-21T10:00, or 2h, 3d ago.")
@click.option(
    "--key", metavar="FILE", help="File with the key that seals must be signed with: HMAC, or Ed25519 in PEM."
)
@click.option(
    "--anchor",
    metavar="FILE",
    multiple=True,
    help="File written by `turnspan anchor`: everything older must be unchanged.",
)
@click.option(
    "--retention", type=Duration(), help="Retention of the backends (7d, 12h): older spans and log lines have expired."
)
@click.option(
    "--otlp", metavar="URL", help="Base URL of an OTLP/HTTP receiver that gets the result as a metric, for dashboards."
)
@source_options
@store_options
def command(
    home: str | None,
    store: str | None,
    as_json: bool,
    session: str | None,
    since: str | None,
    spans: str | None,
    logs: str | None,
    key: str | None,
    anchor: tuple[str, ...],
    retention: int | None,
    otlp: str | None,
) -> None:
    """Verify SESSION (an id in it, or "last"), the sessions used since a time, or all. Nothing is changed, created or sent.

    Exit code 0: proven; 1: gaps that are explained (sampled out, dropped, crashed, pending, expired, removed); 2: gaps
    that are not (missing, orphan, mismatch); 3: the chain is broken (altered); 4: inconclusive, because nothing
    is recorded, the session is unknown, the key is a different one, or a store or backend cannot be reached.
    """
    settings = Settings.read(home=home, store=store)
    reader = Reader(settings, existing_store(settings.store_url))
    report = verify(
        reader.session(session).session_id if session is not None else None,
        since=since,
        spans=spans,
        logs=logs,
        store=reader.store,
        key=key,
        anchors=anchor,
        retention_ns=retention,
        settings=settings,
    )
    if otlp is not None:
        from turnspan.otel_sdk.verification_metrics import send_verification

        send_verification(report.counts, endpoint_at(otlp, "metrics"))
    if as_json:
        output.document({"schema": VERIFY_SCHEMA, **report.to_dict()})
    else:
        output.show(report_view(report))
    sys.exit(report.exit_code)
