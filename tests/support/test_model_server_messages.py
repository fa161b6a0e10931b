"""The scripted model server's messages, through the real client: every block, every ending, usage wherever it is said."""

import asyncio
import json

import pytest

pytest.importorskip("anthropic")
import anthropic
from anthropic.types import Message, RawMessageStreamEvent
from pydantic import TypeAdapter

from support.model_server import Answer, Disconnect, HostedTool, HttpError, Shape, StreamError, ToolCall, Usage
from support.model_server.clients import anthropic_client

GO = {"model": "m", "max_tokens": 99, "messages": [{"role": "user", "content": "go"}]}
EVENT = TypeAdapter(RawMessageStreamEvent)
ANSWERS = {
    "text": Answer("hello there"),
    "tools": Answer(
        "well", tool_calls=[ToolCall("add", {"a": 1, "b": 2}, "c1"), ToolCall("shout", {"text": "hi"}, "c2")]
    ),
    "refusal": Answer("I can", refusal="not that"),
    "thinking": Answer("x", thinking="hm hm"),
    "length": Answer("x", finish="max_tokens"),
    "search": Answer("found", hosted=[HostedTool("web_search", {"query": "rome"}, ["https://example.com"])]),
    "a search that fails": Answer("sorry", hosted=[HostedTool("web_search", {}, error="max_uses_exceeded")]),
    "code": Answer("1", hosted=[HostedTool("code_interpreter", {"code": "print(1)"}, "1\n")]),
}


@pytest.fixture
def messages(model_server):
    """A client's messages, whose answers are set by ``play``."""
    with anthropic_client(model_server) as model:
        model.messages.play = lambda *script: model_server.play(script)
        yield model.messages


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_what_is_sent_is_what_the_clients_types_allow_plain_and_streamed_alike(messages, answer):
    """Whole and streamed answers fit the client's types and say the same."""
    wholes = []
    for ask in (messages.create, lambda **asked: _final(messages, asked)):
        messages.play(answer)
        wholes.append(json.loads(ask(**GO).to_json()))
        Message.model_validate(wholes[-1])
    assert wholes[0] == wholes[1]
    messages.play(answer)
    for event in messages.create(**GO, stream=True):
        EVENT.validate_json(event.to_json())


def _final(messages, asked):
    with messages.stream(**asked) as stream:
        return stream.get_final_message()


def test_an_mcp_call_at_the_provider(model_server):
    """A tool that the provider calls over MCP has its call and result blocks."""
    model_server.play([Answer("so", hosted=[HostedTool("mcp", {"q": 1}, "found")])])
    with anthropic_client(model_server) as model:
        call, result, _ = model.beta.messages.create(**GO).content
    assert (call.type, call.server_name, call.input) == ("mcp_tool_use", "docs", {"q": 1})
    assert result.content[0].text == "found"


def test_an_asynchronous_client_and_raw_responses(model_server):
    """Asynchronous clients and raw responses are served alike."""
    model_server.play(["one", "two words"])

    async def main():
        async with anthropic_client(model_server, asynchronous=True) as model:
            raw = await model.messages.with_raw_response.create(**GO)
            async with model.messages.stream(**GO) as stream:
                texts = [text async for text in stream.text_stream]
            return raw.headers["request-id"], (await raw.parse()).content[0].text, "".join(texts)

    assert asyncio.run(main()) == ("req_script-1", "one", "two words")


def test_where_a_stream_says_its_usage(messages):
    """What the client adds up in the end; ``message_delta`` is cumulative."""

    def used(shape="as asked", **more):
        messages.play(Answer("x", usage=Usage(9, 5, cached_tokens=100, **more), shape=Shape(usage=shape)))
        first, *_, last, _ = messages.create(**GO, stream=True)
        messages.play(Answer("x", usage=Usage(9, 5, cached_tokens=100, **more), shape=Shape(usage=shape)))
        final = _final(messages, GO).usage
        return (
            (first.message.usage.input_tokens, first.message.usage.output_tokens),
            (last.usage.input_tokens, last.usage.output_tokens),
            (final.input_tokens, final.output_tokens, final.cache_read_input_tokens),
        )

    assert used() == ((9, 1), (None, 5), (9, 5, 100))
    assert used("always") == ((9, 1), (9, 5), (9, 5, 100))
    assert used("start") == ((9, 5), (None, 5), (9, 5, 100))
    assert used("cumulative") == ((0, 0), (9, 5), (9, 5, 100))
    assert used("never") == ((0, 0), (None, 0), (0, 0, None))
    assert used(web_search_requests=1) == ((4, 1), (9, 5), (9, 5, 100))


def test_a_stream_with_pings_and_one_without_an_end(messages):
    """Pings are passed over, and a missing end is seen by the client."""
    messages.play(Answer("a b", shape=Shape(keep_alive=True, finish=False)))
    kinds = [event.type for event in messages.create(**GO, stream=True)]
    assert kinds[0] == "message_start"
    assert not {"message_delta", "message_stop"} & set(kinds)


def test_a_stream_breaks_after_what_was_said(messages):
    """A stream that breaks gives its text first, then the client's error."""
    overloaded = StreamError("Overloaded", "overloaded_error")
    for breaks, error in ((overloaded, anthropic.APIStatusError), (Disconnect(), Exception)):
        messages.play(Answer("Hel lo", breaks=breaks))
        texts = []
        with pytest.raises(error), messages.stream(**GO) as stream:
            texts.extend(stream.text_stream)  # keeps what came before the error
        assert "".join(texts) == "Hel lo"


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, anthropic.BadRequestError), (401, anthropic.AuthenticationError), (404, anthropic.NotFoundError),
     (429, anthropic.RateLimitError), (500, anthropic.InternalServerError), (529, anthropic.InternalServerError)],
)  # fmt: skip
def test_http_errors_are_the_clients_own(messages, status, error):
    """Each status is the client's exception, with its headers."""
    messages.play(HttpError(status, "sorry", retry_after_s=7))
    with pytest.raises(error, match="sorry") as raised:
        messages.create(**GO)
    assert raised.value.response.headers["retry-after"] == "7"


def test_counting_tokens_takes_no_answer(messages):
    """Counting tokens does not use up a step of the script."""
    messages.play("one")
    assert messages.count_tokens(model="m", messages=GO["messages"]).input_tokens > 0
    assert messages.create(**GO).content[0].text == "one"
