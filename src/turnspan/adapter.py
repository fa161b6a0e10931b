"""What an adapter's author imports: the means to emit events, and the words for calls, outcomes and sessions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from turnspan.events import Event, ModelCallStarted, SessionSource, Started, TurnStatus
from turnspan.model.ids import derived_id, new_id, now_ns

__all__ = [
    "Call",
    "ContentOf",
    "CurrentContext",
    "Emit",
    "Observer",
    "Outcome",
    "ResolvedSession",
    "SpanReader",
    "SpanReading",
    "StreamObserver",
    "TurnLink",
    "derived_id",
    "error_text",
    "error_type",
    "new_id",
    "now_ns",
]


class ResolvedSession(NamedTuple):
    """The session that something belongs to, and where its id came from."""

    id: str
    source: SessionSource


class CurrentContext(NamedTuple):
    """Where code is running: the innermost turn and call that contain it."""

    session_id: str
    turn_id: str | None
    call_id: str | None
    agent_id: str | None


class Outcome(NamedTuple):
    """How a watched call ended: its result, or the exception that left it.

    ``cancelled`` is true for ``CancelledError`` and ``GeneratorExit``: a stream that was left early, a task that was
    cancelled. ``items`` counts what a stream gave. ``at_ns`` is set when it is told later than it happened.
    """

    result: Any = None
    error: BaseException | None = None
    cancelled: bool = False
    items: int = 0
    at_ns: int | None = None

    @property
    def status(self) -> TurnStatus:
        """The outcome as the status of a turn."""
        return "cancelled" if self.cancelled else "error" if self.error is not None else "success"

    def ended(self) -> dict[str, Any]:
        """Return the fields of an ended event that every kind has: status, error and its type."""
        found: dict[str, Any] = {"status": self.status}
        if self.at_ns is not None:
            found["at_ns"] = self.at_ns
        if self.error is not None:
            found |= {"error": error_text(self.error), "error_type": error_type(self.error)}
        return found


class Call(NamedTuple):
    """A call of a watched function: what it is bound to, and its arguments (``kwargs`` may be changed in place)."""

    instance: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def argument(self, position: int, name: str, default: Any = None) -> Any:
        """Return an argument, given by position or by name."""
        return self.args[position] if position < len(self.args) else self.kwargs.get(name, default)


class StreamObserver(NamedTuple):
    """What an observer yields to have a stream's items shown to it, one by one, as they pass."""

    started: Started | None
    on_item: Callable[[Any], None]


Observer = Callable[[Call], Generator["Started | StreamObserver | None", Outcome, None]]
"""A generator around one call. Before its ``yield`` it tells what starts; what it yields becomes the current turn or
call for the code inside; it gets the outcome and tells what ended. It never sees, and cannot change, the program."""


SpanReading = Generator[Started | None, Any, None]
SpanReader = Callable[[Any, CurrentContext | None], SpanReading]
"""A generator around one span that somebody else started, and the place where it did. Before its ``yield`` it may tell
what starts (``Emit.emit_for_span``), and yields that; it gets the span as it ended, and tells what ended."""
ContentOf = Callable[[Any], Collection[str]]
"""Returns the names of a span's attributes that hold content."""


class TurnLink(NamedTuple):
    """What ties a stored turn to its telemetry."""

    audit_event_ids: list[str]
    trace_id: str | None
    span_id: str | None


class Emit(Protocol):
    """What an adapter is given: one way to tell an event, and the means to watch calls."""

    def __call__(self, event: Event) -> None:
        """Tell an event. Never raises."""

    def emit_for_span(self, event: Started, span: Any) -> None:
        """Tell a start that somebody else's span stands for: it gets the audit event ids, a second one is not started."""

    def expect(self, event: ModelCallStarted) -> None:
        """Tell a model call whose span the client itself starts next, below it; ours is started only if it does not."""

    def read_spans(self, reader: SpanReader, content_of: ContentOf = ...) -> None:
        """Have a reader told of every span that somebody else starts in this process. Undone by ``uninstrument()``.

        ``content_of`` names the attributes that are on a span only because the record needs them: they are taken off
        before exporters see it. Where telemetry may have content they stay, without what redaction takes out.
        """

    def prepare(self) -> None:
        """Set the OpenTelemetry SDK up where that is turnspan's to do: for runtimes that start spans themselves."""

    def wrap(self, target: str | tuple[Any, str], observer: Observer) -> None:
        """StreamObserver a function: plain, async, or a generator of either kind.

        ``target`` is ``"package.module:Class.method"``, or an object and the name of its attribute. A module that is not
        imported yet is watched as soon as it is. Exceptions of the observer never reach the program. A target that this
        version of the runtime does not have is passed over. Undone by ``uninstrument()``.
        """

    def guarded(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with its exceptions told once and swallowed: for callbacks that a runtime calls."""

    def session(
        self,
        own: str | None = None,
        *,
        workspace_id: str | None = None,
        agent_id: str | None = None,
        parent: str | None = None,
    ) -> ResolvedSession:
        """Find the session: ``turnspan.session(...)``, the runtime's own id, baggage, the environment, or a new one."""

    def current(self) -> CurrentContext | None:
        """Return where the calling code runs, or None outside of every session."""

    def asked(self) -> list[str]:
        """Return the ids of the model calls that are open right where the calling code runs, whoever told them."""

    def tool(self) -> str | None:
        """Return the name of the tool that the calling code is the call of; None where it is in no tool."""

    def carrier(self, started: Started) -> dict[str, str]:
        """Return the W3C headers (``traceparent``, ``baggage``) that carry a turn or call to another process."""

    def inside(self, started: Started) -> AbstractContextManager[None]:
        """Make this turn or call the current one for a block of code."""

    def replace(self, owner: Any, attribute: str, value: Any) -> None:
        """Put something in place of an attribute. Undone by ``uninstrument()``."""

    def link(self, session_id: str, turn_id: str) -> TurnLink | None:
        """Return the ids of a turn's events so far, and its span; None for a turn that was not seen."""

    def on_undo(self, undo: Callable[[], None]) -> None:
        """Have something undone by ``uninstrument()``."""


def error_type(error: BaseException) -> str:
    """Return the class of an exception as OpenTelemetry's ``error.type`` wants it: qualified, builtins bare."""
    cls = type(error)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def error_text(error: BaseException) -> str:
    """Return the message of an exception; its class when it has none or cannot be printed."""
    try:
        return str(error) or type(error).__name__
    except Exception:
        return type(error).__name__
