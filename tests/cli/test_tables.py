"""Tables: which columns there are is chosen by the width, and ids are never cut."""

import io

import pytest
from rich.console import Console

from turnspan.cli.tables import Column, Table

LONG_ID = "support-" + "0123456789abcdef" * 4
COLUMNS = [Column("ID"), Column("USED", rank=1), Column("COUNT", "number", rank=3), Column("TEXT", "text", rank=2)]


def table():
    made = Table(COLUMNS)
    made.add(LONG_ID, "2026-01-01 10:00:00 UTC", "12", "words that wrap " * 5)
    made.add("short", "-", "7", "few")
    return made


def printed(width):
    out = io.StringIO()
    Console(file=out, width=width).print(table())
    return out.getvalue()


@pytest.mark.parametrize("width", range(5, 200, 7))
def test_ids_are_never_cut(width):
    """At every width all characters of the longest id are there, in order, and no ellipsis stands for any."""
    shown = printed(width)
    assert LONG_ID in "".join(row[: max(width, 1)].strip() for row in shown.splitlines()) or LONG_ID in shown
    assert "…" not in shown


def test_columns_go_in_the_order_of_their_rank_and_are_named():
    """What there is no room for is left out whole, the least important first, and said."""
    wide, narrow = printed(150), printed(len(LONG_ID) + 30)
    assert all(column.name in wide.splitlines()[0] for column in COLUMNS) and "not shown" not in wide
    assert narrow.splitlines()[0].split() == ["ID", "USED"]
    assert narrow.splitlines()[-1] == "hidden for lack of width: COUNT, TEXT"


def test_text_wraps():
    """Text has as many lines as it needs."""
    assert printed(len(LONG_ID) + 60).count("wrap") == 5
