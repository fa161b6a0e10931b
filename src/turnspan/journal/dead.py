"""Journals of dead processes: found by their lock, read whole, completed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from turnspan.events import ENDS, STARTS, Event, TurnEnded, TurnStarted
from turnspan.journal.hash_chain import Line, SpanIds, digest_of, line_hash, payload_hash, read
from turnspan.journal.recorded_events import RecordedEvent, span_of
from turnspan.journal.segments import _framed, _locked, _retire, header_of, is_held, read_whole, segments_of
from turnspan.journal.unwritten import Losses
from turnspan.model.json_values import encode
from turnspan.stores.rows import AuditRow

# What dead processes left ----------------------------------------------------------------------------------------


class WaitingJournal(NamedTuple):
    """A journal that nobody writes any more and nobody has stored yet."""

    id: str
    store: str
    """URL of the store that its lines were meant for, as far as it may be written down."""
    events: int
    """How many events are in it; the store may have the first ones, and the last may be half an event."""


def waiting_journals(directory: Path) -> list[WaitingJournal]:
    """Return the journals of dead processes that have lines to be stored; nothing is locked or changed."""
    found = []
    for path in sorted(directory.glob("*.lock")):
        if is_held(directory, path.stem):
            continue
        headers, events = [], 0
        for segment in segments_of(directory, path.stem):
            with suppress(OSError), segment.open("rb") as file:  # recovered just now
                headers.append(header_of(segment))
                events += max(0, sum(1 for _ in file) - 1)  # the first line is the header
        if events:
            store = next((str(header.get("store", "")) for header in headers if header is not None), "")
            found.append(WaitingJournal(path.stem, store, events))
    return found


class DeadJournal:
    """The chain of a process that is gone, held by a lock while it is recovered."""

    def __init__(self, directory: Path, journal_id: str, lock_fd: int) -> None:
        self.directory, self.id, self._lock_fd = directory, journal_id, lock_fd
        self.torn_bytes = 0
        self.losses = Losses.read(directory / f"{journal_id}.lock")
        self.lines = [line for path in segments_of(directory, journal_id) for line in self._lines_of(path)]

    def _lines_of(self, path: Path) -> list[Line]:
        whole = read_whole(path)
        self.torn_bytes += whole.damaged_bytes
        self._end = whole.end
        return whole.lines

    @property
    def store(self) -> str:
        """URL of the store that the lines were meant for."""
        headers = (header_of(path) for path in segments_of(self.directory, self.id))
        return next((str(header.get("store", "")) for header in headers if header is not None), "")

    def drop_torn_batch(self) -> int:
        """Take away what a process wrote that died in the middle of one write; return how many lines that is.

        What is received comes with all of its ends, and whoever received it has it still: it is put on record anew.
        """
        open_: dict[tuple[str | None, ...], int] = {}
        for index, line in enumerate(self.lines):
            event = read(line.payload)
            if isinstance(event, STARTS) and event.borrowed == "received":
                open_.setdefault(_key(event, event.call_id), index)
            elif isinstance(event, ENDS):
                open_.pop(_key(event, event.call_id), None)
        if not open_:
            return 0
        first = min(open_.values())
        torn, self.lines = self.lines[first:], self.lines[:first]
        self._end -= sum(len(_framed(line.head, line.payload)) for line in torn)
        return len(torn)

    def fill(self, rows: Iterable[AuditRow]) -> None:
        """Put the lines that the disk had no room for, and the store took from memory, in their places."""
        known = {line.sequence for line in self.lines}
        self.lines += [
            Line(row.sequence, row.previous_hash, row.hash, row.digest, span_of(row), (row.payload or "").encode())
            for row in rows
            if row.sequence not in known
        ]
        self.lines.sort(key=lambda line: line.sequence)

    @property
    def lost(self) -> int:
        """How many events the process took that neither the disk nor the store has."""
        last = self.lines[-1].sequence if self.lines else 0
        return self.losses.dropped + max(0, self.losses.acknowledged - last)

    def head(self) -> tuple[int, str]:
        """Return the number and the hash of the last line."""
        last = self.lines[-1]
        return last.sequence, last.hash or payload_hash(self.id, last.head, last.payload) or ""

    @property
    def events(self) -> list[RecordedEvent]:
        """What the lines have that can be read, each with its span."""
        read_lines = ((read(line.payload), line) for line in self.lines)
        return [
            RecordedEvent(self.id, event, line.span, line.sequence) for event, line in read_lines if event is not None
        ]

    def complete(self, events: Sequence[tuple[Event, SpanIds | None]]) -> list[Line]:
        """Continue the chain with the ends that nobody was left to report, and return its lines; a torn last line makes room."""
        sequence, own = self.head()
        added: list[Line] = []
        for event, span in events:
            payload = encode(event)
            line = Line(sequence + 1, own, "", digest_of(payload), span, payload)
            added.append(line)
            sequence, own = line.sequence, line_hash(self.id, line.head, event)
        with segments_of(self.directory, self.id)[-1].open("r+b") as file:
            file.truncate(self._end)
            file.seek(self._end)
            self._end += file.write(b"".join(_framed(line.head, line.payload) for line in added))
        self.lines += added
        return added

    def close(self, *, confirmed: bool, keep: bool = False) -> None:
        """Let go; drop the files when the store has all of it.

        Raises:
            OSError: When they cannot be removed; it lets go all the same.

        """
        try:
            if confirmed:
                for path in segments_of(self.directory, self.id):
                    _retire(path, keep=keep)
                (self.directory / f"{self.id}.lock").unlink(missing_ok=True)
        finally:
            os.close(self._lock_fd)


def _key(event: Event, call_id: str | None) -> tuple[str | None, ...]:
    is_turn = isinstance(event, (TurnStarted, TurnEnded))
    return event.session_id, event.turn_id, None if is_turn else call_id or event.event_id


def dead_journals(directory: Path) -> Iterator[DeadJournal]:
    """Find and lock, one by one, the journals whose process is gone. The lock decides, not the pid."""
    for path in sorted(directory.glob("*.lock")):
        try:
            fd = _locked(path)
        except OSError:
            continue  # alive, or being recovered by somebody else
        if not path.exists():  # recovered between our look and our lock
            os.close(fd)
            continue
        yield DeadJournal(directory, path.stem, fd)
