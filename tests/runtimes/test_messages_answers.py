"""Anthropic's messages over the wire: every answer that the provider is known to give, asked for in every way."""

import asyncio

import pytest

pytest.importorskip("anthropic")
from support.answers import asked, cases, check
from support.model_server import Answer, Disconnect, HostedTool, HttpError, Shape, StreamError, ToolCall, Usage
from support.model_server.clients import anthropic_client

GO = {"model": "m", "max_tokens": 99, "messages": [{"role": "user", "content": "go"}]}
USED = Usage(9, 5, cached_tokens=100, cache_write_tokens=7)
OVERLOADED = StreamError("Overloaded", "overloaded_error")


def create(server):
    with anthropic_client(server) as model:
        model.messages.create(**GO)


def raw(server):
    with anthropic_client(server) as model:
        model.messages.with_raw_response.create(**GO).parse()


def beta(server):
    with anthropic_client(server) as model:
        model.beta.messages.create(**GO)


def stream(server):
    with anthropic_client(server) as model:
        list(model.messages.create(**GO, stream=True))


def helper(server):
    with anthropic_client(server) as model, model.messages.stream(**GO) as events:
        events.get_final_message()


def async_create(server):
    async def main():
        async with anthropic_client(server, asynchronous=True) as model:
            await model.messages.create(**GO)

    asyncio.run(main())


def async_helper(server):
    async def main():
        async with anthropic_client(server, asynchronous=True) as model, model.messages.stream(**GO) as events:
            async for _ in events.text_stream:
                pass

    asyncio.run(main())


WAYS = {
    "create": create, "raw": raw, "beta": beta, "stream": stream, "helper": helper, "async create": async_create,
    "async helper": async_helper,
}  # fmt: skip
SEARCH = HostedTool("web_search", {"query": "rome"}, ["https://example.com"])
ANSWERS = {
    "text": (Answer("hi there", usage=USED), {
        "status": "success", "response": "hi there", "finish": ["end_turn"], "usage": (116, 5, 100, None), "tools": [],
    }),
    "tools": (Answer("well", tool_calls=[ToolCall("add", {"a": 1}, "c1"), ToolCall("mul", {"b": 2}, "c2")]), {
        "status": "running", "tools": [("add", {"a": 1}, "running"), ("mul", {"b": 2}, "running")],
    }),
    "refusal": (Answer("I can", refusal="not that"), {"response": "I can", "finish": ["refusal"]}),
    "thinking": (Answer("x", thinking="hm hm"), {"status": "success", "response": "x", "kept": "hm hm"}),
    "length": (Answer("hal", finish="max_tokens"), {"response": "hal", "finish": ["max_tokens"]}),
    "context window": (Answer("hal", finish="model_context_window_exceeded"), {
        "response": "hal", "finish": ["model_context_window_exceeded"],
    }),
    "too many requests": (HttpError(429, "slow down"), {"status": "error", "call": "error", "error": "slow down"}),
    "overloaded": (HttpError(529, "Overloaded"), {"status": "error", "call": "error", "error": "Overloaded"}),
    "connection closed": (Disconnect(), {"status": "error", "error": "Connection error"}),
    "pings": (Answer("hel lo", shape=Shape(keep_alive=True)), {"status": "success", "response": "hel lo"}),
    "usage at both ends": (Answer("x", usage=USED, shape=Shape(usage="always")), {"usage": (116, 5, 100, None)}),
    "usage at the start": (Answer("x", usage=USED, shape=Shape(usage="start")), {"usage": (116, 5, 100, None)}),
    "usage at the end": (Answer("x", usage=USED, shape=Shape(usage="cumulative")), {"usage": (116, 5, 100, None)}),
    "usage of a search": (Answer("found", usage=Usage(100, 5, web_search_requests=1)), {
        "status": "success", "usage": (100, 5, None, None),
    }),
    "error in the middle": (Answer("hel lo", breaks=OVERLOADED), {
        "only": "streamed", "status": "error", "call": "error", "error": "Overloaded", "kept": "hel lo",
    }),
    "cut in the middle": (Answer("hel lo", breaks=Disconnect()), {
        "only": "streamed", "status": "error", "call": "error", "kept": "hel lo",
    }),
    "hosted search": (Answer("found", hosted=[SEARCH]), {
        "status": "success", "response": "found", "tools": [("web_search", {"query": "rome"}, "success")],
    }),
    "hosted search that fails": (Answer("sorry", hosted=[HostedTool("web_search", {}, error="max_uses_exceeded")]), {
        "status": "success", "tools": [("web_search", {}, "error")], "kept": "max_uses_exceeded",
    }),
    "hosted code": (Answer("1", hosted=[HostedTool("code_interpreter", {"code": "print(1)"}, "1")]), {
        "status": "success", "tools": [("code_execution", {"code": "print(1)"}, "success")],
    }),
    "hosted mcp": (Answer("so", hosted=[HostedTool("mcp", {"q": 1}, "found")]), {
        "status": "success", "tools": [("lookup", {"q": 1}, "success")],
    }),
}  # fmt: skip


@pytest.mark.parametrize(("ask", "answer", "expected"), cases(ANSWERS, WAYS))
def test_an_answer_is_on_record_as_the_provider_gave_it(ask, answer, expected, model_server):
    """Text, usage, ids, finish reasons and errors of every kind of answer are those of the client."""
    with asked(model_server, "anthropic", ask, answer) as recording:
        check(recording, expected)
