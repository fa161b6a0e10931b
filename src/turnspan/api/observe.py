"""``observe(manager)``: the same manager, watched.

What goes through it becomes events, so it has spans and log lines, and its records get the audit event ids filled in.
The write that the user asked for is done by the manager itself, at once, and raises as before when it fails.
"""

from __future__ import annotations

import weakref
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol, TypeVar, cast

from turnspan.api.replaying import as_events, as_handoff, stamp, status_of, with_record
from turnspan.events import (
    Event,
    SessionEnded,
    SessionStarted,
    TurnEnded,
)
from turnspan.model.ids import now_ns
from turnspan.model.records import OURS, from_iso, iso, turnspan_metadata
from turnspan.recording import runtime
from turnspan.recording.recorder import Recorder
from turnspan.settings import Settings
from turnspan.stores.base import Appends
from turnspan.stores.merging import lock_of


class Manager(Protocol):
    """What a session manager can do; Calute's, Xerxes' and ours are such."""

    @property
    def store(self) -> Any:
        """The store underneath."""

    def start_session(
        self,
        workspace_id: str | None = None,
        agent_id: str | None = None,
        *,
        session_id: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> Any:
        """Begin a session."""

    def record_turn(self, session_id: str, turn: Any) -> None:
        """Add a turn."""

    def record_agent_transition(self, session_id: str, transition: Any) -> None:
        """Add a handoff."""

    def end_session(self, session_id: str) -> None:
        """End a session."""

    def get_session(self, session_id: str) -> Any:
        """Return a session."""

    def list_sessions(self, workspace_id: str | None = None) -> list[str]:
        """Return the ids of sessions."""


M = TypeVar("M", bound=Manager)
_recorders: weakref.WeakKeyDictionary[Any, Recorder] = weakref.WeakKeyDictionary()


def observe(manager: M) -> M:
    """Return the manager, watched: same methods, same results, same exceptions, plus events.

    Args:
        manager: Any object with the methods of a session manager, over any store.

    Returns:
        An object of the same interface. Turns that are watched live in the sessions it starts go to its store too.

    """
    return cast("M", ObservedManager(manager))


def recorder_for(store: Any) -> Recorder:
    """Return the recorder whose store this is: the process's own, or one made for it."""
    own = runtime.recorder()
    if own.pipeline.keeps_in(store):
        return own
    found = _recorders.get(store)
    if found is None or found.closed:
        settings = Settings.read(home=own.settings.home)
        found = _recorders[store] = Recorder(settings, store, sibling=own)
    return found


class ObservedManager:
    """The decorator around a session manager."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._store = manager.store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._manager, name)

    @property
    def _recorder(self) -> Recorder:
        return recorder_for(self._store)

    @property
    def store(self) -> Any:
        """The store underneath."""
        return self._store

    def start_session(
        self,
        workspace_id: str | None = None,
        agent_id: str | None = None,
        *,
        session_id: str | None = None,
        metadata: dict[str, Any] | None = None,
        **more: Any,
    ) -> Any:
        """Begin a session; ``more`` is what this manager takes besides."""
        given = {"session_id": session_id, "metadata": metadata, **more}
        began_ns = now_ns()
        session = self._writing("start_session", workspace_id, agent_id, **given)
        runtime.recorder().route_session_to(self._recorder, session.session_id)
        self._recorder.emit(
            SessionStarted(
                session_id=session.session_id,
                workspace_id=workspace_id,
                agent_id=agent_id,
                source="explicit",
                metadata=_said_of(session, metadata),
                at_ns=_begun_at(session, began_ns),
            )
        )
        return session

    def record_turn(self, session_id: str, turn: Any) -> None:
        """Add a turn. One that was watched live is only stamped; any other is replayed as events, with its own times."""
        recorder = self._recorder
        if recorder.settings.disabled:
            self._manager.record_turn(session_id, turn)
            return
        if not recorder.knows_session(session_id) and self._manager.get_session(session_id) is None:
            self._manager.record_turn(session_id, turn)  # raises, as it always did
            return
        replayed: list[Event] = []
        if (known := recorder.turns_of(session_id).events_of(session_id, turn.turn_id)) is not None:
            ids, span = known
            if recorder.turns.is_open(session_id, turn.turn_id):
                end = TurnEnded(session_id=session_id, turn_id=turn.turn_id, status=status_of(turn), error=turn.error)
                ids.append(end.event_id)
                replayed.append(end)
            else:
                recorder.flush()  # what the application records comes last, and wins
            stamp(turn, ids, None if span is None else {"trace_id": span.trace_id, "span_id": span.span_id})
            replayed = [with_record(event, turn) for event in replayed]
        else:
            replayed = as_events(session_id, turn)
        with self._alone():
            for event in replayed:
                recorder.emit(event)
            if known is not None and not replayed:
                self._forget(session_id, turn.turn_id)
            self._manager.record_turn(session_id, turn)

    def _forget(self, session_id: str, turn_id: str) -> None:
        """Take out a turn that the writer has stored: managers that load and save whole sessions add it blindly."""
        if isinstance(self._store, Appends):
            return
        kept = self._store.load_session(session_id)
        if kept is not None and any(turn.turn_id == turn_id for turn in kept.turns):
            kept.turns = [turn for turn in kept.turns if turn.turn_id != turn_id]
            self._store.save_session(kept)

    def record_agent_transition(self, session_id: str, transition: Any) -> None:
        """Add a handoff."""
        recorder = self._recorder
        if (at_ns := from_iso(transition.timestamp)) is None:  # its time makes two records of it the same one
            at_ns = now_ns()
            transition.timestamp = iso(at_ns)
        self._writing("record_agent_transition", session_id, transition)
        recorder.emit(as_handoff(session_id, transition, at_ns))

    def end_session(self, session_id: str) -> None:
        """End a session."""
        self._writing("end_session", session_id)
        self._recorder.emit(SessionEnded(session_id=session_id))

    def get_session(self, session_id: str) -> Any:
        """Return a session, with everything that was recorded until now."""
        self._recorder.flush()
        return self._manager.get_session(session_id)

    def list_sessions(self, workspace_id: str | None = None) -> list[str]:
        """Return the ids of sessions."""
        self._recorder.flush()
        return self._manager.list_sessions(workspace_id)

    def _writing(self, method: str, *args: Any, **kwargs: Any) -> Any:
        with self._alone():
            return getattr(self._manager, method)(*args, **kwargs)

    def _alone(self) -> AbstractContextManager[Any]:
        """Return what keeps everybody else out, the writer too, of a store that loads and saves whole sessions."""
        return nullcontext() if isinstance(self._store, Appends) else lock_of(self._store)


def _said_of(session: Any, metadata: dict[str, Any] | None) -> dict[str, Any]:
    """Return what was said of a session when it was started: so that its event says what the manager has stored."""
    kept = turnspan_metadata(session.metadata)
    parents = {name: kept[name] for name in ("parent_session_id", "root_session_id") if name in kept}
    return {**(metadata or {}), **({OURS: parents} if parents else {})}


def _begun_at(session: Any, began_ns: int) -> int:
    """Return when a session was started: the manager has said so if it has begun now."""
    created_ns = from_iso(session.created_at) or 0
    return created_ns if created_ns >= began_ns - 1000 else now_ns()  # records keep microseconds
