"""Deferred spans: the ids of a span at once, the span itself in another thread.

Making a span is the largest part of what recording costs, and nearly all of it is needed only when the span ends. So the
agent's thread asks the sampler and draws the ids, as the SDK would; the SDK makes the span of them when it is touched,
or else in a thread behind, right before it ends. One that nobody has touched until then is handed to the processors as
the ended span that the SDK would make of it. Where a span processor acts on the start of spans, and for every tracer
that is not the SDK's, spans are made at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from opentelemetry import context, trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from turnspan.otel_sdk import internals
from turnspan.telemetry.current_context import child_context

_RANDOM = getattr(TraceFlags, "RANDOM_TRACE_ID", 0)  # of SDKs that know W3C Trace Context level 2

_PLAIN = {str, int, float, bool}

Opening = Callable[[], tuple[str, SpanKind, dict[str, Any]]]
"""Returns name, kind and attributes of a span, always the same: it is called when they are needed."""


class Sampled(NamedTuple):
    """What the sampler has decided: a ``SamplingResult``."""

    decision: Any
    attributes: Mapping[str, Any]
    trace_state: Any


class DeferredSpan(Span):
    """A span that the SDK makes as soon as it is touched; attributes may be set before.

    Args:
        tracer: Makes it.
        span_context: Its ids.
        sampled: What the sampler has decided; None where it decides as it did for the parent.
        opening: Its name, kind and attributes.
        parent: The context, or the span, that it starts in.
        links: Its links.
        at_ns: When it starts.

    """

    __slots__ = (
        "_added",
        "_at_ns",
        "_context",
        "_ended",
        "_links",
        "_opening",
        "_parent",
        "_sampled",
        "_sdk_span",
        "_tracer",
    )

    def __init__(
        self,
        tracer: DeferredTracer,
        span_context: SpanContext,
        sampled: Any,
        opening: Opening,
        parent: context.Context | Span,
        links: Sequence[Link],
        at_ns: int,
    ) -> None:
        self._tracer, self._context, self._sampled = tracer, span_context, sampled
        self._opening, self._parent, self._links, self._at_ns = opening, parent, links, at_ns
        self._added: dict[str, Any] | None = None
        self._sdk_span: Span | None = None
        self._ended: ReadableSpan | None = None  # that nobody touched before its end

    @property
    def sdk_span(self) -> Span | None:
        """The span, as the SDK has it; None for one that has ended before anybody touched it."""
        if self._sdk_span is None and self._ended is None:
            with self._tracer.making:
                if self._sdk_span is None and self._ended is None:
                    name, kind, sampled = self._opened()
                    start = (name, _context(self._parent), kind, sampled.attributes, self._links, self._at_ns)
                    self._sdk_span = self._tracer.make(self._context, sampled, start)
        return self._sdk_span

    def _opened(self) -> tuple[str, SpanKind, Sampled]:
        name, kind, attributes = self._opening()
        sampled = self._sampled or Sampled(Decision.RECORD_AND_SAMPLE, attributes, self._context.trace_state)
        attributes = {**sampled.attributes, **(self._added or {})}
        return name, kind, Sampled(sampled.decision, attributes, sampled.trace_state)

    def get_span_context(self) -> SpanContext:
        """Return the ids; they are there at once."""
        return self._context

    def is_recording(self) -> bool:
        """Return whether it has not ended."""
        return self._ended is None and (self._sdk_span is None or self._sdk_span.is_recording())

    def end(self, end_time: int | None = None) -> None:
        """End it."""
        if self._sdk_span is None and end_time is not None:
            with self._tracer.making:
                ended_now = self._sdk_span is None and self._ended is None
                if ended_now:
                    self._ended = self._whole(end_time)
            if ended_now and self._ended is not None:
                self._tracer.hand_over(self._ended)
        if (span := self.sdk_span) is not None:
            span.end(end_time)

    def _whole(self, end_ns: int) -> ReadableSpan | None:
        name, kind, sampled = self._opened()
        parent = self._parent if isinstance(self._parent, Span) else trace.get_current_span(_context(self._parent))
        above = parent.get_span_context()
        return self._tracer.whole(
            sampled.attributes,
            name=name,
            context=self._context,
            parent=above if above.is_valid else None,
            kind=kind,
            links=self._links,
            start_time=self._at_ns,
            end_time=end_ns,
        )

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Set attributes."""
        if self._sdk_span is None and self._ended is None:
            with self._tracer.making:
                if self._sdk_span is None and self._ended is None:
                    self._added = {**(self._added or {}), **attributes}
                    return
        if (span := self.sdk_span) is not None:
            span.set_attributes(attributes)

    def set_attribute(self, key: str, value: Any) -> None:
        """Set an attribute."""
        self.set_attributes({key: value})

    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None:
        """Add a span event."""
        if (span := self.sdk_span) is not None:
            span.add_event(name, attributes, timestamp)

    def add_link(self, context: SpanContext, attributes: Any = None) -> None:
        """Add a link."""
        if (span := self.sdk_span) is not None:
            span.add_link(context, attributes)

    def update_name(self, name: str) -> None:
        """Change the name."""
        if (span := self.sdk_span) is not None:
            span.update_name(name)

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Set the status."""
        if (span := self.sdk_span) is not None:
            span.set_status(status, description)

    def record_exception(
        self, exception: BaseException, attributes: Any = None, timestamp: int | None = None, escaped: bool = False
    ) -> None:
        """Add an exception as a span event."""
        if (span := self.sdk_span) is not None:
            span.record_exception(exception, attributes, timestamp, escaped)

    def __getattr__(self, name: str) -> Any:
        """Return what else the SDK's spans have: their name, attributes, parent, times."""
        if name.startswith("__") or name in DeferredSpan.__slots__:
            raise AttributeError(name)
        span = self.sdk_span
        return getattr(self._ended if span is None else span, name)


class DeferredTracer:
    """Stands in for the sampler and the id generator of one SDK tracer, so that its spans can be made later.

    Args:
        tracer: Turnspan's own tracer, whose spans nothing else starts.

    """

    def __init__(self, tracer: Any) -> None:
        self.making = threading.RLock()  # a finalizer may touch a span while this thread makes another
        self._tracer = tracer
        self._ids, self._sampler = tracer.id_generator, tracer.sampler
        self._follows_parents = internals.follows_sampled_parents(self._sampler)
        self._processors: Any = None
        self._may_be_late = False
        self._may_be_whole = False
        self._in_progress = threading.local()
        tracer.id_generator = tracer.sampler = self

    def start_span(
        self,
        name: str,
        parent: context.Context | None,
        kind: SpanKind,
        attributes: dict[str, Any],
        links: Sequence[Link],
        start_time: int,
    ) -> Span:
        """Start a span: now, or as soon as it is touched."""
        return self.start_late(lambda: (name, kind, attributes), parent, links, start_time)

    def start_late(
        self, opening: Opening, parent: context.Context | Span | None, links: Sequence[Link], at_ns: int
    ) -> Span:
        """Start a span in a context, or below a span; None is the current context."""
        processors = internals.processors_of_tracer(self._tracer)
        if processors is not self._processors:
            self._processors, self._may_be_late = processors, _none_acts_on_start(processors)
            self._may_be_whole = self._may_be_late and internals.makes_plain_spans(self._tracer)
        if not self._may_be_late or not internals.is_enabled(self._tracer):
            name, kind, attributes = opening()
            return cast("Span", self._tracer.start_span(name, _context(parent), kind, attributes, links, at_ns))
        if self._follows_parents and type(parent) is DeferredSpan:
            of_parent = parent.get_span_context()
            if of_parent.trace_flags & TraceFlags.SAMPLED:  # nearly all spans: there is nothing to ask, nor to build
                span_id = self._ids.generate_span_id()
                own = SpanContext(of_parent.trace_id, span_id, False, of_parent.trace_flags, of_parent.trace_state)
                return DeferredSpan(self, own, None, opening, parent, links, at_ns)
        return self._start_sampled(opening, _context(parent), links, at_ns)

    def _start_sampled(self, opening: Opening, parent: context.Context, links: Sequence[Link], at_ns: int) -> Span:
        context_of_parent = trace.get_current_span(parent).get_span_context()
        if context_of_parent.is_valid:
            trace_id, random = context_of_parent.trace_id, context_of_parent.trace_flags & _RANDOM
        else:
            trace_id, random = self._ids.generate_trace_id(), _RANDOM * self.is_trace_id_random()
        name, kind, attributes = opening()
        sampled = self._sampler.should_sample(parent, trace_id, name, kind, attributes, links)
        flags = TraceFlags(random | sampled.decision.is_sampled())
        span_context = SpanContext(trace_id, self._ids.generate_span_id(), False, flags, sampled.trace_state)
        if not sampled.decision.is_recording():
            return NonRecordingSpan(span_context)
        return DeferredSpan(self, span_context, sampled, opening, parent, links, at_ns)

    def make(self, span_context: SpanContext, sampled: Sampled, start: tuple[Any, ...]) -> Span:
        """Have the SDK make a span of these ids."""
        outer = getattr(self._in_progress, "now", None)
        self._in_progress.now = span_context, sampled
        try:
            return cast("Span", self._tracer.start_span(*start))
        finally:
            self._in_progress.now = outer

    def whole(self, attributes: Mapping[str, Any], **span: Any) -> ReadableSpan | None:
        """Return an ended span; None where only the SDK itself can make it as it is to be.

        Args:
            attributes: Its attributes.
            span: What else it has, as arguments of ``ReadableSpan``.

        """
        if not self._may_be_whole or (clean := _clean(attributes)) is None:
            return None
        return internals.ended_span(self._tracer, clean, **span)

    def hand_over(self, span: ReadableSpan) -> None:
        """Give the processors a span that has ended."""
        self._tracer.span_processor.on_end(span)

    def after_fork(self) -> None:
        """Begin anew in a forked child: another thread may have been making a span."""
        self.making = threading.RLock()

    # What the SDK's tracer calls -------------------------------------------------------------------------------------

    def generate_trace_id(self) -> int:
        """Return the trace id of the span that is being made."""
        in_progress = getattr(self._in_progress, "now", None)
        return int(in_progress[0].trace_id if in_progress is not None else self._ids.generate_trace_id())

    def generate_span_id(self) -> int:
        """Return its span id."""
        in_progress = getattr(self._in_progress, "now", None)
        return int(in_progress[0].span_id if in_progress is not None else self._ids.generate_span_id())

    def is_trace_id_random(self) -> bool:
        """Return whether trace ids are random (W3C Trace Context level 2)."""
        return bool(getattr(self._ids, "is_trace_id_random", bool)())

    def should_sample(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the sampler has decided."""
        in_progress = getattr(self._in_progress, "now", None)
        return in_progress[1] if in_progress is not None else self._sampler.should_sample(*args, **kwargs)

    def get_description(self) -> str:
        """Describe the sampler."""
        return str(self._sampler.get_description())


def tracer_of(tracer: Any) -> Any:
    """Return a tracer, turnspan's own, as one whose spans may be made later, where it is the SDK's."""
    if isinstance(sampler := getattr(tracer, "sampler", None), DeferredTracer):
        return sampler
    return DeferredTracer(tracer) if internals.is_sdk_tracer(tracer) else tracer


def _context(parent: context.Context | Span | None) -> context.Context:
    if parent is None:
        return context.get_current()
    return child_context(parent) if isinstance(parent, Span) else parent


def _clean(attributes: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return attributes as the SDK keeps them; None where one is not of the types that ours mostly have."""
    clean: dict[str, Any] = {}
    for name, value in attributes.items():
        if type(value) is list and all(type(one) is str for one in value):
            clean[name] = tuple(value)
        elif type(value) in _PLAIN:
            clean[name] = value
        else:
            return None
    return clean


def _none_acts_on_start(processors: Any) -> bool:
    return processors is not None and all(internals.does_nothing_on_start(processor) for processor in processors)
