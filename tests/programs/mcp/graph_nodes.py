"""A graph whose nodes call a server's tools themselves: results, failures of the tool, of the protocol and of time.

https://github.com/modelcontextprotocol/python-sdk and https://docs.langchain.com/oss/python/langgraph/graph-api
"""

import asyncio
import operator
import sys
from pathlib import Path
from typing import Annotated, TypedDict

from langgraph.graph import END, START, StateGraph
from mcp import Client, MCPError, StdioServerParameters
from mcp.server import MCPServer

LIBRARY = Path(__file__).parent / "servers" / "library.py"
slow = MCPServer("archive", log_level="CRITICAL")


@slow.tool()
async def search(word: str) -> str:
    """Search everything."""
    await asyncio.sleep(30)
    return word


class State(TypedDict):
    title: str
    notes: Annotated[list[str], operator.add]


async def main() -> None:
    parameters = StdioServerParameters(command=sys.executable, args=[str(LIBRARY), "stdio"])
    async with Client(parameters) as library, Client(slow) as archive:

        async def find(state: State) -> dict:
            found = await library.call_tool("find_book", {"title": state["title"]})
            return {"notes": [found.content[0].text, f"failed: {found.is_error}"]}

        async def count(state: State) -> dict:
            counted = await library.call_tool("count_pages", {"titles": [state["title"]]})
            return {"notes": [str(counted.structured_content["pages"])]}

        async def unknown(_state: State) -> dict:
            try:
                found = await library.call_tool("burn_book", {})
            except MCPError as error:
                return {"notes": [error.message]}
            return {"notes": [found.content[0].text]}

        async def wait(state: State) -> dict:
            try:
                await archive.call_tool("search", {"word": state["title"]}, read_timeout_seconds=0.05)
            except MCPError as error:
                return {"notes": [f"search: {error.code}"]}

        builder = StateGraph(State)
        for node in (find, count, unknown, wait):
            builder.add_node(node)
        builder.add_edge(START, "find")
        builder.add_edge("find", "count")
        builder.add_edge("count", "unknown")
        builder.add_edge("unknown", "wait")
        builder.add_edge("wait", END)
        graph = builder.compile(name="librarian")
        for title in ["Emma", "Necronomicon"]:
            done = await graph.ainvoke({"title": title, "notes": []})
            print(*done["notes"], sep=" | ")


asyncio.run(main())

NEEDS = ["mcp>=2", "langgraph>=1.0"]
RECORD = """
session
  turn librarian
    > {"title":"Emma","notes":[]}
    tool find_book(title=Emma) = {"result": "Emma: shelf 3"}
    tool count_pages(titles=["Emma"]) = {"pages": 100, "titles": ["Emma"]}
    tool burn_book() = Unknown tool: burn_book ERROR Unknown tool: burn_book
    tool search(word=Emma) TIMEOUT Timed out after 0.05s waiting for 'tools/call'
    < {"title":"Emma","notes":["Emma: shelf 3","failed: False","100","Unknown tool: burn_book","search: -32001"]}
session
  turn librarian
    > {"title":"Necronomicon","notes":[]}
    tool find_book(title=Necronomicon) = Error executing tool find_book: no one may have Necronomicon ERROR Error executing tool find_book: no one may have Necronomicon
    tool count_pages(titles=["Necronomicon"]) = {"pages": 100, "titles": ["Necronomicon"]}
    tool burn_book() = Unknown tool: burn_book ERROR Unknown tool: burn_book
    tool search(word=Necronomicon) TIMEOUT Timed out after 0.05s waiting for 'tools/call'
    < {"title":"Necronomicon","notes":["Error executing tool find_book: no one may have Necronomicon","failed: True","100","Unknown tool: burn_book","search: -32001"]}
"""
