"""Tools that are called over the Model Context Protocol: tool calls of the current turn.

Where a framework tells the call of a tool already, and the tool is one of a server, there is nothing to add to it. The
context of the call is passed on to the server; from 2.0 on the SDK does so itself, and before it did not. As everywhere
in OpenTelemetry, ``OTEL_PROPAGATORS=none`` keeps it back.

Cannot tell: calls outside of every turn; the id that the model gave the call, where no framework tells it.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from turnspan.adapter import Emit, Invocation, Outcome, new_id
from turnspan.events import ToolCallEnded, ToolCallStarted

REQUIRES = "mcp>=1.22"
CANNOT: dict[str, str] = {}
_TIMEOUTS = (-32001, 408)


def install(emit: Emit) -> None:
    """Wrap the one function that all calls of tools go through."""
    emit.patch.wrap("mcp.client.session:ClientSession.call_tool", lambda call: _called(emit, call))


def _called(emit: Emit, call: Invocation) -> Generator[Any, Outcome, None]:
    here = emit.current()
    if here is None or here.turn_id is None or emit.current_tool_name() is not None:
        yield None
        return
    ids: dict[str, Any] = {"session_id": here.session_id, "turn_id": here.turn_id, "agent_id": here.agent_id}
    started = ToolCallStarted(
        **ids,
        call_id=new_id(),
        parent_id=here.call_id,
        tool_name=str(call.argument(0, "name")),
        tool_type="extension",
        arguments=call.argument(1, "arguments") or {},
    )
    emit(started)
    if not _passes_context_on():
        given = call.kwargs.get("meta") or {}
        call.kwargs["meta"] = given if "traceparent" in given else {**given, **emit.carrier(started)}
    outcome = yield started
    ended, result = outcome.ended(), outcome.result
    if (code := getattr(getattr(outcome.error, "error", outcome.error), "code", None)) in _TIMEOUTS:
        ended["status"] = "timeout"
    elif code is not None:
        ended["error_type"] = str(code)
    if getattr(result, "is_error", getattr(result, "isError", False)):
        ended = {"status": "error", "error": str(_said(result)), "error_type": "tool_error"}
    emit(ToolCallEnded(**ids, call_id=started.call_id, **ended, result=_said(result), metadata=_server(call.instance)))


def _passes_context_on() -> bool:
    import mcp

    return not hasattr(mcp, "McpError")  # what 1.x called it


def _said(result: Any) -> Any:
    """Return what a result says: its structure, or else its texts, or else its blocks."""
    if getattr(result, "input_requests", None) is not None:
        return "the server asks for more input; another call goes on with this one"
    structured = getattr(result, "structured_content", getattr(result, "structuredContent", None))
    if structured is not None or result is None:
        return structured
    blocks = getattr(result, "content", None) or []
    texts = [block.text for block in blocks if getattr(block, "type", None) == "text"]
    return "\n".join(texts) if texts else [getattr(block, "type", "unknown") for block in blocks]


def _server(session: Any) -> dict[str, Any]:
    info = getattr(session, "server_info", None)
    return {} if info is None else {"mcp_server": info.name}
