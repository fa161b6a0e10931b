"""Who worked for whom: the agents of some turns, what each did, and who called or handed over to whom, one after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from turnspan.model.records import FAILED
from turnspan.reading.timeline import Total
from turnspan.reading.tree import TimelineNode

NOBODY = "-"
"""The agent of what no agent is named for."""


class Way(NamedTuple):
    """From one agent to another."""

    source: str
    target: str
    kind: Literal["called", "handed over"]


@dataclass(slots=True)
class Agent(Total):
    """What one agent did altogether."""

    turns: int = 0
    """Turns that began with it."""
    runs: int = 0
    """Times that it ran inside of a turn."""
    model_calls: int = 0
    tool_calls: int = 0


class AgentStep(NamedTuple):
    """A turn that began with an agent, or a way that was gone once."""

    turn: int
    """Its turn, 0 being the first of those that were looked at."""
    source: str | None
    """None where the turn begins."""
    target: str
    kind: Literal["began", "called", "handed over"]
    node: TimelineNode
    """The turn, the agent that was called, or the handoff."""


@dataclass(slots=True)
class AgentGraph:
    """Agents in the order in which they appeared, how often each way was gone, and each step in its order."""

    agents: dict[str, Agent] = field(default_factory=dict)
    steps: list[AgentStep] = field(default_factory=list)

    @property
    def ways(self) -> Counter[Way]:
        """The steps from one agent to another, together."""
        return Counter(
            Way(one.source, one.target, one.kind) for one in self.steps if one.source and one.kind != "began"
        )


def agent_graph(turns: Iterable[TimelineNode]) -> AgentGraph:
    """Return the graph of some turns (see :func:`~turnspan.reading.tree.turn_tree`)."""
    graph = AgentGraph()
    for number, turn in enumerate(turns):
        agent = _agent(graph, turn.agent_id or NOBODY)
        agent.turns += 1
        agent.duration_ms += turn.duration_ms or 0.0
        graph.steps.append(AgentStep(number, None, agent.name, "began", turn))
        _add(graph, turn, agent, number)
    return graph


def _add(graph: AgentGraph, node: TimelineNode, agent: Agent, turn: int) -> None:
    """Add what happened in something that an agent did."""
    handed = {
        (source, target)
        for child in node.children
        if child.kind == "handoff"
        for source, target in [_ends(child, agent)]
    }
    targets = {target for _, target in handed}
    for source, target in handed:
        _agent(graph, source)
        _agent(graph, target)
    for child in node.children:
        inner = agent
        if child.kind == "agent":
            inner = _agent(graph, child.agent_id or child.name)
            inner.runs += 1
            inner.duration_ms += child.duration_ms or 0.0
            if inner is not agent and inner.name not in targets:
                graph.steps.append(AgentStep(turn, agent.name, inner.name, "called", child))
        elif child.kind == "handoff":
            graph.steps.append(AgentStep(turn, *_ends(child, agent), "handed over", child))
        elif child.kind == "model call":
            agent.model_calls += 1
        elif child.kind == "tool call":
            agent.tool_calls += 1
            agent.failed += child.status in FAILED
        _add(graph, child, inner, turn)


def _ends(handoff: TimelineNode, agent: Agent) -> tuple[str, str]:
    source, _, target = handoff.name.partition(" -> ")
    return (agent.name if source == "?" else source), target


def _agent(graph: AgentGraph, name: str) -> Agent:
    return graph.agents.setdefault(name, Agent(name))
