"""The OpenTelemetry SDK, set up where the program has not done so itself.

A provider that exists is used and never replaced. Without an endpoint nothing leaves the machine: spans are kept in a
file of OTLP JSON lines. With one, spans, logs and metrics also go there, over OTLP/HTTP.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import re
import sys
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from opentelemetry import metrics, trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from turnspan.errors import MissingExtraError
from turnspan.model.append_files import append, tail_of
from turnspan.otel_sdk.delivery_stats import Delivery, processors_of
from turnspan.recording.pipeline import FLUSH_S
from turnspan.recording.problems import Problem
from turnspan.recording.recorder import Recorder, all_recorders
from turnspan.settings import Settings, without_password
from turnspan.telemetry import semconv as sc
from turnspan.telemetry.current_context import current_context
from turnspan.telemetry.metrics import anybody_listens, tell_health
from turnspan.telemetry.own_log import logger

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from turnspan.verification.report import Report

_SPAN_ID = re.compile(rb'"spanId":"([0-9a-f]{16})","parentSpanId"')


class SessionSpanProcessor(SpanProcessor):
    """Puts the session id on every span that somebody else starts below one of ours, and counts the spans that end."""

    starts_may_be_late = True  # our own spans carry the session id already

    def __init__(self) -> None:
        self.delivery = Delivery()

    def on_end(self, span: ReadableSpan) -> None:
        """Count the span."""
        if span.context is not None and span.context.trace_flags.sampled:
            self.delivery.ended()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Stamp the span with the session that its context carries."""
        if (here := current_context(parent_context)) is not None:
            span.set_attribute(sc.GEN_AI_CONVERSATION_ID, here.session_id)
            span.set_attribute(sc.SESSION_ID, here.session_id)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002  the SDK's signature
        """End the spans that are to be ended, so that the processors behind this one have them."""
        for recorder in all_recorders():
            recorder.run_housekeeping()
        return True


def set_up(settings: Settings, recorder: Recorder) -> None:
    """Set up providers for traces, logs and metrics, each only if the program has none."""
    resource = Resource.create({} if _names_service() else {"service.name": _program()})
    provider = trace.get_tracer_provider()
    if isinstance(provider, trace.ProxyTracerProvider):
        made = TracerProvider(resource=resource, shutdown_on_exit=False)
        ours = SessionSpanProcessor()
        made.add_span_processor(ours)
        outlets: list[str] = []
        if _keeps_spans():  # first: what hangs at a dead endpoint must not keep spans from the file
            outlets.append("file")
            made.add_span_processor(BatchSpanProcessor(FileSpanExporter(settings.spans_path)))
        if (exporter := _otlp(settings, "trace", recorder)) is not None:
            outlets.append(f"otlp:{host_of(settings.endpoint('traces'))}")
            made.add_span_processor(BatchSpanProcessor(exporter))
        trace.set_tracer_provider(made)
        _count(made, ours, recorder, tuple(outlets))
    elif not any(isinstance(p, SessionSpanProcessor) for p in processors_of(provider)):
        ours = SessionSpanProcessor()
        if callable(add := getattr(provider, "add_span_processor", None)):
            add(ours)
        _count(provider, ours, recorder, ("provider",))
    if settings.endpoint("logs"):
        _set_up_logs(settings, resource, recorder)
    if settings.endpoint("metrics"):
        _set_up_metrics(settings, resource, recorder)
    if anybody_listens():
        found = weakref.ref(recorder)
        tell_health(lambda: None if (alive := found()) is None else alive.health())


def send_verification(report: Report, url: str) -> None:
    """Send what a verification found as a metric.

    Raises:
        MissingExtraError: When the exporter is not installed.

    """
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    except ImportError as error:
        raise MissingExtraError("OTLP needs the HTTP exporter: pip install 'turnspan[otlp]'") from error
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

    from turnspan._version import __version__

    exporter = OTLPMetricExporter(endpoint=f"{url.rstrip('/')}/v1/metrics", timeout=FLUSH_S)
    made = MeterProvider(
        [PeriodicExportingMetricReader(exporter)],
        resource=Resource.create({"service.name": "turnspan-verify"}),
        shutdown_on_exit=False,
    )
    gauge = made.get_meter("turnspan", __version__).create_gauge(
        sc.TURNSPAN_VERIFY_CHECKS, "{check}", "What the last verification found."
    )
    for check, counts in report.counts.items():
        for verdict in ("ok", *counts):
            gauge.set(counts[verdict], {sc.TURNSPAN_CHECK: check, sc.TURNSPAN_VERDICT: verdict})
    made.shutdown()


def _count(provider: Any, ours: SessionSpanProcessor, recorder: Recorder, outlets: tuple[str, ...]) -> None:
    """Count what becomes of a provider's spans, and let recovery use it to send some again."""
    for processor in processors_of(provider):
        ours.delivery.watch(processor)

    def resend(spans: list[ReadableSpan]) -> None:
        for processor in processors_of(provider):
            for span in _not_kept(processor, spans):
                processor.on_end(span)

    recorder.pipeline.providers.add(provider, delivery=ours.delivery, resend=resend, span_outlets=outlets)


def _not_kept(processor: Any, spans: list[ReadableSpan]) -> list[ReadableSpan]:
    """Return the spans that a processor's file does not have; what an endpoint has cannot be known."""
    exporter = getattr(getattr(processor, "_batch_processor", None), "_exporter", None)
    exporter = getattr(exporter, "exporter", exporter)
    return exporter.missing(spans) if isinstance(exporter, FileSpanExporter) else spans


def _set_up_logs(settings: Settings, resource: Resource, recorder: Recorder) -> None:
    from opentelemetry import _logs
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

    if (
        isinstance(_logs.get_logger_provider(), LoggerProvider)
        or (exporter := _otlp(settings, "_log", recorder)) is None
    ):
        return
    made = LoggerProvider(resource=resource, shutdown_on_exit=False)
    made.add_log_record_processor(BatchLogRecordProcessor(exporter))
    _logs.set_logger_provider(made)
    recorder.pipeline.providers.add(made)


def _set_up_metrics(settings: Settings, resource: Resource, recorder: Recorder) -> None:
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

    if (
        isinstance(metrics.get_meter_provider(), MeterProvider)
        or (exporter := _otlp(settings, "metric", recorder)) is None
    ):
        return
    made = MeterProvider([PeriodicExportingMetricReader(exporter)], resource=resource, shutdown_on_exit=False)
    metrics.set_meter_provider(made)
    recorder.pipeline.providers.add(made)


def _otlp(settings: Settings, signal: str, recorder: Recorder) -> Any:
    """Return an OTLP/HTTP exporter, or tell once what is missing."""
    module, name, path = _EXPORTERS[signal]
    if not (endpoint := settings.endpoint(path)):
        return None
    if os.environ.get(f"OTEL_{path.upper()}_EXPORTER") == "none":
        return None
    try:
        found = __import__(f"opentelemetry.exporter.otlp.proto.http.{module}", fromlist=[name])
    except ImportError as error:
        message = f"OTLP needs the HTTP exporter: pip install 'turnspan[otlp]' ({error}); spans are kept in {settings.home} only"
        recorder.problems.report(Problem.OTLP, ImportError(message))
        return None
    for logger_name in (found.__name__, "opentelemetry.exporter.otlp.common.http"):
        _ToldOnce.listen(logger_name, path, settings, recorder)
    return getattr(found, name)(endpoint=endpoint, timeout=FLUSH_S)


_EXPORTERS: dict[str, tuple[str, str, Literal["traces", "logs", "metrics"]]] = {
    "trace": ("trace_exporter", "OTLPSpanExporter", "traces"),
    "_log": ("_log_exporter", "OTLPLogExporter", "logs"),
    "metric": ("metric_exporter", "OTLPMetricExporter", "metrics"),
}


def span_exporter(endpoint: str) -> SpanExporter:
    """Return an exporter of spans to an OTLP/HTTP endpoint, which is a whole URL.

    Raises:
        MissingExtraError: When the exporter is not installed.

    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        raise MissingExtraError("OTLP needs the HTTP exporter: pip install 'turnspan[otlp]'") from error
    return OTLPSpanExporter(endpoint=endpoint, timeout=FLUSH_S)


def resend(settings: Settings, spans: list[ReadableSpan]) -> None:
    """Send spans again where this process has no provider: to the file in home, and to the endpoint."""
    if _keeps_spans():
        exporter = FileSpanExporter(settings.spans_path)
        if missing := exporter.missing(spans):
            exporter.export(missing)
    if endpoint := settings.endpoint("traces"):
        span_exporter(endpoint).export(spans)


class _ToldOnce(logging.Filter):
    """Tells that the endpoint takes nothing once and clearly, where the exporters would say so at every attempt."""

    def __init__(self, signal: Literal["traces", "logs", "metrics"], settings: Settings, recorder: Recorder) -> None:
        super().__init__()
        self._signal, self._settings, self._recorder = signal, settings, recorder

    @classmethod
    def listen(
        cls, logger_name: str, signal: Literal["traces", "logs", "metrics"], settings: Settings, recorder: Recorder
    ) -> None:
        """Listen to the log of an exporter, in place of an earlier set-up's."""
        source = logging.getLogger(logger_name)
        for earlier in [found for found in source.filters if isinstance(found, cls)]:
            source.removeFilter(earlier)
        source.addFilter(cls(signal, settings, recorder))

    def filter(self, record: logging.LogRecord) -> bool:
        """Take warnings and errors."""
        if record.levelno < logging.WARNING:
            return True
        message = record.getMessage()[:200]
        endpoint = without_password(self._settings.endpoint(self._signal))
        problems = self._recorder.problems
        if "404" in message and self._signal != "traces" and not problems.has(Problem.OTLP):  # Jaeger takes traces only
            hint = f"OTEL_{self._signal.upper()}_EXPORTER=none keeps them back"
            error = ConnectionError(f"{endpoint} takes no {self._signal}; {hint}")
            problems.report(Problem.OTLP_SIGNAL, error, self._signal)
            return False
        kept = f"the record is complete, and spans are kept in {self._settings.spans_path}"
        problems.report(Problem.OTLP, ConnectionError(f"{endpoint} takes nothing; {kept} ({message})"))
        return False


def host_of(url: str) -> str:
    """Return the host and port of a URL, as seals name an endpoint."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _keeps_spans() -> bool:
    return os.environ.get("OTEL_TRACES_EXPORTER", "") != "none"


def _names_service() -> bool:
    return bool(os.environ.get("OTEL_SERVICE_NAME")) or "service.name" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")


def _program() -> str:
    name = Path(sys.argv[0]).stem if sys.argv and sys.argv[0] not in ("", "-c", "-m") else ""
    return name or "python"


class FileSpanExporter(SpanExporter):
    """Keeps spans in a file, one OTLP JSON object a line (the Collector's file format)."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def missing(self, spans: Sequence[ReadableSpan]) -> list[ReadableSpan]:
        """Return those of some spans that the end of the file does not have."""
        kept = {found.decode() for line in tail_of(self._path) for found in _SPAN_ID.findall(line)}
        return [span for span in spans if span.context is not None and f"{span.context.span_id:016x}" not in kept]

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Append a batch as one line."""
        try:
            line = json.dumps(otlp_json(spans), separators=(",", ":")).encode() + b"\n"
            if append(self._path, line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            logger.warning("turnspan cannot keep %d spans in %s: %s", len(spans), self._path, error)
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS


def otlp_json(spans: Sequence[ReadableSpan]) -> dict[str, Any]:
    """Return spans as an OTLP/JSON trace request (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding)."""
    by_resource: dict[int, dict[str, Any]] = {}
    for span in spans:
        resource = by_resource.setdefault(
            id(span.resource), {"resource": {"attributes": _attributes(span.resource.attributes)}, "scopeSpans": {}}
        )
        scope = span.instrumentation_scope
        name, version = (scope.name, scope.version) if scope else ("", None)
        scoped = resource["scopeSpans"].setdefault(
            (name, version), {"scope": {"name": name, "version": version or ""}, "spans": []}
        )
        scoped["spans"].append(_span_json(span))
    return {"resourceSpans": [{**r, "scopeSpans": list(r["scopeSpans"].values())} for r in by_resource.values()]}


def _span_json(span: ReadableSpan) -> dict[str, Any]:
    context = span.context
    assert context is not None
    found: dict[str, Any] = {
        "traceId": f"{context.trace_id:032x}",
        "spanId": f"{context.span_id:016x}",
        "parentSpanId": f"{span.parent.span_id:016x}" if span.parent else "",
        "flags": int(context.trace_flags),
        "name": span.name,
        "kind": span.kind.value + 1,
        "startTimeUnixNano": str(span.start_time),
        "endTimeUnixNano": str(span.end_time),
        "attributes": _attributes(span.attributes),
        "events": [
            {"timeUnixNano": str(e.timestamp), "name": e.name, "attributes": _attributes(e.attributes)}
            for e in span.events
        ],
        "links": [
            {
                "traceId": f"{link.context.trace_id:032x}",
                "spanId": f"{link.context.span_id:016x}",
                "attributes": _attributes(link.attributes),
            }
            for link in span.links
        ],
        "status": {"code": span.status.status_code.value},
    }
    if span.status.description:
        found["status"]["message"] = span.status.description
    return found


def _attributes(attributes: Any) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in (attributes or {}).items()]


def _value(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list() | tuple():
            return {"arrayValue": {"values": [_value(item) for item in value]}}
    return {"stringValue": str(value)}
