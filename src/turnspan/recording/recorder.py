"""The recorder: the one door that every event goes through.

In the agent's thread it moves the event's span, calls the application's own log if that was asked for, and appends the
event to the journal. Everything else (our log file, metrics, the store) happens behind the journal, in the writer's
thread. The one guard of the library is here: an exception of ours is told once, counted, and never reaches the agent.
"""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
from opentelemetry import context

from turnspan.adapter import CurrentContext
from turnspan.events import (
    AgentEnded,
    AgentStarted,
    Ended,
    Event,
    HandedOff,
    ModelCallEnded,
    ModelCallStarted,
    Noted,
    SessionEnded,
    SessionStarted,
    Started,
    ToolCallEnded,
    ToolCallStarted,
    TurnEnded,
    TurnStarted,
)
from turnspan.journal.hash_chain import SpanIds
from turnspan.model.ids import new_id
from turnspan.model.json_values import encode
from turnspan.model.records import OURS, turnspan_metadata
from turnspan.recording.ledger import ended_early
from turnspan.recording.open_turns import Open, OpenTurn, OpenTurns
from turnspan.recording.pipeline import FLUSH_S, Pipeline
from turnspan.recording.problems import Problem, Problems
from turnspan.recording.redaction import Redactor, withheld
from turnspan.settings import Settings
from turnspan.telemetry.current_context import UNCLAIMED_SPANS, context_inside
from turnspan.telemetry.live_spans import Spans, claimed_model_span, ids_of, ids_of_external_span, resource_of_provider
from turnspan.telemetry.semconv import PROFILES

if TYPE_CHECKING:
    from turnspan.stores.base import SessionStore
    from turnspan.telemetry.metrics import Health

_SESSIONS_REMEMBERED = 4096
_TURNS_REMEMBERED = 256


class _SessionState:
    """What is remembered of a session that this process has met."""

    __slots__ = ("described", "root_id", "workspace_id")

    def __init__(self, workspace_id: str | None, root_id: str) -> None:
        self.workspace_id = workspace_id
        self.root_id = root_id
        self.described = False  # its first turn here says which process this is


class _EmitGuard(threading.local):
    """Whether the thread is in the middle of an emit."""

    now = False
    span: Any = None  # the span that exists for the event already


EXTERNAL_SPAN_EXPECTED = object()
"""In place of a span: somebody else will start one for the event."""


class Recorder:
    """Takes events, and sees that they arrive.

    Args:
        settings: What was set.
        store: The store, when it is open already; that of the settings is opened otherwise, in the writer's thread.
        recovers: Whether it stores what dead processes left.

    """

    def __init__(self, settings: Settings, store: SessionStore | None = None, *, recovers: bool = True) -> None:
        self.settings = settings
        self.problems = Problems(strict=settings.strict)
        self._spans = Spans(
            content=settings.span_content, profile=PROFILES[settings.semconv], view_url=settings.view_url
        )
        self.disabled = settings.disabled
        self._redactor = Redactor()
        self._turns = OpenTurns()
        self._sessions: OrderedDict[str, _SessionState] = OrderedDict()
        self._finished: OrderedDict[tuple[str, str], tuple[list[str], SpanIds | None]] = OrderedDict()
        self._elsewhere: OrderedDict[str, Recorder] = OrderedDict()
        self._before_open: Callable[[], None] | None = None
        self._externally_instrumented: set[str | None] = (
            set()
        )  # providers: another instrumentation starts spans for their calls
        self._busy = _EmitGuard()
        self._postponed: deque[Callable[[], None]] = deque()
        self._closed = False
        self._handlers: dict[type[Event], Callable[[Any, bytes | None], None]] = {
            SessionStarted: self._on_session_started,
            SessionEnded: self._on_session_ended,
            TurnStarted: self._on_turn_started,
            TurnEnded: self._on_turn_ended,
            AgentStarted: self._on_call_started,
            AgentEnded: self._on_call_ended,
            ModelCallStarted: self._on_call_started,
            ModelCallEnded: self._on_call_ended,
            ToolCallStarted: self._on_call_started,
            ToolCallEnded: self._on_call_ended,
            HandedOff: self._on_handed_off,
            Noted: self._on_noted,
        }
        self._guarded(Problem.REDACTION, self._read_rules)
        self.pipeline = Pipeline(settings, store, self.problems, self.settle, recovers=recovers)
        _recorders.add(self)
        atexit.register(self.close)

    # The door ----------------------------------------------------------------------------------------------------

    def emit(self, event: Event, span: Any = None) -> None:
        """Take an event. Never raises, unless ``TURNSPAN_STRICT`` is set.

        Args:
            event: What happened.
            span: The span that somebody else has started for it, or ``EXTERNAL_SPAN_EXPECTED``.

        """
        if self._closed:
            return
        if self._elsewhere and (other := self._other(event.session_id)) is not None:
            other.emit(event, span)
            return
        busy = self._busy
        if busy.now:  # a finalizer that the garbage collector ran in the middle of an emit
            self.later(lambda: self.emit(event, span))
            return
        if self._postponed:
            self.run_deferred()
        busy.now, busy.span = True, span
        try:
            try:
                event, payload = self._redactor.take(event)
            except Exception as error:
                event = withheld(event)
                payload = encode(event)
                self.problems.report(Problem.REDACTION, error)
            if event.turn_id is None and isinstance(event, Started | Ended):
                raise ValueError(f"{event!r} has no turn_id: it belongs to no turn, and cannot be on record")
            self._handlers[type(event)](event, payload)
        except Exception as error:
            self.problems.report(Problem.RECORDER, error)
        finally:
            busy.now = False

    def record(self, events: Iterable[Event]) -> None:
        """Put events of turnspan's own on record: about sessions, outside of their turns, as they are."""
        for event in events:
            self.pipeline.append(event)

    def later(self, tell: Callable[[], None]) -> None:
        """Have something told before the next event, or within a second: where nothing may be done right now."""
        self._postponed.append(tell)

    def run_deferred(self) -> None:
        """Tell what was put off."""
        while self._postponed:
            with suppress(IndexError):  # another thread was faster
                self._postponed.popleft()()

    def settle(self) -> None:
        """Do in the writer's thread what need not be done in the agent's: tell what was put off, end spans."""
        self.run_deferred()
        try:
            self._spans.end_all()
        except Exception as error:
            self.problems.report(Problem.SPANS, error)

    def _stamp(
        self,
        event: Event,
        ids: SpanIds | None,
        turn: OpenTurn,
        started: Started | None = None,
        payload: bytes | None = None,
    ) -> None:
        turn.event_ids.append(event.event_id)
        self.pipeline.append(event, ids, started, payload)

    # One kind of event each --------------------------------------------------------------------------------------

    def _on_session_started(self, event: SessionStarted, payload: bytes | None = None) -> None:
        if event.session_id in self._sessions:
            self._sessions.move_to_end(event.session_id)
            return
        if event.workspace_id is None and self.settings.workspace_id:
            event, payload = msgspec.structs.replace(event, workspace_id=self.settings.workspace_id), None
        root_id = turnspan_metadata(event.metadata).get("root_session_id")
        self._sessions[event.session_id] = _SessionState(event.workspace_id, root_id or event.session_id)
        if len(self._sessions) > _SESSIONS_REMEMBERED:
            self._sessions.popitem(last=False)
        self.pipeline.append(event, None, None, payload)

    def _on_session_ended(self, event: SessionEnded, payload: bytes | None) -> None:
        self._sessions.pop(event.session_id, None)
        self.pipeline.append(event, None, None, payload)

    def _on_turn_started(self, event: TurnStarted, payload: bytes | None) -> None:
        self.prepare()
        if event.session_id not in self._sessions:
            self._on_session_started(
                SessionStarted(session_id=event.session_id, agent_id=event.agent_id, at_ns=event.at_ns, source="new")
            )
        key = (event.session_id, event.turn_id)
        if key in self._turns and (same := self._turns[key].turn) is not None and not same.inherited:
            self._on_turn_ended(
                TurnEnded(session_id=event.session_id, turn_id=event.turn_id, status="cancelled", error="started again")
            )
        met = self._sessions.get(event.session_id)
        follows = self._spans.previous_turn_span(event.session_id)
        resource = None if met is None or met.described else resource_of_provider()
        if follows is not None or resource is not None:
            event, payload = msgspec.structs.replace(event, follows=follows, resource=resource), None
        if met is not None:
            met.described = True
        workspace_id = None if met is None else met.workspace_id
        if (theirs := self._busy.span) is not None:
            opened, payload = self._adopted(event, theirs, workspace_id), None
        else:
            span = self._spans.start(event, None, workspace_id=workspace_id)
            opened = Open(event, span, ids_of(span, None))
        turn = self._turns[key] = OpenTurn(opened)
        self._stamp(opened.started, opened.ids, turn, None, payload)

    def _on_turn_ended(self, event: TurnEnded, payload: bytes | None = None) -> None:
        key = (event.session_id, event.turn_id)
        turn = self._turns.pop(key, None)
        if turn is None or turn.turn is None:
            return  # ended already, or never started
        for call in reversed(list(turn.calls.values())):
            if call.awaits:
                self._await_no_longer(turn, call)
            if not call.inherited:
                early = ended_early(call.started, event.at_ns, "its turn ended first")
                if call.end_id is not None:
                    early = msgspec.structs.replace(early, event_id=call.end_id)
                self._spans.end(call.span, call.started, early)  # type: ignore[arg-type]
                self._stamp(early, call.ids, turn, call.started)
        if turn.turn.inherited:
            return
        if turn.turn.end_id is not None:
            event, payload = msgspec.structs.replace(event, event_id=turn.turn.end_id), None
        turn.event_ids.append(event.event_id)
        self._spans.end(turn.turn.span, turn.turn.started, event, turn.event_ids)
        self._finished[key] = (turn.event_ids, turn.turn.ids)  # type: ignore[index]
        if len(self._finished) > _TURNS_REMEMBERED:
            self._finished.popitem(last=False)
        self.pipeline.append(event, turn.turn.ids, turn.turn.started, payload)

    def _turn_of(self, event: Event) -> OpenTurn:
        key = (event.session_id, event.turn_id)
        turn = self._turns.get(key)
        if turn is None:
            turn = self._turns[key] = OpenTurn(None)
        return turn

    def _above(self, turn: OpenTurn, event: Event) -> Open | None:
        """Return what an event happened in: a call, or else the turn."""
        if event.parent_id is not None and (above := turn.calls.get(event.parent_id)) is not None:
            return above
        return turn.turn

    def _on_call_started(self, event: ToolCallStarted | ModelCallStarted | AgentStarted, payload: bytes | None) -> None:
        turn = self._turn_of(event)
        call_id = event.call_id or event.event_id
        if (same := turn.calls.get(call_id)) is not None and not same.inherited:
            self._on_call_ended(ended_early(same.started, event.at_ns, "started again"))  # type: ignore[arg-type]
        linked = None
        if turn.handoff is not None and isinstance(event, AgentStarted) and turn.handoff[0] == event.agent_id:
            linked, turn.handoff = turn.handoff[1].get_span_context(), None
        above = self._above(turn, event)
        theirs = self._theirs(event)
        if theirs is EXTERNAL_SPAN_EXPECTED and above is not None:
            call = turn.calls[call_id] = Open(event, above.span, None)
            call.awaits = True
            return
        if theirs is not None and theirs is not EXTERNAL_SPAN_EXPECTED:
            call, payload = self._adopted(event, theirs), None
        else:
            span = self._spans.start(event, None if above is None else above.below, linked=linked)
            call = Open(event, span, ids_of(span, None if above is None else above.ids))
        turn.calls[call_id] = call
        self._stamp(call.started, call.ids, turn, None, payload)

    def _theirs(self, event: ToolCallStarted | ModelCallStarted | AgentStarted) -> Any:
        """Return the span that somebody else has started or, EXTERNAL_SPAN_EXPECTED, will start for a call; None: it is ours to start."""
        given = self._busy.span
        if given is not None or type(event) is not ModelCallStarted:
            return given
        if UNCLAIMED_SPANS and (claimed := claimed_model_span()) is not None:
            return claimed
        return EXTERNAL_SPAN_EXPECTED if event.provider in self._externally_instrumented else None

    def _adopted(self, event: Started, span: Any, workspace_id: str | None = None) -> Open:
        """Return what is open on a span that somebody else has started."""
        open_ = getattr(span, "end_time", None) is None
        event, end_id = msgspec.structs.replace(event, borrowed="stamped" if open_ else "read"), new_id()
        return Open(event, self._spans.adopt(event, span, end_id, workspace_id), ids_of_external_span(span), end_id)

    def adopt(self, here: CurrentContext, span: Any) -> bool:
        """Take a span that somebody else has just started for that of the call it is in, if that call awaits one."""
        call = self._turns.call_at(here)
        if call is None or not call.awaits:
            return False
        turn = self._turns[here.session_id, here.turn_id]
        found = self._adopted(call.started, span)
        call.started = found.started
        call.has(found.span, found.ids, found.end_id)
        self._stamp(call.started, call.ids, turn)
        return True

    def note_external_instrumentation(self, here: CurrentContext) -> None:
        """Hear of another instrumentation's span of a model: below ours it is a second one, and the next is awaited."""
        call = self._turns.call_at(here)
        if call is not None and isinstance(call.started, ModelCallStarted) and call.started.borrowed is None:
            self._externally_instrumented.add(call.started.provider)

    def _await_no_longer(self, turn: OpenTurn, call: Open) -> None:
        """Start a span of our own for a call whose span nobody else has started."""
        if isinstance(call.started, ModelCallStarted):
            self._externally_instrumented.discard(call.started.provider)
        above = self._above(turn, call.started)
        span = self._spans.start(call.started, None if above is None else above.below)
        call.has(span, ids_of(span, None if above is None else above.ids))
        self._stamp(call.started, call.ids, turn)

    def _on_call_ended(self, event: ToolCallEnded | ModelCallEnded | AgentEnded, payload: bytes | None = None) -> None:
        key = (event.session_id, event.turn_id)
        turn = self._turns.get(key)
        call = turn.calls.pop(event.call_id or "", None) if turn is not None else None
        if turn is None or call is None or call.inherited:
            return  # ended already: its turn ended first, or the parent of a fork has it
        if call.awaits:
            self._await_no_longer(turn, call)
        if call.end_id is not None:
            event, payload = msgspec.structs.replace(event, event_id=call.end_id), None
        self._spans.end(call.span, call.started, event)
        self._stamp(event, call.ids, turn, call.started, payload)
        if turn.turn is None and not turn.calls:
            del self._turns[key]

    def _on_handed_off(self, event: HandedOff, payload: bytes | None) -> None:
        turn = self._turn_of(event)
        above = self._above(turn, event)
        span = self._spans.handoff(event, None if above is None else above.below)
        turn.handoff = (event.to_agent, span)
        self._stamp(event, ids_of(span, None if above is None else above.ids), turn, None, payload)

    def _on_noted(self, event: Noted, payload: bytes | None) -> None:
        turn = self._turns.get((event.session_id, event.turn_id))
        if turn is None:
            self.pipeline.append(event, None, None, payload)
            return
        above = self._above(turn, event)
        if above is not None:
            self._spans.note(above.span, event.name, event)
        self._stamp(event, None if above is None else above.ids, turn, None, payload)

    # What others ask -----------------------------------------------------------------------------------------------

    def context_of(self, started: Started) -> context.Context | None:
        """Return the context for code that runs inside a turn or call; None when it is not open."""
        if self._elsewhere and (other := self._other(started.session_id)) is not None:
            return other.context_of(started)
        turn = self._turns.get((started.session_id, started.turn_id))
        if turn is None:
            return None
        is_turn = isinstance(started, TurnStarted)
        here = turn.turn if is_turn else turn.calls.get(started.call_id or started.event_id)
        if here is None:
            return None
        call_id = None if is_turn else started.call_id or started.event_id
        return context_inside(CurrentContext(started.session_id, started.turn_id, call_id, started.agent_id), here.span)

    def redact(self, text: str) -> str:
        """Return text as it may leave the process."""
        return self._redactor.text(text)

    def models_asked(self, here: CurrentContext) -> list[str]:
        """Return the ids of the open model calls that a place is in, or that are open directly in it."""
        other = self._other(here.session_id)
        return self._turns.models_asked(here) if other is None else other.models_asked(here)

    def tool_at(self, here: CurrentContext) -> str | None:
        """Return the name of the tool whose call a place is directly in."""
        other = self._other(here.session_id)
        return self._turns.tool_at(here) if other is None else other.tool_at(here)

    def knows_session(self, session_id: str) -> bool:
        """Return whether this process has met the session."""
        return session_id in self._sessions or self._other(session_id) is not None

    def root_of(self, session_id: str) -> str:
        """Return the session that this one came out of in the end; itself, as far as this process knows."""
        met = self._sessions.get(session_id)
        return session_id if met is None else met.root_id

    def route_session_to(self, other: Recorder, session_id: str) -> None:
        """Have everything of a session go to another recorder: that of the manager which the session belongs to."""
        if other is not self:
            self._elsewhere[session_id] = other
            self._elsewhere.move_to_end(session_id)
            if len(self._elsewhere) > _SESSIONS_REMEMBERED:
                self._elsewhere.popitem(last=False)

    def _other(self, session_id: str) -> Recorder | None:
        other = self._elsewhere.get(session_id)
        return None if other is None or other.closed else other

    def events_of(self, session_id: str, turn_id: str) -> tuple[list[str], SpanIds | None] | None:
        """Return the ids of the events so far of a turn that was watched live, and its span; None if it was not."""
        key = (session_id, turn_id)
        if (turn := self._turns.get(key)) is not None and turn.turn is not None:
            return list(turn.event_ids), turn.turn.ids
        if (done := self._finished.get(key)) is not None:
            return list(done[0]), done[1]
        return None

    def health(self) -> Health:
        """Return how this process fares at recording."""
        return self.pipeline.health()

    def is_open(self, session_id: str, turn_id: str) -> bool:
        """Return whether a turn has started and not ended."""
        turn = self._turns.get((session_id, turn_id))
        return turn is not None and turn.turn is not None

    @property
    def closed(self) -> bool:
        """Whether it takes no more events."""
        return self._closed

    def adopt_providers(self, other: Recorder) -> None:
        """Set the SDK up as late, and flush the same providers, as another recorder does."""
        self._before_open = other._before_open
        self.pipeline.providers = other.pipeline.providers

    def prepare(self) -> None:
        """Have done what is to be done before the first turn, now."""
        if self._before_open is not None:
            prepare, self._before_open = self._before_open, None
            self._guarded(Problem.SET_UP, prepare)

    def before_first_turn(self, prepare: Callable[[], None]) -> None:
        """Have something done right before the first turn starts: the SDK is set up as late as that."""
        self._before_open = prepare

    # Beginning and end ---------------------------------------------------------------------------------------------

    def flush(self, timeout_s: float = FLUSH_S) -> bool:
        """Wait until the store has everything emitted so far; return whether it does."""
        self.settle()
        return self.pipeline.flush(timeout_s)

    def close(self, timeout_s: float = FLUSH_S) -> None:
        """End what is open as cancelled, bring everything to the store, and stop. What cannot be stored waits on disk."""
        if self._closed:
            return
        with suppress(Exception):
            self.run_deferred()
            self._end_open("the process ended")
        self._closed = True
        atexit.unregister(self.close)
        self.settle()
        self.pipeline.close(timeout_s)
        _recorders.discard(self)

    def _end_open(self, reason: str) -> None:
        for session_id, turn_id in list(self._turns):
            self.emit(
                TurnEnded(
                    session_id=session_id,
                    turn_id=turn_id,
                    status="cancelled",
                    error=reason,
                    metadata={OURS: {"interrupted": reason}},
                )
            )

    def _read_rules(self) -> None:
        set_ = self.settings
        try:
            self._redactor = Redactor(set_.redact, set_.capture_content, set_.content_limit)
        except Exception:
            self._redactor = Redactor(mode="none")  # rather too little than what somebody wanted out
            raise

    def _guarded(self, problem: Problem, function: Callable[[], None]) -> None:
        try:
            function()
        except Exception as error:
            self.problems.report(problem, error)

    def after_fork(self) -> None:
        """Begin anew in a forked child: a journal and a writer of its own; what is open belongs to the parent."""
        self._spans.after_fork()
        self._busy = _EmitGuard()
        self._postponed.clear()
        for met in self._sessions.values():
            met.described = False
        for turn in self._turns.values():
            for one in (turn.turn, *turn.calls.values()):
                if one is not None:
                    one.inherited = True
        self.pipeline.after_fork()


_recorders: weakref.WeakSet[Recorder] = weakref.WeakSet()


def all_recorders() -> list[Recorder]:
    """Return the recorders of this process: its own, and those of observed managers with stores of their own."""
    return list(_recorders)


def _after_fork_in_child() -> None:
    for recorder in list(_recorders):
        recorder.after_fork()


os.register_at_fork(after_in_child=_after_fork_in_child)
