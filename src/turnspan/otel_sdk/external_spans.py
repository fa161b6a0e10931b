"""The span processor for external spans: the way in for runtimes and instrumentations that speak OpenTelemetry already.

A reader is a generator around one span, as an observer is one around a call. What it emits stands on the span that
exists: no second one is started, and record and log carry its ids. A span can be written to only until it ends, so the
audit event ids of both its events are put on it when it starts.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider

from turnspan.adapter import ContentOf, CurrentContext, Observable, SpanReader, SpanReading
from turnspan.otel_sdk import internals
from turnspan.recording.problems import Problem
from turnspan.recording.recorder import Recorder, all_recorders
from turnspan.telemetry.current_context import current_context
from turnspan.telemetry.external_spans import external_spans, is_of_model

if TYPE_CHECKING:
    from opentelemetry.context import Context

_OPEN_MOST = 100_000
"""External spans that are followed at a time; some are never ended."""


_Reading = tuple[Recorder, SpanReading, Observable | None]


class ExternalSpanProcessor(SpanProcessor):
    """Shows readers the spans that other instrumentations start in this process."""

    starts_may_be_late = True  # our own spans are passed over

    def __init__(self) -> None:
        self.readers: list[tuple[Callable[[], Recorder | None], SpanReader, ContentOf]] = []
        self._open: OrderedDict[int, list[_Reading]] = OrderedDict()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Have a span adopted by the call that expects it, or else have readers emit what it stands for."""
        try:
            self._started(span, parent_context)
        except Exception as error:  # the SDK would pass it on to whoever starts the span
            _report(error)

    def _started(self, span: Span, parent_context: Context | None) -> None:
        if span.context is None or (span.instrumentation_scope or span).name == "turnspan":
            return
        span_id = span.context.span_id
        position = current_context(parent_context)
        if position is not None:
            external_spans.place(span_id, position)
            self._open[span_id] = []
            of_model = is_of_model(span.attributes or {})
            if of_model or position.call_id is not None:
                for recorder in all_recorders():
                    if recorder.turns.adopt_expected(position, span):
                        recorder.pipeline.providers.adopted(span, internals.is_of)
                        return
            if of_model:
                for recorder in all_recorders():
                    recorder.turns.note_external_instrumentation(position)
        if readings := self._start_readings(span, span_id, position):
            self._open[span_id] = readings
        if len(self._open) > _OPEN_MOST:
            forgotten, _ = self._open.popitem(last=False)
            external_spans.forget(forgotten)

    def _start_readings(self, span: Span, span_id: int, position: CurrentContext | None) -> list[_Reading]:
        """Ask readers, until one of them says what the span stands for."""
        readings: list[_Reading] = []
        for recorder_of, reader, _ in self.readers:
            if (recorder := recorder_of()) is None:
                continue
            try:
                reading = reader(span, position)
                started = next(reading)
            except StopIteration:
                continue
            except Exception as error:
                recorder.problems.report(Problem.SPAN_READER, error)
                continue
            readings.append((recorder, reading, started))
            if started is not None and (inside := position_in(started)) is not None:
                recorder.pipeline.providers.adopted(span, internals.is_of)
                external_spans.place(span_id, inside)
                break
            if position is None:
                external_spans.offer(span_id, span)
        return readings

    def on_end(self, span: ReadableSpan) -> None:
        """Let readers emit how it ended, and take off it what exporters may not have."""
        try:
            self._ended(span)
        except Exception as error:
            _report(error)

    def _ended(self, span: ReadableSpan) -> None:
        if span.context is None:
            return
        readings = self._open.pop(span.context.span_id, None)
        claimed = external_spans.forget(span.context.span_id)
        for recorder, reading, observed in readings or ():
            if claimed:  # one of our own adapters has emitted what it stands for
                reading.close()
                continue
            try:
                reading.send(span)
            except StopIteration:
                continue
            except Exception as error:
                if observed is not None:
                    observed.not_observed()
                recorder.problems.report(Problem.SPAN_READER, error)
        for recorder_of, _, content_of in self.readers:  # also of spans whose reading failed: exporters come next
            if names := content_of(span):
                _withhold(span, names, recorder_of())

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002  the SDK's signature
        """Hold nothing back: the SDK's base says None until 1.41, and its providers then flush none that come after."""
        return True


def _report(error: Exception) -> None:
    for recorder in all_recorders():
        recorder.problems.report(Problem.SPAN_READER, error)


def position_in(observed: Observable) -> CurrentContext | None:
    """Return where code inside of a started turn or call is."""
    started = observed.started
    if started is None:
        return None
    return CurrentContext(started.session_id, started.turn_id, started.call_id, started.agent_id)


external_span_processor = ExternalSpanProcessor()


def _withhold(span: ReadableSpan, names: Collection[str], recorder: Recorder | None) -> None:
    """Take content off a span that has ended, before exporters have it; what telemetry may have is redacted."""
    internals.replace_attributes(span, _without(span.attributes or {}, names, recorder))
    for event in span.events:
        if event.attributes and not set(names).isdisjoint(event.attributes):
            internals.replace_attributes(event, _without(event.attributes, names, recorder))


def _without(given: Mapping[str, Any], names: Collection[str], recorder: Recorder | None) -> dict[str, Any]:
    attributes = dict(given)
    for name in set(names) & attributes.keys():
        value = attributes.pop(name)
        if recorder is not None and recorder.settings.span_content and recorder.settings.capture_content == "full":
            attributes[name] = recorder.redact(value) if isinstance(value, str) else value
    return attributes


def observe_provider(provider: Any) -> None:
    """See the spans of a provider, too, before its exporters do: they must not have what is withheld."""
    if isinstance(provider, TracerProvider) and external_span_processor not in internals.processors_of(provider):
        internals.put_first(provider, external_span_processor)


def observe_current_provider() -> None:
    """See the spans of the process's provider, if it has one."""
    observe_provider(trace.get_tracer_provider())
