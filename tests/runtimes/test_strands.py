"""What is special to Strands: spans of its own, which say more than they may, and agents that hand over."""

import asyncio

import pytest

pytest.importorskip("strands")

from strands import Agent
from strands.models.openai import OpenAIModel
from strands.multiagent import Swarm

from support.drivers.strands_wire import StrandsOverTheWire
from support.programs import example, turnspan
from turnspan.testing.adapters import recorded
from turnspan.testing.drivers import MODEL, Conversation, ScriptedToolCall


@pytest.fixture
def driver():
    made = StrandsOverTheWire()
    yield made
    made.close()


def test_a_handoff_in_a_swarm_is_linked_to_whom_it_went_to(driver):
    """Who handed over to whom is in the record, and the span of the next agent links to the handoff."""

    async def main():
        handoff = ScriptedToolCall("handoff_to_agent", {"agent_name": "writer", "message": "your turn"}, "c1")
        async with driver.openai(Conversation("s"), [[handoff], "over", "written"]) as client:
            model = OpenAIModel(client=client, model_id=MODEL)
            agents = [Agent(model, name=name, callback_handler=None) for name in ("researcher", "writer")]
            await Swarm(agents).invoke_async("write")

    with recorded(driver) as recording:
        asyncio.run(main())
        (handoff,) = recording.session.agent_transitions
        assert (handoff.from_agent, handoff.to_agent, handoff.reason) == ("researcher", "writer", "your turn")
        assert recording.turn.response_content == "written"
        assert recording.unresolved() == []
        (transfer,) = (span for span in recording.spans if span.name == "execute_tool transfer_to_writer")
        (writer,) = (span for span in recording.spans if span.name == "invoke_agent writer")
        assert [link.context.span_id for link in writer.links] == [transfer.context.span_id]


def test_what_its_spans_say_by_default_stays_in_the_record(tmp_path):
    """The runtime puts prompts and answers on its spans: nobody asked for that where turnspan alone exports them."""
    done = turnspan("run", example("strands_agent"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    spans = (tmp_path / ".turnspan" / "spans.jsonl").read_text()
    assert "gen_ai.choice" in spans and "paid" not in spans
    assert "paid twice" in turnspan("show", "last", "--json", cwd=tmp_path).stdout
