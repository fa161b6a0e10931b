"""Tables that fit: which columns there are is chosen by the width, text wraps, and ids are never cut.

In a pipe all columns are there, a row is one line, and nothing is wrapped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

_GAP = 2
_NARROWEST_TEXT = 16


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Args:
        name: Its heading.
        kind: ``id`` (also times and names) stays whole; ``number`` too, and stands at the right; ``text`` wraps.
        rank: The column with the highest rank goes first where the width is not enough; 0 stays.

    """

    name: str
    kind: Literal["id", "number", "text"] = "id"
    rank: int = 0


@dataclass(slots=True)
class Table:
    """Rows under headings; the last row may be a sum."""

    columns: Sequence[Column]
    rows: list[list[Text]] = field(default_factory=list)
    footer: list[Text] | None = None

    def add(self, *cells: str | Text) -> None:
        """Add a row."""
        self.rows.append([cell if isinstance(cell, Text) else Text(cell) for cell in cells])

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        rows = [*self.rows, self.footer] if self.footer else self.rows
        widths = [
            max(cell_len(column.name), *(_width(row[number]) for row in rows), 1)
            for number, column in enumerate(self.columns)
        ]
        chosen = self._chosen(widths, options.max_width)
        table = RichTable(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
        for number in chosen:
            column = self.columns[number]
            whole = column.kind != "text" and widths[number] < options.max_width  # else it goes on in the next line
            table.add_column(
                column.name,
                justify="right" if column.kind == "number" else "left",
                overflow="fold",
                min_width=widths[number] if whole else None,
                no_wrap=whole,
            )
        for row in rows:
            table.add_row(*(row[number] for number in chosen))
        yield table
        if left_out := [column.name for number, column in enumerate(self.columns) if number not in chosen]:
            yield Text(f"hidden for lack of width: {', '.join(left_out)}", style="dim")

    def _chosen(self, widths: list[int], room: int) -> list[int]:
        """Return the columns that there is room for."""
        chosen = list(range(len(widths)))

        def needed() -> int:
            least = (
                min(widths[number], _NARROWEST_TEXT) if self.columns[number].kind == "text" else widths[number]
                for number in chosen
            )
            return sum(least) + _GAP * len(chosen)

        while needed() > room and (least := max(chosen, key=lambda number: self.columns[number].rank)) is not None:
            if self.columns[least].rank == 0:
                break
            chosen.remove(least)
        return chosen


def _width(cell: Text) -> int:
    return max((cell_len(row) for row in cell.plain.split("\n")), default=0)
