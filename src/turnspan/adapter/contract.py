"""What an adapter is given to work with, and the kinds of functions that it gives."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator
from typing import Any, NamedTuple, Protocol

from turnspan.adapter.runs import Run
from turnspan.adapter.values import CurrentContext, Outcome, ResolvedSession, TurnLink
from turnspan.events import Event, ModelCallStarted, Started


class Invocation(NamedTuple):
    """A call of a wrapped function: what it is bound to, and its arguments (``kwargs`` may be changed in place)."""

    instance: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def argument(self, position: int, name: str, default: Any = None) -> Any:
        """Return an argument, given by position or by name."""
        return self.args[position] if position < len(self.args) else self.kwargs.get(name, default)


class Observable(Protocol):
    """Something that has begun and is to end: a run, a call, or an adapter's own object that stands for several."""

    @property
    def started(self) -> Started | None:
        """The event that it began with; None for a run that another adapter began."""

    def not_observed(self, outcome: Outcome | None = None) -> None:
        """End it because turnspan failed to see how it ended."""


class StreamObserver(NamedTuple):
    """What an observer yields to have a stream's items shown to it, one by one, as they pass."""

    started: Observable | None
    on_item: Callable[[Any], None]


Observer = Callable[[Invocation], Generator[Observable | StreamObserver | None, Outcome, None]]
"""A generator around one call of a function. Before its ``yield`` it begins a run or starts a call; what it yields
becomes the current one for the code inside; it gets the outcome and ends it. It never sees, and cannot change, what the
program does. When it fails, what it yielded ends as ``not observed``."""


SpanReading = Generator[Observable | None, Any, None]
SpanReader = Callable[[Any, CurrentContext | None], SpanReading]
"""A generator around one span that somebody else started, and the context where it did. Before its ``yield`` it may
start what the span stands for, and yields that; it gets the span as it ended, and ends it."""
ContentOf = Callable[[Any], Collection[str]]
"""Returns the names of a span's attributes that hold content."""


class Patch(Protocol):
    """The means to watch a runtime. Everything is undone by ``uninstrument()``."""

    def wrap(self, target: str | tuple[Any, str], observer: Observer, when: Callable[[Invocation], Any] = ...) -> None:
        """Observe a function: plain, async, or a generator of either kind.

        ``target`` is ``"package.module:Class.method"``, or an object and the name of its attribute. A module that is not
        imported yet is observed as soon as it is. Exceptions of the observer never reach the program. A target that this
        version of the runtime does not have is passed over. ``when`` says of a call whether there is anything to observe:
        where there mostly is not, as for a tool's guardrails, the others cost next to nothing.
        """

    def replace(self, owner: Any, attribute: str, value: Any) -> None:
        """Put something in place of an attribute."""

    def guard(self, function: Callable[..., Any], ends: Observable | None = None) -> Callable[..., Any]:
        """Return the function with its exceptions logged once and swallowed: for callbacks that a runtime calls.

        Args:
            function: The callback.
            ends: The run or call that it was to end: when it fails, that ends as ``not observed``.

        """

    def on_undo(self, undo: Callable[[], None]) -> None:
        """Have something of the adapter's own undone, too."""


class Spans(Protocol):
    """For runtimes and clients that start OpenTelemetry spans themselves: no second span is started.

    A run or call stands on such a span when it is started with ``span=`` that span. ``span=SPAN_EXPECTED`` says that the
    client starts one next, below the call; ours is started only if it does not.
    """

    def read(self, reader: SpanReader, content_of: ContentOf = ...) -> None:
        """Show a reader every span that somebody else starts in this process. Undone by ``uninstrument()``.

        ``content_of`` names the attributes that are on a span, or on its events, only because the record needs them:
        they are taken off before exporters see it. Where telemetry may have content they stay, without what redaction
        takes out.
        """

    def withhold_baggage(self, names: Callable[[], Collection[str]]) -> None:
        """Keep baggage entries out of requests: those that a runtime sets only because the adapter has it trace."""

    def current(self) -> Any:
        """Return the span that is current where the calling code runs: one of the runtime's, perhaps, to stand on."""

    def are_ours(self) -> bool:
        """Return whether spans go where turnspan sends them, because the program has set no tracer provider.

        What a runtime puts on them by default is not what the program asked for, then.
        """

    def stand_for(self, event: Started, span: Any) -> None:
        """Emit a start whose span exists: it gets the audit event ids, and code inside of it is in what it stands for."""

    def expect(self, event: ModelCallStarted) -> None:
        """Emit the start of a model call whose span the client itself starts next, below it."""

    def prepare(self) -> None:
        """Set the OpenTelemetry SDK up where that is turnspan's to do: for runtimes that start spans themselves."""


class Emit(Protocol):
    """What an adapter is given: the means to say what happens, and to watch where it does."""

    patch: Patch
    spans: Spans

    def begin(
        self,
        *,
        agent: str | None = None,
        prompt: Any = "",
        session: str | ResolvedSession | None = None,
        turn_id: str | None = None,
        workspace_id: str | None = None,
        parent_session: str | None = None,
        description: str | None = None,
        metadata: dict[str, Any] | None = None,
        nested: bool = True,
        at_ns: int | None = None,
        event_id: str | None = None,
        span: Any = None,
    ) -> Run:
        """Begin a turn; where one is running already, an agent inside of it.

        Args:
            agent: The agent's name.
            prompt: What the turn is asked.
            session: The runtime's own id of the conversation, or a session that was found by :meth:`session`.
            turn_id: The runtime's own id of the turn; a new one is made without it.
            workspace_id: The workspace of a new session.
            parent_session: The session that a new one goes on from.
            description: What the agent is for.
            metadata: Kept with the turn.
            nested: Whether a turn that is running counts; without it, this is a turn of its own.
            at_ns: When, if not now.
            event_id: The id of the event, where it is derived.
            span: The span that stands for it already.

        """

    def current_run(self) -> Run | None:
        """Return the run that the calling code is in, whoever began it; None outside of every turn."""

    def run_at(self, here: CurrentContext) -> Run:
        """Return the run at a place, for readers of spans."""

    def current(self) -> CurrentContext | None:
        """Return where the calling code runs, or None outside of every session."""

    def session(
        self,
        own: str | None = None,
        *,
        workspace_id: str | None = None,
        agent_id: str | None = None,
        parent: str | None = None,
    ) -> ResolvedSession:
        """Find the session: ``turnspan.session(...)``, the runtime's own id, baggage, the environment, or a new one."""

    def open_model_calls(self) -> list[str]:
        """Return the ids of the model calls that are open right where the calling code runs, whoever started them."""

    def has_response(self, response_id: str, since_ns: int) -> bool:
        """Return whether a model call is on record that was answered so, by the provider's id, after a time."""

    def current_tool_name(self) -> str | None:
        """Return the name of the tool that the calling code is the call of; None where it is in no tool."""

    def carrier(self, inside: Observable) -> dict[str, str]:
        """Return the W3C headers (``traceparent``, ``baggage``) that carry a run or call to another process."""

    def link(self, session_id: str, turn_id: str) -> TurnLink | None:
        """Return the ids of a turn's events so far, and its span; None for a turn that was not seen."""

    def __call__(self, event: Event) -> None:
        """Emit an event that no run has a method for. Never raises."""
