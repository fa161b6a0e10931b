"""Assembly: whole traces go on record, some at a time, each once."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from typing import NamedTuple

from turnspan.events import TurnStarted
from turnspan.receiver.health import Counts
from turnspan.receiver.received import Placed, events_of, number_of, place_in
from turnspan.receiver.spool import BEGUN, Kept, Spool
from turnspan.recording.recorder import Recorder
from turnspan.stores.base import Audited, AuditFilter
from turnspan.telemetry.own_log import logger

SETTLE_MS = 1_000
"""How long a trace waits for more once its first span has come, in milliseconds."""
PATIENCE_MS = 30 * 60_000
"""The same where the first span is missing: it ends last, and so is sent last."""
_FLUSH_S = 10.0
_BATCH_EVENTS = 4_000
"""So many events are written at a time; a trace has as many as it has."""


class _Made(NamedTuple):
    """What was made of a trace: its events, and where each span is then."""

    trace_id: bytes
    events: list[Placed]
    places: list[tuple[Kept, str | None]]


class Assembly:
    """Puts the traces of a spool on record, in a thread of its own.

    Args:
        spool: Where they are.
        recorder: Takes the events.
        counts: Counts turns.
        recover: Stores what dead processes left in their journals.
        settle_ms: How long a trace waits for more once its first span has come, in milliseconds.
        patience_ms: The same where that is missing.

    """

    def __init__(
        self,
        spool: Spool,
        recorder: Recorder,
        counts: Counts,
        *,
        recover: Callable[[], object] = lambda: None,
        settle_ms: int = SETTLE_MS,
        patience_ms: int = PATIENCE_MS,
    ) -> None:
        self._spool, self._recorder, self._counts, self._recover = spool, recorder, counts, recover
        self._has_recovered = False
        self._unsure: set[bytes] = set()  # traces that are on record, which the spool could not note
        self._settle_ms, self._patience_ms = settle_ms, patience_ms
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="turnspan-assembly", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Put on record what is whole, and end; the rest waits in the spool for the next process."""
        self._stopping.set()
        self._thread.join()
        while self._step(settle_ms=0):
            pass

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not self._step(self._settle_ms):
                self._stopping.wait(max(0.05, self._settle_ms / 4000))

    def _step(self, settle_ms: int) -> bool:
        """Put on record what can be; return whether there was anything."""
        try:
            return self._take_ready(settle_ms)
        except Exception as error:
            logger.error("turnspan serve: what was received could not be put on record yet: %s", error)
            return False

    def _take_ready(self, settle_ms: int) -> bool:
        if self._recorder.pipeline.is_behind:
            return False  # the spool keeps it, without end; the journal drops what is beyond its limit
        traces = self._spool.ready(settle_ms, self._patience_ms)
        batch: list[_Made] = []
        for trace_id in traces:
            try:
                batch.append(self._made(trace_id))
            except Exception:
                self._spool.give_back([trace_id, *(one.trace_id for one in batch)])
                raise
            if sum(len(one.events) for one in batch) > _BATCH_EVENTS:
                self._put_on_record(batch)
                batch = []
        self._put_on_record(batch)
        return bool(traces)

    def _made(self, trace_id: bytes) -> _Made:
        """Return the events of what waits of a trace; none where it cannot be read."""
        kept = self._spool.trace(trace_id)
        waiting = [one for one in kept if one.span is not None]
        places = {number_of(one.span_id): place_in(one.place) for one in kept if one.place is not None}
        try:
            events, found = events_of(waiting, places)
        except Exception as error:  # it costs itself, and not those behind it
            what = f"{type(error).__name__}: {error}"
            logger.error("turnspan serve: trace %s is not recorded: %s", trace_id.hex(), what)
            self._counts.came("unreadable", len(waiting))
            return _Made(trace_id, [], [(one, None) for one in waiting])
        if trace_id in self._unsure or any(one.state == BEGUN for one in waiting):
            events = self._without_known(events)
        return _Made(trace_id, events, [(one, found.get(number_of(one.span_id))) for one in waiting])

    def _put_on_record(self, batch: list[_Made]) -> None:
        """Have the journal take some traces, all of them or none.

        Raises:
            OSError: When it takes none now.

        """
        if not self._recorder.receive(event for one in batch for event in one.events):
            self._spool.give_back(one.trace_id for one in batch)
            raise OSError("the journal takes nothing more for now")
        self._counts.turned(sum(type(event) is TurnStarted for one in batch for event, _ in one.events))
        traces = [one.trace_id for one in batch]
        try:
            self._spool.done(traces, (place for one in batch for place in one.places))
        except sqlite3.Error:
            self._unsure.update(traces)
            self._spool.give_back(traces)
            raise
        self._unsure.difference_update(traces)

    def _without_known(self, events: list[Placed]) -> list[Placed]:
        """Return the events that are not on record yet, of those that a process before, or this one, may have put there.

        Raises:
            OSError: When the store does not have all of those yet.

        """
        if not self._recorder.flush(_FLUSH_S):
            raise OSError("the store does not have yet what is on record")
        if not self._has_recovered:
            self._recover()
            self._has_recovered = True
        store = self._recorder.pipeline.opened_store()
        if not isinstance(store, Audited) or not events:
            return events
        ids = [event.event_id for event, _ in events]
        sessions = frozenset(event.session_id for event, _ in events)
        where = AuditFilter(sessions=sessions, since_id=min(ids), until_id=max(ids) + "g")
        known = {row.event_id for row in store.audit_rows(where)}
        return [one for one in events if one[0].event_id not in known]
