"""Health: how receiving goes, as metrics beside those of recording itself."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from turnspan.receiver.spool import Spool
from turnspan.telemetry import semconv as sc


class Counts:
    """Counts what was received since the process began."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.requests: Counter[str] = Counter()
        """By the status of the answer."""
        self.spans: Counter[str] = Counter()
        """By what became of them: ``accepted``, ``repeated`` (known already), ``rejected``, ``unreadable``."""
        self.turns = 0

    def answered(self, status: int) -> None:
        """Count a request."""
        with self._lock:
            self.requests[str(status)] += 1

    def came(self, state: str, spans: int) -> None:
        """Count spans."""
        if spans:
            with self._lock:
                self.spans[state] += spans

    def turned(self, turns: int) -> None:
        """Count turns that were put on record."""
        with self._lock:
            self.turns += turns


def observe(meter: Meter, counts: Counts, spool: Spool) -> None:
    """Have all of it observed whenever metrics are collected."""

    def of(kind: str, values: Mapping[str, int]) -> list[Observation]:
        return [Observation(count, {kind: key}) for key, count in dict(values).items()]

    def looking(look: Callable[[], Iterable[Observation]]) -> list[Callable[[CallbackOptions], Iterable[Observation]]]:
        return [lambda _options: look()]

    counter, gauge = meter.create_observable_counter, meter.create_observable_gauge
    for name, unit, brief, look in (
        (sc.TURNSPAN_SERVE_REQUESTS, "{request}", "Requests.", lambda: of(sc.TURNSPAN_STATUS, counts.requests)),
        (sc.TURNSPAN_SERVE_SPANS, "{span}", "Spans that came.", lambda: of(sc.TURNSPAN_STATE, counts.spans)),
        (sc.TURNSPAN_SERVE_TURNS, "{turn}", "Turns made of them.", lambda: [Observation(counts.turns)]),
    ):
        counter(name, looking(look), unit, brief)
    for name, unit, brief, look in (
        (sc.TURNSPAN_SERVE_WAITING, "{span}", "Spans not on record yet.", lambda: [Observation(spool.waiting)]),
        (sc.TURNSPAN_SERVE_UNSENT, "{request}", "Requests not passed on yet.", lambda: [Observation(spool.unsent)]),
        (sc.TURNSPAN_SERVE_SPOOL, "By", "Size of what waits.", lambda: [Observation(spool.waiting_bytes)]),
        (sc.TURNSPAN_SERVE_OLDEST, "s", "Age of what waits longest.", lambda: [Observation(spool.oldest_s())]),
    ):
        gauge(name, looking(look), unit, brief)
