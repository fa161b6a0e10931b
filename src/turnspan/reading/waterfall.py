"""A turn as a waterfall: a bar for everything that took time, nested as it was, on one axis.

What the turn's length hangs on is marked: the critical path, from its end back to whatever ended last before it. So are
the pieces in which nothing that was recorded went on, and siblings that ran at the same time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from turnspan.model.records import from_iso
from turnspan.reading.tree import TimelineNode

_TOUCHING_MS = 0.05
"""Clocks are read one after the other: what overlaps by less only touches."""


@dataclass(slots=True, frozen=True)
class Bar:
    """Where something begins and how long it takes, in milliseconds behind the turn's start.

    What has no known duration (a handoff, a note, what still runs) takes none.
    """

    node: TimelineNode
    depth: int
    offset_ms: float
    duration_ms: float
    critical: bool = False
    """Whether the turn would have been shorter, had this been."""
    first_chunk_ms: float | None = None
    """How long behind its start a stream's first chunk came."""

    @property
    def end_ms(self) -> float:
        """Where it ends."""
        return self.offset_ms + self.duration_ms


@dataclass(slots=True, frozen=True)
class Waterfall:
    """The bars of a turn, each behind the one that it is inside of, and the length of their axis."""

    bars: list[Bar]
    total_ms: float
    gaps: list[tuple[float, float]] = field(default_factory=list)
    """From when to when nothing that was recorded went on: the time of the agent's own code."""

    @property
    def gaps_ms(self) -> float:
        """How long that was altogether."""
        return sum(end - begin for begin, end in self.gaps)


def waterfall_of(turn: TimelineNode) -> Waterfall:
    """Return the waterfall of a turn's tree (see :func:`~turnspan.reading.tree.turn_tree`)."""
    begun = from_iso(turn.started_at) or min(
        filter(None, (from_iso(node.started_at) for node in turn.walk())), default=0
    )
    critical = {id(node) for node in critical_path(turn)}
    bars = list(_bars(turn, begun, 0, critical))
    total_ms = max((bar.end_ms for bar in bars), default=0.0)
    calls = [bar for bar in bars if bar.node.kind in ("model call", "tool call")]
    is_known = calls and all(bar.node.duration_ms is not None for bar in calls)  # histories may not say
    working = [(bar.offset_ms, bar.end_ms) for bar in calls]
    return Waterfall(bars, total_ms, list(_between(working, total_ms)) if is_known else [])


def _bars(node: TimelineNode, begun: int, depth: int, critical: set[int]) -> Iterator[Bar]:
    offset_ms = max(0.0, ((from_iso(node.started_at) or begun) - begun) / 1e6)
    chunk = node.recorded.get("first_chunk_ms")
    first_chunk_ms = float(chunk) if isinstance(chunk, (int, float)) else None
    yield Bar(node, depth, offset_ms, node.duration_ms or 0.0, id(node) in critical, first_chunk_ms)
    for child in node.children:
        yield from _bars(child, begun, depth + 1, critical)


def _between(pieces: list[tuple[float, float]], total: float) -> Iterator[tuple[float, float]]:
    """Yield what of an axis no piece covers."""
    covered = 0.0
    for begin, end in [*sorted(pieces), (total, total)]:
        if begin - covered > _TOUCHING_MS:
            yield covered, begin
        covered = max(covered, end)


def critical_path(node: TimelineNode) -> list[TimelineNode]:
    """Return what a node's length hangs on, the node itself first: whatever ended last, and what ended before that began."""
    found, pending = [], [node]
    while pending:
        current = pending.pop()
        found.append(current)
        cursor = float("inf")
        for begin, end, child in sorted(_timed(current.children), key=lambda piece: -piece[1]):
            if end <= cursor + _TOUCHING_MS:
                pending.append(child)
                cursor = begin
    return found


def parallel_groups(nodes: Iterable[TimelineNode]) -> list[list[TimelineNode]]:
    """Return siblings in their order, those that ran at the same time together."""
    groups: list[list[TimelineNode]] = []
    until = float("-inf")
    for node in nodes:
        spans = [(begin, end) for begin, end, _ in _timed([node])]
        if groups and spans and spans[0][0] < until - _TOUCHING_MS and spans[0][1] > spans[0][0]:
            groups[-1].append(node)
        else:
            groups.append([node])
            until = float("-inf")
        until = max([until, *(end for _, end in spans)])
    return groups


def _timed(nodes: Iterable[TimelineNode]) -> Iterator[tuple[float, float, TimelineNode]]:
    """Yield when nodes began and ended, in milliseconds, of those of which it is known."""
    for node in nodes:
        begun = from_iso(node.started_at)
        if begun is not None and node.duration_ms is not None:
            yield begun / 1e6, begun / 1e6 + node.duration_ms, node
