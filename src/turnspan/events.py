"""The vocabulary: one frozen event for each thing that an agent does.

Adapters translate what a runtime says into these and into nothing else. Every event names its session and turn
explicitly, because context variables get lost in threads and task groups. The id of an event is made once, here,
and is then found unchanged in the stored record, on the span and in the log line.

Fields may arrive late: what is not known when something starts is given with the event that ends it.
"""

from __future__ import annotations

import hashlib
import os
import random
import time
from collections.abc import Callable, Collection, Generator
from contextlib import AbstractContextManager
from typing import Any, Literal, NamedTuple, Protocol

import msgspec

TurnStatus = Literal["success", "error", "cancelled"]
CallStatus = Literal["success", "error", "timeout", "skipped", "cancelled"]
SessionSource = Literal["explicit", "runtime", "baggage", "environment", "new"]
"""Where a session id came from: ``turnspan.session(...)``, the runtime's own, a caller's baggage, or nowhere."""


class Source:
    """Where times and ids come from; ``turnspan.testing`` replaces it by one that counts."""

    def __init__(self) -> None:
        self._last = 0

    def now_ns(self) -> int:
        """Nanoseconds of Unix time."""
        return time.time_ns()

    def new_id(self) -> str:
        """Make a UUIDv7 as 32 hex digits: sortable by time, also within a process that makes many at once.

        The 12 bits behind the milliseconds count quarter microseconds (RFC 9562, method 3). They never go back
        within a process, even when the clock does.
        """
        ticks = time.time_ns() * 4096 // 1_000_000  # milliseconds, and 12 bits behind them
        if ticks <= self._last:
            ticks = self._last + 1
        self._last = ticks
        return "%032x" % ((ticks >> 12) << 80 | 7 << 76 | (ticks & 0xFFF) << 64 | 1 << 63 | _noise(62))


source = Source()
_random = random.Random()  # noqa: S311  ids need to be unique, not secret; the program's own seed must not matter
_noise = _random.getrandbits
os.register_at_fork(after_in_child=_random.seed)


def now_ns() -> int:
    """Nanoseconds of Unix time, from the process's source of time."""
    return source.now_ns()


def new_id() -> str:
    """Return a new id, sortable by time: 32 hex digits."""
    return source.new_id()


def derived_id(*parts: object, at_ns: int = 0) -> str:
    """Return the id that these parts always give: what is replayed twice gets the same ids.

    Args:
        parts: What names the thing: session, turn, kind, ordinal.
        at_ns: When it happened, in Unix nanoseconds; it leads the id, so that derived ids sort by time too.

    Returns:
        A UUIDv8 (RFC 9562: free-form) as 32 hex digits.

    """
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode("utf-8", "backslashreplace")).hexdigest()
    return (
        f"{max(at_ns, 0) // 1_000_000 & 0xFFFFFFFFFFFF:012x}8{digest[:3]}{8 | int(digest[3], 16) & 3:x}{digest[4:19]}"
    )


class Usage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Tokens of a model call. ``input_tokens`` includes what was read from a cache."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", gc=False):
    """One thing that happened.

    ``parent_id`` is the ``call_id`` of the tool call or agent invocation that this happened in; None means the turn
    itself. ``agent_id`` is the agent that did it. The recorder sets ``borrowed`` where the span is one that somebody else
    started: ``stamped`` with the ids of this event and of its end, or only ``read``, because it had ended.
    """

    session_id: str
    turn_id: str | None = None
    call_id: str | None = None
    parent_id: str | None = None
    agent_id: str | None = None
    borrowed: Literal["stamped", "read"] | None = None
    event_id: str = msgspec.field(default_factory=new_id)
    at_ns: int = msgspec.field(default_factory=now_ns)

    def __repr__(self) -> str:
        """Show ids, never content: it may be printed by accident."""
        return _shown(self)

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show the same to rich."""
        return [(name, value) for name in _IDS if (value := getattr(self, name)) is not None]


_IDS = ("event_id", "session_id", "turn_id", "call_id", "agent_id")


def _shown(event: Event) -> str:
    ids = ", ".join(f"{name}={value!r}" for name in _IDS if (value := getattr(event, name)) is not None)
    return f"{type(event).__name__}({ids}, ...)"


class SessionStarted(Event, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="session.started"):
    """A conversation began, or this process met one that began elsewhere."""

    workspace_id: str | None = None
    source: SessionSource = "explicit"
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)


class SessionEnded(Event, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="session.ended"):
    """A conversation was closed by the application."""


class TurnStarted(Event, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="turn.started"):
    """A prompt came in. ``agent_id`` names the agent that takes it.

    The recorder adds what its span cannot be made again without: ``follows``, the turn before that it links to
    (``trace id-span id``), and the process's OpenTelemetry ``resource``, with its first turn of each session.
    """

    prompt: Any = ""
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    follows: str | None = None
    resource: dict[str, Any] | None = None


class TurnEnded(Event, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="turn.ended"):
    """The final answer was given, or will never be.

    ``record`` is the whole turn as an application recorded it by itself; it then wins over what was observed.
    """

    prompt: Any = None
    response_content: Any = None
    status: TurnStatus = "success"
    error: str | None = None
    error_type: str | None = None
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    record: dict[str, Any] | None = None


class AgentStarted(Event, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="agent.started"):
    """An agent was invoked inside a turn: a sub-agent, an agent used as a tool, the target of a handoff."""

    description: str | None = None


class AgentEnded(Event, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="agent.ended"):
    """An agent inside a turn has finished."""

    response_content: Any = None
    status: TurnStatus = "success"
    error: str | None = None
    error_type: str | None = None


class ModelCallStarted(Event, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="model_call.started"):
    """A model was asked. ``provider`` is a value of ``gen_ai.provider.name``.

    ``messages`` are those that are new in this call; ``history`` says how many it was given before them. A conversation
    is kept once, not again with every call.
    """

    provider: str | None = None
    model: str | None = None
    messages: Any = None
    history: int = 0
    streamed: bool = False


class ModelCallEnded(Event, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="model_call.ended"):
    """A model has answered. ``first_chunk_ns``: nanoseconds until a stream's first chunk."""

    provider: str | None = None
    model: str | None = None
    messages: Any = None
    response_model: str | None = None
    response_id: str | None = None
    output: Any = None
    usage: Usage | None = None
    finish_reasons: list[str] = msgspec.field(default_factory=list)
    first_chunk_ns: int | None = None
    status: CallStatus = "success"
    error: str | None = None
    error_type: str | None = None


class ToolCallStarted(Event, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="tool_call.started"):
    """A tool was called."""

    tool_name: str
    tool_type: str = "function"
    arguments: Any = None


class ToolCallEnded(Event, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="tool_call.ended"):
    """A tool has returned, failed, timed out, or was skipped."""

    arguments: Any = None
    result: Any = None
    status: CallStatus = "success"
    error: str | None = None
    error_type: str | None = None
    sandbox_context: str | None = None
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)


class HandedOff(Event, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="handed_off"):
    """One agent gave the conversation to another."""

    from_agent: str | None = None
    to_agent: str
    reason: str | None = None


class Noted(Event, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="noted"):
    """Anything else that deserves an audit event: feedback, an evaluation, a guardrail, an approval."""

    name: str
    data: Any = None


Started = TurnStarted | AgentStarted | ModelCallStarted | ToolCallStarted
Ended = TurnEnded | AgentEnded | ModelCallEnded | ToolCallEnded
AnyEvent = (
    SessionStarted | SessionEnded | TurnStarted | TurnEnded | AgentStarted | AgentEnded
    | ModelCallStarted | ModelCallEnded | ToolCallStarted | ToolCallEnded | HandedOff | Noted
)  # fmt: skip
KINDS: dict[str, type[Event]] = {
    str(cls.__struct_config__.tag): cls
    for cls in (
        SessionStarted, SessionEnded, TurnStarted, TurnEnded, AgentStarted, AgentEnded,
        ModelCallStarted, ModelCallEnded, ToolCallStarted, ToolCallEnded, HandedOff, Noted,
    )
}  # fmt: skip
"""Every kind of event by the name it has in journal, log and store."""
KIND_OF: dict[type[Event], str] = {cls: kind for kind, cls in KINDS.items()}


CONTENT = ("prompt", "response_content", "messages", "output", "arguments", "result", "data")
"""Fields with what agents, tools and models said."""
TEXTS = ("error", "reason", "description", "sandbox_context")
"""Fields that may quote it."""


def without_content(event: Event) -> Event:
    """Return the event without what agents, tools and models said; ids, names, status and times stay.

    A turn that the application recorded by itself (``TurnEnded.record``) is its own and stays.
    """
    said = {name: "" if name == "prompt" else None for name in CONTENT if getattr(event, name, None)}
    return msgspec.structs.replace(event, **said) if said else event


# What an adapter gets -----------------------------------------------------------------------------------------------


class Session(NamedTuple):
    """The session that something belongs to, and where its id came from."""

    id: str
    source: SessionSource


class Scope(NamedTuple):
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


class Watch(NamedTuple):
    """What an observer yields to have a stream's items shown to it, one by one, as they pass."""

    started: Started | None
    on_item: Callable[[Any], None]


Observer = Callable[[Call], Generator["Started | Watch | None", Outcome, None]]
"""A generator around one call. Before its ``yield`` it tells what starts; what it yields becomes the current turn or
call for the code inside; it gets the outcome and tells what ended. It never sees, and cannot change, the program."""


SpanReading = Generator[Started | None, Any, None]
SpanReader = Callable[[Any, Scope | None], SpanReading]
"""A generator around one span that somebody else started, and the place where it did. Before its ``yield`` it may tell
what starts (``Emit.of_span``), and yields that; it gets the span as it ended, and tells what ended."""
ContentOf = Callable[[Any], Collection[str]]
"""Returns the names of a span's attributes that hold content."""


class Link(NamedTuple):
    """What ties a stored turn to its telemetry."""

    audit_event_ids: list[str]
    trace_id: str | None
    span_id: str | None


class Emit(Protocol):
    """What an adapter is given: one way to tell an event, and the means to watch calls."""

    def __call__(self, event: Event) -> None:
        """Tell an event. Never raises."""

    def of_span(self, event: Started, span: Any) -> None:
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
        """Watch a function: plain, async, or a generator of either kind.

        ``target`` is ``"package.module:Class.method"``, or an object and the name of its attribute. A module that is not
        imported yet is watched as soon as it is. Exceptions of the observer never reach the program. A target that this
        version of the runtime does not have is passed over. Undone by ``uninstrument()``.
        """

    def guarded(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with its exceptions told once and swallowed: for callbacks that a runtime calls."""

    def session(
        self, own: str | None = None, *, workspace_id: str | None = None, agent_id: str | None = None,
        parent: str | None = None,
    ) -> Session:  # fmt: skip
        """Find the session: ``turnspan.session(...)``, the runtime's own id, baggage, the environment, or a new one."""

    def current(self) -> Scope | None:
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

    def link(self, session_id: str, turn_id: str) -> Link | None:
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
