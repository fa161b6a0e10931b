"""Delivery statistics: what became of spans behind the SDK's queue.

A batch processor whose queue is full drops spans, and an exporter may fail to send them; the SDK counts neither. So the spans that have ended are counted at a provider, and what its exporters took at each of them: the
difference was dropped.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Sequence
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from turnspan.otel_sdk import internals


class CountingExporter(SpanExporter):
    """Counts what an exporter takes and what it fails to take."""

    def __init__(self, exporter: SpanExporter) -> None:
        self.exporter = exporter
        self.name = type(exporter).__name__
        self.exported = self.failed = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Have a batch exported, and count it."""
        try:
            result = self.exporter.export(spans)
        except BaseException:
            self.failed += len(spans)
            raise
        if result is SpanExportResult.SUCCESS:
            self.exported += len(spans)
        else:
            self.failed += len(spans)
        return result

    def shutdown(self) -> None:
        """Shut the exporter down."""
        self.exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the exporter."""
        return self.exporter.force_flush(timeout_millis)


class Delivery:
    """The counts of one provider."""

    def __init__(self) -> None:
        self._ended = 0
        self._lock = threading.Lock()
        self._watched: list[tuple[CountingExporter, Any]] = []
        _all.add(self)

    def ended(self) -> None:
        """Count a sampled span that has ended."""
        with self._lock:
            self._ended += 1

    def watch(self, processor: Any) -> None:
        """Count what a batch processor's exporter takes; any other processor drops nothing that we could count."""
        if isinstance(internals.exporter_of(processor), CountingExporter):
            return
        if (wrapped := internals.wrap_batch_exporter(processor, CountingExporter)) is not None:
            self._watched.append(wrapped)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return, by the exporter's class, how many spans ended, were exported, failed, were dropped, and wait.

        A batch that is on its way is neither exported nor failed yet: it counts as dropped.
        """
        by_exporter: dict[str, dict[str, int]] = {}
        for exporter, batch in self._watched:
            queued = internals.queue_length(batch)
            known = exporter.exported + exporter.failed + queued
            by_exporter[exporter.name] = {
                "ended": self._ended,
                "exported": exporter.exported,
                "failed": exporter.failed,
                "dropped": max(0, self._ended - known),
                "queued": queued,
            }
        return by_exporter

    def restart(self) -> None:
        """Count from zero, in a forked child: what was queued is the parent's."""
        self._lock = threading.Lock()
        self._ended = 0
        for exporter, _ in self._watched:
            exporter.exported = exporter.failed = 0


_all: weakref.WeakSet[Delivery] = weakref.WeakSet()


def _restart_all() -> None:
    for delivery in list(_all):
        delivery.restart()


os.register_at_fork(after_in_child=_restart_all)
