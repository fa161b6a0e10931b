"""Asynchronous stores for code that is not: their coroutines run on an event loop in a thread."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

from turnspan.errors import StoreUnavailableError
from turnspan.model.records import SessionRecord, check_id
from turnspan.stores.base import SessionStore

T = TypeVar("T")


class AsyncSessionStore(Protocol):
    """A store whose four methods are awaited."""

    async def save_session(self, session: SessionRecord) -> None:
        """Keep this session in place of what was kept under its id."""

    async def load_session(self, session_id: str) -> SessionRecord | None:
        """Return a session, or None."""

    async def list_sessions(self, workspace_id: str | None = None) -> list[str]:
        """Return the ids of all sessions, or of those in one workspace."""

    async def delete_session(self, session_id: str) -> bool:
        """Remove a session; return whether there was one."""


class BlockingStore(SessionStore):
    """An asynchronous store for code that is not: its coroutines run on an event loop of their own, in a thread.

    Args:
        store: The store; its connections are made, and used, on that loop only.
        timeout_s: How long one call may take.

    """

    def __init__(self, store: AsyncSessionStore, *, timeout_s: float = 30.0) -> None:
        self._store, self._timeout_s = store, timeout_s
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pid = 0
        self._lock = threading.Lock()

    def after_fork(self) -> None:
        """Begin anew in a forked child: the thread of the loop stayed with the parent."""
        self._lock = threading.Lock()

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or self._pid != os.getpid():
                ready = threading.Event()
                self._pid = os.getpid()
                self._thread = threading.Thread(
                    target=lambda: asyncio.run(self._serve(ready)), name="turnspan-store-loop", daemon=True
                )
                self._thread.start()
                ready.wait()
            assert self._loop is not None
            return self._loop

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        ready.set()
        await self._stop.wait()

    def _wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(coroutine, self._running())
        try:
            return future.result(self._timeout_s)
        except TimeoutError as error:
            future.cancel()
            name = type(self._store).__name__
            raise StoreUnavailableError(f"{name} did not answer within {self._timeout_s:g} s") from error

    def save_session(self, session: SessionRecord) -> None:
        """Keep the session.

        Raises:
            InvalidIdError: When its id cannot be stored.

        """
        check_id("session", session.session_id)
        self._wait(self._store.save_session(session))

    def load_session(self, session_id: str) -> SessionRecord | None:
        """Return the session, or None."""
        return self._wait(self._store.load_session(session_id))

    def list_sessions(self, workspace_id: str | None = None) -> list[str]:
        """Return the ids."""
        return self._wait(self._store.list_sessions(workspace_id))

    def delete_session(self, session_id: str) -> bool:
        """Remove the session."""
        return self._wait(self._store.delete_session(session_id))

    def close(self) -> None:
        """Stop the loop."""
        with self._lock:
            if self._loop is not None and self._pid == os.getpid():
                self._loop.call_soon_threadsafe(self._stop.set)
                self._thread.join(self._timeout_s)
            self._loop = None
