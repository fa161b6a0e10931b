"""The recorder: the one door that every event goes through.

In the agent's thread it moves the event's span, calls the application's own log if that was asked for, and appends the
event to the journal. Everything else (our log file, metrics, the store) happens behind the journal, in the writer's
thread. The one guard of the library is here: an exception of ours is logged once, counted, and never reaches the agent.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry import context

from turnspan.adapter import CurrentContext
from turnspan.events import ENDS, STARTS, Event, SessionStarted, Started, TurnEnded, TurnStarted, call_id_of
from turnspan.journal.hash_chain import SpanIds
from turnspan.model.ids import now_ns
from turnspan.model.json_values import encode
from turnspan.model.newest import Newest
from turnspan.recording import spare_threads
from turnspan.recording.housekeeping import Housekeeper
from turnspan.recording.live_turns import Entry, LiveTurns
from turnspan.recording.pipeline import FLUSH_S, Pipeline
from turnspan.recording.problems import Problem, Problems
from turnspan.recording.providers import Providers
from turnspan.recording.redaction import Redactor, withheld
from turnspan.recording.secrets.marks import leave_rust
from turnspan.recording.sessions import SESSIONS_REMEMBERED, Sessions
from turnspan.recording.typed_fields import typed
from turnspan.recording.uninterrupted import remember_interrupt, run_uninterrupted
from turnspan.settings import Settings
from turnspan.telemetry import outgoing
from turnspan.telemetry.current_context import context_inside
from turnspan.telemetry.live_spans import Spans
from turnspan.telemetry.semconv import PROFILES

if TYPE_CHECKING:
    from turnspan.stores.base import SessionStore
    from turnspan.telemetry.metrics import Health


_GRACE_S = 1.0
"""How much longer than it takes itself the end of a process waits for it: for what may never be, a deadlock."""


class _EmitGuard(threading.local):
    """Whether the thread is in the middle of an emit."""

    active = False


class Recorder:
    """Takes events, and sees that they arrive.

    Args:
        settings: What was set.
        store: The store, when it is open already; that of the settings is opened otherwise, in the writer's thread.
        recovers: Whether it stores what dead processes left.
        sibling: Another recorder of this process, whose SDK set-up and providers are used.
        tracer_of: Returns the tracer that is used for turnspan's own (see :class:`~turnspan.telemetry.live_spans.Spans`).
        when_closed: Is called as soon as it takes no more events into its chain, unless the process ends.

    """

    def __init__(
        self,
        settings: Settings,
        store: SessionStore | None = None,
        *,
        recovers: bool = True,
        sibling: Recorder | None = None,
        tracer_of: Callable[[Any], Any] = lambda tracer: tracer,
        when_closed: Callable[[Recorder], None] = lambda _closed: None,
    ) -> None:
        self.settings = settings
        self.disabled = settings.disabled
        self.finished_spans: Callable[[], Sequence[Any]] | None = None  # where spans are kept in memory, in a test
        self.problems = Problems(strict=settings.strict, quotes=settings.capture_content == "full")
        self._redactor = Redactor()
        self._guarded(Problem.REDACTION, self._read_rules)
        self.tracer_of: Callable[[Any], Any] = tracer_of if sibling is None else sibling.tracer_of
        self._housekeeper = Housekeeper(self.run_housekeeping)
        self._spans = Spans(
            content=settings.span_content,
            profile=PROFILES[settings.semconv],
            view_url=settings.view_url,
            tracer_of=self.tracer_of,
            wake=self._housekeeper.wake,
        )
        self._sessions = Sessions(settings.workspace_id)
        self._elsewhere: Newest[str, Recorder] = Newest(SESSIONS_REMEMBERED)
        self._before_first_turn: Callable[[], None] | None = None if sibling is None else sibling.prepare
        self._preparing = threading.RLock()
        self._is_preparing = False
        self._guard = _EmitGuard()
        self._deferred: deque[Callable[[], None]] = deque()
        self._closing = threading.Lock()
        self._closed = False
        self._when_closed = when_closed
        providers = Providers(self.problems) if sibling is None else sibling.pipeline.providers
        self.pipeline: Pipeline = Pipeline(settings, store, self.problems, providers, recovers=recovers)
        self.turns = LiveTurns(self._spans, self._sessions, self.pipeline)
        _recorders.add(self)
        spare_threads.keep()
        outgoing.install(_asks_model)
        atexit.register(self._close_at_exit)

    # The door ----------------------------------------------------------------------------------------------------

    def emit(self, event: Event, external_span: Any = None) -> None:
        """Take an event. Never raises, unless ``TURNSPAN_STRICT`` is set.

        Args:
            event: What happened.
            external_span: The span that another instrumentation has started for it, or ``SPAN_EXPECTED``.

        """
        self._take(event, external_span, self.turns)

    def _take(self, event: Event, external_span: Any, turns: LiveTurns) -> None:
        if self._elsewhere and (other := self._other(event.session_id)) is not None:
            other.emit(event, external_span)
            return
        guard = self._guard
        if guard.active:  # a finalizer that the garbage collector ran in the middle of an emit
            self.defer(lambda: self.emit(event, external_span))
            return
        if self._deferred:
            self.run_deferred()
        guard.active = True
        try:
            event, payload = self._kept(event)
            if event.turn_id is None and isinstance(event, STARTS + ENDS):
                raise ValueError(f"{event!r} has no turn_id: it belongs to no turn and cannot be recorded")
            if self._before_first_turn is not None and type(event) is TurnStarted:
                self.prepare()
            turns.handlers[type(event)](Entry(event, payload, external_span))
        except Exception as error:
            self.problems.report(Problem.RECORDER, error)
        finally:
            guard.active = False

    def _report_lost(self, event: Event, names: list[str]) -> None:
        what = f"of {event!r}, {', '.join(names)} had a value of the wrong type; the event is kept without it"
        self.problems.report(Problem.EVENT, TypeError(what))

    def receive(self, events: Iterable[tuple[Event, SpanIds | None]]) -> bool:
        """Put on record what happened in other programs and has ended; return whether all of it is: else none of it is.

        Each event brings the ids of the span that it was received with.
        """
        lines: list[tuple[Event, SpanIds | None, bytes]] = []
        for given, ids in events:
            known = self.turns.received(given, ids)
            if known is not None:
                event, payload = self._kept(known)
                lines.append((event, ids, payload))
        if not lines or self.pipeline.appender.append_whole(lines):
            return True
        for event, _, _ in lines:  # it is to be said again
            if isinstance(event, SessionStarted):
                self._sessions.forget(event.session_id)
        return False

    def _kept(self, event: Event) -> tuple[Event, bytes]:
        """Return an event as it is kept, and its encoding: typed, without what settings and rules leave out."""
        event, lost = typed(event)
        if lost:
            self._report_lost(event, lost)
        try:
            return self._redactor.take(event)
        except Exception as error:
            event = withheld(event)
            payload = encode(event)
            self.problems.report(Problem.REDACTION, error)
            return event, payload

    def record(self, events: Iterable[Event]) -> None:
        """Put events of turnspan's own on record: about sessions, outside of their turns, as they are."""
        for event in events:
            self.pipeline.appender.append(event)

    # What is put off ---------------------------------------------------------------------------------------------

    def defer(self, run: Callable[[], None]) -> None:
        """Have something done before the next event, or within a second: where nothing may be done right now."""
        self._deferred.append(run)
        self._housekeeper.wake()

    def run_deferred(self) -> None:
        """Do what was put off."""
        while self._deferred:
            with suppress(IndexError):  # another thread was faster
                self._deferred.popleft()()

    def run_housekeeping(self) -> None:
        """Do what need not be done in the agent's thread: what was put off, and the ends of spans."""
        try:
            self.run_deferred()
            self._spans.end_all()
        except Exception as error:
            self.problems.report(Problem.SPANS, error)

    def prepare(self) -> None:
        """Have done what is to be done before the first turn, now. Turns that other threads begin meanwhile wait for it."""
        locked = self._preparing.acquire(timeout=FLUSH_S)
        try:
            if (prepare := self._before_first_turn) is None or self._is_preparing:
                return
            self._is_preparing = True
            self._guarded(Problem.SET_UP, prepare)
            self._before_first_turn, self._is_preparing = None, False
            self.pipeline.providers.pending = False
        finally:
            if locked:
                self._preparing.release()

    def before_first_turn(self, prepare: Callable[[], None]) -> None:
        """Have something done right before the first turn starts: the SDK is set up as late as that."""
        self._before_first_turn = prepare
        self.pipeline.providers.pending = True

    # Questions ---------------------------------------------------------------------------------------------------

    def context_of(self, started: Started) -> context.Context | None:
        """Return the context for code that runs inside a turn or call; None when it is not open."""
        if self._elsewhere and (other := self._other(started.session_id)) is not None:
            return other.context_of(started)
        opened = self.turns.open.find(started)
        if opened is None:
            return None
        call_id = None if isinstance(started, TurnStarted) else call_id_of(started)
        position = CurrentContext(started.session_id, started.turn_id, call_id, started.agent_id)
        return context_inside(position, opened.span)

    def turns_of(self, session_id: str) -> LiveTurns:
        """Return where the turns of a session are followed."""
        other = self._other(session_id)
        return self.turns if other is None else other.turns_of(session_id)

    def redact(self, text: str) -> str:
        """Return text as it may leave the process."""
        return self._redactor.text(text)

    def knows_session(self, session_id: str) -> bool:
        """Return whether this process has met the session."""
        return session_id in self._sessions or self._other(session_id) is not None

    def root_of(self, session_id: str) -> str:
        """Return the root of a session's parents; itself, as far as this process knows."""
        return self._sessions.root_of(session_id)

    def redacted_record(self, turn: dict[str, Any]) -> dict[str, Any]:
        """Return a turn of another program's, as ``to_dict`` gives it, as it may be kept."""
        ended = TurnEnded(session_id="", turn_id=turn["turn_id"], record=turn)
        kept: Any = self._redactor.take(ended)[0]
        return dict(kept.record)

    def health(self) -> Health:
        """Return how this process fares at recording."""
        return self.pipeline.health()

    @property
    def emitting(self) -> bool:
        """Whether the calling thread is in the middle of an event."""
        return self._guard.active

    @property
    def closed(self) -> bool:
        """Whether its chain is closed; what comes still is kept in another one."""
        return self._closed

    # Several recorders in a process ------------------------------------------------------------------------------

    def route_session_to(self, other: Recorder, session_id: str) -> None:
        """Have everything of a session go to another recorder: that of the manager which the session belongs to."""
        if other is not self:
            self._elsewhere.remember(session_id, other)

    def _other(self, session_id: str) -> Recorder | None:
        other = self._elsewhere.get(session_id)
        return None if other is None or other.closed else other

    # Beginning and end -------------------------------------------------------------------------------------------

    def flush(self, timeout_s: float = FLUSH_S) -> bool:
        """Wait until the store has everything emitted so far; return whether it does."""
        self.run_housekeeping()
        return self.pipeline.flush(timeout_s)

    def renew_atexit(self) -> None:
        """Close before everything that was registered with ``atexit`` so far: handlers run newest first."""
        if not self._closed:
            atexit.unregister(self._close_at_exit)
            atexit.register(self._close_at_exit)

    def _close_at_exit(self) -> None:
        with suppress(BaseException):  # nobody is left to take it
            self.close(for_good=True)
        remember_interrupt()

    def close(self, timeout_s: float | None = None, *, for_good: bool = False) -> None:
        """End what is open as cancelled, bring everything to the store, and stop. What cannot be stored waits on disk.

        Who calls it again meanwhile waits, too; a signal's handler may.

        Args:
            timeout_s: How long it may take; as set, unless it is given.
            for_good: The process ends: what comes later is kept for the next start, and no recorder is made anew for it.

        """
        limit_s = self.settings.exit_timeout_s if timeout_s is None else timeout_s
        run_uninterrupted(partial(self._close, limit_s, for_good=for_good), limit_s + _GRACE_S)

    def _close(self, limit_s: float, *, for_good: bool) -> None:
        deadline_s = time.monotonic() + limit_s
        with self._closing:
            if self._closed:
                return
            turns = self.turns
            with suppress(Exception):
                self._end_what_is_open(turns)
            self.run_housekeeping()
            self.pipeline.bring(limit_s)  # the long part: what other threads record meanwhile is taken
            self._before_first_turn = None
            self.turns = self.pipeline.after_end.turns(self._sessions)
            self._closed = True
            if for_good:
                leave_rust()  # daemon threads may go on recording until the interpreter ends them
            else:
                self._when_closed(self)
            with suppress(Exception):
                self._end_what_is_open(turns)
            self._housekeeper.stop()
            atexit.unregister(self._close_at_exit)
            self.run_housekeeping()
            self.pipeline.close(max(0.0, deadline_s - time.monotonic()))
            _recorders.discard(self)

    def _end_what_is_open(self, turns: LiveTurns) -> None:
        self.run_deferred()
        for end in turns.ends(now_ns(), "the process ended"):
            self._take(end, None, turns)
        self.run_deferred()  # of finalizers that ran meanwhile

    def _read_rules(self) -> None:
        settings = self.settings
        try:
            self._redactor = Redactor(settings.redact, settings.capture_content, settings.content_limit)
        except Exception:
            self._redactor = Redactor(mode="none")  # rather too little than what a user wanted out
            raise

    def _guarded(self, problem: Problem, function: Callable[[], None]) -> None:
        try:
            function()
        except Exception as error:
            self.problems.report(problem, error)

    def after_fork(self) -> None:
        """Begin anew in a forked child: a journal and a writer of its own; what is open belongs to the parent."""
        self._guard = _EmitGuard()
        self._closing = threading.Lock()
        spare_threads.keep()
        self._deferred.clear()
        self._housekeeper.after_fork()
        self._preparing, self._is_preparing = threading.RLock(), False
        self._sessions.after_fork()
        self.turns.after_fork()
        self.pipeline.after_fork()


_recorders: weakref.WeakSet[Recorder] = weakref.WeakSet()


def all_recorders() -> list[Recorder]:
    """Return the recorders of this process: its own, and those of observed managers with stores of their own."""
    return list(_recorders)


def _asks_model(position: CurrentContext) -> bool:
    return any(recorder.turns.open_model_calls(position) for recorder in all_recorders())


def _after_fork_in_child() -> None:
    for recorder in list(_recorders):
        recorder.after_fork()


os.register_at_fork(after_in_child=_after_fork_in_child)
