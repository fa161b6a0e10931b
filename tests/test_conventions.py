"""What arrives at a receiver follows the GenAI conventions: all of it, in both profiles, with content and without."""

import pytest

from support import semconv_checker as checker
from support.programs import example, program, turnspan
from support.receiver import Receiver

EVERYTHING = """
import turnspan
turnspan.instrument()
with turnspan.session("s"), turnspan.turn(agent="triage", prompt=[{"role": "user", "content": "hi"}]) as turn:
    with turnspan.model_call("gpt-5", provider="openai", streamed=True, messages=[
        {"role": "system", "content": "help"}, {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c", "content": "1"}, "bare text",
    ]) as call:
        call.output = [{"role": "assistant", "content": "hello"}]
        call.usage = turnspan.Usage(input_tokens=1, output_tokens=2, cache_read_tokens=3, cache_write_tokens=4, reasoning_tokens=5)
        call.response_model, call.response_id, call.finish_reasons = "gpt-5-1", "r", ["stop"]
    with turnspan.model_call(), turnspan.tool("bare"):
        pass
    try:
        with turnspan.tool("fails", argument=1):
            raise ValueError("no")
    except ValueError:
        pass
    with turnspan.tool("text") as tool:
        tool.result = "text"
    with turnspan.agent("helper", description="helps"):
        pass
    turnspan.handoff("billing", "money")
    turnspan.note("feedback", {"good": True})
    turn.response = "done"
try:
    with turnspan.session("s"), turnspan.turn():
        raise RuntimeError("broken")
except RuntimeError:
    pass
"""


LEAST = {"pydantic_ai_agent": 0, "anthropic_loop": 4, "mcp_tools": 2}
"""Fewer are ours where the runtime starts spans itself."""


@pytest.mark.parametrize("profile", [pytest.param("util-1.3", marks=pytest.mark.slow), "main"])
@pytest.mark.parametrize("content", [False, True], ids=["no content", "content"])
@pytest.mark.parametrize(
    "what",
    [
        "openai_agents_triage",
        "xerxes_agent",
        "langgraph_agent",
        "openai_loop",
        "anthropic_loop",
        "pydantic_ai_agent",
        "mcp_tools",
        "everything",
    ],
)
def test_what_arrives_follows_the_conventions(what, content, profile, tmp_path):
    """Spans, metrics and log records at a receiver have the names and types of the conventions, and content only if
    asked for.
    """
    path = program(tmp_path / "everything.py", EVERYTHING) if what == "everything" else example(what)
    env = {"TURNSPAN_SEMCONV": profile}
    if content:
        env["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "SPAN_ONLY"
    with Receiver() as receiver:
        turnspan("run", "--otlp", receiver.url, path, env=env, check=True)
        ours = [span for scope, span in receiver.scoped_spans if scope == "turnspan"]
        wrong = [says for span in ours for says in checker.emit_for_span(span, profile, content=content)]
        metrics = [
            metric
            for request in receiver.requests["/v1/metrics"]
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        ]
        wrong += [says for metric in metrics for says in checker.of_metric(metric, profile)]
        wrong += [says for record in receiver.logs for says in checker.of_log(record, profile)]
    assert wrong == []
    assert len(ours) >= LEAST.get(what, 6)
    assert metrics
    assert receiver.logs
    shown = {a.key for span in ours for a in span.attributes} & {
        n for n, how in checker.ATTRIBUTES.items() if how["content"]
    }
    assert bool(shown) == (content and bool(ours))


def test_the_checker_sees_what_is_wrong():
    """The checker that the other tests rely on finds each kind of fault."""
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    span = Span(name="chat gpt", kind=Span.SPAN_KIND_INTERNAL)
    for key, value in (
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.request.model", "other"),
        ("gen_ai.usage.input_tokens", "many"),
        ("gen_ai.made.up", "x"),
        ("gen_ai.input.messages", '[{"role": "user"}]'),
        ("error.type", "E"),
    ):
        span.attributes.add(key=key).value.string_value = value
    said = "\n".join(checker.emit_for_span(span, "main", content=False))
    for says in (
        "kind internal",
        "a name that is not",
        "gen_ai.provider.name is required",
        "is a string_value, not a int",
        "gen_ai.made.up is in no",
        "without role or parts",
        "is content, which",
        "disagree",
    ):
        assert says in said, says


def test_what_samplers_should_see_is_there_when_a_span_starts(recording, monkeypatch):
    """Attributes that a sampler decides by are set at the start."""
    from turnspan.telemetry.live_spans import Spans

    started, start = {}, Spans._start_span

    def noting(self, opening, parent, links, at_ns):
        span = start(self, opening, parent, links, at_ns)
        started[span.get_span_context().span_id] = set(opening().attributes)
        return span

    monkeypatch.setattr(Spans, "_start_span", noting)
    exec(EVERYTHING.replace("turnspan.instrument()", ""), {})
    assert len(recording.spans) >= 9
    for span in recording.spans:
        assert checker.late(dict(span.attributes), started[span.context.span_id]) == [], span.name
