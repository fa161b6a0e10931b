"""Handwritten loops: what a growing list of messages tells, and what it must not be taken for."""

import asyncio
import inspect
import json
import threading

import pytest

pytest.importorskip("openai")
import openai

import turnspan
from support.drivers.openai_chat import MODEL, answer, client, httpx
from support.model_server import ModelServer
from turnspan.instrumentation.registry import Adapters
from turnspan.testing.drivers import ScriptedToolCall


@pytest.fixture(autouse=True)
def adapter(recording):
    adapters = Adapters()
    adapters.watch("openai")
    yield
    adapters.undo()


def said(script, *lists):
    """Ask once with each list; return the answers."""

    async def main():
        async with client(script) as model:
            return [
                (await model.chat.completions.create(model=MODEL, messages=messages)).choices[0].message
                for messages in lists
            ]

    return asyncio.run(main())


def user(text):
    return {"role": "user", "content": text}


def assistant(text):
    return {"role": "assistant", "content": text}


def prompts(recording):
    return sorted([turn.prompt for turn in session.turns] for session in recording.sessions)


def test_two_who_greet_alike_stay_apart_by_their_lists(recording):
    """Conversations that begin with the same words are two sessions where their message lists are two objects."""
    one, other = [user("Hi")], [user("Hi")]

    async def main():
        async with client(["Hello!", "Hello!", "first", "second"]) as model:
            for messages in (one, other):
                messages.append(
                    (await model.chat.completions.create(model=MODEL, messages=messages)).choices[0].message
                )
            for messages, text in ((one, "I am one"), (other, "I am the other")):
                messages.append(user(text))
                await model.chat.completions.create(model=MODEL, messages=messages)

    asyncio.run(main())
    assert prompts(recording) == [["Hi", "I am one"], ["Hi", "I am the other"]]


def test_two_who_greet_alike_are_not_mixed_up_where_nothing_tells_them_apart(recording):
    """Where two conversations cannot be told apart a new session is made rather than somebody else's continued."""
    for text in ("a", "b"):
        said(["Hello!"], [user("Hi")])
    for text in ("a", "b"):  # a server that reads them from its database
        thread = threading.Thread(target=said, args=([text], [user("Hi"), assistant("Hello!"), user(f"I am {text}")]))
        thread.start()
        thread.join()
    assert prompts(recording) == [["Hi"], ["Hi"], ["I am a"], ["I am b"]]


def test_a_session_by_hand_wins(recording):
    """A session that the program names is the one."""
    for name in ("x", "y"):
        with turnspan.session(name):
            said(["Hello!"], [user("Hi")])
            said(["Well."], [user("Hi"), assistant("Hello!"), user("How are you?")])
    found = {session.session_id: [turn.prompt for turn in session.turns] for session in recording.sessions}
    assert found == {"x": ["Hi", "How are you?"], "y": ["Hi", "How are you?"]}


def test_inside_of_a_turn_by_hand_only_the_models_are_recorded(recording):
    """A loop inside of a turn block adds model calls, and no turn of its own."""
    with turnspan.session("s"), turnspan.turn(agent="triage", prompt="go") as turn:
        said([[ScriptedToolCall("add", {"a": 1, "b": 2}, "c1")]], [user("go")])
        turn.response = "done"
    turn = recording.turn
    assert (turn.agent_id, turn.response_content, turn.tool_calls) == ("triage", "done", [])
    assert len(turn.metadata["turnspan"]["model_calls"]) == 1


def test_inside_of_a_model_call_by_hand_nothing_is_recorded_twice(recording):
    """A client inside of a model_call block adds nothing."""
    with turnspan.session("s"), turnspan.turn(prompt="go"), turnspan.model_call("mine"):
        said(["done"], [user("go")])
    (call,) = recording.turn.metadata["turnspan"]["model_calls"]
    assert call["model"] == "mine"


def test_a_call_that_is_never_answered_is_skipped_when_the_user_goes_on(recording):
    """A tool call without a result is skipped once the user speaks again."""
    asked = said([[ScriptedToolCall("add", {"a": 1, "b": 2}, "c1")]], [user("go")])[0]
    said(["fine"], [user("go"), asked, user("never mind")])
    first, second = recording.session.turns
    assert (first.status, first.tool_calls[0].status) == ("cancelled", "skipped")
    assert (second.prompt, second.response_content) == ("never mind", "fine")


def test_a_history_that_was_cut_goes_on_by_the_ids_of_its_calls(recording):
    """A shortened history stays in its turn when it answers a call of it."""
    asked = said(
        [[ScriptedToolCall("add", {"a": 1, "b": 2}, "c1")]], [user("a long story"), assistant("hm"), user("go")]
    )[0]
    said(["done"], [user("in short"), asked, {"role": "tool", "tool_call_id": "c1", "content": "3"}])
    turn = recording.turn
    assert (turn.prompt, turn.response_content, turn.tool_calls[0].result) == ("go", "done", "3")


def test_text_beside_results_is_no_new_turn(recording):
    """A hint of the user beside tool results belongs to the turn that goes on."""
    asked = said([[ScriptedToolCall("add", {"a": 1, "b": 2}, "c1")]], [user("go")])[0]
    said(["done"], [user("go"), asked, {"role": "tool", "tool_call_id": "c1", "content": "3"}, user("be brief")])
    assert (recording.turn.prompt, recording.turn.response_content) == ("go", "done")


def test_a_call_that_is_tried_again_stays_in_its_session(recording):
    """A request that failed and is sent again is the same turn's."""
    messages = [user("go")]
    with pytest.raises(openai.BadRequestError):
        said([ValueError("busy")], messages)
    said(["done"], messages)
    assert [(turn.prompt, turn.status) for turn in recording.session.turns] == [("go", "error"), ("go", "success")]


def test_raw_responses_and_responses_that_stream_their_body(recording):
    """Both kinds of raw response are read as ever, and recorded."""

    async def main():
        async with client(["one", "two"]) as model:
            raw = await model.chat.completions.with_raw_response.create(model=MODEL, messages=[user("a")])
            assert raw.parse().choices[0].message.content == "one"
            create = model.chat.completions.with_streaming_response.create
            async with create(model=MODEL, messages=[user("b")]) as response:
                assert "two" in (await response.json())["choices"][0]["message"]["content"]

    asyncio.run(main())
    assert sorted((s.turns[0].prompt, s.turns[0].response_content, s.turns[0].status) for s in recording.sessions) == [
        ("a", "one", "success"),
        ("b", "", "success"),
    ]


def test_synchronous_clients_are_watched_alike(recording):
    """The synchronous client records what the asynchronous one does."""
    script = ["done"]
    transport = httpx.MockTransport(lambda request: answer(script.pop(0), request))
    with openai.OpenAI(api_key="x", max_retries=0, http_client=httpx.Client(transport=transport)) as model:
        helper = getattr(model.chat.completions, "stream", None) or model.beta.chat.completions.stream  # before 1.92
        with helper(model=MODEL, messages=[user("go")]) as stream:
            for _ in stream:
                pass
    assert (recording.turn.response_content, recording.turn.status) == ("done", "success")


def test_a_conversation_id_of_the_provider_is_the_session(recording):
    """A conversation of the Responses API is the session."""
    from openai.resources.responses import Responses

    if "conversation" not in inspect.signature(Responses.create).parameters:
        pytest.skip("this release knows no conversations")
    from support.drivers.openai_responses import _Server

    async def main():
        async with client(["one", "two"], _Server()) as model:
            for text in ("a", "b"):
                await model.responses.create(model=MODEL, input=text, conversation="conv-1")

    asyncio.run(main())
    assert recording.session.session_id == "conv-1"
    assert [turn.prompt for turn in recording.session.turns] == ["a", "b"]


def test_what_is_not_a_list_of_messages_breaks_nothing(recording):
    """Messages from a generator reach the client whole."""

    async def main():
        async with client(["one"]) as model:
            await model.chat.completions.create(model=MODEL, messages=(m for m in [user("go")]))

    asyncio.run(main())
    assert json.loads(json.dumps(recording.turn.to_dict()))["status"] == "success"


# Embeddings --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server():
    with ModelServer() as made:
        yield made


def embedded(server, ask):
    """Have the client, and the one for coroutines, asked; the server says as many tokens as a text has letters."""
    key = server.play([]).key

    async def main():
        async with openai.AsyncOpenAI(base_url=server.url + "/v1", api_key=key) as model:
            return await ask(model.embeddings)

    with openai.OpenAI(base_url=server.url + "/v1", api_key=key) as model:
        return ask(model.embeddings), asyncio.run(main())


def test_embeddings_in_a_turn_are_model_calls_that_say_so(recording, server):
    """Texts, model and tokens are on record, the vectors are not; the span is `embeddings` of the model."""
    with turnspan.turn(prompt="find it"):
        one, other = embedded(server, lambda e: e.create(model="text-embedding-3-small", input=["abc", "de"]))
    assert [item.embedding[0] for answer in (one, other) for item in answer.data] == [3.0, 2.0, 3.0, 2.0]
    calls = recording.turn.metadata["turnspan"]["model_calls"]
    assert len(calls) == 2
    for call in calls:
        assert (call["operation"], call["model"], call["status"]) == ("embeddings", "text-embedding-3-small", "success")
        assert call["messages"] == [user("abc"), user("de")]
        assert call["usage"] == {"input_tokens": 5}
        assert "output" not in call
    spans = [span for span in recording.spans if span.name == "embeddings text-embedding-3-small"]
    assert [span.attributes["gen_ai.operation.name"] for span in spans] == ["embeddings"] * 2
    assert recording.unresolved() == []


def test_embeddings_of_a_raw_answer_and_of_tokens(recording, server):
    """What the program parses by itself has its tokens on record, too; a text that is given as tokens is not content."""
    with turnspan.turn(prompt="find it"):
        raw, _ = embedded(server, lambda e: e.with_raw_response.create(model="m", input=[1, 2, 3]))
    assert raw.parse().usage.prompt_tokens == 3
    calls = recording.turn.metadata["turnspan"]["model_calls"]
    assert [(call["usage"], call["messages"]) for call in calls] == [({"input_tokens": 3}, None)] * 2


def test_embeddings_outside_of_a_turn_make_none(recording, server):
    """An index of ten thousand texts is not ten thousand turns."""
    embedded(server, lambda e: e.create(model="m", input="abc"))
    assert recording.sessions == []


def test_embeddings_that_another_instrumentation_has_a_span_of_have_no_second_one(recording, server):
    """Its span is the one: the record has its ids, and it has the record's."""
    instrumentation = pytest.importorskip("opentelemetry.instrumentation.openai_v2").OpenAIInstrumentor()
    instrumentation.instrument()
    try:
        with turnspan.turn(prompt="find it"):
            embedded(server, lambda e: e.create(model="m", input="abc"))
    finally:
        instrumentation.uninstrument()
    calls = recording.turn.metadata["turnspan"]["model_calls"]
    spans = [span for span in recording.spans if span.name == "embeddings m"]
    assert len(spans) == 2
    assert {call["span_id"] for call in calls} == {f"{span.context.span_id:016x}" for span in spans}
    assert recording.unresolved() == []
