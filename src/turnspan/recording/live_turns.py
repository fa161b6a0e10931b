"""Live turns: what each kind of event does to the spans of this process, and what is open in it.

The recorder hands in every event, encoded already. Here its span is started, adopted or ended, it is put in its place
among what is open, and it is appended to the journal.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, Protocol, TypeVar

import msgspec
from opentelemetry.trace import Span, SpanContext

from turnspan.adapter import SPAN_EXPECTED, CurrentContext
from turnspan.events import (
    CALL_ENDS,
    CALL_STARTS,
    STARTS,
    CallEnded,
    CallStarted,
    Ended,
    Event,
    HandedOff,
    ModelCallEnded,
    ModelCallStarted,
    Noted,
    SessionEnded,
    SessionStarted,
    ToolCallStarted,
    TurnEnded,
    TurnStarted,
    end_of,
)
from turnspan.journal.hash_chain import SpanIds
from turnspan.model.ids import new_id
from turnspan.model.metadata import with_schema_version
from turnspan.model.newest import Newest
from turnspan.recording.appender import Appender
from turnspan.recording.open_turns import OpenTurn, OpenTurns, interrupted
from turnspan.recording.sessions import Sessions
from turnspan.telemetry.external_spans import external_spans, has_ended
from turnspan.telemetry.live_spans import Spans, ids_of, ids_of_external_span, resource_of_provider

_TURNS_REMEMBERED = 256
_RESPONSES_REMEMBERED = 1024

E = TypeVar("E", bound=Event)


class Appends(Protocol):
    """Has the appender that events are put on record with."""

    @property
    def appender(self) -> Appender:
        """The appender."""


class Entry(Generic[E]):
    """An event on its way to the journal: with its encoding, and with its span where that exists already."""

    __slots__ = ("event", "external_span", "payload")

    def __init__(self, event: E, payload: bytes | None = None, external_span: Any = None) -> None:
        self.event = event
        self.payload = payload
        self.external_span = external_span

    def change(self, **fields: Any) -> None:
        """Add to the event what the recorder knows of it; it is encoded anew then."""
        self.event = msgspec.structs.replace(self.event, **fields)
        self.payload = None


class LiveCall:
    """A turn, call or handoff of this process, with its span."""

    __slots__ = (
        "end_id",
        "expects_external_span",
        "follows_handoff",
        "ids",
        "inherited",
        "span",
        "started",
    )

    def __init__(self, started: Any, span: Span, ids: SpanIds | None, end_id: str | None = None) -> None:
        self.started, self.span, self.ids = started, span, ids
        self.end_id = end_id  # the id of its end, which an external span carries from the start
        self.inherited = False  # from before a fork: the parent process ends it
        self.expects_external_span = False  # until that is started, ``span`` is the parent's
        self.follows_handoff = False  # an agent that goes on in the place of the one that handed over to it

    def attach_span(self, span: Span, ids: SpanIds | None, end_id: str | None = None) -> None:
        """Take the span that was expected."""
        self.span, self.ids, self.end_id = span, ids, end_id
        self.expects_external_span = False


class LiveTurns:
    """Follows the turns of this process.

    Args:
        spans: Starts and ends spans.
        sessions: The sessions that this process has met.
        pipeline: Its appender puts events on record; a forked child has another one.

    ``handlers`` has a function for each kind of event; ``responses`` the newest answers of models, by the provider's id, and when they came.
    """

    def __init__(self, spans: Spans, sessions: Sessions, pipeline: Appends) -> None:
        self._spans, self._sessions, self._pipeline = spans, sessions, pipeline
        self.open: OpenTurns[LiveCall] = OpenTurns()
        self._finished: Newest[tuple[str, str | None], tuple[list[str], SpanIds | None]] = Newest(_TURNS_REMEMBERED)
        self.responses: Newest[str, int] = Newest(_RESPONSES_REMEMBERED)
        self._externally_instrumented: set[str | None] = set()  # providers whose calls another instrumentation traces
        self.handlers: dict[type[Event], Callable[[Entry[Any]], None]] = {
            SessionStarted: self._start_session,
            SessionEnded: self._end_session,
            TurnStarted: self._start_turn,
            TurnEnded: self._end_turn,
            HandedOff: self._hand_off,
            Noted: self._note,
            **dict.fromkeys(CALL_STARTS, self._start_call),
            **dict.fromkeys(CALL_ENDS, self._end_call),
        }

    # What has ended elsewhere ------------------------------------------------------------------------------------

    def received(self, event: Event, ids: SpanIds | None) -> Event | None:
        """Return an event that another program has sent as it is put on record; None where it says nothing new.

        No span is started, and nothing is open here. It is marked as received, and a turn says which one it follows.
        """
        if isinstance(event, SessionStarted):
            return self._met(event)
        if not isinstance(event, STARTS):
            return event
        changed: dict[str, Any] = {"borrowed": "received"}
        if isinstance(event, TurnStarted):
            changed["follows"] = self._spans.previous_turn_span(event.session_id)
            if not self._sessions.wants_resource(event.session_id):
                changed["resource"] = None
            if ids is not None:
                self._spans.remember_turn(event.session_id, ids)
        return msgspec.structs.replace(event, **changed)

    # Sessions and turns ------------------------------------------------------------------------------------------

    def _start_session(self, entry: Entry[SessionStarted]) -> None:
        if (met := self._met(entry.event)) is not None:
            self._pipeline.appender.append(met)

    def _met(self, event: SessionStarted) -> SessionStarted | None:
        if not self._sessions.meet(event):
            return None
        workspace_id = event.workspace_id or self._sessions.default_workspace_id or None
        return msgspec.structs.replace(event, metadata=with_schema_version(event.metadata), workspace_id=workspace_id)

    def _end_session(self, entry: Entry[SessionEnded]) -> None:
        self._sessions.forget(entry.event.session_id)
        self._pipeline.appender.append(entry.event, None, None, entry.payload)

    def _start_turn(self, entry: Entry[TurnStarted]) -> None:
        event = entry.event
        session_id = event.session_id
        if session_id not in self._sessions:
            self._start_session(
                Entry(SessionStarted(session_id=session_id, agent_id=event.agent_id, at_ns=event.at_ns, source="new"))
            )
        if (same := self.open.find(event)) is not None:
            if same.inherited:
                self.open.pop((session_id, event.turn_id))
            else:
                self._end_turn(Entry(end_of(same.started, event.at_ns, "started again")))  # type: ignore[arg-type]
        follows = self._spans.previous_turn_span(session_id)
        resource = resource_of_provider() if self._sessions.wants_resource(session_id) else None
        if follows is not None or resource is not None:
            entry.change(follows=follows, resource=resource)
        workspace_id = self._sessions.workspace_of(session_id)
        if entry.external_span is not None:
            opened = self._adopt(entry, entry.external_span, workspace_id)
        else:
            span = self._spans.start(entry.event, None, workspace_id=workspace_id)
            opened = LiveCall(entry.event, span, ids_of(span, None))
        self._stamp(entry, opened.ids, self.open.start(opened))

    def _end_turn(self, entry: Entry[TurnEnded]) -> None:
        event = entry.event
        key = (event.session_id, event.turn_id)
        turn = self.open.get(key)
        if turn is None or turn.turn is None:
            return  # ended already, or never started
        while turn.calls:
            with suppress(KeyError):  # its own thread was faster
                _, call = turn.calls.popitem()
                if not call.inherited:
                    self._finish_call(turn, call, Entry(end_of(call.started, event.at_ns, "its turn ended first")))
        if self.open.pop(key, None) is None or turn.turn is None or turn.turn.inherited:
            return  # another thread has ended it: the end of the process, which waits for none
        if turn.turn.end_id is not None:
            entry.change(event_id=turn.turn.end_id)
        turn.event_ids.append(entry.event.event_id)
        self._spans.end(turn.turn.span, turn.turn.started, entry.event, turn.event_ids)
        self._finished.remember(key, (turn.event_ids, turn.turn.ids))
        self._pipeline.appender.append(entry.event, turn.turn.ids, turn.turn.started, entry.payload)

    # Calls -------------------------------------------------------------------------------------------------------

    def _start_call(self, entry: Entry[CallStarted]) -> None:
        event = entry.event
        call_id = event.call_id or event.event_id
        turn = self.open.of_call(event)
        if (same := turn.calls.get(call_id)) is not None and not same.inherited:
            self._finish_call(turn, same, Entry(end_of(same.started, event.at_ns, "started again")))
        parent = turn.turn if event.parent_id is None else turn.parent_of(event)
        handoff = None if turn.handoff is None else turn.handoff_to(event)
        follows = None if handoff is None else handoff.span.get_span_context()
        external = entry.external_span
        if external is None and type(event) is ModelCallStarted:
            external = self._external_span_of(event)
        if external is SPAN_EXPECTED and parent is not None:
            call = LiveCall(event, parent.span, None)
            call.expects_external_span = True
            turn.calls[call_id] = call
            return
        if external is not None and external is not SPAN_EXPECTED:
            call = self._adopt(entry, external, handoff=follows)
        else:
            span = self._spans.start(event, None if parent is None else parent.span, handoff=follows)
            call = LiveCall(event, span, ids_of(span, None if parent is None else parent.ids))
        call.follows_handoff = handoff is not None
        turn.calls[call_id] = call
        self._stamp(entry, call.ids, turn)

    def _end_call(self, entry: Entry[CallEnded]) -> None:
        turn, call = self.open.end(entry.event)
        if call is not None and not call.inherited:  # else its turn ended first, or the parent of a fork has it
            self._finish_call(turn, call, entry)

    def _finish_call(self, turn: OpenTurn[LiveCall], call: LiveCall, entry: Entry[Any]) -> None:
        if call.expects_external_span:
            self._start_own_span(turn, call)
        if call.end_id is not None:
            entry.change(event_id=call.end_id)
        if type(entry.event) is ModelCallEnded and (response_id := entry.event.response_id) is not None:
            self.responses.remember(response_id, entry.event.at_ns)
        self._spans.end(call.span, call.started, entry.event)
        self._stamp(entry, call.ids, turn, call.started)

    def _hand_off(self, entry: Entry[HandedOff]) -> None:
        event = entry.event
        turn = self.open.of(event) or OpenTurn(None)
        parent = turn.parent_of(event)
        span = self._spans.handoff(event, None if parent is None else parent.span)
        turn.handoff = LiveCall(event, span, ids_of(span, None if parent is None else parent.ids))
        self._stamp(entry, turn.handoff.ids, turn)

    def _note(self, entry: Entry[Noted]) -> None:
        turn = self.open.of(entry.event)
        if turn is None:
            self._pipeline.appender.append(entry.event, None, None, entry.payload)
            return
        parent = turn.parent_of(entry.event)
        if parent is not None:
            self._spans.note(parent.span, entry.event.name, entry.event)
        self._stamp(entry, None if parent is None else parent.ids, turn)

    def _stamp(
        self, entry: Entry[Any], ids: SpanIds | None, turn: OpenTurn[LiveCall], started: Event | None = None
    ) -> None:
        turn.event_ids.append(entry.event.event_id)
        self._pipeline.appender.append(entry.event, ids, started, entry.payload)

    # External spans ----------------------------------------------------------------------------------------------

    def _external_span_of(self, event: ModelCallStarted) -> Any:
        """Return the external span of a model call, or SPAN_EXPECTED; None where the span is ours to start."""
        if (claimed := external_spans.claim_model_span()) is not None:
            return claimed
        return SPAN_EXPECTED if event.provider in self._externally_instrumented else None

    def _adopt(
        self, entry: Entry[Any], span: Any, workspace_id: str | None = None, handoff: SpanContext | None = None
    ) -> LiveCall:
        """Take an external span for that of an event."""
        entry.change(borrowed="read" if has_ended(span) else "stamped")
        end_id = None if has_ended(span) else new_id()  # one that has ended takes no id any more
        adopted = self._spans.adopt(entry.event, span, end_id, workspace_id, handoff)
        return LiveCall(entry.event, adopted, ids_of_external_span(span), end_id)

    def adopt_expected(self, position: CurrentContext, span: Any) -> bool:
        """Take an external span that has just started for that of the call it is in, if that call expects one."""
        turn = self.open.get((position.session_id, position.turn_id))
        call = next((call for call in self._model_calls_at(position) if call.expects_external_span), None)
        if turn is None or call is None:
            return False
        entry = Entry(call.started)
        adopted = self._adopt(entry, span)
        call.started = adopted.started
        call.attach_span(adopted.span, adopted.ids, adopted.end_id)
        self._stamp(entry, call.ids, turn)
        return True

    def note_external_instrumentation(self, position: CurrentContext) -> None:
        """Note that another instrumentation already creates spans for the calls of this provider.

        From the next call on, its span is adopted instead of starting ours.
        """
        for call in self._model_calls_at(position):
            if call.started.borrowed is None:
                self._externally_instrumented.add(call.started.provider)

    def _start_own_span(self, turn: OpenTurn[LiveCall], call: LiveCall) -> None:
        """Start a span of ours for a call whose external span never came."""
        if isinstance(call.started, ModelCallStarted):
            self._externally_instrumented.discard(call.started.provider)
        parent = turn.parent_of(call.started)
        span = self._spans.start(call.started, None if parent is None else parent.span)
        call.attach_span(span, ids_of(span, None if parent is None else parent.ids))
        self._stamp(Entry(call.started), call.ids, turn)

    # Questions ---------------------------------------------------------------------------------------------------

    def _call_at(self, position: CurrentContext) -> LiveCall | None:
        turn = self.open.get((position.session_id, position.turn_id))
        return None if turn is None else turn.calls.get(position.call_id or "")

    def has_model_span(self, position: CurrentContext) -> bool:
        """Return whether a model is being asked at a position, and the call has its span."""
        return any(not call.expects_external_span for call in self._model_calls_at(position))

    def open_model_calls(self, position: CurrentContext) -> list[str]:
        """Return the ids of the open model calls that a position is in, or that are open directly in it."""
        return [str(call.started.call_id) for call in self._model_calls_at(position)]

    def _model_calls_at(self, position: CurrentContext) -> list[LiveCall]:
        """Return the open model calls that a position is in, or that are open directly in it.

        Code that began before a handoff stays in its position, while what it does is the next agent's.
        """
        turn = self.open.get((position.session_id, position.turn_id))
        if turn is None:
            return []
        calls = list(turn.calls.items())
        directly_in = {position.call_id}
        directly_in.update(i for i, call in calls if call.follows_handoff and call.started.parent_id in directly_in)
        return [
            call
            for call_id, call in calls
            if type(call.started) is ModelCallStarted
            and (call_id == position.call_id or call.started.parent_id in directly_in)
        ]

    def current_tool_name(self, position: CurrentContext) -> str | None:
        """Return the name of the tool whose call a position is directly in."""
        call = self._call_at(position)
        return call.started.tool_name if call is not None and isinstance(call.started, ToolCallStarted) else None

    def is_open(self, session_id: str, turn_id: str) -> bool:
        """Return whether a turn has started and not ended."""
        turn = self.open.get((session_id, turn_id))
        return turn is not None and turn.turn is not None

    def events_of(self, session_id: str, turn_id: str) -> tuple[list[str], SpanIds | None] | None:
        """Return the ids of a turn's events so far, and its span; None for a turn that was not recorded live."""
        turn = self.open.get((session_id, turn_id))
        if turn is not None and turn.turn is not None:
            return list(turn.event_ids), turn.turn.ids
        if (finished := self._finished.get((session_id, turn_id))) is not None:
            return list(finished[0]), finished[1]
        return None

    def ends(self, at_ns: int, reason: str) -> list[Ended]:
        """Return the ends of all turns that are open; each ends the calls in it."""
        turns = [turn.turn for turn in list(self.open.values()) if turn.turn is not None]
        return [interrupted(turn.started, at_ns, reason) for turn in turns]

    def after_fork(self) -> None:
        """Leave what is open to the parent process."""
        self._spans.after_fork()
        for turn in self.open.values():
            for call in (turn.turn, *turn.calls.values()):
                if call is not None:
                    call.inherited = True
