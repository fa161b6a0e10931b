"""What is special to Haystack: histories that say the same, pipelines in pipelines, generators inside of components."""

import asyncio
from contextlib import contextmanager

import pytest

pytest.importorskip("haystack")

from haystack import Pipeline, SuperComponent, component
from haystack.components.agents import Agent
from haystack.components.builders import ChatPromptBuilder
from haystack.core.errors import PipelineRuntimeError
from haystack.dataclasses import ChatMessage, StreamingChunk
from haystack.tracing import Span, Tracer, disable_tracing, enable_tracing

from support.drivers.haystack_wire import HaystackOverTheWire
from turnspan.testing.adapters import recorded


@component
class Echo:
    """A generator of the program's own, which streams if it is asked to."""

    model = "echo"

    @component.output_types(replies=list[ChatMessage])
    def run(self, messages: list[ChatMessage], tools: list | None = None, streaming_callback=None):
        if streaming_callback is not None:
            streaming_callback(StreamingChunk("heard"))
        return {"replies": [ChatMessage.from_assistant("heard", meta={"usage": {"prompt_tokens": 10}})]}


@component
class Judge:
    """A component that asks a model, and has no reply of it."""

    def __init__(self, chat_generator):
        self.chat_generator = chat_generator

    @component.output_types(good=bool)
    def run(self, text: str):
        return {"good": bool(self.chat_generator.run([ChatMessage.from_user(text)])["replies"])}


@pytest.fixture
def recording():
    with recorded(HaystackOverTheWire()) as made:
        yield made


def _asked(generator):
    made = Pipeline()
    made.add_component("prompt", ChatPromptBuilder([ChatMessage.from_user("Say {{ word }}")]))
    made.add_component("llm", generator)
    made.connect("prompt", "llm.messages")
    return made


def test_two_that_greet_alike_are_kept_apart(recording):
    """The runtime has no sessions: of two histories with the same words, each goes on with its own."""
    agent = Agent(chat_generator=Echo())
    histories = [agent.run(messages=[ChatMessage.from_user("hi")])["messages"] for _ in range(2)]
    for history, prompt in zip(histories, "ab", strict=True):
        agent.run(messages=[*history, ChatMessage.from_user(prompt)])
    said = [[turn.prompt for turn in session.turns] for session in recording.sessions]
    assert sorted(said) == [["hi", "a"], ["hi", "b"]]


def test_a_history_that_was_kept_elsewhere_is_known_by_what_was_said(recording):
    """A program that stores its messages as JSON, without the system prompt, goes on with the session."""
    agent = Agent(chat_generator=Echo(), system_prompt="Listen.")
    history = agent.run(messages=[ChatMessage.from_user("hi")])["messages"]
    kept = [message.to_dict() for message in history if message.role.value != "system"]
    agent.run(messages=[*map(ChatMessage.from_dict, kept), ChatMessage.from_user("a")])
    assert [turn.prompt for turn in recording.session.turns] == ["hi", "a"]


def test_a_component_that_is_a_pipeline_is_a_part_of_the_turn(recording):
    """One turn, whatever it is made of; its answer is what comes out."""
    outer = Pipeline()
    outer.add_component("inner", SuperComponent(_asked(Echo()), output_mapping={"llm.replies": "replies"}))
    outer.run({"inner": {"word": "so"}})
    turn = recording.turn
    assert (turn.agent_id, turn.prompt, turn.response_content) == ("Pipeline", "so", "heard")
    assert len(turn.metadata["turnspan"]["model_calls"]) == 1
    assert recording.unresolved() == []


def test_a_component_with_a_generator_inside_of_it_asks_in_a_turn(recording):
    """A judge, a ranker or an extractor keeps what its model said to itself: the call is on record all the same."""
    judging = Pipeline()
    judging.add_component("judge", Judge(Echo()))
    judging.run({"judge": {"text": "fine"}})
    turn = recording.turn
    assert (turn.prompt, turn.response_content) == ("fine", '{"judge":{"good":true}}')
    assert [call["model"] for call in turn.metadata["turnspan"]["model_calls"]] == ["echo"]


def test_a_pipeline_that_asks_no_model_is_no_turn(recording):
    """One that writes documents is a program's business."""
    quiet = Pipeline()
    quiet.add_component("prompt", ChatPromptBuilder([ChatMessage.from_user("Say {{ word }}")]))
    quiet.run({"word": "so"})
    assert recording.sessions == []


def test_the_first_chunk_of_a_stream_has_its_time(recording):
    """Chunks go to a callback of the program's, which is called as ever."""
    chunks = []
    _asked(Echo()).run({"prompt": {"word": "so"}, "llm": {"streaming_callback": chunks.append}})
    assert [chunk.content for chunk in chunks] == ["heard"]
    (call,) = recording.turn.metadata["turnspan"]["model_calls"]
    assert call["first_chunk_ms"] >= 0


def test_the_place_for_a_tracer_is_the_programs(recording):
    """Its own tracer gets what it would get."""
    names = []

    class Named(Span):
        def set_tag(self, key, value):
            pass

    class Names(Tracer):
        @contextmanager
        def trace(self, operation_name, tags=None, parent_span=None):
            names.append(operation_name)
            yield Named()

        def current_span(self):
            return None

    enable_tracing(Names())
    try:
        _asked(Echo()).run({"word": "so"})
    finally:
        disable_tracing()
    assert names == ["haystack.pipeline.run", "haystack.component.run", "haystack.component.run"]
    assert recording.turn.status == "success"


def test_a_generator_that_is_defined_anew_is_watched(recording):
    """A cell of a notebook is run again: its class takes the place of the one before it."""
    for word in ("so", "well"):

        @component
        class Again:
            @component.output_types(replies=list[str])
            def run(self, messages: list[ChatMessage]):
                return {"replies": ["heard"]}

        _asked(Again()).run({"word": word})
    calls = [turn.metadata["turnspan"]["model_calls"] for session in recording.sessions for turn in session.turns]
    assert [len(asked) for asked in calls] == [1, 1]


def test_what_came_before_a_step_failed_is_no_answer(recording):
    """An asynchronous run yields what each component put out: a turn that failed has no response."""

    @component
    class Fails:
        @component.output_types(text=str)
        def run(self, replies: list[ChatMessage]):
            raise ValueError("no")

    failing = _asked(Echo())
    failing.add_component("fails", Fails())
    failing.connect("llm.replies", "fails.replies")
    with pytest.raises(PipelineRuntimeError):
        asyncio.run(failing.run_async({"word": "so"}))
    assert (recording.turn.status, recording.turn.response_content) == ("error", None)
