"""Merging: how a batch of rows becomes part of a session, in any store.

A store that appends does it in its own way, and this says what must come out. For one that has its four methods only,
:func:`apply` loads, merges and saves, under one lock.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any

from turnspan.model.records import (
    OURS,
    RUNNING,
    AgentTransitionRecord,
    SessionRecord,
    ToolCallRecord,
    TurnRecord,
    turnspan_metadata,
)
from turnspan.stores.base import Appends, SessionStore
from turnspan.stores.rows import (
    Changes,
    ModelCallRow,
    ToolCallRow,
    TurnRow,
    first_event_of,
    model_calls_of,
    tool_call_key,
    transition_key,
)

MOST_SEALS = 64
"""Seals that a session's metadata keeps, those of its newest chains; the chains themselves have all."""
_locks: weakref.WeakKeyDictionary[object, threading.RLock] = weakref.WeakKeyDictionary()
_locks_lock = threading.Lock()


def lock_of(store: object) -> threading.RLock:
    """Return the one lock that everybody in this process holds while loading, changing and saving in a store."""
    with _locks_lock:
        return _locks.setdefault(store, threading.RLock())


def apply(store: SessionStore, changes: Changes) -> None:
    """Store a batch in any store: at once when it can, else by loading, merging and saving each session.

    A store made of another library's record classes (Xerxes') gets back the class that it gave.
    """
    if isinstance(store, Appends):
        store.apply(changes)
        return
    with lock_of(store):
        for session_id in changes.session_ids():
            kept: Any = store.load_session(session_id)
            foreign = kept is not None and not isinstance(kept, SessionRecord)
            session = SessionRecord.from_dict(kept.to_dict()) if foreign else kept
            merged = merge(session, changes.of(session_id))
            store.save_session(type(kept).from_dict(merged.to_dict()) if foreign else merged)


def merge(session: SessionRecord | None, changes: Changes) -> SessionRecord:
    """Merge one session's rows into its record; what is merged twice is there once."""
    for head in changes.sessions:
        session = session or SessionRecord(head["session_id"], created_at=head["created_at"])
        session.workspace_id = session.workspace_id or head["workspace_id"]
        session.agent_id = session.agent_id or head["agent_id"]
        session.updated_at = max(session.updated_at, head["updated_at"])
        merge_metadata(session.metadata, head["metadata"])
        if head["ended"]:
            session.metadata["ended"] = True
    if session is None:
        session = SessionRecord(changes.session_ids()[0])
    session.updated_at = max(session.updated_at, last_touch(changes.turns))
    turns = {turn.turn_id: turn for turn in session.turns}
    for row in changes.turns:
        _merge_turn(session, turns, row, whole=(row["session_id"], row["turn_id"]) in changes.whole_turns)
    for call in changes.tool_calls:
        _merge_tool_call(_turn_in(session, turns, call["turn_id"]), call)
    for model in changes.model_calls:
        _merge_model_call(_turn_in(session, turns, model["turn_id"]), model)
    known = {transition_key(transition) for transition in session.agent_transitions}
    for transition in changes.transitions:
        if transition_key(transition) not in known:
            known.add(transition_key(transition))
            session.agent_transitions.append(
                AgentTransitionRecord(
                    transition["from_agent"],
                    transition["to_agent"],
                    transition["reason"],
                    transition["turn_id"],
                    transition["timestamp"],
                ).with_unknown_keys(transition["unknown"])
            )
    return session


def last_touch(rows: list[TurnRow]) -> str:
    """Return when these turns last did something."""
    return max((row["ended_at"] or row["started_at"] for row in rows), default="")


def _turn_in(session: SessionRecord, turns: dict[str, TurnRecord], turn_id: str) -> TurnRecord:
    """Return a turn of the session; one that is not there yet (its calls came first, from another process) is begun."""
    turn = turns.get(turn_id)
    if turn is None:
        turn = turns[turn_id] = TurnRecord(turn_id, status=RUNNING)
        session.turns.append(turn)
    return turn


def _merge_turn(session: SessionRecord, turns: dict[str, TurnRecord], row: TurnRow, *, whole: bool) -> None:
    turn = _turn_in(session, turns, row["turn_id"])
    if whole:
        turn.tool_calls = []
    models = [] if whole else model_calls_of(turn)
    turn.with_unknown_keys(row["unknown"])
    turn.audit_event_ids = list(row["audit_event_ids"])
    turn.agent_id, turn.prompt, turn.response_content = row["agent_id"], row["prompt"], row["response_content"]
    turn.status, turn.error = row["status"], row["error"]
    turn.started_at, turn.ended_at = row["started_at"], row["ended_at"]
    turn.metadata = dict(row["metadata"])
    if models:
        turn.metadata[OURS] = {**turnspan_metadata(turn.metadata), "model_calls": models}


def _merge_tool_call(turn: TurnRecord, row: ToolCallRow) -> None:
    record = ToolCallRecord(
        row["call_id"],
        row["tool_name"],
        row["arguments"],
        row["result"],
        row["status"],
        row["error"],
        row["duration_ms"],
        row["sandbox_context"],
        row["metadata"],
    ).with_unknown_keys(row["unknown"])
    for ordinal, call in enumerate(turn.tool_calls):
        if tool_call_key(row["session_id"], row["turn_id"], call, ordinal) == row["event_id"]:
            turn.tool_calls[ordinal] = record
            return
    turn.tool_calls.append(record)


def _merge_model_call(turn: TurnRecord, row: ModelCallRow) -> None:
    models = model_calls_of(turn)
    for ordinal, details in enumerate(models):
        if first_event_of(details) == row["event_id"]:
            models[ordinal] = row["details"]
            break
    else:
        models.append(row["details"])
    turn.metadata[OURS] = {**turnspan_metadata(turn.metadata), "model_calls": models}


def merge_metadata(kept: dict[str, Any], new: dict[str, Any]) -> None:
    """Merge metadata in place: new keys win, but ours are merged one level deeper."""
    for key, value in new.items():
        if key == OURS and isinstance(kept.get(OURS), dict) and isinstance(value, dict):
            seals = {**(kept[OURS].get("seals") or {}), **(value.get("seals") or {})}
            newest = {journal: seals[journal] for journal in sorted(seals)[-MOST_SEALS:]}
            kept[OURS] = {**value, **kept[OURS], **({"seals": newest} if newest else {})}
        else:
            kept[key] = value
