"""``turnspan export``: a session in the shapes that others read."""

from __future__ import annotations

import json
from pathlib import Path

import click

from turnspan.cli.common import Reading, open_reading, reads
from turnspan.cli.output import echo
from turnspan.cli.show import load
from turnspan.errors import TurnspanError
from turnspan.interchange.exporters import FORMATS
from turnspan.model.inert import inert, inert_json
from turnspan.model.records import SessionRecord


@click.command()
@click.argument("session")
@click.option("--format", "format_", type=click.Choice([*FORMATS, "otlp"]), default="json", show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="A file (default: the terminal).")
@reads
def command(
    session: str, format_: str, output: Path | None, home: str | None, store: str | None, as_json: bool
) -> None:
    """Write SESSION (its id, any id in it, or "last").

    json and jsonl are the record, openai the conversation as chat messages, markdown a document, otlp the spans as the
    conventions' JSON, with their own ids.
    """
    reading = open_reading(home, store)
    found = load(reading.store, session)
    wanted = "json" if as_json else format_
    text = _otlp(reading, found) if wanted == "otlp" else FORMATS[wanted](found)
    text = inert(text) if wanted == "markdown" else inert_json(text)
    if output is None:
        echo(text, nl=False)
    else:
        output.write_text(text)
        echo(f"{output}: session {found.session_id}, {len(found.turns)} turns")


def _otlp(reading: Reading, session: SessionRecord) -> str:
    from turnspan.otel_sdk.rehydration import spans_again, told_of
    from turnspan.otel_sdk.setup import otlp_json
    from turnspan.stores.base import Audited
    from turnspan.telemetry.semconv import PROFILES

    if not isinstance(reading.store, Audited):
        raise TurnspanError(f"{reading.settings.store_url} keeps no audit rows, so spans cannot be made of it")
    set_ = reading.settings
    told = told_of(reading.store.audit_events(session.session_id))
    spans = spans_again(told, content=set_.span_content, profile=PROFILES[set_.semconv], view_url=set_.view_url)
    return json.dumps(otlp_json(list(spans))) + "\n"
