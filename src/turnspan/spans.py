"""Spans: events as OpenTelemetry sees them.

Two halves. :func:`opened` and :func:`closed` map events to span data, purely, so that the same code can send a span
again later. :class:`Spans` moves live spans through the OpenTelemetry API, with explicit parents: nothing here depends
on which thread or task an event comes from.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from contextlib import suppress
from typing import Any, NamedTuple

from opentelemetry import baggage, context, trace
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from turnspan import semconv as sc
from turnspan.chain import SpanIds
from turnspan.content import arguments_of, encode, text_of, to_json
from turnspan.events import (
    AgentEnded,
    AgentStarted,
    Ended,
    Event,
    HandedOff,
    ModelCallEnded,
    ModelCallStarted,
    Scope,
    Started,
    ToolCallEnded,
    ToolCallStarted,
    TurnEnded,
    TurnStarted,
)
from turnspan.late_spans import LateTracer, tracer_of

Attributes = dict[str, Any]
MOST_IDS = 50
"""Audit event ids on a turn's span; backends cut longer values."""
_SESSIONS_REMEMBERED = 4096
SCOPE_KEY = context.create_key("turnspan-scope")
"""Where the OpenTelemetry context keeps the current turn and call, so that both travel together."""
BAGGAGE_SESSION = sc.SESSION_ID
"""The baggage entry that carries the session id to other services."""


_OPERATIONS: dict[type[Event], str] = {
    TurnStarted: "invoke_agent", AgentStarted: "invoke_agent", ModelCallStarted: "chat", ToolCallStarted: "execute_tool",
    HandedOff: "execute_tool",
}  # fmt: skip


MODEL_OPERATIONS = ("chat", "text_completion", "generate_content")


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
        sc.GEN_AI_CONVERSATION_ID: event.session_id, sc.SESSION_ID: event.session_id,
        sc.TURNSPAN_AUDIT_EVENT_ID: event.event_id,
    }  # fmt: skip
    if event.turn_id:
        attributes[sc.TURNSPAN_TURN_ID] = event.turn_id
    if workspace_id:
        attributes[sc.TURNSPAN_WORKSPACE_ID] = workspace_id
    if isinstance(event, ModelCallStarted):
        attributes[sc.GEN_AI_PROVIDER_NAME] = event.provider or "_OTHER"
        if event.streamed:
            attributes[sc.GEN_AI_REQUEST_STREAM] = True
        if not event.model:
            return Opened("chat", SpanKind.CLIENT, attributes)
        attributes[sc.GEN_AI_REQUEST_MODEL] = event.model
        return Opened(f"chat {event.model}", SpanKind.CLIENT, attributes)
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
            if event.description:
                attributes[sc.GEN_AI_AGENT_DESCRIPTION] = event.description
        elif view_url:
            attributes[sc.TURNSPAN_SESSION_URL] = f"{view_url.rstrip('/')}/sessions/{event.session_id}"
    return Opened(name, SpanKind.INTERNAL, attributes)


def closed(
    started: Started, ended: Ended, *, content: bool = False, profile: sc.Profile = sc.UTIL_1_3,
    turn_events: list[str] | None = None,
) -> Closed:  # fmt: skip
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
        ):
            if value is not None:
                attributes[name] = value


def _contents(attributes: Attributes, started: Started, ended: Ended) -> None:
    match started, ended:
        case ToolCallStarted(), ToolCallEnded():
            given = ended.arguments if ended.arguments is not None else started.arguments
            if given is not None:
                attributes[sc.GEN_AI_TOOL_CALL_ARGUMENTS] = encode(arguments_of(given)).decode()
            if ended.result is not None:
                attributes[sc.GEN_AI_TOOL_CALL_RESULT] = to_json(ended.result)
        case ModelCallStarted(), ModelCallEnded():
            asked = ended.messages if ended.messages is not None else started.messages
            if asked is not None:
                attributes[sc.GEN_AI_INPUT_MESSAGES] = encode(messages(asked, "user")).decode()
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


def messages(value: Any, role: str) -> list[dict[str, Any]]:
    """Return content as the conventions' message list: ``[{"role", "parts": [{"type", "content"}]}]``."""
    if not isinstance(value, list):
        return [{"role": role, "parts": [{"type": "text", "content": to_json(value)}]}]
    found = []
    for item in value:
        if isinstance(item, dict) and "parts" in item:
            found.append(item)
        elif isinstance(item, dict):
            found.append({"role": item.get("role", role), "parts": _parts(item)})
        else:
            found.append({"role": role, "parts": [{"type": "text", "content": to_json(item)}]})
    return found


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
            {"type": "text", "content": part["text"]} if isinstance(part, dict) and isinstance(part.get("text"), str)
            else {"type": "generic", "content": to_json(part)}
            for part in text
        ]  # fmt: skip
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


class Borrowed(NonRecordingSpan):
    """A span that somebody else has started and will end; only what is noted in it is put on it."""

    def __init__(self, span: Any) -> None:
        super().__init__(span.get_span_context())
        self._span = span

    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None:
        """Add a span event, if the span has not ended."""
        if getattr(self._span, "end_time", None) is None:
            self._span.add_event(name, attributes, timestamp)


# Live spans --------------------------------------------------------------------------------------------------------


class Spans:
    """Moves live spans. A span's handle is the span itself; who is open is the recorder's knowledge."""

    def __init__(self, *, content: bool = False, profile: sc.Profile = sc.UTIL_1_3, view_url: str = "") -> None:
        self._provider: Any = None
        self._tracer: Any = None
        self._content, self._profile, self._view_url = content, profile, view_url
        self._last_turn: OrderedDict[str, SpanContext] = OrderedDict()
        self._ended: deque[tuple[Span, Started, Ended, list[str] | None]] = deque()

    def start(
        self,
        event: Started,
        below: context.Context | None,
        *,
        linked: SpanContext | None = None,
        workspace_id: str | None = None,
    ) -> Span:
        """Start a span below the span of a context; None is the active one, or a trace of its own."""
        name, kind, attributes = opened(event, workspace_id=workspace_id, view_url=self._view_url)
        links: tuple[Link, ...] = ()
        if linked is not None and linked.is_valid:
            links = (Link(linked, {sc.TURNSPAN_LINK_KIND: "handoff"}),)
        is_turn = type(event) is TurnStarted
        if is_turn and (before := self._last_turn.get(event.session_id)) is not None:
            links = (*links, Link(before, {sc.TURNSPAN_LINK_KIND: "previous_turn"}))
        span = self._start_span(name, below, kind, attributes, links, event.at_ns)
        if is_turn:
            self._remember(event.session_id, span.get_span_context())
        return span

    def adopt(self, event: Started, span: Any, end_id: str, workspace_id: str | None = None) -> Span:
        """Take somebody else's span for an event's: it gets our attributes if it can, and is theirs to end."""
        _, _, attributes = opened(event, workspace_id=workspace_id, view_url=self._view_url)
        if getattr(span, "end_time", None) is None and span.is_recording():
            known = getattr(span, "attributes", None) or {}
            identity = (sc.GEN_AI_CONVERSATION_ID, sc.SESSION_ID)
            span.set_attributes({k: v for k, v in attributes.items() if k in identity or k not in known})
            span.set_attribute(sc.TURNSPAN_AUDIT_EVENT_ID_END, end_id)
        if type(event) is TurnStarted:
            self._remember(event.session_id, span.get_span_context())
        return Borrowed(span)

    def end(self, span: Span, started: Started, ended: Ended, turn_events: list[str] | None = None) -> None:
        """Have a span ended, with the time of its event: soon, in another thread."""
        self._ended.append((span, started, ended, turn_events))

    def end_all(self) -> None:
        """End what is to be ended."""
        while self._ended:
            with suppress(IndexError):  # another thread was faster
                self._end(*self._ended.popleft())

    def after_fork(self) -> None:
        """Leave the spans that are to be ended to the parent process."""
        self._ended.clear()
        if isinstance(self._tracer, LateTracer):
            self._tracer.after_fork()

    def _end(self, span: Span, started: Started, ended: Ended, turn_events: list[str] | None) -> None:
        attributes, status = closed(
            started, ended, content=self._content, profile=self._profile, turn_events=turn_events
        )
        span.set_attributes(attributes)
        if status is not None:
            span.set_status(status)
        span.end(ended.at_ns)

    def handoff(self, event: HandedOff, below: context.Context | None) -> Span:
        """Show a handoff as the call of a transfer tool that took no time."""
        name, kind, attributes = opened(event, content=self._content)
        span = self._start_span(name, below, kind, attributes, (), event.at_ns)
        span.end(event.at_ns)
        return span

    def _start_span(self, *start: Any) -> Span:
        if (provider := trace.get_tracer_provider()) is not self._provider:  # the SDK may be set up late
            from turnspan import __version__

            self._provider, self._tracer = provider, tracer_of(provider.get_tracer("turnspan", __version__))
        return self._tracer.start_span(*start)  # type: ignore[no-any-return]

    def note(self, span: Span, name: str, event: Event) -> None:
        """Mark an event on the span that it happened in.

        Jaeger shows no logs, only span events; the call is deprecated upstream (OTEP 4430), so it stands only here.
        """
        span.add_event(name, {sc.TURNSPAN_AUDIT_EVENT_ID: event.event_id}, timestamp=event.at_ns)

    def turn_before(self, session_id: str) -> str | None:
        """Return the span of the session's turn before: what the next one links to, as ``trace id-span id``."""
        found = self._last_turn.get(session_id)
        return None if found is None else f"{found.trace_id:032x}-{found.span_id:016x}"

    def _remember(self, session_id: str, span_context: SpanContext) -> None:
        if not span_context.is_valid:
            return
        self._last_turn[session_id] = span_context
        self._last_turn.move_to_end(session_id)
        if len(self._last_turn) > _SESSIONS_REMEMBERED:
            self._last_turn.popitem(last=False)


def ids_of(span: Span, above: SpanIds | None) -> SpanIds | None:
    """Return a span's ids as text; None for the span of an SDK that is not there.

    Args:
        span: The span.
        above: The ids of the span that it was started below; None: of the one that is active now, if any.

    """
    found = span.get_span_context()
    if not found.is_valid:
        return None
    if above is not None:
        return SpanIds(above.trace_id, f"{found.span_id:016x}", int(found.trace_flags), above.span_id)
    active = trace.get_current_span().get_span_context()
    parent_id = f"{active.span_id:016x}" if active.is_valid else ""
    return SpanIds(f"{found.trace_id:032x}", f"{found.span_id:016x}", int(found.trace_flags), parent_id)


def ids_of_theirs(span: Any) -> SpanIds | None:
    """Return the ids of a span that somebody else has started, as the SDK has it."""
    found, parent = span.get_span_context(), getattr(span, "parent", None)
    if not found.is_valid:
        return None
    parent_id = f"{parent.span_id:016x}" if parent is not None else ""
    return SpanIds(f"{found.trace_id:032x}", f"{found.span_id:016x}", int(found.trace_flags), parent_id)


def claimed_model_span() -> Any:
    """Return the current span if somebody else started it for the model call that is told now; it is ours then."""
    span_id = trace.get_current_span().get_span_context().span_id
    span = UNREAD.get(span_id)
    if span is None:
        return None
    UNREAD[span_id] = None
    operation = (getattr(span, "attributes", None) or {}).get(sc.GEN_AI_OPERATION_NAME)
    return span if operation in MODEL_OPERATIONS else None


def resource_of_provider() -> dict[str, Any] | None:
    """Return the resource that spans are sent with; None where there is no SDK."""
    attributes = getattr(getattr(trace.get_tracer_provider(), "resource", None), "attributes", None)
    return dict(attributes) if attributes else None


def in_span(ids: SpanIds | None) -> context.Context | None:
    """Return a context in which a span of this id is current, for what is told about it later."""
    if ids is None:
        return None
    found = SpanContext(int(ids.trace_id, 16), int(ids.span_id, 16), is_remote=False, trace_flags=TraceFlags(ids.flags))
    return trace.set_span_in_context(NonRecordingSpan(found), context.Context())


# Where code runs -----------------------------------------------------------------------------------------------------


PLACES: dict[int, Scope] = {}
"""Where code inside of somebody else's spans runs, by span id: what they stand for, or what they are in."""
UNREAD: dict[int, Span | None] = {}
"""Spans of others, outside of every turn, of which it is not known yet what they stand for; None: one of ours told it."""


def scope(where: context.Context | None = None) -> Scope | None:
    """Return the turn and call that the calling code runs in, or those of a context."""
    if PLACES and (place := PLACES.get(trace.get_current_span(where).get_span_context().span_id)) is not None:
        return place
    found = context.get_value(SCOPE_KEY, where)
    return found if isinstance(found, Scope) else None


def context_inside(found: Scope, span: Span | None) -> context.Context:
    """Return a context in which code runs inside a turn or call: its span is current, its session travels along."""
    here = scope()
    inside = context.set_value(SCOPE_KEY, found)
    if here is None or here.session_id != found.session_id:
        inside = baggage.set_baggage(BAGGAGE_SESSION, found.session_id, inside)
    return inside if span is None else trace.set_span_in_context(span, inside)


def below(span: Span) -> context.Context:
    """Return a context for spans below this one, whatever is active where they start."""
    return trace.set_span_in_context(span, context.Context())
