"""Structured output over the wire: the program gets what it gets without turnspan, and the answer is on record."""

import warnings

import pytest

pytest.importorskip("openai")
from pydantic import BaseModel

from support.answers import asked, check
from support.model_server import Answer
from support.model_server.clients import openai_client

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
