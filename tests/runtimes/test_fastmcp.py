"""Tools that FastMCP's client calls, of a server of FastMCP's in a process of its own, and of one in the same."""

import asyncio
import warnings
from pathlib import Path

import pytest

fastmcp = pytest.importorskip("fastmcp")
from fastmcp import Client, FastMCP
from fastmcp.client.transports import PythonStdioTransport
from fastmcp.exceptions import ToolError

import turnspan
from turnspan.instrumentation.registry import Adapters

SERVER = Path(__file__).parent / "fastmcp_server.py"
HAS_SPANS = int(fastmcp.__version__.partition(".")[0]) >= 4


@pytest.fixture(autouse=True)
def adapter(recording):
    adapters = Adapters()
    adapters.watch("mcp,otel")
    yield
    adapters.undo()


def played(scene, server=None):
    async def main():
        async with Client(server or PythonStdioTransport(SERVER, keep_alive=False)) as client:
            with turnspan.session("s"), turnspan.turn(agent="triage", prompt="go"):
                return await scene(client)

    return asyncio.run(main())


def spans_of(recording, name):
    return [span for span in recording.spans if (span.attributes or {}).get("gen_ai.tool.name") == name]


def test_a_call_is_one_call_on_one_span_and_its_context_reaches_the_server(recording):
    """Arguments, results and errors are on record; FastMCP's own span is the call's, where it starts one."""

    async def scene(client):
        good = await client.call_tool("add", {"a": 1, "b": 2})
        with pytest.raises(ToolError, match="boom"):
            await client.call_tool("boom", {"why": "x"})
        carried = (await client.call_tool("carried", {})).data
        with pytest.raises(Exception, match=r"(?i)timed? ?out"):
            await client.call_tool("slow", {}, timeout=0.2)
        return good.data, carried

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        result, context = played(scene)
    assert result == 3
    assert [str(one) for one in warned if "turnspan" in one.filename] == []
    calls = recording.turn.tool_calls
    assert [(call.tool_name, call.arguments, call.status) for call in calls] == [
        ("add", {"a": 1, "b": 2}, "success"),
        ("boom", {"why": "x"}, "error"),
        ("carried", {}, "success"),
        ("slow", {}, "timeout"),
    ]
    assert (calls[0].result, "boom" in calls[1].error) == ({"result": 3}, True)
    spans = [spans_of(recording, name) for name in ("add", "boom", "carried", "slow")]
    assert [len(found) for found in spans] == [1, 1, 1, 1]
    assert {found[0].instrumentation_scope.name for found in spans} == {"fastmcp" if HAS_SPANS else "turnspan"}
    assert f"{spans[2][0].context.trace_id:032x}" in context
    assert recording.unresolved() == []


def test_a_server_in_the_same_process_adds_no_call(recording):
    """What its tools do themselves is in the call; mounted servers, and the server's own spans, are none of their own."""
    inner, outer = FastMCP("inner"), FastMCP("outer")

    @inner.tool
    def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    outer.mount(inner)
    assert played(lambda client: client.call_tool("add", {"a": 1, "b": 2}), outer).data == 3
    (call,) = recording.turn.tool_calls
    assert (call.tool_name, call.arguments, call.result) == ("add", {"a": 1, "b": 2}, {"result": 3})
    assert recording.unresolved() == []


def test_a_call_that_a_framework_reports_is_not_reported_twice(recording):
    """Inside of a tool call there is no second one."""

    async def scene(client):
        with turnspan.tool("add", a=1, b=2) as call:
            call.result = (await client.call_tool("add", {"a": 1, "b": 2})).data

    played(scene)
    (call,) = recording.turn.tool_calls
    assert call.result == 3
