"""Rows: what a batch of changes is made of, and how rows and records become each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypedDict

import msgspec

from turnspan.model.fields import as_json
from turnspan.model.ids import derived_id
from turnspan.model.json_values import plain
from turnspan.model.records import (
    OURS,
    AgentTransitionRecord,
    ToolCallRecord,
    TurnRecord,
    from_iso,
    turnspan_metadata,
)


class SessionRow(TypedDict):
    """The head of a session. What is None leaves what is kept; metadata is merged."""

    session_id: str
    workspace_id: str | None
    agent_id: str | None
    created_at: str
    updated_at: str
    ended: bool
    metadata: dict[str, Any]


class TurnRow(TypedDict):
    """A turn without its calls. ``audit_event_ids`` are all of its events, in order."""

    session_id: str
    turn_id: str
    agent_id: str | None
    prompt: str
    response_content: str | None
    status: str
    error: str | None
    started_at: str
    ended_at: str | None
    trace_id: str | None
    span_id: str | None
    audit_event_ids: list[str]
    metadata: dict[str, Any]
    unknown: dict[str, Any] | None


class ToolCallRow(TypedDict):
    """A tool call; ``event_id`` (of its start) is its key, because runtimes give the same call id twice."""

    session_id: str
    turn_id: str
    event_id: str
    position: int
    call_id: str
    tool_name: str
    arguments: dict[str, Any]
    result: Any
    status: str
    error: str | None
    started_at: str | None
    duration_ms: float | None
    sandbox_context: str | None
    trace_id: str | None
    span_id: str | None
    metadata: dict[str, Any]
    unknown: dict[str, Any] | None


class ModelCallRow(TypedDict):
    """A model call; ``details`` is the whole of it, as it stands in the turn's metadata."""

    session_id: str
    turn_id: str
    event_id: str
    position: int
    details: dict[str, Any]


class TransitionRow(TypedDict):
    """A handoff."""

    session_id: str
    turn_id: str
    from_agent: str | None
    to_agent: str
    reason: str | None
    timestamp: str
    unknown: dict[str, Any] | None


class AuditRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event in the audit table: its place in the chain, its ids and span, and the event itself as JSON."""

    event_id: str
    journal: str
    sequence: int
    kind: str
    session_id: str
    turn_id: str | None
    call_id: str | None
    at: str
    at_ns: int
    trace_id: str | None
    span_id: str | None
    trace_flags: int | None
    parent_span_id: str | None
    digest: str
    previous_hash: str
    hash: str
    payload: str | None

    def __repr__(self) -> str:
        """Show ids, never content."""
        return f"AuditRow(event_id={self.event_id!r}, kind={self.kind!r}, session_id={self.session_id!r}, ...)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show the same to rich."""
        return [("event_id", self.event_id), ("kind", self.kind), ("session_id", self.session_id)]


class Removed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is left of audit rows that were removed with their session: which lines, and the hashes at both ends.

    ``session`` is derived from the session's id, which can be recognised in it and not be read. ``closed`` is what the
    last of these lines said about the end of its chain, and ``signature`` that of whoever removed them.
    """

    journal: str
    first: int
    last: int
    previous_hash: str
    hash: str
    session: str
    at: str
    closed: str = ""
    signature: str = ""

    def statement(self) -> bytes:
        """Return what is signed: everything but the signature."""
        return msgspec.json.encode(msgspec.structs.replace(self, signature=""), order="sorted")


def removal(session_id: str, rows: Iterable[AuditRow], at: str) -> list[Removed]:
    """Return what is to be left of a session's audit rows (each journal's in order of sequence)."""
    found: list[Removed] = []
    for row in rows:
        last = found[-1] if found else None
        closed = _closing(row)
        if last is not None and last.journal == row.journal and last.last + 1 == row.sequence:
            found[-1] = msgspec.structs.replace(last, last=row.sequence, hash=row.hash, closed=closed)
        else:
            found.append(
                Removed(
                    journal=row.journal,
                    first=row.sequence,
                    last=row.sequence,
                    previous_hash=row.previous_hash,
                    hash=row.hash,
                    session=removed_name(session_id),
                    at=at,
                    closed=closed,
                )
            )
    return found


def _closing(row: AuditRow) -> str:
    """Return what an audit row says about the end of its chain: only seals say anything."""
    if row.kind != "noted" or row.turn_id is not None:
        return ""
    try:
        data = msgspec.json.decode(row.payload or "").get("data")
    except (msgspec.MsgspecError, AttributeError):
        return ""
    return str(data.get("closed") or "") if isinstance(data, dict) and data.get("line") else ""


def removed_name(session_id: str) -> str:
    """Return the name under which a removed session is remembered."""
    return derived_id("removed", session_id)


@dataclass(slots=True)
class Changes:
    """One batch, to be stored whole or not at all; storing it again changes nothing.

    The calls of ``whole_turns`` (session, turn) are all that the turn has: they replace those that are kept.
    """

    sessions: list[SessionRow] = field(default_factory=list)
    turns: list[TurnRow] = field(default_factory=list)
    tool_calls: list[ToolCallRow] = field(default_factory=list)
    model_calls: list[ModelCallRow] = field(default_factory=list)
    transitions: list[TransitionRow] = field(default_factory=list)
    audit: list[AuditRow] = field(default_factory=list)
    whole_turns: set[tuple[str, str]] = field(default_factory=set)

    def __bool__(self) -> bool:
        return any((self.sessions, self.turns, self.tool_calls, self.model_calls, self.transitions, self.audit))

    def of(self, session_id: str) -> Changes:
        """Return the part that concerns one session."""

        def mine(rows: Iterable[Any]) -> list[Any]:
            return [row for row in rows if row["session_id"] == session_id]

        audit = [row for row in self.audit if row.session_id == session_id]
        return Changes(
            mine(self.sessions),
            mine(self.turns),
            mine(self.tool_calls),
            mine(self.model_calls),
            mine(self.transitions),
            audit,
            {turn for turn in self.whole_turns if turn[0] == session_id},
        )

    def session_ids(self) -> list[str]:
        """Return the sessions that this batch touches, in order of appearance."""
        rows: list[Any] = [*self.sessions, *self.turns, *self.tool_calls, *self.model_calls, *self.transitions]
        return list(dict.fromkeys([*(row["session_id"] for row in rows), *(row.session_id for row in self.audit)]))


# Records and rows ------------------------------------------------------------------------------------------------


def transition_key(transition: TransitionRow | AgentTransitionRecord) -> tuple[str, str | None, str, int | str]:
    """Return what makes two records of a handoff the same one."""
    row = transition if isinstance(transition, dict) else vars(transition)
    return row["turn_id"], row["from_agent"], row["to_agent"], from_iso(row["timestamp"]) or row["timestamp"]


def tool_call_key(session_id: str, turn_id: str, call: ToolCallRecord, ordinal: int) -> str:
    """Return the event id that keys a tool call: that of its start, or one derived from its place."""
    first = first_event_of(turnspan_metadata(call.metadata))
    return first or derived_id(session_id, turn_id, "tool_call.started", ordinal)


def first_event_of(ours: dict[str, Any]) -> str | None:
    """Return the id of the event that started a call, of what turnspan keeps with it."""
    ids = ours.get("audit_event_ids")
    return ids[0] if isinstance(ids, list) and ids and isinstance(ids[0], str) else None


def model_calls_of(turn: TurnRecord) -> list[dict[str, Any]]:
    """Return the model calls that a turn record carries."""
    found = turnspan_metadata(turn.metadata).get("model_calls")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def rows_of_turn(session_id: str, turn: TurnRecord) -> Changes:
    """Return a turn record as rows, its calls included."""
    data = turn.to_dict()
    models = plain(model_calls_of(turn))
    return Changes(
        turns=[_turn_row(session_id, turn, data)],
        tool_calls=[
            _tool_row(session_id, turn.turn_id, ordinal, record, call)
            for ordinal, (record, call) in enumerate(zip(turn.tool_calls, data["tool_calls"], strict=True))
        ],
        model_calls=[
            ModelCallRow(
                session_id=session_id,
                turn_id=turn.turn_id,
                event_id=first_event_of(details) or derived_id(session_id, turn.turn_id, "model_call.started", ordinal),
                position=ordinal,
                details=details,
            )
            for ordinal, details in enumerate(models)
        ],
        whole_turns={(session_id, turn.turn_id)},
    )


def _turn_row(session_id: str, turn: TurnRecord, data: dict[str, Any]) -> TurnRow:
    """Return a turn without its calls: model calls are rows of their own, not part of its metadata."""
    metadata = dict(data["metadata"])
    ours = {key: value for key, value in turnspan_metadata(metadata).items() if key != "model_calls"}
    if ours:
        metadata[OURS] = ours
    elif turnspan_metadata(metadata):
        del metadata[OURS]
    return TurnRow(
        session_id=session_id,
        turn_id=turn.turn_id,
        agent_id=data["agent_id"],
        prompt=data["prompt"],
        response_content=data["response_content"],
        status=data["status"],
        error=data["error"],
        started_at=data["started_at"],
        ended_at=data["ended_at"],
        trace_id=as_json("str | None", ours.get("trace_id")),
        span_id=as_json("str | None", ours.get("span_id")),
        audit_event_ids=data["audit_event_ids"],
        metadata=metadata,
        unknown=turn.unknown(),
    )


def _tool_row(session_id: str, turn_id: str, ordinal: int, record: ToolCallRecord, call: dict[str, Any]) -> ToolCallRow:
    own = turnspan_metadata(call["metadata"])
    return ToolCallRow(
        session_id=session_id,
        turn_id=turn_id,
        position=ordinal,
        event_id=tool_call_key(session_id, turn_id, record, ordinal),
        call_id=call["call_id"],
        tool_name=call["tool_name"],
        arguments=call["arguments"],
        result=call["result"],
        status=call["status"],
        error=call["error"],
        started_at=as_json("str | None", own.get("started_at")),
        duration_ms=call["duration_ms"],
        sandbox_context=call["sandbox_context"],
        trace_id=as_json("str | None", own.get("trace_id")),
        span_id=as_json("str | None", own.get("span_id")),
        metadata=call["metadata"],
        unknown=record.unknown(),
    )
