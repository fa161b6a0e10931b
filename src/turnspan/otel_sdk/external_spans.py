"""Spans that others start: the way in for runtimes and instrumentations that speak OpenTelemetry already.

A reader is a generator around one span, as an observer is one around a call. What it tells stands on the span that
exists: no second one is started, and record and log carry its ids. A span can be written to only until it ends, so the
audit event ids of both its events are put on it when it starts.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider

from turnspan.adapter import ContentOf, CurrentContext, Observed, SpanReader, SpanReading, start_of
from turnspan.otel_sdk.delivery_stats import processors_of
from turnspan.recording.problems import Problem
from turnspan.recording.recorder import Recorder, all_recorders
from turnspan.telemetry import semconv as sc
from turnspan.telemetry.current_context import CONTEXT_OF_SPAN, UNCLAIMED_SPANS, current_context
from turnspan.telemetry.span_mapping import MODEL_OPERATIONS

if TYPE_CHECKING:
    from opentelemetry.context import Context

_OPEN_MOST = 100_000
"""Spans of others that are followed at a time; some are never ended."""


class ExternalSpans(SpanProcessor):
    """Shows readers the spans that others start in this process."""

    starts_may_be_late = True  # our own spans are passed over

    def __init__(self) -> None:
        self.readers: list[tuple[Callable[[], Recorder | None], SpanReader, ContentOf]] = []
        self._open: OrderedDict[int, list[tuple[Recorder, SpanReading]]] = OrderedDict()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Let readers tell what starts, and remember where it does."""
        if span.context is None or (span.instrumentation_scope or span).name == "turnspan":
            return
        span_id = span.context.span_id
        here = current_context(parent_context)
        if here is not None:
            CONTEXT_OF_SPAN[span_id] = here
            self._open[span_id] = []
            if here.call_id is not None and any(recorder.adopt(here, span) for recorder in all_recorders()):
                return
            if (span.attributes or {}).get(sc.GEN_AI_OPERATION_NAME) in MODEL_OPERATIONS:
                for one in all_recorders():
                    one.note_external_instrumentation(here)
        open_: list[tuple[Recorder, SpanReading]] = []
        for recorder_of, reader, _ in self.readers:
            if (recorder := recorder_of()) is None:
                continue
            try:
                reading = reader(span, here)
                started = next(reading)
            except StopIteration:
                continue
            except Exception as error:
                recorder.problems.report(Problem.SPAN_READER, error)
                continue
            open_.append((recorder, reading))
            if started is not None and (place := place_of(started)) is not None:
                CONTEXT_OF_SPAN[span_id] = place
                break
            if here is None:
                UNCLAIMED_SPANS[span_id] = span
        if open_:
            self._open[span_id] = open_
        if len(self._open) > _OPEN_MOST:
            forgotten, _ = self._open.popitem(last=False)
            CONTEXT_OF_SPAN.pop(forgotten, None)
            UNCLAIMED_SPANS.pop(forgotten, None)

    def on_end(self, span: ReadableSpan) -> None:
        """Let readers tell how it ended."""
        if span.context is None:
            return
        span_id = span.context.span_id
        CONTEXT_OF_SPAN.pop(span_id, None)
        readings = self._open.pop(span_id, None)
        claimed = UNCLAIMED_SPANS.pop(span_id, span) is None
        for recorder, reading in readings or ():
            if claimed:  # one of ours told it meanwhile
                reading.close()
                continue
            try:
                reading.send(span)
            except StopIteration:
                continue
            except Exception as error:
                recorder.problems.report(Problem.SPAN_READER, error)
        for recorder_of, _, content_of in self.readers:  # also of spans whose reading failed: exporters come next
            if names := content_of(span):
                _withhold(span, names, recorder_of())


def place_of(observed: Observed) -> CurrentContext | None:
    """Return where code inside of a started turn or call is."""
    started = start_of(observed)
    if started is None:
        return None
    return CurrentContext(started.session_id, started.turn_id, started.call_id, started.agent_id)


others = ExternalSpans()


def _withhold(span: ReadableSpan, names: Collection[str], recorder: Recorder | None) -> None:
    """Take content off a span that has ended, before exporters have it; what telemetry may have is redacted."""
    found = dict(span.attributes or {})
    for name in set(names) & found.keys():
        value = found.pop(name)
        if recorder is not None and recorder.settings.span_content:
            found[name] = recorder.redact(value) if isinstance(value, str) else value
    span._attributes = found  # noqa: SLF001  an ended span has no other way


def observe_provider(provider: Any) -> None:
    """See the spans of a provider, too."""
    if isinstance(provider, TracerProvider) and others not in processors_of(provider):
        provider.add_span_processor(others)
        all_: Any = provider._active_span_processor  # noqa: SLF001  there is no public way to be the first
        if (before := processors_of(provider)) and before[-1] is others:
            all_._span_processors = (others, *before[:-1])  # noqa: SLF001  what is withheld, exporters must not see


def observe_current_provider() -> None:
    """See the spans of the process's provider, if it has one."""
    observe_provider(trace.get_tracer_provider())
