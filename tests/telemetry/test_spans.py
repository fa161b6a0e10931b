"""Spans, metrics and log records as OpenTelemetry and its GenAI conventions want them."""

from pathlib import Path

import pytest
import yaml
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.trace import SpanKind

import turnspan
from turnspan.events import (
    AgentEnded,
    AgentStarted,
    HandedOff,
    ModelCallEnded,
    ModelCallStarted,
    ToolCallEnded,
    ToolCallStarted,
    TurnEnded,
    TurnStarted,
    Usage,
)
from turnspan.recording.problems import Problems
from turnspan.recording.providers import Providers
from turnspan.telemetry import semconv as sc
from turnspan.telemetry.metrics import Metrics
from turnspan.telemetry.outlet import Folded
from turnspan.telemetry.span_mapping import closed, messages, opened
from turnspan.testing import record

CONVENTIONS = yaml.safe_load((Path(__file__).parents[2] / "scripts/genai.yaml").read_text())
IDS = {"session_id": "s", "turn_id": "t", "agent_id": "a"}
PAIRS = [
    (TurnStarted(**IDS, prompt="p"), TurnEnded(**IDS, response_content="r"), "gen_ai.invoke_agent.internal"),
    (
        AgentStarted(**IDS, call_id="c", description="d"),
        AgentEnded(**IDS, call_id="c", response_content="r"),
        "gen_ai.invoke_agent.internal",
    ),
    (
        ModelCallStarted(
            **IDS, call_id="c", provider="openai", model="m", messages=[{"role": "user", "content": "q"}], streamed=True
        ),
        ModelCallEnded(
            **IDS,
            call_id="c",
            response_model="m-1",
            response_id="r",
            finish_reasons=["stop"],
            first_chunk_ns=5,
            output="o",
            usage=Usage(input_tokens=1, output_tokens=2, cache_read_tokens=3, cache_write_tokens=4, reasoning_tokens=5),
        ),
        "gen_ai.inference.client",
    ),
    (
        ToolCallStarted(**IDS, call_id="c", tool_name="f", arguments={"a": 1}),
        ToolCallEnded(**IDS, call_id="c", status="error", error="e", error_type="ValueError", result={"r": 1}),
        "gen_ai.execute_tool.internal",
    ),
]


@pytest.mark.parametrize("profile", sc.PROFILES)
@pytest.mark.parametrize("content", [False, True])
@pytest.mark.parametrize(("started", "ended", "name"), PAIRS, ids=lambda value: type(value).__name__)
def test_spans_follow_the_conventions(started, ended, name, content, profile):
    """Name, kind, required attributes and types are those of the GenAI conventions, in each profile."""
    span = CONVENTIONS["spans"][name]
    begun = opened(started, content=content)
    done = closed(started, ended, content=content, profile=sc.PROFILES[profile], turn_events=["x"])
    given = {**begun.attributes, **done.attributes}
    known = set(CONVENTIONS["attributes"]) | {rename["old"] for rename in CONVENTIONS["renames"]}
    for key in given:
        assert key in known or key.startswith("turnspan.") or key == "session.id", f"{key} is in no convention"
    for key, how in span["attributes"].items():
        if how["level"] == "required":
            assert key in given, f"{key} is required on {name}"
        if how.get("at_start") and key in given:
            assert key in begun.attributes, f"{key} must be there when the span starts"
    assert begun.kind is {"internal": SpanKind.INTERNAL, "client": SpanKind.CLIENT}[span["kind"]]
    assert begun.name.startswith(given["gen_ai.operation.name"])
    assert next(iter(begun.attributes)) == "gen_ai.operation.name"
    assert given["gen_ai.conversation.id"] == given["session.id"] == "s"
    has_content = {key for key in given if key in sc.CONTENT}
    assert bool(has_content) == content


def test_a_handoff_says_from_and_to():
    """A handoff is a tool span of the agent that gives, which names both."""
    begun = opened(HandedOff(**IDS, from_agent="a", to_agent="b", reason="why"), content=True)
    assert begun.name == "execute_tool transfer_to_b"
    assert (begun.attributes["turnspan.handoff.from"], begun.attributes["turnspan.handoff.to"]) == ("a", "b")
    assert begun.attributes["gen_ai.agent.name"] == "a"


def test_messages_have_the_structure_of_the_conventions():
    """Messages of every client become roles and parts."""
    given = [
        {"role": "system", "content": "Help."},
        {"role": "user", "content": [{"type": "input_text", "text": "q"}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": '{"a": 1}'}}],
        },
        {"role": "tool", "tool_call_id": "1", "content": "result"},
        {"type": "function_call", "call_id": "2", "name": "g", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "2", "output": "out"},
        "just text",
    ]
    parts = [part for message in messages(given, "user") for part in message["parts"]]
    assert parts == [
        {"type": "text", "content": "Help."},
        {"type": "text", "content": "q"},
        {"type": "tool_call", "id": "1", "name": "f", "arguments": {"a": 1}},
        {"type": "tool_call_response", "id": "1", "response": "result"},
        {"type": "tool_call", "id": "2", "name": "g", "arguments": {}},
        {"type": "tool_call_response", "id": "2", "response": "out"},
        {"type": "text", "content": "just text"},
    ]


@pytest.mark.parametrize("profile", sc.PROFILES)
def test_metrics_are_those_of_the_conventions(profile, monkeypatch):
    """Names, units and attributes of metrics are those of the conventions."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    monkeypatch.setattr(metrics, "get_meter_provider", lambda: provider)
    Metrics(Providers(Problems()), sc.PROFILES[profile]).write(
        [Folded(ended, None, started, "") for started, ended, _ in PAIRS]
    )
    found = {}
    for resource in reader.get_metrics_data().resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                found[metric.name] = metric
    expected = {name for key, (name, *_) in sc.PROFILES[profile]._asdict().items() if key != "usage_cache_write"}
    assert set(found) == expected
    for name, metric in found.items():
        convention = CONVENTIONS["metrics"][name]
        assert metric.unit == convention["unit"]
        for point in metric.data.data_points:
            assert list(point.explicit_bounds) == convention["buckets"]
            for key, how in convention["attributes"].items():
                if how["level"] == "required":
                    assert key in point.attributes, f"{key} on {name}"
            assert set(point.attributes) <= set(convention["attributes"]), name
    provider.shutdown()


def test_a_turns_span_has_at_most_50_ids_and_the_count(recording):
    """A long turn's span names its first audit events and how many there are."""
    with turnspan.turn(agent="a"):
        for n in range(40):
            turnspan.note("n", n)
    (span,) = recording.spans
    assert span.attributes["turnspan.audit_event_count"] == 42
    with turnspan.turn(agent="a"):
        for n in range(60):
            turnspan.note("n", n)
    span = recording.spans[-1]
    assert (span.attributes["turnspan.audit_event_count"], len(span.attributes["turnspan.audit_event_ids"])) == (62, 50)


def test_the_way_back_to_the_turn_is_on_the_span():
    """It is the turn's address on the pages; whatever the session's id is made of, it is quoted whole."""
    with record(view_url="https://app.example/") as recording:
        with turnspan.session("a/b #1"), turnspan.turn():
            pass
        address = f"https://app.example/sessions/a%2Fb%20%231#turn-{recording.turn.turn_id}"
        assert recording.spans[0].attributes["turnspan.session.url"] == address
