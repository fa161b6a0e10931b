"""Sessions from asynchronous code: a manager whose methods are awaited, and asynchronous stores behind any manager.

A store's driver blocks; a web service must not. :class:`AsyncSessionManager` has each call done in a thread, a bounded
number at once, in the context of the caller. The other way round, :class:`BlockingStore` gives a store that is
asynchronous itself to everything here that is not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from turnspan.model.records import AgentTransitionRecord, SessionRecord, TurnRecord
from turnspan.reading.pages import summaries
from turnspan.reading.places import Hit, hits
from turnspan.stores.base import SessionFilter, SessionStore, SessionSummary
from turnspan.stores.manager import SessionManager

T = TypeVar("T")
AT_ONCE = 8
"""Calls that may be in a store at the same time; SQLAlchemy's pool has fifteen connections."""


class AsyncSessionManager:
    """A :class:`~turnspan.SessionManager` whose methods are awaited.

    Args:
        manager: The manager, an observed one too (``turnspan.observe``), or a store.
        at_once: How many calls may be in the store at the same time; the others wait without a thread.

    """

    def __init__(self, manager: SessionManager | SessionStore, *, at_once: int = AT_ONCE) -> None:
        self._manager: Any = SessionManager(manager) if isinstance(manager, SessionStore) else manager
        self._at_once = at_once
        self._limits: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}

    @property
    def store(self) -> SessionStore:
        """The store underneath."""
        found: SessionStore = self._manager.store
        return found

    async def _do(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        loop = asyncio.get_running_loop()
        limit = self._limits.get(loop)
        if limit is None:  # a semaphore belongs to one loop; those of loops that are closed are forgotten
            self._limits = {known: one for known, one in self._limits.items() if not known.is_closed()}
            limit = self._limits[loop] = asyncio.Semaphore(self._at_once)
        async with limit:
            return await asyncio.to_thread(function, *args, **kwargs)

    async def start_session(
        self, workspace_id: str | None = None, agent_id: str | None = None, **more: Any
    ) -> SessionRecord:
        """Begin a session, or go on with one; see :meth:`turnspan.SessionManager.start_session`."""
        return await self._do(self._manager.start_session, workspace_id, agent_id, **more)

    async def record_turn(self, session_id: str, turn: TurnRecord) -> None:
        """Add a turn to a session; see :meth:`turnspan.SessionManager.record_turn`."""
        await self._do(self._manager.record_turn, session_id, turn)

    async def record_agent_transition(self, session_id: str, transition: AgentTransitionRecord) -> None:
        """Add a handoff to a session."""
        await self._do(self._manager.record_agent_transition, session_id, transition)

    async def end_session(self, session_id: str) -> None:
        """Mark a session as ended."""
        await self._do(self._manager.end_session, session_id)

    async def get_session(self, session_id: str) -> SessionRecord | None:
        """Return a session, or None."""
        return await self._do(self._manager.get_session, session_id)

    async def list_sessions(self, workspace_id: str | None = None) -> list[str]:
        """Return the ids of sessions, of one workspace or of all."""
        return await self._do(self._manager.list_sessions, workspace_id)

    async def page(self, where: SessionFilter | None = None) -> list[SessionSummary]:
        """Return a page of sessions, the last used first; ``where.after`` is the last session id of the page before."""
        return await self._do(summaries, self.store, where or SessionFilter())

    async def find(self, id_: str) -> list[Hit]:
        """Return what has this id, or one that begins like it: session, turn, call, event, trace or span."""
        return await self._do(hits, self.store, id_)
