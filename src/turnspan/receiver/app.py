"""The server's side: ``/v1/traces``, ``/v1/logs`` and ``/v1/metrics``; every other address is that of a page."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from turnspan.receiver import otlp
from turnspan.receiver.forwarding import KEPT_HEADERS
from turnspan.receiver.spool import Spool
from turnspan.viewer.guard import LOOPBACK, has_token, name_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_SIGNALS: dict[str, otlp.Signal] = {"/v1/traces": "traces", "/v1/logs": "logs", "/v1/metrics": "metrics"}
_NOT_RECORDED = "turnspan records traces: {signal} are {what}"


@dataclass(frozen=True)
class Limits:
    """What is taken at most.

    Args:
        body_bytes: The size of a request, unpacked.
        waiting_spans: The spans that wait to go on record, or requests to be passed on; beyond, senders are to wait.

    """

    body_bytes: int = 32 * 1024 * 1024
    waiting_spans: int = 200_000


class Receiver:
    """Takes OTLP requests; answers all else with the pages.

    Args:
        spool: Where spans are kept before a request is answered.
        pages: The app of the session page.
        token: What a request must carry; None on loopback.
        forwards: Called when a request is to be passed on; None where none is.
        limits: What is taken at most.

    """

    def __init__(
        self,
        spool: Spool,
        pages: ASGIApp,
        *,
        token: str | None = None,
        forwards: Callable[[], None] | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._spool, self._pages, self._token, self._forwards = spool, pages, token, forwards
        self._limits = limits or Limits()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        signal = _SIGNALS.get(scope.get("path", "")) if scope["type"] == "http" else None
        if signal is None:
            await self._pages(scope, receive, send)
            return
        answer = await self._answer(signal, Request(scope, receive))
        await answer(scope, receive, send)

    async def _answer(self, signal: otlp.Signal, request: Request) -> Response:
        given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        kind = otlp.JSON if given == otlp.JSON else otlp.PROTOBUF
        if (refused := self._refusal(request)) is not None:
            status, message, headers = refused
            return Response(otlp.failure(message, kind), status, headers, media_type=kind)
        try:
            body = await self._body(request)
            taken = await run_in_threadpool(self._take, signal, request, body, given)
        except otlp.BadRequestError as error:
            return Response(otlp.failure(str(error), kind), error.status, media_type=kind)
        except sqlite3.Error as error:
            message = f"turnspan could not keep it ({error}): send it again"
            return Response(otlp.failure(message, kind), 503, {"retry-after": "5"}, media_type=kind)
        except ClientDisconnect:
            return Response(status_code=400)
        return Response(taken, media_type=kind)

    def _refusal(self, request: Request) -> tuple[int, str, dict[str, str]] | None:
        if request.method != "POST":
            return 405, "OTLP is sent by POST", {"allow": "POST"}
        if "origin" in request.headers or (
            self._token is None and name_of(request.headers.get("host", "")) not in LOOPBACK
        ):
            return 403, "Pages of other sites send nothing here", {}
        if self._token is not None and not has_token(request.headers.get("authorization", ""), self._token):
            return 401, "This receiver wants its token: Authorization: Bearer ...", {"www-authenticate": "Bearer"}
        if self._spool.waiting > self._limits.waiting_spans or self._spool.unsent > self._limits.waiting_spans // 10:
            return 429, "More waits here than is good: send it again later", {"retry-after": "5"}
        return None

    async def _body(self, request: Request) -> bytes:
        """Return the body as it was sent.

        Raises:
            BadRequestError: When it is too large.

        """
        pieces, size = [], 0
        async for piece in request.stream():
            size += len(piece)
            if size > self._limits.body_bytes:
                message = f"The body has more than {self._limits.body_bytes} bytes: send fewer in a request"
                raise otlp.BadRequestError(message, 413)
            pieces.append(piece)
        return b"".join(pieces)

    def _take(self, signal: otlp.Signal, request: Request, body: bytes, content_type: str) -> bytes:
        """Keep what a request brings, and return the answer."""
        content = otlp.unpacked(body, request.headers.get("content-encoding"), self._limits.body_bytes)
        message = otlp.parsed(signal, content, content_type)
        passed_on = None
        if self._forwards is not None:
            headers = {name: request.headers[name] for name in KEPT_HEADERS if name in request.headers}
            passed_on = (signal, msgspec.json.encode(headers).decode(), body)
        found = list(otlp.spans_of(message)) if signal == "traces" else []
        spans = [one for one in found if isinstance(one, otlp.Received)]
        refused = [one for one in found if isinstance(one, str)]
        if spans or passed_on is not None:
            self._spool.accept(spans, passed_on)
        if self._forwards is not None:
            self._forwards()
        says = "; ".join(refused[:5])
        if signal != "traces":
            what = "passed on only" if self._forwards is not None else "taken and not kept"
            says = _NOT_RECORDED.format(signal=signal, what=what)
        return otlp.success(signal, content_type, rejected=len(refused), says=says)
