"""Exporters: spans to a file in home, and everything to an OTLP/HTTP endpoint."""

from __future__ import annotations

import errno
import json
import logging
import os
import re
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from turnspan.errors import MissingExtraError
from turnspan.model.append_files import append, tail_of
from turnspan.otel_sdk.http_answers import careful_session
from turnspan.otel_sdk.otlp_json import otlp_json
from turnspan.recording.pipeline import FLUSH_S
from turnspan.recording.problems import Problem, Problems
from turnspan.settings import Settings, without_password
from turnspan.telemetry.own_log import logger

Signal = Literal["traces", "logs", "metrics"]
_SPAN_ID = re.compile(rb'"spanId":"([0-9a-f]{16})","parentSpanId"')
OTLP: dict[Signal, tuple[str, str]] = {
    "traces": ("trace_exporter", "OTLPSpanExporter"),
    "logs": ("_log_exporter", "OTLPLogExporter"),
    "metrics": ("metric_exporter", "OTLPMetricExporter"),
}
"""The module and class of each signal's exporter in OpenTelemetry's packages."""


def otlp_exporter(signal: Signal, endpoint: str) -> Any:
    """Return an exporter of a signal to an OTLP/HTTP endpoint, which is a whole URL.

    Raises:
        MissingExtraError: When the exporter is not installed.

    """
    module, name = OTLP[signal]
    try:
        exporter = getattr(import_module(f"opentelemetry.exporter.otlp.proto.http.{module}"), name)
    except ImportError as error:
        raise MissingExtraError(f"OTLP needs the HTTP exporter: pip install 'turnspan[otlp]' ({error})") from error
    return exporter(endpoint=endpoint, timeout=FLUSH_S, session=careful_session())


def span_exporter(endpoint: str) -> SpanExporter:
    """Return an exporter of spans to an OTLP/HTTP endpoint, which is a whole URL.

    Raises:
        MissingExtraError: When the exporter is not installed.

    """
    exporter: SpanExporter = otlp_exporter("traces", endpoint)
    return exporter


def exporter_as_set(signal: Signal, settings: Settings, problems: Problems) -> Any:
    """Return the exporter of a signal that the settings ask for; None where they ask for none, or it is not installed."""
    if not (endpoint := settings.endpoint(signal)) or os.environ.get(f"OTEL_{signal.upper()}_EXPORTER") == "none":
        return None
    try:
        exporter = otlp_exporter(signal, endpoint)
    except MissingExtraError as error:
        problems.report(Problem.OTLP, MissingExtraError(f"{error}; spans are kept in {settings.home} only"))
        return None
    for logger_name in (type(exporter).__module__, "opentelemetry.exporter.otlp.common.http"):
        _ExporterLog.attach(logger_name, signal, settings, problems)
    return exporter


def keeps_spans() -> bool:
    """Return whether spans are kept in a file: OpenTelemetry's own variable switches that off."""
    return os.environ.get("OTEL_TRACES_EXPORTER", "") != "none"


def host_of(url: str) -> str:
    """Return the host and port of a URL, as seals name an endpoint."""
    return urlsplit(url).netloc.rpartition("@")[2]


class FileSpanExporter(SpanExporter):
    """Keeps spans in a file, one OTLP JSON object a line (the Collector's file format)."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def missing(self, spans: Sequence[ReadableSpan]) -> list[ReadableSpan]:
        """Return those of some spans that the end of the file does not have."""
        kept = {span_id.decode() for line in tail_of(self._path) for span_id in _SPAN_ID.findall(line)}
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


class _ExporterLog(logging.Filter):
    """Reports once and clearly that the endpoint takes nothing, where the exporters would log it at every attempt."""

    def __init__(self, signal: Signal, settings: Settings, problems: Problems) -> None:
        super().__init__()
        self._signal, self._settings, self._problems = signal, settings, problems

    @classmethod
    def attach(cls, logger_name: str, signal: Signal, settings: Settings, problems: Problems) -> None:
        """Filter the log of an exporter, in place of an earlier set-up."""
        source = logging.getLogger(logger_name)
        for earlier in [present for present in source.filters if isinstance(present, cls)]:
            source.removeFilter(earlier)
        source.addFilter(cls(signal, settings, problems))

    def filter(self, record: logging.LogRecord) -> bool:
        """Report warnings and errors instead of logging them."""
        if record.levelno < logging.WARNING:
            return True
        message = record.getMessage()[:200]
        endpoint = without_password(self._settings.endpoint(self._signal))
        problems = self._problems
        if "404" in message and self._signal != "traces" and not problems.has(Problem.OTLP):  # Jaeger takes traces only
            hint = f"OTEL_{self._signal.upper()}_EXPORTER=none turns them off"
            error = ConnectionError(f"{endpoint} does not accept {self._signal}; {hint}")
            # spans may be refused as well, a moment later, and one line says it all
            problems.hold(Problem.OTLP_SIGNAL, error, self._signal, unless=Problem.OTLP)
            return False
        kept = f"the record is complete, and spans are kept in {self._settings.spans_path}"
        problems.report(Problem.OTLP, ConnectionError(f"{endpoint} does not accept spans; {kept} ({message})"))
        return False
