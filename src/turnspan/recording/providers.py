"""Providers: the SDK providers that the telemetry of this process goes through, as recording knows them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

from turnspan.recording.problems import Problem, Problems

FLUSH_DEAD_S = 1.0
"""How long the end of a process may wait for an endpoint that has taken nothing so far."""

SpanCounts = dict[str, dict[str, int]]
"""By exporter: how many spans ended, were exported, failed, were dropped, and wait."""


class Flushable(Protocol):
    """A provider of the SDK."""

    def force_flush(self, timeout_millis: int = 30_000) -> Any:
        """Send what is held."""


class Delivery(Protocol):
    """Counts what became of a provider's spans."""

    def counts(self) -> SpanCounts:
        """Return, by exporter, what became of the spans."""


class _Entry(NamedTuple):
    provider: Flushable
    delivery: Delivery | None
    resend: Callable[[Any], Any] | None
    span_outlets: tuple[str, ...]


class Providers:
    """What the SDK's set-up has registered: whom to flush, who counts spans, where spans go."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._entries: list[_Entry] = []

    def add(
        self,
        provider: Flushable,
        *,
        delivery: Delivery | None = None,
        resend: Callable[[Any], Any] | None = None,
        span_outlets: tuple[str, ...] = (),
    ) -> None:
        """Register a provider.

        Args:
            provider: It is flushed when the process ends.
            delivery: Counts what becomes of its spans.
            resend: Sends spans that a dead process may not have sent.
            span_outlets: Where its spans go, as seals say it: "file", "otlp:<host>", "provider" for the program's own.

        """
        self._entries.append(_Entry(provider, delivery, resend, span_outlets))

    @property
    def resend(self) -> Callable[[Any], Any] | None:
        """Sends spans again through the newest provider that can."""
        return next((entry.resend for entry in reversed(self._entries) if entry.resend is not None), None)

    @property
    def span_outlets(self) -> list[str]:
        """Where spans go, or went earlier in this process."""
        return list(dict.fromkeys(outlet for entry in self._entries for outlet in entry.span_outlets))

    def counts(self) -> list[SpanCounts]:
        """Return what became of spans, for each provider that counts them."""
        return [entry.delivery.counts() for entry in self._entries if entry.delivery is not None]

    def start_flush(self, began_s: float, timeout_s: float) -> Callable[[], None]:
        """Have the SDK send what it holds, and return a function that waits for it.

        It takes its time over a dead endpoint, so nobody waits longer for it than we may.

        Args:
            began_s: When the end of the process began.
            timeout_s: How long it may take.

        """

        def flush() -> None:
            for entry in self._entries:
                with suppress(Exception):
                    entry.provider.force_flush(int(timeout_s * 1000))

        thread = threading.Thread(target=flush, name="turnspan-flush", daemon=True)
        if self._entries:
            try:
                thread.start()
            except RuntimeError:  # the interpreter is shutting down
                flush()

        def wait() -> None:
            while thread.is_alive() and time.monotonic() < began_s + timeout_s:
                thread.join(0.1)
                if self._problems.has(Problem.OTLP) and time.monotonic() > began_s + FLUSH_DEAD_S:
                    break

        return wait
