"""The client of MCP's own tutorial: a server of the user's choice over stdio, Claude, and the tools that it asks for.

https://modelcontextprotocol.io/docs/develop/build-client
"""

import asyncio
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from anthropic import Anthropic
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

LIBRARY = Path(__file__).parent / "servers" / "library.py"


class Chatbot:
    def __init__(self) -> None:
        self.stack, self.anthropic = AsyncExitStack(), Anthropic()

    async def connect(self, script: str) -> None:
        parameters = StdioServerParameters(command=sys.executable, args=[script, "stdio"])
        streams = await self.stack.enter_async_context(stdio_client(parameters))
        self.session = await self.stack.enter_async_context(ClientSession(*streams))
        await self.session.initialize()
        tools = (await self.session.list_tools()).tools
        print("tools:", sorted(tool.name for tool in tools))
        schema = "input_schema" if hasattr(tools[0], "input_schema") else "inputSchema"
        self.tools = [
            {"name": tool.name, "description": tool.description, "input_schema": getattr(tool, schema)}
            for tool in tools
        ]

    async def ask(self, query: str) -> str:
        messages = [{"role": "user", "content": query}]
        said = []
        while True:
            answer = self.anthropic.messages.create(
                model="claude-sonnet-4-6", max_tokens=1000, messages=messages, tools=self.tools
            )
            said += [block.text for block in answer.content if block.type == "text"]
            calls = [block for block in answer.content if block.type == "tool_use"]
            if not calls:
                return "\n".join(said)
            messages.append({"role": "assistant", "content": answer.content})
            results = []
            for call in calls:
                result = await self.session.call_tool(call.name, call.input)
                failed = getattr(result, "is_error", getattr(result, "isError", False))
                text = "".join(block.text for block in result.content)
                results.append({"type": "tool_result", "tool_use_id": call.id, "content": text, "is_error": failed})
            messages.append({"role": "user", "content": results})


async def main() -> None:
    bot = Chatbot()
    async with bot.stack:
        await bot.connect(str(LIBRARY))
        print(await bot.ask("Where are Dracula and the Necronomicon?"))
        print(await bot.ask("Thank you"))


asyncio.run(main())

NEEDS = ["mcp>=1.22", "anthropic>=0.40"]
MODEL = [
    {
        "text": "I look.",
        "tool_calls": [
            ("find_book", {"title": "Dracula"}, "toolu_1"),
            ("find_book", {"title": "Necronomicon"}, "toolu_2"),
        ],
    },
    "Dracula is on shelf 3.",
    "You are welcome.",
]
RECORD = """
session
  turn
    > Thank you
    model claude-sonnet-4-6 10+2
    < You are welcome.
session
  turn
    > Where are Dracula and the Necronomicon?
    model claude-sonnet-4-6 10+2
    tool find_book(title=Necronomicon) = Error executing tool find_book: no one may have Necronomicon ERROR Error executing tool find_book: no one may have Necronomicon
    tool find_book(title=Dracula) = Dracula: shelf 3
    model claude-sonnet-4-6 10+2
    < Dracula is on shelf 3.
"""
