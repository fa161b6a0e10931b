"""Tools over the Model Context Protocol: the real SDK, and a real server in a process of its own."""

import asyncio
import sys
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

import pytest

pytest.importorskip("mcp")
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

import turnspan
from turnspan.instrumentation.registry import Adapters

SERVER = Path(__file__).parent / "mcp_server.py"
OLD = version("mcp").startswith("1.")


@pytest.fixture(autouse=True)
def adapter(recording):
    adapters = Adapters()
    adapters.watch("mcp,otel")
    yield
    adapters.undo()


@asynccontextmanager
async def session():
    async with (
        stdio_client(StdioServerParameters(command=sys.executable, args=[str(SERVER)])) as (reads, writes),
        ClientSession(reads, writes) as found,
    ):
        await found.initialize()
        yield found


def played(scene):
    async def main():
        async with session() as client:
            with turnspan.session("s"), turnspan.turn(agent="triage", prompt="go"):
                return await scene(client)

    return asyncio.run(main())


def test_calls_of_tools_are_calls_of_the_turn(recording):
    """A tool over MCP is a tool call, and an error that the server answers is an error."""

    async def scene(client):
        good = await client.call_tool("add", {"a": 1, "b": 2})
        bad = await client.call_tool("boom", arguments={"why": "x"})
        return good, bad

    played(scene)
    good, bad = recording.turn.tool_calls
    assert (good.tool_name, good.arguments, good.status) == ("add", {"a": 1, "b": 2}, "success")
    assert "3" in str(good.result)
    assert (bad.tool_name, bad.status, bad.metadata["turnspan"]["error_type"]) == ("boom", "error", "tool_error")
    assert "boom" in bad.error
    span = next(span for span in recording.spans if span.name == "execute_tool add")
    assert span.attributes["gen_ai.tool.type"] == "extension"
    assert recording.unresolved() == []


def test_the_context_of_the_call_reaches_the_server(recording):
    """The server sees the trace that it is called from."""

    async def scene(client):
        return (await client.call_tool("carried", {})).content[0].text

    carried = played(scene)
    span = next(span for span in recording.spans if span.name == "execute_tool carried")
    assert f"{span.context.trace_id:032x}" in carried
    if OLD:  # newer ones start a span of their own below ours
        assert f"{span.context.span_id:016x}" in carried


def test_a_call_that_times_out_and_one_that_is_cancelled(recording):
    """A time-out is a timeout and a cancellation cancelled, and the program gets its own exceptions."""

    async def scene(client):
        soon = timedelta(seconds=0.2) if OLD else 0.2
        with pytest.raises(Exception, match=r"(?i)timed? ?out"):
            await client.call_tool("slow", {}, read_timeout_seconds=soon)
        task = asyncio.create_task(client.call_tool("slow", {}))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    played(scene)
    assert [call.status for call in recording.turn.tool_calls] == ["timeout", "cancelled"]


def test_a_call_that_a_framework_reports_is_not_reported_twice(recording):
    """Inside of a tool call of the same name there is no second one."""

    async def scene(client):
        with turnspan.tool("add", a=1, b=2) as call:
            call.result = (await client.call_tool("add", {"a": 1, "b": 2})).content[0].text

    played(scene)
    (call,) = recording.turn.tool_calls
    assert call.result == "3"


def test_outside_of_every_turn_nothing_is_recorded(recording):
    """A tool that no turn asked for makes no session."""

    async def main():
        async with session() as client:
            return await client.call_tool("add", {"a": 1, "b": 2})

    assert asyncio.run(main()).content[0].text == "3"
    assert recording.sessions == []


def test_twenty_calls_at_once_on_one_session(recording):
    """Calls at once keep their own arguments and results."""

    async def scene(client):
        return await asyncio.gather(*(client.call_tool("add", {"a": n, "b": n}) for n in range(20)))

    played(scene)
    calls = recording.turn.tool_calls
    assert len(calls) == 20
    assert all(str(call.arguments["a"] * 2) in str(call.result) for call in calls)
    assert recording.unresolved() == []
