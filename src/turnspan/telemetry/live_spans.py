"""Spans: events as OpenTelemetry sees them.

Two halves. :func:`opened` and :func:`closed` map events to span data, purely, so that the same code can send a span
again later. :class:`Spans` moves live spans through the OpenTelemetry API, with explicit parents: nothing here depends
on which thread or task an event comes from.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from contextlib import suppress
from typing import Any

from opentelemetry import context, trace
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, TraceFlags

from turnspan.events import (
    Ended,
    Event,
    HandedOff,
    Started,
    TurnStarted,
)
from turnspan.journal.hash_chain import SpanIds
from turnspan.telemetry import semconv as sc
from turnspan.telemetry.current_context import UNCLAIMED_SPANS
from turnspan.telemetry.deferred_spans import DeferredTracer, tracer_of
from turnspan.telemetry.span_mapping import MODEL_OPERATIONS, closed, opened

_SESSIONS_REMEMBERED = 4096


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
        if isinstance(self._tracer, DeferredTracer):
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
            from turnspan._version import __version__

            self._provider, self._tracer = provider, tracer_of(provider.get_tracer("turnspan", __version__))
        return self._tracer.start_span(*start)  # type: ignore[no-any-return]

    def note(self, span: Span, name: str, event: Event) -> None:
        """Mark an event on the span that it happened in.

        Jaeger shows no logs, only span events; the call is deprecated upstream (OTEP 4430), so it stands only here.
        """
        span.add_event(name, {sc.TURNSPAN_AUDIT_EVENT_ID: event.event_id}, timestamp=event.at_ns)

    def previous_turn_span(self, session_id: str) -> str | None:
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


def ids_of_external_span(span: Any) -> SpanIds | None:
    """Return the ids of a span that somebody else has started, as the SDK has it."""
    found, parent = span.get_span_context(), getattr(span, "parent", None)
    if not found.is_valid:
        return None
    parent_id = f"{parent.span_id:016x}" if parent is not None else ""
    return SpanIds(f"{found.trace_id:032x}", f"{found.span_id:016x}", int(found.trace_flags), parent_id)


def claimed_model_span() -> Any:
    """Return the current span if somebody else started it for the model call that is told now; it is ours then."""
    span_id = trace.get_current_span().get_span_context().span_id
    span = UNCLAIMED_SPANS.get(span_id)
    if span is None:
        return None
    UNCLAIMED_SPANS[span_id] = None
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
