"""A server of tools, over standard input and output: what the wire carried is one of its answers."""

try:
    from mcp.server.mcpserver import Context
    from mcp.server.mcpserver import MCPServer as Server
except ImportError:  # 1.x
    from mcp.server.fastmcp import Context
    from mcp.server.fastmcp import FastMCP as Server

server = Server("tools")


@server.tool()
def add(a: int, b: int) -> int:
    """Add."""
    return a + b


@server.tool()
def boom(why: str) -> str:
    """Fail."""
    raise ValueError(f"boom: {why}")


@server.tool()
async def slow() -> str:
    """Take long."""
    import asyncio

    await asyncio.sleep(30)
    return "late"


@server.tool()
def carried(context: Context) -> str:
    """Tell the context that came with the call."""
    meta = context.request_context.meta
    found = (
        meta if isinstance(meta, dict) else getattr(meta, "__dict__", None) or getattr(meta, "model_extra", None) or {}
    )
    return str(found.get("traceparent") or getattr(meta, "traceparent", None))


if __name__ == "__main__":
    server.run("stdio")
