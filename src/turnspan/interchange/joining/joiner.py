"""The joiner: puts on record what a source says of sessions and is not there yet.

Who follows transcripts and who receives OTLP may be two processes, and both write the same turn. So a turn is read,
joined, written and confirmed under one lock of the home folder.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from turnspan.errors import StoreUnavailableError
from turnspan.events import Event, Noted, SessionStarted
from turnspan.interchange.joining.elements import is_derived
from turnspan.interchange.joining.events import events_of
from turnspan.interchange.joining.turns import JoinedTurn, KnownTurns, says_nothing
from turnspan.journal.hash_chain import SpanIds, read
from turnspan.model.ids import now_ns
from turnspan.model.records import OURS, SessionRecord, TurnRecord, check_id, from_iso, turnspan_metadata
from turnspan.recording.recorder import Recorder
from turnspan.stores.base import Audited, Finds, SessionStore
from turnspan.verification.erased import NOTE

_PATIENCE_S = 60.0
_LOCK = "joining.lock"
_SAME = ("turn", "tool call")


@dataclass
class Joined:
    """What became of an account of a session."""

    session_id: str = ""
    sessions: int = 0
    turns: int = 0
    changed: int = 0
    """Turns that were there, and of which more is known now."""
    already: int = 0


class Joiner:
    """Joins accounts of sessions with the record.

    Args:
        kind: What the turns are marked with: the program that they are of.
        store: Where sessions are kept.
        recorder: Takes the events; its store is that one.
        dry_run: Whether to report only.
        copies: Whether a session may begin with a copy of another's turns, as the transcript of a fork does.

    """

    def __init__(
        self, kind: str, store: SessionStore, recorder: Recorder, *, dry_run: bool = False, copies: bool = True
    ) -> None:
        self._kind, self._store, self._recorder, self._dry_run = kind, store, recorder, dry_run
        self._copies = copies
        self._erased: dict[str, frozenset[str]] = {}
        self._in_process = threading.Lock()

    def take(self, session: SessionRecord) -> Joined:
        """Put on record what is new in an account of a session.

        Raises:
            StoreUnavailableError: When the store cannot be read or written now; nothing is lost by taking it again.

        """
        check_id("session", session.session_id)
        with self._in_process, self._alone():
            return self._take(session)

    def _take(self, session: SessionRecord) -> Joined:
        done = Joined(session.session_id)
        if not self._dry_run:
            self._flush(session.session_id)  # what it said the last time, and could not be stored then
        kept = self._store.load_session(session.session_id)
        known = KnownTurns(() if kept is None else kept.turns)
        erased = frozenset() if kept is None else self._erased_of(session.session_id)
        changed: dict[str, TurnRecord] = {}
        for given in session.turns:
            new = self._redacted(given)
            place = known.find(new)
            if says_nothing(new) or (place is None and self._is_elsewhere(session.session_id, new)):
                continue
            if place is not None and known.turns[place].turn_id in erased:
                done.already += 1  # its content is not to come back
                continue
            turn = JoinedTurn(TurnRecord(new.turn_id) if place is None else known.turns[place])
            turn.add(new)
            made = turn.record()
            if place is None:
                done.turns += 1
            elif self._redacted(made).to_dict() == known.turns[place].to_dict():
                done.already += 1
                continue
            else:
                done.changed += 1
            known.put(place, made)
            changed[made.turn_id] = made
        done.sessions = int(kept is None and bool(changed))
        if changed and not self._dry_run:
            self._write(session, changed.values())
        return done

    def _write(self, session: SessionRecord, changed: Iterable[TurnRecord]) -> None:
        events: list[tuple[Event, SpanIds | None]] = [(self._started(session), None)]
        for turn in changed:
            ours = turnspan_metadata(turn.metadata)
            traced = ours.get("trace_id") and ours.get("span_id")
            ids = SpanIds(ours["trace_id"], ours["span_id"], 1) if traced else None
            made = events_of(session.session_id, turn)
            events += [(made[0], ids), *((event, None) for event in made[1:-1]), (made[-1], ids)]
        if not self._recorder.receive(events):  # all of it or none
            raise StoreUnavailableError(f"The journal takes nothing of session {session.session_id} now")
        self._flush(session.session_id)

    def _flush(self, session_id: str) -> None:
        if not self._recorder.flush(_PATIENCE_S):
            raise StoreUnavailableError(f"The store did not take session {session_id} in {_PATIENCE_S:.0f} s")

    def _started(self, session: SessionRecord) -> SessionStarted:
        at_ns = from_iso(session.created_at) or from_iso(session.turns[0].started_at) or now_ns()
        ours = {**turnspan_metadata(session.metadata), "imported": self._kind}
        return SessionStarted(
            session_id=session.session_id,
            workspace_id=session.workspace_id,
            agent_id=session.agent_id,
            at_ns=at_ns,
            source="runtime",
            metadata={**session.metadata, OURS: ours},
        )

    def _redacted(self, turn: TurnRecord) -> TurnRecord:
        """Return a turn as it may be kept: what is kept is compared with what is kept."""
        turn.metadata = {**turn.metadata, OURS: {**turnspan_metadata(turn.metadata), "imported": self._kind}}
        return TurnRecord.from_dict(self._recorder.redacted_record(turn.to_dict()))

    def _erased_of(self, session_id: str) -> frozenset[str]:
        """Return the turns whose content was erased; none is while this process has the session."""
        if session_id not in self._erased and isinstance(self._store, Audited):
            rows = self._store.audit_events(session_id)
            notes = [row for row in rows if row.kind == "noted" and row.turn_id is None]
            events = ((row.journal, read((row.payload or "").encode())) for row in notes)
            since = max((journal for journal, one in events if isinstance(one, Noted) and one.name == NOTE), default="")
            self._erased[session_id] = frozenset(row.turn_id for row in rows if row.turn_id and row.journal < since)
        return self._erased.get(session_id, frozenset())

    def _is_elsewhere(self, session_id: str, turn: TurnRecord) -> bool:
        """Return whether another session has the turn already: a fork begins with a copy of what it goes on from."""
        if not self._copies or not isinstance(self._store, Finds):
            return False
        calls = [call.call_id for call in turn.tool_calls if not is_derived(call.call_id)]
        ids = {turn.turn_id, *turnspan_metadata(turn.metadata).get("source_ids", ()), *calls[:1]}
        found = [one for id_ in ids for one in self._store.find(id_)]
        return any(one.kind in _SAME and one.id in ids and one.session_id != session_id for one in found)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if self._dry_run:
            yield
            return
        home = Path(self._recorder.settings.home)
        home.mkdir(parents=True, exist_ok=True)
        fd = os.open(home / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)
