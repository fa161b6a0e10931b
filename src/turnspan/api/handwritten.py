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

from turnspan.adapter import Invocation, Outcome
from turnspan.api.operations import Agent, ModelCall, Piece, SessionPiece, ToolCall, Turn, here_or_new_session
from turnspan.events import HandedOff, Noted
from turnspan.instrumentation.wrapping import Watched, Watching, outcome_of, watched
from turnspan.recording import runtime
from turnspan.telemetry.current_context import current_context

F = TypeVar("F", bound=Callable[..., Any])


P = TypeVar("P", bound=Piece)


class _ContextOrDecorator(Generic[P]):
    """Where a piece begins: ``with`` it, ``async with`` it, or decorate a function with it."""

    def __init__(self, make: Callable[[Callable[..., Any] | None, tuple[Any, ...], dict[str, Any]], P]) -> None:
        self._make = make
        self._open: list[tuple[P, Watching | None, Any]] = []

    def __enter__(self) -> P:
        piece = self._make(None, (), {})
        active = runtime.active()
        watching = None if active is None else Watching(active, piece.observe)
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
        def observe(call: Invocation) -> Generator[Any, Outcome, None]:
            bound = () if call.instance is None or inspect.ismethod(function) else (call.instance,)
            yield from self._make(function, (*bound, *call.args), call.kwargs).observe()

        return Watched(function, watched(runtime.active, observe))


def _arguments(function: Callable[..., Any] | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return a call's arguments by name."""
    if function is None:
        return kwargs
    try:
        bound = inspect.signature(function).bind(*args, **kwargs)
    except (TypeError, ValueError):
        return {**{str(place): value for place, value in enumerate(args)}, **kwargs}
    return {name: value for name, value in bound.arguments.items() if name not in ("self", "cls")}


def session(
    session_id: str | None = None,
    *,
    workspace: str | None = None,
    agent: str | None = None,
    metadata: dict[str, Any] | None = None,
    parent: str | None = None,
) -> _ContextOrDecorator[SessionPiece]:
    """Say which session the code in the block, or the decorated function, belongs to.

    Args:
        session_id: At most 200 printable characters; without one, that of the environment or a new one.
        workspace: The workspace that a new session gets.
        agent: The agent that a new session is begun with.
        metadata: Kept with a new session.
        parent: The session that a new one comes out of: a fork, a sub-agent's, one that goes on with an old one. Inside
            a turn of another session it is that one.

    """
    return _ContextOrDecorator(
        lambda _function, _args, _kwargs: SessionPiece(session_id, workspace, agent, metadata, parent)
    )


@overload
def turn(function: F, /) -> F: ...
@overload
def turn(
    *,
    agent: str | None = None,
    prompt: Any = None,
    session: str | None = None,
    turn_id: str | None = None,
    metadata: dict[str, Any] | None = None,
) -> _ContextOrDecorator[Turn]: ...
def turn(
    function: Any = None,
    /,
    *,
    agent: str | None = None,
    prompt: Any = None,
    session: str | None = None,
    turn_id: str | None = None,
    metadata: dict[str, Any] | None = None,
) -> Any:
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

    spot = _ContextOrDecorator(make)
    return spot if function is None else spot(function)


@overload
def tool(name: F, /) -> F: ...
@overload
def tool(name: str | None = None, /, **arguments: Any) -> _ContextOrDecorator[ToolCall]: ...
def tool(name: Any = None, /, **arguments: Any) -> Any:
    """Record a tool call; keyword arguments are the tool's arguments.

    Args:
        name: The tool's name; a decorated function's own when not given.
        arguments: The arguments of the call.

    """

    def make(called: Callable[..., Any] | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ToolCall:
        given = {**arguments, **_arguments(called, args, kwargs)}
        return ToolCall(name if isinstance(name, str) else getattr(called, "__name__", "tool"), given)

    spot = _ContextOrDecorator(make)
    return spot(name) if callable(name) else spot


@overload
def model_call(model: F, /) -> F: ...
@overload
def model_call(
    model: str | None = None, /, *, provider: str | None = None, messages: Any = None, streamed: bool = False
) -> _ContextOrDecorator[ModelCall]: ...
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

    spot = _ContextOrDecorator(make)
    return spot(model) if callable(model) else spot


@overload
def agent(name: F, /) -> F: ...
@overload
def agent(name: str | None = None, /, *, description: str | None = None) -> _ContextOrDecorator[Agent]: ...
def agent(name: Any = None, /, *, description: str | None = None) -> Any:
    """Record an agent that runs inside a turn: a sub-agent, an agent used as a tool.

    Args:
        name: The agent's name; a decorated function's own when not given.
        description: What it is for.

    """

    def make(called: Callable[..., Any] | None, _args: tuple[Any, ...], _kwargs: dict[str, Any]) -> Agent:
        return Agent(name if isinstance(name, str) else getattr(called, "__name__", "agent"), description)

    spot = _ContextOrDecorator(make)
    return spot(name) if callable(name) else spot


def handoff(to_agent: str, reason: str | None = None, *, from_agent: str | None = None) -> None:
    """Record that the current agent gives the conversation to another; outside of a turn this is passed over."""
    here = current_context()
    if here is None or here.turn_id is None or (active := runtime.active()) is None:
        return
    source = from_agent or here.agent_id
    active.emit(
        HandedOff(
            session_id=here.session_id,
            turn_id=here.turn_id,
            parent_id=here.call_id,
            agent_id=source,
            from_agent=source,
            to_agent=to_agent,
            reason=reason,
        )
    )


def note(name: str, data: Any = None) -> None:
    """Add an audit event to where the code runs: feedback, an evaluation, a guardrail, an approval."""
    if (active := runtime.active()) is not None:
        here = here_or_new_session()
        active.emit(
            Noted(
                session_id=here.session_id,
                turn_id=here.turn_id,
                parent_id=here.call_id,
                agent_id=here.agent_id,
                name=name,
                data=data,
            )
        )


def current_session() -> str | None:
    """Return the id of the session that the calling code belongs to."""
    here = current_context()
    return None if here is None else here.session_id


def current_turn() -> str | None:
    """Return the id of the turn that the calling code runs in."""
    here = current_context()
    return None if here is None else here.turn_id


def environment(base: dict[str, str] | None = None) -> dict[str, str]:
    """Return environment variables that carry the current trace and session to a subprocess.

    Args:
        base: What they are added to; the process's own environment when not given.

    """
    import os

    from turnspan.instrumentation.propagation import variables

    return {**(os.environ if base is None else base), **variables()}
