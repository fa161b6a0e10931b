"""Agents one behind the other, two at once, and a handoff between them.

https://learn.microsoft.com/agent-framework/workflows/orchestrations/sequential and .../handoff
"""

import asyncio

from agent_framework import Agent
from agent_framework.openai import OpenAIChatCompletionClient
from agent_framework.orchestrations import ConcurrentBuilder, HandoffBuilder, SequentialBuilder

client = OpenAIChatCompletionClient(model="gpt-5")


def agent(name: str) -> Agent:
    return Agent(
        client,
        f"You are the {name}.",
        id=name,
        name=name,
        description=f"the {name}",
        require_per_service_call_history_persistence=True,
    )


def texts(events: list) -> list[str]:
    outputs = [event.data for event in events if event.type == "output"]
    return [getattr(one, "text", None) or str(type(one).__name__) for one in outputs]


async def main() -> None:
    for builder in (SequentialBuilder, ConcurrentBuilder):
        result = await builder(participants=[agent("writer"), agent("reviewer")]).build().run("A slogan for a bicycle")
        print(builder.__name__, texts(result))
    triage, refunds = agent("triage"), agent("refunds")
    handoffs = HandoffBuilder(name="support", participants=[triage, refunds]).with_start_agent(triage).build()
    events = [event async for event in handoffs.run("My bicycle is broken", stream=True)]
    print("handoffs", [(one.data.source, one.data.target) for one in events if one.type == "handoff_sent"])
    print("waits", [one.type for one in events if one.type == "request_info"])


asyncio.run(main())

NEEDS = ["agent-framework-core>=1.23", "agent-framework-openai", "agent-framework-orchestrations"]
MODEL = {
    "You are the writer.": ["Two wheels", "Two wheels good"],
    "You are the reviewer.": ["Fine", "It is short"],
    "You are the triage.": [[("handoff_to_refunds", {}, "c1")]],
    "You are the refunds.": ["You get your money back."],
}
RECORD = """
session
  turn Concurrent
    > A slogan for a bicycle
    agent reviewer
      model gpt-5 10+2
    agent writer
      model gpt-5 10+2
    < Two wheels goodIt is short
session
  turn Sequential
    > A slogan for a bicycle
    agent writer
      model gpt-5 10+2
    agent reviewer
      model gpt-5 10+2
    < Fine
session
  turn support
    > My bicycle is broken
    agent triage
      model gpt-5 10+2
      tool handoff_to_refunds() = {"handoff_to": "refunds"} SKIPPED Middleware terminated execution.
    handoff triage -> refunds
    agent refunds
      model gpt-5 10+2
    note interrupt {"value": "You get your money back.", "interrupt_id": "(id)"}
    < You get your money back.
"""
