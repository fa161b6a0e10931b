"""How a report reads: which sources were checked, what agrees, each difference, and the verdict.

A sentence is a list of pieces, each with the verdict that it is coloured by, or none: the command line colours them,
``print(report)`` does not, and a notebook shows them as a table.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from turnspan.model.display import counted
from turnspan.model.inert import inert_line
from turnspan.recording.redaction import redact_secrets
from turnspan.verification.report import EXPLAINED

if TYPE_CHECKING:
    from turnspan.verification.report import Report

VERDICTS = {
    0: ("ok", "Proven", ": everything that was checked agrees."),
    1: ("pending", "Gaps, all explained", ": the record is complete; not everything is in trace and log."),
    2: ("missing", "Unexplained gaps.", ""),
    3: ("altered", "The chain is broken", ": the record is not what was written."),
    4: ("missing", "Inconclusive", ": nothing could be checked."),
}
"""What each exit code means: a verdict for its colour, and the sentence."""
_INCOMPLETE = ": the record does not have everything, for the reasons above."
_BESIDE_THE_RECORD = ("trace", "log")
_MOST_SHOWN = 50


class Piece(NamedTuple):
    """Some words of a sentence; ``verdict`` is what they are about, "" where that does not matter."""

    text: str
    verdict: str = ""


def rows(report: Report) -> Iterator[tuple[str, list[Piece]]]:
    """Yield what was checked, and each check with its counts."""
    for name, source in report.sources.items():
        yield name, [Piece(redact_secrets(source))]
    erased = f", content of {report.erased} erased, by record" if report.erased else ""
    yield "checked", [Piece(f"{counted(report.sessions, 'session')}, {counted(report.events, 'event')}{erased}")]
    for check, counts in report.counts.items():
        if report.sources.get(check) == "not checked" or (check == "anchor" and not counts):
            continue
        yield check, [Piece(f"{count} {verdict}", verdict) for verdict, count in sorted(counts.items())] or [Piece("-")]


def sentences(report: Report) -> Iterator[list[Piece]]:
    """Yield the differences, what the verdict does not cover, and the verdict."""
    for finding in report.findings[:_MOST_SHOWN]:
        where = f"session {finding.session_id}: " if finding.session_id else ""
        says = f" {finding.check}: {redact_secrets(where + finding.says)} "
        yield [Piece(finding.verdict, finding.verdict), Piece(says), Piece(finding.id, "id")]
    if len(report.findings) > _MOST_SHOWN:
        yield [Piece(f"... and more: {len(report.findings)} with --json")]
    for note in report.notes:
        yield [Piece("not checked", "elsewhere"), Piece(f": {redact_secrets(note)}")]
    if report.problem:
        yield [Piece("problem", "pending"), Piece(f": {redact_secrets(report.problem)}")]
    verdict, says, more = VERDICTS[report.exit_code]
    if report.exit_code == 1 and _lacks_something(report):
        more = _INCOMPLETE
    yield [Piece(says, verdict), Piece(more)]


def _lacks_something(report: Report) -> bool:
    """Return whether a gap is in the record itself: events that are lost, wait, or were removed, or ends that are to come."""
    return any(
        verdict in EXPLAINED and count
        for check, counts in report.counts.items()
        if check not in _BESIDE_THE_RECORD
        for verdict, count in counts.items()
    )


def as_text(report: Report) -> str:
    """Return a report as lines."""
    table = [f"{name:<14}{'  '.join(piece.text for piece in pieces)}" for name, pieces in rows(report)]
    return "\n".join(inert_line(line) for line in [*table, *map(_plain, sentences(report))])


def as_html(report: Report) -> str:
    """Return a report as a table: escaped, without styles, scripts or links."""
    *found, verdict = map(_plain, sentences(report))
    cells = [(name, "  ".join(piece.text for piece in pieces)) for name, pieces in rows(report)]
    body = "".join(f"<tr><th>{_cell(name)}</th><td>{_cell(text)}</td></tr>" for name, text in cells)
    items = "".join(f"<li>{_cell(line)}</li>" for line in found)
    return f"<table><caption>{_cell(verdict)}</caption>{body}</table>" + (f"<ul>{items}</ul>" if items else "")


def _plain(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def _cell(text: str) -> str:
    return escape(inert_line(text))
