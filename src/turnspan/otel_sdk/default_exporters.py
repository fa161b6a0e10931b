"""What ``opentelemetry-instrument`` exports through where the exporters that it asks for are not installed.

OpenTelemetry's distro asks for OTLP over gRPC by default, and sets up nothing, with two tracebacks, where
that package is missing. These classes go by the same names as entry points: they are the gRPC exporters where those are
installed, the HTTP ones where an endpoint is set, and without one keep spans in the file in home, as ``turnspan run`` does.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData

from turnspan.otel_sdk.exporters import OTLP, FileSpanExporter, Signal
from turnspan.settings import Settings


class KeptSpans(FileSpanExporter):
    """Keeps spans in the file in home."""

    def __init__(self) -> None:
        super().__init__(Settings.read().spans_path)


class NoLogs(LogRecordExporter):
    """Sends no log records: they have no endpoint, and turnspan's own are in its log file."""

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:  # noqa: ARG002
        """Send nothing."""
        return LogRecordExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 10_000) -> bool:  # noqa: ARG002
        """Nothing is held."""
        return True

    def shutdown(self) -> None:
        """Nothing is held."""


class NoMetrics(MetricExporter):
    """Sends no metrics: they have no endpoint."""

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **_: Any) -> MetricExportResult:  # noqa: ARG002
        """Send nothing."""
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 10_000) -> bool:  # noqa: ARG002
        """Nothing is held."""
        return True

    def shutdown(self, timeout_millis: float = 30_000, **_: Any) -> None:
        """Nothing is held."""


_WITHOUT_ENDPOINT: dict[Signal, type] = {"traces": KeptSpans, "logs": NoLogs, "metrics": NoMetrics}


def __getattr__(name: str) -> type:
    """Return the exporter of a signal, ``traces`` for one; what is installed is asked when it is needed."""
    for signal, without in _WITHOUT_ENDPOINT.items():
        if signal == name:
            return _installed("grpc", signal) or (_has_endpoint(signal) and _installed("http", signal)) or without
    raise AttributeError(name)


def _installed(protocol: str, signal: Signal) -> type | None:
    module, exporter = OTLP[signal]
    try:
        found: type = getattr(import_module(f"opentelemetry.exporter.otlp.proto.{protocol}.{module}"), exporter)
    except ImportError:
        return None
    return found


def _has_endpoint(signal: Signal) -> bool:
    names = "OTEL_EXPORTER_OTLP_ENDPOINT", f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT"
    return any(os.environ.get(name) for name in names)
