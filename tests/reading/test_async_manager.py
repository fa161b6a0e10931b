"""Sessions from asynchronous code, and asynchronous stores behind code that is not."""

import asyncio
import os
import threading
import time

import pytest

import turnspan
from turnspan import (
    AgentTransitionRecord,
    AsyncSessionManager,
    BlockingStore,
    InMemorySessionStore,
    SessionManager,
    StoreUnavailableError,
    TurnRecord,
    open_store,
)
from turnspan.stores.base import SessionFilter
from turnspan.testing import SessionStoreConformance


class Slow(InMemorySessionStore):
    """A store whose driver blocks."""

    def __init__(self):
        super().__init__()
        self.inside = self.most = 0
        self._counting = threading.Lock()

    def load_session(self, session_id):
        with self._counting:
            self.inside += 1
            self.most = max(self.most, self.inside)
        time.sleep(0.05)
        with self._counting:
            self.inside -= 1
        return super().load_session(session_id)


def test_a_web_service_does_not_block():
    """A slow store does not hold up the loop."""
    store = Slow()
    SessionManager(store).start_session(session_id="s")
    manager = AsyncSessionManager(store, at_once=4)

    async def serve():
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                await asyncio.sleep(0.005)
                ticks += 1

        ticking = asyncio.create_task(tick())
        found = await asyncio.gather(*(manager.get_session("s") for _ in range(20)))
        ticking.cancel()
        return found, ticks

    found, ticks = asyncio.run(serve())
    assert [session.session_id for session in found] == ["s"] * 20
    assert ticks >= 20, "the loop stood still while the store was asked"
    assert store.most == 4
    asyncio.run(serve())  # another loop


@pytest.mark.parametrize("observed", [False, True])
def test_it_has_the_managers_methods(tmp_path, observed):
    """Each method of the manager can be awaited, over a store and over an observed manager."""
    store = open_store(f"sqlite:///{tmp_path / 'x.db'}")
    inner = turnspan.observe(SessionManager(store)) if observed else store
    manager = AsyncSessionManager(inner)

    async def use():
        first = await manager.start_session("w", "triage", session_id="s")
        await manager.record_turn("s", TurnRecord("t", "triage", "which invoices", "two"))
        await manager.record_agent_transition("s", AgentTransitionRecord("triage", "billing", None, "t"))
        await manager.end_session("s")
        await manager.start_session("w", session_id="child", parent_session_id="s")
        turnspan.flush()
        return (
            first,
            await manager.get_session("s"),
            await manager.list_sessions("w"),
            await manager.get_session("none"),
            await manager.page(SessionFilter(text="invoices")),
            await manager.find("t"),
            await manager.page(),
        )

    first, session, ids, nothing, page, found, both = asyncio.run(use())
    assert (first.session_id, nothing, sorted(ids)) == ("s", None, ["child", "s"])
    assert (session.turns[0].response_content, session.metadata["ended"]) == ("two", True)
    assert [one.to_agent for one in session.agent_transitions] == ["billing"]
    assert [one.session_id for one in page] == ["s"]
    assert ("turn", "t", "s") in {(hit.kind, hit.id, hit.session_id) for hit in found}
    assert {one.session_id: one.parent_id for one in both} == {"s": None, "child": "s"}
    assert manager.store is store
    store.close()


def test_what_the_store_raises_comes_through():
    """Errors are those of the manager."""
    with pytest.raises(ValueError, match="nowhere"):
        asyncio.run(AsyncSessionManager(InMemorySessionStore()).record_turn("nowhere", TurnRecord("t")))


class Asynchronous:
    """Somebody's asynchronous store; it belongs to the loop that it was first used on."""

    def __init__(self):
        self._inner, self._loop, self.delay_s = InMemorySessionStore(), None, 0.0

    async def _enter(self):
        loop = asyncio.get_running_loop()
        self._loop = self._loop or loop
        assert loop is self._loop
        await asyncio.sleep(self.delay_s)

    async def save_session(self, session):
        await self._enter()
        self._inner.save_session(session)

    async def load_session(self, session_id):
        await self._enter()
        return self._inner.load_session(session_id)

    async def list_sessions(self, workspace_id=None):
        await self._enter()
        return self._inner.list_sessions(workspace_id)

    async def delete_session(self, session_id):
        await self._enter()
        return self._inner.delete_session(session_id)


class TestBlocking(SessionStoreConformance):
    @pytest.fixture
    def store(self):
        store = BlockingStore(Asynchronous())
        yield store
        store.close()


def test_it_can_be_used_from_inside_a_loop_too():
    """Synchronous and asynchronous managers work over one asynchronous store, also inside a running loop."""
    store = BlockingStore(Asynchronous())

    async def use():
        SessionManager(store).start_session(session_id="s")
        return await AsyncSessionManager(store).list_sessions()

    assert asyncio.run(use()) == ["s"]
    store.close()


def test_a_store_that_does_not_answer_is_unavailable():
    """Beyond the time limit the error says that the store did not answer."""
    inner = Asynchronous()
    store = BlockingStore(inner, timeout_s=0.05)
    inner.delay_s = 5
    with pytest.raises(StoreUnavailableError, match="did not answer"):
        store.list_sessions()
    store.close()


def test_what_is_recorded_goes_into_an_asynchronous_store():
    """An observed manager records into a store that is asynchronous."""
    store = BlockingStore(Asynchronous())
    manager = turnspan.observe(SessionManager(store))
    manager.start_session(session_id="s")
    manager.record_turn("s", TurnRecord("t", prompt="hello"))
    turnspan.flush()
    (turn,) = store.load_session("s").turns
    assert (turn.prompt, len(turn.audit_event_ids) > 0) == ("hello", True)
    turnspan.shutdown()
    store.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_gets_a_loop_of_its_own():
    """The store works in a child of a fork."""
    store = BlockingStore(Asynchronous())
    store.list_sessions()
    store._store._loop = None
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            store.after_fork()
            code = 0 if store.list_sessions() == [] else 2
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
    store.close()
