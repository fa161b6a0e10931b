"""Forwarding: requests go on to another endpoint as they came, in their order, from the spool."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request

import msgspec

from turnspan.receiver.spool import Request, Spool
from turnspan.telemetry.own_log import logger

_TIMEOUT_S = 10.0
_LONGEST_WAIT_S = 30.0
_RETRIED = (408, 429, 502, 503, 504)
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
        self._refused = False
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
        wait_s = 0.5
        while True:
            request = self._spool.next_request()
            if request is None:
                if self._stopping.is_set():
                    return
                self._come.wait(1.0)
                self._come.clear()
            elif (problem := self._send(request)) is None:
                self._spool.passed_on(request)
                wait_s = 0.5
            else:
                if wait_s == 0.5:
                    logger.warning("turnspan serve: %s takes nothing (%s); what came waits on disk", self._url, problem)
                if self._stopping.wait(wait_s):
                    return
                wait_s = min(wait_s * 2, _LONGEST_WAIT_S)

    def _send(self, request: Request) -> str | None:
        """Send a request; return why that is to be tried again."""
        headers = {**msgspec.json.decode(request.headers, type=dict[str, str]), **self._headers}
        asked = urllib.request.Request(f"{self._url}/v1/{request.signal}", request.body, headers, method="POST")  # noqa: S310  what was configured
        try:
            urllib.request.urlopen(asked, timeout=_TIMEOUT_S).close()  # noqa: S310
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in _RETRIED:
                return f"HTTP {error.code}"
            if not self._refused:  # it would refuse it again
                logger.error("turnspan serve: %s refuses a request for good: HTTP %s", self._url, error.code)
            self._refused = True
        except OSError as error:
            return str(error)
        return None
