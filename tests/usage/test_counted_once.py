"""What a call used is counted once: in a stream, when it is fetched again, under spans and frameworks that say it, too."""

import pytest
from opentelemetry import trace

from support.answers import asked
from support.model_server import Answer, Background, Disconnect, ModelServer, Shape, Usage
from support.model_server.clients import anthropic_client, openai_client
from turnspan.instrumentation.registry import Adapters
from turnspan.reading.timeline import aggregates_of, timeline_of
from turnspan.reading.tree import tokens_of

HELLO = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
USED = Usage(120, 18)


@pytest.fixture(scope="module")
def server():
    """One model for all of them."""
    with ModelServer() as made:
        yield made


@pytest.fixture
def watched(recording):
    """Record with some adapters until the test is over."""
    adapters = Adapters()

    def watch(names):
        adapters.watch(names)
        return recording

    yield watch
    adapters.undo()


def sums(recording):
    """Return the tokens of all turns, of the agents and of the models: three ways to the same sum."""
    session = recording.session
    entries = timeline_of(session)
    by_agent, by_model = aggregates_of(entries, "agent"), aggregates_of(entries, "model")
    return (
        sum(map(tokens_of, session.turns)),
        sum(one.input_tokens + one.output_tokens for one in by_agent),
        sum(one.input_tokens + one.output_tokens for one in by_model),
    )


def span(name, kind, **more):
    attributes = {"gen_ai.operation.name": kind, **{f"gen_ai.{key}".replace("__", "."): v for key, v in more.items()}}
    return trace.get_tracer("somebody").start_as_current_span(name, attributes=attributes)


def test_an_outer_span_that_repeats_the_sum_of_its_inner_ones_adds_nothing(watched):
    """Frameworks put on the agent's span what all its model calls used together."""
    recording = watched("otel")
    total = {"usage__input_tokens": 30, "usage__output_tokens": 6}
    one = {"request__model": "m", "usage__input_tokens": 10, "usage__output_tokens": 2}
    with span("invoke_agent outer", "invoke_agent", agent__name="outer", **total):
        with span("chat m", "chat", **one):
            pass
        with span("invoke_agent inner", "invoke_agent", agent__name="inner", usage__input_tokens=20):
            for _ in range(2):
                with span("chat m", "chat", **one):
                    pass
    assert sums(recording) == (36, 36, 36)


@pytest.fixture
def two_others():
    """Two instrumentations of OpenAI's client; they go after ours have gone, the last one first."""
    made = [
        pytest.importorskip("openinference.instrumentation.openai").OpenAIInstrumentor(),
        pytest.importorskip("opentelemetry.instrumentation.openai_v2").OpenAIInstrumentor(),
    ]
    for one in made:
        one.instrument(skip_dep_check=True)
    yield
    for one in reversed(made):
        one.uninstrument()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("adapters", ["otel", "otel,openai"])
def test_two_instrumentations_of_one_call_count_it_once(adapters, two_others, watched, server):
    """Beside ours, or two of others without ours: one call, one usage."""
    server.play([Answer("Hello.", usage=USED)])
    recording = watched(adapters)
    with openai_client(server) as client:
        client.chat.completions.create(**HELLO)
    assert sums(recording) == (138, 138, 138)


def test_a_frameworks_call_and_the_clients_below_it_are_one(watched, server):
    """LangChain's model asks through OpenAI's client; both are watched."""
    model = pytest.importorskip("langchain_openai").ChatOpenAI
    prebuilt = pytest.importorskip("langchain.agents")
    recording = watched("langgraph,openai,otel")
    server.play([Answer("Hello.", usage=USED)])
    agent = prebuilt.create_agent(model(model="m", base_url=server.url + "/v1", api_key="script", max_retries=0))
    agent.invoke({"messages": [("user", "Hi")]})
    assert sums(recording) == (138, 138, 138)


def test_an_answer_that_is_fetched_twice_is_counted_once(server):
    """An answer of the background is the same one, however often a program asks for it."""
    pytest.importorskip("openai")

    def ask(at):
        with openai_client(at) as client:
            made = client.responses.create(model="m", input="Hi", background=True)
            for _ in range(4):
                client.responses.retrieve(made.id)

    with asked(server, "openai", ask, Background(Answer("Hello.", usage=USED), polls=1)) as recording:
        assert sums(recording) == (138, 138, 138)


@pytest.mark.parametrize("usage", ["each", "always", "finish"])
def test_of_several_usages_in_a_stream_the_last_holds(usage, server):
    """Servers repeat it with each chunk: it is what there was until then, and not to be added up."""
    pytest.importorskip("openai")

    def ask(at):
        with openai_client(at) as client:
            list(client.chat.completions.create(**HELLO, stream=True))

    answer = Answer("Hello to you.", usage=USED, shape=Shape(usage=usage))
    with asked(server, "openai", ask, answer) as recording:
        assert sums(recording) == (138, 138, 138)


def test_a_stream_that_ends_early_has_what_was_said_until_then(server):
    """A message's start says what was given; of what was made, no more is known than the provider has said."""
    pytest.importorskip("anthropic")

    def ask(at):
        with anthropic_client(at) as client:
            list(client.messages.create(**HELLO, max_tokens=9, stream=True))

    with asked(server, "anthropic", ask, Answer("Hello.", usage=USED, breaks=Disconnect())) as recording:
        (call,) = recording.model_calls
        assert (call["status"], call["usage"]) == ("error", {"input_tokens": 120, "output_tokens": 1})


def test_what_nobody_said_is_not_zero(server):
    """A stream that was left before its usage, or not asked for it, has none: no figure, rather than a wrong one."""
    pytest.importorskip("openai")

    def ask(at):
        with openai_client(at) as client:
            list(client.chat.completions.create(**HELLO, stream=True))

    with asked(server, "openai", ask, Answer("Hello.", usage=USED)) as recording:
        (call,) = recording.model_calls
        assert "usage" not in call
        assert sums(recording) == (0, 0, 0)
