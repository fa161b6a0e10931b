"""Checks spans and metrics, as they arrived over OTLP, against the GenAI conventions (``genai.yaml``)."""

import json
from pathlib import Path

import yaml

CONVENTIONS = yaml.safe_load((Path(__file__).parents[2] / "scripts" / "genai.yaml").read_text())
ATTRIBUTES = CONVENTIONS["attributes"]
OLD = {one["old"].partition(" ")[0]: one["new"] for one in CONVENTIONS["renames"] if one["new"]}
OWN = ("turnspan.", "session.id", "error.", "service.", "telemetry.")
CLOSED = ("gen_ai.operation.name", "gen_ai.token.type", "gen_ai.output.type")
"""Enumerations of which we use only what is in them; providers and errors have names of their own."""
KINDS = {1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}
VALUES = {
    "string": "string_value",
    "int": "int_value",
    "double": "double_value",
    "boolean": "bool_value",
    "string[]": "array_value",
    "enum (open)": "string_value",
}
SPAN_OF = {
    "chat": "gen_ai.inference.client",
    "execute_tool": "gen_ai.execute_tool.internal",
    "invoke_agent": "gen_ai.invoke_agent.internal",
}
PART_FIELDS = {
    "text": {"content"},
    "tool_call": {"name"},
    "tool_call_response": {"response"},
    "generic": {"content"},
    "reasoning": {"content"},
}


NEW_IN_UTIL = ("gen_ai.usage.cache_write.input_tokens",)
"""What opentelemetry-util-genai 1.3 calls by its new name already; tests/usage compares with the package."""


def _known(name, profile):
    """Return whether a profile may use a name: the newest has no old ones, the other none that came later."""
    if name.startswith(OWN):
        return True
    if name in OLD:
        return profile == "util-1.3"
    return name in ATTRIBUTES and not (profile == "util-1.3" and name in OLD.values() and name not in NEW_IN_UTIL)


def emit_for_span(span, profile, *, content):
    """Yield what is wrong with a span."""
    given = {entry.key: entry.value for entry in span.attributes}
    operation = given["gen_ai.operation.name"].string_value if "gen_ai.operation.name" in given else ""
    here = f"{span.name}: "
    if operation not in SPAN_OF:
        yield f"{here}operation {operation!r}"
        return
    wanted = CONVENTIONS["spans"][SPAN_OF[operation]]
    if KINDS[span.kind] != wanted["kind"]:
        yield f"{here}kind {KINDS[span.kind]}"
    target = wanted["name"].partition("{gen_ai.operation.name} ")[2] or wanted["name"].partition(" ")[2]
    named = given.get(target.strip("{}"))
    if span.name != (f"{operation} {named.string_value}" if named is not None else operation):
        yield f"{here}a name that is not its operation and {target}"
    for name, how in wanted["attributes"].items():
        if how["level"] == "required" and name not in given:
            yield f"{here}{name} is required"
    if (span.status.code == 2) != ("error.type" in given):
        yield f"{here}error.type and status disagree"
    if span.end_time_unix_nano < span.start_time_unix_nano:
        yield f"{here}ends before it starts"
    for name, value in given.items():
        yield from (here + says for says in _of_attribute(name, value, profile, content=content))


def late(span_attributes, at_start):
    """Return the attributes that samplers should have seen, and that came only after the span had started."""
    operation = str(span_attributes.get("gen_ai.operation.name"))
    wanted = CONVENTIONS["spans"][SPAN_OF[operation]]["attributes"]
    return [
        name for name, how in wanted.items() if how.get("at_start") and name in span_attributes and name not in at_start
    ]


def _of_attribute(name, value, profile, *, content):
    if not _known(name, profile):
        yield f"{name} is in no convention of {profile}"
        return
    how = ATTRIBUTES.get(name) or ATTRIBUTES.get(OLD.get(name, ""))
    if how is None:
        return
    kind = value.WhichOneof("value")
    if how["type"] in VALUES and kind != VALUES[how["type"]]:
        yield f"{name} is a {kind}, not a {how['type']}"
    if name in CLOSED and value.string_value not in how["values"]:
        yield f"{name} is {value.string_value!r}, which is none of its values"
    if how["content"] and not content:
        yield f"{name} is content, which was not asked for"
    if name in ("gen_ai.input.messages", "gen_ai.output.messages"):
        yield from _of_messages(name, value.string_value)
    elif name == "gen_ai.tool.call.arguments" and not isinstance(json.loads(value.string_value), dict):
        yield f"{name} is no JSON object"


def _of_messages(name, text):
    messages = json.loads(text)
    if not isinstance(messages, list):
        yield f"{name} is no list"
        return
    for message in messages:
        if not isinstance(message.get("role"), str) or not isinstance(message.get("parts"), list):
            yield f"{name}: a message without role or parts"
            continue
        for part in message["parts"]:
            if part.get("type") not in PART_FIELDS or not set(part) >= PART_FIELDS[part["type"]]:
                yield f"{name}: a part {part}"


def of_metric(metric, profile):
    """Yield what is wrong with a metric."""
    if metric.name.startswith("turnspan."):
        return
    wanted = CONVENTIONS["metrics"].get(metric.name)
    if wanted is None or (metric.name in OLD and profile == "main"):
        yield f"{metric.name} is in no convention of {profile}"
        return
    if metric.unit != wanted["unit"]:
        yield f"{metric.name}: unit {metric.unit}"
    if metric.WhichOneof("data") != wanted["instrument"]:
        yield f"{metric.name} is a {metric.WhichOneof('data')}"
        return
    for point in metric.histogram.data_points:
        if list(point.explicit_bounds) != [float(bound) for bound in wanted["buckets"]]:
            yield f"{metric.name}: buckets {list(point.explicit_bounds)}"
        given = {entry.key for entry in point.attributes}
        for name, how in wanted["attributes"].items():
            if how["level"] == "required" and name not in given:
                yield f"{metric.name}: {name} is required"
        for name in given - set(wanted["attributes"]):
            yield f"{metric.name}: {name} does not belong there"


def of_log(record, profile):
    """Yield what is wrong with a log event."""
    if not record.event_name.startswith("turnspan."):
        yield f"event name {record.event_name!r}"
    for entry in record.attributes:
        if not _known(entry.key, profile):
            yield f"{record.event_name}: {entry.key} is in no convention of {profile}"
