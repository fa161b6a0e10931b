"""A program that calls tools over the Model Context Protocol; the server is a process of its own.

turnspan run examples/mcp_tools.py
"""

import asyncio
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.server import MCPServer

import turnspan

server = MCPServer("invoices")


@server.tool()
def find_invoice(number: str) -> str:
    """Look an invoice up."""
    return f"invoice {number}: 42.00 EUR, paid twice"


@turnspan.turn(agent="support")
async def answer(_prompt: str) -> str:
    parameters = StdioServerParameters(command=sys.executable, args=[__file__, "serve"])
    async with stdio_client(parameters) as streams, ClientSession(*streams) as session:
        await session.initialize()
        found = await session.call_tool("find_invoice", {"number": "7"})
        return found.content[0].text


if sys.argv[1:] == ["serve"]:
    server.run("stdio")
else:
    print(asyncio.run(answer("What about invoice 7?")))
