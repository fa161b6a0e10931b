"""Providers: the SDK providers that the telemetry of this process goes through, as recording knows them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from turnspan.journal.recorded_events import RecordedEvent
from turnspan.recording.problems import Problem, Problems
from turnspan.recording.spare_threads import start

if TYPE_CHECKING:
    from turnspan.telemetry.metrics import Health

FLUSH_DEAD_S = 1.0
"""How long the end of a process may wait for an endpoint that has taken nothing so far."""

Resend = Callable[[list[RecordedEvent]], int]
"""Sends the spans that a dead process may not have sent, of its events, and returns how many."""
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
    resend: Resend | None
    span_outlets: tuple[str, ...]


class Providers:
    """What the SDK's set-up has registered: whom to flush, who counts spans, where spans go."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._entries: list[_Entry] = []
        self._unregistered = False  # whether a span of the record is of a provider that is none of these
        self.pending = False  # the set-up is still to come: with the first turn
        self.own_logs: tuple[Any, str] | None = None  # turnspan's own logger provider, and where it sends to
        self.own_metrics: Any = None
        self.look_at_health: Callable[[], Health | None] = lambda: None

    def add(
        self,
        provider: Flushable,
        *,
        delivery: Delivery | None = None,
        resend: Resend | None = None,
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
    def resend(self) -> Resend | None:
        """Sends spans again through the newest provider that can."""
        return next((entry.resend for entry in reversed(self._entries) if entry.resend is not None), None)

    def health(self) -> Health | None:
        """Return what metrics say of recording itself."""
        return self.look_at_health()

    def logger_provider(self) -> Any:
        """Return the logger provider that log records go to: the program's, or else our own; None where there is neither."""
        from opentelemetry import _logs

        provider = _logs.get_logger_provider()
        if not type(provider).__module__.startswith("opentelemetry._logs"):  # the API's own stands for none
            return provider
        return None if self.own_logs is None else self.own_logs[0]

    def meter_provider(self) -> Any:
        """Return the meter provider that metrics go to: the program's, or else our own; None where there is neither."""
        from opentelemetry import metrics

        provider = metrics.get_meter_provider()
        if not type(provider).__module__.startswith("opentelemetry.metrics"):
            return provider
        return self.own_metrics

    @property
    def log_outlets(self) -> list[str]:
        """Where log records go besides the log file."""
        provider = self.logger_provider()
        if provider is None:
            return []
        return [self.own_logs[1]] if self.own_logs is not None and provider is self.own_logs[0] else ["provider"]

    @property
    def span_outlets(self) -> list[str]:
        """Where spans go, or went earlier in this process."""
        outlets = [outlet for entry in self._entries for outlet in entry.span_outlets]
        return list(dict.fromkeys([*outlets, "provider"] if self._unregistered else outlets))

    def adopted(self, span: Any, is_of: Callable[[Any, Any], bool]) -> None:
        """Take note of a span that somebody else started and that the record now names.

        Args:
            span: The span.
            is_of: Returns whether a provider made a span. One that no registered provider made is where its own sends it.

        """
        if not self._unregistered:
            self._unregistered = not any(is_of(entry.provider, span) for entry in self._entries)

    def counts(self) -> list[SpanCounts]:
        """Return what became of spans, for each provider that counts them."""
        return [entry.delivery.counts() for entry in self._entries if entry.delivery is not None]

    def start_flush(self, began_s: float, timeout_s: float) -> Callable[[], None]:
        """Have the SDK send what it holds, and return a function that waits for it.

        It takes its time over a dead endpoint, so the end of the process does not wait for it.

        Args:
            began_s: When the end of the process began.
            timeout_s: How long it may take.

        """
        done = threading.Event()
        if not self._entries:
            return lambda: None

        def flush() -> None:
            for entry in self._entries:
                with suppress(Exception):
                    entry.provider.force_flush(int(timeout_s * 1000))
            done.set()

        try:
            start(flush)
        except RuntimeError:  # the interpreter is shutting down
            flush()

        def wait() -> None:
            while not done.wait(0.1) and time.monotonic() < began_s + timeout_s:
                if self._problems.has(Problem.OTLP) and time.monotonic() > began_s + FLUSH_DEAD_S:
                    break

        return wait
