"""Rows of calls: what the record says of a tool call, a model call or an agent, as it starts and as it ends.

One function a kind, twice: a new kind of call is added to both tables at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from turnspan.events import (
    AgentEnded,
    AgentStarted,
    CallEnded,
    CallStarted,
    Event,
    ModelCallEnded,
    ModelCallStarted,
    ToolCallEnded,
    ToolCallStarted,
    call_id_of,
)
from turnspan.journal.hash_chain import SpanIds
from turnspan.model.json_values import arguments_of, text_of
from turnspan.model.records import OURS, RUNNING, turnspan_metadata
from turnspan.stores.rows import ModelCallRow, ToolCallRow

Row = Any
"""A ``ToolCallRow``, a ``ModelCallRow``, or an agent's entry in its turn's metadata."""


def start_row(event: CallStarted, span: SpanIds | None, at: str) -> Row:
    """Return the row of a call that has started at a time."""
    ours: dict[str, Any] = {
        "started_at": at,
        "trace_id": None if span is None else span.trace_id,
        "span_id": None if span is None else span.span_id,
    }
    if event.parent_id is not None:
        ours["parent_id"] = event.parent_id
    ours["audit_event_ids"] = [event.event_id]
    return _START[type(event)](event, ours)


def end_row(row: Row, started: CallStarted, ended: CallEnded) -> None:
    """Complete the row of a call that has ended."""
    duration_ms = round((ended.at_ns - started.at_ns) / 1e6, 3)
    ours = _END[type(ended)](row, ended, duration_ms)
    if ended.error_type:
        ours["error_type"] = ended.error_type
    ours["audit_event_ids"].append(ended.event_id)


def _start_tool(event: ToolCallStarted, ours: dict[str, Any]) -> ToolCallRow:
    if event.tool_type != "function":
        ours["type"] = event.tool_type
    if event.agent_id is not None:
        ours["agent_id"] = event.agent_id
    assert event.turn_id is not None
    return ToolCallRow(
        session_id=event.session_id,
        turn_id=event.turn_id,
        event_id=event.event_id,
        position=event.at_ns // 1000,
        call_id=call_id_of(event),
        tool_name=event.tool_name,
        arguments=arguments_of(event.arguments),
        result=None,
        status=RUNNING,
        error=None,
        started_at=ours["started_at"],
        duration_ms=None,
        sandbox_context=None,
        trace_id=ours["trace_id"],
        span_id=ours["span_id"],
        metadata={OURS: ours},
        unknown=None,
    )


def _start_model(event: ModelCallStarted, ours: dict[str, Any]) -> ModelCallRow:
    details = {
        "call_id": call_id_of(event),
        "agent_id": event.agent_id,
        "provider": event.provider,
        "model": event.model,
        "status": RUNNING,
        "messages": event.messages,
        **ours,
    }
    if event.history:
        details["history"] = event.history
    if event.operation:
        details["operation"] = event.operation
    assert event.turn_id is not None
    return ModelCallRow(
        session_id=event.session_id,
        turn_id=event.turn_id,
        event_id=event.event_id,
        position=event.at_ns // 1000,
        details=details,
    )


def _start_agent(event: AgentStarted, ours: dict[str, Any]) -> dict[str, Any]:
    entry = {"call_id": call_id_of(event), "agent_id": event.agent_id, "status": RUNNING, **ours}
    if event.description:
        entry["description"] = event.description
    return entry


def _end_tool(row: ToolCallRow, event: ToolCallEnded, duration_ms: float) -> dict[str, Any]:
    if event.arguments is not None:
        row["arguments"] = arguments_of(event.arguments)
    row["result"], row["status"], row["error"] = event.result, event.status, event.error
    row["duration_ms"], row["sandbox_context"] = duration_ms, event.sandbox_context
    ours: dict[str, Any] = {**row["metadata"][OURS], **turnspan_metadata(event.metadata)}
    row["metadata"] = {**row["metadata"], **event.metadata, OURS: ours}
    return ours


def _end_model(row: ModelCallRow, event: ModelCallEnded, duration_ms: float) -> dict[str, Any]:
    details: dict[str, Any] = row["details"]
    answer = {
        "provider": event.provider,
        "model": event.model,
        "messages": event.messages,
        "response_model": event.response_model,
        "response_id": event.response_id,
        "output": event.output,
        "finish_reasons": event.finish_reasons or None,
        "usage": _usage(event),
        "first_chunk_ms": event.first_chunk_ns and event.first_chunk_ns / 1e6,
        "error": event.error,
    }
    details.update({name: value for name, value in answer.items() if value is not None})
    details.update(status=event.status, duration_ms=duration_ms)
    return details


def _end_agent(entry: dict[str, Any], event: AgentEnded, duration_ms: float) -> dict[str, Any]:
    entry.update(status=event.status, duration_ms=duration_ms)
    if event.response_content is not None:
        entry["response_content"] = text_of(event.response_content)
    if event.error is not None:
        entry["error"] = event.error
    return entry


def _usage(event: ModelCallEnded) -> dict[str, Any] | None:
    if event.usage is None:
        return None
    return {name: value for name in event.usage.__struct_fields__ if (value := getattr(event.usage, name)) is not None}


_START: dict[type[Event], Callable[[Any, dict[str, Any]], Row]] = {
    ToolCallStarted: _start_tool,
    ModelCallStarted: _start_model,
    AgentStarted: _start_agent,
}
_END: dict[type[Event], Callable[[Any, Any, float], dict[str, Any]]] = {
    ToolCallEnded: _end_tool,
    ModelCallEnded: _end_model,
    AgentEnded: _end_agent,
}
