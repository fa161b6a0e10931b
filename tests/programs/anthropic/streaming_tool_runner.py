"""The asynchronous tool runner, streamed: events of each message, two tools at once.

https://github.com/anthropics/anthropic-sdk-python/blob/main/tools.md#streaming
"""

import asyncio

from anthropic import AsyncAnthropic, beta_async_tool

client = AsyncAnthropic()


@beta_async_tool
async def search(query: str) -> str:
    """Search."""
    await asyncio.sleep(0.01)
    return f"nothing about {query}"


async def main() -> None:
    runner = client.beta.messages.tool_runner(
        model="claude-sonnet-4-5",
        max_tokens=500,
        system="Be brief.",
        tools=[search],
        messages=[{"role": "user", "content": "What is known of otters?"}],
        stream=True,
    )
    async for stream in runner:
        async for event in stream:
            if event.type == "text":
                print(event.text, end="|")
            elif event.type == "content_block_stop" and event.content_block.type == "tool_use":
                print(event.content_block.name, event.content_block.input)
    print()
    await client.close()


asyncio.run(main())

NEEDS = ["anthropic>=1.0"]
MODEL = [
    {"text": "I search.", "tool_calls": [("search", {"query": "otters"}, "s1"), ("search", {"query": "rivers"}, "s2")]},
    {"text": "Nothing at all.", "usage": {"input_tokens": 40, "output_tokens": 4, "cached_tokens": 30}},
]
RECORD = """
session
  turn
    > What is known of otters?
    model claude-sonnet-4-5 10+2
    tool search(query=otters) = nothing about otters
    tool search(query=rivers) = nothing about rivers
    model claude-sonnet-4-5 70+4 cache_read 30
    < Nothing at all.
"""
