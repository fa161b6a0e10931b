"""What is drawn: the waterfall of a turn and the strip of a session, as numbers that a template makes SVG of.

Places are percentages, so that a picture is as wide as the page has room for without a script or a style of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from turnspan.model.records import FAILED
from turnspan.reading.tree import TimelineNode
from turnspan.reading.waterfall import Bar, waterfall_of
from turnspan.stores.base import TurnSummary
from turnspan.viewer.formatting import count, duration, plural

ROW = 26
"""Height of a bar's row: its name, and the bar below it."""
TOP = 20
_MOST_BARS = 600
_COLUMNS = 240
"""Columns of a strip; a session of more turns has several in each."""
_FEWEST = 48
"""Columns that a strip has room for at least: a session of two turns is not a wall."""
_NARROWEST = 0.4
_TALLEST, _BELOW = 30, 12


@dataclass(slots=True, frozen=True)
class FallBar:
    """A bar of a waterfall."""

    anchor: str
    css: str
    name: str
    took: str
    title: str
    y: int
    indent: int
    x: float
    width: float
    first_chunk: float | None
    """Where the first chunk of a stream came."""
    is_moment: bool


@dataclass(slots=True, frozen=True)
class Fall:
    """The waterfall of a turn."""

    bars: list[FallBar]
    height: int
    ticks: list[tuple[float, str]]
    gaps: list[tuple[float, float]]
    legend: list[str]
    left_out: int


def fall_of(turn: TimelineNode, anchors: Mapping[int, str]) -> Fall:
    """Return the waterfall of a turn.

    Args:
        turn: Its tree.
        anchors: Where each node stands on the page, by its ``id()``.

    """
    found = waterfall_of(turn)
    inner = [bar for bar in found.bars if bar.node is not turn]
    total = found.total_ms or 1.0
    bars = [
        _fall_bar(bar, TOP + ROW * place, total, anchors.get(id(bar.node), ""))
        for place, bar in enumerate(inner[:_MOST_BARS])
    ]
    ticks = [(100 * part / 4, duration(total * part / 4)) for part in range(5)] if found.total_ms else []
    gaps = [
        (round(100 * begin / total, 2), round(100 * (end - begin) / total, 2))
        for begin, end in found.gaps
        if (end - begin) / total > 0.005
    ]
    return Fall(
        bars,
        TOP + ROW * len(bars) + 4,
        ticks,
        gaps,
        _legend(inner, found.total_ms, found.gaps_ms),
        max(0, len(inner) - _MOST_BARS),
    )


def _fall_bar(bar: Bar, y: int, total: float, anchor: str) -> FallBar:
    node = bar.node
    css = node.kind.replace(" ", "-")
    css += " failed" if node.status in FAILED else ""
    css += " critical" if bar.critical else ""
    x = min(100 * bar.offset_ms / total, 100 - _NARROWEST)
    width = max(_NARROWEST, min(100 * bar.duration_ms / total, 100 - x))
    took = duration(node.duration_ms)
    chunk = None
    title = f"{node.kind} {node.name}: {took or node.status}"
    if bar.first_chunk_ms is not None and bar.duration_ms:
        chunk = round(x + min(width, 100 * bar.first_chunk_ms / total), 2)
        title += f", first chunk after {duration(bar.first_chunk_ms)}"
    title += f", from {duration(bar.offset_ms)}" + (", on the critical path" if bar.critical else "")
    is_moment = node.duration_ms is None
    return FallBar(
        anchor,
        css,
        shown_name(node),
        took,
        title,
        y,
        8 * min(bar.depth - 1, 8),
        round(x, 2),
        round(width, 2),
        chunk,
        is_moment,
    )


def shown_name(node: TimelineNode) -> str:
    """Return what something is called on the pages."""
    return node.name.replace(" -> ", " → ") if node.kind == "handoff" else node.name


def _legend(bars: Sequence[Bar], total_ms: float, gaps_ms: float) -> list[str]:
    """Return where the time went, in words."""
    if not total_ms:
        return []
    said = []
    for kind, noun in (("model call", "models"), ("tool call", "tools")):
        spans = sorted((bar.offset_ms, bar.end_ms) for bar in bars if bar.node.kind == kind and bar.duration_ms)
        if spans:
            said.append(f"{noun} {100 * _covered(spans) / total_ms:.0f}%")
    if said and gaps_ms / total_ms >= 0.01:
        said.append(f"own code {100 * gaps_ms / total_ms:.0f}%")
    return said


def _covered(spans: Sequence[tuple[float, float]]) -> float:
    covered, until = 0.0, 0.0
    for begin, end in spans:
        covered += max(0.0, end - max(begin, until))
        until = max(until, end)
    return covered


@dataclass(slots=True, frozen=True)
class StripBar:
    """A column of a strip: one turn, or several of a long session."""

    turn_id: str
    first: int
    css: str
    title: str
    x: float
    width: float
    height: float
    below: float
    """How much of the lower half stands for tokens."""
    trouble: float
    """How much of it is marked: of several turns by how many of them something failed in, of one a little where a call did."""


@dataclass(slots=True, frozen=True)
class Strip:
    """A whole session in one row: how long each turn took, what it used, and what failed."""

    bars: list[StripBar]
    tallest: int = _TALLEST
    height: int = _TALLEST + _BELOW + 2


def strip_of(outline: Sequence[TurnSummary], window: tuple[int, int]) -> Strip:
    """Return the strip of a session.

    Args:
        outline: Its turns.
        window: From which place to behind which the page shows turns.

    """
    each = max(1, math.ceil(len(outline) / _COLUMNS))
    groups = [(first, outline[first : first + each]) for first in range(0, len(outline), each)]
    longest = max((turn.duration_ms or 0.0 for turn in outline), default=0.0) or 1.0
    most = max((turn.tokens for turn in outline), default=0) or 1
    step = 100 / max(len(groups), _FEWEST)
    bars = []
    for place, (first, turns) in enumerate(groups):
        took, tokens = max(turn.duration_ms or 0.0 for turn in turns), max(turn.tokens for turn in turns)
        found = [turn.status for turn in turns if turn.status in (*FAILED, "running")]
        calls = sum(turn.failed_calls for turn in turns)
        css = found[0] if found and len(turns) == 1 else "running" if "running" in found else "success"
        failed = sum(bool(turn.failed_calls) or turn.status in FAILED for turn in turns)
        trouble = _TALLEST * math.sqrt(failed / len(turns)) if len(turns) > 1 else 3.0 if calls else 0.0
        shown = window[0] < first + len(turns) and first < window[1]
        name = f"turn {first + 1}" if len(turns) == 1 else f"turns {first + 1} to {first + len(turns)}"
        title = ", ".join(
            filter(
                None,
                (
                    name,
                    css if css != "success" else "",
                    f"{plural(failed, 'turn')} with a failure" if failed and len(turns) > 1 else "",
                    f"{plural(calls, 'call')} failed" if calls else "",
                    duration(took),
                    f"{count(tokens)} tokens" if tokens else "",
                ),
            )
        )
        bars.append(
            StripBar(
                turns[0].turn_id,
                first,
                css + (" shown" if shown else ""),
                title,
                round(place * step, 3),
                round(step * (0.8 if step > 0.8 else 0.9), 3),
                round(max(2.0, _TALLEST * _scaled(took, longest)), 1),
                round(_BELOW * _scaled(tokens, most), 1),
                round(trouble, 1),
            )
        )
    return Strip(bars)


def _scaled(value: float, largest: float) -> float:
    """Return how tall something is beside the largest: by its root, so that small things are seen, too."""
    return math.sqrt(max(0.0, value) / largest)
