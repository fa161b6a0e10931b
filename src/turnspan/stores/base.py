"""What a store is, and everything that a store may be able to do.

Four methods are a whole store: :class:`SessionStore`. What a store can do beyond them is a *capability*, a protocol
below. There is one way to ask for it, ``isinstance(store, Appends)``, and each says what happens where it is lacking:
a store of one's own gains by implementing it, and loses nothing by leaving it out.

======================  =============================================  ====================================================
capability              what it is for                                 without it
======================  =============================================  ====================================================
:class:`Appends`        add to sessions without loading them           loaded, merged and saved, under one lock (``merging``)
:class:`Audited`        keep audit rows, so that the record is proven  ``verify`` and ``rehydrate`` say that there are none
:class:`AuditTail`      name the chains before it in a new chain       chains of the store are not linked
:class:`SignsRemovals`  keep removals that are signed                  with a key, removals are not believed
:class:`ChecksColumns`  keep a field in more places than one           what is loaded is all there is
:class:`Peeks`          know whether a session is there                it is loaded
:class:`Pages`          answer a filter with a page of summaries       sessions are read, the last used first, and filtered
:class:`ByUse`          yield sessions, the last used first            all are loaded and sorted
:class:`Windows`        read some turns of a session                   the whole session is loaded
:class:`Meters`         know what the model calls of sessions used     they are loaded
:class:`Finds`          find what has an id                            all are loaded and looked through
:class:`Vacuums`        overwrite and give back what was removed       nothing is done
:class:`Closes`         hold connections until it is closed            nothing is done
:class:`Forks`          go on in a forked child                        it is used there as it is
:class:`Reopens`        know that its file was taken away, reopen      what is written then goes where its system puts it
:class:`LosesFiles`     go on when the program has closed its files    it is used as it is
:class:`Located`        be opened again by a URL                       it belongs to the process that made it
======================  =============================================  ====================================================
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

from turnspan.model.records import SessionRecord
from turnspan.stores.rows import AuditRow, Changes, Removed


@runtime_checkable
class SessionStore(Protocol):
    """Keeps sessions. Safe to use from several threads.

    Derive from it, or have its four methods: any object that has them is a store.
    """

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


# What is asked for -----------------------------------------------------------------------------------------------


@dataclass(slots=True, frozen=True, kw_only=True)
class AuditFilter:
    """Which audit rows are wanted; None does not matter. Ids sort by time, so a range of ids is a range of time."""

    sessions: frozenset[str] | None = None
    since_id: str | None = None
    until_id: str | None = None
    journal: str | None = None
    first: int | None = None
    last: int | None = None
    kind: str | None = None

    def takes(self, row: AuditRow) -> bool:
        """Return whether a row is wanted."""
        return (
            (self.sessions is None or row.session_id in self.sessions)
            and (self.since_id is None or row.event_id >= self.since_id)
            and (self.until_id is None or row.event_id < self.until_id)
            and (self.journal is None or row.journal == self.journal)
            and (self.first is None or row.sequence >= self.first)
            and (self.last is None or row.sequence <= self.last)
            and (self.kind is None or row.kind == self.kind)
        )


def audit_order(row: AuditRow, *, by_session: bool) -> tuple[str, str, int]:
    """Return what audit rows are sorted by."""
    return (row.session_id if by_session else "", row.journal, row.sequence)


@dataclass(slots=True, frozen=True, kw_only=True)
class SessionFilter:
    """Which sessions are wanted, a page of ``limit`` of them; None does not matter.

    ``text`` is looked for in each turn's prompt, answer, error and notes, and in its tools' names, arguments, results
    and errors: all of its words, ``"phrases in quotes"`` and ``beginnings*``. The other conditions may hold for
    different turns. ``after`` is the last session id of the page before.
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


@dataclass(slots=True, frozen=True, repr=False)
class SessionSummary:
    """One line about a session. ``prompt`` is that of its first turn; ``tokens`` and ``duration_ms`` are those of all turns.

    Stores do not know prices: ``cost_usd`` is filled by who reads, as far as there are prices (extra ``prices``);
    ``unpriced_calls`` counts the model calls that it does not cover.
    """

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
    tokens: int = 0
    duration_ms: float = 0.0
    failed_calls: int = 0
    cost_usd: float | None = None
    unpriced_calls: int = 0

    def __repr__(self) -> str:
        """Show ids and counts, never content: it may be printed by accident."""
        shown = f"session_id={self.session_id!r}, turns={self.turns}, failed_turns={self.failed_turns}"
        return f"SessionSummary({shown}, updated_at={self.updated_at!r}, ...)"


class TurnSummary(NamedTuple):
    """One line about a turn: what a picture of a whole session is drawn from."""

    turn_id: str
    agent_id: str | None
    status: str
    started_at: str
    duration_ms: float | None
    tokens: int
    failed_calls: int = 0


class ModelUse(NamedTuple):
    """What one model call used, as :class:`~turnspan.events.Usage` names it, and what its price depends on besides."""

    session_id: str
    provider: str
    model: str
    started_at: str
    usage: dict[str, Any]


class Found(NamedTuple):
    """Something that has an id: a session, turn, trace, span, audit event, tool call or response."""

    kind: str
    session_id: str
    turn_id: str | None
    id: str


# Capabilities ----------------------------------------------------------------------------------------------------


@runtime_checkable
class Appends(Protocol):
    """Adds to sessions without loading them: a turn costs the same at turn 10,000 as at turn 1, two writers lose none."""

    def apply(self, changes: Changes) -> None:
        """Store a batch, atomically and idempotently.

        Raises:
            StoreUnavailableError: When it cannot be done now but may be later.

        """


@runtime_checkable
class Audited(Protocol):
    """Keeps the audit rows of what is applied, so that the record can be proven and sent again."""

    def audit_events(self, session_id: str) -> list[AuditRow]:
        """Return the audit rows of a session, each journal's in order of sequence."""

    def audit_rows(self, where: AuditFilter, *, by_session: bool = False) -> Iterator[AuditRow]:
        """Yield audit rows by journal and sequence; or by session, journal and sequence."""

    def audit_removed(self) -> list[Removed]:
        """Return what is left of removed rows."""

    def rewrite_payloads(self, session_id: str, payloads: dict[str, str]) -> None:
        """Put other payloads (by event id) in place of those that are kept, so that the old ones cannot be found again."""


class Difference(NamedTuple):
    """A field that is kept in more places than one, and is not the same in them: of what, its name, both values."""

    what: str
    name: str
    has: Any
    should: Any


@runtime_checkable
class AuditTail(Protocol):
    """Knows which audit rows were written last."""

    def audit_newest(self, limit: int) -> list[AuditRow]:
        """Return some of the newest audit rows; those of the same chain in any order."""


@runtime_checkable
class SignsRemovals(Protocol):
    """Keeps what is left of removed rows with a signature."""

    def replace_removed(self, rows: list[Removed]) -> None:
        """Put these in place of those of the same journal and first line; add those that are not there."""


@runtime_checkable
class ChecksColumns(Protocol):
    """Keeps fields twice, for searching and listing, and can say where they are not the same."""

    def columns_that_differ(self, session: SessionRecord) -> list[Difference]:
        """Return the columns of a session's rows that are not what the session itself, as it is loaded, says."""

    def sessions_without_head(self) -> list[str]:
        """Return the ids of sessions that rows are there of, and not the session."""

    def altered_tables(self) -> list[str]:
        """Return in words which tables do not show what was written into them: somebody has put others in their place."""

    def is_cut(self, has: str, whole: str) -> bool:
        """Return whether a text is what this store keeps of a longer one, or of one with characters it does not take."""


@runtime_checkable
class Peeks(Protocol):
    """Knows whether a session is there without reading it."""

    def has_session(self, session_id: str) -> bool:
        """Return whether there is such a session."""


@runtime_checkable
class Pages(Protocol):
    """Answers a filter by its own indexes."""

    def summaries(self, where: SessionFilter) -> list[SessionSummary]:
        """Return a page of sessions, the last used first."""


@runtime_checkable
class ByUse(Protocol):
    """Has sessions in the order in which they were used."""

    def sessions_by_use(self) -> Iterator[SessionRecord]:
        """Yield sessions, the last used first, each read when it is asked for."""


@runtime_checkable
class Windows(Protocol):
    """Reads a long session a few turns at a time."""

    def turn_summaries(self, session_id: str) -> list[TurnSummary]:
        """Return one line about each turn of a session, in their order; none where there is no such session."""

    def load_window(self, session_id: str, turn_ids: Collection[str]) -> SessionRecord | None:
        """Return a session with these turns alone, and the handoffs in them; None where there is no such session."""


@runtime_checkable
class Meters(Protocol):
    """Knows what model calls used without reading what they said."""

    def model_use(self, session_ids: Collection[str]) -> list[ModelUse]:
        """Return what the model calls of some sessions used, of those that say it."""


@runtime_checkable
class Finds(Protocol):
    """Finds what has an id by its own indexes."""

    def find(self, prefix: str, limit: int = 20) -> list[Found]:
        """Return what has this id, or else what has one that begins like it."""


@runtime_checkable
class Vacuums(Protocol):
    """Keeps the room of what was removed, until it is asked to give it back."""

    def vacuum(self) -> None:
        """Overwrite what was removed, and give back its room."""


@runtime_checkable
class Closes(Protocol):
    """Holds connections or files."""

    def close(self) -> None:
        """Let go of them."""


@runtime_checkable
class Forks(Protocol):
    """Has locks or connections that do not survive a fork."""

    def after_fork(self) -> None:
        """Begin anew in a forked child, without touching what belongs to the parent."""


@runtime_checkable
class Reopens(Protocol):
    """Knows whether what it has opened is still what stands in its place: files are removed, moved and replaced."""

    def is_in_place(self) -> bool:
        """Return whether it is; what was stored may be gone otherwise, also what was confirmed."""

    def reopen(self) -> None:
        """Open what stands in its place now, made anew where nothing does."""


@runtime_checkable
class LosesFiles(Protocol):
    """Has files or connections whose descriptors a program may close behind its back, as daemonizers do."""

    def lose_files(self) -> None:
        """Let go of them without closing them: their numbers may be those of the program's own files now."""


@runtime_checkable
class Located(Protocol):
    """Is somewhere: another process can open it."""

    @property
    def url(self) -> str:
        """The URL that :func:`turnspan.open_store` opens it by."""


def url_of(store: object) -> str:
    """Return where a store is; "" for one that does not say."""
    return store.url if isinstance(store, Located) else ""


def has_session(store: SessionStore, session_id: str) -> bool:
    """Return whether a session is in any store."""
    return store.has_session(session_id) if isinstance(store, Peeks) else store.load_session(session_id) is not None
