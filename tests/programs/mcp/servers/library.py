"""An MCP server for the programs, after the SDK's own documentation: ``library.py stdio``, or ``library.py http PORT``."""

import sys
from typing import Any

try:
    from mcp.server import MCPServer
    from mcp.server.mcpserver import Context
    from mcp.server.mcpserver.exceptions import ToolError
except ImportError:  # before 2.0
    from mcp.server.fastmcp import Context
    from mcp.server.fastmcp import FastMCP as MCPServer
    from mcp.server.fastmcp.exceptions import ToolError

library = MCPServer("library", log_level="CRITICAL")


@library.tool()
def find_book(title: str) -> str:
    """Look a book up."""
    if title == "Necronomicon":
        raise ToolError(f"no one may have {title}")
    return f"{title}: shelf 3"


@library.tool()
def count_pages(titles: list[str]) -> dict[str, Any]:
    """Count the pages of books."""
    return {"pages": 100 * len(titles), "titles": titles}


@library.tool()
async def scan(pages: int, ctx: Context) -> str:
    """Scan pages, and say how far it is."""
    for page in range(pages):
        await ctx.report_progress(page + 1, pages)
    return f"{pages} pages"


@library.tool()
def remove_book(title: str) -> str:
    """Remove a book."""
    return f"{title} is gone"


@library.resource("library://rules")
def rules() -> str:
    """Say what is allowed."""
    return "Be quiet."


@library.prompt()
def review(title: str) -> str:
    """Ask for a review."""
    return f"Please review {title}."


if sys.argv[1] == "stdio":
    library.run("stdio")
else:
    try:
        library.run("streamable-http", port=int(sys.argv[2]))
    except TypeError:  # before 2.0 it was a setting
        library.settings.port = int(sys.argv[2])
        library.run("streamable-http")
