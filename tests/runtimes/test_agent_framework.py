"""What is special to Microsoft's Agent Framework: spans of its own, which a program may turn off."""

import asyncio

import pytest

pytest.importorskip("agent_framework")

from agent_framework.observability import OBSERVABILITY_SETTINGS

from support.drivers.agent_framework_wire import AgentFrameworkOverTheWire
from turnspan.testing.adapters import GOOD, recorded
from turnspan.testing.drivers import Conversation, span_tree


@pytest.fixture
def driver():
    made = AgentFrameworkOverTheWire()
    yield made
    made.close()


@pytest.mark.parametrize("instrumented", [True, False], ids=["its spans", "our spans"])
def test_a_turn_has_one_span_whoever_starts_it(driver, instrumented, monkeypatch):
    """Where the runtime starts spans, they are used; where the program has turned that off, ours are started."""
    monkeypatch.setattr(OBSERVABILITY_SETTINGS, "_enable_instrumentation", instrumented)
    with recorded(driver) as recording:
        assert asyncio.run(driver.turn(Conversation("s"), "go", [GOOD, "done"])) == "done"
        (root,) = span_tree(recording.spans)
        assert sorted(root[1]) == [("chat", []), ("chat", []), ("execute_tool add", []), ("execute_tool shout", [])]
        scopes = {span.instrumentation_scope.name for span in recording.spans}
        assert scopes == ({"agent_framework"} if instrumented else {"turnspan"})
        assert recording.session.session_id == "s"
        assert recording.unresolved() == []


def test_a_cancelled_stream_is_cancelled_and_its_calls_too(driver):
    """What was asked when a stream is closed early has no end of its own: it ends with the turn."""

    async def main():
        stream = driver.stream(Conversation("s"), "go", ["done and done"])
        async for _ in stream:
            break
        await stream.aclose()

    with recorded(driver) as recording:
        asyncio.run(main())
        assert recording.turn.status == "cancelled"
        assert [call["status"] for call in recording.model_calls] == ["cancelled"]
