"""A server over HTTP and OpenAI's Responses: structured results, progress, calls at once, a prompt and a resource.

https://github.com/modelcontextprotocol/python-sdk#writing-mcp-clients
"""

import asyncio
import json
import os

from mcp import Client
from openai import AsyncOpenAI


async def main() -> None:
    model = AsyncOpenAI()

    async def progress(done: float, total: float | None, _message: str | None) -> None:
        print("scanned", done, "of", total)

    async with Client(os.environ["MCP_URL"]) as library:
        rules = await library.read_resource("library://rules")
        asked = await library.get_prompt("review", {"title": "Emma"})
        items = [{"role": "user", "content": asked.messages[0].content.text}]
        tools = [
            {"type": "function", "name": tool.name, "parameters": tool.input_schema}
            for tool in (await library.list_tools()).tools
        ]
        while True:
            response = await model.responses.create(
                model="gpt-5", instructions=rules.contents[0].text, input=items, tools=tools
            )
            calls = [item for item in response.output if item.type == "function_call"]
            if not calls:
                break
            items += response.output
            results = await asyncio.gather(
                *(library.call_tool(c.name, json.loads(c.arguments), progress_callback=progress) for c in calls)
            )
            for call, result in zip(calls, results, strict=True):
                said = json.dumps(result.structured_content)
                items.append({"type": "function_call_output", "call_id": call.call_id, "output": said})
        print(response.output_text)


asyncio.run(main())

NEEDS = ["mcp>=2", "openai>=1.66"]
MODEL = [
    [("count_pages", {"titles": ["Emma"]}, "call_1"), ("scan", {"pages": 2}, "call_2")],
    "A fine book of 100 pages.",
]
RECORD = """
session
  turn
    > Please review Emma.
    model gpt-5 10+2
    tool count_pages(titles=["Emma"]) = {"pages": 100, "titles": ["Emma"]}
    tool scan(pages=2) = {"result": "2 pages"}
    model gpt-5 10+2
    < A fine book of 100 pages.
"""
