"""Starting the pages: what ``view`` and ``demo --view`` share."""

from __future__ import annotations

import webbrowser

from turnspan.cli import output
from turnspan.errors import MissingExtraError
from turnspan.model.addresses import session_path
from turnspan.reading.reader import Reader, waiting_says
from turnspan.settings import Settings


def serve_pages(
    settings: Settings,
    session: str | None = None,
    *,
    port: int | None = None,
    host: str = "127.0.0.1",
    token: str | None = None,
    open_: bool = False,
) -> None:
    """Serve the pages until they are interrupted."""
    try:
        from turnspan.viewer.serving import serve
        from turnspan.viewer.source import Source
    except ImportError as error:
        raise MissingExtraError(f"The pages need {error.name}: pip install 'turnspan[view]'") from error
    reader = None
    path = "/sessions"
    if session is not None:
        reader = Reader.open(settings)
        path = session_path(reader.session(session).session_id)
    source = Source(settings, reader)

    def ready(base: str) -> None:
        output.line(f"{base}{path}")
        if waiting := source.waiting:
            output.note(waiting_says(waiting))
        output.note("press Ctrl-C to stop")
        if open_:
            webbrowser.open(f"{base}{path}")

    serve(source, host=host, port=port, token=token, on_ready=ready)
