"""Which file it is: what stands under a name, or behind a descriptor, may be another one than it was."""

from __future__ import annotations

import os
from pathlib import Path

FileId = tuple[int, int]
"""The device and the number that it has there."""


def file_id(place: Path | int) -> FileId | None:
    """Return which file or folder a path or a descriptor is of; None where there is none."""
    try:
        found = os.fstat(place) if isinstance(place, int) else place.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def is_at(path: Path, fd: int) -> bool:
    """Return whether an open file is the one that stands in a place."""
    found = file_id(path)
    return found is not None and found == file_id(fd)


def marked(fd: int, mark: int) -> int:
    """Return the descriptor of a file that is only appended to, so that it can be told from another file's with its number.

    Where the file stands is the mark: appending moves it, and marks it anew. To look whether it is there takes an eighth of
    what asking for the file's id does, and a journal looks before each line.
    """
    os.lseek(fd, mark, os.SEEK_SET)
    return fd


def is_marked(fd: int, mark: int) -> bool:
    """Return whether a descriptor is still that of the file that was marked: a program may have closed it."""
    try:
        return os.lseek(fd, 0, os.SEEK_CUR) == mark
    except OSError:
        return False
