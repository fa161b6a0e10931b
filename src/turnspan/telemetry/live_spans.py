"""Live spans: started and ended through the OpenTelemetry API, with explicit parents.

What they say is decided in :mod:`turnspan.telemetry.span_mapping`. Nothing depends on the thread or task that an
event comes from.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, cast

import msgspec
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
from turnspan.model.newest import Newest
from turnspan.telemetry import semconv as sc
from turnspan.telemetry.current_context import child_context
from turnspan.telemetry.external_spans import has_ended
from turnspan.telemetry.span_mapping import Opened, closed, link_to, opened

_SESSIONS_REMEMBERED = 4096
_MOST_WAITING = 1536
"""Ends that wait for the thread behind; when it falls back, agents end spans themselves, as they would without turnspan.
It is less than the 2048 spans that the SDK's batch processor has room for."""
_AT_ONCE = 3
"""Spans that an agent ends at most for each of its own, so that the backlog shrinks and no agent waits for others."""
_PATIENCE_S = 5.0


class AdoptedSpan(NonRecordingSpan):
    """An external span that stands for one of our events: its own instrumentation ends it, only notes are put on it."""

    def __init__(self, span: Any) -> None:
        super().__init__(span.get_span_context())
        self._span = span

    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None:
        """Add a span event, if the span has not ended."""
        if not has_ended(self._span):
            self._span.add_event(name, attributes, timestamp)


class _Opening(msgspec.Struct, frozen=True, gc=False):
    """How a span opens, worked out when it is asked for: in a thread behind, mostly. The garbage collector need not follow it."""

    event: Started | HandedOff
    content: bool
    workspace_id: str | None = None
    view_url: str = ""

    def __call__(self) -> Opened:
        """Return name, kind and attributes."""
        return opened(self.event, content=self.content, workspace_id=self.workspace_id, view_url=self.view_url)


class Spans:
    """Starts and ends spans. Which spans are open is the recorder's knowledge.

    Args:
        content: Whether content may stand on spans.
        profile: Names of attributes.
        view_url: Base of session pages.
        tracer_of: Returns the tracer that is used for turnspan's own: one that starts spans late, where the SDK allows it.
        wake: Says that there are spans to end.

    """

    def __init__(
        self,
        *,
        content: bool = False,
        profile: sc.Profile = sc.UTIL_1_3,
        view_url: str = "",
        tracer_of: Callable[[Any], Any] = lambda tracer: tracer,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self._wake = wake
        self._tracer_of = tracer_of
        self._provider: Any = None
        self._tracer: Any = None
        self._start_late: Callable[..., Span] | None = None  # of a tracer that makes spans when they are needed
        self._content, self._profile, self._view_url = content, profile, view_url
        self._last_turn: Newest[str, SpanContext] = Newest(_SESSIONS_REMEMBERED)
        self._ended: deque[tuple[Span, Started, Ended, list[str] | None]] = deque()
        self._ending = threading.RLock()

    def start(
        self,
        event: Started,
        parent: Span | None,
        *,
        handoff: SpanContext | None = None,
        workspace_id: str | None = None,
    ) -> Span:
        """Start a span.

        Args:
            event: What starts.
            parent: The parent; None: the span that is active, or a trace of its own.
            handoff: The span of the handoff that this follows.
            workspace_id: The workspace of its session.

        """
        opening = _Opening(event, self._content, workspace_id, self._view_url)
        links: tuple[Link, ...] = ()
        if handoff is not None and handoff.is_valid:
            links = (link_to(handoff, "handoff"),)
        is_turn = type(event) is TurnStarted
        if is_turn and (before := self._last_turn.get(event.session_id)) is not None:
            links = (*links, link_to(before, "previous_turn"))
        span = self._start_span(opening, parent, links, event.at_ns)
        if is_turn:
            self._remember(event.session_id, span.get_span_context())
        return span

    def adopt(
        self,
        event: Started,
        span: Any,
        end_id: str | None,
        workspace_id: str | None = None,
        handoff: SpanContext | None = None,
    ) -> Span:
        """Take an external span for an event's: it gets our attributes, and the link to a handoff, while it can."""
        _, _, attributes = opened(event, content=self._content, workspace_id=workspace_id, view_url=self._view_url)
        if end_id is not None and span.is_recording():
            known = getattr(span, "attributes", None) or {}
            identity = (sc.GEN_AI_CONVERSATION_ID, sc.SESSION_ID)
            span.set_attributes({k: v for k, v in attributes.items() if k in identity or k not in known})
            span.set_attribute(sc.TURNSPAN_AUDIT_EVENT_ID_END, end_id)
            if handoff is not None and handoff.is_valid:
                link = link_to(handoff, "handoff")
                span.add_link(link.context, link.attributes)
        if type(event) is TurnStarted:
            self._remember(event.session_id, span.get_span_context())
        return AdoptedSpan(span)

    def end(self, span: Span, started: Started, ended: Ended, turn_events: list[str] | None = None) -> None:
        """Have a span ended, with the time of its event: soon, in a thread behind; here, where that cannot keep up."""
        self._ended.append((span, started, ended, turn_events))
        self._wake()
        if len(self._ended) > _MOST_WAITING:
            for _ in range(_AT_ONCE):
                self._end_next()

    def end_all(self) -> None:
        """End what is to be ended; on return, what another thread was ending has ended, too."""
        locked = self._ending.acquire(timeout=_PATIENCE_S)  # an exporter may hang in the thread that has it
        try:
            while self._ended:
                self._end_next()
        finally:
            if locked:
                self._ending.release()

    def _end_next(self) -> None:
        try:
            ended = self._ended.popleft()
        except IndexError:  # another thread was faster
            return
        self._end(*ended)

    def after_fork(self) -> None:
        """Leave the spans that are to be ended to the parent process."""
        self._ended.clear()
        self._ending = threading.RLock()
        if callable(after_fork := getattr(self._tracer, "after_fork", None)):
            after_fork()

    def _end(self, span: Span, started: Started, ended: Ended, turn_events: list[str] | None) -> None:
        attributes, status = closed(
            started, ended, content=self._content, profile=self._profile, turn_events=turn_events
        )
        span.set_attributes(attributes)
        if status is not None:
            span.set_status(status)
        span.end(ended.at_ns)

    def handoff(self, event: HandedOff, parent: Span | None) -> Span:
        """Show a handoff as the call of a transfer tool that took no time."""
        span = self._start_span(_Opening(event, self._content), parent, (), event.at_ns)
        span.end(event.at_ns)
        return span

    def _start_span(
        self, opening: Callable[[], Opened], parent: Span | None, links: tuple[Link, ...], at_ns: int
    ) -> Span:
        if (provider := trace.get_tracer_provider()) is not self._provider:  # the SDK may be set up late
            from turnspan._version import __version__

            self._provider, self._tracer = provider, self._tracer_of(provider.get_tracer("turnspan", __version__))
            self._start_late = getattr(self._tracer, "start_late", None)
        if self._start_late is not None:
            return self._start_late(opening, parent, links, at_ns)
        name, kind, attributes = opening()
        where = None if parent is None else child_context(parent)
        return cast("Span", self._tracer.start_span(name, where, kind, attributes, links, at_ns))

    def note(self, span: Span, name: str, event: Event) -> None:
        """Mark an event on the span that it happened in.

        Jaeger shows no logs, only span events; the call is deprecated upstream (OTEP 4430), so this is its only place.
        """
        span.add_event(name, {sc.TURNSPAN_AUDIT_EVENT_ID: event.event_id}, timestamp=event.at_ns)

    def previous_turn_span(self, session_id: str) -> str | None:
        """Return the span of the session's turn before: what the next turn links to, as ``trace id-span id``."""
        previous = self._last_turn.get(session_id)
        return None if previous is None else f"{previous.trace_id:032x}-{previous.span_id:016x}"

    def remember_turn(self, session_id: str, ids: SpanIds) -> None:
        """Take the span of a turn that ran elsewhere for the session's newest."""
        own = SpanContext(
            int(ids.trace_id, 16), int(ids.span_id, 16), is_remote=True, trace_flags=TraceFlags(ids.flags)
        )
        self._remember(session_id, own)

    def _remember(self, session_id: str, span_context: SpanContext) -> None:
        if span_context.is_valid:
            self._last_turn.remember(session_id, span_context)


def ids_of(span: Span, parent: SpanIds | None) -> SpanIds | None:
    """Return a span's ids as text; None for the span of an SDK that is not there.

    Args:
        span: The span.
        parent: The ids of its parent; None: of the span that is active now, if any.

    """
    own = span.get_span_context()
    if not own.is_valid:
        return None
    span_id, flags = f"{own.span_id:016x}", int(own.trace_flags)
    if parent is not None:
        return SpanIds(parent.trace_id, span_id, flags, parent.span_id)
    active = trace.get_current_span().get_span_context()
    return SpanIds(f"{own.trace_id:032x}", span_id, flags, f"{active.span_id:016x}" if active.is_valid else "")


def ids_of_external_span(span: Any) -> SpanIds | None:
    """Return the ids of an external span."""
    span_context, parent = span.get_span_context(), getattr(span, "parent", None)
    if not span_context.is_valid:
        return None
    parent_id = f"{parent.span_id:016x}" if parent is not None else ""
    return SpanIds(
        f"{span_context.trace_id:032x}", f"{span_context.span_id:016x}", int(span_context.trace_flags), parent_id
    )


def resource_of_provider() -> dict[str, Any] | None:
    """Return the resource that spans are sent with; None where there is no SDK."""
    attributes = getattr(getattr(trace.get_tracer_provider(), "resource", None), "attributes", None)
    return dict(attributes) if attributes else None


def in_span(ids: SpanIds | None) -> context.Context | None:
    """Return a context in which the span of these ids is current: for logs and metrics that are made later."""
    if ids is None:
        return None
    span_context = SpanContext(
        int(ids.trace_id, 16), int(ids.span_id, 16), is_remote=False, trace_flags=TraceFlags(ids.flags)
    )
    return trace.set_span_in_context(NonRecordingSpan(span_context), context.Context())
