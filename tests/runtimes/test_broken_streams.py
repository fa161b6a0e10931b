"""Streams that break in the middle, under each runtime: the turn ends as an error, with the provider's words, once.

The runtime hears of it from its client; that the client is watched too must change nothing.
"""

import asyncio
import importlib
from contextlib import aclosing, contextmanager, suppress

import pytest

from support.model_server import Answer, Disconnect, HttpError, StreamError
from turnspan.instrumentation.registry import Adapters
from turnspan.testing import record
from turnspan.testing.drivers import Conversation

RUNTIMES = {
    "openai_agents_wire": ["AgentsOverTheWire", "AgentsResponsesOverTheWire"],
    "pydantic_ai_wire": ["PydanticOverTheWire", "PydanticResponsesOverTheWire"],
    "pydantic_ai_anthropic_wire": ["PydanticAnthropicOverTheWire"],
    "langgraph_wire": ["LangGraphOverTheWire", "LangGraphResponsesOverTheWire"],
    "langgraph_anthropic_wire": ["LangGraphAnthropicOverTheWire"],
    "xerxes_wire": ["XerxesOverTheWire"],
    "oats_wire": ["OatsOverTheWire"],
}
BREAKS = {
    "an error": (Answer("hel lo", breaks=StreamError("too much", "overloaded_error")), "too much"),
    "a cut": (Answer("hel lo", breaks=Disconnect()), ""),
    "a refusal to answer": (HttpError(429, "slow down"), "slow down"),
}


def _cases(breaks=tuple(BREAKS)):
    for module, drivers in RUNTIMES.items():
        for driver in drivers:
            for name in breaks:
                if (driver, name) == ("OatsOverTheWire", "a cut"):
                    continue  # LiteLLM takes it for the end of the answer, and so does all above it
                for clients in ("", ",openai,anthropic"):
                    ident = f"{driver}, {name}{', clients' if clients else ''}"
                    yield pytest.param(module, driver, BREAKS[name], clients, id=ident)


@contextmanager
def _broken(module, driver, answer, clients, *, leave=False):
    try:
        played = getattr(importlib.import_module(f"support.drivers.{module}"), driver)()
    except ModuleNotFoundError as missing:
        pytest.skip(f"{missing.name} is not installed")

    async def main():
        with suppress(Exception):
            async with aclosing(played.stream(Conversation("s"), "go", [answer] * 9)) as stream:  # oats tries again
                async for item in stream:
                    if leave and "hel" in str(item):
                        break

    with record(strict=False) as recording:
        adapters = Adapters()
        adapters.watch(played.adapter + clients)
        try:
            asyncio.run(main())
        finally:
            adapters.undo()
            played.close()
        yield recording


@pytest.mark.parametrize(("module", "driver", "broken", "clients"), list(_cases()))
def test_a_stream_that_breaks_is_an_error_of_its_turn(module, driver, broken, clients):
    """Of its one call, too, with the provider's words."""
    answer, says = broken
    with _broken(module, driver, answer, clients) as recording:
        turn = recording.turn
        calls = turn.metadata["turnspan"]["model_calls"]
        assert (turn.status, {call["status"] for call in calls}) == ("error", {"error"})
        assert all(says in call["error"] for call in calls)
        if driver != "OatsOverTheWire":  # which tells its user to look into the log, and turnspan what it said
            assert says in turn.error
            assert len(calls) == 1
        assert recording.problems == {}
        assert recording.unresolved() == []


@pytest.mark.parametrize(("module", "driver", "broken", "clients"), list(_cases(("an error", "a cut"))))
def test_what_came_before_a_stream_broke_is_kept(module, driver, broken, clients):
    """Text that was streamed before the error is on record with it."""
    with _broken(module, driver, broken[0], clients) as recording:
        call, *_ = recording.turn.metadata["turnspan"]["model_calls"]
        assert "hel lo" in f"{call.get('output')}"


@pytest.mark.parametrize(
    ("module", "driver"), [(m, d) for m, all_ in RUNTIMES.items() for d in all_ if d[:4] not in ("Oats", "Xerx")]
)
def test_what_came_before_a_stream_was_left_is_kept(module, driver):
    """The program had seen enough: call and turn are cancelled, and have what it saw."""
    answer = Answer("hel lo " + "and so on " * 200)
    with _broken(module, driver, answer, "", leave=True) as recording:
        (call,) = recording.turn.metadata["turnspan"]["model_calls"]
        assert (recording.turn.status, call["status"]) == ("cancelled", "cancelled")
        assert "hel" in f"{call.get('output')}"
        assert recording.unresolved() == []
