"""The spool of log events: each is on disk before its request is answered, and once.

A database of its own in home. An event stays until its session's turns are on record with it, and stays known for a day after
that, so that a request that is sent again adds nothing. Where turns begin is remembered for longer: what comes hours later
still finds its turn.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from turnspan.receiver.dialects.events import LogEvent, Starts

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, session_id TEXT NOT NULL, event BLOB, received_ms INTEGER NOT NULL,
    state INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS events_open ON events (kind, session_id, state, received_ms) WHERE state < 2;
CREATE INDEX IF NOT EXISTS events_done ON events (received_ms) WHERE state >= 1;
CREATE TABLE IF NOT EXISTS starts (
    kind TEXT NOT NULL, session_id TEXT NOT NULL, at_ns INTEGER NOT NULL, turn_id TEXT NOT NULL,
    received_ms INTEGER NOT NULL, PRIMARY KEY (kind, session_id, turn_id)
) WITHOUT ROWID;
"""
WAITING, WITHOUT_TURN, DONE = 0, 1, 2
_DAY_MS = 24 * 3600 * 1000
_STARTS_KNOWN_FOR_MS = 30 * _DAY_MS
_MOST = 20_000


class Arrived(NamedTuple):
    """An event that has come, where it belongs, and the turn that it begins."""

    kind: str
    session_id: str
    event: LogEvent
    begins: str | None


class LogSpool:
    """What coding agents have reported and is not yet on record, or was a short time ago.

    Args:
        path: The database's file; it is made where there is none.

    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "secure_delete = ON"):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.executescript(_SCHEMA)
        self.waiting: int = self._database.execute("SELECT count(*) FROM events WHERE state = 0").fetchone()[0]

    def accept(self, arrived: Iterable[Arrived]) -> int:
        """Keep events; return how many of them are new.

        Raises:
            sqlite3.Error: When they could not be kept: none of them is.

        """
        now_ms = time.time_ns() // 1_000_000
        rows, starts = [], []
        for one in arrived:
            content = msgspec.json.encode(one.event)
            rows.append((one.event.digest(), one.kind, one.session_id, content, now_ms))
            if one.begins is not None:
                starts.append((one.kind, one.session_id, one.event.at_ns, one.begins, now_ms))
        with self._writing():
            new = self._inserted("INSERT INTO events VALUES (?, ?, ?, ?, ?, 0) ON CONFLICT DO NOTHING", rows)
            if self._inserted("INSERT INTO starts VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", starts):
                found = {(kind, session_id) for kind, session_id, *_ in starts}
                self._database.executemany(
                    "UPDATE events SET state = 0 WHERE kind = ? AND session_id = ? AND state = 1", sorted(found)
                )
        with self._lock:
            self.waiting += new
        return new

    def ready(self, quiet_ms: int, patience_ms: int) -> list[tuple[str, str]]:
        """Return the sessions, by kind and id, whose events are to go on record.

        Args:
            quiet_ms: How long nothing of a session must have come.
            patience_ms: How long at most what has come waits for that.

        """
        now_ms = time.time_ns() // 1_000_000
        with self._lock:
            return self._database.execute(
                "SELECT kind, session_id FROM events WHERE state = 0 GROUP BY kind, session_id "
                "HAVING max(received_ms) <= ? OR min(received_ms) <= ? ORDER BY min(received_ms)",
                (now_ms - quiet_ms, now_ms - patience_ms),
            ).fetchall()

    def events(self, kind: str, session_id: str) -> list[tuple[str, LogEvent]]:
        """Return the events of a session that wait, with their ids, the first to happen first."""
        with self._lock:
            rows = self._database.execute(
                "SELECT id, event FROM events WHERE kind = ? AND session_id = ? AND state = 0 ORDER BY id LIMIT ?",
                (kind, session_id, _MOST),
            ).fetchall()
        return [(id_, msgspec.json.decode(content, type=LogEvent)) for id_, content in rows]

    def starts(self, kind: str, session_id: str) -> Starts:
        """Return where the turns of a session begin."""
        with self._lock:
            query = "SELECT at_ns, turn_id FROM starts WHERE kind = ? AND session_id = ?"
            return Starts(self._database.execute(query, (kind, session_id)).fetchall())

    def done(self, ids: Iterable[str]) -> None:
        """Note that events are on record; what they said is not kept a second time."""
        self._settle("UPDATE events SET state = 2, event = NULL WHERE id = ? AND state = 0", ids)

    def without_turn(self, ids: Iterable[str]) -> None:
        """Note that events wait until a turn of their session begins."""
        self._settle("UPDATE events SET state = 1 WHERE id = ? AND state = 0", ids)

    def _settle(self, statement: str, ids: Iterable[str]) -> None:
        now_ms = time.time_ns() // 1_000_000
        with self._writing():
            self._database.executemany(statement, [(id_,) for id_ in ids])
            self._database.execute("DELETE FROM events WHERE state >= 1 AND received_ms < ?", (now_ms - _DAY_MS,))
            self._database.execute("DELETE FROM starts WHERE received_ms < ?", (now_ms - _STARTS_KNOWN_FOR_MS,))
            self.waiting = self._database.execute("SELECT count(*) FROM events WHERE state = 0").fetchone()[0]

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._database.close()

    def _inserted(self, statement: str, rows: Sequence[tuple[object, ...]]) -> int:
        before = self._database.total_changes
        self._database.executemany(statement, rows)
        return self._database.total_changes - before

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")
