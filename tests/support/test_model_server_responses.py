"""The scripted model server's responses, through the real client: every item, every ending, in the background too."""

import asyncio
import json

import pytest

pytest.importorskip("openai")
import openai
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

from support.model_server import Answer, Background, Disconnect, HostedTool, HttpError, StreamError, ToolCall, Usage
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
EVENT = TypeAdapter(ResponseStreamEvent)
HOSTED = [
    HostedTool("web_search", {"query": "rome"}, ["https://example.com"], "ws_1"),
    HostedTool("file_search", {"query": "rome"}, ["a city"], "fs_1"),
    HostedTool("code_interpreter", {"code": "print(1)"}, "1\n", "ci_1"),
    HostedTool("image_generation", {"prompt": "a cat"}, "aGk=", "ig_1"),
    HostedTool("mcp", {"q": "x"}, "found", "mcp_1"),
    HostedTool("mcp", {"q": "y"}, call_id="mcp_2", error="no such page"),
]
ITEMS = [
    computer_call("k1", {"type": "click", "button": "left", "x": 1, "y": 2}),
    local_shell_call("k2", ["ls"]),
    shell_call("k3", ["ls"]),
    apply_patch_call("k4", {"type": "delete_file", "path": "x"}),
    custom_tool_call("k5", "grep", "needle"),
    mcp_approval_request("mcpr_1", "roll", {"sides": 6}),
]
ANSWERS = {
    "text": Answer("hello there"),
    "tools": Answer(tool_calls=[ToolCall("add", {"a": 1, "b": 2}, "c1"), ToolCall("shout", {"text": "hi"}, "c2")]),
    "refusal": Answer(refusal="I can not"),
    "thinking": Answer("x", thinking="hm hm"),
    "hosted tools": Answer("found", hosted=HOSTED),
    "the program's tools": Answer(items=ITEMS),
    "incomplete": Answer("hal", status="incomplete"),
    "filtered": Answer(status="incomplete", finish="content_filter"),
    "failed": Answer(status="failed", error=StreamError("it fell over")),
}


class City(BaseModel):
    name: str


@pytest.fixture
def responses(model_server):
    """A client's responses, whose answers are set by ``play``."""
    with openai_client(model_server) as model:
        model.responses.play = lambda *script: model_server.play(script)
        yield model.responses


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_what_is_sent_is_what_the_clients_types_allow_plain_and_streamed_alike(responses, answer):
    """Whole and streamed answers fit the client's types and say the same."""
    responses.play(answer)
    whole = responses.create(**GO)
    Response.model_validate_json(whole.to_json())
    responses.play(answer)
    events = list(responses.create(**GO, stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    for event in events:
        EVENT.validate_json(event.to_json())
    assert json.loads(events[-1].response.to_json()) == json.loads(whole.to_json())
    added = [e.output_index for e in events if e.type == "response.output_item.added"]
    done = [e.output_index for e in events if e.type == "response.output_item.done"]
    assert added == done == list(range(len(whole.output)))


def test_the_streaming_helper_and_structured_output(responses):
    """The streaming helper sees its events, and the parsed object."""
    responses.play('{"name": "Rome"}', '{"name": "Rome"}')
    with responses.stream(**GO, text_format=City) as stream:
        kinds = [event.type for event in stream]
        assert stream.get_final_response().output_parsed == City(name="Rome")
    assert kinds.count("response.output_text.delta") == 2
    assert responses.parse(**GO, text_format=City).output_parsed == City(name="Rome")


def test_an_asynchronous_client_and_raw_responses(model_server):
    """Asynchronous clients and raw responses are served alike."""
    model_server.play(["one", "two"])

    async def main():
        async with openai_client(model_server, asynchronous=True) as model:
            raw = await model.responses.with_raw_response.create(**GO)
            events = [event.type async for event in await model.responses.create(**GO, stream=True)]
            return raw.headers["x-request-id"], raw.parse().output_text, events[-1]

    assert asyncio.run(main()) == ("req_script-1", "one", "response.completed")


def test_a_failed_and_a_cancelled_one_say_so(responses):
    """Status and error are those that the script says."""
    responses.play(ANSWERS["failed"], Answer(status="cancelled"), ANSWERS["filtered"])
    failed, cancelled, filtered = (responses.create(**GO) for _ in range(3))
    assert (failed.status, failed.error.message) == ("failed", "it fell over")
    assert cancelled.status == "cancelled"
    assert (filtered.status, filtered.incomplete_details.reason) == ("incomplete", "content_filter")


def test_an_answer_in_the_background_is_ready_after_it_was_asked_for(responses):
    """A background answer is queued until it was asked for often enough."""
    responses.play(Background(Answer("the answer"), polls=2))
    made = responses.create(**GO, background=True)
    seen = [made.status]
    while made.status in ("queued", "in_progress"):
        made = responses.retrieve(made.id)
        seen.append(made.status)
    assert seen == ["queued", "in_progress", "in_progress", "completed"]
    assert made.output_text == "the answer"
    responses.delete(made.id)
    with pytest.raises(openai.NotFoundError):
        responses.retrieve(made.id)


def test_an_answer_in_the_background_can_be_cancelled_and_streamed(responses):
    """A background answer can be cancelled, or read as a stream."""
    responses.play(Background(Answer("the answer")), Background(Answer("the answer")))
    ident = responses.create(**GO, background=True).id
    assert responses.cancel(ident).status == "cancelled"
    assert responses.retrieve(ident).status == "cancelled"
    with responses.create(**GO, background=True, stream=True) as stream:
        first = next(iter(stream))
    rest = list(responses.retrieve(first.response.id, stream=True, starting_after=first.sequence_number))
    assert rest[0].sequence_number == 1
    assert rest[-1].response.output_text == "the answer"


def test_the_response_before_and_the_conversation_are_given_back(responses):
    """Ids that a request names stand in the answer."""
    responses.play("one", "two")
    first = responses.create(**GO)
    second = responses.create(**GO, previous_response_id=first.id)
    assert (first.id, second.id, second.previous_response_id) == ("resp_script-1", "resp_script-2", "resp_script-1")


def test_details_of_usage_and_none_at_all(responses):
    """Usage has its details, or is left out."""
    responses.play(Answer("x", usage=Usage(9, 5, cached_tokens=4, reasoning_tokens=3)), Answer("x", usage=None))
    used = responses.create(**GO).usage
    assert (used.input_tokens_details.cached_tokens, used.output_tokens_details.reasoning_tokens) == (4, 3)
    assert responses.create(**GO).usage is None


def test_a_stream_breaks_after_what_was_said(responses):
    """The error is an event, which the client hands to the program like any other; a lost connection is raised."""
    responses.play(Answer("Hel lo", breaks=StreamError("too much")), Answer("Hel lo", breaks=Disconnect()))
    events = list(responses.create(**GO, stream=True))
    assert (events[-1].type, events[-1].message) == ("error", "too much")
    broken = []
    with pytest.raises(Exception, match=r"(?i)connection"):
        broken.extend(responses.create(**GO, stream=True))  # keeps what came before the error
    for seen in (events, broken):
        assert "".join(event.delta for event in seen if event.type == "response.output_text.delta") == "Hel lo"
        assert not any(event.type.endswith(".done") for event in seen)


def test_http_errors_are_the_clients_own(responses):
    """A status is the client's exception."""
    responses.play(HttpError(429, "sorry", retry_after_s=7))
    with pytest.raises(openai.RateLimitError, match="sorry"):
        responses.create(**GO)
