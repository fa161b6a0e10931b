"""Only the type checker runs this: the public types stay what they promise."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any, assert_type

import turnspan
from turnspan import InMemorySessionStore, SessionManager, SessionRecord, SessionSummary, ToolCallRecord
from turnspan.stores import Appends, Changes, SessionStore
from turnspan.testing import Recording, record


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
    assert_type(turnspan.why("event").values[0].where, str)
    assert_type(turnspan.diff("a", "b", times=True).same, bool)


async def use_async() -> None:
    assert_type(await named("x"), int)
    async with turnspan.model_call("m", provider="p") as call:
        call.usage = turnspan.Usage(input_tokens=1)


class FourMethods:
    """A store that is derived from nothing."""

    def save_session(self, session: SessionRecord) -> None:
        raise NotImplementedError

    def load_session(self, session_id: str) -> SessionRecord | None:
        raise NotImplementedError

    def list_sessions(self, workspace_id: str | None = None) -> list[str]:
        raise NotImplementedError

    def delete_session(self, session_id: str) -> bool:
        raise NotImplementedError


def stores(any_store: SessionStore) -> None:
    mine: SessionStore = FourMethods()
    assert_type(SessionManager(mine).list_sessions(), list[str])
    turnspan.AsyncSessionManager(FourMethods())
    if isinstance(any_store, Appends):
        any_store.apply(Changes())


def settings() -> None:
    turnspan.configure(store=FourMethods(), home="home", durability="fsync", telemetry=False)
    turnspan.configure(durability="maybe")  # type: ignore[arg-type]
    turnspan.instrument(hoem="x")  # type: ignore[call-arg]
    turnspan.instrument(adapters="openai", store="memory:")


def reading() -> None:
    assert_type(turnspan.get("last"), SessionRecord)
    assert_type(turnspan.sessions(text="refund", since=timedelta(days=1)), list[SessionSummary])
    assert_type(turnspan.verify().proven, bool)
    report: turnspan.Report = turnspan.verify("s")
    assert_type(report.findings[0], turnspan.Finding)


def tests() -> Iterator[Recording]:
    with record(strict=False, redact="none") as recording:
        assert_type(recording.assert_called("refund", number="7"), ToolCallRecord)
        assert_type(recording.tokens, int)
        assert_type(recording.snapshot(), list[dict[str, Any]])
        yield recording
