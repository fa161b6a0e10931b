"""What a store is.

Four methods are a whole store. A store that can do better implements :class:`Appends`: one atomic, idempotent batch of
rows, so that a turn costs the same at turn 10,000 as at turn 1 and two writers lose nothing. For any other store
:func:`apply` loads, merges and saves, under one lock.
"""

from __future__ import annotations

import re
import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from turnspan.model.records import SessionRecord
from turnspan.stores.rows import AuditRow, Changes, Removed, merge


class SessionStore(ABC):
    """Keeps sessions. Safe to use from several threads."""

    @abstractmethod
    def save_session(self, session: SessionRecord) -> None:
        """Keep this session as it is, in place of what was kept under its id."""

    @abstractmethod
    def load_session(self, session_id: str) -> SessionRecord | None:
        """Return a session that is yours to change, or None when there is none."""

    @abstractmethod
    def list_sessions(self, workspace_id: str | None = None) -> list[str]:
        """Return the ids of all sessions, or of those in one workspace."""

    @abstractmethod
    def delete_session(self, session_id: str) -> bool:
        """Remove a session; return whether there was one."""


@runtime_checkable
class Appends(Protocol):
    """The capability to add to sessions without loading them."""

    def apply(self, changes: Changes) -> None:
        """Store a batch, atomically and idempotently.

        Raises:
            StoreUnavailableError: When it cannot be done now but may be later.

        """


@dataclass(slots=True, frozen=True, kw_only=True)
class AuditFilter:
    """Which audit rows are wanted; None does not matter. Ids sort by time, so a range of ids is a range of time."""

    sessions: frozenset[str] | None = None
    since_id: str | None = None
    until_id: str | None = None
    journal: str | None = None
    first: int | None = None
    last: int | None = None

    def takes(self, row: AuditRow) -> bool:
        """Return whether a row is wanted."""
        return (
            (self.sessions is None or row.session_id in self.sessions)
            and (self.since_id is None or row.event_id >= self.since_id)
            and (self.until_id is None or row.event_id < self.until_id)
            and (self.journal is None or row.journal == self.journal)
            and (self.first is None or row.sequence >= self.first)
            and (self.last is None or row.sequence <= self.last)
        )


@runtime_checkable
class Audited(Protocol):
    """The capability to keep audit rows, so that the record can be proven and sent again."""

    def audit_events(self, session_id: str) -> list[AuditRow]:
        """Return the audit rows of a session, each journal's in order of sequence."""

    def audit_rows(self, where: AuditFilter, *, by_session: bool = False) -> Iterator[AuditRow]:
        """Yield audit rows by journal and sequence; or by session, journal and sequence."""

    def audit_removed(self) -> list[Removed]:
        """Return what is left of removed rows."""

    def rewrite_payloads(self, session_id: str, payloads: dict[str, str]) -> None:
        """Put other payloads (by event id) in place of those that are kept, so that the old ones cannot be found again."""


def audit_order(row: AuditRow, *, by_session: bool) -> tuple[str, str, int]:
    """Return what audit rows are sorted by."""
    return (row.session_id if by_session else "", row.journal, row.sequence)


@dataclass(slots=True, frozen=True)
class SessionSummary:
    """One line about a session."""

    session_id: str
    workspace_id: str | None
    agent_id: str | None
    created_at: str
    updated_at: str
    ended: bool
    turns: int
    failed_turns: int
    prompt: str
    parent_id: str | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class SessionFilter:
    """What ``turnspan sessions`` asks for; None does not matter.

    ``text`` is looked for in each turn's prompt, answer, error, and its tools' names, arguments and errors: all of its
    words, ``"phrases in quotes"`` and ``beginnings*``. The other conditions may hold for different turns.
    """

    workspace_id: str | None = None
    parent_id: str | None = None
    agent_id: str | None = None
    status: str | None = None
    since: str | None = None
    until: str | None = None
    text: str | None = None
    tool: str | None = None
    model: str | None = None
    min_tokens: int | None = None
    min_duration_ms: float | None = None
    limit: int = 20
    after: str | None = None


def words_of(text: str) -> list[str]:
    """Return what a search looks for: words, phrases, and beginnings, which end with a ``*``."""
    found = [phrase or word for phrase, word in re.findall(r'"([^"]*)"|([^\s"]+)', text)]
    return [word for word in found if any(c.isalnum() for c in word)]


# Stores that cannot append ---------------------------------------------------------------------------------------

_locks: weakref.WeakKeyDictionary[object, threading.RLock] = weakref.WeakKeyDictionary()
_locks_lock = threading.Lock()


def lock_of(store: object) -> threading.RLock:
    """Return the one lock that everybody in this process holds while loading, changing and saving in a store."""
    with _locks_lock:
        return _locks.setdefault(store, threading.RLock())


def apply(store: SessionStore, changes: Changes) -> None:
    """Store a batch in any store: at once when it can, else by loading, merging and saving each session.

    A store made of somebody else's record classes (Xerxes') gets back the class that it gave.
    """
    if isinstance(store, Appends):
        store.apply(changes)
        return
    with lock_of(store):
        for session_id in changes.session_ids():
            kept: Any = store.load_session(session_id)
            session = (
                kept if kept is None or isinstance(kept, SessionRecord) else SessionRecord.from_dict(kept.to_dict())
            )
            merged = merge(session, changes.of(session_id))
            foreign = kept is not None and not isinstance(kept, SessionRecord)
            store.save_session(type(kept).from_dict(merged.to_dict()) if foreign else merged)
