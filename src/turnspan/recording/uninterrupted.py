"""What is done to its end, whatever signals come meanwhile."""

from __future__ import annotations

import _thread
import time
from collections.abc import Callable
from contextlib import suppress


def run_uninterrupted(function: Callable[[], object], limit_s: float) -> None:
    """Run a function in another thread, which no signal's handler interrupts, and wait for it.

    A handler runs in the main thread, between any two steps of what that does: it may hold a lock, and what the handler
    raises (``KeyboardInterrupt``, for one) goes through its midst.

    Args:
        function: What is run.
        limit_s: How long to wait for it. It goes on behind that.

    """
    done = _thread.allocate_lock()
    done.acquire()

    def run() -> None:
        try:
            function()
        finally:
            done.release()

    try:
        _thread.start_new_thread(run, ())  # not ``threading``'s, whose own locks may be held by the thread we are in
    except RuntimeError:  # the interpreter starts no thread any more
        function()
        return
    deadline = time.monotonic() + limit_s
    while (left := deadline - time.monotonic()) > 0:
        with suppress(BaseException):
            done.acquire(timeout=left)
            return
