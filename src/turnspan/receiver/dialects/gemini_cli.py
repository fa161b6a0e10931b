"""Gemini CLI: events ``gemini_cli.*`` by ``session.id`` and ``prompt_id``.

https://geminicli.com/docs/cli/telemetry
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from turnspan.adapter.notes import APPROVAL_APPROVED, APPROVAL_DENIED
from turnspan.interchange.joining.turns import COMPACTED, JoinedTurn, tool_call
from turnspan.model.records import iso
from turnspan.receiver.dialects.events import LogEvent
from turnspan.telemetry.semconv import SESSION_ID

KIND = "gemini-cli"
PREFIX = "gemini_cli."
AGENT = "gemini"
_MAIN = ("", "main")
_STANDARD = ("event.", SESSION_ID, "installation.id", "active_approval_mode", "interactive", "user.", "prompt_id")
_NOT_NOTED = ("config", "api_request", "startup_stats", "ide_connection", "conversation_finished", "file_operation")
"""What is of the program, or what another event says."""


def session_of(event: LogEvent) -> str:
    """Return the session of an event."""
    return event.text(SESSION_ID)


def turn_of(event: LogEvent) -> str | None:
    """Return the turn of an event: the prompt that it came of."""
    return event.text("prompt_id") or None


def begins(event: LogEvent) -> str | None:
    """Return the turn that a prompt begins."""
    return turn_of(event) if event.name == "gemini_cli.user_prompt" else None


def read(event: LogEvent, turn: JoinedTurn) -> None:
    """Add what an event says to its turn."""
    name = event.name.removeprefix(PREFIX)
    if name in _READERS:
        _READERS[name](event, turn)
    elif name not in _NOT_NOTED:
        own = {key: value for key, value in event.attributes.items() if not key.startswith(_STANDARD)}
        turn.note("hook" if name == "hook_call" else event.name, own, event.at)


def _prompt(event: LogEvent, turn: JoinedTurn) -> None:
    turn.asked(event.text("prompt"), event.at)


def _response(event: LogEvent, turn: JoinedTurn) -> None:
    duration_ms = event.number("duration_ms") or 0.0
    answered = {"status": "success", "usage": _usage(event), "started_at": event.before(duration_ms)}
    reasons = event.attributes.get("finish_reasons")
    if isinstance(reasons, list):
        answered["finish_reasons"] = [str(one) for one in reasons]
    turn.model(_call(event, "model") | answered | {"duration_ms": duration_ms})


def _error(event: LogEvent, turn: JoinedTurn) -> None:
    duration_ms = event.number("duration_ms") or event.number("duration") or 0.0
    failed = {"status": "error", "error": event.text("error.message") or event.text("error") or "the request failed"}
    if kind := event.text("status_code") or event.text("error_type"):
        failed["error_type"] = kind
    name = "model" if event.text("model") else "model_name"
    turn.model(_call(event, name) | failed | {"started_at": event.before(duration_ms), "duration_ms": duration_ms})


def _tool(event: LogEvent, turn: JoinedTurn) -> None:
    """Take a call; it has no id, so it is known by its arguments where the transcript has one."""
    name, call_id, duration_ms = event.text("function_name"), event.digest(), event.number("duration_ms")
    decision, error = event.text("decision"), event.text("error.message") or event.text("error")
    began_ms = event.number("start_time")
    outcome: dict[str, Any] = (
        {"status": "success"} if event.says("success") else {"status": "error", "error": error or "it failed"}
    )
    if decision == "reject":
        outcome = {"status": "skipped", "error": "denied by the user"}
    if event.text("error_type") and not event.says("success"):
        outcome["error_type"] = event.text("error_type")
    turn.tool(
        tool_call(
            call_id,
            name,
            arguments=event.decoded("function_args"),
            duration_ms=duration_ms,
            started_at=iso(int(began_ms * 1e6)) if began_ms else event.before(duration_ms),
            metadata={"mcp_server": server} if (server := event.text("mcp_server_name")) else {},
            **outcome,
        )
    )
    if decision:  # without one nobody had to be asked
        data = {"tool_name": name, "call_id": call_id, "by": "user", "source": decision}
        turn.note(APPROVAL_DENIED if decision == "reject" else APPROVAL_APPROVED, data, event.at)


def _agent_start(event: LogEvent, turn: JoinedTurn) -> None:
    turn.agent({"call_id": event.text("agent_id"), "agent_id": event.text("agent_name"), "started_at": event.at})


def _agent_finish(event: LogEvent, turn: JoinedTurn) -> None:
    duration_ms, reason = event.number("duration_ms") or 0.0, event.text("terminate_reason")
    ended = {"status": "success"} if reason in ("GOAL", "") else {"status": "error", "error": reason}
    entry = {"call_id": event.text("agent_id"), "agent_id": event.text("agent_name")}
    turn.agent(entry | ended | {"started_at": event.before(duration_ms), "duration_ms": duration_ms})


def _compression(event: LogEvent, turn: JoinedTurn) -> None:
    data = {"tokens_before": event.count("tokens_before"), "tokens_after": event.count("tokens_after")}
    turn.note(COMPACTED, data, event.at)


_READERS: dict[str, Callable[[LogEvent, JoinedTurn], None]] = {
    "user_prompt": _prompt,
    "api_response": _response,
    "api_error": _error,
    "tool_call": _tool,
    "agent.start": _agent_start,
    "agent.finish": _agent_finish,
    "chat_compression": _compression,
}


def _call(event: LogEvent, model: str) -> dict[str, Any]:
    made: dict[str, Any] = {"call_id": event.digest(), "provider": "gcp.gemini", "model": event.text(model) or None}
    return made if event.text("role") in _MAIN else made | {"agent_id": event.text("role")}


def _usage(event: LogEvent) -> dict[str, int]:
    """Return the tokens, where those that were thought count as output, and results of Gemini's own tools as input."""
    thought = event.count("thoughts_token_count")
    found = {
        "input_tokens": event.count("input_token_count") + event.count("tool_token_count"),
        "output_tokens": event.count("output_token_count") + thought,
        "cache_read_tokens": event.count("cached_content_token_count"),
        "reasoning_tokens": thought,
    }
    return {name: count for name, count in found.items() if count}
