"""Sessions in memory: for tests and notebooks."""

from __future__ import annotations

import copy
import threading

from turnspan.records import SessionRecord, check_id
from turnspan.stores.base import AuditRow, Changes, SessionStore, merge


class InMemorySessionStore(SessionStore):
    """Keeps copies: what is changed outside is not changed inside, until it is saved.

    >>> InMemorySessionStore().list_sessions()
    []
    """

    url = "memory:"

    def __init__(self) -> None:
        self._sessions: dict[str, SessionRecord] = {}
        self._audit: dict[str, AuditRow] = {}
        self._lock = threading.Lock()

    def after_fork(self) -> None:
        """Take a lock of our own: another thread of the parent process may hold the old one."""
        self._lock = threading.Lock()

    def save_session(self, session: SessionRecord) -> None:
        """Keep a copy of the session."""
        check_id("session", session.session_id)
        kept = SessionRecord.from_dict(session.to_dict())  # as any other store would give it back
        with self._lock:
            self._sessions[session.session_id] = kept

    def load_session(self, session_id: str) -> SessionRecord | None:
        """Return a copy of the session."""
        with self._lock:
            return copy.deepcopy(self._sessions.get(session_id))

    def list_sessions(self, workspace_id: str | None = None) -> list[str]:
        """Return the ids in the order in which the sessions were first saved."""
        with self._lock:
            return [i for i, s in self._sessions.items() if workspace_id is None or s.workspace_id == workspace_id]

    def delete_session(self, session_id: str) -> bool:
        """Remove a session and its audit events."""
        with self._lock:
            self._audit = {key: row for key, row in self._audit.items() if row.session_id != session_id}
            return self._sessions.pop(session_id, None) is not None

    def apply(self, changes: Changes) -> None:
        """Merge a batch."""
        changes = copy.deepcopy(changes)
        with self._lock:
            for session_id in changes.session_ids():
                self._sessions[session_id] = merge(self._sessions.get(session_id), changes.of(session_id))
            for row in changes.audit:
                self._audit.setdefault(row.event_id, row)

    def has_session(self, session_id: str) -> bool:
        """Return whether there is such a session."""
        return session_id in self._sessions

    def audit_events(self, session_id: str) -> list[AuditRow]:
        """Return the audit events of a session, in order of their ids' times."""
        with self._lock:
            rows = [row for row in self._audit.values() if row.session_id == session_id]
        return sorted(rows, key=lambda row: (row.journal, row.sequence))
