"""What is open, followed in any stream of events; which event ends which; and what is said of what never ended."""

from typing import get_args

import pytest

from turnspan.events import (
    END_OF,
    ENDS,
    KINDS,
    STARTS,
    AgentEnded,
    AgentStarted,
    Ended,
    HandedOff,
    ModelCallStarted,
    Started,
    ToolCallEnded,
    ToolCallStarted,
    TurnEnded,
    TurnStarted,
    call_id_of,
    end_of,
)
from turnspan.recording.open_turns import OpenTurns

IDS = {"session_id": "s", "turn_id": "t"}


class Item:
    def __init__(self, started):
        self.started = started


def followed(*events):
    turns = OpenTurns()
    for event in events:
        if isinstance(event, ENDS):
            turns.end(event)
        else:
            turns.start(Item(event))
    return turns


def test_every_start_has_its_end_and_every_end_is_of_one_start():
    """A new kind of event that starts something is in the table, or nothing would ever end it."""
    assert (
        set(STARTS)
        == set(get_args(Started))
        == {cls for kind, cls in KINDS.items() if kind.endswith(".started")} - {KINDS["session.started"]}
    )
    assert set(ENDS) == set(get_args(Ended))
    assert len(set(END_OF.values())) == len(END_OF)


@pytest.mark.parametrize("start", STARTS)
def test_the_end_that_is_made_of_a_start_ends_it(start):
    """Recovery, shutdown and adapters that fail end things by their start alone, also where it has no call id."""
    event = start(**IDS, tool_name="f") if start is ToolCallStarted else start(**IDS)
    turns = followed(event)
    end = end_of(event, 5, "the process died")
    assert (end.status, end.error, end.at_ns) == ("cancelled", "the process died", 5)
    _, item = turns.end(end)
    assert item is not None
    assert item.started is event
    assert not turns


def test_a_turn_is_forgotten_when_it_and_its_calls_have_ended():
    """Memory is that of what is open, whatever the order of the ends."""
    call = ToolCallStarted(**IDS, call_id="c", tool_name="f")
    turns = followed(TurnStarted(**IDS), call, TurnEnded(**IDS))
    assert turns.find(call).started is call, "still open: nothing has ended it"
    turns.end(ToolCallEnded(**IDS, call_id="c"))
    assert not turns
    assert turns.end(ToolCallEnded(**IDS, call_id="c"))[1] is None, "an end counts once"


def test_what_nothing_ends_is_ended_innermost_first():
    """A process that stops ends calls before their turn, and says so on the turn."""
    agent, tool = AgentStarted(**IDS, call_id="a"), ToolCallStarted(**IDS, call_id="b", parent_id="a", tool_name="f")
    turns = followed(TurnStarted(**IDS), agent, tool)
    ends = [end for end, _ in turns.ends(9, "the process ended")]
    assert [type(end) for end in ends] == [ToolCallEnded, AgentEnded, TurnEnded]
    assert ends[-1].metadata == {"turnspan": {"interrupted": "the process ended"}}


def test_a_parent_is_the_call_that_is_named_or_else_the_turn():
    """What names no open call happened in the turn."""
    turns = followed(TurnStarted(**IDS), AgentStarted(**IDS, call_id="a"))
    turn = turns.of(TurnStarted(**IDS))
    assert turn.parent_of(ModelCallStarted(**IDS, parent_id="a")).started.call_id == "a"
    assert isinstance(turn.parent_of(ModelCallStarted(**IDS, parent_id="gone")).started, TurnStarted)
    assert isinstance(turn.parent_of(ModelCallStarted(**IDS)).started, TurnStarted)


def test_a_handoff_is_followed_once_by_the_agent_that_it_names():
    """The link from an agent to the handoff that led to it is the same live and when spans are made again."""
    turns = followed(TurnStarted(**IDS))
    turn = turns.of(TurnStarted(**IDS))
    turn.handoff = Item(HandedOff(**IDS, to_agent="billing"))
    assert turn.handoff_to(AgentStarted(**IDS, agent_id="triage")) is None
    assert turn.handoff_to(AgentStarted(**IDS, agent_id="billing")) is not None
    assert turn.handoff_to(AgentStarted(**IDS, agent_id="billing")) is None


def test_a_call_without_an_id_is_known_by_its_event():
    """Adapters need not invent ids."""
    event = ModelCallStarted(**IDS)
    assert call_id_of(event) == event.event_id
