"""The server's side: ``/v1/traces``, ``/v1/logs`` and ``/v1/metrics``; every other address is that of a page."""

from __future__ import annotations

import sqlite3
import threading
from asyncio import timeout
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from anyio import CapacityLimiter, to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from turnspan.receiver import otlp
from turnspan.receiver.dialects.assembly import arrived_in
from turnspan.receiver.dialects.spool import LogSpool
from turnspan.receiver.forwarding import KEPT_HEADERS
from turnspan.receiver.health import Counts
from turnspan.receiver.limits import Limits, Rates
from turnspan.receiver.spool import Spool
from turnspan.viewer.guard import LOOPBACK, has_token, name_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_SIGNALS: dict[str, otlp.Signal] = {"/v1/traces": "traces", "/v1/logs": "logs", "/v1/metrics": "metrics"}
_READERS = 4
_LARGE_BYTES = 2 * 1024 * 1024
"""Larger bodies are read one at a time: what is made of one takes many times its size."""
_NOT_RECORDED = "turnspan records traces and what coding agents report: {signal} are {what}"


class Receiver:
    """Takes OTLP requests; answers all else with the pages.

    Args:
        spool: Where spans are kept before a request is answered.
        pages: The app of the session page.
        token: What a request must carry; None on loopback.
        forwards: Called when a request is to be passed on; None where none is.
        limits: What is taken at most.
        counts: Counts what comes.
        logs: Where what coding agents report is kept.

    """

    def __init__(
        self,
        spool: Spool,
        pages: ASGIApp,
        *,
        token: str | None = None,
        forwards: Callable[[], None] | None = None,
        limits: Limits | None = None,
        counts: Counts | None = None,
        logs: LogSpool | None = None,
    ) -> None:
        self._logs = logs
        self._spool, self._pages, self._token, self._forwards = spool, pages, token, forwards
        self._limits = limits or Limits()
        self._rates = Rates(self._limits.rate)
        self._counts = counts or Counts()
        self._held_bytes = 0
        self._readers, self._large = CapacityLimiter(_READERS), threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        signal = _SIGNALS.get(scope.get("path", "")) if scope["type"] == "http" else None
        if signal is None:
            await self._pages(scope, receive, send)
            return
        answer = await self._answer(signal, Request(scope, receive))
        self._counts.answered(answer.status_code)
        await answer(scope, receive, send)

    async def _answer(self, signal: otlp.Signal, request: Request) -> Response:
        given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        kind = otlp.JSON if given == otlp.JSON else otlp.PROTOBUF
        source = request.client.host if request.client is not None else ""
        try:
            self._refuse(request, source)
            async with self._body(request) as body:
                take = partial(self._take, signal, request, body, given, source)
                taken = await to_thread.run_sync(take, limiter=self._readers)
        except otlp.BadRequestError as error:
            return Response(otlp.failure(str(error), kind), error.status, error.headers, media_type=kind)
        except sqlite3.Error as error:
            message = f"turnspan could not keep it ({error}): send it again"
            return Response(otlp.failure(message, kind), 503, {"retry-after": "5"}, media_type=kind)
        except ClientDisconnect:
            return Response(status_code=400)
        return Response(taken, media_type=kind)

    def _refuse(self, request: Request, source: str) -> None:
        """Look at what can be seen before the body is read.

        Raises:
            BadRequestError: When it is not taken, or not now.

        """
        if request.method != "POST":
            raise otlp.BadRequestError("OTLP is sent by POST", 405, {"allow": "POST"})
        if "origin" in request.headers or (
            self._token is None and name_of(request.headers.get("host", "")) not in LOOPBACK
        ):
            raise otlp.BadRequestError("Pages of other sites send nothing here", 403)
        if self._token is not None and not has_token(request.headers.get("authorization", ""), self._token):
            message = "This receiver wants its token: Authorization: Bearer ..."
            raise otlp.BadRequestError(message, 401, {"www-authenticate": "Bearer"})
        if (wait_s := self._rates.wait_s(source)) > 0:
            message = f"{source} sends more than {self._limits.rate:.0f} spans a second: send it again later"
            raise otlp.BadRequestError(message, 429, {"retry-after": str(wait_s)})
        spool, limits = self._spool, self._limits
        if (
            spool.waiting + (0 if self._logs is None else self._logs.waiting) > limits.waiting_spans
            or spool.unsent > limits.waiting_spans // 10
            or spool.waiting_bytes > limits.waiting_bytes
            or self._held_bytes > limits.held_bytes
        ):
            raise otlp.BadRequestError("More waits here than is good: send it again later", 429, {"retry-after": "5"})

    @asynccontextmanager
    async def _body(self, request: Request) -> AsyncIterator[bytes]:
        """Read the body, as it was sent; it counts as held until it is done with.

        Raises:
            BadRequestError: When it is too large, or does not come.

        """
        pieces, size = [], 0
        try:
            async with timeout(self._limits.read_s):
                async for piece in request.stream():
                    size += len(piece)
                    self._held_bytes += len(piece)
                    if size > self._limits.body_bytes:
                        message = f"The body has more than {self._limits.body_bytes} bytes: send fewer in a request"
                        raise otlp.BadRequestError(message, 413)
                    pieces.append(piece)
            yield b"".join(pieces)
        except TimeoutError as error:
            raise otlp.BadRequestError("The body did not come: send it again", 408) from error
        finally:
            self._held_bytes -= size

    def _take(self, signal: otlp.Signal, request: Request, body: bytes, content_type: str, source: str) -> bytes:
        """Keep what a request brings, and return the answer."""
        content, records = body, 1
        try:
            content = otlp.unpacked(body, request.headers.get("content-encoding"), self._limits.body_bytes)
            with self._large if len(content) > _LARGE_BYTES else nullcontext():
                message = otlp.parsed(signal, content, content_type)
                taken = otlp.taken_of(message, self._limits) if signal == "traces" else otlp.Taken([], [], 0)
            records = otlp.records_of(signal, message)
        finally:
            self._rates.charge(source, records, len(content))
        passed_on = None
        if self._forwards is not None:
            headers = {name: request.headers[name] for name in KEPT_HEADERS if name in request.headers}
            passed_on = (signal, msgspec.json.encode(headers).decode(), body)
        unknown = 0 if signal == "metrics" else self._take_reports(message, signal)
        new = 0
        if taken.spans or passed_on is not None:
            new = self._spool.accept(taken.spans, passed_on)
        if self._forwards is not None:
            self._forwards()
        for state, count in (
            ("accepted", new),
            ("repeated", len(taken.spans) - new),
            ("rejected", len(taken.refused)),
        ):
            self._counts.came(state, count)
        return otlp.success(
            signal, content_type, rejected=len(taken.refused), says="; ".join(self._remarks(signal, taken, unknown))
        )

    def _take_reports(self, message: Any, signal: otlp.Signal) -> int:
        """Keep what coding agents report; return how many log records are somebody else's."""
        found = list(arrived_in(message))
        arrived = [one for one in found if one is not None]
        if self._logs is None or not arrived:
            return len(found)
        new = self._logs.accept(arrived)
        if signal == "traces":  # they count as spans
            return 0
        self._counts.came("accepted", new)
        self._counts.came("repeated", len(arrived) - new)
        return len(found) - len(arrived)

    def _remarks(self, signal: otlp.Signal, taken: otlp.Taken, unknown: int) -> list[str]:
        """Return what the sender is told of what was not taken, or not as it came."""
        if signal == "metrics" or unknown:
            what = "passed on only" if self._forwards is not None else "taken and not kept"
            return [_NOT_RECORDED.format(signal=signal, what=what)]
        remarks = taken.refused[:5]
        if taken.left_out:
            remarks.append(f"{taken.left_out} attributes and events are not recorded: there were too many of them")
        return remarks
