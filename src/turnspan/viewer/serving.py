"""The server of the pages: in this process, until it is interrupted."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from turnspan.errors import TurnspanError
from turnspan.viewer.app import make_app
from turnspan.viewer.source import Source

if TYPE_CHECKING:
    from starlette.types import ASGIApp

PORT = 7370
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def serve(
    source: Source,
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    token: str | None = None,
    on_ready: Callable[[str], None],
    around: Callable[[ASGIApp], ASGIApp] = lambda pages: pages,
) -> None:
    """Serve the pages until the process is interrupted.

    Args:
        source: What is read.
        host: The address to listen on; another than loopback's only with a token.
        port: The port; 0 is any that is free. None: the usual one, or any that is free.
        token: What a request must carry.
        on_ready: Called with the pages' address once they can be asked for.
        around: Puts something in front of the pages.

    Raises:
        TurnspanError: When it cannot listen there, or when it may not.

    """
    if host not in LOOPBACK and token is None:
        raise TurnspanError(f"Sessions are shown on {host} only to who has a token: give one with --token")
    listening = _listen(host, PORT if port is None else port, or_any=port is None)
    name = f"[{host}]" if ":" in host else host
    app = around(make_app(source, token=token, hosts=() if token is None else ("*",)))
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, lifespan="off", server_header=False, timeout_graceful_shutdown=2
    )
    server = _Server(config, source, lambda: on_ready(f"http://{name}:{listening.getsockname()[1]}"))
    with suppress(KeyboardInterrupt):  # it is how it ends
        server.run(sockets=[listening])


class _Server(uvicorn.Server):
    """Says when it can be asked, and open pages when it ends."""

    def __init__(self, config: uvicorn.Config, source: Source, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._source, self._on_ready = source, on_ready

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._source.closing.set()
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        threading.Thread(target=self._source.warm, name="turnspan-warm", daemon=True).start()
        self._on_ready()


def _listen(host: str, port: int, *, or_any: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        if or_any:
            return _listen(host, 0, or_any=False)
        raise TurnspanError(
            f"Port {port} of {host} cannot be used: {error.strerror}; name another with --port"
        ) from error
