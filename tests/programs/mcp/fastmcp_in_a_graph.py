"""A graph whose nodes call tools by FastMCP's client: several servers as one, over stdio and HTTP; one call is too slow.

https://gofastmcp.com/clients/client and .../servers/composition
"""

import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import TypedDict

from fastmcp import Client, FastMCP
from fastmcp.exceptions import ToolError
from langgraph.graph import END, START, StateGraph

logging.disable()
SHELF = Path(__file__).parent / "servers" / "shelf.py"
places = {
    "mcpServers": {
        "near": {"command": sys.executable, "args": [str(SHELF)]},
        "far": {"url": os.environ["MCP_URL"]},
    }
}
clock = FastMCP("clock")


@clock.tool
async def wait(seconds: float) -> str:
    """Wait."""
    await asyncio.sleep(seconds)
    return "waited"


class Search(TypedDict):
    title: str
    found: list[str]


async def look(state: Search) -> dict:
    async with Client(places) as shelves:
        near = await shelves.call_tool("near_find_book", {"title": state["title"]})
        far = await shelves.call_tool("far_find_book", {"title": state["title"]})
        try:
            await shelves.call_tool("far_find_book", {"title": "Necronomicon"})
        except ToolError as error:
            print("refused", "Necronomicon" in str(error))
    return {"found": [str(near.data), str(far.data)]}


async def rest(_state: Search) -> dict:
    async with Client(clock) as times:
        print((await times.call_tool("wait", {"seconds": 0})).data)
        try:
            await times.call_tool("wait", {"seconds": 60}, timeout=0.2)
        except Exception as error:
            print("too slow", type(error).__name__)
    return {}


graph = StateGraph(Search).add_node("look", look).add_node("rest", rest)
graph = graph.add_edge(START, "look").add_edge("look", "rest").add_edge("rest", END).compile(name="search")
print(asyncio.run(graph.ainvoke({"title": "Emma", "found": []})))

NEEDS = ["fastmcp>=4", "langgraph>=1.0"]
MODEL = []
RECORD = """
session
  turn search
    > {"title":"Emma","found":[]}
    tool near_find_book(title=Emma) = {"title": "Emma", "shelf": 3}
    tool far_find_book(title=Emma) = {"result": "Emma: shelf 3"}
    tool far_find_book(title=Necronomicon) = Error executing tool find_book: no one may have Necronomicon ERROR Error executing tool find_book: no one may have Necronomicon
    tool wait(seconds=0) = {"result": "waited"}
    tool wait(seconds=60) TIMEOUT Request 'tools/call' timed out
    < {"rest":null}
"""
