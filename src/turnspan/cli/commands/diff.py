"""``turnspan diff``: in what two sessions, or two turns, differ."""

from __future__ import annotations

import sys

import click

from turnspan.analysis.comparison import compare
from turnspan.cli import output
from turnspan.cli.documents import DiffDocument
from turnspan.cli.formatting import Display
from turnspan.cli.options import Id, display_options, reads_store
from turnspan.cli.views.comparison import comparison_view
from turnspan.reading.reader import Reader


@click.command()
@click.argument("a", type=Id())
@click.argument("b", type=Id())
@click.option("--times", is_flag=True, help="Compare times, durations and token counts as well.")
@click.option("--all", "all_steps", is_flag=True, help="Show unchanged steps as well.")
@display_options(ids=True)
@reads_store
def command(reader: Reader, display: Display, as_json: bool, a: str, b: str, times: bool, all_steps: bool) -> None:
    """Compare A and B step by step: two sessions (an id in each, or "last"), or two turns (by their ids).

    Steps are aligned, and shown where they were changed (with what differs), inserted, dropped, retried (the same call
    again after it had failed) or reordered. Ids are never compared, times only where that is asked for.

    Exit code 0: nothing differs; 1: something does.
    """
    found = compare(reader, a, b, times=times)
    if as_json:
        output.document(DiffDocument(a=found.a, b=found.b, same=found.same, counts=found.counts, steps=found.steps))
    else:
        output.show(comparison_view(found, display, all_steps=all_steps))
    sys.exit(0 if found.same else 1)
