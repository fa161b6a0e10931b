"""Tools that are called over the Model Context Protocol, by the SDK or by FastMCP: tool calls of the current turn.

Where a framework reports the tool call already, and the tool is one of a server, there is nothing to add to it. The
context of the call is passed on to the server: from 2.0 on the SDK does so itself, in programs that trace. As everywhere in
OpenTelemetry, ``OTEL_PROPAGATORS=none`` keeps it back. FastMCP, from 2.13 on, is a client that calls the SDK's: from 4.0 on
it starts a span of its own around each call, which is kept, and no second one is started.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from turnspan.adapter import Emit, Invocation, Outcome

REQUIRES = "mcp>=1.22,<3"
CANNOT = {
    "calls outside of every turn": "nothing says which session they belong to",
    "the id that the model gave a call": "unless a framework reports it",
}
_TIMEOUTS = (-32001, 408)


def install(emit: Emit) -> None:
    """Wrap the one function that all calls of tools go through."""
    emit.patch.wrap("mcp.client.session:ClientSession.call_tool", lambda call: _called(emit, call))


def _called(emit: Emit, call: Invocation) -> Generator[Any, Outcome, None]:
    run = emit.current_run()
    if run is None or emit.current_tool_name() is not None:
        yield None
        return
    name, arguments = str(call.argument(0, "name")), call.argument(1, "arguments") or {}
    tool = run.tool_started(name, arguments, tool_type="extension", span=_span_around(emit, name))
    given = call.kwargs.get("meta") or {}
    call.kwargs["meta"] = given if "traceparent" in given else {**given, **emit.carrier(tool)}
    outcome = yield tool
    tool.ended(_outcome(outcome), _said(outcome.result), metadata=_server(call.instance))


def _span_around(emit: Emit, name: str) -> Any:
    """Return the span that FastMCP's client has started for the call, if it has."""
    span = emit.spans.current()
    scope, said = getattr(span, "instrumentation_scope", None), getattr(span, "attributes", None) or {}
    is_theirs = getattr(scope, "name", None) == "fastmcp" and said.get("gen_ai.operation.name") == "execute_tool"
    return span if is_theirs and said.get("gen_ai.tool.name") == name else None


def _outcome(outcome: Outcome) -> Outcome:
    """Return how a call ended; the protocol has codes for what went wrong, and results that are errors."""
    code = getattr(getattr(outcome.error, "error", outcome.error), "code", None)
    if outcome.error is not None and code in _TIMEOUTS:
        return Outcome.timed_out(outcome.error)
    if outcome.error is not None and code is not None:
        return Outcome.failed(outcome.error, str(code))
    if _field(outcome.result, "is_error", "isError"):
        return Outcome.failed(str(_said(outcome.result)), "tool_error")
    return outcome


def _said(result: Any) -> Any:
    """Return what a result says: its structure, or else its texts, or else its blocks."""
    if getattr(result, "input_requests", None) is not None:
        return "the server asks for more input; another call goes on with this one"
    structured = _field(result, "structured_content", "structuredContent")
    if structured is not None or result is None:
        return structured
    blocks = getattr(result, "content", None) or []
    texts = [block.text for block in blocks if getattr(block, "type", None) == "text"]
    return "\n".join(texts) if texts else [getattr(block, "type", "unknown") for block in blocks]


def _field(result: Any, name: str, before: str) -> Any:
    """Return a field of a result; its name before 2.0 is not asked for where FastMCP would warn of it."""
    return getattr(result, name) if hasattr(result, name) else getattr(result, before, None)


def _server(session: Any) -> dict[str, Any]:
    info = getattr(session, "server_info", None)
    return {} if info is None else {"mcp_server": info.name}
