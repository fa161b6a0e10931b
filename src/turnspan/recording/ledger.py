"""The ledger folds events into records.

It takes journal lines in order and gives batches of rows. It remembers only what is open: a turn is forgotten when it
has ended (a few late ones are kept at hand, for what comes after their end), so its memory does not grow with the
number of finished turns.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from turnspan.events import (
    CALL_ENDS,
    CALL_STARTS,
    KIND_OF,
    AgentStarted,
    Ended,
    Event,
    HandedOff,
    Noted,
    SessionEnded,
    SessionStarted,
    Started,
    ToolCallStarted,
    TurnEnded,
    TurnStarted,
)
from turnspan.journal.hash_chain import Line, SpanIds, hash_of, ids_in, line_hash, read
from turnspan.journal.seals import seal_of
from turnspan.model.json_values import text_of
from turnspan.model.records import OURS, RUNNING, TurnRecord, iso, turnspan_metadata
from turnspan.recording.call_rows import end_row, start_row
from turnspan.recording.open_turns import OpenTurns, TurnKey
from turnspan.recording.session_counts import SessionCounts
from turnspan.stores.rows import (
    AuditRow,
    Changes,
    ModelCallRow,
    SessionRow,
    ToolCallRow,
    TransitionRow,
    TurnRow,
    rows_of_turn,
)
from turnspan.telemetry.outlet import Folded

_LATE_LINES = 1024
"""How many lines behind its end a turn still takes what comes late: a note, the end of a call in another thread. Lines are
counted, not turns, so that a session folded by itself is what it was among others."""


@dataclass(slots=True)
class _OpenRow:
    """A turn or call that has started, with its row, which is completed when it ends."""

    started: Started
    row: Any
    segment: int
    agents: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)


class Ledger:
    """Folds the lines of one journal."""

    def __init__(self, journal_id: str) -> None:
        self._journal_id = journal_id
        self.sessions = SessionCounts(journal_id)
        self._open: OpenTurns[_OpenRow] = OpenTurns()
        self._late: OrderedDict[TurnKey, tuple[_OpenRow, int]] = OrderedDict()  # with the line that ended it
        self._batch = _Batch()

    def fold(self, line: Line, segment: int = 0) -> Folded | None:
        """Take a line; what it changes is in the next batch.

        Returns None where the line's event cannot be read: it has its place in the chain, and changes nothing.

        Raises:
            ValueError: When there is no event in the line.

        """
        event = read(line.payload)
        if event is None:
            self._fold_unreadable(line)
            return None
        own = line.hash or line_hash(self._journal_id, line.head, event)
        at = iso(event.at_ns)
        self._add_to_chain(line, event, KIND_OF[type(event)], own, at)
        return Folded(event, line.span, self.fold_event(event, line.span, line.sequence, segment, at), at)

    def _fold_unreadable(self, line: Line) -> None:
        ids = ids_in(line.payload)
        if ids is None:
            raise ValueError(f"line {line.sequence} of journal {self._journal_id} has no event in it")
        own = line.hash or hash_of(self._journal_id, line.head, *ids)
        of_session, of_turn, of_call = (None if one is None else str(one) for one in ids[3:])
        stand_in = Noted(
            session_id=of_session or "",
            turn_id=of_turn,
            call_id=of_call,
            event_id=str(ids.event_id),
            at_ns=ids.at_ns,
            name="unreadable",
        )
        self._add_to_chain(line, stand_in, str(ids.kind), own, iso(ids.at_ns))

    def _add_to_chain(self, line: Line, event: Event, kind: str, own: str, at: str) -> None:
        trace_id, span_id, flags, parent_id = line.span or (None, None, None, None)
        self._batch.audit.append(
            AuditRow(
                event_id=event.event_id,
                journal=self._journal_id,
                sequence=line.sequence,
                kind=kind,
                session_id=event.session_id,
                turn_id=event.turn_id,
                call_id=event.call_id,
                at=at,
                at_ns=event.at_ns,
                trace_id=trace_id,
                span_id=span_id,
                trace_flags=flags,
                parent_span_id=parent_id or None,
                digest=line.digest,
                previous_hash=line.previous,
                hash=own,
                payload=line.payload.decode("utf-8", "replace"),
            )
        )
        self.sessions.add(event, line.sequence, own, at)

    def fold_event(
        self, event: Event, span: SpanIds | None, sequence: int, segment: int = 0, at: str | None = None
    ) -> Event | None:
        """Take the event of a line, by the line's number, and return the start of what it ends."""
        at = at or iso(event.at_ns)
        kind = type(event)
        if event.turn_id is not None and kind is not SessionStarted and kind is not SessionEnded:
            if kind is not TurnStarted:
                return self._in_turn(event, span, sequence, segment, at)
            self._start_turn(event, span, segment, at)  # type: ignore[arg-type]
        elif isinstance(event, (SessionStarted, SessionEnded, Noted)):
            self._session(event, ended=kind is SessionEnded)
        elif isinstance(event, HandedOff):
            self._hand_off(event, at)
        return None

    def take(self) -> Changes:
        """Return what has changed since the last call."""
        batch, self._batch = self._batch, _Batch()
        return batch.changes()

    def first_open_segment(self, current: int) -> int:
        """Return the oldest journal segment that is still needed to fold what is open."""
        return min((opened.segment for turn in self._open.values() for opened in turn.opened()), default=current)

    def ends(self, at_ns: int, reason: str) -> list[tuple[Ended, Event]]:
        """Return the ends of what nothing else will end, innermost first, each with its start."""
        return [(end, opened.started) for end, opened in self._open.ends(at_ns, reason)]

    # One kind of event each --------------------------------------------------------------------------------------

    def _session(self, event: SessionStarted | SessionEnded | Noted, *, ended: bool) -> None:
        at = iso(event.at_ns)
        metadata: dict[str, Any] = {}
        if isinstance(event, SessionStarted):
            metadata = {**event.metadata, OURS: {"session_id_from": event.source, **turnspan_metadata(event.metadata)}}
        elif isinstance(event, Noted) and (seal := seal_of(event)) is not None:
            metadata, at = {OURS: {"seals": {self._journal_id: event.data}}}, seal.at
        self._batch.sessions.append(
            SessionRow(
                session_id=event.session_id,
                workspace_id=getattr(event, "workspace_id", None),
                agent_id=event.agent_id,
                created_at=at,
                updated_at=at,
                ended=ended,
                metadata=metadata,
            )
        )

    def _hand_off(self, event: HandedOff, at: str) -> None:
        self._batch.transitions.append(
            TransitionRow(
                session_id=event.session_id,
                turn_id=event.turn_id or "",
                from_agent=event.from_agent,
                to_agent=event.to_agent,
                reason=event.reason,
                timestamp=at,
                unknown=None,
            )
        )

    def _start_turn(self, event: TurnStarted, span: SpanIds | None, segment: int, at: str) -> None:
        assert event.turn_id is not None
        key = (event.session_id, event.turn_id)
        trace_id, span_id = (span.trace_id, span.span_id) if span else (None, None)
        ours = {"trace_id": trace_id, "span_id": span_id} if trace_id else {}
        row = TurnRow(
            session_id=event.session_id,
            turn_id=event.turn_id,
            agent_id=event.agent_id,
            prompt=text_of(event.prompt),
            response_content=None,
            status=RUNNING,
            error=None,
            started_at=at,
            ended_at=None,
            trace_id=trace_id,
            span_id=span_id,
            audit_event_ids=[event.event_id],
            unknown=None,
            metadata={**event.metadata, OURS: {**turnspan_metadata(event.metadata), **ours}},
        )
        self._open.start(_OpenRow(event, row, segment))
        self._batch.turns[key] = row

    def _in_turn(self, event: Event, span: SpanIds | None, sequence: int, segment: int, at: str) -> Event | None:
        """Take an event of a turn, and return the start of what it ends."""
        assert event.turn_id is not None
        key = (event.session_id, event.turn_id)
        open_turn = self._open.get(key)
        # None: a turn that another process has, the parent of a fork; its row is not ours to write
        turn = (open_turn.turn if open_turn is not None else None) or self._ended_turn(key, sequence)
        if turn is not None:
            turn.row["audit_event_ids"].append(event.event_id)
            self._batch.turns[key] = turn.row
        kind = type(event)
        if kind in CALL_STARTS:
            self._start_call(turn, event, span, segment, at)
        elif kind in CALL_ENDS:
            return self._end_call(event)
        elif isinstance(event, TurnEnded) and turn is not None:
            self._open.end(event)
            self._end_turn(turn, event, sequence, at)
            return turn.started
        elif isinstance(event, HandedOff):
            self._hand_off(event, at)
        elif isinstance(event, Noted) and turn is not None:
            note = {"name": event.name, "data": event.data, "at": at, "audit_event_id": event.event_id}
            turn.notes.append(note)
            self._ours(turn)["notes"] = turn.notes
        return None

    def _ours(self, turn: _OpenRow) -> dict[str, Any]:
        """Return what the turn's row has under our key."""
        ours: dict[str, Any] = turn.row["metadata"].setdefault(OURS, {})
        return ours

    def _ended_turn(self, key: TurnKey, sequence: int) -> _OpenRow | None:
        """Return a turn that ended a few lines ago."""
        turn, ended_at = self._late.get(key, (None, 0))
        return turn if ended_at >= sequence - _LATE_LINES else None

    def _end_turn(self, turn: _OpenRow, event: TurnEnded, sequence: int, at: str) -> None:
        row = turn.row
        key = (row["session_id"], row["turn_id"])
        self._late[key] = turn, sequence
        self._late.move_to_end(key)
        while next(iter(self._late.values()))[1] < sequence - _LATE_LINES:
            self._late.popitem(last=False)
        ours = self._ours(turn)
        row["ended_at"], row["status"], row["error"] = at, event.status, event.error
        if event.prompt is not None:
            row["prompt"] = text_of(event.prompt)
        if event.response_content is not None:
            row["response_content"] = text_of(event.response_content)
        row["agent_id"] = row["agent_id"] or event.agent_id
        if event.error_type:
            ours["error_type"] = event.error_type
        for name, value in event.metadata.items():
            row["metadata"][name] = {**ours, **turnspan_metadata(event.metadata)} if name == OURS else value
        if event.record is not None:
            self._take_record(turn, event.record)

    def _take_record(self, turn: _OpenRow, record: dict[str, Any]) -> None:
        """Let the turn be what the application recorded; its calls keep the keys of what was observed."""
        key = (turn.row["session_id"], turn.row["turn_id"])
        rows = rows_of_turn(key[0], TurnRecord.from_dict(record))
        recorded = rows.turns[0]
        kept = turn.row["metadata"].get(OURS) or {}
        recorded["metadata"] = {**recorded["metadata"], OURS: {**kept, **(recorded["metadata"].get(OURS) or {})}}
        recorded["audit_event_ids"] = list(dict.fromkeys([*recorded["audit_event_ids"], *turn.row["audit_event_ids"]]))
        recorded["trace_id"], recorded["span_id"] = turn.row["trace_id"], turn.row["span_id"]
        turn.row.update(recorded)
        self._batch.replace_calls(key)
        for call in rows.tool_calls:
            self._batch.tool_calls[call["session_id"], call["turn_id"], call["event_id"]] = call
        for model in rows.model_calls:
            self._batch.model_calls[model["session_id"], model["turn_id"], model["event_id"]] = model

    def _start_call(self, turn: _OpenRow | None, event: Any, span: SpanIds | None, segment: int, at: str) -> None:
        if turn is None and isinstance(event, AgentStarted):
            return  # agents stand in the row of their turn
        row = start_row(event, span, at)
        if isinstance(event, AgentStarted):
            assert turn is not None
            turn.agents.append(row)
            self._ours(turn)["agents"] = turn.agents
        else:
            self._batch.add_call(event, row)
        self._open.start(_OpenRow(event, row, segment))

    def _end_call(self, event: Any) -> Event | None:
        _, call = self._open.end(event)
        if call is None or isinstance(call.started, TurnStarted):
            return None
        end_row(call.row, call.started, event)
        if not isinstance(call.started, AgentStarted):
            self._batch.add_call(call.started, call.row)
        return call.started


class _Batch:
    """Rows that changed, each once however often it did."""

    def __init__(self) -> None:
        self.sessions: list[SessionRow] = []
        self.turns: dict[tuple[str, str], TurnRow] = {}
        self.tool_calls: dict[tuple[str, str, str], ToolCallRow] = {}
        self.model_calls: dict[tuple[str, str, str], ModelCallRow] = {}
        self.transitions: list[TransitionRow] = []
        self.audit: list[AuditRow] = []
        self.whole_turns: set[tuple[str, str]] = set()

    def add_call(self, started: Event, row: Any) -> None:
        """Take the row of a tool call or model call."""
        key = (row["session_id"], row["turn_id"], row["event_id"])
        if isinstance(started, ToolCallStarted):
            self.tool_calls[key] = row
        else:
            self.model_calls[key] = row

    def replace_calls(self, turn: tuple[str, str]) -> None:
        """Let the calls that come now be all that a turn has."""
        self.whole_turns.add(turn)
        self.tool_calls = {key: row for key, row in self.tool_calls.items() if key[:2] != turn}
        self.model_calls = {key: row for key, row in self.model_calls.items() if key[:2] != turn}

    def changes(self) -> Changes:
        return Changes(
            self.sessions,
            list(self.turns.values()),
            list(self.tool_calls.values()),
            list(self.model_calls.values()),
            self.transitions,
            self.audit,
            self.whole_turns,
        )
