"""``turnspan export``: a session in the shapes that others read."""

from __future__ import annotations

import json
from pathlib import Path

import click

from turnspan.cli import output
from turnspan.cli.options import SESSION, reads_store
from turnspan.errors import MissingExtraError, TurnspanError
from turnspan.interchange.exporters import FORMATS
from turnspan.model.display import counted
from turnspan.model.records import SessionRecord
from turnspan.reading.reader import Reader
from turnspan.settings import without_password
from turnspan.stores.base import Audited


@click.command()
@SESSION
@click.option(
    "--format",
    "format_",
    type=click.Choice([*FORMATS, "html", "otlp"]),
    default="json",
    show_default=True,
    help="Output format.",
)
@click.option(
    "-o", "--output", "path", type=click.Path(path_type=Path, dir_okay=False), help="A file (default: standard output)."
)
@reads_store
def command(reader: Reader, as_json: bool, session: str, format_: str, path: Path | None) -> None:
    """Write SESSION (its id, any id in it, or "last").

    json and jsonl are the record, openai the conversation as chat messages, markdown a document, html the session page as
    one file, otlp the spans as the conventions' JSON, with their own ids.
    """
    found = reader.session(session)
    wanted = "json" if as_json else format_
    special = {"otlp": _otlp, "html": _html}
    text = special[wanted](reader, found) if wanted in special else FORMATS[wanted](found)
    if path is None:
        output.raw(text, as_json=wanted not in ("markdown", "html"))
        return
    try:
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise TurnspanError(f"{path} cannot be written: {error.strerror}") from error
    output.line(f"{path}: session {found.session_id}, {counted(len(found.turns), 'turn')}")


def _html(reader: Reader, session: SessionRecord) -> str:
    try:
        from turnspan.viewer.one_file import as_file
    except ImportError as error:
        raise MissingExtraError(f"The page needs {error.name}: pip install 'turnspan[view]'") from error
    return as_file(session, reader.audit_rows(session.session_id))


def _otlp(reader: Reader, session: SessionRecord) -> str:
    from turnspan.journal.recorded_events import recorded_events
    from turnspan.otel_sdk.otlp_json import otlp_json
    from turnspan.otel_sdk.rehydration import spans_again
    from turnspan.telemetry.semconv import PROFILES

    settings = reader.settings
    if not isinstance(reader.store, Audited):
        url = without_password(settings.store_url)
        raise TurnspanError(f"{url} keeps no audit rows, so spans cannot be rebuilt from it")
    spans = spans_again(
        recorded_events(reader.store.audit_events(session.session_id)),
        content=settings.span_content,
        profile=PROFILES[settings.semconv],
        view_url=settings.view_url,
    )
    return json.dumps(otlp_json(list(spans))) + "\n"
