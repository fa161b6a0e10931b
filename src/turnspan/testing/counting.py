"""A clock that ticks in whole seconds, and ids that count up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from turnspan.model import ids

START_NS = 1_700_000_000 * 10**9  # 2023-11-14 22:13:20 UTC


class CountingSource(ids.Source):
    """Each look at the clock is a second later; each id is one more than the last."""

    def __init__(self, start_ns: int = START_NS) -> None:
        super().__init__()
        self._now_ns, self._ids = start_ns, 0

    def now_ns(self) -> int:
        """Return the next second."""
        self._now_ns += 10**9
        return self._now_ns

    def new_id(self) -> str:
        """Return the next id."""
        self._ids += 1
        return f"{self._ids:032x}"


@contextmanager
def counting() -> Iterator[CountingSource]:
    """Let times and ids count for the length of a block, so that whole records can be compared."""
    before, ids.source = ids.source, CountingSource()
    try:
        yield ids.source
    finally:
        ids.source = before
