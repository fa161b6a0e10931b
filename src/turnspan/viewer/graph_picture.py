"""The agent graph, laid out on the server: together, a column for each step away from where turns begin; and step by step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from turnspan.model.addresses import event_anchor, quoted, session_path, turn_anchor
from turnspan.model.records import FAILED
from turnspan.reading.agent_graph import AgentGraph, AgentStep, Way
from turnspan.viewer.formatting import duration, plural

_WIDTH, _HEIGHT, _BETWEEN, _GAP = 190, 58, 130, 22
_MOST = 60
"""Agents that are drawn."""
_LANE, _ROW, _HEAD, _LEFT = 170, 26, 34, 64
_MOST_STEPS, _MOST_LANES = 300, 16


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
    ways = graph.ways
    if not ways:
        return None
    names = list(graph.agents)[:_MOST]
    columns = _columns(graph, ways, names)
    places: dict[str, tuple[int, int]] = {}
    rows: dict[int, int] = {}
    for name in names:
        row = rows.get(columns[name], 0)
        rows[columns[name]] = row + 1
        places[name] = (columns[name] * (_WIDTH + _BETWEEN) + 1, row * (_HEIGHT + _GAP) + 4)
    boxes = [_box(graph, name, *places[name]) for name in names]
    arrows = [
        _arrow(
            places[way.source],
            places[way.target],
            way.kind,
            number,
            f"{way.source} {way.kind}{' to' if way.kind == 'handed over' else ''} {way.target}",
        )
        for way, number in ways.items()
        if way.source in places and way.target in places
    ]
    goes_back = any(places[way.target][0] < places[way.source][0] for way in ways if {*way[:2]} <= places.keys())
    height = max(y for _, y in places.values()) + _HEIGHT + (40 if goes_back else 6)
    return GraphPicture(boxes, arrows, max(x for x, _ in places.values()) + _WIDTH + 40, height)


def _columns(graph: AgentGraph, ways: Counter[Way], names: list[str]) -> dict[str, int]:
    """Return how many steps each agent is away from one that turns begin with."""
    found = {name: 0 for name in names if graph.agents[name].turns}
    pending = list(found)
    while pending:
        source = pending.pop(0)
        for way in ways:
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


@dataclass(slots=True, frozen=True)
class Lane:
    """An agent in the picture of steps: its name stands on top, its steps below."""

    name: str
    x: int


@dataclass(slots=True, frozen=True)
class DrawnStep:
    """A step from lane to lane; of one that begins a turn both are the same."""

    href: str
    css: str
    turn: str
    took: str
    title: str
    y: int
    x1: int
    x2: int


@dataclass(slots=True, frozen=True)
class StepsPicture:
    """Who worked for whom, one step below the other."""

    lanes: list[Lane]
    steps: list[DrawnStep]
    width: int
    height: int
    left_out: int


def steps_picture(graph: AgentGraph, session_id: str, turn_ids: Sequence[str], first: int = 1) -> StepsPicture | None:
    """Return the picture of a graph's steps; None where one agent alone did everything.

    Args:
        graph: The graph.
        session_id: Its session.
        turn_ids: The turns that it was made of.
        first: The first one's number in the session.

    """
    if all(step.kind == "began" for step in graph.steps):
        return None
    names = list(graph.agents)[:_MOST_LANES]
    lanes = {name: _LEFT + 12 + _LANE * place for place, name in enumerate(names)}
    drawn = [step for step in graph.steps if step.target in lanes and (step.source or step.target) in lanes]
    steps = [
        _drawn(step, lanes, _HEAD + _ROW * (place + 1), session_id, turn_ids[step.turn], first + step.turn)
        for place, step in enumerate(drawn[:_MOST_STEPS])
    ]
    width, height = _LEFT + _LANE * len(lanes) + 70, _HEAD + _ROW * (len(steps) + 1)
    left_out = len(graph.steps) - len(steps)
    return StepsPicture([Lane(name, x) for name, x in lanes.items()], steps, width, height, left_out)


def _drawn(step: AgentStep, lanes: dict[str, int], y: int, session_id: str, turn_id: str, number: int) -> DrawnStep:
    node = step.node
    begins = step.source is None
    ids = [] if begins else node.audit_event_ids
    anchor = event_anchor(ids[0]) if ids else turn_anchor(turn_id)
    says = (
        f"turn {number} begins with {step.target}"
        if begins
        else f"{step.source} {step.kind}{' to' if step.kind == 'handed over' else ''} {step.target}"
    )
    css = f"{step.kind.replace(' ', '-')}{' failed' if node.status in FAILED else ''}"
    return DrawnStep(
        f"{session_path(session_id)}?turn={quoted(turn_id)}#{anchor}",
        css,
        str(number) if begins else "",
        duration(node.duration_ms),
        f"{says}{f', {took}' if (took := duration(node.duration_ms)) else ''}",
        y,
        lanes[step.source or step.target],
        lanes[step.target],
    )
