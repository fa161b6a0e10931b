"""What goes over the connection: a reply, whole or in pieces, and how it can go wrong."""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Cut:
    """In a stream: here the connection closes."""

    reset: bool = False


@dataclass(frozen=True)
class Reply:
    """What is sent for one request. As a step of a script it is for whatever no protocol's file can render."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    frames: Sequence[bytes | float | threading.Event | Cut] | None = None
    """A stream: what is sent, seconds to pause, an event to wait for, a cut."""
    cut: Cut | None = None
    """The connection closes in the middle of the body."""
    delay_s: float = 0


@dataclass
class Request:
    """One request that was received."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body or b"{}")

    def header(self, name: str) -> str | None:
        """Return a header's value."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def as_sent(self) -> tuple[Any, ...]:
        """Return what must be the same, byte by byte, whether turnspan watches or not."""
        drawn_by_lot = ("x-stainless-retry-count", "idempotency-key", "x-stainless-read-timeout",
                        "amz-sdk-invocation-id", "amz-sdk-request", "x-amz-date")  # fmt: skip
        signed = [(k.lower(), v.partition("/")[0] if v.startswith("AWS4-") else v) for k, v in self.headers]
        headers = sorted(one for one in signed if one[0] not in drawn_by_lot)
        return (self.method, self.path, headers, self.body)


def whole(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None, **more: Any) -> Reply:
    """Return a reply of JSON."""
    headers = {"content-type": "application/json", **(headers or {})}
    return Reply(status, headers, json.dumps(body).encode(), **more)


def sse(event: Any, *, name: str | None = None) -> bytes:
    """Return one server-sent event; a string is sent as it is."""
    text = event if isinstance(event, str) else json.dumps(event)
    return ((f"event: {name}\n" if name else "") + f"data: {text}\n\n").encode()


def streamed(frames: Sequence[Any], headers: Mapping[str, str] | None = None, **more: Any) -> Reply:
    """Return a reply that is a stream of events."""
    headers = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache", **(headers or {})}
    return Reply(200, headers, frames=frames, **more)
