"""The span mapping: events as span data, purely, so that the same code serves live spans, rehydration and verification."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode

from turnspan.events import (
    AgentEnded,
    AgentStarted,
    Ended,
    Event,
    HandedOff,
    ModelCallEnded,
    ModelCallStarted,
    Started,
    ToolCallEnded,
    ToolCallStarted,
    TurnEnded,
    TurnStarted,
)
from turnspan.model.addresses import session_path
from turnspan.model.json_values import arguments_of, encode, text_of, to_json
from turnspan.telemetry import semconv as sc

Attributes = dict[str, Any]
MOST_IDS = 50
"""Audit event ids on a turn's span; backends cut longer values."""


_OPERATIONS: dict[type[Event], str] = {
    TurnStarted: "invoke_agent",
    AgentStarted: "invoke_agent",
    ModelCallStarted: "chat",
    ToolCallStarted: "execute_tool",
    HandedOff: "execute_tool",
}


class Opened(NamedTuple):
    """A span as it starts: what samplers see."""

    name: str
    kind: SpanKind
    attributes: Attributes


class Closed(NamedTuple):
    """A span as it ends."""

    attributes: Attributes
    status: Status | None


# The mapping -------------------------------------------------------------------------------------------------------


def opened(
    event: Started | HandedOff, *, content: bool = False, workspace_id: str | None = None, view_url: str = ""
) -> Opened:
    """Return how the span of a started event begins: identity first, content last."""
    attributes: Attributes = {
        sc.GEN_AI_OPERATION_NAME: _OPERATIONS[type(event)],
        sc.GEN_AI_CONVERSATION_ID: event.session_id,
        sc.SESSION_ID: event.session_id,
        sc.TURNSPAN_AUDIT_EVENT_ID: event.event_id,
    }
    if event.turn_id:
        attributes[sc.TURNSPAN_TURN_ID] = event.turn_id
    if workspace_id:
        attributes[sc.TURNSPAN_WORKSPACE_ID] = workspace_id
    if isinstance(event, ModelCallStarted):
        attributes[sc.GEN_AI_PROVIDER_NAME] = event.provider or "_OTHER"
        if event.streamed:
            attributes[sc.GEN_AI_REQUEST_STREAM] = True
        if event.operation:
            attributes[sc.GEN_AI_OPERATION_NAME] = event.operation
        operation = event.operation or "chat"
        if not event.model:
            return Opened(operation, SpanKind.CLIENT, attributes)
        attributes[sc.GEN_AI_REQUEST_MODEL] = event.model
        return Opened(f"{operation} {event.model}", SpanKind.CLIENT, attributes)
    if event.agent_id:
        attributes[sc.GEN_AI_AGENT_NAME] = event.agent_id
    if isinstance(event, ToolCallStarted):
        name = f"execute_tool {event.tool_name}"
        attributes[sc.GEN_AI_TOOL_NAME] = event.tool_name
        attributes[sc.GEN_AI_TOOL_TYPE] = event.tool_type
        if event.call_id:
            attributes[sc.GEN_AI_TOOL_CALL_ID] = event.call_id
    elif isinstance(event, HandedOff):
        name = f"execute_tool transfer_to_{event.to_agent}"
        attributes[sc.GEN_AI_TOOL_NAME] = f"transfer_to_{event.to_agent}"
        attributes[sc.GEN_AI_TOOL_TYPE] = "function"
        if event.call_id:
            attributes[sc.GEN_AI_TOOL_CALL_ID] = event.call_id
        attributes[sc.TURNSPAN_HANDOFF_TO] = event.to_agent
        if event.from_agent:
            attributes[sc.TURNSPAN_HANDOFF_FROM] = event.from_agent
        if event.reason and content:
            attributes[sc.TURNSPAN_HANDOFF_REASON] = event.reason
    else:
        name = f"invoke_agent {event.agent_id}" if event.agent_id else "invoke_agent"
        if isinstance(event, AgentStarted):
            if event.description and content:
                attributes[sc.GEN_AI_AGENT_DESCRIPTION] = event.description
        elif view_url:
            attributes[sc.TURNSPAN_SESSION_URL] = view_url.rstrip("/") + session_path(event.session_id, event.turn_id)
    return Opened(name, SpanKind.INTERNAL, attributes)


def closed(
    started: Started,
    ended: Ended,
    *,
    content: bool = False,
    profile: sc.Profile = sc.UTIL_1_3,
    turn_events: list[str] | None = None,
) -> Closed:
    """Return how the span ends: the ended event's attributes and the status."""
    attributes: Attributes = {sc.TURNSPAN_AUDIT_EVENT_ID_END: ended.event_id}
    if isinstance(ended, TurnEnded):
        attributes[sc.TURNSPAN_TURN_STATUS] = ended.status
        if ended.agent_id and not started.agent_id:
            attributes[sc.GEN_AI_AGENT_NAME] = ended.agent_id
        if turn_events is not None:
            attributes[sc.TURNSPAN_AUDIT_EVENT_COUNT] = len(turn_events)
            attributes[sc.TURNSPAN_AUDIT_EVENT_IDS] = turn_events[:MOST_IDS]
    elif ended.status not in ("success", "error"):
        attributes[sc.TURNSPAN_CALL_STATUS] = ended.status
    if isinstance(ended, ModelCallEnded):
        _model_answer(attributes, ended, profile)
    status = None
    if ended.status in ("error", "timeout"):
        attributes[sc.ERROR_TYPE] = ended.error_type or ("timeout" if ended.status == "timeout" else "_OTHER")
        status = Status(StatusCode.ERROR, ended.error if content or not ended.error else _first_line(ended.error))
    if content:
        _contents(attributes, started, ended)
    return Closed(attributes, status)


def _model_answer(attributes: Attributes, ended: ModelCallEnded, profile: sc.Profile) -> None:
    if ended.provider:
        attributes[sc.GEN_AI_PROVIDER_NAME] = ended.provider
    if ended.model:
        attributes[sc.GEN_AI_REQUEST_MODEL] = ended.model
    if ended.response_model:
        attributes[sc.GEN_AI_RESPONSE_MODEL] = ended.response_model
    if ended.response_id:
        attributes[sc.GEN_AI_RESPONSE_ID] = ended.response_id
    if ended.finish_reasons:
        attributes[sc.GEN_AI_RESPONSE_FINISH_REASONS] = ended.finish_reasons
    if ended.first_chunk_ns is not None:
        attributes[sc.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK] = ended.first_chunk_ns / 1e9
    if (usage := ended.usage) is not None:
        for name, value in (
            (sc.GEN_AI_USAGE_INPUT_TOKENS, usage.input_tokens),
            (sc.GEN_AI_USAGE_OUTPUT_TOKENS, usage.output_tokens),
            (sc.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, usage.cache_read_tokens),
            (profile.usage_cache_write, usage.cache_write_tokens),
            (sc.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS, usage.reasoning_tokens),
            (sc.GEN_AI_USAGE_AUDIO_INPUT_TOKENS, usage.audio_input_tokens),
            (sc.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS, usage.audio_output_tokens),
            (sc.GEN_AI_USAGE_IMAGE_INPUT_TOKENS, usage.image_input_tokens),
            (sc.GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS, usage.image_output_tokens),
        ):
            if value is not None:
                attributes[name] = value


def _contents(attributes: Attributes, started: Started, ended: Ended) -> None:
    match started, ended:
        case ToolCallStarted(), ToolCallEnded():
            arguments = ended.arguments if ended.arguments is not None else started.arguments
            if arguments is not None:
                attributes[sc.GEN_AI_TOOL_CALL_ARGUMENTS] = encode(arguments_of(arguments)).decode()
            if ended.result is not None:
                attributes[sc.GEN_AI_TOOL_CALL_RESULT] = to_json(ended.result)
        case ModelCallStarted(), ModelCallEnded():
            inputs = ended.messages if ended.messages is not None else started.messages
            if inputs is not None:
                attributes[sc.GEN_AI_INPUT_MESSAGES] = encode(messages(inputs, "user")).decode()
            if ended.output is not None:
                attributes[sc.GEN_AI_OUTPUT_MESSAGES] = encode(messages(ended.output, "assistant")).decode()
        case TurnStarted(), TurnEnded():
            prompt = ended.prompt if ended.prompt is not None else started.prompt
            if prompt:
                attributes[sc.GEN_AI_INPUT_MESSAGES] = encode(messages(text_of(prompt), "user")).decode()
            if ended.response_content is not None:
                answer = messages(text_of(ended.response_content), "assistant")
                attributes[sc.GEN_AI_OUTPUT_MESSAGES] = encode(answer).decode()
        case AgentStarted(), AgentEnded() if ended.response_content is not None:
            answer = messages(text_of(ended.response_content), "assistant")
            attributes[sc.GEN_AI_OUTPUT_MESSAGES] = encode(answer).decode()


def link_to(span: SpanContext, kind: Literal["handoff", "previous_turn"]) -> Link:
    """Return a link to the span of a handoff, or of the session's turn before."""
    return Link(span, {sc.TURNSPAN_LINK_KIND: kind})


def messages(value: Any, role: str) -> list[dict[str, Any]]:
    """Return content as the conventions' message list: ``[{"role", "parts": [{"type", "content"}]}]``."""
    if not isinstance(value, list):
        return [{"role": role, "parts": [{"type": "text", "content": to_json(value)}]}]
    converted = []
    for item in value:
        if isinstance(item, dict) and "parts" in item:
            converted.append(item)
        elif isinstance(item, dict):
            converted.append({"role": item.get("role", role), "parts": _parts(item)})
        else:
            converted.append({"role": role, "parts": [{"type": "text", "content": to_json(item)}]})
    return converted


def _parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the parts of an OpenAI-style message or item."""
    parts: list[dict[str, Any]] = []
    kind = message.get("type")
    if kind == "function_call":
        return [
            {
                "type": "tool_call",
                "id": message.get("call_id"),
                "name": message.get("name"),
                "arguments": arguments_of(message.get("arguments")),
            }
        ]
    if kind == "function_call_output":
        return [{"type": "tool_call_response", "id": message.get("call_id"), "response": message.get("output")}]
    text = message.get("content")
    if message.get("role") == "tool":
        return [{"type": "tool_call_response", "id": message.get("tool_call_id"), "response": text}]
    if isinstance(text, list):
        parts += [
            {"type": "text", "content": part["text"]}
            if isinstance(part, dict) and isinstance(part.get("text"), str)
            else {"type": "generic", "content": to_json(part)}
            for part in text
        ]
    elif text:
        parts.append({"type": "text", "content": to_json(text)})
    for call in message.get("tool_calls") or []:
        function = call.get("function", call) if isinstance(call, dict) else {}
        parts.append(
            {
                "type": "tool_call",
                "id": call.get("id"),
                "name": function.get("name"),
                "arguments": arguments_of(function.get("arguments")),
            }
        )
    return parts


def _first_line(text: str) -> str:
    """Return as much of an error as may stand where content may not."""
    return text.partition("\n")[0][:200]
