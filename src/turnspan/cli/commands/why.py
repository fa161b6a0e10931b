"""``turnspan why``: which model call asked for a step, and where what it was given was said before."""

from __future__ import annotations

import click

from turnspan.analysis.provenance import explain
from turnspan.cli import output
from turnspan.cli.documents import WhyDocument
from turnspan.cli.formatting import Display
from turnspan.cli.options import Id, Words, display_options, reads_store
from turnspan.cli.views.explanation import explanation_view
from turnspan.reading.reader import Reader


@click.command()
@click.argument("event", type=Id(sessions_only=False))
@click.option(
    "--text", type=Words(), help="Trace this text instead, through everything that was said until EVENT ended."
)
@display_options(ids=False)
@reads_store
def command(reader: Reader, display: Display, as_json: bool, event: str, text: str | None) -> None:
    """Say why EVENT came about: the audit event, span or call id of a tool call, handoff, answer or turn, or its beginning.

    Shown are the model call that asked for it, and for each value that it was given the earlier prompts, messages and
    results that have it word for word: the first, and the last ones. No model is asked. That a text was there before does
    not prove that it was taken from there; what was put in other words, or computed, is not seen.
    """
    found = explain(reader, event, text)
    if as_json:
        output.document(
            WhyDocument(
                session_id=found.session_id,
                step=found.step,
                inside=found.inside,
                asked_by=found.asked_by,
                values=found.values,
            )
        )
    else:
        output.show(explanation_view(found, display))
