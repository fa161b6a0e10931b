"""Storing a history: its sessions as if they had been recorded, nothing twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from turnspan.api.observe import recorder_for
from turnspan.api.replaying import as_events, as_handoff
from turnspan.errors import StoreUnavailableError
from turnspan.events import Event, HandedOff, SessionStarted
from turnspan.interchange.importers.files import Unreadable, why_not
from turnspan.interchange.joining.joiner import Joiner
from turnspan.model.ids import derived_id, now_ns
from turnspan.model.records import OURS, SessionRecord, TurnRecord, check_id, from_iso, turnspan_metadata
from turnspan.recording import runtime
from turnspan.recording.recorder import Recorder
from turnspan.stores.base import SessionStore

_PATIENCE_S = 60.0
JOINED = ("claude-code", "codex", "gemini-cli")
"""Histories of coding agents, which are heard of in other ways as well."""


@dataclass
class Report:
    """What became of a history."""

    sessions: int = 0
    turns: int = 0
    already: int = 0
    """Turns that the store had."""
    unreadable: list[Unreadable] = field(default_factory=list)


def store_history(
    kind: str, found: Iterable[SessionRecord | Unreadable], store: SessionStore, *, dry_run: bool = False
) -> Iterator[Report]:
    """Store sessions as if they had been recorded: times kept, audit ids derived; yields the report so far after each.

    What the store has already stays as it is, so a history may be given again.
    """
    report = Report()
    history: _Taker
    if kind in JOINED:
        history = _Accounts(kind, store, report, dry_run=dry_run)
    else:
        history = _History(kind, store, report, None if dry_run else recorder_for(store))
    for item in found:
        if isinstance(item, Unreadable):
            report.unreadable.append(item)
        else:
            try:
                history.take(item)
            except StoreUnavailableError:
                raise
            except Exception as error:  # one session that is not what its reader took it for
                report.unreadable.append(Unreadable(str(item.session_id)[:80], why_not(error)))
        yield report
    history.flush()


class _Taker(Protocol):
    def take(self, session: SessionRecord) -> None:
        """Store what is new of a session."""

    def flush(self) -> None:
        """Wait until the store has everything."""


class _Accounts:
    """Takes accounts of sessions that others may have told of, too, one after the other."""

    def __init__(self, kind: str, store: SessionStore, report: Report, *, dry_run: bool) -> None:
        recorder = runtime.recorder() if dry_run else recorder_for(store)
        self._joiner, self._report = Joiner(kind, store, recorder, dry_run=dry_run), report

    def take(self, session: SessionRecord) -> None:
        """Join what is new of a session with what is there."""
        done = self._joiner.take(session)
        self._report.sessions += done.sessions
        self._report.turns += done.turns
        self._report.already += done.already + done.changed

    def flush(self) -> None:
        """Do nothing: what was taken is stored."""


class _History:
    """Takes the sessions of a history, one after the other."""

    def __init__(self, kind: str, store: SessionStore, report: Report, recorder: Recorder | None) -> None:
        self._kind, self._store, self._report, self._recorder = kind, store, report, recorder
        self._taken: dict[str, set[str]] = {}  # turns of sessions that may not be in the store yet

    def take(self, session: SessionRecord) -> None:
        """Store what is new of a session; it is looked at as a whole before anything is stored."""
        session_id = check_id("session", session.session_id)
        is_new, known = self._known(session_id)
        turns = [turn for turn in session.turns if turn.turn_id not in known]
        events: list[Event] = [_started(self._kind, session)] if is_new else []
        for turn in turns:
            check_id("turn", turn.turn_id)
            events += self._events_of(session, turn)
        handoffs_of = {turn.turn_id for turn in turns} | ({""} if is_new else set())
        events += _handoffs(session, handoffs_of)
        self._report.already += len(session.turns) - len(turns)
        self._report.turns += len(turns)
        self._report.sessions += is_new
        self._taken.setdefault(session_id, set()).update(turn.turn_id for turn in turns)
        if self._recorder is not None:
            for event in events:
                self._recorder.emit(event)

    def flush(self) -> None:
        """Wait until the store has everything."""
        if self._recorder is not None:
            self._recorder.flush(_PATIENCE_S)

    def _known(self, session_id: str) -> tuple[bool, set[str]]:
        """Return whether a session is new, and its turns that are there."""
        kept = self._store.load_session(session_id)
        known = {turn.turn_id for turn in kept.turns} if kept is not None else set()
        return kept is None and session_id not in self._taken, known | self._taken.get(session_id, set())

    def _events_of(self, session: SessionRecord, turn: TurnRecord) -> list[Event]:
        turn.started_at = turn.started_at or session.created_at or session.updated_at  # as near as is known
        turn.ended_at = turn.ended_at or turn.started_at
        turn.metadata = {**turn.metadata, OURS: {**turnspan_metadata(turn.metadata), "imported": self._kind}}
        return as_events(session.session_id, turn)


def _started(kind: str, session: SessionRecord) -> SessionStarted:
    at_ns = from_iso(session.created_at) or min(
        filter(None, (from_iso(turn.started_at) for turn in session.turns)), default=now_ns()
    )
    ours = {**turnspan_metadata(session.metadata), "imported": kind}
    if session.parent_session_id:
        ours |= {"parent_session_id": session.parent_session_id, "root_session_id": session.root_session_id}
    return SessionStarted(
        session_id=session.session_id,
        workspace_id=session.workspace_id,
        agent_id=session.agent_id,
        at_ns=at_ns,
        event_id=derived_id(session.session_id, "imported", at_ns=at_ns),
        source="runtime",
        metadata={**session.metadata, OURS: ours},
    )


def _handoffs(session: SessionRecord, turn_ids: set[str]) -> Iterator[HandedOff]:
    for transition in session.agent_transitions:
        if transition.turn_id in turn_ids:
            at_ns = from_iso(transition.timestamp) or from_iso(session.created_at) or now_ns()
            yield as_handoff(session.session_id, transition, at_ns)
