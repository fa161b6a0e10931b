"""``create_agent``: structured answers, middleware that asks a human and limits calls, async streams, a failing tool.

https://docs.langchain.com/oss/python/langchain/middleware/built-in and .../structured-output
"""

import asyncio

from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware, ModelCallLimitMiddleware, ModelFallbackMiddleware
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from openai import BadRequestError
from pydantic import BaseModel, Field


class Contact(BaseModel):
    """Somebody's address."""

    name: str
    rating: int = Field(ge=1, le=5)


@tool
def write_file(name: str, text: str) -> str:
    """Write a file."""
    return f"{name} has {len(text)} letters"


@tool
async def read_file(name: str) -> str:
    """Read a file."""
    raise FileNotFoundError(name)


async def main() -> None:
    contacts = create_agent(ChatOpenAI(model="gpt-5"), response_format=ToolStrategy(Contact), name="contacts")
    found = await contacts.ainvoke({"messages": [{"role": "user", "content": "Ann deserves 10 of 5"}]})
    print(found["structured_response"])
    schema = create_agent(ChatOpenAI(model="gpt-5"), response_format=ProviderStrategy(Contact), name="schema")
    print((await schema.ainvoke({"messages": [("user", "Bob, 4")]}))["structured_response"])

    writer = create_agent(
        ChatOpenAI(model="gpt-5"),
        [write_file],
        name="writer",
        middleware=[HumanInTheLoopMiddleware({"write_file": True})],
        checkpointer=InMemorySaver(),
    )
    config = {"configurable": {"thread_id": "files"}}
    async for mode, chunk in writer.astream(
        {"messages": [("user", "Write a.txt and b.txt")]}, config, stream_mode=["updates", "values"]
    ):
        if mode == "updates" and "__interrupt__" in chunk:
            print([request["name"] for request in chunk["__interrupt__"][0].value["action_requests"]])
    decisions = [{"type": "approve"}, {"type": "reject", "message": "b.txt exists"}]
    done = await writer.ainvoke(Command(resume={"decisions": decisions}), config)
    print(done["messages"][-1].text)

    careful = create_agent(
        ChatOpenAI(model="gpt-5", max_retries=0),
        [read_file],
        name="careful",
        middleware=[
            ModelFallbackMiddleware(ChatOpenAI(model="gpt-5-mini", max_retries=0)),
            ModelCallLimitMiddleware(run_limit=1),
        ],
    )
    for asked in ["Read c.txt", "What is forbidden?"]:
        try:
            await careful.ainvoke({"messages": [("user", asked)]})
        except (FileNotFoundError, BadRequestError) as error:
            print(type(error).__name__)


asyncio.run(main())

NEEDS = ["langgraph>=1.0", "langchain>=1.1", "langchain-openai>=1.0"]
MODEL = [
    [("Contact", {"name": "Ann", "rating": 10}, "c1")],
    [("Contact", {"name": "Ann", "rating": 5}, "c2")],
    '{"name": "Bob", "rating": 4}',
    [("write_file", {"name": "a.txt", "text": "abc"}, "w1"), ("write_file", {"name": "b.txt", "text": "d"}, "w2")],
    "a.txt is written.",
    {"status": 503, "message": "busy"},
    [("read_file", {"name": "c.txt"}, "r1")],
    {"status": 400, "message": "not that"},
    {"status": 400, "message": "not that either"},
]
RECORD = r"""
session
  turn careful ERROR Error code: 400 - not that either
    > What is forbidden?
    model gpt-5 ERROR Error code: 400 - not that
    model gpt-5-mini ERROR Error code: 400 - not that either
session
  turn careful ERROR c.txt
    > Read c.txt
    model gpt-5 ERROR Error code: 503 - busy
    model gpt-5-mini 10+2
    tool read_file(name=c.txt) ERROR c.txt
session
  turn contacts
    > Ann deserves 10 of 5
    model gpt-5 10+2
    model gpt-5 10+2
    < {"name":"Ann","rating":5}
session
  turn schema
    > Bob, 4
    model gpt-5 10+2
    < {"name": "Bob", "rating": 4}
session files
  turn writer
    > Write a.txt and b.txt
    model gpt-5 10+2
    note approval.asked {"tool_name": "write_file", "call_id": "w1", "arguments": {"name": "a.txt", "text": "abc"}}
    note approval.asked {"tool_name": "write_file", "call_id": "w2", "arguments": {"name": "b.txt", "text": "d"}}
    note interrupt {"value": {"action_requests": [{"name": "write_file", "args": {"name": "a.txt", "text": "abc"}, "description": "Tool execution requires approval\n\nTool: write_file\nArgs: {'name': 'a.txt', 'text': 'abc'}"}, {"name": "write_file", "args": {"name": "b.txt", "text": "d"}, "description": "Tool execution requires approval\n\nTool: write_file\nArgs: {'name': 'b.txt', 'text': 'd'}"}], "review_configs": [{"action_name": "write_file", "allowed_decisions": ["approve", "edit", "reject", "respond"]}, {"action_name": "write_file", "allowed_decisions": ["approve", "edit", "reject", "respond"]}]}, "interrupt_id": "(id)"}
  turn writer
    > {"decisions":[{"type":"approve"},{"type":"reject","message":"b.txt exists"}]}
    note approval.approved {"tool_name": "write_file", "call_id": "w1"}
    note approval.denied {"tool_name": "write_file", "call_id": "w2", "reason": "b.txt exists"}
    tool write_file(name=b.txt, text=d) SKIPPED b.txt exists
    tool write_file(name=a.txt, text=abc) = a.txt has 3 letters
    model gpt-5 10+2
    < a.txt is written.
"""
