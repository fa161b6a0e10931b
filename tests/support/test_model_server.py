"""The scripted model server itself: scripts apart from each other, connections that break, programs in other processes."""

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("openai")
import openai

from support.model_server import Answer, Cut, Disconnect, HttpError, ModelServer, Reply
from support.model_server.clients import openai_client
from support.model_server.wire import sse
from support.programs import program, run


def ask(client, text="go", model="m", **more):
    return client.chat.completions.create(model=model, messages=[{"role": "user", "content": text}], **more)


def test_twenty_conversations_at_once_are_told_apart_by_their_keys(model_server):
    """Each conversation gets the answers of its own script."""
    for n in range(20):
        model_server.play([f"one {n}", f"two {n}"], key=f"key-{n}")

    def conversation(n):
        with openai_client(model_server, f"key-{n}") as model:
            return [ask(model, text).choices[0].message.content for text in ("a", "b")]

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(conversation, range(20))) == [[f"one {n}", f"two {n}"] for n in range(20)]


def test_a_script_is_found_by_header_and_by_model_too(model_server):
    """A script may be named by key, header or model."""
    model_server.play(["by header"], key="H")
    model_server.play(["by model"], key="gpt-x")
    with openai_client(model_server, "nobody's") as model:
        assert ask(model, extra_headers={"x-script": "H"}).choices[0].message.content == "by header"
        assert ask(model, model="gpt-x").choices[0].message.content == "by model"


def test_the_same_script_gives_the_same_bytes_and_records_the_same_requests(model_server):
    """What tells a watched program from a plain one must not be the server."""
    runs = []
    for _ in range(2):
        played = model_server.play(["hello", "and more"])
        with openai_client(model_server) as model:
            said = [ask(model).to_json(), [c.to_json() for c in ask(model, stream=True)]]
        runs.append((said, played.as_sent()))
    assert runs[0] == runs[1]
    assert len(runs[0][1]) == 2


def test_a_client_that_tries_again_is_answered_with_the_next_step(model_server):
    """Retries are steps of the script, and all requests are kept."""
    played = model_server.play([HttpError(429, retry_after_s=0), HttpError(500, retry_after_s=0), "at last"])
    with openai_client(model_server, max_retries=2) as model:
        assert ask(model).choices[0].message.content == "at last"
    assert len(played.requests) == 3
    assert len(set(map(repr, played.as_sent()))) == 1


def test_more_requests_than_answers_are_refused_and_reported():
    """A script that is over fails the request and the test."""
    with ModelServer() as server, openai_client(server) as model:
        server.play(["only one"])
        ask(model)
        with pytest.raises(openai.BadRequestError, match="the script of 'script' is over: all 1 answers"):
            ask(model)
        assert len(server.problems) == 1


@pytest.mark.parametrize("step", [Disconnect(), Disconnect(reset=True), Answer("he", breaks=Disconnect())])
def test_a_connection_that_breaks_is_a_connection_error_of_the_client(model_server, step):
    """A broken connection is the client's own error."""
    model_server.play([step])
    with openai_client(model_server) as model, pytest.raises(openai.APIConnectionError):
        ask(model)


def test_a_reply_can_be_any_bytes(model_server):
    """A script may answer what no provider should."""
    frames = [sse({"object": "chat.completion.chunk", "choices": []}), 0.01, b"data: {broken\n\n"]
    model_server.play([Reply(418, body=b"tea"), Reply(headers={"content-type": "text/event-stream"}, frames=frames)])
    with openai_client(model_server) as model:
        with pytest.raises(openai.APIStatusError) as raised:
            ask(model)
        assert (raised.value.status_code, raised.value.response.text) == (418, "tea")
        with pytest.raises(ValueError, match="property name"):
            list(ask(model, stream=True))


def test_a_reply_that_is_cut_is_seen_as_cut(model_server):
    """A reply that ends in the middle is a connection error."""
    model_server.play([Reply(frames=[b'{"choices": ', Cut(reset=True)])])
    with openai_client(model_server) as model, pytest.raises(openai.APIConnectionError):
        ask(model)


def test_a_step_may_depend_on_the_request(model_server):
    """A step may be a function of the request."""
    model_server.play([lambda request: "you said " + request.json["messages"][0]["content"]])
    with openai_client(model_server) as model:
        assert ask(model, "this").choices[0].message.content == "you said this"


def test_a_stream_stays_open_for_as_long_as_it_is_held(model_server):
    """A test decides when a stream goes on."""
    held = threading.Event()
    model_server.play([Answer("one two", held_by=held)])

    async def main():
        async with openai_client(model_server, asynchronous=True) as model:
            stream = await ask(model, stream=True)
            texts, said, ended = [], asyncio.Event(), asyncio.Event()

            async def read():
                async for chunk in stream:
                    texts.append(chunk.choices[0].delta.content)
                    if "".join(filter(None, texts)) == "one two":
                        said.set()
                ended.set()

            task = asyncio.create_task(read())
            await said.wait()
            assert not ended.is_set()
            held.set()
            await task

    asyncio.run(main())


def test_a_program_in_another_process_is_served_by_its_environment(model_server, tmp_path):
    """A subprocess finds the server through the clients' own variables."""
    played = model_server.play(["hello", "ok"], key="sk-child")
    code = """
import anthropic, openai
print(openai.OpenAI().chat.completions.create(model="m", messages=[{"role": "user", "content": "a"}]).choices[0].message.content)
print(anthropic.Anthropic().messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "b"}]).content[0].text)
"""
    pytest.importorskip("anthropic")
    done = run(sys.executable, program(tmp_path / "child.py", code), env=played.environment, check=True)
    assert done.stdout.split() == ["hello", "ok"]
    assert [request.path for request in played.requests] == ["/v1/chat/completions", "/v1/messages"]


def test_embeddings_in_both_encodings(model_server):
    """Embeddings are the same as floats and in base64."""
    model_server.play([])
    with openai_client(model_server) as model:
        for more in ({}, {"encoding_format": "float"}):
            made = model.embeddings.create(model="e", input=["abc", "de"], **more)
            assert [item.embedding for item in made.data] == [[3.0, 0.5, -0.5], [2.0, 0.5, -0.5]]
            assert made.usage.total_tokens == 5
