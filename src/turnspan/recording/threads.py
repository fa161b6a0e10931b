"""Threads of turnspan's own: they never keep a program from ending."""

from __future__ import annotations

import threading
from collections.abc import Callable


def started_thread(name: str, run: Callable[[], None]) -> threading.Thread | None:
    """Start a thread; None where the interpreter is shutting down: whoever closes does the work then."""
    thread = threading.Thread(target=run, name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError:
        return None
    return thread
