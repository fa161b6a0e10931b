"""OTLP requests, as exporters in any language make them."""

import http.client
import json
import time
import urllib.error
import urllib.request

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

PROTOBUF, JSON = "application/x-protobuf", "application/json"


def attribute(name, value):
    """Return an attribute in OTLP's JSON."""
    kind = {bool: "boolValue", int: "intValue", float: "doubleValue"}.get(type(value), "stringValue")
    return {"key": name, "value": {kind: str(value) if kind == "intValue" else value}}


def span(trace, number, parent=0, name="work", *, start_ms=0, ms=10, error=None, **attributes):
    """Return a span in OTLP's JSON; ``trace`` and ``number`` are small numbers, ``gen_ai_x`` stands for gen_ai.x."""
    base_ns = 1_790_000_000_000_000_000 + trace * 1_000_000_000
    made = {
        "traceId": f"{trace:032x}",
        "spanId": f"{number:016x}",
        "name": name,
        "kind": 1,
        "startTimeUnixNano": str(base_ns + start_ms * 1_000_000),
        "endTimeUnixNano": str(base_ns + (start_ms + ms) * 1_000_000),
        "attributes": [attribute(key, value) for key, value in attributes.items()],
        "flags": 1,
        "status": {} if error is None else {"code": 2, "message": error},
    }
    return made | ({"parentSpanId": f"{parent:016x}"} if parent else {})


def agent(trace, number=1, parent=0, *, session=None, name="triage", **more):
    """Return the span of an agent."""
    own = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name}
    own |= {} if session is None else {"gen_ai.conversation.id": session}
    return span(trace, number, parent, f"invoke_agent {name}", **{"ms": 100, **own, **more})


def chat(trace, number, parent, **more):
    """Return the span of a model call."""
    own = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-5"}
    used = {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 2}
    return span(trace, number, parent, "chat gpt-5", **{**own, **used, **more})


def tool(trace, number, parent, name="search", **more):
    """Return the span of a tool call."""
    own = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name, "gen_ai.tool.call.id": f"c{number}"}
    return span(trace, number, parent, f"execute_tool {name}", **{**own, **more})


def request(*spans, scope="an.agent", service="shop"):
    """Return a request in OTLP's JSON."""
    resource = {"attributes": [attribute("service.name", service)]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": scope}, "spans": list(spans)}]}]}


def as_protobuf(document):
    """Return a request of traces in protobuf: ids are hex in OTLP's JSON, and bytes here."""
    made = ExportTraceServiceRequest()
    for given in document["resourceSpans"]:
        resource = made.resource_spans.add()
        for one in given["resource"]["attributes"]:
            _attribute(resource.resource.attributes.add(), one)
        for scope in given["scopeSpans"]:
            scoped = resource.scope_spans.add()
            scoped.scope.name = scope["scope"]["name"]
            for span_ in scope["spans"]:
                _span(scoped.spans.add(), span_)
    return made.SerializeToString()


def _span(made, given):
    made.trace_id, made.span_id = bytes.fromhex(given["traceId"]), bytes.fromhex(given["spanId"])
    made.parent_span_id = bytes.fromhex(given.get("parentSpanId", ""))
    made.name, made.kind, made.flags = given["name"], given["kind"], given["flags"]
    made.start_time_unix_nano, made.end_time_unix_nano = (
        int(given["startTimeUnixNano"]),
        int(given["endTimeUnixNano"]),
    )
    made.status.code, made.status.message = given["status"].get("code", 0), given["status"].get("message", "")
    for one in given["attributes"]:
        _attribute(made.attributes.add(), one)


def _attribute(made, given):
    made.key = given["key"]
    ((kind, value),) = given["value"].items()
    name = {"stringValue": "string_value", "boolValue": "bool_value", "doubleValue": "double_value"}.get(kind)
    setattr(made.value, name or "int_value", int(value) if name is None else value)


def post(url, body, content_type=JSON, *, path="/v1/traces", **headers):
    """Send a request; return status, headers and body of the answer."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    given = {"content-type": content_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{url}{path}", body, given), timeout=30) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


def sent(url, body, content_type=JSON, patience_s=60):
    """Send a request as exporters do: again, until it is answered."""
    until = time.monotonic() + patience_s
    while True:
        try:
            status, *_ = post(url, body, content_type)
        except (OSError, http.client.HTTPException):
            status = 0
        if status == 200:
            return
        assert status in (0, 429, 503) and time.monotonic() < until, status
        time.sleep(0.05)
