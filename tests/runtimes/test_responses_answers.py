"""The responses API over the wire: every answer that the provider is known to give, asked for in every way."""

import asyncio

import pytest

pytest.importorskip("openai")
from support.answers import asked, cases, check
from support.model_server import (
    Answer,
    Background,
    Disconnect,
    HostedTool,
    HttpError,
    Shape,
    StreamError,
    ToolCall,
    Usage,
)
from support.model_server.clients import openai_client
from support.model_server.response_items import (
    apply_patch_call,
    computer_call,
    custom_tool_call,
    local_shell_call,
    mcp_approval_request,
    shell_call,
)

GO = {"model": "m", "input": "go"}
USED = Usage(9, 5, cached_tokens=4, reasoning_tokens=3)
TWO = [ToolCall("add", {"a": 1}, "c1"), ToolCall("mul", {"b": 2}, "c2")]
HOSTED = {
    "web_search": HostedTool("web_search", {"query": "rome"}, ["https://example.com"], "ws_1"),
    "file_search": HostedTool("file_search", {"query": "rome"}, ["a city"], "fs_1"),
    "code_interpreter": HostedTool("code_interpreter", {"code": "print(1)"}, "1", "ci_1"),
    "image_generation": HostedTool("image_generation", {"prompt": "a cat"}, "aGk=", "ig_1"),
    "lookup": HostedTool("mcp", {"q": "x"}, "found", "mcp_1"),
}


GIVEN = {
    "web_search": {"type": "search", "query": "rome", "queries": ["rome"]},
    "file_search": {"queries": ["rome"]},
    "code_interpreter": {"code": "print(1)"},
    "image_generation": {"revised_prompt": "a cat"},
    "lookup": {"q": "x"},
}
"""What the provider says that its tools were called with."""


def create(server):
    with openai_client(server) as model:
        model.responses.create(**GO)


def raw(server):
    with openai_client(server) as model:
        model.responses.with_raw_response.create(**GO).parse()


def stream(server):
    with openai_client(server) as model:
        list(model.responses.create(**GO, stream=True))


def helper(server):
    with openai_client(server) as model, model.responses.stream(**GO) as events:
        list(events)


def async_create(server):
    async def main():
        async with openai_client(server, asynchronous=True) as model:
            await model.responses.create(**GO)

    asyncio.run(main())


def async_stream(server):
    async def main():
        async with openai_client(server, asynchronous=True) as model:
            async for _ in await model.responses.create(**GO, stream=True):
                pass

    asyncio.run(main())


WAYS = {
    "create": create, "raw": raw, "stream": stream, "helper": helper, "async create": async_create,
    "async stream": async_stream,
}  # fmt: skip
ANSWERS = {
    "text": (Answer("hi there", usage=USED), {
        "status": "success", "response": "hi there", "finish": ["stop"], "usage": (9, 5, 4, 3), "tools": [],
    }),
    "no usage": (Answer("hi", usage=None), {"status": "success", "usage": (None,) * 4}),
    "tools": (Answer(tool_calls=TWO), {
        "status": "running", "tools": [("add", {"a": 1}, "running"), ("mul", {"b": 2}, "running")],
    }),
    "custom tool": (Answer(items=[custom_tool_call("k1", "grep", "needle")]), {
        "status": "running", "tools": [("grep", {"input": "needle"}, "running")],
    }),
    "refusal": (Answer(refusal="I can not"), {"status": "success", "response": "I can not", "kept": "I can not"}),
    "reasoning": (Answer("x", thinking="hm hm"), {"status": "success", "response": "x", "kept": "hm hm"}),
    "incomplete": (Answer("hal", status="incomplete"), {"response": "hal", "finish": ["max_output_tokens"]}),
    "content filter": (Answer(status="incomplete", finish="content_filter"), {"finish": ["content_filter"]}),
    "failed": (Answer(status="failed", error=StreamError("it fell over")), {
        "status": "error", "call": "error", "error": "it fell over",
    }),
    "cancelled": (Answer(status="cancelled"), {"only": "whole", "status": "cancelled", "call": "cancelled"}),
    "server error": (HttpError(500, "fell over"), {"status": "error", "error": "fell over"}),
    "connection closed": (Disconnect(), {"status": "error", "error": "Connection error"}),
    "comments": (Answer("hel lo", shape=Shape(keep_alive=True)), {"status": "success", "response": "hel lo"}),
    "error in the middle": (Answer("hel lo", breaks=StreamError("too much")), {
        "only": "streamed", "status": "error", "call": "error", "error": "too much", "kept": "hel lo",
    }),
    "cut in the middle": (Answer("hel lo", breaks=Disconnect()), {
        "only": "streamed", "status": "error", "call": "error", "kept": "hel lo",
    }),
    **{f"hosted {name}": (Answer("found", hosted=[tool]), {
        "status": "success", "response": "found", "tools": [(name, GIVEN[name], "success")], "kept": tool.call_id,
    }) for name, tool in HOSTED.items()},
    "hosted lookup that fails": (Answer("sorry", hosted=[HostedTool("mcp", {}, error="no such page")]), {
        "status": "success", "response": "sorry", "tools": [("lookup", {}, "error")], "kept": "no such page",
    }),
}  # fmt: skip


@pytest.mark.parametrize(("ask", "answer", "expected"), cases(ANSWERS, WAYS))
def test_an_answer_is_on_record_as_the_provider_gave_it(ask, answer, expected, model_server):
    """Text, usage, ids, status and errors of every kind of answer are those of the client."""
    with asked(model_server, "openai", ask, answer) as recording:
        check(recording, expected)


ITEMS = {
    "computer": (
        computer_call("k1", {"type": "screenshot"}),
        {"type": "computer_call_output", "call_id": "k1", "output": {"type": "computer_screenshot", "image_url": "x"}},
    ),
    "local_shell": (
        local_shell_call("k1", ["ls"]),
        {"type": "local_shell_call_output", "id": "k1", "output": "a.txt"},
    ),
    "shell": (
        shell_call("k1", ["ls"]),
        {"type": "shell_call_output", "call_id": "k1", "output": [{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]},
    ),
    "apply_patch": (
        apply_patch_call("k1", {"type": "delete_file", "path": "x"}),
        {"type": "apply_patch_call_output", "call_id": "k1", "status": "completed", "output": "ok"},
    ),
    "grep": (
        custom_tool_call("k1", "grep", "needle"),
        {"type": "custom_tool_call_output", "call_id": "k1", "output": "hay"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ITEMS)
@pytest.mark.parametrize("streamed", [False, True])
def test_what_the_program_runs_for_the_provider_is_a_tool_call_of_the_turn(name, streamed, model_server):
    """Computer, shells and patches are named by the provider and run by the program: the turn goes on with the output."""
    item, output = ITEMS[name]

    def loop(server):
        with openai_client(server) as model:
            items = [{"role": "user", "content": "go"}]
            first = _ask(model, items, streamed)
            _ask(model, [*items, *(one.to_dict() for one in first.output), output], streamed)

    with asked(model_server, "openai", loop, Answer(items=[item]), "done") as recording:
        turn = recording.turn
        assert (turn.prompt, turn.response_content, turn.status) == ("go", "done", "success")
        assert [(call.tool_name, call.status) for call in turn.tool_calls] == [(name, "success")]
        assert len(turn.metadata["turnspan"]["model_calls"]) == 2
        assert recording.unresolved() == []


def _ask(model, items, streamed):
    if not streamed:
        return model.responses.create(model="m", input=items)
    return list(model.responses.create(model="m", input=items, stream=True))[-1].response


@pytest.mark.parametrize("approve", [True, False])
def test_a_question_for_approval_does_not_end_the_turn(approve, model_server):
    """The answer to it goes on with the turn in which it was asked."""

    def loop(server):
        with openai_client(server) as model:
            asks = model.responses.create(**GO)
            said = {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": approve}
            model.responses.create(model="m", previous_response_id=asks.id, input=[said])

    script = [Answer(items=[mcp_approval_request("mcpr_1", "roll", {"sides": 6})]), "done"]
    with asked(model_server, "openai", loop, *script) as recording:
        turn = recording.turn
        assert (turn.prompt, turn.response_content, turn.status) == ("go", "done", "success")


def _in_background(server, *, cancel=False):
    with openai_client(server) as model:
        made = model.responses.create(**GO, background=True)
        if cancel:
            model.responses.cancel(made.id)
        while made.status in ("queued", "in_progress"):
            made = model.responses.retrieve(made.id)


def test_an_answer_in_the_background_is_the_one_that_is_retrieved(model_server):
    """The call ends with what ``retrieve`` brings, not with the empty answer before it."""
    with asked(
        model_server, "openai", _in_background, Background(Answer("the answer", usage=USED), polls=2)
    ) as recording:
        check(recording, {"status": "success", "response": "the answer", "usage": (9, 5, 4, 3)})


@pytest.mark.parametrize("how", ["failed", "cancelled"])
def test_an_answer_in_the_background_that_comes_to_nothing_is_no_success(how, model_server):
    """A background answer that fails or is cancelled is an error or cancelled."""
    answer = Answer(status="failed", error=StreamError("it fell over")) if how == "failed" else Answer("never")
    with asked(
        model_server, "openai", lambda s: _in_background(s, cancel=how == "cancelled"), Background(answer)
    ) as recording:
        check(recording, {"status": "error" if how == "failed" else "cancelled"})
