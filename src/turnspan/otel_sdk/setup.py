"""The OpenTelemetry SDK, set up where the program has not done so itself.

A provider that exists is used and never replaced, and one that the program sets later is joined (see
:mod:`turnspan.otel_sdk.stand_in`). Without an endpoint nothing leaves the machine: spans are kept in a file of OTLP JSON
lines. With one, spans, logs and metrics also go there, over OTLP/HTTP. Logs and metrics have providers that only turnspan
knows of: the process's own are the program's to set.
"""

from __future__ import annotations

import os
import sys
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentelemetry import _logs, trace
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from turnspan.journal.recorded_events import RecordedEvent
from turnspan.otel_sdk import internals
from turnspan.otel_sdk.delivery_stats import Delivery
from turnspan.otel_sdk.exporters import FileSpanExporter, exporter_as_set, host_of, keeps_spans, span_exporter
from turnspan.otel_sdk.own_output import keep_off_console
from turnspan.otel_sdk.rehydration import unsent_spans
from turnspan.otel_sdk.stand_in import StandInProvider
from turnspan.recording.recorder import Recorder, all_recorders
from turnspan.settings import Settings
from turnspan.telemetry import semconv as sc
from turnspan.telemetry.current_context import current_context

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.util.types import AttributeValue


class SessionSpanProcessor(SpanProcessor):
    """Puts the session id on every external span inside a turn, and counts the spans that end."""

    starts_may_be_late = True  # our own spans carry the session id already

    def __init__(self) -> None:
        self.delivery = Delivery()

    def on_end(self, span: ReadableSpan) -> None:
        """Count the span."""
        if span.context is not None and span.context.trace_flags.sampled:
            self.delivery.ended()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Stamp the span with the session that its context carries."""
        if (position := current_context(parent_context)) is not None:
            span.set_attribute(sc.GEN_AI_CONVERSATION_ID, position.session_id)
            span.set_attribute(sc.SESSION_ID, position.session_id)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002  the SDK's signature
        """End the spans that are to be ended, so that the processors after this one have them."""
        for recorder in all_recorders():
            recorder.run_housekeeping()
        return True


def set_up(settings: Settings, recorder: Recorder) -> None:
    """Set up providers for traces, logs and metrics, each only if the program has none."""
    resource = _resource()
    provider = trace.get_tracer_provider()
    if isinstance(provider, trace.ProxyTracerProvider):
        provider = _stand_in(settings, resource, recorder)
    join(provider, settings, recorder)
    _set_up_logs(settings, resource, recorder)
    _set_up_metrics(settings, resource, recorder)
    _close_before_providers()
    internals.when_program_sets("TRACER", lambda: _take_over(provider, settings, recorder))
    internals.when_program_sets("METER", _close_before_providers)
    internals.when_program_sets("LOGGER", _take_logger_provider)
    alive = weakref.ref(recorder)
    recorder.pipeline.providers.look_at_health = lambda: None if (active := alive()) is None else active.health()


def _resource() -> Resource:
    own: dict[str, AttributeValue] = {} if _names_service() else {"service.name": _program()}
    try:
        return Resource.create(own)
    except RuntimeError:  # the main thread has ended, and with it thread pools; the program's other threads go on
        return internals.default_resource().merge(OTELResourceDetector().detect()).merge(Resource(own))


def _take_over(before: Any, settings: Settings, recorder: Recorder) -> None:
    """Join the tracer provider that the program has set in place of ours."""
    provider = trace.get_tracer_provider()
    join(provider, settings, recorder)
    if isinstance(before, StandInProvider):
        before.hand_over(provider)
    _close_before_providers()


def _take_logger_provider() -> None:
    """Send log records through the logger provider that the program has set."""
    keep_off_console(_logs.get_logger_provider())
    _close_before_providers()


def _close_before_providers() -> None:
    """Have recorders close before the program's providers do: what is shut down takes nothing, and says so aloud."""
    for recorder in all_recorders():
        recorder.renew_atexit()


def _stand_in(settings: Settings, resource: Resource, recorder: Recorder) -> StandInProvider:
    """Make a provider of ours that of the process."""
    provider = StandInProvider(resource=resource)
    provider.add_span_processor(SessionSpanProcessor())
    outlets: list[str] = []
    if keeps_spans():  # first: what hangs at a dead endpoint must not keep spans from the file
        outlets.append("file")
        provider.add_span_processor(BatchSpanProcessor(FileSpanExporter(settings.spans_path)))
    if (exporter := exporter_as_set("traces", settings, recorder.problems)) is not None:
        outlets.append(f"otlp:{host_of(settings.endpoint('traces'))}")
        provider.add_span_processor(BatchSpanProcessor(exporter))
    provider.span_outlets = tuple(outlets)
    provider.install()
    return provider


def join(provider: Any, settings: Settings, recorder: Recorder) -> None:
    """Follow the spans of a provider: stamp and count them, flush it at the end, and let recovery send some again."""
    own = next((p for p in internals.processors_of(provider) if isinstance(p, SessionSpanProcessor)), None)
    if own is None:
        own = SessionSpanProcessor()
        internals.put_first(provider, own)  # when it is flushed, spans are ended before exporters send them
        keep_off_console(provider)
    for processor in internals.processors_of(provider):
        own.delivery.watch(processor)

    def resend(events: list[RecordedEvent]) -> int:
        spans = unsent_spans(events, settings)
        for processor in internals.processors_of(provider):
            for span in _not_kept(processor, spans):
                processor.on_end(span)
        return len(spans)

    outlets = getattr(provider, "span_outlets", None) or _outlets_of(provider)
    recorder.pipeline.providers.add(provider, delivery=own.delivery, resend=resend, span_outlets=outlets)


def _outlets_of(provider: Any) -> tuple[str, ...]:
    """Return where the spans of the program's provider go: only the file in home can be looked at."""
    exporters = [_unwrapped(p) for p in internals.processors_of(provider) if not isinstance(p, SessionSpanProcessor)]
    names = ["file" if isinstance(each, FileSpanExporter) else "provider" for each in exporters]
    return tuple(dict.fromkeys(names)) or ("provider",)


def _not_kept(processor: Any, spans: list[ReadableSpan]) -> list[ReadableSpan]:
    """Return the spans that a processor's file does not have; what an endpoint has cannot be known."""
    exporter = _unwrapped(processor)
    return exporter.missing(spans) if isinstance(exporter, FileSpanExporter) else spans


def _unwrapped(processor: Any) -> Any:
    exporter = internals.exporter_of(processor)
    return getattr(exporter, "exporter", exporter)


def resend(events: list[RecordedEvent], settings: Settings) -> int:
    """Send spans again where this process has no provider: to the file in home, and to the endpoint."""
    spans = unsent_spans(events, settings)
    if spans and keeps_spans():
        exporter = FileSpanExporter(settings.spans_path)
        if missing := exporter.missing(spans):
            exporter.export(missing)
    if spans and (endpoint := settings.endpoint("traces")):
        span_exporter(endpoint).export(spans)
    return len(spans)


def _set_up_logs(settings: Settings, resource: Resource, recorder: Recorder) -> None:
    keep_off_console(_logs.get_logger_provider())
    if (exporter := exporter_as_set("logs", settings, recorder.problems)) is None:
        return
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

    provider = LoggerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    recorder.pipeline.providers.add(provider)
    recorder.pipeline.providers.own_logs = provider, f"otlp:{host_of(settings.endpoint('logs'))}"


def _set_up_metrics(settings: Settings, resource: Resource, recorder: Recorder) -> None:
    recorder.pipeline.providers.own_metrics = own_meter_provider(settings, recorder, resource)


def own_meter_provider(settings: Settings, recorder: Recorder, resource: Resource | None = None) -> Any:
    """Return a meter provider that only turnspan knows of, flushed when the process ends; None without an endpoint."""
    if (exporter := exporter_as_set("metrics", settings, recorder.problems)) is None:
        return None
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

    reader = PeriodicExportingMetricReader(exporter)
    provider = MeterProvider([reader], resource=resource or _resource(), shutdown_on_exit=False)
    recorder.pipeline.providers.add(provider)
    return provider


def _names_service() -> bool:
    return bool(os.environ.get("OTEL_SERVICE_NAME")) or "service.name" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")


def _program() -> str:
    name = Path(sys.argv[0]).stem if sys.argv and sys.argv[0] not in ("", "-c", "-m") else ""
    return name or "python"
