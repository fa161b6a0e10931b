"""Reading what other programs left: bounded, and only what is a file.

A history is somebody else's folder. A pipe in it would block, a device never end, a link lead out of it, and a line of
gigabytes fill memory: none of these is read, and each costs one line of the report.
"""

from __future__ import annotations

import fnmatch
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

MOST_OF_A_LINE = 64 * 1024 * 1024
MOST_OF_A_FILE = 256 * 1024 * 1024
_PIECE = 1024 * 1024


class Unreadable(NamedTuple):
    """What could not be read, and why."""

    where: str
    why: str


def files_in(path: Path, pattern: str = "*.json") -> Iterator[Path | Unreadable]:
    """Yield a file, or the files of a folder and those below it, in order; links inside of the folder are not followed."""
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders.sort()
        for name in sorted([*names, *(name for name in folders if Path(folder, name).is_symlink())]):
            found = Path(folder, name)
            if found.is_symlink():
                if found.is_dir() or fnmatch.fnmatch(name, pattern):
                    yield Unreadable(str(found), "it is a link: name what it points to, if that is to be read")
            elif fnmatch.fnmatch(name, pattern):
                yield found


def json_lines(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield the JSON of each line that is not empty, with its place; an :class:`Unreadable` for what is none."""
    for where, line in lines_of(path):
        yield where, line if isinstance(line, Unreadable) else parsed(line, where)


def lines_of(path: Path) -> Iterator[tuple[str, bytes | Unreadable]]:
    """Yield each line that is not empty, with its place; an :class:`Unreadable` for one that is too long."""
    file = _opened(path)
    if isinstance(file, Unreadable):
        yield file.where, file
        return
    with file:
        number = 0
        while line := file.readline(MOST_OF_A_LINE + 1):
            number += 1
            where = f"{path}:{number}"
            if len(line) > MOST_OF_A_LINE:
                _skip_line(file)
                yield where, Unreadable(where, f"it is a line of more than {MOST_OF_A_LINE >> 20} MiB")
            elif line.strip():
                yield where, line


def loaded(path: Path) -> Any:
    """Return what a JSON file holds; an :class:`Unreadable` when it is none."""
    file = _opened(path)
    if isinstance(file, Unreadable):
        return file
    with file:
        data = file.read(MOST_OF_A_FILE + 1)
    if len(data) > MOST_OF_A_FILE:
        return Unreadable(str(path), f"it is a file of more than {MOST_OF_A_FILE >> 20} MiB")
    return parsed(data, str(path))


def parsed(data: bytes | str, where: str) -> Any:
    """Return what JSON text says; an :class:`Unreadable` when it says nothing."""
    try:
        return json.loads(data if isinstance(data, str) else data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return Unreadable(where, "it is not valid UTF-8")
    except ValueError as error:
        return Unreadable(where, f"it is not valid JSON: {str(error)[:200]}")
    except RecursionError:
        return Unreadable(where, "it is nested too deeply")


def is_regular(path: Path) -> bool:
    """Return whether a path names a file, by itself or by a link; a pipe or a device is none."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def why_not(error: Exception) -> str:
    """Return why data is not what a reader expects, as one short line."""
    says = " ".join(str(error).split())
    if isinstance(error, KeyError):
        says = f"{says} is missing"
    return f"it is not as expected: {says[:200] or type(error).__name__}"


def _opened(path: Path) -> BinaryIO | Unreadable:
    """Open a file; a pipe that nobody writes does not block."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        return Unreadable(str(path), f"it cannot be opened: {getattr(error, 'strerror', None) or error}")
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return os.fdopen(fd, "rb")
    os.close(fd)
    return Unreadable(str(path), "it is not a file")


def _skip_line(file: BinaryIO) -> None:
    while (piece := file.readline(_PIECE)) and not piece.endswith(b"\n"):
        pass
