"""News for open pages, as server-sent events: that something changed, not what; the page asks for itself again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from turnspan.errors import TurnspanError
from turnspan.stores.base import SessionFilter
from turnspan.viewer.source import Source

_EVERY_S, _PIECES = 1.0, 5
"""How often the store is asked, and in how many pieces is waited: a server that ends waits for the last piece."""
_ALIVE_EVERY = 15
"""Looks without news after which a comment is sent: whoever has gone is noticed by it."""


def endpoint(source: Source) -> Callable[[Request], Awaitable[Response]]:
    """Return what tells a page of news: of one session, or of all."""

    async def live(request: Request) -> Response:
        session_id = request.query_params.get("session")
        stream = _news(source, session_id, request.is_disconnected)
        return StreamingResponse(stream, media_type="text/event-stream", headers={"cache-control": "no-store"})

    return live


async def _news(source: Source, session_id: str | None, is_gone: Callable[[], Awaitable[bool]]) -> AsyncIterator[str]:
    known, quiet = await run_in_threadpool(_state, source, session_id), 0
    yield f"retry: 2000\nevent: state\ndata: {known}\n\n"
    while not await is_gone():
        for _ in range(_PIECES):
            await asyncio.sleep(_EVERY_S / _PIECES)
            if source.closing.is_set():
                return
        now = await run_in_threadpool(_state, source, session_id)
        quiet += 1
        if now != known:
            known, quiet = now, 0
            yield f"event: changed\ndata: {known}\n\n"
        elif quiet >= _ALIVE_EVERY:
            quiet = 0
            yield ": still here\n\n"


def _state(source: Source, session_id: str | None) -> str:
    """Return a text that is another one as soon as what is shown may be."""
    try:
        if session_id is None:
            newest = source.reader.sessions(SessionFilter(limit=1)).sessions
            return f"{newest[0].updated_at}-{newest[0].turns}" if newest else "-"
        return source.state(session_id) or "unavailable"
    except TurnspanError:
        return "unavailable"
