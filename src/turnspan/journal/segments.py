"""The journal: a local append-only file that nothing observed is lost from.

One chain of segment files per process. Each line is written by one ``os.write`` before the agent goes on, so it
survives SIGKILL; with ``fsync`` it survives power loss as well. A line reads::

    <length> <crc> <sequence> <hash of the line before> <digest of the payload> <trace> <span> <flags> <span above> <payload>

The length and the CRC distinguish a torn line from a whole one; :mod:`turnspan.journal.hash_chain` says what its hash covers, so that
removing, altering or reordering lines shows, and content can be erased later without breaking the chain. A segment
begins with a line of its own that says whose it is, under a CRC too.

The journal is also the queue to the store. The newest lines are kept in memory for the writer; where it has fallen
behind, it reads the files back, exactly as recovery does after a crash.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import msgspec

from turnspan.journal.hash_chain import Line, SpanIds

READ_BYTES = 1024 * 1024
_FORMAT = "turnspan/1"
_HEAD_LENGTH = 18  # length and CRC, eight hex digits each, and the spaces behind them


def _framed(head: str, payload: bytes) -> bytes:
    body = head.encode() + b" " + payload + b"\n"
    return b"%08x %08x " % (len(body), crc32(body)) + body


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
        if lines and lines[-1].sequence + 1 == int(sequence):  # between others lie some that found no room here
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


def rewrite(path: Path, change: Callable[[bytes], bytes | None]) -> bool:
    """Write a segment that nobody writes anew, with other payloads for some events; return whether any changed.

    Args:
        path: The segment.
        change: Returns the payload that is put in place of one, or None. The digests stay, and so does the chain.

    """
    whole = read_whole(path)
    changed = [change(line.payload) for line in whole.lines]
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
