"""Running traces: what has come of those whose first span has not, as the sessions and turns that they will be.

A span is sent when it ends, and the first of a trace ends last. Which turn the others are in is certain only then, so
nothing of it is on record before: it is read from the spool, made into a turn that runs, and shown.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from turnspan.events import Event, TurnEnded
from turnspan.model.ids import derived_id
from turnspan.model.records import SessionRecord
from turnspan.receiver.received import Placed, ReceivedSpan, events_of_spans, number_of
from turnspan.receiver.spool import DONE, Kept
from turnspan.recording.ledger import Ledger
from turnspan.recording.redaction import Redactor
from turnspan.settings import Settings
from turnspan.stores.merging import merge

AFTER_MS = 3_000
"""For how long something of a trace must have waited for its first span."""
_TRACES, _SPANS = 100, 2_000
_FRESH_S = 0.5


class RunningTraces:
    """Reads a spool that another process, or thread, may write.

    Args:
        path: The spool.
        settings: How content is captured and redacted.
        after_ms: For how long something of a trace must have waited for its first span.

    """

    def __init__(self, path: Path, settings: Settings, after_ms: int = AFTER_MS) -> None:
        self._path, self._after_ms = path, after_ms
        self._lock = threading.Lock()
        self._known: tuple[float, list[SessionRecord]] | None = None
        try:
            self._redactor = Redactor(settings.redact, settings.capture_content, settings.content_limit)
        except Exception:  # a rule that cannot be read: rather too little than what a user wanted out
            self._redactor = Redactor(mode="none")

    def sessions(self) -> list[SessionRecord]:
        """Return the sessions with turns that run, with these turns alone, those that came last to begin with."""
        with self._lock:
            if self._known is None or self._known[0] < time.monotonic() - _FRESH_S:
                self._known = (time.monotonic(), self._read())
            found = self._known[1]
        return [SessionRecord.from_dict(one.to_dict()) for one in found]

    def _read(self) -> list[SessionRecord]:
        ledger = Ledger("running")
        number = 0
        for trace in self._traces():
            for event, ids in self._kept(_running_turn(trace)):
                number += 1
                ledger.fold_event(event, ids, number)
        changes = ledger.take()
        found = [merge(None, changes.of(session_id)) for session_id in changes.session_ids()]
        return sorted(found, key=lambda session: session.updated_at, reverse=True)

    def _kept(self, events: list[Placed]) -> list[Placed]:
        return [(self._redactor.take(event)[0], ids) for event, ids in events]

    def _traces(self) -> list[list[Kept]]:
        if not self._path.exists():
            return []
        try:
            with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=1.0)) as database:
                before_ms = time.time_ns() // 1_000_000 - self._after_ms
                traces = database.execute(
                    "SELECT trace_id FROM spans AS one WHERE state < ? GROUP BY trace_id HAVING min(received_ms) <= ? AND "
                    "max(parent_id = x'') = 0 AND NOT EXISTS (SELECT 1 FROM spans WHERE trace_id = one.trace_id AND "
                    "state = ?) ORDER BY max(received_ms) DESC LIMIT ?",
                    (DONE, before_ms, DONE, _TRACES),
                ).fetchall()
                query = (
                    "SELECT trace_id, span_id, parent_id, span, scope, resource, state, place FROM spans "
                    "WHERE trace_id = ? ORDER BY start_ns LIMIT ?"
                )
                return [[Kept(*row) for row in database.execute(query, (one, _SPANS))] for (one,) in traces]
        except sqlite3.Error:  # it is being made, or somebody else's
            return []


def _running_turn(kept: list[Kept]) -> list[Placed]:
    """Return the events of one turn that runs, in which all is that came of a trace; none where it cannot be read."""
    try:
        spans = [ReceivedSpan(one) for one in kept if one.span is not None]
        known = {span.context.span_id for span in spans}
        orphans = [span for span in spans if span.parent is None or span.parent.span_id not in known]
        missing = orphans[0].parent
        span_id = missing.span_id if missing is not None else number_of(kept[0].span_id) ^ 1
        root = ReceivedSpan.standing_for(spans, span_id)
        for span in orphans:
            span.parent = root.context
        events, _ = events_of_spans([root, *spans], {})
    except Exception:  # whatever a program has sent: it costs itself
        return []
    of_turn = derived_id(kept[0].trace_id.hex(), "running turn", at_ns=root.start_time)
    return [(_renamed(event, of_turn), ids) for event, ids in events if not isinstance(event, TurnEnded)]


def _renamed(event: Event, turn_id: str) -> Any:
    """Return an event of the turn under an id that no recorded turn has."""
    from msgspec.structs import replace

    return event if event.turn_id is None else replace(event, turn_id=turn_id)
