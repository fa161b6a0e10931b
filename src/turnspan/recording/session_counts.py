"""Session counts: what each session has in a journal behind its last seal, which is what the next seal says."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from time import monotonic

from turnspan.events import Event, Noted, SessionEnded, TurnStarted
from turnspan.journal.seals import Seal, seal_of

_SESSIONS_COUNTED = 4096
IDLE_S = 300.0
"""A session without events for so long is sealed, so that it can be proven while its process goes on."""

SessionSeal = tuple[str, Seal]
"""A session's id, and what is to be said of it."""


@dataclass(slots=True)
class _Count:
    after: int
    sequence: int = 0
    head: str = ""
    at: str = ""
    events: int = 0
    turns: int = 0
    touched_s: float = 0.0


class SessionCounts:
    """Counts the events of one journal by session, and says which sessions are to be sealed."""

    def __init__(self, journal_id: str) -> None:
        self._journal_id = journal_id
        self._counts: OrderedDict[str, _Count] = OrderedDict()
        self._due: deque[SessionSeal] = deque()
        self._last: tuple[Event, int, str, str] | None = None  # with number, hash and time

    def add(self, event: Event, sequence: int, line_hash: str, at: str) -> None:
        """Count a line: an event, its number, its hash and its time."""
        session_id = event.session_id
        self._last = (event, sequence, line_hash, at)
        count = self._counts.get(session_id)
        kind = type(event)
        if kind is Noted and seal_of(event) is not None:
            if count is not None:
                count.after, count.events, count.turns = sequence, 0, 0
            return
        if count is None:
            count = self._counts[session_id] = _Count(sequence - 1)
            if len(self._counts) > _SESSIONS_COUNTED:
                self._finish(*self._counts.popitem(last=False))
        if next(reversed(self._counts)) != session_id:
            self._counts.move_to_end(session_id)
        count.events += 1
        count.touched_s = monotonic()
        count.sequence, count.head, count.at = sequence, line_hash, at
        if kind is TurnStarted:
            count.turns += 1
        elif kind is SessionEnded:
            self._finish(session_id, self._counts.pop(session_id))

    def due(self) -> list[SessionSeal]:
        """Return the seals of sessions that have ended or are idle; each once."""
        idle_since_s = monotonic() - IDLE_S
        while self._counts and next(iter(self._counts.values())).touched_s < idle_since_s:
            self._finish(*self._counts.popitem(last=False))
        due = list(self._due)
        self._due.clear()
        return due

    def all(self) -> list[SessionSeal]:
        """Return the seals of every session that has events behind its last seal; each once."""
        for session_id, count in self._counts.items():
            self._finish(session_id, count)
        self._counts.clear()
        return self.due()

    def closing(self) -> list[SessionSeal]:
        """Return every session's seal, or one of the last session that says nothing new: the last closes the chain.

        There is none where the chain is empty, or closed already.
        """
        if (due := self.all()) or self._last is None:
            return due
        event, sequence, line_hash, at = self._last
        if (seal := seal_of(event)) is not None and seal.line:
            return []
        count = _Count(after=sequence, sequence=sequence, head=line_hash, at=at)
        return [(event.session_id, self._seal(count))]

    def _finish(self, session_id: str, count: _Count) -> None:
        if count.events:
            self._due.append((session_id, self._seal(count)))

    def _seal(self, count: _Count) -> Seal:
        return Seal(
            journal=self._journal_id,
            after=count.after,
            sequence=count.sequence,
            head=count.head,
            events=count.events,
            turns=count.turns,
            at=count.at,
        )
