"""What is special to Agno: members of a team, whose runs a tool yields, and a session that it makes by itself."""

import asyncio

import pytest

pytest.importorskip("agno")

from agno.team import Team

from support.drivers.agno_wire import AgnoOverTheWire
from turnspan.testing.adapters import recorded
from turnspan.testing.drivers import Conversation, ScriptedToolCall


@pytest.fixture
def driver():
    made = AgnoOverTheWire()
    yield made
    made.close()


def test_a_member_that_is_streamed_is_an_agent_in_the_turn(driver):
    """The delegation ends with the member's answer, although the tool returned before that ran; the member follows it."""

    async def main():
        asked = ScriptedToolCall("delegate_task_to_member", {"member_id": "helper", "task": "q"}, "c1")
        async with driver.openai(Conversation("s"), [[asked], "helped", "done"]) as client:
            members = [driver._agent(client, "helper", [])]
            team = Team(name="lead", model=driver._model(client), members=members, telemetry=False)
            async for _ in team.arun("go", stream=True):
                pass

    with recorded(driver) as recording:
        asyncio.run(main())
        turn = recording.turn
        assert (turn.agent_id, turn.response_content, turn.status) == ("lead", "done", "success")
        assert [(call.tool_name, call.result) for call in turn.tool_calls] == [("delegate_task_to_member", "helped")]
        (handoff,) = recording.session.agent_transitions
        assert (handoff.from_agent, handoff.to_agent, handoff.reason) == ("lead", "helper", "q")
        (transfer,) = (span for span in recording.spans if span.name == "execute_tool transfer_to_helper")
        (helper,) = (span for span in recording.spans if span.name == "invoke_agent helper")
        assert [link.context.span_id for link in helper.links] == [transfer.context.span_id]
        assert recording.unresolved() == []


def test_the_session_that_an_agent_makes_for_itself_is_the_session(driver):
    """An agent that is given no session makes one and keeps it: the record has the same id."""

    async def main():
        async with driver.openai(Conversation("s"), ["one", "two"]) as client:
            agent = driver._agent(client)
            return [(await agent.arun(prompt)).session_id for prompt in ("1", "2")]

    with recorded(driver) as recording:
        ids = asyncio.run(main())
        assert set(ids) == {recording.session.session_id}
        assert len(recording.session.turns) == 2
