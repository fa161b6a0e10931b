"""The live journal of this process: what was emitted is in it before the agent goes on."""

from __future__ import annotations

import json
import os
import random
import socket
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import msgspec

from turnspan.events import Event
from turnspan.journal.hash_chain import Line, SpanIds, digest_of, head_of, line_hash
from turnspan.journal.segments import (
    _FORMAT,
    READ_BYTES,
    _framed,
    _locked,
    _retire,
    read_segment,
    segments_of,
)
from turnspan.journal.unwritten import Unwritten
from turnspan.model.file_ids import is_at, is_marked, marked
from turnspan.model.ids import new_id, now_ns
from turnspan.model.json_values import encode

SEGMENT_BYTES = 8 * 1024 * 1024
MEMORY_LINES = 4096
"""Newest lines kept in memory for the writer."""
BATCH_LINES = 2048
"""Lines that the writer takes at a time."""
RETRIED_LINES = 64
"""Unwritten lines that are written at a time, once the disk takes some: nobody waits for all of them."""
LIMIT_BYTES = 1024 * 1024 * 1024
"""What a journal may hold while its store is away; beyond that events are dropped, and counted."""


class Position(NamedTuple):
    """A place in the chain of segments: how far a reader got."""

    segment: int
    offset: int


class _Newest(msgspec.Struct, frozen=True, gc=False):
    """A line in memory, and the place behind it; the segment is -1 where the disk had no room for it."""

    line: Line
    segment: int
    offset: int


class Journal:
    """The chain of this process.

    Args:
        directory: Where segments are kept; None keeps lines in memory only.
        store: URL of the store that the lines are meant for, written into each segment for recovery.
        fsync: Whether a line must survive power loss.
        keep: Whether confirmed segments are kept (renamed to ``*.kept``) instead of removed.
        segment_bytes: A segment is closed when it has grown beyond this.
        limit_bytes: What the segments that the store has not confirmed may hold together.

    Raises:
        OSError: When the directory cannot be made or written.

    """

    def __init__(
        self,
        directory: Path | None,
        *,
        store: str = "",
        fsync: bool = False,
        keep: bool = False,
        segment_bytes: int = SEGMENT_BYTES,
        limit_bytes: int = LIMIT_BYTES,
    ) -> None:
        self.id = new_id()
        self.directory = directory
        self.store = store
        self.problem: OSError | None = None
        self._fsync, self._keep = fsync, keep
        self._segment_bytes, self._limit_bytes = min(segment_bytes, limit_bytes // 4), limit_bytes
        self._held_bytes = 0
        self._finished = self._closed = False
        self._lock = threading.Lock()
        self._sequence = 0
        self._hash = self._before_next = ""  # of the newest line, and of the one before the next that is written
        self._segment = 0
        self._kept_from = 0
        self._size = 0
        self._fd = -1
        self._lock_fd = -1
        self._mark = 1 << 30 | random.getrandbits(30)
        self.reopened = 0
        self._newest: deque[_Newest] = deque()
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock_fd = _locked(self._lock_path)
        self._unwritten = Unwritten(self._lock_fd)
        if directory is not None:
            self._open_segment()

    # Writing ---------------------------------------------------------------------------------------------------

    def append(self, event: Event, span: SpanIds | None, payload: bytes | None = None) -> bool:
        """Add a line. On return it is on disk, or in memory until the disk has room for it (see ``problem``).

        Returns False where the chain takes nothing more: it is being closed.

        Args:
            event: The event.
            span: Its span.
            payload: The event encoded, where that was done already.

        """
        if payload is None:
            payload = encode(event)
        digest = digest_of(payload)
        with self._lock:
            if self._finished:
                return False
            if self._held_bytes > self._limit_bytes:
                self._refuse(
                    f"the journal holds {self._held_bytes >> 20} MiB that the store has not taken, which is its limit "
                    "(TURNSPAN_JOURNAL_LIMIT_MB): events are dropped and counted until the store is back"
                )
            elif self._unwritten.lines and self._unwritten.is_full and not self._retry():
                self._refuse(
                    "neither the disk nor memory has room for more: events are dropped and counted until one has"
                )
            else:
                self._append(event, span, payload, digest)
        return True

    def append_whole(self, events: Sequence[tuple[Event, SpanIds | None, bytes]]) -> bool:
        """Add lines that belong together, with one write; return whether they are on disk: where they are not, none is.

        What a death in the middle of the write leaves is at the end of the journal, and recovery takes it away.

        Args:
            events: The events, each with its span, and encoded.

        """
        digests = [digest_of(payload) for _, _, payload in events]
        with self._lock:
            if self._finished or self._closed or self._unwritten.lines or self._held_bytes > self._limit_bytes:
                return False
            try:
                self._keep_to_own_files()
            except OSError as error:
                self.problem = error
            if self._fd < 0:
                return False
            lines: list[Line] = []
            framed: list[bytes] = []
            before, previous, sequence = self._hash, self._hash, self._sequence
            for (event, span, payload), digest in zip(events, digests, strict=True):
                sequence += 1
                head = head_of(sequence, previous, digest, span)
                own = line_hash(self.id, head, event)
                lines.append(Line(sequence, previous, own, digest, span, payload))
                framed.append(_framed(head, payload))
                previous = own
            segment, size = self._segment, self._size
            if not self._write(lines[-1], b"".join(framed)):
                self._before_next = before
                return False
            self._sequence, self._hash = sequence, previous
            for line, written in zip(lines, framed, strict=True):
                size += len(written)
                self._newest.append(_Newest(line, segment, size))
            while len(self._newest) > MEMORY_LINES:
                self._newest.popleft()
        return True

    def append_behind(self, make: Callable[[int, str], Event]) -> Event:
        """Add an event that knows where it stands, made with its line's number and the hash of the line before it."""
        with self._lock:
            event = make(self._sequence + 1, self._hash)
            payload = encode(event)
            self._append(event, None, payload, digest_of(payload))
        return event

    def _append(self, event: Event, span: SpanIds | None, payload: bytes, digest: str) -> None:
        previous, sequence = self._hash, self._sequence + 1
        head = head_of(sequence, previous, digest, span)
        self._sequence, self._hash = sequence, line_hash(self.id, head, event)
        newest, line = self._newest, Line(sequence, previous, self._hash, digest, span, payload)
        if self._unwritten.lines:
            self._retry()
        if self._fd >= 0 and not self._unwritten.lines and self._write(line, _framed(head, payload)):
            newest.append(_Newest(line, self._segment, self._size))
        else:
            self._unwritten.add(line)
            newest.append(_Newest(line, -1, self._size))
        if len(newest) > MEMORY_LINES:
            self._shed()

    def _refuse(self, why: str) -> None:
        """Take no more: what has no line yet leaves no gap in the chain."""
        self._unwritten.drop()
        self.problem = OSError(why)

    def retry(self) -> None:
        """Write what the disk had no room for, as far as it has now. To be called now and then."""
        while self._unwritten.lines:
            with self._lock:
                if not self._retry():
                    return

    def _retry(self) -> bool:
        """Write some of what waits in memory, in order; return whether the disk took it."""
        unwritten = self._unwritten
        for _ in range(min(RETRIED_LINES, len(unwritten.lines))):
            line = unwritten.lines[0]
            if self._fd < 0 or not self._write(line, _framed(line.head, line.payload)):
                return False
            unwritten.remove_first()
        return True

    def restore(self) -> None:
        """Write the journal anew where somebody took its files away: removed, moved, or with the whole home.

        What was in the segment that is being written is all there again; to be called now and then.
        """
        if self.directory is None:
            return
        with self._lock:
            try:
                self._keep_to_own_files()
                if self._fd < 0 and not self._closed:
                    self._open_own_files()
            except OSError as error:
                self.problem = error
            path, lock = self._path(self._segment), self._lock_path
            if self._fd < 0 or (is_at(path, self._fd) and is_at(lock, self._lock_fd)):
                return
            self.problem = OSError(f"the journal {path} was removed or moved while it was written; it is written anew")
            try:
                self._write_anew(path, lock)
            except OSError as error:
                self.problem = error

    def _write_anew(self, path: Path, lock: Path) -> None:
        lock.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not is_at(lock, self._lock_fd):
            old, self._lock_fd = self._lock_fd, _locked(lock)
            os.close(old)
            self._unwritten.move_to(self._lock_fd)
        if not is_at(path, self._fd):
            temporary = path.with_name(f".{path.name}.tmp")
            fd = os.open(temporary, os.O_CREAT | os.O_TRUNC | os.O_RDWR | os.O_APPEND, 0o600)
            try:
                _copy(self._fd, fd, self._size)
                temporary.replace(path)
            except OSError:
                os.close(fd)
                temporary.unlink(missing_ok=True)
                raise
            os.close(self._fd)
            self._fd = marked(fd, self._mark)

    @property
    def is_half_full(self) -> bool:
        """Whether it holds half of what it may: behind its limit it drops events."""
        return self._held_bytes > self._limit_bytes // 2

    @property
    def dropped(self) -> int:
        """How many events got no line, because neither the disk nor memory had room."""
        return self._unwritten.dropped

    @property
    def unwritten(self) -> int:
        """How many lines are in memory only."""
        return len(self._unwritten.lines)

    def head(self) -> tuple[int, str]:
        """Return the number and the hash of the newest line: the head of the chain."""
        with self._lock:
            return self._sequence, self._hash

    def check_files(self) -> int:
        """Return how often the program has closed our files behind our back, now included: it closed all others, too."""
        with self._lock, suppress(OSError):
            self._keep_to_own_files()
        return self.reopened

    def _keep_to_own_files(self) -> None:
        """Go on in files of our own where a daemonizer has closed ours: their numbers may be those of the program's now."""
        if self._fd < 0 or is_marked(self._fd, self._mark):
            return
        self.reopened += 1
        self._fd = self._lock_fd = -1  # not ours to close
        self._unwritten.move_to(-1)
        self._segment += 1
        self._open_own_files()

    def _open_own_files(self) -> None:
        """Open the lock and a segment where there is none; what could not be opened is tried again later."""
        self._lock_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._lock_fd < 0:
            self._lock_fd = _locked(self._lock_path)
            self._unwritten.move_to(self._lock_fd)
        self._open_segment()

    def _write(self, line: Line, framed: bytes) -> bool:
        self._before_next = line.previous
        try:
            self._keep_to_own_files()
            written = os.write(self._fd, framed)
            marked(self._fd, self._mark)
            if written != len(framed):
                raise OSError(28, "No space left on device")
            if self._fsync:
                os.fdatasync(self._fd)
        except OSError as error:
            self.problem = error
            with suppress(OSError):
                os.ftruncate(self._fd, self._size)  # a full disk takes half a line: none is better
            return False
        self._before_next = line.hash
        self._size += written
        self._held_bytes += written
        if self._size >= self._segment_bytes:
            try:
                self._segment += 1
                self._open_segment()
            except OSError as error:
                self.problem = error
                self._segment -= 1
        return True

    def _shed(self) -> None:
        """Forget the oldest line in memory, if it is on disk."""
        waiting = self._unwritten.lines
        if not waiting or self._newest[0].line.sequence < waiting[0].sequence:
            self._newest.popleft()

    def _open_segment(self) -> None:
        header = {
            "format": _FORMAT,
            "journal": self.id,
            "segment": self._segment,
            "store": self.store,
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "opened_ns": now_ns(),
            "after": self._before_next,
        }
        text = json.dumps(header).encode()
        line = b"#%08x %b\n" % (crc32(text), text)
        fd = os.open(self._path(self._segment), os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND, 0o600)
        try:
            if os.write(fd, line) != len(line):
                raise OSError(28, "No space left on device")
        except OSError:
            os.close(fd)
            self._path(self._segment).unlink(missing_ok=True)
            raise
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._size = marked(fd, self._mark), len(line)

    @property
    def _lock_path(self) -> Path:
        assert self.directory is not None
        return self.directory / f"{self.id}.lock"

    def _path(self, segment: int) -> Path:
        assert self.directory is not None
        return self.directory / f"{self.id}.{segment:06d}.journal"

    # Reading back ----------------------------------------------------------------------------------------------

    @property
    def sequence(self) -> int:
        """The number of the newest line."""
        return self._sequence

    def read(self, start: Position, after: int) -> tuple[list[Line], Position]:
        """Return some lines of one segment behind the one with the number ``after``, and the place behind them.

        Args:
            start: The place behind the last line that was read.
            after: The number of that line; 0 at the beginning.

        """
        if (found := self._from_memory(start, after)) is not None:
            return found
        while True:
            with self._lock:  # of several lines that are being written at once none is there before all of them are
                newest, size = self._segment, self._size
            most = READ_BYTES if start.segment < newest else max(0, min(READ_BYTES, size - start.offset))
            lines, offset = read_segment(self._path(start.segment), start.offset, most)
            at_end = not lines
            lines = [line for line in lines if line.sequence > after]  # those from memory had no place on disk yet
            if lines or (at_end and start.segment >= newest):
                return lines, Position(start.segment, offset)
            start = Position(start.segment + 1, 0) if at_end else Position(start.segment, offset)

    def _from_memory(self, start: Position, after: int) -> tuple[list[Line], Position] | None:
        """Return lines from memory; None when those behind ``after`` are on disk only."""
        with self._lock:
            newest = self._newest
            while newest and newest[0].line.sequence <= after:  # read back from disk meanwhile
                newest.popleft()
            if self._sequence > after and (not newest or newest[0].line.sequence > after + 1) and self._fd >= 0:
                return None
            taken: list[_Newest] = []
            while newest and len(taken) < BATCH_LINES:
                segment = newest[0].segment
                if taken and segment >= 0 <= taken[-1].segment != segment:
                    break  # the next segment is another batch
                taken.append(newest.popleft())
        places = [Position(one.segment, one.offset) for one in taken if one.segment >= 0]
        return [one.line for one in taken], places[-1] if places else start

    def confirm(self, sequence: int) -> None:
        """Let go of what waits in memory up to a line: the store has it. Where journals are kept, it goes on waiting."""
        if self._unwritten.lines and not self._keep:
            with self._lock:
                self._unwritten.remove_until(sequence)

    @property
    def beginning(self) -> Position:
        """The place of the first line that has not been dropped."""
        return Position(self._kept_from, 0)

    def drop_before(self, segment: int) -> None:
        """Drop the segments before this one: the store has what is in them."""
        if self.directory is None or segment <= self._kept_from:
            return
        self._kept_from = segment
        for path in segments_of(self.directory, self.id):
            if int(path.name.split(".")[1]) < segment:
                try:
                    size = path.stat().st_size
                    _retire(path, keep=self._keep)
                    self._held_bytes -= size
                except FileNotFoundError:
                    pass  # somebody else was faster
                except OSError as error:
                    self.problem = error

    def finish(self) -> None:
        """Take nothing more but what is made to stand behind the rest: the last ends, and the seals."""
        with self._lock:
            self._finished = True

    def close(self, *, confirmed: bool) -> None:
        """Close the chain; its segments are dropped when the store has confirmed all of it.

        Raises:
            OSError: When they cannot be removed; it is closed all the same.

        """
        with self._lock:
            with suppress(OSError):
                self._keep_to_own_files()
            if self._closed:
                return
            self._closed = True
            try:
                if confirmed and self.directory is not None:
                    for path in segments_of(self.directory, self.id):
                        _retire(path, keep=self._keep)
                    self._lock_path.unlink(missing_ok=True)
            finally:
                for fd in (self._fd, self._lock_fd):
                    if fd >= 0:
                        os.close(fd)
                self._fd = self._lock_fd = -1

    def forget(self) -> None:
        """Let go of files that belong to the parent process, after a fork."""
        if self._fd >= 0 and is_marked(self._fd, self._mark):
            for fd in (self._fd, self._lock_fd):
                os.close(fd)
        self._fd = self._lock_fd = -1
        self._closed = True


def _copy(source: int, target: int, size: int) -> None:
    """Copy the first bytes of an open file to another one."""
    at = 0
    while at < size and (data := os.pread(source, min(READ_BYTES, size - at), at)):
        if os.write(target, data) != len(data):
            raise OSError(28, "No space left on device")
        at += len(data)
