"""A turn as a waterfall: a bar for everything that took time, nested as it was, on one axis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from turnspan.model.records import from_iso
from turnspan.reading.tree import TimelineNode


@dataclass(slots=True, frozen=True)
class Bar:
    """Where something begins and how long it takes, in milliseconds behind the turn's start.

    What has no known duration (a handoff, a note, what still runs) takes none.
    """

    node: TimelineNode
    depth: int
    offset_ms: float
    duration_ms: float

    @property
    def end_ms(self) -> float:
        """Where it ends."""
        return self.offset_ms + self.duration_ms


@dataclass(slots=True, frozen=True)
class Waterfall:
    """The bars of a turn, each behind the one that it is inside of, and the length of their axis."""

    bars: list[Bar]
    total_ms: float


def waterfall_of(turn: TimelineNode) -> Waterfall:
    """Return the waterfall of a turn's tree (see :func:`~turnspan.reading.tree.turn_tree`)."""
    begun = from_iso(turn.started_at) or min(
        filter(None, (from_iso(node.started_at) for node in turn.walk())), default=0
    )
    bars = list(_bars(turn, begun, 0))
    return Waterfall(bars, max((bar.end_ms for bar in bars), default=0.0))


def _bars(node: TimelineNode, begun: int, depth: int) -> Iterator[Bar]:
    offset_ms = max(0.0, ((from_iso(node.started_at) or begun) - begun) / 1e6)
    yield Bar(node, depth, offset_ms, node.duration_ms or 0.0)
    for child in node.children:
        yield from _bars(child, begun, depth + 1)
