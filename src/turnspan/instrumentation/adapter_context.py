"""What an adapter is given: the implementation of :class:`turnspan.events.Emit`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Collection, Generator
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType
from typing import Any

import wrapt
from opentelemetry import context

from turnspan.adapter import Call, ContentOf, CurrentContext, Observer, Outcome, ResolvedSession, SpanReader, TurnLink
from turnspan.events import Event, ModelCallStarted, Started
from turnspan.instrumentation.wrapping import Watched, watched
from turnspan.recording import runtime
from turnspan.recording.problems import Problem, logger
from turnspan.recording.recorder import EXTERNAL_SPAN_EXPECTED, Recorder
from turnspan.telemetry.current_context import current_context

_INHERITED = object()


def _no_content(_span: Any) -> Collection[str]:
    return ()


class Hooks:
    """What an adapter is given (:class:`turnspan.events.Emit`), and the undo of what it did."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._undo: list[Callable[[], None]] = []
        self._live = True

    def _recorder(self) -> Recorder | None:
        return runtime.active() if self._live else None

    def __call__(self, event: Event) -> None:
        """Tell an event."""
        if (found := self._recorder()) is not None:
            found.emit(event)

    def emit_for_span(self, event: Started, span: Any) -> None:
        """Tell a start that somebody else's span stands for."""
        if (found := self._recorder()) is not None:
            found.emit(event, span)

    def expect(self, event: ModelCallStarted) -> None:
        """Tell a model call whose span the client itself starts next."""
        if (found := self._recorder()) is not None:
            found.prepare()
            _others().observe_current_provider()
            found.emit(event, EXTERNAL_SPAN_EXPECTED)

    def read_spans(self, reader: SpanReader, content_of: ContentOf = _no_content) -> None:
        """Have a reader told of every span that somebody else starts."""
        found, entry = _others(), (self._recorder, reader, content_of)
        found.others.readers.append(entry)
        self._undo.append(lambda: found.others.readers.remove(entry))
        found.observe_current_provider()

        def made(call: Call) -> Generator[None, Outcome, None]:
            yield None
            found.observe_provider(call.instance)

        self.wrap("opentelemetry.sdk.trace:TracerProvider.__init__", made)

    def prepare(self) -> None:
        """Set the OpenTelemetry SDK up where that is turnspan's to do."""
        if (found := self._recorder()) is not None:
            found.prepare()

    def wrap(self, target: str | tuple[Any, str], observer: Observer) -> None:
        """StreamObserver a function, ``"package.module:Class.method"``, or an object's attribute."""
        if not isinstance(target, str):
            self._wrap(*target, observer)
            return
        name, _, path = target.partition(":")
        if name in sys.modules:
            self._wrap(sys.modules[name], path, observer)
        else:  # runtimes load parts of themselves late, and some never
            wrapt.register_post_import_hook(lambda module: self._wrap(module, path, observer), name)

    def _wrap(self, holder: Any, path: str, observer: Observer) -> None:
        if not self._live:
            return
        try:
            owner, attribute, original = wrapt.resolve_path(holder, path)
        except AttributeError:
            logger.debug("turnspan %s: this version has no %s", self._name, path)
            return
        own = vars(owner).get(attribute, original) if isinstance(owner, type) else original
        self.replace(owner, attribute, Watched(own, watched(self._recorder, observer)))

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

    def guarded(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with its exceptions told once and swallowed."""

        def safe(*args: Any, **kwargs: Any) -> Any:
            found = self._recorder()
            if found is None:
                return None
            try:
                return function(*args, **kwargs)
            except Exception as error:
                found.problems.report(Problem.ADAPTER, error, self._name)
                return None

        return safe

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

    def asked(self) -> list[str]:
        """Return the model calls that are open right where the calling code runs."""
        here, found = current_context(), self._recorder()
        return [] if here is None or found is None else found.models_asked(here)

    def tool(self) -> str | None:
        """Return the name of the tool that the calling code is the call of."""
        here, found = current_context(), self._recorder()
        return None if here is None or found is None else found.tool_at(here)

    def carrier(self, started: Started) -> dict[str, str]:
        """Return the W3C headers that carry a turn or call to another process."""
        from opentelemetry import propagate

        carrier: dict[str, str] = {}
        with self.inside(started):
            propagate.inject(carrier)
        return carrier

    def inside(self, started: Started) -> AbstractContextManager[None]:
        """Make a turn or call the current one for a block of code."""
        found = self._recorder()
        where = None if found is None else found.context_of(started)
        return nullcontext() if where is None else _Inside(where)

    def link(self, session_id: str, turn_id: str) -> TurnLink | None:
        """Return the ids of a turn's events so far, and its span."""
        found = self._recorder()
        known = None if found is None else found.events_of(session_id, turn_id)
        if known is None:
            return None
        ids, span = known
        return TurnLink(ids, *(span[:2] if span else (None, None)))

    def on_undo(self, undo: Callable[[], None]) -> None:
        """Have something undone by ``uninstrument()``."""
        self._undo.append(undo)

    def undo(self) -> None:
        """Take everything back."""
        self._live = False
        while self._undo:
            try:
                self._undo.pop()()
            except Exception as error:
                told(self._name, error)


class _Inside(AbstractContextManager[None]):
    def __init__(self, where: context.Context) -> None:
        self._where = where

    def __enter__(self) -> None:
        self._token = context.attach(self._where)

    def __exit__(self, *_: object) -> None:
        context.detach(self._token)


def _others() -> ModuleType:
    """Return the way in for spans of others; it needs the SDK, which is a heavy import."""
    import opentelemetry.sdk.trace  # noqa: F401  first, because its import wakes an adapter that comes here

    return importlib.import_module("turnspan.otel_sdk.external_spans")


def told(name: str, error: BaseException) -> None:
    """Count and tell a failure of an adapter."""
    runtime.recorder().problems.report(Problem.ADAPTER, error, name)
