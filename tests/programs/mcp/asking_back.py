"""Servers that ask back, while an agent's tool waits for them: for a model's answer, and for what a user says.

https://modelcontextprotocol.io/specification/draft/client/sampling and .../elicitation
"""

import asyncio

from agents import Agent, Runner, function_tool
from mcp import Client
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.types import CreateMessageResult, ElicitResult, SamplingMessage, TextContent
from openai import AsyncOpenAI
from pydantic import BaseModel

server = MCPServer("poems", log_level="CRITICAL")


class Size(BaseModel):
    lines: int


@server.tool()
async def poem(topic: str, ctx: Context) -> str:
    """Write a poem."""
    size = await ctx.elicit("How many lines?", Size)
    if size.action != "accept":
        return "no poem"
    question = SamplingMessage(
        role="user", content=TextContent(type="text", text=f"{size.data.lines} lines on {topic}")
    )
    answer = await ctx.session.create_message([question], max_tokens=100)
    return answer.content.text


async def sample(_context, params) -> CreateMessageResult:
    asked = [{"role": message.role, "content": message.content.text} for message in params.messages]
    done = await AsyncOpenAI().chat.completions.create(model="gpt-5-nano", messages=asked)
    text = TextContent(type="text", text=done.choices[0].message.content)
    return CreateMessageResult(role="assistant", content=text, model=done.model, stopReason="endTurn")


async def elicit(_context, params) -> ElicitResult:
    print("asked:", params.message)
    return ElicitResult(action="accept", content={"lines": 2})


@function_tool
async def write(topic: str) -> str:
    """Have a poem written."""
    async with Client(server, mode="legacy", sampling_callback=sample, elicitation_callback=elicit) as client:
        return (await client.call_tool("poem", {"topic": topic})).content[0].text


print(asyncio.run(Runner.run(Agent(name="Poet", model="gpt-5", tools=[write]), "A poem on rain")).final_output)

NEEDS = ["mcp>=2", "openai-agents>=0.20"]
MODEL = [[("write", {"topic": "rain"}, "p1")], "It rains, it pours.", "Here you are."]
RECORD = """
session
  turn Poet
    > A poem on rain
    model gpt-5 10+2
    tool write(topic=rain) = It rains, it pours.
      model gpt-5-nano 10+2
    model gpt-5 10+2
    < Here you are.
"""
