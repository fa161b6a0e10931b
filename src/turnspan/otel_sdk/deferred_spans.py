"""Deferred spans: the ids of a span at once, the span itself in another thread.

Making a span is the largest part of what recording costs, and nearly all of it is needed only when the span ends. So the
agent's thread asks the sampler and draws the ids, as the SDK would; the SDK makes the span of them when it is touched,
or else in the writer's thread, right before it ends. Where a span processor acts on the start of spans, and for every
tracer that is not the SDK's, spans are made at once.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from opentelemetry import context, trace
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from turnspan.otel_sdk import internals

_RANDOM = getattr(TraceFlags, "RANDOM_TRACE_ID", 0)  # of SDKs that know W3C Trace Context level 2

Start = tuple[str, context.Context, SpanKind, dict[str, Any], Sequence[Link], int]
"""The arguments of ``Tracer.start_span``."""


class Sampled(NamedTuple):
    """What the sampler has decided: a ``SamplingResult``."""

    decision: Any
    attributes: Mapping[str, Any]
    trace_state: Any


class DeferredSpan(Span):
    """A span that the SDK makes as soon as it is touched; attributes may be set before."""

    __slots__ = ("_added", "_context", "_sampled", "_sdk_span", "_start", "_tracer")

    def __init__(self, tracer: DeferredTracer, start: Start, span_context: SpanContext, sampled: Any) -> None:
        self._tracer, self._start, self._context, self._sampled = tracer, start, span_context, sampled
        self._added: dict[str, Any] | None = None
        self._sdk_span: Span | None = None

    @property
    def sdk_span(self) -> Span:
        """The span, as the SDK has it."""
        if self._sdk_span is None:
            with self._tracer.making:
                if self._sdk_span is None:
                    decided = self._sampled
                    sampled = Sampled(
                        decided.decision, {**decided.attributes, **(self._added or {})}, decided.trace_state
                    )
                    self._sdk_span = self._tracer.make(self._start, self._context, sampled)
        return self._sdk_span

    def get_span_context(self) -> SpanContext:
        """Return the ids; they are there at once."""
        return self._context

    def is_recording(self) -> bool:
        """Return whether it has not ended."""
        return self._sdk_span is None or self._sdk_span.is_recording()

    def end(self, end_time: int | None = None) -> None:
        """End it."""
        self.sdk_span.end(end_time)

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Set attributes."""
        if self._sdk_span is None:
            with self._tracer.making:
                if self._sdk_span is None:
                    self._added = {**(self._added or {}), **attributes}
                    return
        self.sdk_span.set_attributes(attributes)

    def set_attribute(self, key: str, value: Any) -> None:
        """Set an attribute."""
        self.set_attributes({key: value})

    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None:
        """Add a span event."""
        self.sdk_span.add_event(name, attributes, timestamp)

    def add_link(self, context: SpanContext, attributes: Any = None) -> None:
        """Add a link."""
        self.sdk_span.add_link(context, attributes)

    def update_name(self, name: str) -> None:
        """Change the name."""
        self.sdk_span.update_name(name)

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Set the status."""
        self.sdk_span.set_status(status, description)

    def record_exception(
        self, exception: BaseException, attributes: Any = None, timestamp: int | None = None, escaped: bool = False
    ) -> None:
        """Add an exception as a span event."""
        self.sdk_span.record_exception(exception, attributes, timestamp, escaped)

    def __getattr__(self, name: str) -> Any:
        """Return what else the SDK's spans have: their name, attributes, parent, times."""
        if name.startswith("__") or name in DeferredSpan.__slots__:
            raise AttributeError(name)
        return getattr(self.sdk_span, name)


class DeferredTracer:
    """Stands in for the sampler and the id generator of one SDK tracer, so that its spans can be made later.

    Args:
        tracer: Turnspan's own tracer, whose spans nothing else starts.

    """

    def __init__(self, tracer: Any) -> None:
        self.making = threading.RLock()  # a finalizer may touch a span while this thread makes another
        self._tracer = tracer
        self._ids, self._sampler = tracer.id_generator, tracer.sampler
        self._processors: Any = None
        self._may_be_late = False
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
        processors = internals.processors_of_tracer(self._tracer)
        if processors is not self._processors:
            self._processors, self._may_be_late = processors, _none_acts_on_start(processors)
        if not self._may_be_late or not internals.is_enabled(self._tracer):
            return self._tracer.start_span(name, parent, kind, attributes, links, start_time)  # type: ignore[no-any-return]
        if parent is None:
            parent = context.get_current()
        context_of_parent = trace.get_current_span(parent).get_span_context()
        if context_of_parent.is_valid:
            trace_id, random = context_of_parent.trace_id, context_of_parent.trace_flags & _RANDOM
        else:
            trace_id, random = self._ids.generate_trace_id(), _RANDOM * self.is_trace_id_random()
        sampled = self._sampler.should_sample(parent, trace_id, name, kind, attributes, links)
        flags = TraceFlags(random | sampled.decision.is_sampled())
        span_context = SpanContext(trace_id, self._ids.generate_span_id(), False, flags, sampled.trace_state)
        if not sampled.decision.is_recording():
            return NonRecordingSpan(span_context)
        return DeferredSpan(self, (name, parent, kind, attributes, links, start_time), span_context, sampled)

    def make(self, start: Start, span_context: SpanContext, sampled: Sampled) -> Span:
        """Have the SDK make a span of these ids."""
        outer = getattr(self._in_progress, "now", None)
        self._in_progress.now = span_context, sampled
        try:
            return self._tracer.start_span(*start)  # type: ignore[no-any-return]
        finally:
            self._in_progress.now = outer

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


def _none_acts_on_start(processors: Any) -> bool:
    return processors is not None and all(internals.does_nothing_on_start(processor) for processor in processors)
