"""What is done to its end, whatever signals come meanwhile."""

from __future__ import annotations

import _thread
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from turnspan.recording.spare_threads import start


def run_uninterrupted(function: Callable[[], object], limit_s: float) -> None:
    """Run a function in another thread, which no signal's handler interrupts, and wait for it.

    A handler runs in the main thread, between any two steps of what that does: it may wait for a lock that the main
    thread holds, and what the handler raises (``KeyboardInterrupt``, for one) goes through its midst.

    Args:
        function: What is run.
        limit_s: How long to wait for it. It goes on behind that.

    Raises:
        BaseException: What the function raised, or else what a handler raised meanwhile.

    """
    raised: list[BaseException] = []
    is_done = False
    done = _thread.allocate_lock()
    done.acquire()

    def run() -> None:
        nonlocal is_done
        try:
            function()
        except BaseException as error:
            raised.insert(0, error)
        finally:
            is_done = True
            done.release()

    try:
        start(run)  # not ``threading``'s, whose own locks may be held by the thread we are in
    except RuntimeError:  # the interpreter starts no thread any more
        run()
    deadline = time.monotonic() + limit_s
    while not is_done and (left_s := deadline - time.monotonic()) > 0:
        try:
            done.acquire(timeout=left_s)
        except BaseException as interrupt:
            raised.append(interrupt)
    if raised:
        raise raised[0]


def remember_interrupt() -> None:
    """Have the interpreter die of SIGINT still, where a ``KeyboardInterrupt`` has ended the program.

    It forgets that as soon as a text is executed, as ``namedtuple`` and others do: whoever imports something at the end
    changes the program's exit code.
    """
    if getattr(sys, "last_type", None) is KeyboardInterrupt:
        with suppress(KeyboardInterrupt):
            exec("raise KeyboardInterrupt")  # noqa: S102  what an interrupt that nobody handled looks like
