"""A FastMCP server in the same process that asks a user and a model, behind middleware, while an agent's tool waits for it.

https://gofastmcp.com/clients/elicitation and .../servers/middleware
"""

import asyncio
from dataclasses import dataclass

from agents import Agent, Runner, function_tool
from fastmcp import Client, Context, FastMCP
from fastmcp.server.middleware import Middleware
from openai import AsyncOpenAI


class Loud(Middleware):
    async def on_call_tool(self, context, call_next):
        print("called", context.message.name)
        return await call_next(context)


poems = FastMCP("poems", middleware=[Loud()])


@dataclass
class Size:
    lines: int


@poems.tool
async def poem(topic: str, ctx: Context) -> str:
    """Write a poem."""
    size = await ctx.elicit("How many lines?", Size)
    asked = [{"role": "user", "content": f"{size.data.lines} lines on {topic}"}]
    return (await AsyncOpenAI().chat.completions.create(model="gpt-5-nano", messages=asked)).choices[0].message.content


async def elicit(message, response_type, _params, _context):
    print("asked:", message)
    return response_type(lines=2)


@function_tool
async def write(topic: str) -> str:
    """Have a poem written."""
    async with Client(poems, mode="legacy", elicitation_handler=elicit) as client:
        return (await client.call_tool("poem", {"topic": topic})).data


print(asyncio.run(Runner.run(Agent(name="Poet", model="gpt-5", tools=[write]), "A poem on rain")).final_output)

NEEDS = ["fastmcp>=4", "openai-agents>=0.20"]
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
