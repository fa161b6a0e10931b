"""Log events become accounts of turns, and these are joined with the record, in a thread of its own.

A turn of a coding agent has no end that is reported: what is known of it goes on record whenever its session has been quiet
for a moment, and at the latest after half a minute, so a long turn is seen while it runs. What comes later is joined with it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from turnspan.errors import StoreUnavailableError
from turnspan.interchange.joining.joiner import Joiner
from turnspan.interchange.joining.turns import JoinedTurn
from turnspan.model.records import SessionRecord, TurnRecord
from turnspan.receiver.dialects import BY_KIND, PREFIXES, dialect_of
from turnspan.receiver.dialects.events import Dialect, LogEvent, events_in, spans_in
from turnspan.receiver.dialects.spool import Arrived, LogSpool
from turnspan.recording.recorder import Recorder
from turnspan.telemetry.own_log import logger

QUIET_MS = 6_000
"""How long a session must have been quiet, in milliseconds: longer than the five seconds in which agents export."""
PATIENCE_MS = 30_000
"""How long at most what has come waits for that."""


def arrived_in(request: Any) -> Iterator[Arrived | None]:
    """Yield the log records of a request; None for each that is of no agent that is known, or of no session."""
    if not hasattr(request, "resource_logs"):
        yield from filter(None, map(_arrived, spans_in(request, PREFIXES)))
        return
    for event in events_in(request, PREFIXES):
        yield None if event is None else _arrived(event)


def _arrived(event: LogEvent) -> Arrived | None:
    dialect = dialect_of(event.name)
    if dialect is None or not (session_id := dialect.session_of(event)) or not event.at_ns:
        return None
    return Arrived(dialect.KIND, session_id, event, dialect.begins(event))


class LogAssembly:
    """Puts the log events of a spool on record.

    Args:
        spool: Where they are.
        recorder: Takes the events that are made of them.

    """

    def __init__(self, spool: LogSpool, recorder: Recorder) -> None:
        self._spool, self._recorder = spool, recorder
        self._joiners: dict[str, Joiner] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="turnspan-logs", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Put on record what is there, and end."""
        self._stopping.set()
        self._thread.join()
        while self._step(0, 0):
            pass

    def _run(self) -> None:
        while not self._stopping.wait(0.5):
            self._step(QUIET_MS, PATIENCE_MS)

    def _step(self, quiet_ms: int, patience_ms: int) -> bool:
        """Put on record what can be; return whether there was anything, and it could."""
        try:
            ready = self._spool.ready(quiet_ms, patience_ms)
            for kind, session_id in ready:
                self._take(kind, session_id)
        except Exception as error:
            logger.error("turnspan serve: what coding agents report could not be put on record yet: %s", error)
            return False
        return bool(ready)

    def _take(self, kind: str, session_id: str) -> None:
        waiting = self._spool.events(kind, session_id)
        dialect, starts = BY_KIND[kind], self._spool.starts(kind, session_id)
        turns: dict[str, JoinedTurn] = {}
        left = []
        for id_, event in waiting:
            turn_id = dialect.turn_of(event) or starts.at(event.at_ns)
            if turn_id is None:
                left.append(id_)
            else:
                _read(dialect, event, turns.setdefault(turn_id, JoinedTurn(TurnRecord(turn_id, dialect.AGENT))))
        if turns:
            account = SessionRecord(
                session_id, agent_id=dialect.AGENT, turns=[turn.record() for turn in turns.values()]
            )
            account.turns.sort(key=lambda turn: turn.started_at)
            self._join(dialect, account)
        self._spool.without_turn(left)
        self._spool.done(id_ for id_, _ in waiting if id_ not in set(left))

    def _join(self, dialect: Dialect, account: SessionRecord) -> None:
        try:
            if dialect.KIND not in self._joiners:
                store = self._recorder.pipeline.opened_store()
                self._joiners[dialect.KIND] = Joiner(dialect.KIND, store, self._recorder, copies=False)
            self._joiners[dialect.KIND].take(account)
        except StoreUnavailableError:
            raise
        except Exception as error:  # one that cannot be recorded costs itself, and not those behind it
            says = "turnspan serve: what came of session %s is not recorded: %s: %s"
            logger.error(says, account.session_id, type(error).__name__, error)


def _read(dialect: Dialect, event: LogEvent, turn: JoinedTurn) -> None:
    turn.lasted(event.at)
    try:
        dialect.read(event, turn)
    except Exception as error:  # another version's event costs itself
        logger.error("turnspan serve: an event %s is not as expected: %s: %s", event.name, type(error).__name__, error)
