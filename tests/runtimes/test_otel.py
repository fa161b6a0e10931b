"""Spans of others: three dialects, the real instrumentations, and what ends when nobody knew it had begun."""

import asyncio
import json

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

import turnspan
from turnspan.instrumentation.registry import Adapters
from turnspan.testing import record
from turnspan.testing.drivers import Conversation, span_tree

pytest.importorskip("openai")
from support.drivers.openai_chat import OpenAIChat, client
from turnspan.testing.adapters import GOOD


@pytest.fixture(autouse=True)
def nothing_is_left_wrapped():
    """OpenLLMetry's instrumentor cannot be taken out again."""
    from openai.resources.chat.completions import AsyncCompletions, Completions
    from openai.resources.responses import AsyncResponses, Responses

    classes = (Completions, AsyncCompletions, Responses, AsyncResponses)
    before = [(cls, name, cls.__dict__[name]) for cls in classes for name in ("create", "parse")]
    yield
    for cls, name, value in before:
        setattr(cls, name, value)


@pytest.fixture
def only_theirs(recording):
    """Nobody records but who reads their spans."""
    adapters = Adapters()
    adapters.watch("otel")
    yield
    adapters.undo()


@pytest.fixture
def both(recording):
    adapters = Adapters()
    adapters.watch("otel,openai")
    yield
    adapters.undo()


def _genai():
    return pytest.importorskip("opentelemetry.instrumentation.openai_v2").OpenAIInstrumentor()


def _openinference():
    return pytest.importorskip("openinference.instrumentation.openai").OpenAIInstrumentor()


def _openllmetry():
    return pytest.importorskip("opentelemetry.instrumentation.openai").OpenAIInstrumentor()


@pytest.fixture(params=[_genai, _openinference, _openllmetry], ids=["genai", "openinference", "openllmetry"])
def instrumentor(request, monkeypatch):
    monkeypatch.setenv("TRACELOOP_METRICS_ENABLED", "false")
    made = request.param()
    made.instrument(skip_dep_check=True)
    yield made
    made.uninstrument()


@pytest.mark.filterwarnings("ignore")
def test_a_call_that_somebody_else_instruments_is_on_record(only_theirs, instrumentor, recording):
    """A model call of which only another instrumentation knows is recorded from its span."""

    async def main():
        async with client(["done"]) as model:
            await model.chat.completions.create(model="scripted", messages=[{"role": "user", "content": "go"}])

    asyncio.run(main())
    turn = recording.turn
    assert turn.status == "success"
    (call,) = turn.metadata["turnspan"]["model_calls"]
    assert call["model"] == "scripted"
    assert call.get("response_id") in ("resp-1", None), "OpenInference does not say it"
    assert (call["usage"]["input_tokens"], call["usage"]["output_tokens"]) == (10, 2)
    (span,) = recording.spans
    assert span.instrumentation_scope.name != "turnspan"
    assert call["span_id"] == f"{span.context.span_id:016x}"
    assert {f"{span.context.span_id:016x}"} == {line["span_id"] for line in recording.log if "span_id" in line}


@pytest.mark.filterwarnings("ignore")
def test_inside_of_a_turn_by_hand_it_is_a_call_of_that_turn(only_theirs, instrumentor, recording):
    """Such a call inside of a turn block is the turn's."""

    async def main():
        async with client(["done"]) as model:
            with turnspan.session("s"), turnspan.turn(agent="triage", prompt="go") as turn:
                await model.chat.completions.create(model="scripted", messages=[{"role": "user", "content": "go"}])
                turn.response = "done"

    asyncio.run(main())
    (call,) = recording.turn.metadata["turnspan"]["model_calls"]
    theirs = next(span for span in recording.spans if span.instrumentation_scope.name != "turnspan")
    assert call["span_id"] == f"{theirs.context.span_id:016x}"
    assert theirs.attributes["gen_ai.conversation.id"] == theirs.attributes["session.id"] == "s"


@pytest.mark.filterwarnings("ignore")
def test_a_loop_that_is_instrumented_twice_is_recorded_once(both, instrumentor, recording):
    """Beside another instrumentation each call is on record once."""
    assert asyncio.run(OpenAIChat().turn(Conversation("s"), "go", [GOOD, "done"])) == "done"
    turn = recording.turn
    assert [call.tool_name for call in turn.tool_calls] == ["add", "shout"]
    assert len(turn.metadata["turnspan"]["model_calls"]) == 2


@pytest.mark.filterwarnings("ignore")
def test_a_span_of_the_conventions_is_not_started_twice(both, recording):
    """Where another instrumentation starts the model's span, ours is not started."""
    made = _genai()
    made.instrument(skip_dep_check=True)
    try:
        asyncio.run(OpenAIChat().turn(Conversation("s"), "go", ["done"]))
    finally:
        made.uninstrument()
    chats = [span for span in recording.spans if span.attributes["gen_ai.operation.name"] == "chat"]
    assert [span.instrumentation_scope.name for span in chats] != ["turnspan"]
    assert len(chats) == 1
    assert recording.unresolved() == []


def test_where_ours_is_the_outer_one_the_next_call_waits_for_theirs(recording):
    """Once a second span was seen inside of ours, the next call takes that one."""
    made = _genai()
    made.instrument(skip_dep_check=True)
    adapters = Adapters()
    adapters.watch("otel,openai")  # after theirs, and so around it
    try:
        for n in range(3):
            asyncio.run(OpenAIChat().turn(Conversation(f"s-{n}"), "go", ["done"]))
    finally:
        adapters.undo()
        made.uninstrument()
    chats = [span for span in recording.spans if span.attributes["gen_ai.operation.name"] == "chat"]
    names = [span.instrumentation_scope.name for span in chats]
    assert names.count("turnspan") == 1, "the first, when nobody knew"
    assert len(names) == 4
    calls = [s.turns[0].metadata["turnspan"]["model_calls"] for s in recording.sessions]
    assert [len(one) for one in calls] == [1, 1, 1]
    assert recording.unresolved() == []


def test_the_completion_hook_hands_over_what_is_on_no_span(only_theirs, recording, monkeypatch):
    """Content that telemetry may not have reaches the record through OpenTelemetry's completion hook."""
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK", "turnspan")
    pytest.importorskip("opentelemetry.util.genai")
    from opentelemetry.util.genai.completion_hook import load_completion_hook
    from opentelemetry.util.genai.handler import TelemetryHandler
    from opentelemetry.util.genai.types import InputMessage, OutputMessage, TextPart

    handler = TelemetryHandler(completion_hook=load_completion_hook())
    with handler.inference("openai", request_model="scripted") as call:
        call.input_messages = [InputMessage(role="user", parts=[TextPart(content="the secret")])]
        call.output_messages = [
            OutputMessage(role="assistant", parts=[TextPart(content="the answer")], finish_reason="stop")
        ]
    (call,) = recording.turn.metadata["turnspan"]["model_calls"]
    assert "the secret" in json.dumps(call["messages"])
    assert "the answer" in json.dumps(call["output"])
    assert recording.turn.prompt == "the secret"
    assert not any("the secret" in str(span.attributes) for span in recording.spans)


def _span(tracer, name, **attributes):
    return tracer.start_as_current_span(name, attributes={k.replace("__", "."): v for k, v in attributes.items()})


def test_an_agent_of_the_conventions_is_a_turn_with_its_calls(only_theirs, recording):
    """Agent, tool and model spans of the conventions become a turn with its calls."""
    tracer = trace.get_tracer("somebody")
    agent = {
        "gen_ai__operation__name": "invoke_agent",
        "gen_ai__agent__name": "triage",
        "gen_ai__conversation__id": "c-1",
    }
    with _span(tracer, "invoke_agent triage", **agent) as root:
        with _span(tracer, "chat m", gen_ai__operation__name="chat", gen_ai__request__model="m") as chat:
            chat.set_attribute("gen_ai.usage.input_tokens", 7)
        with _span(tracer, "http"):  # not one of ours
            name = {"gen_ai__operation__name": "execute_tool", "gen_ai__tool__name": "search"}
            with _span(tracer, "execute_tool search", **name) as tool:
                tool.set_attribute("gen_ai.tool.call.result", '{"hits": 3}')
                inner = turnspan.tool("by hand")
                with inner:
                    pass
                turnspan.note("feedback", {"good": True})
        try:
            with _span(tracer, "execute_tool boom", gen_ai__operation__name="execute_tool", gen_ai__tool__name="boom"):
                raise ValueError("no")
        except ValueError:
            pass
        said = [{"role": "user", "parts": [{"type": "text", "content": "go"}]}]
        root.set_attribute("gen_ai.input.messages", json.dumps(said))
        said = [{"role": "assistant", "parts": [{"type": "text", "content": "done"}]}]
        root.set_attribute("gen_ai.output.messages", json.dumps(said))
    turn = recording.turn
    assert recording.session.session_id == "c-1"
    assert (turn.agent_id, turn.prompt, turn.response_content, turn.status) == ("triage", "go", "done", "success")
    found = {call.tool_name: call for call in turn.tool_calls}
    assert found["search"].result == {"hits": 3}
    assert (found["boom"].status, found["boom"].error) == ("error", "no")
    assert found["by hand"].metadata["turnspan"]["parent_id"] == found["search"].call_id
    assert turn.metadata["turnspan"]["model_calls"][0]["usage"] == {"input_tokens": 7}
    (root,) = span_tree(recording.spans)
    assert [node[0] for node in root[1]] == ["chat", "execute_tool search", "execute_tool boom"]
    assert recording.unresolved() == []


@pytest.mark.parametrize("dialect", ["openinference", "openllmetry"])
def test_what_says_only_at_its_end_what_it_is(only_theirs, recording, dialect):
    """Spans whose attributes come at their end are recorded all the same, in each dialect."""
    tracer = trace.get_tracer("somebody")
    names = {
        "openinference": (
            "openinference.span.kind",
            "AGENT",
            "TOOL",
            "output.value",
            "input.value",
            "agent.name",
            "tool.name",
        ),
        "openllmetry": (
            "traceloop.span.kind",
            "workflow",
            "tool",
            "traceloop.entity.output",
            "traceloop.entity.input",
            "traceloop.entity.name",
            "traceloop.entity.name",
        ),
    }
    kind, agent, tool, output, asked, agent_name, tool_name = names[dialect]
    with tracer.start_as_current_span("outer"), tracer.start_as_current_span("root") as root:
        with tracer.start_as_current_span("t") as inner:
            inner.set_attributes({kind: tool, tool_name: "search", asked: '{"q": "x"}', output: "found"})
        root.set_attributes({kind: agent, agent_name: "triage", asked: "go", output: "done", "session.id": "s-9"})
    turn = recording.turn
    assert recording.session.session_id == "s-9"
    assert (turn.agent_id, turn.prompt, turn.response_content) == ("triage", "go", "done")
    (call,) = turn.tool_calls
    assert (call.tool_name, call.arguments, call.result) == ("search", {"q": "x"}, "found")
    ids = {span.name: f"{span.context.span_id:016x}" for span in recording.spans}
    assert (turn.metadata["turnspan"]["span_id"], call.metadata["turnspan"]["span_id"]) == (ids["root"], ids["t"])


def test_what_ours_reports_right_around_a_span_is_not_reported_twice(only_theirs, recording):
    """A span inside of our own call for the same thing adds nothing."""
    tracer = trace.get_tracer("somebody")
    with turnspan.session("s"), turnspan.turn(agent="triage", prompt="go"):
        with _span(tracer, "agent", gen_ai__operation__name="invoke_agent", gen_ai__agent__name="triage"):
            pass
        with turnspan.tool("search"):
            with _span(tracer, "tool", gen_ai__operation__name="execute_tool", gen_ai__tool__name="search"):
                pass
            with _span(tracer, "other", gen_ai__operation__name="execute_tool", gen_ai__tool__name="fetch"):
                pass
        with turnspan.model_call("m", provider="openai"):
            with _span(tracer, "chat m", gen_ai__operation__name="chat", gen_ai__request__model="m"):
                pass
    turn = recording.turn
    assert [call.tool_name for call in turn.tool_calls] == ["search", "fetch"]
    assert len(turn.metadata["turnspan"]["model_calls"]) == 1
    assert "agents" not in turn.metadata["turnspan"]


def test_a_provider_that_is_made_later_or_for_one_library_alone_is_read_too(only_theirs, recording):
    """Providers that are not the global one are read."""
    private = TracerProvider()
    tracer = private.get_tracer("somebody")
    with _span(tracer, "invoke_agent a", gen_ai__operation__name="invoke_agent", gen_ai__agent__name="a"):
        pass
    assert recording.turn.agent_id == "a"


def test_spans_that_are_about_nothing_of_ours_leave_nothing(only_theirs, recording):
    """Database and HTTP spans are neither recorded nor remembered."""
    from turnspan.telemetry.external_spans import external_spans

    tracer = trace.get_tracer("somebody")
    for _ in range(100):
        with tracer.start_as_current_span("GET /"), tracer.start_as_current_span("SELECT"):
            pass
    assert recording.sessions == []
    assert not len(external_spans)


def test_a_reader_that_fails_is_reported_once_and_changes_nothing(monkeypatch):
    """A reader of spans that raises is reported once, and spans are exported as ever."""
    import turnspan_integrations.otel as module

    monkeypatch.setattr(module, "what_of", lambda span: 1 / 0)
    with record(strict=False) as recording:
        adapters = Adapters()
        adapters.watch("otel")
        with trace.get_tracer("somebody").start_as_current_span("GET /"):
            pass
        adapters.undo()
        assert list(recording.problems) == ["span reader: ZeroDivisionError"]


def test_what_an_agent_does_besides_is_recorded_as_what_it_is(only_theirs, recording):
    """In a process as over the wire: retrieval and what it embeds, memory; what is fetched again counts no tokens."""
    tracer = trace.get_tracer("an.agent")

    def start(name, **attributes):
        return tracer.start_as_current_span(name, attributes={"gen_ai.operation.name": name, **attributes})

    with (
        start("embeddings", **{"gen_ai.request.model": "outside"}),
        start("invoke_agent", **{"gen_ai.agent.name": "triage"}),
    ):
        with start("retrieval", **{"gen_ai.retrieval.query.text": "q"}) as retrieval:
            with start("embeddings", **{"gen_ai.request.model": "e-3", "gen_ai.usage.input_tokens": 4}):
                pass
            retrieval.set_attribute("gen_ai.retrieval.documents", '["d"]')
        with start("fetch_response", **{"gen_ai.response.id": "r", "gen_ai.usage.input_tokens": 9}):
            pass
        with start("delete_memory", **{"gen_ai.memory.record.id": "7"}):
            pass
    (turn,) = recording.session.turns
    found = [
        (call.tool_name, call.metadata["turnspan"]["type"], call.arguments, call.result) for call in turn.tool_calls
    ]
    assert found == [
        ("retrieval", "retrieval", {"query": "q"}, ["d"]),
        ("delete_memory", "memory", {"record": "7"}, None),
    ]
    embeds, fetched = turn.metadata["turnspan"]["model_calls"]
    assert (embeds["operation"], embeds["parent_id"]) == ("embeddings", turn.tool_calls[0].call_id)
    assert (fetched["operation"], fetched.get("usage")) == ("fetch_response", None)
    assert recording.unresolved() == []
