"""One session, read: each turn as the tree that it was, and the whole as a timeline, with totals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from turnspan.model.records import AgentTransitionRecord, SessionRecord, TurnRecord, from_iso, turnspan_metadata

Kind = Literal["turn", "agent", "model call", "tool call", "handoff", "note"]


@dataclass(slots=True)
class Item:
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
    agent: str | None = None
    details: dict[str, Any] = field(default_factory=dict)
    inside: list[Item] = field(default_factory=list)

    def walk(self) -> Iterator[Item]:
        """Yield this and everything inside it, depth first."""
        yield self
        for item in self.inside:
            yield from item.walk()


def tree_of(turn: TurnRecord, transitions: list[AgentTransitionRecord]) -> Item:
    """Return a turn as a tree: what happened in which call or agent, in order of time."""
    ours = turnspan_metadata(turn.metadata)
    root = Item(
        "turn",
        turn.agent_id or "turn",
        turn.status,
        turn.started_at,
        took_ms(turn),
        turn.error,
        None,
        ours.get("trace_id"),
        ours.get("span_id"),
        turn.audit_event_ids,
        turn.agent_id,
        {"prompt": turn.prompt, "response": turn.response_content, "interrupted": ours.get("interrupted")},
    )
    items: list[tuple[str | None, Item]] = []
    for agent in ours.get("agents") or []:
        items.append((agent.get("parent_id"), _item("agent", agent.get("agent_id") or "agent", agent)))
    for model in ours.get("model_calls") or []:
        item = _item("model call", model.get("response_model") or model.get("model") or "model", model)
        item.details = {
            key: model[key] for key in ("usage", "finish_reasons", "response_id", "provider") if model.get(key)
        }
        items.append((model.get("parent_id"), item))
    for call in turn.tool_calls:
        own = turnspan_metadata(call.metadata)
        item = _item(
            "tool call", call.tool_name, {**own, "status": call.status, "error": call.error, "call_id": call.call_id}
        )
        item.duration_ms = call.duration_ms
        item.details = {"arguments": call.arguments, "result": call.result}
        items.append((own.get("parent_id"), item))
    for transition in transitions:
        if transition.turn_id == turn.turn_id:
            name = f"{transition.from_agent or '?'} -> {transition.to_agent}"
            items.append(
                (None, Item("handoff", name, "success", transition.timestamp, details={"reason": transition.reason}))
            )
    for note in ours.get("notes") or []:
        ids = [note["audit_event_id"]] if note.get("audit_event_id") else []
        item = Item("note", note.get("name", ""), "success", note.get("at", ""), audit_event_ids=ids)
        item.details = {"data": note.get("data")}
        items.append((None, item))
    by_call = {item.call_id: item for _, item in items if item.call_id and item.kind in ("agent", "tool call")}
    for parent_id, item in sorted(items, key=lambda pair: pair[1].started_at):
        above = by_call.get(parent_id, root) if parent_id else root
        (root if above is item else above).inside.append(item)
    return root


def _item(kind: Kind, name: str, data: dict[str, Any]) -> Item:
    return Item(
        kind,
        name,
        data.get("status", "success"),
        data.get("started_at") or "",
        data.get("duration_ms"),
        data.get("error"),
        data.get("call_id"),
        data.get("trace_id"),
        data.get("span_id"),
        list(data.get("audit_event_ids") or []),
        data.get("agent_id"),
    )


def tokens_of(turn: TurnRecord) -> int:
    """Return how many tokens a turn's model calls used, in and out."""
    usages = [model.get("usage") or {} for model in turnspan_metadata(turn.metadata).get("model_calls") or []]
    return sum((usage.get("input_tokens") or 0) + (usage.get("output_tokens") or 0) for usage in usages)


def took_ms(turn: TurnRecord) -> float | None:
    """Return how long a turn took; None while it runs."""
    start, end = from_iso(turn.started_at), from_iso(turn.ended_at)
    return None if start is None or end is None else (end - start) / 1e6


# The whole session ------------------------------------------------------------------------------------------------


@dataclass(slots=True, frozen=True)
class Step:
    """One thing that happened: when (milliseconds behind the session's first turn), by whom, in which turn, how deep."""

    offset_ms: float
    agent: str
    turn_id: str
    depth: int
    item: Item


def steps_of(session: SessionRecord) -> list[Step]:
    """Return everything that happened in a session, in order of time."""
    found: list[Step] = []
    begun = min(filter(None, (from_iso(turn.started_at) for turn in session.turns)), default=0)

    def add(item: Item, agent: str, turn_id: str, depth: int) -> None:
        own = item.agent or agent
        offset_ms = ((from_iso(item.started_at) or begun) - begun) / 1e6
        found.append(Step(offset_ms, own, turn_id, depth, item))
        for inner in item.inside:
            add(inner, own, turn_id, depth + 1)

    for turn in session.turns:
        add(tree_of(turn, session.agent_transitions), turn.agent_id or "-", turn.turn_id, 0)
    return sorted(found, key=lambda step: step.offset_ms)


@dataclass(slots=True)
class Total:
    """What an agent, a tool or a model did altogether."""

    name: str
    count: int = 0
    failed: int = 0
    duration_ms: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0

    def add(self, item: Item) -> None:
        """Add one thing."""
        self.count += 1
        self.failed += item.status in ("error", "timeout", "cancelled")
        self.duration_ms += item.duration_ms or 0.0
        usage = item.details.get("usage") or {}
        self.input_tokens += usage.get("input_tokens") or 0
        self.output_tokens += usage.get("output_tokens") or 0


def totals_of(steps: list[Step], by: Literal["agent", "tool", "model"]) -> list[Total]:
    """Return totals, the longest first: of each tool's calls, each model's, or all that each agent did."""
    found: dict[str, Total] = {}
    for step in steps:
        item = step.item
        if by == "agent":
            # an agent's time is that of its turns and invocations; what it called is inside of it
            total = found.setdefault(step.agent, Total(step.agent))
            if item.kind in ("turn", "agent"):
                total.add(item)
            elif item.kind == "model call":
                usage = item.details.get("usage") or {}
                total.input_tokens += usage.get("input_tokens") or 0
                total.output_tokens += usage.get("output_tokens") or 0
        elif item.kind == f"{by} call":
            found.setdefault(item.name, Total(item.name)).add(item)
    return sorted(found.values(), key=lambda total: -total.duration_ms)
