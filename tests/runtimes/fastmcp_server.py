"""A server of FastMCP's, over standard input and output: what the wire carried is one of its answers."""

from fastmcp import Context, FastMCP

server = FastMCP("tools")


@server.tool
def add(a: int, b: int) -> int:
    """Add."""
    return a + b


@server.tool
def boom(why: str) -> str:
    """Fail."""
    raise ValueError(f"boom: {why}")


@server.tool
async def slow() -> str:
    """Take long."""
    import asyncio

    await asyncio.sleep(30)
    return "late"


@server.tool
def carried(ctx: Context) -> str:
    """Tell the context that came with the call."""
    meta = ctx.request_context.meta
    found = meta if isinstance(meta, dict) else getattr(meta, "model_extra", None) or {}
    return str(found.get("traceparent"))


if __name__ == "__main__":
    server.run("stdio", show_banner=False)
