"""What is special to AutoGen: a runtime below that loses the trace, and says everything on its spans."""

import asyncio

import pytest

pytest.importorskip("autogen_agentchat")

from autogen_agentchat.conditions import TextMentionTermination
from autogen_agentchat.teams import Swarm
from autogen_ext.models.replay import ReplayChatCompletionClient

from support.drivers.autogen_wire import INFO, AutoGenOverTheWire
from support.programs import example, turnspan
from turnspan.testing.adapters import recorded
from turnspan.testing.drivers import Conversation, ScriptedToolCall, span_tree


@pytest.fixture
def driver():
    made = AutoGenOverTheWire()
    yield made
    made.close()


def test_a_team_is_one_trace_and_its_handoffs_are_linked(driver):
    """Agents that speak in tasks of the runtime are in the team's turn; the one that was handed to links to that."""

    async def main():
        handoff = [ScriptedToolCall("transfer_to_writer", {}, "c1")]
        async with driver._model(Conversation("s"), [handoff, "written END"]) as model:
            agents = [driver._agent(model, "lead", [], handoffs=["writer"]), driver._agent(model, "writer", [])]
            team = Swarm(agents, termination_condition=TextMentionTermination("END"), name="writers")
            await team.run(task="go")

    with recorded(driver) as recording:
        asyncio.run(main())
        turn = recording.turn
        assert (turn.agent_id, turn.prompt, turn.response_content) == ("writers", "go", "written END")
        (handoff,) = recording.session.agent_transitions
        assert (handoff.from_agent, handoff.to_agent) == ("lead", "writer")
        (root,) = [tree for tree in span_tree(recording.spans) if tree[0] == "invoke_agent"]
        assert [kind for kind, _ in root[1]] == ["invoke_agent", "execute_tool transfer_to_writer", "invoke_agent"]
        (transfer,) = (
            s
            for s in recording.spans
            if s.name == "execute_tool transfer_to_writer" and s.attributes.get("gen_ai.tool.call.id") is None
        )
        (writer,) = (span for span in recording.spans if span.name == "invoke_agent writer")
        assert [link.context.span_id for link in writer.links] == [transfer.context.span_id]
        assert recording.unresolved() == []


def test_a_client_of_the_programs_own_is_seen_once(driver):
    """Whatever client an agent has, what it asks its model is on record, once where it asks another client."""

    class Own(ReplayChatCompletionClient):
        async def create(self, *args, **kwargs):
            return await super().create(*args, **kwargs)

    with recorded(driver) as recording:
        agent = driver._agent(Own(["done"], model_info=INFO), "own", [])
        assert asyncio.run(agent.run(task="go")).messages[-1].content == "done"
        assert [call["messages"][-1]["content"] for call in recording.model_calls] == ["go"]


def test_what_the_runtime_says_of_its_messages_stays_in_the_record(tmp_path):
    """Whole messages are on its spans by default: nobody asked for that where turnspan alone exports them."""
    done = turnspan("run", example("autogen_team"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    spans = (tmp_path / ".turnspan" / "spans.jsonl").read_text()
    assert "autogen process" in spans and "paid" not in spans
    assert "paid twice" in turnspan("show", "last", "--json", cwd=tmp_path).stdout
