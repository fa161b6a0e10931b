"""A server of FastMCP's for the programs, over standard input and output, after its own documentation."""

import logging

from fastmcp import Context, FastMCP
from fastmcp.exceptions import ToolError

logging.disable()
shelf = FastMCP("shelf")


@shelf.tool
def find_book(title: str) -> dict[str, int | str]:
    """Look a book up."""
    if title == "Necronomicon":
        raise ToolError(f"no one may have {title}")
    return {"title": title, "shelf": 3}


@shelf.tool
async def scan(pages: int, ctx: Context) -> str:
    """Scan pages, and say how far it is."""
    for page in range(pages):
        await ctx.report_progress(page + 1, pages)
    return f"{pages} pages"


@shelf.prompt
def ask_for(title: str) -> str:
    """Ask for a book."""
    return f"Where is {title}?"


shelf.run("stdio", show_banner=False)
