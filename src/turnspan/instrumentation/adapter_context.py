"""What an adapter is given: the implementation of :class:`turnspan.adapter.Emit`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Generator
from typing import Any

import wrapt
from opentelemetry import trace

from turnspan.adapter import (
    SPAN_EXPECTED,
    ContentOf,
    CurrentContext,
    Invocation,
    Observable,
    Observer,
    Outcome,
    ResolvedSession,
    Runs,
    SpanReader,
    TurnLink,
)
from turnspan.events import Event, ModelCallStarted, Started
from turnspan.instrumentation.wrapping import Watched, always, watched
from turnspan.otel_sdk.registration import external_spans
from turnspan.recording import runtime
from turnspan.recording.problems import Problem
from turnspan.recording.recorder import Recorder
from turnspan.telemetry import outgoing
from turnspan.telemetry.current_context import current_context
from turnspan.telemetry.external_spans import external_spans as by_span
from turnspan.telemetry.external_spans import has_ended
from turnspan.telemetry.own_log import logger

_INHERITED = object()


def _no_content(_span: Any) -> Collection[str]:
    return ()


class AdapterContext:
    """What one adapter is given, and the undo of what it did."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.live = True
        self.patch = _Patch(self)
        self.spans = _Spans(self)
        self._runs = Runs(self)
        self.begin = self._runs.begin
        self.current_run = self._runs.current
        self.run_at = self._runs.at

    def recorder(self) -> Recorder | None:
        """Return the recorder; None where nothing is recorded, or not by this adapter any more."""
        return runtime.active() if self.live else None

    def __call__(self, event: Event) -> None:
        """Emit an event."""
        if (recorder := self.recorder()) is not None:
            recorder.emit(event)

    def start_with_span(self, event: Started, span: Any) -> None:
        """Emit a start whose span exists, or will."""
        if span is not SPAN_EXPECTED:
            self.spans.stand_for(event, span)
        elif isinstance(event, ModelCallStarted):
            self.spans.expect(event)

    def session(
        self,
        own: str | None = None,
        *,
        workspace_id: str | None = None,
        agent_id: str | None = None,
        parent: str | None = None,
    ) -> ResolvedSession:
        """Find the session that a run belongs to."""
        return runtime.find_session(own, workspace_id=workspace_id, agent_id=agent_id, parent=parent)

    def current(self) -> CurrentContext | None:
        """Return where the calling code runs."""
        return current_context()

    def open_model_calls(self) -> list[str]:
        """Return the model calls that are open right where the calling code runs."""
        here, recorder = current_context(), self.recorder()
        return [] if here is None or recorder is None else recorder.turns_of(here.session_id).open_model_calls(here)

    def has_response(self, response_id: str, since_ns: int) -> bool:
        """Return whether a model call is on record that was answered so after a time: some providers' ids come again."""
        recorder = self.recorder()
        return recorder is not None and recorder.turns.responses.get(response_id, -1) >= since_ns

    def current_tool_name(self) -> str | None:
        """Return the name of the tool that the calling code is the call of."""
        here, recorder = current_context(), self.recorder()
        return None if here is None or recorder is None else recorder.turns_of(here.session_id).current_tool_name(here)

    def carrier(self, inside: Observable) -> dict[str, str]:
        """Return the W3C headers that carry a run or call to another process."""
        recorder, started = self.recorder(), inside.started
        where = None if recorder is None or started is None else recorder.context_of(started)
        return outgoing.carrier(where)

    def link(self, session_id: str, turn_id: str) -> TurnLink | None:
        """Return the ids of a turn's events so far, and its span."""
        recorder = self.recorder()
        known = None if recorder is None else recorder.turns_of(session_id).events_of(session_id, turn_id)
        if known is None:
            return None
        ids, span = known
        return TurnLink(ids, *(span[:2] if span else (None, None)))

    def undo(self) -> None:
        """Take everything back."""
        self.live = False
        self.patch.undo()


class _Patch:
    """Wraps and replaces what a runtime has, and puts it back."""

    def __init__(self, adapter: AdapterContext) -> None:
        self._adapter = adapter
        self._undo: list[Callable[[], None]] = []

    def wrap(
        self, target: str | tuple[Any, str], observer: Observer, when: Callable[[Invocation], Any] = always
    ) -> None:
        """Observe a function, ``"package.module:Class.method"``, or an object's attribute."""
        if not isinstance(target, str):
            self._wrap(*target, observer, when)
            return
        name, _, path = target.partition(":")
        if name in sys.modules:
            self._wrap(sys.modules[name], path, observer, when)
        else:  # runtimes load parts of themselves late, and some never
            wrapt.register_post_import_hook(lambda module: self._wrap(module, path, observer, when), name)

    def _wrap(self, holder: Any, path: str, observer: Observer, when: Callable[[Invocation], Any]) -> None:
        if not self._adapter.live:
            return
        try:
            owner, attribute, original = wrapt.resolve_path(holder, path)
        except AttributeError:
            logger.debug("turnspan %s: this version has no %s", self._adapter.name, path)
            return
        own = vars(owner).get(attribute, original) if isinstance(owner, type) else original
        self.replace(owner, attribute, Watched(own, watched(self._adapter.recorder, observer, when)))

    def replace(self, owner: Any, attribute: str, value: Any) -> None:
        """Put something in place of an attribute, until it is undone."""
        before = vars(owner).get(attribute, _INHERITED)
        setattr(owner, attribute, value)

        def undo() -> None:
            if before is _INHERITED:
                delattr(owner, attribute)
            else:
                setattr(owner, attribute, before)

        self._undo.append(undo)

    def guard(self, function: Callable[..., Any], ends: Observable | None = None) -> Callable[..., Any]:
        """Return the function with its exceptions logged once and swallowed."""

        def safe(*args: Any, **kwargs: Any) -> Any:
            recorder = self._adapter.recorder()
            if recorder is None:
                return None
            try:
                return function(*args, **kwargs)
            except Exception as error:
                recorder.problems.report(Problem.ADAPTER, error, self._adapter.name)
                if ends is not None:
                    ends.not_observed()
                return None

        return safe

    def on_undo(self, undo: Callable[[], None]) -> None:
        """Have something undone by ``uninstrument()``."""
        self._undo.append(undo)

    def undo(self) -> None:
        """Take everything back, the last first."""
        while self._undo:
            try:
                self._undo.pop()()
            except Exception as error:
                report_failure(self._adapter.name, error)


class _Spans:
    """The way to the spans that others start."""

    def __init__(self, adapter: AdapterContext) -> None:
        self._adapter = adapter

    def stand_for(self, event: Started, span: Any) -> None:
        """Emit a start whose span is an external one; code inside of that is in what it stands for."""
        if (recorder := self._adapter.recorder()) is not None:
            recorder.emit(event, span)
            if not has_ended(span) and span.is_recording():
                inside = CurrentContext(event.session_id, event.turn_id, event.call_id, event.agent_id)
                by_span.place(span.get_span_context().span_id, inside)

    def expect(self, event: ModelCallStarted) -> None:
        """Emit a model call whose span the client itself starts next."""
        if (recorder := self._adapter.recorder()) is not None:
            recorder.prepare()
            external_spans().observe_current_provider()
            recorder.emit(event, SPAN_EXPECTED)

    def read(self, reader: SpanReader, content_of: ContentOf = _no_content) -> None:
        """Show a reader every span that somebody else starts."""
        spans, entry = external_spans(), (self._adapter.recorder, reader, content_of)
        spans.external_span_processor.readers.append(entry)
        self._adapter.patch.on_undo(lambda: spans.external_span_processor.readers.remove(entry))
        spans.observe_current_provider()

        def made(call: Invocation) -> Generator[None, Outcome, None]:
            yield None
            spans.observe_provider(call.instance)

        self._adapter.patch.wrap("opentelemetry.sdk.trace:TracerProvider.__init__", made)

    def withhold_baggage(self, names: Callable[[], Collection[str]]) -> None:
        """Keep baggage entries out of requests."""
        outgoing.withheld.append(names)
        self._adapter.patch.on_undo(lambda: outgoing.withheld.remove(names))

    def current(self) -> Any:
        """Return the span that is current where the calling code runs."""
        return trace.get_current_span()

    def are_ours(self) -> bool:
        """Return whether spans go where turnspan sends them: the program has set no tracer provider."""
        return bool(getattr(trace.get_tracer_provider(), "stands_in", False))

    def prepare(self) -> None:
        """Set the OpenTelemetry SDK up where that is turnspan's to do."""
        if (recorder := self._adapter.recorder()) is not None:
            recorder.prepare()


def report_failure(name: str, error: BaseException) -> None:
    """Count and log a failure of an adapter."""
    runtime.recorder().problems.report(Problem.ADAPTER, error, name)
