"""A step: a turn, or something that happened in it, as both questions see it, and the texts that it brought in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from turnspan.analysis.leaves import Path, leaves
from turnspan.analysis.messages import said
from turnspan.model.records import SessionRecord, from_iso
from turnspan.reading.tree import TimelineNode


@dataclass(slots=True, frozen=True)
class StepRef:
    """Which step it is, and where it is found in record, trace and log."""

    kind: str
    name: str
    status: str
    started_at: str
    turn: int
    """Its turn's number in the session, 1 being the first."""
    turn_id: str
    agent: str | None
    call_id: str | None
    trace_id: str | None
    span_id: str | None
    audit_event_ids: list[str]
    """The events that started and ended it."""


@dataclass(slots=True, eq=False)
class Step:
    """A step of a session, with what it is inside of."""

    ref: StepRef
    node: TimelineNode
    parent: Step | None
    children: list[Step]
    started: tuple[int, int]
    """When it began: the time, and its place among what happened at the same time."""
    ended: tuple[int, int] = (0, 0)

    def walk(self) -> Iterator[Step]:
        """Yield this and everything inside it, depth first."""
        yield self
        for child in self.children:
            yield from child.walk()


class Passage(NamedTuple):
    """A text that came into a session: by which step, as which part of it, and when."""

    step: Step
    part: str
    path: Path
    value: Any
    at: tuple[int, int]
    echo: bool
    """Whether a step that repeats what others said (a model that is given a result) has it."""


def steps_of(session: SessionRecord, trees: Sequence[TimelineNode], first: int = 1) -> list[Step]:
    """Return the turns of a session as steps, each with all that happened in it; ``first`` is the first one's number."""
    clock = _Clock()
    found = []
    for number, (turn, root) in enumerate(zip(session.turns, trees, strict=True), first):
        found.append(_step(root, None, turn.agent_id, (number, turn.turn_id), clock))
    return found


class _Clock:
    """Gives what happened at the same time, or at an unknown one, its place."""

    def __init__(self) -> None:
        self._last, self._count = 0, 0

    def at(self, time_ns: int | None) -> tuple[int, int]:
        self._count += 1
        self._last = self._last if time_ns is None else time_ns
        return self._last, self._count


def _step(node: TimelineNode, parent: Step | None, agent: str | None, turn: tuple[int, str], clock: _Clock) -> Step:
    agent = node.agent_id or agent
    begun = from_iso(node.started_at)
    ref = StepRef(
        node.kind,
        node.name,
        node.status,
        node.started_at,
        *turn,
        agent,
        node.call_id,
        node.trace_id,
        node.span_id,
        _own_events(node),
    )
    step = Step(ref, node, parent, [], clock.at(begun))
    step.children = [_step(child, step, agent, turn, clock) for child in node.children]
    took = node.duration_ms
    step.ended = clock.at(None if begun is None or took is None else begun + int(took * 1e6))
    return step


def _own_events(node: TimelineNode) -> list[str]:
    """Return the events of a step: of a turn the first and the last, the others are those of its steps."""
    ids = node.audit_event_ids
    return [ids[0], ids[-1]] if node.kind == "turn" and len(ids) > 2 else ids


def content_of(node: TimelineNode) -> dict[str, Any]:
    """Return what was said in a step: its parts by name."""
    details, kept = node.details, node.recorded
    match node.kind:
        case "turn":
            found = {"prompt": details.get("prompt"), "response": details.get("response")}
        case "agent":
            found = {"description": kept.get("description"), "response": kept.get("response_content")}
        case "model call":
            found = {"messages": kept.get("messages"), "output": kept.get("output")}
        case "tool call":
            found = {"arguments": details.get("arguments"), "result": details.get("result")}
        case "handoff":
            found = {"reason": details.get("reason")}
        case _:
            found = {"data": details.get("data")}
    return {**found, "error": node.error}


_AT_END = frozenset(("response", "output", "result", "error"))
_ECHOES = frozenset(("messages", "response"))
"""Parts that mostly repeat: what was said before in the same words is not said again by them."""


def passages_of(step: Step) -> Iterator[Passage]:
    """Yield the texts of a step, without what it is made of."""
    for part, value in content_of(step.node).items():
        if value is None or value == "":
            continue
        at = step.ended if part in _AT_END else step.started
        found = said(value) if part in ("messages", "output") else leaves(value)
        for path, leaf in found:
            yield Passage(step, part, path, leaf, at, part in _ECHOES)
