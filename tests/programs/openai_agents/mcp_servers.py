"""MCP servers, one a process of its own and one over HTTP, with a filter and tools that need an approval.

https://openai.github.io/openai-agents-python/mcp/
"""

import asyncio
import os
import sys
from pathlib import Path

from agents import Agent, Runner
from agents.mcp import MCPServerStdio, MCPServerStreamableHttp, create_static_tool_filter

LIBRARY = Path(__file__).parents[1] / "mcp" / "servers" / "library.py"


async def main() -> None:
    async with (
        MCPServerStdio(
            name="Library",
            params={"command": sys.executable, "args": [str(LIBRARY), "stdio"]},
            tool_filter=create_static_tool_filter(blocked_tool_names=["remove_book", "scan"]),
            cache_tools_list=True,
        ) as library,
        MCPServerStreamableHttp(
            name="Archive",
            params={"url": os.environ["MCP_URL"]},
            tool_filter=create_static_tool_filter(allowed_tool_names=["remove_book"]),
            require_approval="always",
        ) as archive,
    ):
        agent = Agent(name="Librarian", model="gpt-5", mcp_servers=[library, archive])
        result = await Runner.run(agent, "Where are Dracula and the Necronomicon? Remove Emma.")
        state = result.to_state()
        for asked in result.interruptions:
            print(asked.name, asked.arguments)
            state.approve(asked)
        print((await Runner.run(agent, state)).final_output)


asyncio.run(main())

NEEDS = ["openai-agents>=0.20", "mcp>=2"]
MODEL = [
    [
        ("find_book", {"title": "Dracula"}, "b1"),
        ("find_book", {"title": "Necronomicon"}, "b2"),
        ("count_pages", {"titles": ["Dracula"]}, "b3"),
    ],
    [("remove_book", {"title": "Emma"}, "b4")],
    "Dracula is on shelf 3; Emma is gone.",
]
RECORD = r"""
session
  turn Librarian
    > Where are Dracula and the Necronomicon? Remove Emma.
    model gpt-5 10+2
    tool count_pages(titles=["Dracula"]) = {"type": "text", "text": "{\n  \"pages\": 100,\n  \"titles\": [\n    \"Dracula\"\n  ]\n}"}
    tool find_book(title=Necronomicon) = {"type": "text", "text": "Error executing tool find_book: no one may have Necronomicon"} ERROR Error executing tool find_book: no one may have Necronomicon
    tool find_book(title=Dracula) = {"type": "text", "text": "Dracula: shelf 3"}
    model gpt-5 10+2
    note approval.asked {"tool_name": "remove_book", "call_id": "b4", "arguments": {"title": "Emma"}}
  turn Librarian
    > Where are Dracula and the Necronomicon? Remove Emma.
    note approval.approved {"tool_name": "remove_book", "call_id": "b4"}
    tool remove_book(title=Emma) = {"type": "text", "text": "Emma is gone"}
    model gpt-5 10+2
    < Dracula is on shelf 3; Emma is gone.
"""
