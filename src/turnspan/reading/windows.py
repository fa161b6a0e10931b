"""A long session, some turns at a time: an outline of all of it, and the turns that are looked at."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from turnspan.model.records import SessionRecord, TurnRecord
from turnspan.reading.tree import HANDED_OFF, TimelineNode, duration_of, failed_calls_of, tokens_of, turn_tree
from turnspan.stores.base import Audited, AuditFilter, SessionStore, TurnSummary, Windows

_BEHIND_ALL = "g"
"""Sorts behind every hex digit."""


@dataclass(slots=True, frozen=True)
class Window:
    """Some turns of a session, and one line about every turn that it has."""

    session: SessionRecord
    """With the turns of the window alone."""
    outline: list[TurnSummary]
    first: int
    """The place of the window's first turn in the outline."""

    @property
    def end(self) -> int:
        """The place behind the window's last turn."""
        return self.first + len(self.session.turns)

    @property
    def facts(self) -> dict[str, int]:
        """Which turns these are, for programs: the number of the first, how many they are, and of how many."""
        return {"first": self.first + 1, "turns": len(self.session.turns), "of": len(self.outline)}


class KeptOutlines:
    """Keeps the outlines of the long sessions that were looked at last, as long as these stay the same.

    Args:
        most: How many are kept.
        longest: Turns of a session whose outline is read sooner than it is looked up.

    """

    def __init__(self, most: int = 4, longest: int = 500) -> None:
        self._most, self._longest = most, longest
        self._known: dict[str, tuple[str, list[TurnSummary]]] = {}

    def __call__(self, store: Windows, session_id: str) -> list[TurnSummary]:
        """Return the outline of a session."""
        head = store.load_window(session_id, ())  # before the outline: what comes in between makes it an old one
        known = self._known.get(session_id)
        if head is not None and known is not None and known[0] == _state(head):
            return known[1]
        outline = store.turn_summaries(session_id)
        if len(outline) > self._longest and head is not None:
            self._known.pop(session_id, None)
            self._known[session_id] = (_state(head), outline)
            while len(self._known) > self._most:
                self._known.pop(next(iter(self._known), ""), None)
        return outline


Place = int | Callable[[list[TurnSummary]], int]
"""The place of a turn in its session (0 is the first), or what finds it in the outline."""


Outlines = Callable[[Windows, str], list[TurnSummary]]
"""Reads the outline of a session."""


def window_of(
    store: SessionStore, session_id: str, place: Place, limit: int, outlines: Outlines | None = None
) -> Window | None:
    """Return a window of a session that begins at a turn's place; None where there is no session.

    Args:
        store: Where it is.
        session_id: Its id.
        place: Where the window begins.
        limit: How many turns it has at most.
        outlines: What reads its outline; by default the store.

    """
    if isinstance(store, Windows):
        outline = store.turn_summaries(session_id) if outlines is None else outlines(store, session_id)
        first = _within(outline, place)
        head = store.load_window(session_id, [turn.turn_id for turn in outline[first : first + limit]])
        return None if head is None else Window(head, outline, first)
    session = store.load_session(session_id)
    if session is None:
        return None
    session = as_ours(session)
    outline = [summary_of(turn) for turn in session.turns]
    first = _within(outline, place)
    session.turns = session.turns[first : first + limit]
    return Window(session, outline, first)


def with_turn(store: SessionStore, session_id: str, turn_id: str | None) -> SessionRecord | None:
    """Return a session with one of its turns, or with more where the store cannot read less; None where there is none."""
    if isinstance(store, Windows):
        return store.load_window(session_id, [turn_id] if turn_id is not None else ())
    session = store.load_session(session_id)
    return None if session is None else as_ours(session)


def state_of(store: SessionStore, session_id: str) -> str | None:
    """Return a text that is another one as soon as a session may be; None where there is no session."""
    head = with_turn(store, session_id, None)
    return None if head is None else _state(head)


def _state(head: SessionRecord) -> str:
    return f"{head.updated_at}-{bool(head.metadata.get('ended'))}"


def as_ours(session: SessionRecord) -> SessionRecord:
    """Return a session whose record classes may be another program's as ours."""
    return session if isinstance(session, SessionRecord) else SessionRecord.from_dict(session.to_dict())


def _within(outline: list[TurnSummary], place: Place) -> int:
    return max(0, min(place if isinstance(place, int) else place(outline), len(outline) - 1))


def summary_of(turn: TurnRecord) -> TurnSummary:
    """Return one line about a turn."""
    return TurnSummary(
        turn.turn_id,
        turn.agent_id,
        turn.status,
        turn.started_at,
        duration_of(turn),
        tokens_of(turn),
        failed_calls_of(turn),
    )


def window_trees(store: SessionStore, session: SessionRecord) -> list[TimelineNode]:
    """Return the turns of a window as trees; of the session's audit rows only those of its handoffs are read."""
    handing = {handoff.turn_id for handoff in session.agent_transitions}
    return [
        turn_tree(
            turn,
            session.agent_transitions,
            sorted(_handoffs_of(store, session.session_id, turn)) if turn.turn_id in handing else (),
        )
        for turn in session.turns
    ]


def _handoffs_of(store: SessionStore, session_id: str, turn: TurnRecord) -> Iterator[str]:
    """Yield the events of a turn's handoffs: ids are in order of time, so those of a turn lie together."""
    ids: Collection[str] = turn.audit_event_ids
    if not ids or not isinstance(store, Audited):
        return
    where = AuditFilter(
        sessions=frozenset({session_id}), since_id=min(ids), until_id=max(ids) + _BEHIND_ALL, kind=HANDED_OFF
    )
    for row in store.audit_rows(where):
        if row.turn_id == turn.turn_id:
            yield row.event_id
