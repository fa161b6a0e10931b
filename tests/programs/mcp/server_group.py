"""Two servers as one, over stdio and HTTP, whose tools get their server's name; a streamed chat completion.

https://github.com/modelcontextprotocol/python-sdk/blob/main/examples/snippets/clients
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from mcp import ClientSessionGroup, StdioServerParameters
from mcp.client.session_group import StreamableHttpParameters
from openai import AsyncOpenAI

LIBRARY = Path(__file__).parent / "servers" / "library.py"


async def main() -> None:
    places = ["here"]
    async with (
        AsyncOpenAI() as model,
        ClientSessionGroup(component_name_hook=lambda name, _info: f"{name}_{places[-1]}") as group,
    ):
        await group.connect_to_server(StdioServerParameters(command=sys.executable, args=[str(LIBRARY), "stdio"]))
        places.append("there")
        await group.connect_to_server(StreamableHttpParameters(url=os.environ["MCP_URL"]))
        print(len(group.tools), len(group.prompts))
        tools = [
            {"type": "function", "function": {"name": name, "parameters": tool.input_schema}}
            for name, tool in sorted(group.tools.items())
        ]
        messages = [{"role": "user", "content": "Find Emma in both libraries"}]
        while True:
            async with model.chat.completions.stream(model="gpt-5", messages=messages, tools=tools) as stream:
                answer = (await stream.get_final_completion()).choices[0].message
            messages.append(answer)
            if not answer.tool_calls:
                print(answer.content)
                return
            for call in answer.tool_calls:
                result = await group.call_tool(call.function.name, json.loads(call.function.arguments))
                messages.append({"role": "tool", "tool_call_id": call.id, "content": result.content[0].text})


asyncio.run(main())

NEEDS = ["mcp>=2", "openai>=1.92"]
MODEL = [
    [("find_book_here", {"title": "Emma"}, "c1"), ("find_book_there", {"title": "Emma"}, "c2")],
    "It is on shelf 3 in both.",
]
RECORD = """
session
  turn
    > Find Emma in both libraries
    model gpt-5
    tool find_book_here(title=Emma) = Emma: shelf 3
    tool find_book_there(title=Emma) = Emma: shelf 3
    model gpt-5
    < It is on shelf 3 in both.
"""
