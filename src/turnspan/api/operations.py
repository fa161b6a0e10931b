"""What the hand-written API records: sessions, turns, tool calls, model calls and agents, while they run.

Each is an :class:`Operation`, named for what it is in the user's code, because that is what ``with ... as`` gives. It
holds what the block sets until it ends, and reports it with the same :class:`~turnspan.adapter.Run` that adapters use,
whose calls are ``adapter.ToolCall`` and ``adapter.ModelCall``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any, TypeVar

from opentelemetry import context

from turnspan import adapter
from turnspan.adapter import Call, CurrentContext, Outcome, ResolvedSession, Run, Runs, StreamObserver
from turnspan.events import CallStatus, Event, SessionEnded, Started, Usage
from turnspan.recording import runtime
from turnspan.telemetry.current_context import context_inside, current_context

T = TypeVar("T")


class _ByHand:
    """What runs need of turnspan, for code that says by hand what it does."""

    def __call__(self, event: Event) -> None:
        if (recorder := runtime.active()) is not None:
            recorder.emit(event)

    def current(self) -> CurrentContext | None:
        return current_context()

    def session(
        self, own: str | None = None, *, workspace_id: str | None, agent_id: str | None, parent: str | None
    ) -> ResolvedSession:
        return runtime.find_session(explicit=own, workspace_id=workspace_id, agent_id=agent_id, parent=parent)

    def start_with_span(self, event: Started, span: Any) -> None:
        if (recorder := runtime.active()) is not None:
            recorder.emit(event, span)


RUNS = Runs(_ByHand())
"""The runs that were begun by hand and have not ended."""


def in_turn(say: Callable[[Run], T], agent: str | None = None) -> T:
    """Say something in the run that the code is in; outside of every turn, in one that is made for it."""
    if (run := RUNS.current()) is not None:
        return say(run)
    run = RUNS.begin(agent=agent)
    try:
        return say(run)
    finally:
        run.end()


class Operation:
    """Something that begins and ends; what ``with ... as`` gives."""

    _observed: Run | Call | None = None

    def _begin(self) -> Run | Call:
        raise NotImplementedError

    def _end(self, outcome: Outcome) -> None:
        raise NotImplementedError

    def __init__(self) -> None:
        self._items: list[Any] = []

    def observe(self) -> Generator[Any, Outcome, None]:
        """Do what an observer does: begin, give way to the program, end."""
        self._observed = self._begin()
        outcome = yield StreamObserver(self._observed, self._items.append)
        self._end(outcome)

    def __repr__(self) -> str:
        """Show which one it is, never content."""
        return f"{type(self).__name__}(id={self.id!r})"

    @property
    def id(self) -> str | None:
        """The id of the turn or call."""
        started = self._started
        return None if started is None else started.call_id or started.turn_id

    @property
    def audit_event_id(self) -> str | None:
        """The id of the audit event that started it."""
        started = self._started
        return None if started is None else started.event_id

    @property
    def _started(self) -> Started | None:
        return None if self._observed is None else self._observed.started

    def _result(self, given: Any, outcome: Outcome) -> Any:
        """Return what came of it: what was set, what was returned, or the items of a stream."""
        if given is not None or outcome.result is not None or not self._items:
            return outcome.result if given is None else given
        return "".join(self._items) if all(isinstance(item, str) for item in self._items) else self._items


class _InTurn(Operation):
    """A call; outside of a turn it gets one around it, so that it is not lost."""

    _in: Run

    def observe(self) -> Generator[Any, Outcome, None]:
        if (run := RUNS.current()) is not None:
            self._in = run
            yield from super().observe()
            return
        self._in = around = RUNS.begin()
        inner = super().observe()
        inside = None if around.started is None else runtime.recorder().context_of(around.started)
        token = None if inside is None else context.attach(inside)
        try:
            observed = next(inner)
        finally:
            if token is not None:
                context.detach(token)
        outcome = yield observed
        try:
            with suppress(StopIteration):
                inner.send(outcome)
        finally:
            around.end(outcome, outcome.result)


def _is_news(value: Any, given: Any) -> bool:
    """Return whether a value may say something else than at the start, where it was asked already."""
    return value is not given or isinstance(value, (dict, list, set))


class Turn(Operation):
    """A turn while it runs. Set ``response``; ``status`` and ``error`` are taken from what leaves the block."""

    def __init__(
        self,
        *,
        agent: str | None,
        prompt: Any,
        session_id: str | None,
        turn_id: str | None,
        metadata: dict[str, Any] | None,
    ) -> None:
        super().__init__()
        self.agent, self.prompt = agent, prompt
        self.response: Any = None
        self.error: str | None = None
        self.metadata = dict(metadata or {})
        self._given = prompt, dict(self.metadata)
        self._session_id, self._turn_id = session_id, turn_id
        self._run: Run | None = None

    def _begin(self) -> Run:
        self._run = RUNS.begin(
            agent=self.agent,
            prompt=self.prompt,
            session=self._session_id,
            turn_id=self._turn_id,
            metadata=self.metadata,
        )
        return self._run

    def _end(self, outcome: Outcome) -> None:
        if self._run is None:
            return
        response = self._result(self.response, outcome)
        if self.error is not None and outcome.status == "success":
            outcome = Outcome(error=self.error)
        self._run.agent = self.agent
        prompt, given = self._given
        prompt = self.prompt if _is_news(self.prompt, prompt) else None
        prompt = None if isinstance(prompt, str) and not prompt else prompt
        metadata = {name: value for name, value in self.metadata.items() if _is_news(value, given.get(name))}
        self._run.end(outcome, response, prompt=prompt, metadata=metadata)

    @property
    def session_id(self) -> str | None:
        """The session of the turn."""
        return None if self._run is None else self._run.session_id

    def handoff(self, to_agent: str, reason: str | None = None) -> None:
        """Give the turn to another agent; what comes next in it is that agent's."""
        if self._run is None or (active := runtime.active()) is None:
            return
        self._run.handoff(to_agent, reason, source=self.agent)
        self.agent = to_agent
        if self._run.at_work is not None and (inside := active.context_of(self._run.at_work)) is not None:
            context.attach(inside)  # undone when the turn's own context is left

    def note(self, name: str, data: Any = None) -> None:
        """Add an audit event: feedback, an evaluation, a guardrail, an approval."""
        if self._run is not None:
            self._run.note(name, data)


class ToolCall(_InTurn):
    """A tool call while it runs. Set ``result``; set ``status`` to ``timeout`` or ``skipped`` where that is so."""

    def __init__(self, name: str, arguments: dict[str, Any]) -> None:
        super().__init__()
        self.name, self.arguments = name, arguments
        self.result: Any = None
        self.status: CallStatus | None = None
        self.error: str | None = None

    def _begin(self) -> adapter.ToolCall:
        self._call = self._in.tool_started(self.name, self.arguments)
        return self._call

    def _end(self, outcome: Outcome) -> None:
        result = self._result(self.result, outcome)
        if self.error is not None:
            status = self.status or (outcome.known_status if outcome.error is None else None) or "error"
            outcome = Outcome(error=self.error, known_status=status)
        elif self.status is not None:
            outcome = outcome._replace(known_status=self.status)
        self._call.ended(outcome, result)


class ModelCall(_InTurn):
    """A model call while it runs. Set ``output``, ``usage``, ``response_model``, ``response_id``, ``finish_reasons``."""

    def __init__(
        self, model: str | None, provider: str | None, messages: Any, *, streamed: bool, operation: str | None
    ) -> None:
        super().__init__()
        self.model, self.provider, self.messages, self.streamed = model, provider, messages, streamed
        self.operation = operation
        self.output: Any = None
        self.usage: Usage | None = None
        self.response_model: str | None = None
        self.response_id: str | None = None
        self.finish_reasons: list[str] = []

    def _begin(self) -> adapter.ModelCall:
        self._call = self._in.model_started(
            provider=self.provider,
            model=self.model,
            messages=self.messages,
            history=0,
            streamed=self.streamed,
            operation=self.operation,
        )
        return self._call

    def _end(self, outcome: Outcome) -> None:
        self._call.ended(
            outcome,
            self._result(self.output, outcome),
            usage=self.usage,
            response_model=self.response_model,
            response_id=self.response_id,
            finish_reasons=self.finish_reasons,
        )


class Agent(_InTurn):
    """An agent that runs inside a turn. Set ``response``."""

    def __init__(self, name: str, description: str | None) -> None:
        super().__init__()
        self.name, self.description = name, description
        self.response: Any = None

    def _begin(self) -> Run:
        self._run = self._in.agent_started(self.name, description=self.description)
        return self._run

    def _end(self, outcome: Outcome) -> None:
        self._run.end(outcome, self._result(self.response, outcome))


class Session(Operation):
    """A session that code belongs to. It goes on after the block; ``end()`` closes it for good."""

    def __init__(
        self,
        session_id: str | None,
        workspace_id: str | None,
        agent_id: str | None,
        metadata: dict[str, Any] | None,
        parent: str | None = None,
    ) -> None:
        super().__init__()
        self._given = (session_id, workspace_id, agent_id, metadata, parent)
        self._id: str | None = None

    @property
    def id(self) -> str | None:
        """The session id."""
        return self._id

    def observe(self) -> Generator[Any, Outcome, None]:
        session_id, workspace_id, agent_id, metadata, parent = self._given
        found = runtime.find_session(
            explicit=session_id, workspace_id=workspace_id, agent_id=agent_id, metadata=metadata, parent=parent
        )
        self._id = found.id
        yield context_inside(CurrentContext(found.id, None, None, None), None)

    def end(self) -> None:
        """Close the session."""
        if self._id is not None and (active := runtime.active()) is not None:
            active.emit(SessionEnded(session_id=self._id))
