"""``turnspan verify``: do record, trace and log agree, and is the record what was written?"""

from __future__ import annotations

import sys

import click
from rich.table import Table

from turnspan.cli.common import open_reading, reads, time_of
from turnspan.cli.output import console, escape, print_json
from turnspan.cli.show import load
from turnspan.recording.redaction import hidden
from turnspan.verification import verify
from turnspan.verification.report import CHECKS, EXPLAINED, Report

_SAYS = {
    0: "[green]Proven[/]: all that was looked at agrees.",
    1: "[yellow]Gaps, all explained[/]: the record is whole; not everything is in trace and log.",
    2: "[red]Gaps that nothing explains.[/]",
    3: "[red]The chain is broken[/]: the record is not what was written.",
}
_MOST_SHOWN = 50


@click.command()
@click.argument("session", required=False)
@click.option("--since", help="Sessions used since: 2026-11-21, 2026-11-21T10:00, or 2h, 3d ago.")
@click.option("--spans", help='OTLP JSON file, or URL of Jaeger or Tempo (default: the file in home; "none").')
@click.option("--logs", help='JSON lines file, or URL of Loki (default: the log file; "none").')
@click.option("--key", help="File with the key that seals must be signed with: HMAC, or Ed25519 in PEM.")
@click.option("--otlp", help="Base URL of an OTLP/HTTP receiver that gets the result as a metric, for dashboards.")
@click.option("--retention", help="How long backends keep things (7d, 12h): what is older and gone has expired.")
@reads
def command(
    session: str | None,
    since: str | None,
    spans: str | None,
    logs: str | None,
    key: str | None,
    retention: str | None,
    otlp: str | None,
    home: str | None,
    store: str | None,
    as_json: bool,
) -> None:
    """Verify SESSION (an id in it, or "last"), those used since a time, or all.

    Exit code 0: proven; 1: gaps that are explained (sampled out, dropped, crashed, pending, expired); 2: gaps that are
    not (missing, orphan, mismatch); 3: the chain is broken (altered).
    """
    reading = open_reading(home, store)
    session_id = load(reading.store, session).session_id if session is not None else None
    report = verify(
        session_id,
        since=time_of(since),
        spans=spans,
        logs=logs,
        store=reading.store,
        key=key,
        retention_ns=_lasting_ns(retention),
        settings=reading.settings,
    )
    if otlp is not None:
        from turnspan.otel_sdk.setup import send_verification

        send_verification(report, otlp)
    if as_json:
        print_json(report.to_dict())
    else:
        show_report(report)
    sys.exit(report.exit_code)


def _lasting_ns(text: str | None) -> int | None:
    if text is None:
        return None
    from datetime import UTC, datetime

    ago = time_of(text)
    assert ago is not None
    return int((datetime.now(UTC) - datetime.fromisoformat(ago)).total_seconds() * 1e9)


def show_report(report: Report) -> None:
    """Print a report for people."""
    out = console()
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, source in report.sources.items():
        table.add_row(name, escape(hidden(source)))
    erased = f", content of {report.erased} erased, by record" if report.erased else ""
    table.add_row("looked at", f"{report.sessions} sessions, {report.events} events{erased}")
    for check in CHECKS:
        counts = report.counts[check]
        if check in report.sources and report.sources[check] == "not checked":
            continue
        table.add_row(check, "  ".join(_count(verdict, count) for verdict, count in sorted(counts.items())) or "-")
    out.print(table)
    for finding in report.findings[:_MOST_SHOWN]:
        where = f"session {finding.session_id}: " if finding.session_id else ""
        style = "yellow" if finding.verdict in EXPLAINED else "red"
        out.print(
            f"[{style}]{finding.verdict}[/] {finding.check}: {escape(hidden(where + finding.says))} [dim]{escape(finding.id)}[/]"
        )
    if len(report.findings) > _MOST_SHOWN:
        out.print(f"... and more: {len(report.findings)} with --json")
    out.print(_SAYS[report.exit_code])


def _count(verdict: str, count: int) -> str:
    style = "green" if verdict == "ok" else "yellow" if verdict in EXPLAINED else "red"
    return f"[{style}]{count} {verdict}[/]"
