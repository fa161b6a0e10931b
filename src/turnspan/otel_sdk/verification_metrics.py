"""What a verification found, as a metric that dashboards and alerts can use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from turnspan._version import __version__
from turnspan.otel_sdk.exporters import otlp_exporter
from turnspan.telemetry import semconv as sc


def send_verification(counts: Mapping[Any, Mapping[str, int]], endpoint: str) -> None:
    """Send how many of each verdict each check has found.

    Args:
        counts: Counts by check and verdict.
        endpoint: The OTLP/HTTP endpoint for metrics.

    Raises:
        MissingExtraError: When the exporter is not installed.

    """
    provider = MeterProvider(
        [PeriodicExportingMetricReader(otlp_exporter("metrics", endpoint))],
        resource=Resource.create({"service.name": "turnspan-verify"}),
        shutdown_on_exit=False,
    )
    gauge = provider.get_meter("turnspan", __version__).create_gauge(
        sc.TURNSPAN_VERIFY_CHECKS, "{check}", "What the last verification found."
    )
    for check, by_verdict in counts.items():
        for verdict in dict.fromkeys(("ok", *by_verdict)):
            gauge.set(by_verdict.get(verdict, 0), {sc.TURNSPAN_CHECK: check, sc.TURNSPAN_VERDICT: verdict})
    provider.shutdown()
