"""OTLP over HTTP: requests, in protobuf or JSON, and the answers to them.

https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any, Literal, NamedTuple

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces

from turnspan.receiver.limits import Limits, trimmed, trimmed_attributes

Signal = Literal["traces", "logs", "metrics"]
_REQUESTS: dict[Signal, tuple[type[Message], type[Message]]] = {
    "traces": (traces.ExportTraceServiceRequest, traces.ExportTraceServiceResponse),
    "logs": (logs.ExportLogsServiceRequest, logs.ExportLogsServiceResponse),
    "metrics": (metrics.ExportMetricsServiceRequest, metrics.ExportMetricsServiceResponse),
}
PROTOBUF, JSON = "application/x-protobuf", "application/json"
_HEX = ("traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id")
"""In JSON these are hex, where protobuf's own mapping has base64."""
_DEEPEST = 100
LATEST_NS = 2**63 - 1
"""What every store can keep as a time."""


class BadRequestError(ValueError):
    """A request that is refused; with 429 only for now.

    Args:
        message: Why, for its sender.
        status: The status of the answer.
        headers: Headers of the answer.

    """

    def __init__(self, message: str, status: int = 400, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.headers = status, headers


class Received(NamedTuple):
    """A span as it came: its ids, the span itself as bytes, and the scope and resource that it came in."""

    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    span: bytes
    scope: str
    resource: bytes
    start_ns: int


def unpacked(body: bytes, encoding: str | None, most_bytes: int) -> bytes:
    """Return a body as it was before it was compressed.

    Raises:
        BadRequestError: When it is not compressed as it says, or is larger than it may be.

    """
    if encoding in (None, "", "identity"):
        return body
    if encoding != "gzip":
        raise BadRequestError(f"Content-Encoding {encoding} is not known: send gzip, or none", 415)
    unpacker = zlib.decompressobj(wbits=31)
    try:
        content = unpacker.decompress(body, most_bytes + 1)
    except zlib.error as error:
        raise BadRequestError(f"The body is no gzip: {error}") from error
    if len(content) > most_bytes:
        raise BadRequestError(f"The body has more than {most_bytes} bytes: send fewer in a request", 413)
    if not unpacker.eof:
        raise BadRequestError("The body's gzip ends too early")
    return content


def parsed(signal: Signal, body: bytes, content_type: str) -> Any:
    """Return the request that a body is, as its protobuf message.

    Raises:
        BadRequestError: When it is none.

    """
    request = _REQUESTS[signal][0]()
    if content_type == PROTOBUF:
        try:
            request.ParseFromString(body)
        except DecodeError as error:
            raise BadRequestError(f"The body is no protobuf of /v1/{signal}: {error}") from error
        return request
    if content_type != JSON:
        raise BadRequestError(f"Content-Type {content_type} is not known: send {PROTOBUF} or {JSON}", 415)
    try:
        given = _with_base64(json.loads(body))
        return json_format.ParseDict(given, request, ignore_unknown_fields=True, max_recursion_depth=_DEEPEST)
    except Exception as error:  # protobuf's mapping raises whatever comes of odd values, a SystemError, too
        raise BadRequestError(f"The body is no JSON of /v1/{signal}: {str(error)[:200]}") from error


def _with_base64(value: Any) -> Any:
    """Return a document with its ids as protobuf's own mapping has them; it is changed in place."""
    if isinstance(value, list):
        for one in value:
            _with_base64(one)
    elif isinstance(value, dict):
        for name, one in value.items():
            if name in _HEX and isinstance(one, str):
                value[name] = base64.b64encode(bytes.fromhex(one)).decode()
            else:
                _with_base64(one)
    return value


class Taken(NamedTuple):
    """What a request of traces has brought."""

    spans: list[Received]
    refused: list[str]
    """Why, of each span that can be none."""
    left_out: int
    """How many attributes and events there were too many of."""


def taken_of(request: Any, limits: Limits) -> Taken:
    """Return what a request of traces brings."""
    spans: list[Received] = []
    refused: list[str] = []
    left_out = 0
    for resource_spans in request.resource_spans:
        left_out += trimmed_attributes(resource_spans.resource, limits)
        resource = resource_spans.resource.SerializeToString()
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                if len(span.trace_id) != 16 or len(span.span_id) != 8 or not any(span.trace_id):
                    refused.append(f"span {span.name[:80]!r} has no valid ids")
                    continue
                left_out += trimmed(span, limits)
                parent_id = span.parent_span_id
                spans.append(
                    Received(
                        span.trace_id,
                        span.span_id,
                        parent_id if len(parent_id) == 8 and any(parent_id) else b"",
                        span.SerializeToString(),
                        scope_spans.scope.name,
                        resource,
                        min(span.start_time_unix_nano, LATEST_NS),
                    )
                )
    return Taken(spans, refused, left_out)


def records_of(signal: Signal, request: Any) -> int:
    """Return how many spans, log records or metrics a request has."""
    if signal == "traces":
        return sum(len(scope.spans) for one in request.resource_spans for scope in one.scope_spans)
    if signal == "logs":
        return sum(len(scope.log_records) for one in request.resource_logs for scope in one.scope_logs)
    return sum(len(scope.metrics) for one in request.resource_metrics for scope in one.scope_metrics)


def success(signal: Signal, content_type: str, *, rejected: int = 0, says: str = "") -> bytes:
    """Return the answer to a request that was taken, or of which some was not.

    Args:
        signal: What was sent.
        content_type: The type of the request, which the answer has, too.
        rejected: How many spans, log records or data points were not taken.
        says: Why; a warning where none was rejected.

    """
    answer: Any = _REQUESTS[signal][1]()
    if rejected or says:
        name = {"traces": "rejected_spans", "logs": "rejected_log_records", "metrics": "rejected_data_points"}[signal]
        setattr(answer.partial_success, name, rejected)
        answer.partial_success.error_message = says
    return _written(answer, content_type)


def failure(message: str, content_type: str) -> bytes:
    """Return the answer to a request that failed: a ``google.rpc.Status``."""
    return _written(Status(message=message), content_type)


def _written(answer: Message, content_type: str) -> bytes:
    if content_type == JSON:
        return str(json_format.MessageToJson(answer, indent=None)).encode()
    return bytes(answer.SerializeToString())
