"""Open turns: what has started and not ended, in any stream of events.

The recorder follows the events of this process with it, the ledger the lines of a journal, rehydration and verification
the rows of a chain. Each keeps for a turn or call what it needs: a span, a row, a line. Which event ends which is
written in :mod:`turnspan.events`.
"""

from __future__ import annotations

from typing import Any, Generic, Protocol, TypeVar

from turnspan.events import AgentStarted, Ended, Event, Started, TurnEnded, TurnStarted, call_id_of, end_of
from turnspan.model.records import OURS


class Opened(Protocol):
    """What is kept for a turn, call or handoff while it is open: its event, and whatever its keeper adds."""

    @property
    def started(self) -> Any:
        """The event."""


T = TypeVar("T", bound=Opened)
TurnKey = tuple[str, str | None]


class OpenTurn(Generic[T]):
    """A turn that has not ended: the calls that are open in it, and its events so far."""

    __slots__ = ("calls", "event_ids", "handoff", "turn")

    def __init__(self, turn: T | None) -> None:
        self.turn = turn  # None: another process started it, the parent of a fork; or it has ended, and calls have not
        self.calls: dict[str, T] = {}
        self.event_ids: list[str] = []
        self.handoff: T | None = None

    def start(self, opened: T) -> None:
        """Take what has started."""
        event = opened.started
        if type(event) is TurnStarted:
            self.turn = opened
        else:
            self.calls[event.call_id or event.event_id] = opened

    def parent_of(self, event: Event) -> T | None:
        """Return what an event happened in: a call, or else the turn."""
        if event.parent_id is not None and (call := self.calls.get(event.parent_id)) is not None:
            return call
        return self.turn

    def opened(self) -> list[T]:
        """Return what is open: the turn, and then its calls in the order of their starts."""
        calls = list(self.calls.values())
        return calls if self.turn is None else [self.turn, *calls]

    def handoff_to(self, event: Event) -> T | None:
        """Return the handoff that an agent's start follows; it is followed once."""
        handoff = self.handoff
        if handoff is None or type(event) is not AgentStarted or handoff.started.to_agent != event.agent_id:
            return None
        self.handoff = None
        return handoff


class OpenTurns(dict[TurnKey, OpenTurn[T]], Generic[T]):
    """The open turns, by session and turn.

    Any thread may call any method, as agents run in any thread and their events come from there. There is no lock: each
    step is one operation on a dict, and the calls of a turn are looped over in a copy. What may go wrong without one is
    that a call starts in one thread in the very moment in which its turn ends in another: its end is then not recorded,
    and verification says so.
    """

    def of(self, event: Event) -> OpenTurn[T] | None:
        """Return the turn that an event belongs to."""
        return self.get((event.session_id, event.turn_id))

    def of_call(self, event: Event) -> OpenTurn[T]:
        """Return the turn that an event belongs to, also if its start was not seen."""
        key = (event.session_id, event.turn_id)
        turn = self.get(key)
        if turn is None:
            turn = self[key] = OpenTurn(None)
        return turn

    def find(self, started: Event) -> T | None:
        """Return what is open under the ids of a start."""
        turn = self.of(started)
        if turn is None:
            return None
        return turn.turn if isinstance(started, TurnStarted) else turn.calls.get(call_id_of(started))

    def start(self, opened: T) -> OpenTurn[T]:
        """Take what has started, and return its turn."""
        turn = self.of_call(opened.started)
        turn.start(opened)
        return turn

    def end(self, event: Ended) -> tuple[OpenTurn[T], T | None]:
        """Forget what an event ends, and return its turn, and it; None if that was not open."""
        key = (event.session_id, event.turn_id)
        turn = self.get(key)
        if turn is None:
            return OpenTurn(None), None
        if isinstance(event, TurnEnded):
            opened, turn.turn = turn.turn, None
        else:
            opened = turn.calls.pop(event.call_id or "", None)
        if turn.turn is None and not turn.calls:
            self.pop(key, None)
        return turn, opened

    def ends(self, at_ns: int, reason: str) -> list[tuple[Ended, T]]:
        """Return the ends of what nothing else will end, innermost first, each with what it ends."""
        return [
            (interrupted(opened.started, at_ns, reason), opened)
            for turn in list(self.values())
            for opened in reversed(turn.opened())
        ]


def interrupted(started: Started, at_ns: int, reason: str) -> Ended:
    """Return the end of a turn or call whose process stopped or died in the middle of it."""
    if isinstance(started, TurnStarted):
        return end_of(started, at_ns, reason, metadata={OURS: {"interrupted": reason}})
    return end_of(started, at_ns, reason)
