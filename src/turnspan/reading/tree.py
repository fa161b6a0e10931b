"""A turn as the tree that it was: agents, model calls, tool calls, handoffs and notes, each inside of what caused it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from turnspan.events import usage_in
from turnspan.model.records import (
    FAILED,
    AgentTransitionRecord,
    SessionRecord,
    ToolCallRecord,
    TurnRecord,
    from_iso,
    turnspan_metadata,
)
from turnspan.stores.rows import AuditRow

Kind = Literal["turn", "agent", "model call", "tool call", "handoff", "note"]
NOT_TOOLS = ("retrieval", "reranker", "memory", "plan", "guardrail", "evaluator")
"""Types of tool calls that nobody would call a tool."""
HANDED_OFF = "handed_off"
"""The kind of the events that a record does not name beside what they made: a handoff's."""


@dataclass(slots=True)
class TimelineNode:
    """A turn, or something that happened in it."""

    kind: Kind
    name: str
    status: str
    started_at: str
    duration_ms: float | None = None
    error: str | None = None
    call_id: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    audit_event_ids: list[str] = field(default_factory=list)
    agent_id: str | None = None
    details: dict[str, Any] = field(default_factory=dict)
    """What only this kind has: ``prompt response interrupted``, ``arguments result``, ``usage provider response_id
    finish_reasons``, ``reason``, ``data``."""
    children: list[TimelineNode] = field(default_factory=list)
    recorded: dict[str, Any] = field(default_factory=dict)
    """All that is kept of a model call, an agent or a note: ``messages output first_chunk_ms``, see ``model.metadata``."""

    @property
    def label(self) -> str:
        """What it is, in a word or two: of a call of another kind than most, that."""
        of_tool, of_model = self.recorded.get("type"), self.recorded.get("operation")
        if self.kind == "tool call" and of_tool in NOT_TOOLS:
            return str(of_tool)
        return of_model.replace("_", " ") if self.kind == "model call" and isinstance(of_model, str) else self.kind

    def walk(self) -> Iterator[TimelineNode]:
        """Yield this and everything inside it, depth first."""
        yield self
        for node in self.children:
            yield from node.walk()


def session_tree(session: SessionRecord, rows: Iterable[AuditRow] = ()) -> list[TimelineNode]:
    """Return the turns of a session as trees; with its audit rows, handoffs have their event ids too."""
    handoffs: dict[str | None, list[str]] = {}
    for row in rows:
        if row.kind == HANDED_OFF:
            handoffs.setdefault(row.turn_id, []).append(row.event_id)
    transitions: dict[str, list[AgentTransitionRecord]] = {}
    for transition in session.agent_transitions:
        transitions.setdefault(transition.turn_id, []).append(transition)
    return [
        turn_tree(turn, transitions.get(turn.turn_id, ()), sorted(handoffs.get(turn.turn_id, [])))
        for turn in session.turns
    ]


def turn_tree(
    turn: TurnRecord, transitions: Iterable[AgentTransitionRecord] = (), handoff_ids: Iterable[str] = ()
) -> TimelineNode:
    """Return a turn as a tree: what happened in which call or agent, in order of time."""
    ours = turnspan_metadata(turn.metadata)
    root = TimelineNode(
        "turn",
        turn.agent_id or "turn",
        turn.status,
        turn.started_at,
        duration_of(turn),
        turn.error,
        None,
        _text(ours, "trace_id"),
        _text(ours, "span_id"),
        turn.audit_event_ids,
        turn.agent_id,
        {"prompt": turn.prompt, "response": turn.response_content, "interrupted": ours.get("interrupted")},
    )
    nodes = list(_inner_nodes(turn, ours, transitions, iter(handoff_ids)))
    by_call = {node.call_id: node for _, node in nodes if node.call_id and node.kind in ("agent", "tool call")}
    for parent_id, node in sorted(nodes, key=lambda pair: pair[1].started_at):
        parent = by_call.get(parent_id, root) if parent_id else root
        (root if parent is node else parent).children.append(node)
    return root


def _inner_nodes(
    turn: TurnRecord, ours: dict[str, Any], transitions: Iterable[AgentTransitionRecord], handoff_ids: Iterator[str]
) -> Iterator[tuple[str | None, TimelineNode]]:
    """Yield what happened in a turn, each with the call id of what it happened in."""
    for agent in dicts_in(ours, "agents"):
        yield _text(agent, "parent_id"), _node("agent", _text(agent, "agent_id") or "agent", agent)
    for model in dicts_in(ours, "model_calls"):
        node = _node("model call", _text(model, "response_model") or _text(model, "model") or "model", model)
        details = {"usage": usage_of(model), "response_id": _text(model, "response_id")}
        details |= {name: model.get(name) for name in ("finish_reasons", "provider")}
        node.details = {name: value for name, value in details.items() if value}
        yield _text(model, "parent_id"), node
    for call in turn.tool_calls:
        yield _text(turnspan_metadata(call.metadata), "parent_id"), _tool_node(call)
    for transition in transitions:
        if transition.turn_id == turn.turn_id:
            name = f"{transition.from_agent or '?'} -> {transition.to_agent}"
            node = TimelineNode("handoff", name, "success", transition.timestamp, details={"reason": transition.reason})
            node.audit_event_ids = [event_id] if (event_id := next(handoff_ids, None)) else []
            yield None, node
    for note in dicts_in(ours, "notes"):
        ids = [event_id] if (event_id := _text(note, "audit_event_id")) else []
        name, at = _text(note, "name") or "", _text(note, "at") or ""
        node = TimelineNode("note", name, "success", at, audit_event_ids=ids)
        node.details = {"data": note.get("data")}
        yield None, node


def _tool_node(call: ToolCallRecord) -> TimelineNode:
    own = turnspan_metadata(call.metadata)
    node = _node("tool call", call.tool_name, {**own, "status": call.status, "error": call.error})
    node.call_id, node.duration_ms = call.call_id, call.duration_ms
    node.details = {"arguments": call.arguments, "result": call.result}
    return node


def _node(kind: Kind, name: str, data: dict[str, Any]) -> TimelineNode:
    duration, ids = data.get("duration_ms"), data.get("audit_event_ids")
    return TimelineNode(
        kind,
        name,
        _text(data, "status") or "success",
        _text(data, "started_at") or "",
        float(duration) if isinstance(duration, (int, float)) else None,
        _text(data, "error"),
        _text(data, "call_id"),
        _text(data, "trace_id"),
        _text(data, "span_id"),
        [id_ for id_ in ids if isinstance(id_, str)] if isinstance(ids, list) else [],
        _text(data, "agent_id"),
        recorded=data,
    )


# What stands under our key may be another program's: it is read for what it is, and the rest is passed over ---------


def _text(data: dict[str, Any], name: str) -> str | None:
    found = data.get(name)
    return found if isinstance(found, str) else None


def usage_of(model_call: dict[str, Any]) -> dict[str, Any]:
    """Return what a model call used, by the names of :class:`~turnspan.events.Usage`."""
    return usage_in(model_call.get("usage"))


def dicts_in(ours: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return a list of dicts out of a record's metadata, which another program may have filled."""
    found = ours.get(name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def tokens_of(turn: TurnRecord) -> int:
    """Return how many tokens a turn's model calls used, in and out."""
    usages = [usage_of(model) for model in dicts_in(turnspan_metadata(turn.metadata), "model_calls")]
    return sum(usage.get("input_tokens", 0) + usage.get("output_tokens", 0) for usage in usages)


def duration_of(turn: TurnRecord) -> float | None:
    """Return how long a turn took, in milliseconds; None while it runs."""
    start, end = from_iso(turn.started_at), from_iso(turn.ended_at)
    return None if start is None or end is None else (end - start) / 1e6


def failed_calls_of(turn: TurnRecord) -> int:
    """Return how many of a turn's tool and model calls failed."""
    models = dicts_in(turnspan_metadata(turn.metadata), "model_calls")
    return sum(call.status in FAILED for call in turn.tool_calls) + sum(
        _text(call, "status") in FAILED for call in models
    )
