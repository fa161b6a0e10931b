"""What a verification found."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from turnspan.recording.redaction import redact_secrets
from turnspan.verification.report import CHECKS, COULD_NOT_LOOK, EXPLAINED, NOT_LOOKED_AT, Report

_SAYS = {
    0: ("Proven", "green", ": all that was looked at agrees."),
    1: ("Gaps, all explained", "yellow", ": the record is whole; not everything is in trace and log."),
    2: ("Gaps that nothing explains.", "red", ""),
    3: ("The chain is broken", "red", ": the record is not what was written."),
    COULD_NOT_LOOK: ("Nothing can be said", "red", ", neither for nor against what was recorded."),
}
_MOST_SHOWN = 50


def report_view(report: Report) -> RenderableType:
    """Return a report: where was looked, what agrees, each difference, and the verdict."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, source in report.sources.items():
        table.add_row(name, Text(redact_secrets(source)))
    erased = f", content of {report.erased} erased, by record" if report.erased else ""
    table.add_row("looked at", Text(f"{report.sessions} sessions, {report.events} events{erased}"))
    for check in CHECKS:
        if check in report.sources and report.sources[check] == "not checked":
            continue
        if check == "anchor" and not report.counts[check]:
            continue
        counts = [_count(verdict, count) for verdict, count in sorted(report.counts[check].items())]
        table.add_row(check, Text("  ").join(counts) if counts else Text("-"))
    parts: list[RenderableType] = [table]
    for finding in report.findings[:_MOST_SHOWN]:
        where = f"session {finding.session_id}: " if finding.session_id else ""
        style = "yellow" if finding.verdict in EXPLAINED else "red"
        says = f" {finding.check}: {redact_secrets(where + finding.says)} "
        parts.append(Text.assemble((finding.verdict, style), says, (finding.id, "dim")))
    if len(report.findings) > _MOST_SHOWN:
        parts.append(Text(f"... and more: {len(report.findings)} with --json"))
    parts += [Text.assemble(("not looked at", "yellow"), f": {redact_secrets(note)}") for note in report.notes]
    if report.problem:
        parts.append(Text.assemble(("problem", "yellow"), f": {redact_secrets(report.problem)}"))
    verdict, style, more = _SAYS[report.exit_code]
    return Group(*parts, Text.assemble((verdict, style), more))


def _count(verdict: str, count: int) -> Text:
    style = "green" if verdict == "ok" else "yellow" if verdict in EXPLAINED | NOT_LOOKED_AT else "red"
    return Text(f"{count} {verdict}", style=style)
