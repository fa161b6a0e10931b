"""Files of lines that several processes append to, and that any of them may die over."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

_TAIL_BYTES = 64 * 1024 * 1024


def append(path: Path, lines: bytes) -> int:
    """Append whole lines by one write, and return how many bytes of them were taken.

    A process that was killed in the middle of a write leaves half a line; the next one begins on a line of its own.

    Raises:
        OSError: When the file cannot be written.

    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fd = os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600)  # what agents say is for their owner only
    try:
        size = os.lseek(fd, 0, os.SEEK_END)
        torn = size > 0 and os.pread(fd, 1, size - 1) not in (b"\n", b"")
        return max(0, os.write(fd, b"\n" + lines if torn else lines) - torn)
    finally:
        os.close(fd)


def tail_of(path: Path) -> Iterator[bytes]:
    """Yield the whole lines at the end of a file, the last 64 MiB of it; none when it is not there."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        skipped = path.stat().st_size - _TAIL_BYTES
        if skipped > 0:
            file.seek(skipped)
            file.readline()
        for line in file:
            if line.endswith(b"}\n"):
                yield line


def rewrite(path: Path, change: Callable[[bytes], bytes]) -> int:
    """Write a file anew where lines change (b"": go), and return how many did; a reader sees the old file or the new one."""
    changed = 0
    fd, temporary = tempfile.mkstemp(prefix=".", dir=path.parent)
    with os.fdopen(fd, "wb") as new, path.open("rb") as old:
        for line in old:
            kept = change(line)
            changed += kept != line
            new.write(kept)
    if changed:
        Path(temporary).replace(path)
    else:
        Path(temporary).unlink()
    return changed
