"""Agents one behind the other, two at once, and a handoff between them, on one runtime.

https://learn.microsoft.com/semantic-kernel/frameworks/agent/agent-orchestration/
"""

import asyncio
import logging

from semantic_kernel.agents import (
    ChatCompletionAgent,
    ConcurrentOrchestration,
    HandoffOrchestration,
    OrchestrationHandoffs,
    SequentialOrchestration,
)
from semantic_kernel.agents.runtime import InProcessRuntime
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion


def agent(name: str) -> ChatCompletionAgent:
    return ChatCompletionAgent(
        name=name,
        description=f"The {name}.",
        instructions=f"You are the {name}.",
        service=OpenAIChatCompletion(ai_model_id="gpt-5"),
    )


async def main() -> None:
    runtime = InProcessRuntime()
    runtime.start()
    chain = SequentialOrchestration(members=[agent("writer"), agent("editor")], name="chain")
    print(await (await chain.invoke(task="A slogan", runtime=runtime)).get(timeout=60))
    both = ConcurrentOrchestration[str, list](
        members=[agent("physicist"), agent("chemist")],
        name="both",
        output_transform=lambda answers: sorted(answer.content for answer in answers),
    )
    print(await (await both.invoke(task="What is heat?", runtime=runtime)).get(timeout=60))
    handoffs = OrchestrationHandoffs().add("triage", "refunds", "Transfer to this agent for refunds")
    support = HandoffOrchestration(members=[agent("triage"), agent("refunds")], handoffs=handoffs, name="support")
    result = await (await support.invoke(task="I want my money back", runtime=runtime)).get(timeout=60)
    print(result)
    await runtime.stop_when_idle()


logging.disable()
asyncio.run(main())

NEEDS = ["semantic-kernel>=1.45", "protobuf"]
MODEL = {
    "You are the writer.": ["Two wheels"],
    "You are the editor.": ["Two wheels good"],
    "You are the physicist.": ["Motion"],
    "You are the chemist.": ["Energy"],
    "You are the triage.": [[("Handoff-transfer_to_refunds", {}, "c1")]],
    "You are the refunds.": [
        [("Handoff-complete_task", {"task_summary": "refunded"}, "c2")],
    ],
}
RECORD = """
session
  turn both
    > What is heat?
    agent chemist
      model gpt-5 10+2
    agent physicist
      model gpt-5 10+2
    < ["Energy","Motion"]
session
  turn chain
    > A slogan
    agent writer
      model gpt-5 10+2
    agent editor
      model gpt-5 10+2
    < Two wheels good
session
  turn support
    > I want my money back
    agent triage
      model gpt-5 10+2
      tool Handoff-transfer_to_refunds()
    handoff triage -> refunds
    agent refunds
      model gpt-5 10+2
      tool Handoff-complete_task(task_summary=refunded)
    < Task is completed with summary: refunded
"""
