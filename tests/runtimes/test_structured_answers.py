"""Structured output over the wire: the program gets what it gets without turnspan, and the answer is on record."""

import warnings

import pytest

pytest.importorskip("openai")
from pydantic import BaseModel

from support.answers import asked, check
from support.model_server import Answer, ToolCall
from support.model_server.clients import anthropic_client, openai_client

GO = {"model": "m", "messages": [{"role": "user", "content": "go"}]}
ROME = '{"name": "Rome"}'


class City(BaseModel):
    name: str


def parse(model):
    return model.chat.completions.parse(**GO, response_format=City).choices[0].message.parsed


def beta_parse(model):
    return model.beta.chat.completions.parse(**GO, response_format=City).choices[0].message.parsed


def raw_parse(model):
    return model.chat.completions.with_raw_response.parse(**GO, response_format=City).parse().choices[0].message.parsed


def helper(model):
    with model.chat.completions.stream(**GO, response_format=City) as stream:
        return stream.get_final_completion().choices[0].message.parsed


def responses_parse(model):
    return model.responses.parse(model="m", input="go", text_format=City).output_parsed


def responses_helper(model):
    with model.responses.stream(model="m", input="go", text_format=City) as stream:
        return stream.get_final_response().output_parsed


WAYS = [parse, beta_parse, raw_parse, helper, responses_parse, responses_helper]
ANSWERS = {
    "an answer": (Answer(ROME), {"status": "success", "response": ROME}),
    "what is no JSON": (Answer("Rome!"), {"kept": "Rome!"}),
    "what was cut": (Answer('{"na', finish="length"), {"kept": '{\\"na', "finish": ["length"]}),
    "what was filtered": (Answer(finish="content_filter"), {"finish": ["content_filter"]}),
    "a refusal": (Answer(refusal="I can not"), {"kept": "I can not"}),
}


def _outcome(server, way):
    with openai_client(server) as model:
        try:
            return way(model)
        except Exception as error:
            return type(error)


def _cases():
    return [pytest.param(name, way, id=f"{name}, {way.__name__}") for name in ANSWERS for way in WAYS]


@pytest.mark.parametrize(("name", "way"), _cases())
def test_what_the_client_makes_of_an_answer_is_as_ever_and_the_answer_is_on_record(name, way, model_server):
    """Also where the client refuses the answer; and turnspan warns of nothing, with warnings as errors."""
    answer, expected = ANSWERS[name]
    if way.__name__.startswith("responses") and answer.finish:
        answer = Answer(answer.text, status="incomplete", finish=answer.finish)
    model_server.play([answer])
    plain, seen = _outcome(model_server, way), []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with asked(model_server, "openai", lambda server: seen.append(_outcome(server, way)), answer) as recording:
            assert seen == [plain]
            if way is responses_helper and name == "what was cut":  # refused before the provider says why it ended
                expected = {"kept": '{\\"na', "status": "cancelled"}
            check(recording, expected)


# By way of a tool -----------------------------------------------------------------------------------------------------

CALLED = Answer(tool_calls=[ToolCall("city", {"name": "Rome"}, "c1")])
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}}
CHAT = {
    "tools": [{"type": "function", "function": {"name": "city", "parameters": SCHEMA}}],
    "tool_choice": {"type": "function", "function": {"name": "city"}},
}
RESPONSES = {
    "tools": [{"type": "function", "name": "city", "parameters": SCHEMA}],
    "tool_choice": {"type": "function", "name": "city"},
}
MESSAGES = {"tools": [{"name": "city", "input_schema": SCHEMA}], "tool_choice": {"type": "tool", "name": "city"}}


def by_chat(server):
    with openai_client(server) as model:
        model.chat.completions.create(**GO, **CHAT)


def by_streamed_chat(server):
    with openai_client(server) as model:
        list(model.chat.completions.create(**GO, **CHAT, stream=True))


def by_responses(server):
    with openai_client(server) as model:
        model.responses.create(model="m", input="go", **RESPONSES)


def by_messages(server):
    pytest.importorskip("anthropic")
    with anthropic_client(server) as model:
        model.messages.create(**GO, max_tokens=9, **MESSAGES)


@pytest.mark.parametrize("way", [by_chat, by_streamed_chat, by_responses, by_messages])
def test_the_arguments_of_the_tool_that_a_model_must_call_are_its_answer(way, model_server):
    """Whoever asks so runs no tool, and sends nothing back: the turn ends with the answer, not with the process."""
    with asked(model_server, "openai,anthropic", way, CALLED) as recording:
        check(recording, {"status": "success", "response": ROME, "tools": []})


def test_a_tool_that_a_model_must_call_and_that_is_run_is_on_record(model_server):
    """The result goes on with the session, and says what was run."""

    def loop(server):
        with openai_client(server) as model:
            first = model.chat.completions.create(**GO, **CHAT).choices[0].message
            result = {"role": "tool", "tool_call_id": "c1", "content": "a city"}
            model.chat.completions.create(model="m", messages=[*GO["messages"], first, result])

    with asked(model_server, "openai", loop, CALLED, Answer("done")) as recording:
        answered, went_on = recording.session.turns
        assert (answered.response_content, went_on.response_content) == (ROME, "done")
        (call,) = went_on.tool_calls
        assert (call.tool_name, call.arguments, call.result, call.status) == (
            "city",
            {"name": "Rome"},
            "a city",
            "success",
        )
