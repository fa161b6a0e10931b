"""Ids and the clock: where audit event ids and times come from."""

from __future__ import annotations

import hashlib
import os
import random
import time


class Source:
    """Where times and ids come from; ``turnspan.testing`` replaces it by one that counts."""

    def __init__(self) -> None:
        self._last = 0

    def now_ns(self) -> int:
        """Nanoseconds of Unix time."""
        return time.time_ns()

    def new_id(self) -> str:
        """Make a UUIDv7 as 32 hex digits: sortable by time, also within a process that makes many at once.

        The 12 bits behind the milliseconds count quarter microseconds (RFC 9562, method 3). They never go back
        within a process, even when the clock does.
        """
        ticks = time.time_ns() * 4096 // 1_000_000  # milliseconds, and 12 bits behind them
        if ticks <= self._last:
            ticks = self._last + 1
        self._last = ticks
        return "%032x" % ((ticks >> 12) << 80 | 7 << 76 | (ticks & 0xFFF) << 64 | 1 << 63 | _noise(62))


source = Source()
_random = random.Random()  # noqa: S311  ids need to be unique, not secret; the program's own seed must not matter
_noise = _random.getrandbits
os.register_at_fork(after_in_child=_random.seed)


def now_ns() -> int:
    """Nanoseconds of Unix time, from the process's source of time."""
    return source.now_ns()


def new_id() -> str:
    """Return a new id, sortable by time: 32 hex digits."""
    return source.new_id()


def time_of_id(id_: str) -> int:
    """Return when an id of :func:`new_id` was made, in Unix nanoseconds, as well as it says; 0 for any other."""
    try:
        return int(id_[:12] + id_[13:16], 16) * 1_000_000 // 4096 if id_[12:13] == "7" else 0
    except ValueError:
        return 0


def derived_id(*parts: object, at_ns: int = 0) -> str:
    """Return the id that these parts always give: what is replayed twice gets the same ids.

    Args:
        parts: What names the thing: session, turn, kind, ordinal.
        at_ns: When it happened, in Unix nanoseconds; it leads the id, so that derived ids sort by time too.

    Returns:
        A UUIDv8 (RFC 9562: free-form) as 32 hex digits.

    """
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode("utf-8", "backslashreplace")).hexdigest()
    return (
        f"{max(at_ns, 0) // 1_000_000 & 0xFFFFFFFFFFFF:012x}8{digest[:3]}{8 | int(digest[3], 16) & 3:x}{digest[4:19]}"
    )
