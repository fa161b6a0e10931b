"""Threads of turnspan's own: they never keep a program from ending."""

from __future__ import annotations

import threading
from collections.abc import Callable


class OwnThread:
    """A thread that is started when there is something to do for the first time.

    Args:
        name: Its name, as debuggers show it.
        run: What it does.

    """

    def __init__(self, name: str, run: Callable[[], None]) -> None:
        self._name, self._run = name, run
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start it, if it is not. Where the interpreter is shutting down it is not: whoever closes does its work then."""
        if self._thread is not None:
            return
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            self._thread = None

    def is_alive(self) -> bool:
        """Return whether it runs."""
        return self._thread is not None and self._thread.is_alive()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait for its end, unless this is it."""
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)

    def after_fork(self) -> None:
        """Begin anew in a forked child, which has none of its parent's threads."""
        self._thread = None
