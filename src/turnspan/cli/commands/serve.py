"""``turnspan serve``: OTLP in, sessions out."""

from __future__ import annotations

import os

import click

from turnspan.cli import output
from turnspan.cli.recovering import recover_first
from turnspan.errors import MissingExtraError, StoreUnavailableError
from turnspan.recording import runtime
from turnspan.settings import Settings
from turnspan.stores import open_store


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=4318, show_default=True, help="Port (0: a free one).")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; any other than loopback requires a token.",
)
@click.option("--token", help="Token that senders and readers must have (default: TURNSPAN_VIEW_TOKEN).")
@click.option("--forward", metavar="URL", help="OTLP endpoint that everything is passed on to, as it came.")
@click.option(
    "--forward-header",
    "headers",
    metavar="NAME=VALUE",
    multiple=True,
    help="Header of what is passed on, as for a key.",
)
@click.option(
    "--rate",
    type=click.IntRange(0),
    default=10_000,
    show_default=True,
    metavar="COUNT",
    help="Spans that one address may send in a second, on average of ten; 0: any number.",
)
@click.option("--home", metavar="FOLDER", help="Home folder (default: TURNSPAN_HOME, or .turnspan).")
@click.option("--store", metavar="URL", help="Store URL (default: TURNSPAN_STORE, or SQLite in home).")
def command(
    port: int,
    host: str,
    token: str | None,
    forward: str | None,
    headers: tuple[str, ...],
    rate: int,
    home: str | None,
    store: str | None,
) -> None:
    """Receive OTLP over HTTP (traces, logs, metrics) from programs in any language, until interrupted.

    Spans of agents, models and tools become sessions, which the same address shows in the browser. A request is answered
    when what it brought is on disk, and each span is on record once, however often it is sent.
    """
    if bad := next((one for one in headers if "=" not in one), None):
        raise click.UsageError(f"--forward-header {bad!r} is no NAME=VALUE")
    if forward is not None and not forward.startswith(("http://", "https://")):
        raise click.UsageError(f"--forward {forward!r} is no http:// or https:// address")
    try:
        from turnspan.receiver.limits import Limits
        from turnspan.receiver.running import RunningTraces
        from turnspan.receiver.serving import serve
        from turnspan.viewer.source import Source
    except ImportError as error:
        raise MissingExtraError(f"The receiver needs {error.name}: pip install 'turnspan[serve]'") from error
    settings = Settings.read(home=home, store=store)
    runtime.configure(telemetry=False, home=home, store=store)
    try:
        recover_first(settings, open_store(settings.store_url))
    except StoreUnavailableError as error:
        output.note(f"{error}; what is received waits until it can be stored")

    def ready(url: str) -> None:
        output.line(f"OTLP over HTTP at {url}, sessions at {url}/sessions")
        output.note(f"OTEL_EXPORTER_OTLP_ENDPOINT={url} OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf")
        output.note("press Ctrl-C to stop")

    serve(
        Source(settings, running=RunningTraces(settings.spool_path, settings)),
        host=host,
        port=port,
        token=token or os.environ.get("TURNSPAN_VIEW_TOKEN"),
        forward=forward,
        forward_headers=dict(one.split("=", 1) for one in headers),
        limits=Limits(rate=rate),
        on_ready=ready,
    )
