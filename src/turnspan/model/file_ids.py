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
