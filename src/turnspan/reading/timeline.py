"""A whole session in order of time, and what its agents, tools and models did altogether."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from turnspan.model.records import FAILED, SessionRecord, from_iso
from turnspan.reading.prices import Cost, cost_of
from turnspan.reading.tree import TimelineNode, session_tree
from turnspan.stores.rows import AuditRow


@dataclass(slots=True, frozen=True)
class TimelineEntry:
    """One thing that happened: when (milliseconds behind the session's first turn), by whom, in which turn, how deep."""

    offset_ms: float
    agent: str
    turn_id: str
    depth: int
    node: TimelineNode


def timeline_of(session: SessionRecord, rows: Iterable[AuditRow] = ()) -> list[TimelineEntry]:
    """Return everything that happened in a session, in order of time."""
    found: list[TimelineEntry] = []
    begun = min(filter(None, (from_iso(turn.started_at) for turn in session.turns)), default=0)

    def add(node: TimelineNode, agent: str, turn_id: str, depth: int) -> None:
        own = node.agent_id or agent
        offset_ms = ((from_iso(node.started_at) or begun) - begun) / 1e6
        found.append(TimelineEntry(offset_ms, own, turn_id, depth, node))
        for child in node.children:
            add(child, own, turn_id, depth + 1)

    for turn, root in zip(session.turns, session_tree(session, rows), strict=True):
        add(root, turn.agent_id or "-", turn.turn_id, 0)
    return sorted(found, key=lambda entry: entry.offset_ms)


@dataclass(slots=True)
class Total:
    """How long everything of one name took, and how much of it failed."""

    name: str
    failed: int = 0
    duration_ms: float = 0.0


@dataclass(slots=True)
class Aggregate(Total):
    """What an agent, a tool or a model did altogether."""

    count: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Cost | None = None
    """Of what asked models: what that cost, if that was asked for."""

    def add(self, node: TimelineNode) -> None:
        """Add one thing."""
        self.count += 1
        self.failed += node.status in FAILED
        self.duration_ms += node.duration_ms or 0.0
        self.add_tokens(node)

    def add_tokens(self, node: TimelineNode) -> None:
        """Add the tokens of a model call alone."""
        usage: dict[str, Any] = node.details.get("usage") or {}
        self.input_tokens += usage.get("input_tokens") or 0
        self.output_tokens += usage.get("output_tokens") or 0


def aggregates_of(entries: list[TimelineEntry], by: Literal["agent", "tool", "model"]) -> list[Aggregate]:
    """Return totals, the longest first: of each tool's calls, each model's, or all that each agent did."""
    found: dict[str, Aggregate] = {}
    asked: dict[str, list[TimelineNode]] = {}
    for entry in entries:
        node = entry.node
        if node.kind == "model call":
            asked.setdefault(entry.agent if by == "agent" else node.name, []).append(replace(node, children=[]))
        if by == "agent":
            # an agent's time is that of its turns and invocations; what it called is inside of it
            total = found.setdefault(entry.agent, Aggregate(entry.agent))
            if node.kind in ("turn", "agent"):
                total.add(node)
            elif node.kind == "model call":
                total.add_tokens(node)
        elif node.kind == f"{by} call":
            found.setdefault(node.name, Aggregate(node.name)).add(node)
    if by != "tool":
        for name, total in found.items():
            total.cost = cost_of(asked.get(name, ()))
    return sorted(found.values(), key=lambda total: -total.duration_ms)
