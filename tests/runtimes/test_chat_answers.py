"""Chat completions over the wire: every answer that a provider is known to give, asked for in every way."""

import asyncio

import pytest

pytest.importorskip("openai")
from support.answers import asked, cases, check
from support.model_server import Answer, Disconnect, HttpError, Shape, StreamError, ToolCall, Usage
from support.model_server.clients import openai_client

GO = {"model": "m", "messages": [{"role": "user", "content": "go"}]}
INCLUDE = {"stream_options": {"include_usage": True}}
USED = Usage(9, 5, cached_tokens=4, reasoning_tokens=3)
TWO = [ToolCall("add", {"a": 1}, "c1"), ToolCall("mul", {"b": 2}, "c2")]
TWO_RUN = [("add", {"a": 1}, "running"), ("mul", {"b": 2}, "running")]


def create(server):
    with openai_client(server) as model:
        model.chat.completions.create(**GO)


def raw(server):
    with openai_client(server) as model:
        model.chat.completions.with_raw_response.create(**GO).parse()


def stream(server, **more):
    with openai_client(server) as model:
        list(model.chat.completions.create(**GO, stream=True, **(more or INCLUDE)))


def helper(server):
    with openai_client(server) as model, model.chat.completions.stream(**GO, **INCLUDE) as events:
        list(events)


def async_create(server):
    async def main():
        async with openai_client(server, asynchronous=True) as model:
            await model.chat.completions.create(**GO)

    asyncio.run(main())


def async_stream(server):
    async def main():
        async with openai_client(server, asynchronous=True) as model:
            async for _ in await model.chat.completions.create(**GO, stream=True, **INCLUDE):
                pass

    asyncio.run(main())


def stream_without_options(server):
    with openai_client(server) as model:
        list(model.chat.completions.create(**GO, stream=True))


WAYS = {
    "create": create, "raw": raw, "stream": stream, "helper": helper, "async create": async_create,
    "async stream": async_stream,
}  # fmt: skip
ANSWERS = {
    "text": (Answer("hi there", usage=USED), {
        "status": "success", "response": "hi there", "finish": ["stop"], "usage": (9, 5, 4, 3), "tools": [],
    }),
    "no usage": (Answer("hi", usage=None), {"status": "success", "usage": (None,) * 4}),
    "tools": (Answer(tool_calls=TWO), {"status": "running", "call": "success", "tools": TWO_RUN}),
    "broken arguments": (Answer(tool_calls=[ToolCall("add", '{"a": ', "c1")]), {
        "status": "running", "tools": [("add", {"input": '{"a": '}, "running")],
    }),
    "legacy function": (Answer(tool_calls=[ToolCall("add", {"a": 1}, legacy=True)]), {
        "status": "running", "tools": [("add", {"a": 1}, "running")], "finish": ["function_call"],
    }),
    "refusal": (Answer(refusal="I can not"), {"status": "success", "response": "I can not", "kept": "I can not"}),
    "reasoning": (Answer("x", thinking="hm hm"), {"status": "success", "response": "x", "kept": "hm hm"}),
    "two choices": (Answer("one", alternatives=[Answer("two")]), {"response": "one", "kept": "two"}),
    "length": (Answer("hal", finish="length"), {"response": "hal", "finish": ["length"]}),
    "content filter": (Answer(finish="content_filter"), {"finish": ["content_filter"]}),
    "a request that is filtered": (HttpError(400, "filtered", code="content_filter"), {
        "status": "error", "call": "error", "error": "filtered",
    }),
    "too many requests": (HttpError(429, "slow down"), {"status": "error", "error": "slow down"}),
    "server error": (HttpError(500, "fell over"), {"status": "error", "error": "fell over"}),
    "connection closed": (Disconnect(), {"status": "error", "error": "Connection error"}),
    "azure": (Answer("hel lo", shape=Shape(azure=True)), {"status": "success", "response": "hel lo", "finish": ["stop"]}),
    "no finish reason": (Answer("hel lo", shape=Shape(finish=False, done=False)), {
        "only": "streamed", "status": "success", "response": "hel lo",
    }),
    "comments": (Answer("hel lo", shape=Shape(keep_alive=True)), {"status": "success", "response": "hel lo"}),
    "calls at one index": (Answer(tool_calls=TWO, shape=Shape(tool_index="same")), {
        "only": "streamed", "status": "running", "tools": TWO_RUN,
    }),
    "calls without an index": (Answer(tool_calls=TWO, shape=Shape(tool_index="none")), {
        "only": "streamed", "refused by": "helper", "status": "running", "tools": TWO_RUN,
    }),
    "error in the middle": (Answer("hel lo", breaks=StreamError("too much")), {
        "only": "streamed", "status": "error", "call": "error", "error": "too much", "kept": "hel lo",
    }),
    "cut in the middle": (Answer("hel lo", breaks=Disconnect()), {
        "only": "streamed", "status": "error", "call": "error", "kept": "hel lo",
    }),
}  # fmt: skip


@pytest.mark.parametrize(("ask", "answer", "expected"), cases(ANSWERS, WAYS))
def test_an_answer_is_on_record_as_the_provider_gave_it(ask, answer, expected, model_server):
    """Text, usage, ids, finish reasons and errors of every kind of answer are those of the client."""
    with asked(model_server, "openai", ask, answer) as recording:
        check(recording, expected)


@pytest.mark.parametrize("where", ["always", "each", "finish"])
def test_usage_counts_wherever_a_server_says_it(where, model_server):
    """Nobody asked for it; it may be in one chunk or in each."""
    answer = Answer("hi there", usage=USED, shape=Shape(usage=where))
    with asked(model_server, "openai", stream_without_options, answer) as recording:
        check(recording, {"status": "success", "response": "hi there", "usage": (9, 5, 4, 3)})
