"""FastMCP as client and server, and Claude: tools over stdio, one that is refused, progress, and a prompt of the server's.

https://gofastmcp.com/clients/tools and .../servers/tools
"""

import asyncio
from pathlib import Path

from anthropic import AsyncAnthropic
from fastmcp import Client
from fastmcp.client.transports import PythonStdioTransport
from fastmcp.exceptions import ToolError

SHELF = PythonStdioTransport(Path(__file__).parent / "servers" / "shelf.py", keep_alive=False)


async def progress(done: float, total: float | None, _message: str | None) -> None:
    print("scanned", done, "of", total)


async def main() -> None:
    async with AsyncAnthropic() as claude, Client(SHELF, progress_handler=progress) as shelf:
        tools = [
            {"name": tool.name, "description": tool.description, "input_schema": {"type": "object"}}
            for tool in await shelf.list_tools()
        ]
        asked = await shelf.get_prompt("ask_for", {"title": "Emma"})
        messages = [{"role": "user", "content": asked.messages[0].content.text}]
        while True:
            answer = await claude.messages.create(
                model="claude-sonnet-5", max_tokens=99, messages=messages, tools=tools
            )
            messages.append({"role": "assistant", "content": answer.content})
            results = []
            for call in answer.content:
                if call.type == "tool_use":
                    about = {"type": "tool_result", "tool_use_id": call.id}
                    try:
                        done = await shelf.call_tool(call.name, call.input)
                        results.append({**about, "content": str(done.data)})
                    except ToolError as error:
                        results.append({**about, "content": str(error), "is_error": True})
            if not results:
                print(answer.content[0].text)
                return
            messages.append({"role": "user", "content": results})


asyncio.run(main())

NEEDS = ["fastmcp>=2.13", "anthropic>=0.40"]
MODEL = [
    [("find_book", {"title": "Emma"}, "b1"), ("scan", {"pages": 2}, "b2")],
    [("find_book", {"title": "Necronomicon"}, "b3")],
    "On shelf 3; the other one is not for you.",
]
RECORD = """
session
  turn
    > Where is Emma?
    model claude-sonnet-5 10+2
    tool find_book(title=Emma) = {'title': 'Emma', 'shelf': 3}
    tool scan(pages=2) = 2 pages
    model claude-sonnet-5 10+2
    tool find_book(title=Necronomicon) = no one may have Necronomicon ERROR no one may have Necronomicon
    model claude-sonnet-5 10+2
    < On shelf 3; the other one is not for you.
"""
