"""Recording by hand: one word per idea, each a context manager and a decorator, sync and async.

::

    with turnspan.session("support-42"), turnspan.turn(agent="triage", prompt=question) as turn:
        with turnspan.tool("search", query=question) as call:
            call.result = search(question)
        turn.response = answer

    @turnspan.tool
    def search(query: str) -> list[str]: ...

A decorated function's arguments are the tool's arguments, its return value the result; a decorated turn takes its
first argument as prompt. Generators of either kind work too: a stream that is left early ends as ``cancelled``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, Generic, TypeVar, overload

from opentelemetry import context

from turnspan import process
from turnspan.events import (
    AgentEnded,
    AgentStarted,
    Call,
    CallStatus,
    Event,
    HandedOff,
    ModelCallEnded,
    ModelCallStarted,
    Noted,
    Outcome,
    Scope,
    SessionEnded,
    Started,
    ToolCallEnded,
    ToolCallStarted,
    TurnEnded,
    TurnStarted,
    Usage,
    Watch,
    new_id,
)
from turnspan.spans import context_inside, scope
from turnspan.watch import Watched, Watching, outcome_of, watched

F = TypeVar("F", bound=Callable[..., Any])


class _Piece:
    """Something that starts and ends; what ``with ... as`` gives."""

    _started: Started | None = None

    def _begin(self) -> Started | None:
        raise NotImplementedError

    def _end(self, outcome: Outcome) -> Event | None:
        raise NotImplementedError

    def _item(self, item: Any) -> None:
        """Take an item of a stream that a decorated function gives."""

    def _observe(self) -> Generator[Any, Outcome, None]:
        """Do what an observer does: tell the start, give way to the program, tell the end."""
        started = self._started = self._begin()
        if started is not None:
            process.recorder().emit(started)
        outcome = yield Watch(started, self._item)
        ended = self._end(outcome)
        if ended is not None:
            process.recorder().emit(ended)

    @property
    def id(self) -> str | None:
        """The id of the turn or call."""
        started = self._started
        return None if started is None else started.call_id or started.turn_id

    @property
    def audit_event_id(self) -> str | None:
        """The id of the audit event that started it."""
        return None if self._started is None else self._started.event_id


P = TypeVar("P", bound=_Piece)


class _Spot(Generic[P]):
    """Where a piece begins: ``with`` it, ``async with`` it, or decorate a function with it."""

    def __init__(self, make: Callable[[Callable[..., Any] | None, tuple[Any, ...], dict[str, Any]], P]) -> None:
        self._make = make
        self._open: list[tuple[P, Watching | None, Any]] = []

    def __enter__(self) -> P:
        piece = self._make(None, (), {})
        active = process.active()
        watching = None if active is None else Watching(active, piece._observe())  # noqa: SLF001
        inside = None if watching is None else watching.context
        token = None if inside is None else context.attach(inside)
        self._open.append((piece, watching, token))
        return piece

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        _piece, watching, token = self._open.pop()
        if token is not None:
            context.detach(token)
        if watching is not None:
            watching.end(outcome_of(error))

    async def __aenter__(self) -> P:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    def __call__(self, function: F) -> F:
        def observe(call: Call) -> Generator[Any, Outcome, None]:
            bound = () if call.instance is None or inspect.ismethod(function) else (call.instance,)
            piece = self._make(function, (*bound, *call.args), call.kwargs)
            return piece._observe()  # noqa: SLF001

        return Watched(function, watched(process.active, observe))


def _parent() -> Scope:
    """Return where we are; outside of every session, a new session."""
    here = scope()
    return here if here is not None else Scope(process.find_session().id, None, None, None)


def _result_or_items(outcome: Outcome, items: list[Any]) -> Any:
    if outcome.result is not None or not items:
        return outcome.result
    return "".join(items) if all(isinstance(item, str) for item in items) else items


def _arguments(function: Callable[..., Any] | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return a call's arguments by name."""
    if function is None:
        return kwargs
    try:
        bound = inspect.signature(function).bind(*args, **kwargs)
    except (TypeError, ValueError):
        return {**{str(place): value for place, value in enumerate(args)}, **kwargs}
    return {name: value for name, value in bound.arguments.items() if name not in ("self", "cls")}


class _InTurn(_Piece):
    """A call; outside of a turn it gets one around it, so that it is not lost."""

    _around: Turn | None = None
    _watching: Watching | None = None

    def _observe(self) -> Generator[Any, Outcome, None]:
        if (here := scope()) is not None and here.turn_id is not None:
            yield from super()._observe()
            return
        around = Turn(agent=None, prompt="", session_id=None, turn_id=None, metadata=None)
        outer = around._observe()  # noqa: SLF001
        next(outer)
        begun = around._started  # noqa: SLF001
        inside = process.recorder().context_of(begun) if begun is not None else None
        token = context.attach(inside) if inside is not None else None
        inner = super()._observe()
        try:
            told = next(inner)
        finally:
            if token is not None:
                context.detach(token)
        outcome = yield told
        for observer in (inner, outer):
            try:
                observer.send(outcome)
            except StopIteration:
                continue


class Turn(_Piece):
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
        self.agent, self.prompt = agent, prompt
        self.response: Any = None
        self.error: str | None = None
        self.metadata = dict(metadata or {})
        self._session_id, self._turn_id = session_id, turn_id
        self._items: list[Any] = []
        self._agent_call: str | None = None

    def _begin(self) -> Started:
        here = scope()
        if here is not None and here.turn_id is not None:  # a turn inside a turn is an agent inside it
            return AgentStarted(
                session_id=here.session_id, turn_id=here.turn_id, call_id=new_id(), parent_id=here.call_id,
                agent_id=self.agent,
            )  # fmt: skip
        session = process.find_session(agent_id=self.agent, explicit=self._session_id)
        return TurnStarted(
            session_id=session.id, turn_id=self._turn_id or new_id(), agent_id=self.agent, prompt=self.prompt or "",
            metadata=self.metadata,
        )  # fmt: skip

    def _end(self, outcome: Outcome) -> Event:
        started = self._started
        assert started is not None
        ended = outcome.ended()
        if self.error is not None and ended["status"] == "success":
            ended = {"status": "error", "error": self.error}
        response = self.response if self.response is not None else _result_or_items(outcome, self._items)
        if self._agent_call is not None:  # whom the turn was handed to has finished with it
            process.recorder().emit(
                AgentEnded(
                    session_id=started.session_id, turn_id=started.turn_id, call_id=self._agent_call, agent_id=self.agent,
                    response_content=response, **ended,
                )
            )  # fmt: skip
        if isinstance(started, AgentStarted):
            return AgentEnded(
                session_id=started.session_id, turn_id=started.turn_id, call_id=started.call_id, agent_id=self.agent,
                response_content=response, **ended,
            )  # fmt: skip
        return TurnEnded(
            session_id=started.session_id, turn_id=started.turn_id, agent_id=self.agent, response_content=response,
            prompt=self.prompt or None, metadata=self.metadata, **ended,
        )  # fmt: skip

    def _item(self, item: Any) -> None:
        self._items.append(item)

    @property
    def session_id(self) -> str | None:
        """The session of the turn."""
        return None if self._started is None else self._started.session_id

    def handoff(self, to_agent: str, reason: str | None = None) -> None:
        """Give the turn to another agent; what comes next in it is that agent's."""
        started = self._started
        if started is None or (active := process.active()) is None:
            return
        inner = isinstance(started, AgentStarted)
        from_agent, below = self.agent, self._agent_call or (started.call_id if inner else None)
        at: dict[str, Any] = {"session_id": started.session_id, "turn_id": started.turn_id}
        active.emit(
            HandedOff(
                **at, parent_id=below, agent_id=from_agent, from_agent=from_agent, to_agent=to_agent, reason=reason
            )
        )
        if self._agent_call is not None:
            active.emit(AgentEnded(**at, call_id=self._agent_call, agent_id=from_agent))
        target = AgentStarted(
            session_id=started.session_id, turn_id=started.turn_id, call_id=new_id(),
            parent_id=started.call_id if inner else None, agent_id=to_agent,
        )  # fmt: skip
        active.emit(target)
        self.agent, self._agent_call = to_agent, target.call_id
        if (inside := active.context_of(target)) is not None:
            context.attach(inside)  # undone when the turn's own context is left

    def note(self, name: str, data: Any = None) -> None:
        """Add an audit event: feedback, an evaluation, a guardrail, an approval."""
        started = self._started
        if started is not None and (active := process.active()) is not None:
            active.emit(
                Noted(
                    session_id=started.session_id, turn_id=started.turn_id, parent_id=self._agent_call, agent_id=self.agent,
                    name=name, data=data,
                )
            )  # fmt: skip


class ToolCall(_InTurn):
    """A tool call while it runs. Set ``result``; set ``status`` to ``timeout`` or ``skipped`` where that is so."""

    def __init__(self, name: str, arguments: dict[str, Any]) -> None:
        self.name, self.arguments = name, arguments
        self.result: Any = None
        self.status: CallStatus | None = None
        self.error: str | None = None
        self._items: list[Any] = []

    def _begin(self) -> Started:
        here = _parent()
        return ToolCallStarted(
            session_id=here.session_id, turn_id=here.turn_id, call_id=new_id(), parent_id=here.call_id,
            agent_id=here.agent_id, tool_name=self.name, arguments=self.arguments,
        )  # fmt: skip

    def _end(self, outcome: Outcome) -> Event:
        started = self._started
        assert started is not None
        ended: dict[str, Any] = outcome.ended()
        if isinstance(outcome.error, TimeoutError):
            ended["status"] = "timeout"
        if self.status is not None:
            ended["status"] = self.status
        if self.error is not None:
            ended = (
                {"status": "error", **ended, "error": self.error}
                if self.status
                else {"status": "error", "error": self.error}
            )
        return ToolCallEnded(
            session_id=started.session_id, turn_id=started.turn_id, call_id=started.call_id, agent_id=started.agent_id,
            result=self.result if self.result is not None else _result_or_items(outcome, self._items), **ended,
        )  # fmt: skip

    def _item(self, item: Any) -> None:
        self._items.append(item)


class ModelCall(_InTurn):
    """A model call while it runs. Set ``output``, ``usage``, ``response_model``, ``response_id``, ``finish_reasons``."""

    def __init__(self, model: str | None, provider: str | None, messages: Any, *, streamed: bool) -> None:
        self.model, self.provider, self.messages, self.streamed = model, provider, messages, streamed
        self.output: Any = None
        self.usage: Usage | None = None
        self.response_model: str | None = None
        self.response_id: str | None = None
        self.finish_reasons: list[str] = []
        self._items: list[Any] = []

    def _begin(self) -> Started:
        here = _parent()
        return ModelCallStarted(
            session_id=here.session_id, turn_id=here.turn_id, call_id=new_id(), parent_id=here.call_id,
            agent_id=here.agent_id, provider=self.provider, model=self.model, messages=self.messages, streamed=self.streamed,
        )  # fmt: skip

    def _end(self, outcome: Outcome) -> Event:
        started = self._started
        assert started is not None
        return ModelCallEnded(
            session_id=started.session_id, turn_id=started.turn_id, call_id=started.call_id, agent_id=started.agent_id,
            output=self.output if self.output is not None else _result_or_items(outcome, self._items), usage=self.usage,
            response_model=self.response_model, response_id=self.response_id, finish_reasons=self.finish_reasons,
            **outcome.ended(),
        )  # fmt: skip

    def _item(self, item: Any) -> None:
        self._items.append(item)


class Agent(_InTurn):
    """An agent that runs inside a turn. Set ``response``."""

    def __init__(self, name: str, description: str | None) -> None:
        self.name, self.description = name, description
        self.response: Any = None

    def _begin(self) -> Started:
        here = _parent()
        return AgentStarted(
            session_id=here.session_id, turn_id=here.turn_id, call_id=new_id(), parent_id=here.call_id, agent_id=self.name,
            description=self.description,
        )  # fmt: skip

    def _end(self, outcome: Outcome) -> Event:
        started = self._started
        assert started is not None
        return AgentEnded(
            session_id=started.session_id, turn_id=started.turn_id, call_id=started.call_id, agent_id=self.name,
            response_content=self.response if self.response is not None else outcome.result, **outcome.ended(),
        )  # fmt: skip


class SessionPiece(_Piece):
    """A session that code belongs to. It goes on after the block; ``end()`` closes it for good."""

    def __init__(
        self, session_id: str | None, workspace_id: str | None, agent_id: str | None, metadata: dict[str, Any] | None
    ) -> None:
        self._given = (session_id, workspace_id, agent_id, metadata)
        self._id: str | None = None

    @property
    def id(self) -> str | None:
        """The session id."""
        return self._id

    def _observe(self) -> Generator[Any, Outcome, None]:
        session_id, workspace_id, agent_id, metadata = self._given
        found = process.find_session(
            explicit=session_id, workspace_id=workspace_id, agent_id=agent_id, metadata=metadata
        )
        self._id = found.id
        yield context_inside(Scope(found.id, None, None, None), None)

    def end(self) -> None:
        """Close the session."""
        if self._id is not None and (active := process.active()) is not None:
            active.emit(SessionEnded(session_id=self._id))


def session(
    session_id: str | None = None, *, workspace: str | None = None, agent: str | None = None,
    metadata: dict[str, Any] | None = None,
) -> _Spot[SessionPiece]:  # fmt: skip
    """Say which session the code in the block, or the decorated function, belongs to.

    Args:
        session_id: At most 200 printable characters; without one, that of the environment or a new one.
        workspace: The workspace that a new session gets.
        agent: The agent that a new session is begun with.
        metadata: Kept with a new session.

    """
    return _Spot(lambda _function, _args, _kwargs: SessionPiece(session_id, workspace, agent, metadata))


@overload
def turn(function: F, /) -> F: ...
@overload
def turn(
    *, agent: str | None = None, prompt: Any = None, session: str | None = None, turn_id: str | None = None,
    metadata: dict[str, Any] | None = None,
) -> _Spot[Turn]: ...  # fmt: skip
def turn(
    function: Any = None, /, *, agent: str | None = None, prompt: Any = None, session: str | None = None,
    turn_id: str | None = None, metadata: dict[str, Any] | None = None,
) -> Any:  # fmt: skip
    """Record a turn: one prompt until its final answer. Inside another turn it is an agent that runs in that one.

    Args:
        function: The function to decorate, without parentheses.
        agent: The agent that answers.
        prompt: The prompt; a decorated function's first argument when not given.
        session: The session's id, where no ``turnspan.session(...)`` is around.
        turn_id: An id of your own for it.
        metadata: Kept with the turn.

    """

    def make(called: Callable[..., Any] | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Turn:
        asked = prompt
        if asked is None and called is not None:
            asked = next(iter(_arguments(called, args, kwargs).values()), None)
        return Turn(agent=agent, prompt=asked, session_id=session, turn_id=turn_id, metadata=metadata)

    spot = _Spot(make)
    return spot if function is None else spot(function)


@overload
def tool(name: F, /) -> F: ...
@overload
def tool(name: str | None = None, /, **arguments: Any) -> _Spot[ToolCall]: ...
def tool(name: Any = None, /, **arguments: Any) -> Any:
    """Record a tool call; keyword arguments are the tool's arguments.

    Args:
        name: The tool's name; a decorated function's own when not given.
        arguments: The arguments of the call.

    """

    def make(called: Callable[..., Any] | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ToolCall:
        given = {**arguments, **_arguments(called, args, kwargs)}
        return ToolCall(name if isinstance(name, str) else getattr(called, "__name__", "tool"), given)

    spot = _Spot(make)
    return spot(name) if callable(name) else spot


@overload
def model_call(model: F, /) -> F: ...
@overload
def model_call(
    model: str | None = None, /, *, provider: str | None = None, messages: Any = None, streamed: bool = False
) -> _Spot[ModelCall]: ...
def model_call(
    model: Any = None, /, *, provider: str | None = None, messages: Any = None, streamed: bool = False
) -> Any:
    """Record a call of a model.

    Args:
        model: The model that is asked.
        provider: A value of ``gen_ai.provider.name``: ``openai``, ``anthropic``, ...
        messages: What it is asked.
        streamed: Whether the answer is a stream.

    """

    def make(called: Callable[..., Any] | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ModelCall:
        asked = messages
        if asked is None and called is not None:
            asked = next(iter(_arguments(called, args, kwargs).values()), None)
        return ModelCall(model if isinstance(model, str) else None, provider, asked, streamed=streamed)

    spot = _Spot(make)
    return spot(model) if callable(model) else spot


@overload
def agent(name: F, /) -> F: ...
@overload
def agent(name: str | None = None, /, *, description: str | None = None) -> _Spot[Agent]: ...
def agent(name: Any = None, /, *, description: str | None = None) -> Any:
    """Record an agent that runs inside a turn: a sub-agent, an agent used as a tool.

    Args:
        name: The agent's name; a decorated function's own when not given.
        description: What it is for.

    """

    def make(called: Callable[..., Any] | None, _args: tuple[Any, ...], _kwargs: dict[str, Any]) -> Agent:
        return Agent(name if isinstance(name, str) else getattr(called, "__name__", "agent"), description)

    spot = _Spot(make)
    return spot(name) if callable(name) else spot


def handoff(to_agent: str, reason: str | None = None, *, from_agent: str | None = None) -> None:
    """Record that the current agent gives the conversation to another; outside of a turn this is passed over."""
    here = scope()
    if here is None or here.turn_id is None or (active := process.active()) is None:
        return
    source = from_agent or here.agent_id
    active.emit(
        HandedOff(
            session_id=here.session_id, turn_id=here.turn_id, parent_id=here.call_id, agent_id=source, from_agent=source,
            to_agent=to_agent, reason=reason,
        )
    )  # fmt: skip


def note(name: str, data: Any = None) -> None:
    """Add an audit event to where the code runs: feedback, an evaluation, a guardrail, an approval."""
    if (active := process.active()) is not None:
        here = _parent()
        active.emit(
            Noted(
                session_id=here.session_id, turn_id=here.turn_id, parent_id=here.call_id, agent_id=here.agent_id, name=name,
                data=data,
            )
        )  # fmt: skip


def current_session() -> str | None:
    """Return the id of the session that the calling code belongs to."""
    here = scope()
    return None if here is None else here.session_id


def current_turn() -> str | None:
    """Return the id of the turn that the calling code runs in."""
    here = scope()
    return None if here is None else here.turn_id


def environment(base: dict[str, str] | None = None) -> dict[str, str]:
    """Return environment variables that carry the current trace and session to a subprocess.

    Args:
        base: What they are added to; the process's own environment when not given.

    """
    import os

    from turnspan.carry import variables

    return {**(os.environ if base is None else base), **variables()}
