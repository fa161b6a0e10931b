"""The spool: every span that was received, on disk before its request is answered, and once.

A database of its own in home, written before anything else is done with a span: a process that is killed goes on from
here. A span stays known for a day after it went into the record, so that a request that is sent again, or comes by two
ways, adds nothing.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Sequence
from heapq import nsmallest
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from turnspan.receiver.otlp import Received

_SCHEMA = """
CREATE TABLE IF NOT EXISTS spans (
    trace_id BLOB NOT NULL, span_id BLOB NOT NULL, parent_id BLOB NOT NULL,
    span BLOB, scope TEXT NOT NULL, resource BLOB, start_ns INTEGER NOT NULL,
    received_ms INTEGER NOT NULL, state INTEGER NOT NULL DEFAULT 0, place TEXT,
    PRIMARY KEY (trace_id, span_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS spans_open ON spans (received_ms) WHERE state < 2;
CREATE INDEX IF NOT EXISTS spans_done ON spans (received_ms) WHERE state = 2;
CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT, signal TEXT NOT NULL, headers TEXT NOT NULL, body BLOB NOT NULL
);
"""
WAITING, BEGUN, DONE = 0, 1, 2
_FRESH_BYTES = 64 * 1024 * 1024
_KNOWN_FOR_MS = 24 * 3600 * 1000


class Kept(NamedTuple):
    """A span in the spool; ``place`` says where in the record it is, once it is there."""

    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    span: bytes | None
    scope: str
    resource: bytes | None
    state: int
    place: str | None


class Waiting(NamedTuple):
    """A trace of which something waits: when it began, when the newest of it came, and whether its first span has."""

    start_ns: int
    received_ms: int
    has_first: bool
    is_more: bool = False
    """Whether the database has more of it than what waits."""


_AT_ONCE = Waiting(0, 0, has_first=True, is_more=True)
_start_of = attrgetter("start_ns")


class Request(NamedTuple):
    """A request that is to be passed on."""

    id: int
    signal: str
    headers: str
    body: bytes


class Spool:
    """What was received and is not yet on record, or was a short time ago.

    Args:
        path: The database's file; it is made where there is none.

    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute(
            "PRAGMA wal_autocheckpoint = 4000"
        )  # pages: what comes fast is written back in larger parts
        self._database.execute("PRAGMA secure_delete = ON")  # what is not redacted yet leaves nothing behind
        self._database.executescript(_SCHEMA)
        self.waiting, waiting_bytes = self._counted("SELECT count(*), total(length(span)) FROM spans WHERE state < 2")
        self.unsent, unsent_bytes = self._counted("SELECT count(*), total(length(body)) FROM requests")
        self.waiting_bytes = waiting_bytes + unsent_bytes
        self._open: dict[bytes, Waiting] = {}
        self._taken: set[bytes] = set()  # traces that are being put on record
        self._fresh: dict[bytes, list[Received]] = {}  # all that there is of a trace, where memory has it, too
        self._fresh_bytes = 0
        self._go_on()

    def _go_on(self) -> None:
        """Take over what a process before has left: it may have put on record what it had no time to note as done."""
        self._database.execute("UPDATE spans SET state = ? WHERE state = ?", (BEGUN, WAITING))
        for trace_id, start_ns, received_ms, has_first in self._database.execute(
            "SELECT trace_id, min(start_ns), max(received_ms), max(parent_id = x'') FROM spans WHERE state = ? "
            "GROUP BY trace_id",
            (BEGUN,),
        ).fetchall():
            self._look_for(trace_id, start_ns, received_ms, has_first=bool(has_first))

    def _counted(self, query: str) -> tuple[int, int]:
        count, size = self._database.execute(query).fetchone()
        return count, int(size)

    def accept(self, spans: Sequence[Received], passed_on: tuple[str, str, bytes] | None = None) -> int:
        """Keep spans, and the request that is to be passed on; return how many of them are new.

        Raises:
            sqlite3.Error: When they could not be kept: none of them is.

        """
        now_ms = time.time_ns() // 1_000_000
        rows = [(*span, now_ms) for span in spans]
        size = sum(len(row[3]) for row in rows)
        with self._lock:
            with _Transaction(self._database):
                before = self._database.total_changes
                self._database.executemany(
                    "INSERT INTO spans (trace_id, span_id, parent_id, span, scope, resource, start_ns, received_ms) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    rows,
                )
                new = self._database.total_changes - before
                if passed_on is not None:
                    self._database.execute("INSERT INTO requests (signal, headers, body) VALUES (?, ?, ?)", passed_on)
            if new:
                self._remember(spans, now_ms, all_new=new == len(rows))
            self.waiting += new
            self.waiting_bytes += size if new == len(rows) else size * new // len(rows)
            if passed_on is not None:
                self.unsent += 1
                self.waiting_bytes += len(passed_on[2])
        return new

    def _remember(self, spans: Sequence[Received], now_ms: int, *, all_new: bool) -> None:
        """Take note of what has come; where it is all that there is of its trace, it need not be read back."""
        for span in spans:
            trace_id = span.trace_id
            known = trace_id in self._open
            self._look_for(trace_id, span.start_ns, now_ms, has_first=not span.parent_id)
            if not known and all_new and not self._open[trace_id].is_more and self._fresh_bytes < _FRESH_BYTES:
                self._fresh[trace_id] = []
            if (fresh := self._fresh.get(trace_id)) is not None:
                fresh.append(span)
                self._fresh_bytes += len(span.span)
                if not all_new:  # some of it came before
                    self._forget(trace_id)

    def _forget(self, trace_id: bytes) -> list[Received] | None:
        """Return what memory has of a trace, and have it no more."""
        fresh = self._fresh.pop(trace_id, None)
        self._fresh_bytes -= sum(len(span.span) for span in fresh or ())
        return fresh

    def _look_for(self, trace_id: bytes, start_ns: int, received_ms: int, *, has_first: bool) -> None:
        """Take note of a trace of which something waits."""
        known = self._open.get(trace_id)
        if known is None:
            is_more = self._is_known(trace_id)
            self._open[trace_id] = Waiting(start_ns, received_ms, has_first or is_more, is_more)
        else:
            begun_ns = min(start_ns, known.start_ns)
            self._open[trace_id] = Waiting(begun_ns, received_ms, has_first or known.has_first, known.is_more)

    def _is_known(self, trace_id: bytes) -> bool:
        """Return whether some of a trace is on record, or about to be: what comes behind that is waited for no more."""
        if trace_id in self._taken:
            return True
        query = "SELECT 1 FROM spans WHERE trace_id = ? AND state = ? LIMIT 1"
        return self._database.execute(query, (trace_id, DONE)).fetchone() is not None

    def ready(self, settle_ms: int, patience_ms: int, most: int = 1024) -> list[bytes]:
        """Return the traces whose spans are to go into the record, those that began first to begin with.

        Args:
            settle_ms: How long nothing of a trace must have come, where its first span is there.
            patience_ms: The same, where that is missing.
            most: How many to return.

        """
        now_ms = time.time_ns() // 1_000_000
        with self._lock:
            found = [
                (one.start_ns, trace_id)
                for trace_id, one in self._open.items()
                if one.received_ms <= now_ms - (settle_ms if one.has_first else patience_ms)
            ]
        return [trace_id for _, trace_id in nsmallest(most, found)]

    def trace(self, trace_id: bytes, most: int = 20_000, most_bytes: int = 64 * 1024 * 1024) -> list[Kept]:
        """Return what is known of a trace, what began first to begin with: the places of what is on record, and what waits.

        Nobody looks for it any more, until more of it comes or what is returned is given back.

        Args:
            trace_id: The trace.
            most: How many spans that wait to return.
            most_bytes: How large these may be, but for the first.

        """
        found, count, size, left = [], 0, 0, False
        with self._lock:
            self._open.pop(trace_id, None)
            self._taken.add(trace_id)
            fresh = self._forget(trace_id)
            if fresh and len(fresh) <= most and sum(len(span.span) for span in fresh) <= most_bytes:
                return [Kept(*span[:6], WAITING, None) for span in sorted(fresh, key=_start_of)]
            for row in self._database.execute(
                "SELECT trace_id, span_id, parent_id, span, scope, resource, state, place FROM spans "
                "WHERE trace_id = ? ORDER BY start_ns",
                (trace_id,),
            ):
                kept = Kept(*row)
                if kept.span is not None:
                    count, size = count + 1, size + len(kept.span) + len(kept.resource or b"")
                    if left := count > most or (size > most_bytes and count > 1):
                        continue
                found.append(kept)
            if left:
                self._open[trace_id] = _AT_ONCE
        return found

    def give_back(self, trace_ids: Iterable[bytes]) -> None:
        """Look for traces again that could not be put on record now."""
        with self._lock:
            for trace_id in trace_ids:
                self._taken.discard(trace_id)
                self._forget(trace_id)
                self._open[trace_id] = _AT_ONCE

    def oldest_s(self) -> float:
        """Return for how long the span that waits longest has done so, in seconds."""
        with self._lock:
            (received_ms,) = self._database.execute("SELECT min(received_ms) FROM spans WHERE state < 2").fetchone()
        return 0.0 if received_ms is None else max(0.0, time.time() - received_ms / 1000)

    def done(self, trace_ids: Iterable[bytes], places: Iterable[tuple[Kept, str | None]]) -> None:
        """Note that spans of some traces are on record, and where; what they said is not kept a second time."""
        rows, size = [], 0
        for one, place in places:
            rows.append((DONE, place, one.trace_id, one.span_id))
            size += len(one.span or b"")
        with self._lock, _Transaction(self._database):
            self._database.executemany(
                "UPDATE spans SET state = ?, span = NULL, resource = NULL, place = ? WHERE trace_id = ? AND span_id = ?",
                rows,
            )
            self._database.execute(
                "DELETE FROM spans WHERE state = ? AND received_ms < ?",
                (DONE, time.time_ns() // 1_000_000 - _KNOWN_FOR_MS),
            )
        with self._lock:
            self._taken.difference_update(trace_ids)
            self.waiting -= len(rows)
            self.waiting_bytes -= size

    def next_request(self) -> Request | None:
        """Return the request that waits longest to be passed on."""
        with self._lock:
            row = self._database.execute(
                "SELECT id, signal, headers, body FROM requests ORDER BY id LIMIT 1"
            ).fetchone()
        return None if row is None else Request(*row)

    def passed_on(self, request: Request) -> None:
        """Forget a request."""
        with self._lock:
            self._database.execute("DELETE FROM requests WHERE id = ?", (request.id,))
            self.unsent -= 1
            self.waiting_bytes -= len(request.body)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._database.close()


class _Transaction:
    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __enter__(self) -> None:
        self._database.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *_: object) -> None:
        self._database.execute("COMMIT" if kind is None else "ROLLBACK")
