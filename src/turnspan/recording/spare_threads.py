"""Threads that are kept for the end of the process: Python 3.12 starts none once ``atexit`` runs, other versions do.

Without one, what may take long could only be done in the main thread, and nothing would bound the end of the process.
"""

from __future__ import annotations

import _thread
import os
import sys
from collections.abc import Callable

_AT_THE_END = 3
"""One closes, and two send: what was recorded, and the writer's own log records and metrics."""
_needed = sys.version_info[:2] == (3, 12)


class _Spare:
    """A thread that waits until it is given something to do, once."""

    def __init__(self) -> None:
        self._function: Callable[[], object] = _nothing
        self._given = _thread.allocate_lock()
        self._given.acquire()
        _thread.start_new_thread(self._run, ())

    def _run(self) -> None:
        self._given.acquire()
        self._function()

    def give(self, function: Callable[[], object]) -> None:
        self._function = function
        self._given.release()


def _nothing() -> None:
    pass


_spare: list[_Spare] = []


def keep() -> None:
    """See that there are threads for the end of the process, where it cannot start any."""
    try:
        while _needed and len(_spare) < _AT_THE_END:
            _spare.append(_Spare())
    except RuntimeError:
        pass  # the process ends already


def start(function: Callable[[], object]) -> None:
    """Run a function in a thread of its own.

    Raises:
        RuntimeError: The interpreter starts no thread any more, and none was kept.

    """
    try:
        _thread.start_new_thread(function, ())
    except RuntimeError:
        if not _spare:
            raise
        _spare.pop().give(function)


os.register_at_fork(after_in_child=_spare.clear)
