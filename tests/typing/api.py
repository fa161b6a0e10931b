"""Only the type checker runs this: the public types stay what they promise."""

from collections.abc import AsyncIterator
from typing import assert_type

import turnspan
from turnspan import InMemorySessionStore, SessionManager, SessionRecord


@turnspan.tool
def bare(query: str) -> list[str]:
    return [query]


@turnspan.tool("named")
async def named(query: str) -> int:
    return len(query)


@turnspan.turn(agent="triage")
async def stream(prompt: str) -> AsyncIterator[str]:
    yield prompt


def use() -> None:
    assert_type(bare("x"), list[str])
    with turnspan.session("s") as session, turnspan.turn(agent="a") as turn, turnspan.tool("t", q=1) as call:
        assert_type(session.id, str | None)
        turn.handoff("b", reason="r")
        call.result = object()
    manager = turnspan.observe(SessionManager(InMemorySessionStore()))
    assert_type(manager, SessionManager)
    assert_type(manager.get_session("s"), SessionRecord | None)


async def use_async() -> None:
    assert_type(await named("x"), int)
    async with turnspan.model_call("m", provider="p") as call:
        call.usage = turnspan.Usage(input_tokens=1)
