"""Codex: events ``codex.*`` by ``conversation.id`` and ``call_id``; what names no turn is of the one that goes on.

https://developers.openai.com/codex/config-advanced#observability-and-telemetry; codex-rs/otel has the events.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from turnspan.adapter.notes import APPROVAL_APPROVED, APPROVAL_DENIED
from turnspan.interchange.joining.turns import JoinedTurn, tool_call
from turnspan.receiver.dialects.events import LogEvent

KIND = "codex"
PREFIX = "codex."
AGENT = "codex"
_REDACTED = "[REDACTED]"
_APPROVED = ("approved", "approved_for_session", "approved_execpolicy_amendment")
_STANDARD = (
    "event.",
    "conversation.id",
    "app.version",
    "auth",
    "originator",
    "user.",
    "terminal.",
    "model",
    "slug",
    "env",
)
_NOT_NOTED = ("startup_phase", "turn_ttft", "websocket_connect", "websocket_event", "auth_recovery")
"""What is of the connection, and not of the turn."""


def session_of(event: LogEvent) -> str:
    """Return the session of an event."""
    return event.text("conversation.id")


def turn_of(event: LogEvent) -> str | None:  # noqa: ARG001
    """Return nothing: events name no turn."""
    return None


def begins(event: LogEvent) -> str | None:
    """Return the turn that a prompt begins; its id is made up."""
    return event.digest() if event.name == "codex.user_prompt" else None


def read(event: LogEvent, turn: JoinedTurn) -> None:
    """Add what an event says to its turn."""
    name = event.name.removeprefix(PREFIX)
    if name in _READERS:
        _READERS[name](event, turn)
    elif name not in _NOT_NOTED:
        own = {key: value for key, value in event.attributes.items() if not key.startswith(_STANDARD)}
        turn.note(event.name, own, event.at)


def _prompt(event: LogEvent, turn: JoinedTurn) -> None:
    text = event.text("prompt")
    turn.asked("" if text == _REDACTED else text, event.at)


def _request(event: LogEvent, turn: JoinedTurn) -> None:
    """Take a request that failed; one that was answered ends with its last chunk."""
    if error := event.text("error.message"):
        duration_ms = event.number("duration_ms") or 0.0
        failed = {"error": error, "started_at": event.before(duration_ms), "duration_ms": duration_ms}
        if status := event.text("http.response.status_code"):
            failed["error_type"] = status
        turn.model(_call(event) | {"status": "error"} | failed)


def _chunk(event: LogEvent, turn: JoinedTurn) -> None:
    """Take the last chunk of an answer, which says what was used, or one that says that it failed."""
    error, kind = event.text("error.message"), event.text("event.kind")
    if error:
        turn.model(_call(event) | {"status": "error", "error": error, "started_at": event.at})
    elif kind == "response.completed":
        turn.model(_call(event) | {"status": "success", "usage": _usage(event), "started_at": event.at})


def _decision(event: LogEvent, turn: JoinedTurn) -> None:
    name, call_id, source = event.text("tool_name"), event.text("call_id") or event.digest(), event.text("source")
    by = "user" if source == "user" else source or "config"
    approved = event.text("decision") in _APPROVED
    given: dict[str, Any] = {} if approved else {"status": "skipped", "error": f"denied by the {by}"}
    turn.tool(tool_call(call_id, name, started_at=event.at, **given))
    data = {"tool_name": name, "call_id": call_id, "by": by, "source": event.text("decision")}
    turn.note(APPROVAL_APPROVED if approved else APPROVAL_DENIED, data, event.at)


def _result(event: LogEvent, turn: JoinedTurn) -> None:
    duration_ms, output = event.number("duration_ms"), event.text("output")
    succeeded = event.says("success")
    turn.tool(
        tool_call(
            event.text("call_id") or event.digest(),
            event.text("tool_name"),
            arguments=event.decoded("arguments"),
            result=output or None,
            status="success" if succeeded else "error",
            error=None if succeeded else output or "it failed",
            duration_ms=duration_ms,
            started_at=event.before(duration_ms),
            metadata={"mcp_server": server} if (server := event.text("mcp_server")) else {},
        )
    )


_READERS: dict[str, Callable[[LogEvent, JoinedTurn], None]] = {
    "user_prompt": _prompt,
    "api_request": _request,
    "websocket_request": _request,
    "sse_event": _chunk,
    "tool_decision": _decision,
    "tool_result": _result,
}


def _call(event: LogEvent) -> dict[str, Any]:
    return {"call_id": event.digest(), "provider": "openai", "model": event.text("model") or None}


def _usage(event: LogEvent) -> dict[str, int]:
    names = ("input_tokens", "output_tokens", "cache_read_tokens", "reasoning_tokens")
    given = ("input_token_count", "output_token_count", "cached_token_count", "reasoning_token_count")
    return {name: n for name, own in zip(names, given, strict=True) if (n := event.count(own))}
