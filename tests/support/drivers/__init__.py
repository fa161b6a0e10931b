"""Runtime drivers for adapter conformance: each runtime, the real package, with a scripted model."""

import asyncio
import inspect
import json
from collections.abc import Callable
from typing import Any

from turnspan.testing.drivers import TOOLS

BY_NAME = {tool.__name__: tool for tool in TOOLS}


async def use(name: str, arguments: dict[str, Any]) -> Any:
    """Run a tool, as a handwritten loop does; its exceptions are the loop's."""
    result = BY_NAME[name](**arguments)
    return await result if inspect.isawaitable(result) else result


async def together(calls: list[tuple[str, dict[str, Any]]], failed: Callable[[Exception], Any]) -> list[Any]:
    """Run tools at the same time, and return their results, or what the loop makes of a failure."""

    async def one(name, arguments):
        try:
            return await use(name, arguments)
        except Exception as error:
            return failed(error)

    return list(await asyncio.gather(*(one(*call) for call in calls)))


def sse(events: list[Any], *, named: bool = False, done: bool = False) -> str:
    """Return events as a stream that a server sends."""
    lines = [(f"event: {e['type']}\n" if named else "") + f"data: {json.dumps(e)}\n\n" for e in events]
    return "".join(lines) + ("data: [DONE]\n\n" if done else "")


def pieces(text: str) -> list[str]:
    """Return text in the pieces that a model streams it in."""
    first, *more = text.split(" ")
    return [first, *(f" {piece}" for piece in more)]
