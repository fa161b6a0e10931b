"""Claude Code: events ``claude_code.*`` by ``session.id``, ``prompt.id`` and ``tool_use_id``.

https://code.claude.com/docs/en/monitoring-usage; tests/receiver/claude_code.py has one of each.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from turnspan.adapter.notes import APPROVAL_APPROVED, APPROVAL_DENIED, RETRY
from turnspan.interchange.joining.turns import COMPACTED, JoinedTurn, tool_call
from turnspan.receiver.dialects.events import LogEvent
from turnspan.telemetry.semconv import SESSION_ID

KIND = "claude-code"
PREFIX = "claude_code."
AGENT = "claude"
_REDACTED = "<REDACTED>"
_MAIN = ("repl_main_thread", "main", "sdk", "")
_STANDARD = (SESSION_ID, "prompt.id", "event.", "app.", "organization.", "user.", "terminal.", "workspace.")
_NOT_NOTED = (
    *("hook_execution_start", "hook_registered", "api_request_body", "plugin_loaded", "feedback_survey"),
    *("interaction", "tool.blocked_on_user", "tool.execution", "hook"),  # spans
)
"""What says nothing of a turn, or what another event says."""

_ARGUMENTS = {"full_command": "command", "skill_name": "skill"}
_NO_ARGUMENTS = ("bash_command", "mcp_server_name", "mcp_tool_name", "git_commit_id")
"""Parameters of a call that are not arguments of its tool: made of them, or known by other names."""


def session_of(event: LogEvent) -> str:
    """Return the session of an event."""
    return event.text(SESSION_ID)


def turn_of(event: LogEvent) -> str | None:
    """Return the turn of an event: the prompt that it came of."""
    return event.text("prompt.id") or None


def begins(event: LogEvent) -> str | None:
    """Return the turn that a prompt begins; before there was ``prompt.id``, one is made up."""
    return (turn_of(event) or event.digest()) if event.name == "claude_code.user_prompt" else None


def read(event: LogEvent, turn: JoinedTurn) -> None:
    """Add what an event says to its turn."""
    name = event.name.removeprefix(PREFIX)
    if name in _READERS:
        _READERS[name](event, turn)
    elif name not in _NOT_NOTED:
        turn.note(event.name, _own(event), event.at)


def _prompt(event: LogEvent, turn: JoinedTurn) -> None:
    turn.asked(_said(event, "prompt"), event.at, source_ids=[event.text("message.uuid")])
    if event.trace_id and event.span_id:  # with the beta's spans, each event has the ids of its interaction's
        turn.traced(event.trace_id, event.span_id)


def _api_request(event: LogEvent, turn: JoinedTurn) -> None:
    duration_ms = event.number("duration_ms")
    call = _call(event) | {"status": "success", "started_at": event.before(duration_ms), "usage": _usage(event)}
    turn.model(call if duration_ms is None else call | {"duration_ms": duration_ms})


def _api_error(event: LogEvent, turn: JoinedTurn) -> None:
    duration_ms = event.number("duration_ms")
    failed = {"status": "error", "error": event.text("error") or "the request failed"}
    if status := event.text("status_code"):
        failed["error_type"] = status
    call = _call(event) | failed | {"started_at": event.before(duration_ms)}
    turn.model(call if duration_ms is None else call | {"duration_ms": duration_ms})


def _api_refusal(event: LogEvent, turn: JoinedTurn) -> None:
    turn.model(_call(event) | {"finish_reasons": ["refusal"], "started_at": event.at})


def _retries_exhausted(event: LogEvent, turn: JoinedTurn) -> None:
    data = {"of": "model", "attempt": event.count("total_attempts"), "error": event.text("error")}
    turn.note(RETRY, data, event.at)


def _response(event: LogEvent, turn: JoinedTurn) -> None:
    if text := _said(event, "response"):
        turn.model(_call(event) | {"output": text, "started_at": event.at})


def _response_body(event: LogEvent, turn: JoinedTurn) -> None:
    """Take the answer itself, where bodies are sent and it was not cut."""
    body = event.decoded("body")
    content = body.get("content")
    texts = [one.get("text") for one in content if isinstance(one, dict)] if isinstance(content, list) else []
    found = {"response_id": body.get("id"), "output": "".join(text for text in texts if isinstance(text, str))}
    if event.text("request_id"):
        turn.model(_call(event) | {name: value for name, value in found.items() if value} | {"started_at": event.at})


def _decision(event: LogEvent, turn: JoinedTurn) -> None:
    name, call_id = _tool_of(event)
    arguments = _arguments(event)
    if event.text("decision") == "reject":
        by = _who(event.text("source"))
        why = "dismissed" if event.text("source") == "user_abort" else "denied"
        turn.tool(
            tool_call(
                call_id, name, arguments=arguments, status="skipped", error=f"{why} by the {by}", started_at=event.at
            )
        )
        _approval(turn, event, "source", approved=False)
    else:
        turn.tool(tool_call(call_id, name, arguments=arguments, started_at=event.at))
        _approval(turn, event, "source", approved=True)


def _result(event: LogEvent, turn: JoinedTurn) -> None:
    name, call_id = _tool_of(event)
    duration_ms = event.number("duration_ms")
    succeeded = event.says("success")
    error = None if succeeded else event.text("error") or event.text("error_type") or "it failed"
    commit = event.decoded("tool_parameters").get("git_commit_id")
    turn.tool(
        tool_call(
            call_id,
            name,
            metadata={"git_commit_id": commit} if commit else {},
            arguments=event.decoded("tool_input") or _arguments(event),
            status="success" if succeeded else "error",
            error=error,
            error_type=None if succeeded else event.text("error_type") or None,
            duration_ms=duration_ms,
            started_at=event.before(duration_ms),
        )
    )
    if event.text("decision_source"):
        _approval(turn, event, "decision_source", approved=True)


def _compaction(event: LogEvent, turn: JoinedTurn) -> None:
    data: dict[str, Any] = {"trigger": event.text("trigger"), "tokens_before": event.count("pre_tokens")}
    if event.says("success"):
        data["tokens_after"] = event.count("post_tokens")
    else:
        data["error"] = event.text("error") or "it failed"
    turn.note(COMPACTED, data, event.at)


def _hooks(event: LogEvent, turn: JoinedTurn) -> None:
    turn.note("hook", _own(event), event.at)


def _span_of_request(event: LogEvent, turn: JoinedTurn) -> None:
    """Take what a span knows of a request besides: why it stopped, its first token, and which sub-agent it is of."""
    if not event.text("request_id"):
        return
    more: dict[str, Any] = {"started_at": event.at, "first_chunk_ms": event.number("ttft_ms")}
    if reason := event.text("stop_reason"):
        more["finish_reasons"] = [reason]
    if agent := _agent_of(event, turn):
        more["parent_id"] = agent
    turn.model(_call(event) | {name: value for name, value in more.items() if value is not None})


def _span_of_tool(event: LogEvent, turn: JoinedTurn) -> None:
    """Take what a span knows of a call besides: which sub-agent it is of, and what it returned, where that is asked for."""
    if not event.text("tool_use_id"):
        return
    name, call_id = _tool_of(event)
    said = event.decoded("tool.output")
    result = said.get("output") or said.get("content")
    turn.tool(tool_call(call_id, name, started_at=event.at, result=result, parent_id=_agent_of(event, turn)))


def _agent_of(event: LogEvent, turn: JoinedTurn) -> str | None:
    """Return the sub-agent that a span is of, and say that there is one."""
    agent = event.text("agent_id")
    if not agent:
        return None
    entry = {"call_id": agent, "status": "success", "started_at": event.at}
    turn.agent(entry | ({"parent_id": above} if (above := event.text("parent_agent_id")) else {}))
    return agent


_READERS: dict[str, Callable[[LogEvent, JoinedTurn], None]] = {
    "user_prompt": _prompt,
    "assistant_response": _response,
    "api_request": _api_request,
    "api_error": _api_error,
    "api_refusal": _api_refusal,
    "api_retries_exhausted": _retries_exhausted,
    "api_response_body": _response_body,
    "tool_decision": _decision,
    "tool_result": _result,
    "compaction": _compaction,
    "hook_execution_complete": _hooks,
    "llm_request": _span_of_request,
    "tool": _span_of_tool,
}


def _call(event: LogEvent) -> dict[str, Any]:
    """Return what every event of a request says of it."""
    request_id = event.text("request_id")
    own_id = request_id or event.text("client_request_id") or event.digest()
    made: dict[str, Any] = {"call_id": own_id, "provider": "anthropic"}
    if request_id:
        made["request_id"] = request_id
    if client_id := event.text("client_request_id"):
        made["source_ids"] = [client_id]
    if model := event.text("model"):
        made["model"] = model
    if (source := event.text("query_source")) not in _MAIN:
        made["agent_id"] = event.text("agent.name") or source
    return made


def _usage(event: LogEvent) -> dict[str, Any]:
    """Return the tokens, where those of a cache count as input, too."""
    read_, written = event.count("cache_read_tokens"), event.count("cache_creation_tokens")
    found = {
        "input_tokens": event.count("input_tokens") + read_ + written,
        "output_tokens": event.count("output_tokens"),
        "cache_read_tokens": read_,
        "cache_write_tokens": written,
        "cost_usd": event.number("cost_usd"),
    }
    return {name: value for name, value in found.items() if value}


def _tool_of(event: LogEvent) -> tuple[str, str]:
    """Return a tool's name, as transcripts have it, and the id of the call."""
    name, parameters = event.text("tool_name"), event.decoded("tool_parameters")
    server, tool = parameters.get("mcp_server_name"), parameters.get("mcp_tool_name")
    if server and tool:
        name = f"mcp__{server}__{tool}"
    return name or "tool", event.text("tool_use_id") or event.digest()


def _arguments(event: LogEvent) -> dict[str, Any]:
    """Return what the parameters of a call say of its arguments, under the names that the tool itself has for them."""
    given = event.decoded("tool_parameters")
    return {_ARGUMENTS.get(name, name): value for name, value in given.items() if name not in _NO_ARGUMENTS}


def _approval(turn: JoinedTurn, event: LogEvent, source: str, *, approved: bool) -> None:
    name, call_id = _tool_of(event)
    data = {"tool_name": name, "call_id": call_id, "by": _who(event.text(source)), "source": event.text(source)}
    turn.note(APPROVAL_APPROVED if approved else APPROVAL_DENIED, data, event.at)


def _who(source: str) -> str:
    """Return who decided: the user, a hook, or the configuration."""
    return "user" if source.startswith("user") else source or "config"


def _said(event: LogEvent, name: str) -> str:
    text = event.text(name)
    return "" if text == _REDACTED else text


def _own(event: LogEvent) -> dict[str, Any]:
    """Return the attributes that only this kind of event has."""
    return {key: _plain(value) for key, value in event.attributes.items() if not key.startswith(_STANDARD)}


def _plain(value: Any) -> Any:
    """Return a value as JSON says it: agents send lists and objects as text."""
    if not isinstance(value, str) or not value.startswith(("[", "{")):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
