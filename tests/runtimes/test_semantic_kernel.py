"""What is special to Semantic Kernel: a runtime that knows nothing of who asked, and threads that get their ids late."""

import asyncio

import pytest

pytest.importorskip("semantic_kernel")
pytest.importorskip("google.protobuf")

from semantic_kernel.agents import (
    ChatCompletionAgent,
    ChatHistoryAgentThread,
    HandoffOrchestration,
    OrchestrationHandoffs,
)
from semantic_kernel.agents.runtime import InProcessRuntime
from semantic_kernel.connectors.ai.chat_completion_client_base import ChatCompletionClientBase
from semantic_kernel.contents import AuthorRole, ChatMessageContent

from support.drivers.semantic_kernel_wire import SemanticKernelOverTheWire
from turnspan.testing.adapters import recorded
from turnspan.testing.drivers import Conversation, ScriptedToolCall


@pytest.fixture
def driver():
    made = SemanticKernelOverTheWire()
    yield made
    made.close()


def _handoff(driver, script):
    agents = [driver._agent(script, name, []) for name in ("triage", "refunds")]
    handoffs = OrchestrationHandoffs().add("triage", "refunds", "for refunds")
    return HandoffOrchestration(members=agents, handoffs=handoffs, name="support")


def test_a_handoff_between_tasks_of_the_runtime_is_in_the_orchestrations_turn(driver):
    """Agents that run in tasks that were started before are in the turn; the one that was handed to links to that."""

    async def main():
        runtime = InProcessRuntime()
        runtime.start()
        over = [ScriptedToolCall("Handoff-transfer_to_refunds", {}, "c1")]
        done = [ScriptedToolCall("Handoff-complete_task", {"task_summary": "refunded"}, "c2")]
        async with driver.openai(Conversation("s"), [over, done]) as client:
            result = await _handoff(driver, client).invoke(task="go", runtime=runtime)
            await result.get(timeout=60)
            await runtime.stop_when_idle()

    with recorded(driver) as recording:
        asyncio.run(main())
        turn = recording.turn
        assert (turn.agent_id, turn.prompt, turn.status) == ("support", "go", "success")
        assert "refunded" in turn.response_content
        (handoff,) = recording.session.agent_transitions
        assert (handoff.from_agent, handoff.to_agent) == ("triage", "refunds")
        (transfer,) = (span for span in recording.spans if span.name == "execute_tool transfer_to_refunds")
        (refunds,) = (span for span in recording.spans if span.name == "invoke_agent refunds")
        assert [link.context.span_id for link in refunds.links] == [transfer.context.span_id]
        assert {call.status for call in turn.tool_calls} == {"success"}
        assert recording.unresolved() == []


def test_a_cancelled_orchestration_is_cancelled(driver):
    """Who waits for an orchestration may cancel it; its turn ends with that."""

    async def main():
        runtime = InProcessRuntime()
        async with driver.openai(Conversation("s"), []) as client:
            result = await _handoff(driver, client).invoke(task="go", runtime=runtime)
            result.cancel()

    with recorded(driver) as recording:
        asyncio.run(main())
        assert recording.turn.status == "cancelled"


def test_a_thread_of_the_programs_names_the_session(driver):
    """A thread's id is the session; that of one which has none before its first turn stays what it was then."""

    async def main():
        async with driver.openai(Conversation("s"), ["one", "two", "three"]) as client:
            agent = driver._agent(client)
            await agent.get_response("1", thread=ChatHistoryAgentThread(thread_id="mine"))
            unnamed = ChatHistoryAgentThread()
            for prompt in ("2", "3"):
                await agent.get_response(prompt, thread=unnamed)

    with recorded(driver) as recording:
        asyncio.run(main())
        assert sorted(len(session.turns) for session in recording.sessions) == [1, 2]
        assert "mine" in {session.session_id for session in recording.sessions}


def test_a_connector_of_the_programs_own_is_seen(driver):
    """Whatever connector an agent has, what it asks its model is on record."""

    class Own(ChatCompletionClientBase):
        async def _inner_get_chat_message_contents(self, chat_history, settings):
            return [ChatMessageContent(role=AuthorRole.ASSISTANT, ai_model_id="own", content="done")]

    with recorded(driver) as recording:
        agent = ChatCompletionAgent(service=Own(ai_model_id="own"), name="own")
        assert str(asyncio.run(agent.get_response("go")).message) == "done"
        assert [(call["model"], call["messages"][-1]["content"]) for call in recording.model_calls] == [("own", "go")]
