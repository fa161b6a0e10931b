"""Blocks hold where code runs in one context, and are refused in streams, whose steps run in their readers'."""

import asyncio
import contextlib
import contextvars
import logging

import pytest
from opentelemetry import context

import turnspan
from turnspan import BlockInGeneratorError
from turnspan.events import ToolCallStarted, TurnStarted


def words(user):
    with turnspan.session(user), turnspan.turn(agent="s", prompt=user):
        yield "one"


async def async_words(user):
    async with turnspan.turn(agent="s", prompt=user):
        yield "one"


async def async_words_in_plain_with(user):
    with turnspan.turn(agent="s", prompt=user):
        yield "one"


def test_a_block_around_a_yield_is_refused_with_the_decorator_named(recording):
    """Between two items the reader's code would run inside of the block, and so would other users' streams."""
    with pytest.raises(BlockInGeneratorError, match=r"around the yield of words\(\).*@turnspan\.session\(\.\.\.\)"):
        next(words("ann"))
    assert turnspan.current_session() is None
    assert recording.sessions == []


@pytest.mark.parametrize("stream", [async_words, async_words_in_plain_with])
def test_a_block_in_an_asynchronous_generator_is_refused(recording, stream):
    """Whether it is entered by ``with`` or by ``async with``."""

    async def read():
        async for _ in stream("ann"):
            pass

    with pytest.raises(BlockInGeneratorError, match=r"@turnspan\.turn"):
        asyncio.run(read())
    assert recording.sessions == []


def test_a_block_that_is_left_before_the_next_yield_holds(recording):
    """In a generator, too: its step is whole. A function that is defined in it has yields of its own."""

    def stream():
        for number in range(2):
            with turnspan.session("s"), turnspan.turn() as turn:

                def inner():
                    yield 1

                turn.response = next(inner())
            yield turnspan.current_session()

    assert [step for step in stream()] == [None, None]
    assert len(recording.session.turns) == 2


def test_a_disabled_turnspan_refuses_nothing():
    """What does nothing cannot be wrong."""
    turnspan.configure(disabled=True)
    assert list(words("ann")) == ["one"]


def test_decorated_streams_that_are_read_by_turns_keep_their_sessions_apart(recording):
    """Two users, one thread, each step in a context of its own: each tool call is in its own user's turn."""

    def stream(user):
        @turnspan.turn(agent="s", session=user)
        def answer(prompt):
            for number in range(3):
                with turnspan.tool("step", number=number) as call:
                    call.result = turnspan.current_session()
                yield number

        return answer("q")

    streams = {user: stream(user) for user in ("ann", "bob")}
    for _ in range(4):
        for one in streams.values():
            contextvars.copy_context().run(next, one, None)
            assert turnspan.current_session() is None
    found = {session.session_id: session.turns for session in recording.sessions}
    assert {user: [call.result for call in turns[0].tool_calls] for user, turns in found.items()} == {
        "ann": ["ann"] * 3,
        "bob": ["bob"] * 3,
    }


def test_a_stream_that_is_made_in_a_session_belongs_to_it(recording):
    """As a web handler makes it: the session around the call, the stream read later, elsewhere."""

    @turnspan.turn(agent="s")
    async def answer(prompt):
        for number in range(2):
            with turnspan.tool("step", number=number):
                yield number
                turnspan.note("inside", number)

    async def main():
        with turnspan.session("ann"):
            stream = answer("q")
        return [number async for number in stream]

    assert asyncio.run(main()) == [0, 1]
    assert recording.session.session_id == "ann"
    inside = {span.name: [event.name for event in span.events] for span in recording.spans}
    assert inside["execute_tool step"] == ["inside"], "what is current in a step is current in the next"


def test_a_decorated_stream_keeps_what_the_program_made_current(recording):
    """Between two of its steps nothing of it is current; in each step everything is that would be without us."""
    key = "program's own"

    @turnspan.turn
    def stream(prompt):
        token = context.attach(context.set_value(key, "inside"))
        yield context.get_value(key)
        yield context.get_value(key)
        context.detach(token)
        yield context.get_value(key)

    seen = [(step, context.get_value(key)) for step in stream("q")]
    assert seen == [("inside", None), ("inside", None), (None, None)]


@contextlib.contextmanager
def support():
    with turnspan.session("support"):
        yield


@contextlib.asynccontextmanager
async def async_support():
    with turnspan.session("support"):
        yield


def test_context_managers_made_of_generators_may_hold_blocks(recording):
    """They yield once, and what they make current is meant for the code inside."""
    with support(), turnspan.turn():
        assert turnspan.current_session() == "support"

    async def main():
        async with async_support():
            with turnspan.turn():
                return turnspan.current_session()

    assert asyncio.run(main()) == "support"
    assert len(recording.session.turns) == 2


@pytest.fixture
def in_a_session(recording):
    with turnspan.session("fixture"):
        yield


def test_fixtures_may_hold_blocks(in_a_session):
    """The fixture above is entered; whether its test sees the session is pytest's to decide."""


def test_a_block_that_is_left_in_another_context_is_quiet(recording, caplog):
    """FastAPI runs a dependency's two halves in two contexts: nothing is detached where nothing was attached."""
    block = support()
    with caplog.at_level(logging.WARNING):
        contextvars.copy_context().run(block.__enter__)
        assert contextvars.copy_context().run(block.__exit__, None, None, None) is False
    assert caplog.records == []


def test_everything_outside_of_a_turn_gets_one(recording):
    """One rule for every word: nothing vanishes, and each audit event is in record, trace and log."""
    with turnspan.session("s"):
        turnspan.note("feedback", {"stars": 5})
        turnspan.handoff("billing", reason="money", from_agent="triage")
        with turnspan.tool("look"):
            pass
    noted, handed, looked = recording.session.turns
    assert noted.metadata["turnspan"]["notes"][0]["data"] == {"stars": 5}
    (transition,) = recording.session.agent_transitions
    assert (transition.from_agent, transition.to_agent, transition.turn_id) == ("triage", "billing", handed.turn_id)
    assert looked.tool_calls[0].tool_name == "look"
    assert recording.unresolved() == []


def test_a_note_outside_of_every_session_is_not_lost(recording):
    """It gets a session, as a tool call does."""
    turnspan.note("approval", "granted")
    assert recording.turn.metadata["turnspan"]["notes"][0]["name"] == "approval"


def test_a_session_is_begun_with_the_names_of_start_session(recording):
    """``workspace_id agent_id metadata parent_session_id``, as the manager has them."""
    given = {"workspace_id": "w", "agent_id": "a", "metadata": {"k": 1}, "parent_session_id": "monday"}
    with turnspan.session("tuesday", **given), turnspan.turn():
        pass
    session = recording.session
    assert (session.workspace_id, session.agent_id, session.metadata["k"]) == ("w", "a", 1)
    assert session.parent_session_id == "monday"
    assert turnspan.SessionManager(turnspan.InMemorySessionStore()).start_session(**given).parent_session_id == "monday"


@pytest.mark.parametrize(
    "event", [TurnStarted(session_id="s"), ToolCallStarted(session_id="s", call_id="c", tool_name="t")]
)
def test_an_event_without_its_turn_is_reported(event):
    """It belongs to no turn, so that no record could have it; it names itself, and the agent goes on."""
    from turnspan.testing import record

    with record(strict=False) as recording:
        recording.recorder.emit(event)
        assert recording.problems == {"recorder: ValueError": 1}
        assert recording.sessions == []
    with record() as recording, pytest.raises(ValueError, match=f"{event.event_id}.*has no turn_id"):
        recording.recorder.emit(event)
