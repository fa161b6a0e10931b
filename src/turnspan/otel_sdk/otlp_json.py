"""OTLP/JSON: spans as one trace request, the format that the Collector's file exporter writes too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan


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
    encoded: dict[str, Any] = {
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
        encoded["status"]["message"] = span.status.description
    return encoded


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
