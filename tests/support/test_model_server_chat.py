"""The scripted model server's chat completions, through the real client: every shape that a server is known to send."""

import asyncio
import json

import pytest

pytest.importorskip("openai")
import openai
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import BaseModel

from support.model_server import Answer, Disconnect, HttpError, Shape, StreamError, ToolCall, Usage
from support.model_server.clients import openai_client

GO = {"model": "m", "messages": [{"role": "user", "content": "go"}]}
STREAM = {**GO, "stream": True}
WITH_USAGE = {**STREAM, "stream_options": {"include_usage": True}}
TOOLS = [ToolCall("add", {"a": 1, "b": 2}, "c1"), ToolCall("shout", {"text": "hi"}, "c2")]


class City(BaseModel):
    name: str


@pytest.fixture
def chat(model_server):
    """A client's chat completions, whose answers are set by ``play``."""
    with openai_client(model_server) as model:
        completions = model.chat.completions
        completions.play = lambda *script: model_server.play(script)
        yield completions


def text(chunks):
    return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices and c.choices[0].delta)


ANSWERS = {
    "text": Answer("hello there"),
    "tools": Answer(tool_calls=TOOLS),
    "both": Answer("hello there", tool_calls=TOOLS),
    "refusal": Answer(refusal="I can not"),
    "thinking": Answer("x", thinking="hm hm"),
    "two choices": Answer("one", alternatives=[Answer("two words")]),
    "legacy function": Answer(tool_calls=[ToolCall("add", {"a": 1}, legacy=True)]),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_what_is_sent_is_what_the_clients_types_allow_plain_and_streamed_alike(chat, answer):
    """Whole and streamed answers fit the client's types and say the same."""
    chat.play(answer, answer, answer)
    whole = chat.create(**GO)
    ChatCompletion.model_validate_json(whole.to_json())
    for chunk in chat.create(**WITH_USAGE):
        ChatCompletionChunk.model_validate_json(chunk.to_json())
    with chat.stream(model="m", messages=GO["messages"], stream_options={"include_usage": True}) as stream:
        final = stream.get_final_completion()
    assert final.usage.total_tokens == whole.usage.total_tokens == 12
    for one, other in zip(final.choices, whole.choices, strict=True):
        assert one.finish_reason == other.finish_reason
        assert (one.message.content or None, one.message.refusal) == (other.message.content, other.message.refusal)
        assert [c.function.arguments for c in one.message.tool_calls or ()] == [
            c.function.arguments for c in other.message.tool_calls or ()
        ]


def test_an_asynchronous_client_and_raw_responses(model_server):
    """Asynchronous clients and raw responses are served alike."""
    model_server.play(["one", "two words", "three"])

    async def main():
        async with openai_client(model_server, asynchronous=True) as model:
            raw = await model.chat.completions.with_raw_response.create(**GO)
            assert raw.headers["x-request-id"] == "req_script-1"
            chunks = [chunk async for chunk in await model.chat.completions.create(**STREAM)]
            async with model.chat.completions.with_streaming_response.create(**GO) as response:
                last = (await response.parse()).choices[0].message.content
            return raw.parse().choices[0].message.content, text(chunks), last

    assert asyncio.run(main()) == ("one", "two words", "three")


def test_where_a_stream_says_its_usage(chat):
    """As the protocol does, and as compatible servers do."""

    def used(shape, asked=STREAM):
        chat.play(Answer("one two", shape=Shape(usage=shape)))
        chunks = list(chat.create(**asked))
        return [(len(c.choices), c.usage.total_tokens) for c in chunks if c.usage], len(chunks)

    assert used("as asked") == ([], 4)
    assert used("as asked", WITH_USAGE) == ([(0, 12)], 5)
    assert used("always") == ([(0, 12)], 5)
    assert used("finish") == ([(1, 12)], 4)
    assert used("each") == ([(1, 12)] * 4, 4)
    assert used("never", WITH_USAGE) == ([], 4)


def test_details_of_usage_and_none_at_all(chat):
    """Usage has its details, or is left out."""
    chat.play(
        Answer("x", usage=Usage(9, 5, cached_tokens=4, reasoning_tokens=3, audio_input_tokens=2)),
        Answer("x", usage=None),
    )
    used = chat.create(**GO).usage
    assert (used.prompt_tokens_details.cached_tokens, used.prompt_tokens_details.audio_tokens) == (4, 2)
    assert used.completion_tokens_details.reasoning_tokens == 3
    assert chat.create(**GO).usage is None


def test_parallel_calls_at_one_index_and_at_none(chat):
    """Streams of compatible servers, with one index for all or none, can be played."""
    for shape, index in (("own", [0, 0, 0, 1, 1, 1]), ("same", [0, 0]), ("none", [None, None])):
        chat.play(Answer(tool_calls=TOOLS, shape=Shape(tool_index=shape)))
        calls = [call for chunk in chat.create(**STREAM) for call in chunk.choices[0].delta.tool_calls or ()]
        assert [getattr(call, "index", None) for call in calls] == index
        assert [call.function.name for call in calls if call.function.name] == ["add", "shout"]
        assert "".join(call.function.arguments for call in calls) == '{"a": 1, "b": 2}{"text": "hi"}'


def test_the_chunks_of_azure(chat):
    """Azure's chunks without choices and without delta can be played."""
    chat.play(Answer("hello", shape=Shape(azure=True)))
    chunks = list(chat.create(**WITH_USAGE))
    assert chunks[0].choices == []
    assert [hasattr(chunk.choices[0], "delta") and chunk.choices[0].delta is None for chunk in chunks[1:-1]] == [
        False, False, True, chunks[-2].choices[0].delta is None,
    ]  # fmt: skip
    assert "delta" not in json.loads(chunks[-2].to_json())["choices"][0]
    assert chunks[-1].usage.total_tokens == 12


def test_a_stream_without_an_end_and_with_comments(chat):
    """Comments, no finish reason and no end are taken by the client."""
    chat.play(Answer("hello", shape=Shape(finish=False, done=False, keep_alive=True)))
    chunks = list(chat.create(**STREAM))
    assert text(chunks) == "hello"
    assert not any(chunk.choices[0].finish_reason for chunk in chunks)


def test_a_stream_breaks_after_what_was_said(chat):
    """A stream that breaks gives its text first, then the client's error."""
    for breaks, error in (
        (StreamError("too much"), openai.APIError),
        (Disconnect(), Exception),
        (Disconnect(reset=True), Exception),
    ):
        chat.play(Answer("Hel lo", breaks=breaks))
        chunks = []
        with pytest.raises(error) as raised:
            chunks.extend(chat.create(**STREAM))  # keeps what came before the error
        assert text(chunks) == "Hel lo"
        assert "too much" in str(raised.value) or isinstance(breaks, Disconnect)


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, openai.BadRequestError), (401, openai.AuthenticationError), (404, openai.NotFoundError),
     (429, openai.RateLimitError), (500, openai.InternalServerError), (503, openai.InternalServerError)],
)  # fmt: skip
def test_http_errors_are_the_clients_own(chat, status, error):
    """Each status is the client's exception, with its headers."""
    chat.play(HttpError(status, "sorry", retry_after_s=7))
    with pytest.raises(error, match="sorry") as raised:
        chat.create(**STREAM)
    assert raised.value.response.headers["retry-after"] == "7"


def test_what_a_content_filter_does(chat):
    """A filtered prompt and a filtered answer look as Azure's do."""
    inner = {
        "innererror": {
            "code": "ResponsibleAIPolicyViolation",
            "content_filter_result": {"jailbreak": {"filtered": True}},
        }
    }
    chat.play(Answer(finish="content_filter"), HttpError(400, "filtered", code="content_filter", more=inner))
    assert chat.create(**GO).choices[0].finish_reason == "content_filter"
    with pytest.raises(openai.BadRequestError) as raised:
        chat.create(**GO)
    assert raised.value.body["innererror"]["code"] == "ResponsibleAIPolicyViolation"


def test_structured_output(chat):
    """``parse`` gives the object, and an answer that is too long its error."""
    rome = '{"name": "Rome"}'
    chat.play(rome, Answer('{"na', finish="length"), rome)
    asked = {**GO, "response_format": City}
    assert chat.parse(**asked).choices[0].message.parsed == City(name="Rome")
    with pytest.raises(openai.LengthFinishReasonError):
        chat.parse(**asked)
    with chat.stream(**asked) as stream:
        assert stream.get_final_completion().choices[0].message.parsed == City(name="Rome")
