"""Housekeeping: the thread that ends spans and does what was put off, whatever the store is doing meanwhile.

The writer may wait for a store that is slow or away; spans go to their exporters all the same.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from turnspan.recording.threads import OwnThread

LINGER_S = 0.2
"""How long work gathers before it is done, so that it does not get in the way of an agent in the middle of a burst."""
_ANYWAY_S = 1.0


class Housekeeper:
    """Has something done soon after it was asked for, and every second besides.

    Args:
        work: What there is to do.

    """

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._idle, self._stopping = True, False
        self._wake = threading.Event()
        self._thread = OwnThread("turnspan-housekeeper", self._run)

    def wake(self) -> None:
        """Say that there is something to do. Called for each span: it must cost nothing."""
        if self._idle:
            self._idle = False
            self._thread.start()
            self._wake.set()

    def stop(self) -> None:
        """Do no more; what is left is done by whoever closes."""
        self._stopping = True
        self._wake.set()

    def after_fork(self) -> None:
        """Begin anew in a forked child, which has none of its parent's threads."""
        self._idle = True
        self._wake = threading.Event()
        self._thread.after_fork()

    def _run(self) -> None:
        while not self._stopping:
            if self._wake.wait(_ANYWAY_S):
                time.sleep(LINGER_S)
            self._wake.clear()
            self._idle = True  # what comes from here on wakes us again
            if not self._stopping:
                self._work()
