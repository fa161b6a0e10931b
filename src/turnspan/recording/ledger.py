"""The ledger folds events into records.

It takes journal lines in order and gives batches of rows. It remembers only what is open: a turn is forgotten when it
has ended (a few late ones are kept at hand, for calls that end after their turn), so its memory does not grow with the
number of finished turns.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from turnspan.events import (
    KIND_OF,
    AgentEnded,
    AgentStarted,
    Event,
    HandedOff,
    ModelCallEnded,
    ModelCallStarted,
    Noted,
    SessionEnded,
    SessionStarted,
    ToolCallEnded,
    ToolCallStarted,
    TurnEnded,
    TurnStarted,
)
from turnspan.journal.hash_chain import Line, SpanIds, decode, line_hash
from turnspan.journal.seals import seal_of
from turnspan.model.json_values import arguments_of, text_of
from turnspan.model.records import OURS, RUNNING, TurnRecord, iso, turnspan_metadata
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

_LATE_TURNS = 64
_CALL_STARTS = (ToolCallStarted, ModelCallStarted, AgentStarted)
_CALL_ENDS = (ToolCallEnded, ModelCallEnded, AgentEnded)

TurnKey = tuple[str, str]


@dataclass(slots=True)
class _OpenCall:
    started: Event
    row: Any  # the ToolCallRow, ModelCallRow or agent's dict that is filled in when the call ends


@dataclass(slots=True)
class _OpenTurn:
    row: TurnRow
    segment: int
    started: TurnStarted | None = None
    ours: bool = True
    calls: dict[str, _OpenCall] = field(default_factory=dict)
    agents: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)


class Ledger:
    """Folds the lines of one journal."""

    def __init__(self, journal_id: str) -> None:
        self._journal_id = journal_id
        self.sessions = SessionCounts(journal_id)
        self._open: dict[TurnKey, _OpenTurn] = {}
        self._late: OrderedDict[TurnKey, _OpenTurn] = OrderedDict()
        self._batch = _Batch()

    def fold(self, line: Line, segment: int = 0) -> Folded:
        """Take a line; what it changes is in the next batch."""
        event = decode(line.payload)
        own = line.hash or line_hash(self._journal_id, line.head, event)
        span = line.span
        at = iso(event.at_ns)
        trace_id, span_id, flags, parent_id = span or (None, None, None, None)
        self._batch.audit.append(
            AuditRow(
                event_id=event.event_id,
                journal=self._journal_id,
                sequence=line.sequence,
                kind=KIND_OF[type(event)],
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
                payload=line.payload.decode(),
            )
        )
        self.sessions.add(event, line.sequence, own, at)
        return Folded(event, span, self.fold_event(event, span, segment, at), at)

    def fold_event(self, event: Event, span: SpanIds | None, segment: int = 0, at: str | None = None) -> Event | None:
        """Take an event without its line, and return the start of what it ends."""
        at = at or iso(event.at_ns)
        started: Event | None = None
        if event.turn_id is None or isinstance(event, (SessionStarted, SessionEnded)):
            if isinstance(event, (SessionStarted, SessionEnded, Noted)):
                self._session(event, ended=isinstance(event, SessionEnded))
        elif isinstance(event, TurnStarted):
            self._start_turn(event, span, segment)
        else:
            key = (event.session_id, event.turn_id)
            turn = self._open.get(key) or self._late.get(key)
            if turn is None and isinstance(event, (ToolCallStarted, ModelCallStarted)):
                turn = self._elsewhere(key, segment)
            if turn is not None:
                turn.row["audit_event_ids"].append(event.event_id)
                if turn.ours:
                    self._batch.turns[key] = turn.row
                started = self._in_turn(turn, event, span, at)
        return started

    def take(self) -> Changes:
        """Return what has changed since it was last asked."""
        batch, self._batch = self._batch, _Batch()
        return batch.changes()

    def first_open_segment(self, current: int) -> int:
        """Return the oldest journal segment that is still needed to fold what is open."""
        return min((turn.segment for turn in self._open.values()), default=current)

    def open_turns(self) -> list[tuple[TurnStarted | None, list[Event]]]:
        """Return the turns that have not ended (None: another process has it), each with the starts of its open calls."""
        return [(turn.started, [call.started for call in turn.calls.values()]) for turn in self._open.values()]

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

    def _start_turn(self, event: TurnStarted, span: SpanIds | None, segment: int) -> None:
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
            started_at=iso(event.at_ns),
            ended_at=None,
            trace_id=trace_id,
            span_id=span_id,
            audit_event_ids=[event.event_id],
            unknown=None,
            metadata={**event.metadata, OURS: {**turnspan_metadata(event.metadata), **ours}},
        )
        self._open[key] = _OpenTurn(row, segment, event)
        self._batch.turns[key] = row

    def _elsewhere(self, key: TurnKey, segment: int) -> _OpenTurn:
        """Take calls of a turn that another process has: the parent of a fork. Its row is not ours to write."""
        row = TurnRow(
            session_id=key[0],
            turn_id=key[1],
            agent_id=None,
            prompt="",
            response_content=None,
            status=RUNNING,
            error=None,
            started_at="",
            ended_at=None,
            trace_id=None,
            span_id=None,
            audit_event_ids=[],
            metadata={},
            unknown=None,
        )
        self._open[key] = turn = _OpenTurn(row, segment, ours=False)
        return turn

    def _in_turn(self, turn: _OpenTurn, event: Event, span: SpanIds | None, at: str) -> Event | None:
        """Take an event of a turn, and return the start of what it ends."""
        if isinstance(event, _CALL_STARTS):
            self._start_call(turn, event, span, at)
        elif isinstance(event, _CALL_ENDS):
            return self._end_call(turn, event)
        elif isinstance(event, TurnEnded):
            self._end_turn(turn, event, at)
            return turn.started
        elif isinstance(event, HandedOff):
            self._batch.transitions.append(
                TransitionRow(
                    session_id=event.session_id,
                    turn_id=turn.row["turn_id"],
                    from_agent=event.from_agent,
                    to_agent=event.to_agent,
                    reason=event.reason,
                    timestamp=at,
                    unknown=None,
                )
            )
        elif isinstance(event, Noted):
            note = {"name": event.name, "data": event.data, "at": at, "audit_event_id": event.event_id}
            turn.notes.append(note)
            self._ours(turn)["notes"] = turn.notes
        return None

    def _ours(self, turn: _OpenTurn) -> dict[str, Any]:
        """Return what the turn's row has under our key."""
        ours: dict[str, Any] = turn.row["metadata"].setdefault(OURS, {})
        return ours

    def _end_turn(self, turn: _OpenTurn, event: TurnEnded, at: str) -> None:
        row = turn.row
        key = (row["session_id"], row["turn_id"])
        if self._open.pop(key, None) is not None:
            self._late[key] = turn
            if len(self._late) > _LATE_TURNS:
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

    def _take_record(self, turn: _OpenTurn, record: dict[str, Any]) -> None:
        """Let the turn be what the application recorded; its calls keep the keys of what was observed."""
        key = (turn.row["session_id"], turn.row["turn_id"])
        rows = rows_of_turn(key[0], TurnRecord.from_dict(record))
        given = rows.turns[0]
        kept = turn.row["metadata"].get(OURS) or {}
        given["metadata"] = {**given["metadata"], OURS: {**kept, **(given["metadata"].get(OURS) or {})}}
        given["audit_event_ids"] = list(dict.fromkeys([*given["audit_event_ids"], *turn.row["audit_event_ids"]]))
        given["trace_id"], given["span_id"] = turn.row["trace_id"], turn.row["span_id"]
        turn.row.update(given)
        self._batch.replace_calls(key)
        for call in rows.tool_calls:
            self._batch.tool_calls[call["session_id"], call["turn_id"], call["event_id"]] = call
        for model in rows.model_calls:
            self._batch.model_calls[model["session_id"], model["turn_id"], model["event_id"]] = model

    def _start_call(
        self, turn: _OpenTurn, event: ToolCallStarted | ModelCallStarted | AgentStarted, span: SpanIds | None, at: str
    ) -> None:
        call_id = event.call_id or event.event_id
        trace_id, span_id = (span.trace_id, span.span_id) if span else (None, None)
        common: dict[str, Any] = {"started_at": at, "trace_id": trace_id, "span_id": span_id}
        if event.parent_id is not None:
            common["parent_id"] = event.parent_id
        ours = {**common, "audit_event_ids": [event.event_id]}
        key = (event.session_id, turn.row["turn_id"], event.event_id)
        row: Any
        match event:
            case ToolCallStarted():
                if event.tool_type != "function":
                    ours["type"] = event.tool_type
                if event.agent_id is not None:
                    ours["agent_id"] = event.agent_id
                row = self._batch.tool_calls[key] = ToolCallRow(
                    session_id=key[0],
                    turn_id=key[1],
                    event_id=key[2],
                    position=event.at_ns // 1000,
                    call_id=call_id,
                    tool_name=event.tool_name,
                    arguments=arguments_of(event.arguments),
                    result=None,
                    status=RUNNING,
                    error=None,
                    started_at=common["started_at"],
                    duration_ms=None,
                    sandbox_context=None,
                    trace_id=trace_id,
                    span_id=span_id,
                    metadata={OURS: ours},
                    unknown=None,
                )
            case ModelCallStarted():
                details = {
                    "call_id": call_id,
                    "agent_id": event.agent_id,
                    "provider": event.provider,
                    "model": event.model,
                    "status": RUNNING,
                    "messages": event.messages,
                    **ours,
                }
                if event.history:
                    details["history"] = event.history
                row = self._batch.model_calls[key] = ModelCallRow(
                    session_id=key[0], turn_id=key[1], event_id=key[2], position=event.at_ns // 1000, details=details
                )
            case AgentStarted():
                row = {"call_id": call_id, "agent_id": event.agent_id, "status": RUNNING, **ours}
                if event.description:
                    row["description"] = event.description
                turn.agents.append(row)
                self._ours(turn)["agents"] = turn.agents
        turn.calls[call_id] = _OpenCall(event, row)

    def _end_call(self, turn: _OpenTurn, event: ToolCallEnded | ModelCallEnded | AgentEnded) -> Event | None:
        call = turn.calls.pop(event.call_id or "", None)
        if call is None:
            return None
        if not turn.ours and not turn.calls:
            self._open.pop((turn.row["session_id"], turn.row["turn_id"]), None)
        duration_ms = round((event.at_ns - call.started.at_ns) / 1e6, 3)
        row = call.row
        match event:
            case ToolCallEnded():
                if event.arguments is not None:
                    row["arguments"] = arguments_of(event.arguments)
                row["result"], row["status"], row["error"] = event.result, event.status, event.error
                row["duration_ms"], row["sandbox_context"] = duration_ms, event.sandbox_context
                ours = {**row["metadata"][OURS], **turnspan_metadata(event.metadata)}
                row["metadata"] = {**row["metadata"], **event.metadata, OURS: ours}
                self._batch.tool_calls[row["session_id"], row["turn_id"], row["event_id"]] = row
            case ModelCallEnded():
                ours = row["details"]
                self._batch.model_calls[row["session_id"], row["turn_id"], row["event_id"]] = row
                given = {
                    "provider": event.provider,
                    "model": event.model,
                    "messages": event.messages,
                    "response_model": event.response_model,
                    "response_id": event.response_id,
                    "output": event.output,
                    "finish_reasons": event.finish_reasons or None,
                    "usage": _usage(event),
                    "first_chunk_ms": event.first_chunk_ns and event.first_chunk_ns / 1e6,
                    "error": event.error,
                }
                ours.update({name: value for name, value in given.items() if value is not None})
                ours.update(status=event.status, duration_ms=duration_ms)
            case AgentEnded():
                ours = row
                row.update(status=event.status, duration_ms=duration_ms)
                if event.response_content is not None:
                    row["response_content"] = text_of(event.response_content)
                if event.error is not None:
                    row["error"] = event.error
        if event.error_type:
            ours["error_type"] = event.error_type
        ours["audit_event_ids"].append(event.event_id)
        return call.started


def _usage(event: ModelCallEnded) -> dict[str, int] | None:
    if event.usage is None:
        return None
    return {name: value for name in event.usage.__struct_fields__ if (value := getattr(event.usage, name)) is not None}


_ENDS: dict[type[Event], type[ToolCallEnded | ModelCallEnded | AgentEnded]] = {
    ToolCallStarted: ToolCallEnded,
    ModelCallStarted: ModelCallEnded,
    AgentStarted: AgentEnded,
}


def ended_early(started: Event, at_ns: int, reason: str) -> Event:
    """Return the end of a call that nobody else will tell."""
    return _ENDS[type(started)](
        session_id=started.session_id,
        turn_id=started.turn_id,
        call_id=started.call_id,
        agent_id=started.agent_id,
        at_ns=at_ns,
        status="cancelled",
        error=reason,
    )


def ends_of(
    open_turns: list[tuple[TurnStarted | None, list[Event]]], at_ns: int, reason: str
) -> list[tuple[Event, Event]]:
    """Return the ends of what nobody else will end, innermost first, each with its start."""
    ends: list[tuple[Event, Event]] = []
    for turn, calls in open_turns:
        ends += [(ended_early(call, at_ns, reason), call) for call in reversed(calls)]
        if turn is not None:
            end = TurnEnded(
                session_id=turn.session_id,
                turn_id=turn.turn_id,
                at_ns=at_ns,
                status="cancelled",
                error=reason,
                metadata={OURS: {"interrupted": reason}},
            )
            ends.append((end, turn))
    return ends


class _Batch:
    """Rows that changed, each once however often it did."""

    def __init__(self) -> None:
        self.sessions: list[SessionRow] = []
        self.turns: dict[TurnKey, TurnRow] = {}
        self.tool_calls: dict[tuple[str, str, str], ToolCallRow] = {}
        self.model_calls: dict[tuple[str, str, str], ModelCallRow] = {}
        self.transitions: list[TransitionRow] = []
        self.audit: list[AuditRow] = []
        self.whole_turns: set[TurnKey] = set()

    def replace_calls(self, turn: TurnKey) -> None:
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
