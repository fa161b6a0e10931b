"""Sessions in memory: for tests and notebooks."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator

import msgspec

from turnspan.model.ids import now_ns
from turnspan.model.records import SessionRecord, check_id, iso
from turnspan.stores.base import AuditFilter, SessionStore, audit_order
from turnspan.stores.merging import merge
from turnspan.stores.rows import AuditRow, Changes, Removed, removal


class InMemorySessionStore(SessionStore):
    """Keeps copies: what is changed outside is not changed inside, until it is saved.

    >>> InMemorySessionStore().list_sessions()
    []
    """

    url = "memory:"

    def __init__(self) -> None:
        self._sessions: dict[str, SessionRecord] = {}
        self._audit: dict[str, AuditRow] = {}
        self._removed: list[Removed] = []
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
        rows = self.audit_events(session_id)
        with self._lock:
            self._removed += removal(session_id, rows, iso(now_ns()))
            for row in rows:
                self._audit.pop(row.event_id, None)
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
        """Return the audit rows of a session."""
        return list(self.audit_rows(AuditFilter(sessions=frozenset({session_id}))))

    def audit_rows(self, where: AuditFilter, *, by_session: bool = False) -> Iterator[AuditRow]:
        """Yield audit rows in order."""
        with self._lock:
            rows = [row for row in self._audit.values() if where.takes(row)]
        yield from sorted(rows, key=lambda row: audit_order(row, by_session=by_session))

    def audit_removed(self) -> list[Removed]:
        """Return what is left of removed rows."""
        return list(self._removed)

    def audit_newest(self, limit: int) -> list[AuditRow]:
        """Return the newest audit rows."""
        with self._lock:
            return sorted(self._audit.values(), key=lambda row: row.event_id)[-limit:]

    def replace_removed(self, rows: list[Removed]) -> None:
        """Replace what is left of removed rows."""
        with self._lock:
            kept = {(one.journal, one.first): one for one in [*self._removed, *rows]}
            self._removed = list(kept.values())

    def rewrite_payloads(self, session_id: str, payloads: dict[str, str]) -> None:
        """Replace payloads."""
        with self._lock:
            for event_id, payload in payloads.items():
                if (row := self._audit.get(event_id)) is not None and row.session_id == session_id:
                    self._audit[event_id] = msgspec.structs.replace(row, payload=payload)
