"""What the receiver takes at most: of a request, of a source, of everybody; beyond, senders are told to wait."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from turnspan.model.newest import Newest

BURST_S = 10
"""For how many seconds' worth of its rate a source may send at once."""
BYTES_A_RECORD = 4096
"""A request counts as a record for each of these bytes, where it has fewer records than that."""
_SOURCES = 10_000


@dataclass(frozen=True)
class Limits:
    """What is taken at most. Content is cut where it is recorded: ``TURNSPAN_CONTENT_LIMIT``.

    Args:
        body_bytes: The size of a request, unpacked.
        held_bytes: The bodies that are in memory at a time.
        read_s: How long a body may take to come.
        waiting_spans: The spans that wait to go on record; a tenth of it the requests that wait to be passed on.
        waiting_bytes: The size of what waits, on disk.
        attributes: How many a span, an event or a resource has; more are left out, which its sender is told.
        events: How many a span has, likewise.
        rate: How many spans, log records and data points come from one source in a second; 0 for any number.

    """

    body_bytes: int = 32 * 1024 * 1024
    held_bytes: int = 128 * 1024 * 1024
    read_s: float = 60.0
    waiting_spans: int = 200_000
    waiting_bytes: int = 2 * 1024 * 1024 * 1024
    attributes: int = 4096
    events: int = 4096
    rate: float = 10_000


class Rates:
    """How much each source has sent lately.

    Args:
        per_s: What a source may send in a second; 0 for any number.
        clock: Returns the time in seconds, for tests.

    """

    def __init__(self, per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s, self._clock = per_s, clock
        self._lock = threading.Lock()
        self._owed_until: Newest[str, float] = Newest(_SOURCES)  # when what a source has sent is worked off

    def wait_s(self, source: str) -> int:
        """Return for how many seconds a source is to send nothing: 0 where it may."""
        over_s = self._owed_until.get(source, 0.0) - self._clock() - BURST_S
        return max(0, math.ceil(over_s))

    def charge(self, source: str, records: int, body_bytes: int) -> None:
        """Note what a source has sent, whatever became of it."""
        if not self._per_s:
            return
        cost_s = max(1, records, body_bytes // BYTES_A_RECORD) / self._per_s
        with self._lock:
            now_s = self._clock()
            self._owed_until.remember(source, max(now_s, self._owed_until.get(source, 0.0)) + cost_s)


def trimmed(span: Any, limits: Limits) -> int:
    """Leave out what a span has too much of; return how many attributes and events that were."""
    left_out = 0
    if (more := len(span.events) - limits.events) > 0:
        del span.events[limits.events :]
        span.dropped_events_count += more
        left_out += more
    for holder in (span, *span.events):
        left_out += trimmed_attributes(holder, limits)
    return left_out


def trimmed_attributes(holder: Any, limits: Limits) -> int:
    """Leave out the attributes that a span, an event or a resource has too many of; return how many that were."""
    if (more := len(holder.attributes) - limits.attributes) <= 0:
        return 0
    del holder.attributes[limits.attributes :]
    holder.dropped_attributes_count += more
    return more
