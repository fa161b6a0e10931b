"""The agent graph, laid out on the server: a column for each step away from where turns begin."""

from __future__ import annotations

from dataclasses import dataclass

from turnspan.reading.agent_graph import AgentGraph
from turnspan.viewer.formatting import duration, plural

_WIDTH, _HEIGHT, _BETWEEN, _GAP = 190, 58, 130, 22
_MOST = 60
"""Agents that are drawn."""


@dataclass(slots=True, frozen=True)
class Box:
    """An agent, and where it stands."""

    name: str
    lines: tuple[str, ...]
    failed: int
    x: int
    y: int


@dataclass(slots=True, frozen=True)
class Arrow:
    """A way from one agent to another, and how often it was gone."""

    path: str
    kind: str
    label: str
    title: str
    x: int
    y: int


@dataclass(slots=True, frozen=True)
class GraphPicture:
    """The whole picture."""

    boxes: list[Box]
    arrows: list[Arrow]
    width: int
    height: int
    box: tuple[int, int] = (_WIDTH, _HEIGHT)


def graph_picture(graph: AgentGraph) -> GraphPicture | None:
    """Return the picture of a graph; None where one agent alone did everything."""
    if not graph.ways:
        return None
    names = list(graph.agents)[:_MOST]
    columns = _columns(graph, names)
    places: dict[str, tuple[int, int]] = {}
    rows: dict[int, int] = {}
    for name in names:
        row = rows.get(columns[name], 0)
        rows[columns[name]] = row + 1
        places[name] = (columns[name] * (_WIDTH + _BETWEEN) + 1, row * (_HEIGHT + _GAP) + 4)
    boxes = [_box(graph, name, *places[name]) for name in names]
    arrows = [
        _arrow(places[way.source], places[way.target], way.kind, number, f"{way.source} {way.kind} to {way.target}")
        for way, number in graph.ways.items()
        if way.source in places and way.target in places
    ]
    goes_back = any(places[way.target][0] < places[way.source][0] for way in graph.ways if {*way[:2]} <= places.keys())
    height = max(y for _, y in places.values()) + _HEIGHT + (40 if goes_back else 6)
    return GraphPicture(boxes, arrows, max(x for x, _ in places.values()) + _WIDTH + 40, height)


def _columns(graph: AgentGraph, names: list[str]) -> dict[str, int]:
    """Return how many steps each agent is away from one that turns begin with."""
    found = {name: 0 for name in names if graph.agents[name].turns}
    pending = list(found)
    while pending:
        source = pending.pop(0)
        for way in graph.ways:
            if way.source == source and way.target not in found:
                found[way.target] = found[source] + 1
                pending.append(way.target)
    return {name: found.get(name, 0) for name in names}


def _box(graph: AgentGraph, name: str, x: int, y: int) -> Box:
    agent = graph.agents[name]
    began = plural(agent.turns, "turn") if agent.turns else plural(agent.runs, "run")
    calls = ", ".join(
        plural(number, noun)
        for number, noun in ((agent.model_calls, "model call"), (agent.tool_calls, "tool call"))
        if number
    )
    took = f", {duration(agent.duration_ms)}" if agent.duration_ms else ""
    return Box(name, (f"{began}{took}", calls), agent.failed, x, y)


def _arrow(source: tuple[int, int], target: tuple[int, int], kind: str, number: int, title: str) -> Arrow:
    """Return an arrow: to the right straight away, back or within a column around the boxes."""
    (x1, y1), (x2, y2) = source, target
    label = "" if number == 1 else f"{number} times"
    if x2 > x1:
        start, end, middle = (x1 + _WIDTH, y1 + _HEIGHT // 2), (x2 - 5, y2 + _HEIGHT // 2), (x1 + _WIDTH + x2) // 2
        path = f"M{start[0]} {start[1]}C{middle} {start[1]} {middle} {end[1]} {end[0]} {end[1]}"
        return Arrow(path, kind, label or kind, title, middle, (start[1] + end[1]) // 2 - 6)
    if x1 == x2:
        side = x1 + _WIDTH
        path = f"M{side} {y1 + 18}C{side + 34} {y1 + 18} {side + 34} {y2 + 40} {side + 5} {y2 + 40}"
        return Arrow(path, kind, label, title, side + 36, (y1 + y2) // 2 + 30)
    low = max(y1, y2) + _HEIGHT + 22
    path = f"M{x1 + _WIDTH // 2} {y1 + _HEIGHT}C{x1 + _WIDTH // 2} {low} {x2 + _WIDTH // 2} {low} {x2 + _WIDTH // 2} {y2 + _HEIGHT + 5}"
    return Arrow(path, kind, label or kind, title, (x1 + x2 + _WIDTH) // 2, low)
