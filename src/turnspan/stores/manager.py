"""The life of sessions over a store, with the methods of Calute's and Xerxes' ``SessionManager``."""

from __future__ import annotations

import uuid
from typing import Any

from turnspan.errors import SessionNotFoundError
from turnspan.model.records import OURS, AgentTransitionRecord, SessionRecord, TurnRecord, check_id, now_iso
from turnspan.stores.base import SessionStore, has_session
from turnspan.stores.merging import apply, lock_of
from turnspan.stores.rows import Changes, SessionRow, TransitionRow, rows_of_turn


class SessionManager:
    """Starts, continues, and ends sessions.

    Unlike its model, it never loses a turn when two threads or processes meet, starting a session that exists goes on
    with it, and recording a turn twice keeps it once.

    >>> from turnspan import InMemorySessionStore
    >>> SessionManager(InMemorySessionStore()).start_session(agent_id="default").agent_id
    'default'
    """

    def __init__(self, store: SessionStore) -> None:
        self._store = store

    @property
    def store(self) -> SessionStore:
        """The store underneath."""
        return self._store

    def start_session(
        self,
        workspace_id: str | None = None,
        agent_id: str | None = None,
        *,
        session_id: str | None = None,
        metadata: dict[str, Any] | None = None,
        parent_session_id: str | None = None,
    ) -> SessionRecord:
        """Begin a session, or go on with the one that has this id.

        With ``parent_session_id`` it comes out of another one: a fork, a sub-agent's, one that goes on with an old one.

        Raises:
            InvalidIdError: When the id cannot be stored.

        """
        key = check_id("session", session_id) if session_id else uuid.uuid4().hex
        if workspace_id is not None:
            check_id("workspace", workspace_id)
        if parent_session_id is not None:
            above = self._store.load_session(check_id("session", parent_session_id))
            root = above.root_session_id if above is not None else None
            came_from = {"parent_session_id": parent_session_id, "root_session_id": root or parent_session_id}
            metadata = {**(metadata or {}), OURS: came_from}
        now = now_iso()
        row = SessionRow(
            session_id=key,
            workspace_id=workspace_id,
            agent_id=agent_id,
            created_at=now,
            updated_at=now,
            ended=False,
            metadata=metadata or {},
        )
        apply(self._store, Changes(sessions=[row]))
        found = self._store.load_session(key) if session_id else None
        return found or SessionRecord(
            key, workspace_id, now, now, agent_id, metadata=metadata if metadata is not None else {}
        )

    def record_turn(self, session_id: str, turn: TurnRecord) -> None:
        """Add a turn to a session; a turn with the same id is replaced.

        Raises:
            ValueError: If the session does not exist.

        """
        check_id("turn", turn.turn_id)
        with lock_of(self._store):
            head = self._touched(session_id)
            changes = rows_of_turn(session_id, turn)
            changes.sessions.append(head)
            apply(self._store, changes)

    def record_agent_transition(self, session_id: str, transition: AgentTransitionRecord) -> None:
        """Add a handoff to a session.

        Raises:
            ValueError: If the session does not exist.

        """
        head = self._touched(session_id)
        row = TransitionRow(
            session_id=session_id,
            turn_id=transition.turn_id,
            from_agent=transition.from_agent,
            to_agent=transition.to_agent,
            reason=transition.reason,
            timestamp=transition.timestamp,
            unknown=transition.unknown(),
        )
        apply(self._store, Changes(sessions=[head], transitions=[row]))

    def end_session(self, session_id: str) -> None:
        """Mark a session as ended (``metadata["ended"]``).

        Raises:
            ValueError: If the session does not exist.

        """
        apply(self._store, Changes(sessions=[{**self._touched(session_id), "ended": True}]))

    def get_session(self, session_id: str) -> SessionRecord | None:
        """Return a session, or None."""
        return self._store.load_session(session_id)

    def list_sessions(self, workspace_id: str | None = None) -> list[str]:
        """Return the ids of sessions, of one workspace or of all."""
        return self._store.list_sessions(workspace_id)

    def _touched(self, session_id: str) -> SessionRow:
        """Return the head of an existing session, with the present time."""
        if not has_session(self._store, session_id):
            raise SessionNotFoundError(session_id)
        now = now_iso()
        return SessionRow(
            session_id=session_id,
            workspace_id=None,
            agent_id=None,
            created_at=now,
            updated_at=now,
            ended=False,
            metadata={},
        )
