"""Unwritten lines: those that the disk had no room for, which wait in memory until it has.

How many there are stands in the lock file, in a place that was written when there was room: a process that is killed
meanwhile leaves word of what was lost with it.
"""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from turnspan.journal.hash_chain import Line

UNWRITTEN_BYTES = 64 * 1024 * 1024
"""What may wait; beyond that events are dropped, and counted."""


class Losses(NamedTuple):
    """What a process said of what its disk did not take.

    ``acknowledged`` is the number of the newest line that had to wait in memory (0: none ever had), ``dropped`` counts the
    events that got no line.
    """

    acknowledged: int = 0
    dropped: int = 0

    @classmethod
    def read(cls, lock: Path) -> Losses:
        """Return what the lock file of a journal says; nothing where it is gone or says nothing."""
        try:
            acknowledged, dropped = (int(number) for number in lock.read_bytes().split())
        except (OSError, ValueError):
            return cls()
        return cls(acknowledged, dropped)

    def write(self, lock_fd: int) -> None:
        """Write it in its place, over what stood there: a full disk allows that."""
        if lock_fd >= 0:
            with suppress(OSError):
                os.pwrite(lock_fd, b"%020d %020d\n" % self, 0)


class Unwritten:
    """The lines of a journal that are not on disk, oldest first.

    Args:
        lock_fd: The lock file, where it is said how many there are; -1: there is none.

    """

    def __init__(self, lock_fd: int) -> None:
        self.lines: deque[Line] = deque()
        self.dropped = 0
        self._bytes = 0
        self._acknowledged = 0
        self._lock_fd = lock_fd
        self._say()

    @property
    def is_full(self) -> bool:
        """Whether no more fit."""
        return self._bytes >= UNWRITTEN_BYTES

    def add(self, line: Line) -> None:
        """Keep a line."""
        self.lines.append(line)
        self._bytes += len(line.payload)
        self._acknowledged = line.sequence
        self._say()

    def drop(self) -> None:
        """Count an event that is not kept anywhere."""
        self.dropped += 1
        self._say()

    def remove_first(self) -> None:
        """Let go of the oldest line: it is on disk, or stored."""
        self._bytes -= len(self.lines.popleft().payload)

    def remove_until(self, sequence: int) -> None:
        """Let go of the lines up to a number: they are stored."""
        while self.lines and self.lines[0].sequence <= sequence:
            self.remove_first()

    def move_to(self, lock_fd: int) -> None:
        """Go on in another lock file."""
        self._lock_fd = lock_fd
        self._say()

    def _say(self) -> None:
        Losses(self._acknowledged, self.dropped).write(self._lock_fd)
