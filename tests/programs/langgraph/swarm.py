"""Agents that hand the conversation to each other: the next message goes to whoever had it last.

https://github.com/langchain-ai/langgraph-swarm-py
"""

import asyncio

from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.prebuilt import create_react_agent
from langgraph_swarm import create_handoff_tool, create_swarm


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


alice = create_react_agent(
    ChatOpenAI(model="gpt-5"),
    [add, create_handoff_tool(agent_name="Bob", description="Bob speaks like a pirate.")],
    prompt="You are Alice.",
    name="Alice",
)
bob = create_react_agent(
    ChatOpenAI(model="gpt-5-mini"),
    [create_handoff_tool(agent_name="Alice", description="Alice can add.")],
    prompt="You are Bob.",
    name="Bob",
)
app = create_swarm([alice, bob], default_active_agent="Alice").compile(checkpointer=InMemorySaver(), name="swarm")


async def main() -> None:
    config = {"configurable": {"thread_id": "swarm-1"}}
    for asked in ("I want to talk to Bob", "What is 5 + 7?"):
        done = await app.ainvoke({"messages": [{"role": "user", "content": asked}]}, config)
        print(done["active_agent"], done["messages"][-1].text)


asyncio.run(main())

NEEDS = ["langgraph-swarm>=0.1", "langchain-openai>=1.0"]
MODEL = [
    [("transfer_to_bob", {}, "h1")],
    "Ahoy!",
    [("transfer_to_alice", {}, "h2")],
    [("add", {"a": 5, "b": 7}, "s1")],
    "It is 12.",
]
RECORD = """
session swarm-1
  turn swarm
    > I want to talk to Bob
    agent Alice
      model gpt-5 10+2
      tool transfer_to_bob() = Successfully transferred to Bob
    handoff Alice -> Bob
    agent Bob
      model gpt-5-mini 10+2
    < Ahoy!
  turn swarm
    > What is 5 + 7?
    agent Bob
      model gpt-5-mini 10+2
      tool transfer_to_alice() = Successfully transferred to Alice
    handoff Bob -> Alice
    agent Alice
      model gpt-5 10+2
      tool add(a=5, b=7) = 12
      model gpt-5 10+2
    < It is 12.
"""
