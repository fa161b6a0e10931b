"""A runner that may ask so many times: the last tools run, and the model never hears of them; plain and asynchronous.

https://platform.claude.com/docs/en/agents-and-tools/tool-use/implement-tool-use#tool-runner-beta
"""

import asyncio

from anthropic import Anthropic, AsyncAnthropic, beta_async_tool, beta_tool


@beta_tool
def dig(metres: int) -> str:
    """Dig."""
    return f"{metres} m deep"


@beta_async_tool
async def fetch(name: str) -> str:
    """Fetch."""
    return f"{name} is here"


def options(tool, prompt):
    asked = [{"role": "user", "content": prompt}]
    return {"model": "claude-sonnet-4-5", "max_tokens": 1024, "tools": [tool], "messages": asked}


async def asynchronous():
    async with AsyncAnthropic() as client:
        runner = client.beta.messages.tool_runner(**options(fetch, "A spade, please."), max_iterations=1)
        print((await runner.until_done()).stop_reason)


for message in Anthropic().beta.messages.tool_runner(**options(dig, "Dig for gold."), max_iterations=2):
    print(message.stop_reason)
asyncio.run(asynchronous())

NEEDS = ["anthropic>=1.0"]
MODEL = [
    {"text": "Deep.", "tool_calls": [("dig", {"metres": 1}, "t1")]},
    {"text": "Deeper.", "tool_calls": [("dig", {"metres": 2}, "t2")]},
    {"text": "At once.", "tool_calls": [("fetch", {"name": "spade"}, "t3")]},
]
RECORD = """
session
  turn
    > A spade, please.
    model claude-sonnet-4-5 10+2
    tool fetch(name=spade) = spade is here
session
  turn
    > Dig for gold.
    model claude-sonnet-4-5 10+2
    tool dig(metres=1) = 1 m deep
    model claude-sonnet-4-5 10+2
    tool dig(metres=2) = 2 m deep
"""
