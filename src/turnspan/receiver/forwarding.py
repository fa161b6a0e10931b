"""Forwarding: requests go on to another endpoint as they came, in their order, from the spool."""

from __future__ import annotations

import threading

import msgspec

from turnspan.reading.http import post
from turnspan.receiver.spool import Request, Spool
from turnspan.telemetry.own_log import logger

_TIMEOUT_S = 10.0
_SHORTEST_WAIT_S, _LONGEST_WAIT_S = 0.5, 30.0
_REFUSED = (400, 413)
"""What is wrong with the request itself; all else, a wrong address or key for one, may be mended there or here."""
KEPT_HEADERS = ("content-type", "content-encoding", "user-agent")


class Forwarding:
    """Passes requests on, in a thread of its own; what cannot be passed on waits on disk, also for the next process.

    Args:
        spool: Where they wait.
        url: The base of the endpoint: ``http://jaeger:4318``.
        headers: What each request carries besides its own, as for a key.

    """

    def __init__(self, spool: Spool, url: str, headers: dict[str, str] | None = None) -> None:
        self._spool, self._url, self._headers = spool, url.rstrip("/"), headers or {}
        self._stopping, self._come = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="turnspan-forwarding", daemon=True)

    def start(self) -> None:
        """Begin, with what the process before has left."""
        self._thread.start()

    def wake(self) -> None:
        """Say that a request has come."""
        self._come.set()

    def stop(self, within_s: float = 5.0) -> None:
        """Pass on what waits, as long as that works, and end."""
        self._stopping.set()
        self._come.set()
        self._thread.join(within_s)

    def _run(self) -> None:
        wait_s = _SHORTEST_WAIT_S
        while True:
            request = self._spool.next_request()
            if request is None:
                if self._stopping.is_set():
                    return
                self._come.wait(1.0)
                self._come.clear()
            elif (problem := self._send(request)) in (None, *_REFUSED):
                if problem is not None:
                    logger.error(
                        "turnspan serve: %s refuses a request: HTTP %s; it is not sent again", self._url, problem
                    )
                self._spool.passed_on(request)
                wait_s = _SHORTEST_WAIT_S
            else:
                if wait_s == _SHORTEST_WAIT_S:
                    logger.warning("turnspan serve: %s takes nothing (%s); what came waits on disk", self._url, problem)
                if self._stopping.wait(wait_s):
                    return
                wait_s = min(wait_s * 2, _LONGEST_WAIT_S)

    def _send(self, request: Request) -> str | int | None:
        """Send a request; return what was wrong."""
        headers = {**msgspec.json.decode(request.headers, type=dict[str, str]), **self._headers}
        return post(f"{self._url}/v1/{request.signal}", request.body, headers, _TIMEOUT_S)
