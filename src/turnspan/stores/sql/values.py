"""Rows as the tables have them, and records made of what the tables gave."""

from __future__ import annotations

import json
from typing import Any, TypeVar

import sqlalchemy as sa

from turnspan.model.fields import as_json, some_text
from turnspan.model.ids import derived_id
from turnspan.model.json_values import encode_plain, to_json
from turnspan.model.records import (
    AgentTransitionRecord,
    SessionRecord,
    ToolCallRecord,
    TurnRecord,
    from_iso,
    turnspan_metadata,
)
from turnspan.stores.merging import merge_metadata
from turnspan.stores.rows import (
    Changes,
    ModelCallRow,
    SessionRow,
    ToolCallRow,
    TransitionRow,
    TurnRow,
    transition_key,
)
from turnspan.stores.sql.schema import model_calls, tool_calls

R = TypeVar("R", SessionRecord, TurnRecord, ToolCallRecord, AgentTransitionRecord)
_MOST_OF_A_TEXT = 10_000  # characters of a call's arguments, of its result or of a note that can be searched
_SPACE: Any = sa.literal_column("' '", sa.Text)
_ZERO: Any = sa.literal_column("0", sa.BigInteger)


def session_values(head: SessionRow) -> dict[str, Any]:
    """Return the head of a session."""
    ours = turnspan_metadata(head["metadata"])
    return {
        **head,
        "metadata": dump(head["metadata"]),
        "parent_id": as_json("str | None", ours.get("parent_session_id")),
        "root_id": as_json("str | None", ours.get("root_session_id")),
    }


def merged_head(kept: Any, head: SessionRow) -> dict[str, Any] | None:
    """Return the head of a session that is kept with a new one merged into it; None when nothing changes."""
    metadata = load(kept["metadata"])
    merge_metadata(metadata, head["metadata"])
    new = session_values({**head, "metadata": metadata})
    merged = {
        "session_id": head["session_id"],
        "workspace_id": kept["workspace_id"] or head["workspace_id"],
        "agent_id": kept["agent_id"] or head["agent_id"],
        "updated_at": max(kept["updated_at"], head["updated_at"]),
        "ended": bool(kept["ended"] or head["ended"]),
        **{name: new[name] for name in ("metadata", "parent_id", "root_id")},
    }
    return None if all(kept[name] == value for name, value in merged.items()) else merged


def turn_values(row: TurnRow) -> dict[str, Any]:
    """Return a turn, but for what its calls add: see :data:`OF_ITS_CALLS`."""
    start, end = from_iso(row["started_at"]), from_iso(row["ended_at"])
    return {
        **row,
        "audit_event_ids": dump(row["audit_event_ids"]),
        "metadata": dump(row["metadata"]),
        "unknown": dump_some(row["unknown"]),
        "duration_ms": None if start is None or end is None else (end - start) / 1e6,
        "note_words": note_words(row["metadata"]),
    }


def note_words(metadata: dict[str, Any]) -> str:
    """Return what the notes in a turn's metadata say, for the search."""
    found = turnspan_metadata(metadata).get("notes")
    notes = [note for note in found if isinstance(note, dict)] if isinstance(found, list) else []
    texts = [f" {note.get('name')} {to_json(note.get('data') or '')}" for note in notes]
    return "".join(text[:_MOST_OF_A_TEXT] for text in texts).replace("\x00", " ")


def of_its_calls(session_id: Any, turn_id: Any, note_words: Any) -> dict[str, Any]:
    """Return what a turn's row has about what is inside of it, as expressions.

    That are the words of its calls and notes, for the search, and the tokens of its calls.
    """
    words = tool_calls.c.tool_name + _SPACE + _beginning(tool_calls.c.arguments)
    for column in (tool_calls.c.result, tool_calls.c.error):
        words += _SPACE + sa.func.coalesce(_beginning(column), _SPACE)
    spent = sa.func.coalesce(model_calls.c.input_tokens, _ZERO) + sa.func.coalesce(model_calls.c.output_tokens, _ZERO)
    return {
        "tools": sa.func.coalesce(
            sa.select(sa.func.aggregate_strings(words, _SPACE))
            .where(tool_calls.c.session_id == session_id, tool_calls.c.turn_id == turn_id)
            .scalar_subquery(),
            _SPACE,
        )
        + note_words,
        "tokens": sa.select(sa.cast(sa.func.sum(spent), sa.BigInteger))
        .where(model_calls.c.session_id == session_id, model_calls.c.turn_id == turn_id)
        .scalar_subquery(),
    }


def _beginning(text: Any) -> Any:
    return sa.func.substr(text, sa.literal_column("1"), sa.literal_column(str(_MOST_OF_A_TEXT)))


OF_ITS_CALLS = of_its_calls(
    sa.bindparam("same_session_id"), sa.bindparam("same_turn_id"), sa.bindparam("note_words", type_=sa.Text)
)
"""The same for the turn of the row that is stored."""


def tool_values(row: ToolCallRow) -> dict[str, Any]:
    """Return a tool call."""
    result = None if row["result"] is None else dump(row["result"])
    return {
        **row,
        "arguments": dump(row["arguments"]),
        "result": result,
        "metadata": dump(row["metadata"]),
        "unknown": dump_some(row["unknown"]),
    }


def model_values(row: ModelCallRow) -> dict[str, Any]:
    """Return a model call."""
    details = row["details"]
    usage = details["usage"] if isinstance(details.get("usage"), dict) else {}
    given = details.get
    return {
        "session_id": row["session_id"],
        "turn_id": row["turn_id"],
        "event_id": row["event_id"],
        "position": row["position"],
        "provider": some_text(given("provider")),
        "model": some_text(given("response_model")) or some_text(given("model")),
        "response_id": some_text(given("response_id")),
        "status": some_text(given("status")) or "success",
        "error": some_text(given("error")),
        "started_at": some_text(given("started_at")),
        "duration_ms": as_json("float | None", details.get("duration_ms")),
        "input_tokens": _count(usage.get("input_tokens")),
        "output_tokens": _count(usage.get("output_tokens")),
        "trace_id": some_text(given("trace_id")),
        "span_id": some_text(given("span_id")),
        "details": dump(details),
    }


def _count(value: Any) -> int | None:
    """Return a number of tokens; None for what no column holds."""
    return value if isinstance(value, int) and 0 <= value < 2**62 else None


def transition_values(row: TransitionRow) -> dict[str, Any]:
    """Return a handoff."""
    return {**row, "key": derived_id(*transition_key(row)), "unknown": dump_some(row["unknown"])}


def touched_by(changes: Changes) -> list[dict[str, Any]]:
    """Return when the sessions of a batch were last used, in order, so that two writers take them in the same one."""
    found: dict[str, str] = dict.fromkeys(changes.session_ids(), "")
    for turn in changes.turns:
        found[turn["session_id"]] = max(found[turn["session_id"]], turn["ended_at"] or turn["started_at"])
    return [{"of_session": session_id, "touched": found[session_id]} for session_id in sorted(found)]


# And back ----------------------------------------------------------------------------------------------------------


def session_of(head: Any) -> SessionRecord:
    """Return a session without its turns."""
    session = SessionRecord(
        head["session_id"],
        head["workspace_id"],
        head["created_at"],
        head["updated_at"],
        head["agent_id"],
        metadata=load(head["metadata"]),
    )
    if head["ended"]:
        session.metadata["ended"] = True
    return _restored(session, head)


def turn_of(row: Any) -> TurnRecord:
    """Return a turn without its calls."""
    turn = TurnRecord(
        row["turn_id"],
        row["agent_id"],
        row["prompt"],
        row["response_content"],
        [],
        row["started_at"],
        row["ended_at"],
        row["status"],
        row["error"],
        load(row["audit_event_ids"] or "[]"),
        load(row["metadata"]),
    )
    return _restored(turn, row)


def tool_call_of(row: Any) -> ToolCallRecord:
    """Return a tool call."""
    call = ToolCallRecord(
        row["call_id"],
        row["tool_name"],
        load(row["arguments"]),
        load(row["result"] or "null"),
        row["status"],
        row["error"],
        row["duration_ms"],
        row["sandbox_context"],
        load(row["metadata"]),
    )
    return _restored(call, row)


def transition_of(row: Any) -> AgentTransitionRecord:
    """Return a handoff."""
    record = AgentTransitionRecord(row["from_agent"], row["to_agent"], row["reason"], row["turn_id"], row["timestamp"])
    return _restored(record, row)


def dump(value: Any) -> str:
    """Return a value of a row as JSON text."""
    return encode_plain(value).decode()


def dump_some(value: dict[str, Any] | None) -> str | None:
    """Return a mapping as JSON text; None when there is nothing in it."""
    return dump(value) if value else None


def load(text: str) -> Any:
    """Return what JSON text says."""
    return json.loads(text)


def _restored(record: R, row: Any) -> R:
    return record.with_unknown_keys(load(row["unknown"])) if row["unknown"] else record
