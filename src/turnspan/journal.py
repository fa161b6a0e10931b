"""The journal: a local append-only file that nothing observed is lost from.

One chain of segment files per process. Each line is written by one ``os.write`` before the agent goes on, so it
survives SIGKILL; with ``fsync`` it survives power loss as well. A line reads::

    <length> <crc> <sequence> <hash of the line before> <digest of the payload> <trace> <span> <flags> <span above> <payload>

The length and the CRC tell a torn line from a whole one; :mod:`turnspan.chain` says what its hash covers, so that
removing, altering or reordering lines shows, and content can be erased later without breaking the chain. A segment
begins with a line of its own that says whose it is, under a CRC too.

The journal is also the queue to the store. The newest lines are kept in memory for the writer; where it has fallen
behind, it reads the files back, exactly as recovery does after a crash.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import msgspec

from turnspan.chain import Line, SpanIds, decode, digest_of, head_of, line_hash
from turnspan.content import encode
from turnspan.events import Event, new_id, now_ns

SEGMENT_BYTES = 8 * 1024 * 1024
READ_BYTES = 1024 * 1024
MEMORY_LINES = 4096
"""Newest lines kept in memory for the writer."""
BATCH_LINES = 2048
"""Lines that the writer takes at a time."""
STRANDED_LINES = 100_000
"""Lines kept in memory when the disk takes none; beyond that the oldest are dropped, and counted."""
LIMIT_BYTES = 1024 * 1024 * 1024
"""What a journal may hold while its store is away; beyond that events are dropped, and counted."""
_FORMAT = "turnspan/1"
_HEAD_LENGTH = 18  # length and CRC, eight hex digits each, and the spaces behind them


class Position(NamedTuple):
    """A place in the chain of segments: how far a reader got."""

    segment: int
    offset: int


class _Newest(msgspec.Struct, frozen=True, gc=False):
    """A line in memory, and the place behind it; the segment is -1 for a line that the disk has not taken."""

    line: Line
    segment: int
    offset: int


def _framed(head: str, payload: bytes) -> bytes:
    body = b"%b %b\n" % (head.encode(), payload)
    return b"%08x %08x %b" % (len(body), crc32(body), body)


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
        self, directory: Path | None, *, store: str = "", fsync: bool = False, keep: bool = False,
        segment_bytes: int = SEGMENT_BYTES, limit_bytes: int = LIMIT_BYTES,
    ) -> None:  # fmt: skip
        self.id = new_id()
        self.directory = directory
        self.store = store
        self.dropped = 0
        self.problem: OSError | None = None
        self._fsync, self._keep = fsync, keep
        self._segment_bytes, self._limit_bytes = min(segment_bytes, limit_bytes // 4), limit_bytes
        self._held_bytes = 0
        self._lock = threading.Lock()
        self._sequence = 0
        self._hash = ""
        self._segment = 0
        self._kept_from = 0
        self._size = 0
        self._fd = -1
        self._lock_fd = -1
        self._newest: deque[_Newest] = deque()
        self._stranded = 0  # lines at the end of those in memory that are not on disk
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock_fd = _locked(directory / f"{self.id}.lock")
            self._open_segment()

    # Writing ---------------------------------------------------------------------------------------------------

    def append(self, event: Event, span: SpanIds | None, payload: bytes | None = None) -> None:
        """Add a line. On return it is on disk, or in memory when the disk takes nothing (see ``problem``).

        Args:
            event: The event.
            span: Its span.
            payload: The event encoded, where that was done already.

        """
        if payload is None:
            payload = encode(event)
        digest = digest_of(payload)
        with self._lock:
            if self._held_bytes > self._limit_bytes:
                self._refuse()
                return
            previous, sequence = self._hash, self._sequence + 1
            head = head_of(sequence, previous, digest, span)
            self._sequence, self._hash = sequence, line_hash(self.id, head, event)
            if self._fd < 0 or self._stranded or not self._write(_framed(head, payload)):
                self._stranded += 1
            newest, line = self._newest, Line(sequence, previous, self._hash, digest, span, payload)
            newest.append(_Newest(line, -1 if self._stranded else self._segment, self._size))
            if len(newest) > MEMORY_LINES:
                self._shed()

    def _refuse(self) -> None:
        """Take no more: the store has been away for so long that the journal is full."""
        self.dropped += 1
        self.problem = OSError(
            f"the journal holds {self._held_bytes >> 20} MiB that the store has not taken, which is its limit "
            "(TURNSPAN_JOURNAL_LIMIT_MB): events are dropped and counted until the store is back"
        )

    def head(self) -> tuple[int, str]:
        """Return the number and the hash of the newest line: the head of the chain."""
        with self._lock:
            return self._sequence, self._hash

    def _write(self, line: bytes) -> bool:
        try:
            written = os.write(self._fd, line)
            if written != len(line):
                os.ftruncate(self._fd, self._size)  # a full disk takes half a line: none is better
                raise OSError(28, "No space left on device")
            if self._fsync:
                os.fdatasync(self._fd)
        except OSError as error:
            self.problem = error
            return False
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
        """Forget the oldest line in memory, which is on disk; when the disk takes nothing, keep more."""
        if self._newest[0].segment >= 0:
            self._newest.popleft()
        elif len(self._newest) > STRANDED_LINES:
            self._newest.popleft()
            self._stranded -= 1
            self.dropped += 1

    def _open_segment(self) -> None:
        header = {
            "format": _FORMAT, "journal": self.id, "segment": self._segment, "store": self.store, "pid": os.getpid(),
            "host": socket.gethostname(), "opened_ns": now_ns(), "after": self._hash,
        }  # fmt: skip
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
        self._fd, self._size = fd, len(line)

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
            newest = self._segment
            lines, offset = read_segment(self._path(start.segment), start.offset)
            if lines or start.segment >= newest:
                return lines, Position(start.segment, offset)
            start = Position(start.segment + 1, 0)

    def _from_memory(self, start: Position, after: int) -> tuple[list[Line], Position] | None:
        """Return lines from memory; None when those behind ``after`` are on disk only."""
        with self._lock:
            newest = self._newest
            while newest and newest[0].line.sequence <= after:  # read back from disk meanwhile
                newest.popleft()
            if newest and newest[0].line.sequence > after + 1 and newest[0].segment >= 0:
                return None
            taken: list[_Newest] = []
            while newest and len(taken) < BATCH_LINES:
                segment = newest[0].segment
                if taken and segment >= 0 <= taken[-1].segment != segment:
                    break  # the next segment is another batch
                taken.append(newest.popleft())
            self._stranded -= sum(one.segment < 0 for one in taken)
            if not taken and self._sequence > after and self._fd >= 0 and not self.dropped:
                return None
        places = [Position(one.segment, one.offset) for one in taken if one.segment >= 0]
        return [one.line for one in taken], places[-1] if places else start

    def drop_before(self, segment: int) -> None:
        """Drop the segments before this one: the store has what is in them."""
        if self.directory is not None and segment > self._kept_from:
            self._kept_from = segment
            for path in segments_of(self.directory, self.id):
                if int(path.name.split(".")[1]) < segment:
                    self._held_bytes -= path.stat().st_size
                    _retire(path, keep=self._keep)

    def close(self, *, confirmed: bool) -> None:
        """Close the chain; its segments are dropped when the store has confirmed all of it."""
        with self._lock:
            if self._fd < 0:
                return
            os.close(self._fd)
            self._fd = -1
            if confirmed and self.directory is not None:
                for path in segments_of(self.directory, self.id):
                    _retire(path, keep=self._keep)
                (self.directory / f"{self.id}.lock").unlink(missing_ok=True)
            os.close(self._lock_fd)

    def forget(self) -> None:
        """Let go of files that belong to the parent process, after a fork."""
        for fd in (self._fd, self._lock_fd):
            if fd >= 0:
                os.close(fd)
        self._fd = self._lock_fd = -1


def read_segment(path: Path, offset: int = 0, limit: int = READ_BYTES) -> tuple[list[Line], int]:
    """Return the whole lines of a segment from an offset on, about ``limit`` bytes of them, and where they end.

    A torn or damaged line ends the reading: what follows it is not guessed.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(limit)
            if data[:1] == b"#":
                start = data.find(b"\n") + 1
                if not start:
                    return [], offset
            else:
                start = 0
            if len(data) >= limit and (need := _line_end(data, start)) > len(data):
                data += file.read(need - len(data))  # one line longer than the limit
    except FileNotFoundError:
        return [], offset
    lines, end = _parsed(data, start)
    return lines, offset + end


def _line_end(data: bytes, start: int) -> int:
    try:
        return start + _HEAD_LENGTH + int(data[start : start + 8], 16)
    except ValueError:
        return start


def _parsed(data: bytes, start: int) -> tuple[list[Line], int]:
    lines: list[Line] = []
    while start < len(data):
        end = _line_end(data, start)
        body = data[start + _HEAD_LENGTH : end]
        if end <= start or end > len(data) or body[-1:] != b"\n":
            break
        if data[start : start + _HEAD_LENGTH] != b"%08x %08x " % (len(body), crc32(body)):
            break
        sequence, previous, digest, trace_id, span_id, flags, parent_id, payload = body[:-1].split(b" ", 7)
        span = None
        if trace_id != b"-":
            above = "" if parent_id == b"-" else parent_id.decode()
            span = SpanIds(trace_id.decode(), span_id.decode(), int(flags), above)
        before = "" if previous == b"-" else previous.decode()
        if lines:
            lines[-1] = msgspec.structs.replace(lines[-1], hash=before)
        lines.append(Line(int(sequence), before, "", digest.decode(), span, payload))
        start = end
    return lines, start


def header_of(path: Path) -> dict[str, Any] | None:
    """Return what a segment says about itself, or None when that is damaged."""
    with path.open("rb") as file:
        line = file.readline()
    text = line[10:-1]
    if line[:10] != b"#%08x " % crc32(text):
        return None
    found: dict[str, Any] = json.loads(text)
    return found


def segments_of(directory: Path, journal_id: str) -> list[Path]:
    """Return the segments of a chain, oldest first."""
    return sorted(directory.glob(f"{journal_id}.*.journal"))


def files_of(directory: Path) -> dict[str, list[Path]]:
    """Return the segments in a directory by journal, those that were kept too, oldest first."""
    found: dict[str, list[Path]] = {}
    for path in sorted(directory.iterdir(), key=lambda path: path.name):
        if path.suffix in (".journal", ".kept"):
            found.setdefault(path.name.partition(".")[0], []).append(path)
    return found


def is_held(directory: Path, journal_id: str) -> bool:
    """Return whether a process holds a journal: it writes, or recovers it."""
    try:
        with (directory / f"{journal_id}.lock").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


class Whole(NamedTuple):
    """A segment that nobody writes: its lines, how many bytes are damaged or torn, and where the last line ends."""

    lines: list[Line]
    damaged_bytes: int
    end: int


def read_whole(path: Path) -> Whole:
    """Return all whole lines of a segment, also those behind a damaged one."""
    lines: list[Line] = []
    offset = damaged = last_end = 0
    size = path.stat().st_size
    while True:
        found, end = read_segment(path, offset)
        lines += found
        if end > offset:
            offset = last_end = end
            continue
        if offset >= size:
            return Whole(lines, damaged, last_end)
        after = _next_line(path, offset)
        damaged += after - offset
        offset = after


def _next_line(path: Path, offset: int) -> int:
    """Return where the next whole line begins behind a damaged one; the end of the file when there is none."""
    with path.open("rb") as file:
        file.seek(offset)
        data = file.read()
    at = data.find(b"\n") + 1
    while at > 0:
        if _parsed(data[at : _line_end(data, at)], 0)[1]:
            return offset + at
        at = data.find(b"\n", at) + 1
    return offset + len(data)


def rewrite(path: Path, change: Callable[[Event], bytes | None]) -> bool:
    """Write a segment that nobody writes anew, with other payloads for some events; return whether any changed.

    Args:
        path: The segment.
        change: Returns the payload that is put in place of the event's, or None. The digests stay, and so does the chain.

    """
    whole = read_whole(path)
    changed = [change(decode(line.payload)) for line in whole.lines]
    if not any(new is not None and new != line.payload for new, line in zip(changed, whole.lines, strict=True)):
        return False
    with path.open("rb") as file:
        header = file.readline()
    body = [
        _framed(line.head, line.payload if new is None else new) for new, line in zip(changed, whole.lines, strict=True)
    ]
    temporary = path.with_name(f".{path.name}.tmp")
    fd = os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(b"".join([header, *body]))
    temporary.replace(path)
    return True


def _retire(path: Path, *, keep: bool) -> None:
    if keep:
        path.rename(path.with_suffix(".kept"))
    else:
        path.unlink(missing_ok=True)


def _locked(path: Path) -> int:
    """Open and lock a file for as long as this process lives; the system lets go of the lock when it dies."""
    fd = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        raise
    return fd


# What dead processes left ----------------------------------------------------------------------------------------


class DeadJournal:
    """The chain of a process that is gone, held by a lock while it is recovered."""

    def __init__(self, directory: Path, journal_id: str, lock_fd: int) -> None:
        self.directory, self.id, self._lock_fd = directory, journal_id, lock_fd
        self.torn_bytes = 0
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

    def complete(self, events: Sequence[tuple[Event, SpanIds | None]]) -> list[Line]:
        """Continue the chain with what nobody was left to tell, and return its lines; a torn last line makes room."""
        last = self.lines[-1]
        sequence, own = last.sequence, line_hash(self.id, last.head, decode(last.payload))
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
        """Let go; drop the files when the store has all of it."""
        if confirmed:
            for path in segments_of(self.directory, self.id):
                _retire(path, keep=keep)
            (self.directory / f"{self.id}.lock").unlink(missing_ok=True)
        os.close(self._lock_fd)


def dead_journals(directory: Path) -> Iterator[DeadJournal]:
    """Find and lock, one by one, the journals whose process is gone. The lock tells, not the pid."""
    for path in sorted(directory.glob("*.lock")):
        try:
            fd = _locked(path)
        except OSError:
            continue  # alive, or being recovered by somebody else
        if not path.exists():  # recovered between our look and our lock
            os.close(fd)
            continue
        yield DeadJournal(directory, path.stem, fd)
