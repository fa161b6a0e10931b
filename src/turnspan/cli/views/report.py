"""What a verification found, in colours."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from turnspan.verification.report import EXPLAINED, NOT_LOOKED_AT, Report
from turnspan.verification.report_text import Piece, rows, sentences


def report_view(report: Report) -> RenderableType:
    """Return a report: which sources were checked, what agrees, each difference, and the verdict."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, pieces in rows(report):
        table.add_row(name, Text("  ").join(map(_coloured, pieces)))
    return Group(table, *(Text.assemble(*map(_coloured, sentence)) for sentence in sentences(report)))


def _coloured(piece: Piece) -> Text:
    return Text(piece.text, style=_style(piece.verdict))


def _style(verdict: str) -> str:
    if verdict in ("", "id"):
        return "dim" if verdict else ""
    return "green" if verdict == "ok" else "yellow" if verdict in EXPLAINED | NOT_LOOKED_AT else "red"
