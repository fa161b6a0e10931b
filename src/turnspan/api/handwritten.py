"""Recording by hand: one word per idea, each a context manager and a decorator, sync and async.

::

    with turnspan.session("support-42"), turnspan.turn(agent="triage", prompt=question) as turn:
        with turnspan.tool("search", query=question) as call:
            call.result = search(question)
        turn.response = answer

    @turnspan.tool
    def search(query: str) -> list[str]: ...

A decorated function's arguments are the tool's arguments, its return value the result; a decorated turn takes its
first argument as prompt. Generators of either kind work too: a stream that is left early ends as ``cancelled``. A
``with`` block around a ``yield`` does not, and is refused: between two items other code runs.

Outside of a turn, everything that is recorded gets a turn around it, so that nothing is lost and each audit event is in
record, trace and log.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar, overload

from turnspan.api.blocks import Block
from turnspan.api.operations import Agent, ModelCall, Session, ToolCall, Turn, in_turn
from turnspan.recording import runtime
from turnspan.telemetry.current_context import current_context

F = TypeVar("F", bound=Callable[..., Any])


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
    workspace_id: str | None = None,
    agent_id: str | None = None,
    metadata: dict[str, Any] | None = None,
    parent_session_id: str | None = None,
    workspace: str | None = None,
    agent: str | None = None,
    parent: str | None = None,
) -> Block[Session]:
    """Say which session the code in the block, or the decorated function, belongs to.

    The names are those of :meth:`turnspan.SessionManager.start_session`; ``workspace``, ``agent`` and ``parent`` are
    short for them, as ``turn(agent=...)`` and the options of ``turnspan sessions`` are.

    Args:
        session_id: At most 200 printable characters; without one, that of the environment or a new one.
        workspace_id: The workspace that a new session gets.
        agent_id: The agent that a new session is begun with.
        metadata: Kept with a new session.
        parent_session_id: The session that a new one goes on from: a fork, a sub-agent's caller, last week's. Inside a
            turn of another session it is that one.
        workspace: Short for ``workspace_id``.
        agent: Short for ``agent_id``.
        parent: Short for ``parent_session_id``.

    """
    workspace, agent, parent = workspace_id or workspace, agent_id or agent, parent_session_id or parent
    return Block("session", lambda _function, _args, _kwargs: Session(session_id, workspace, agent, metadata, parent))


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
) -> Block[Turn]: ...
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

    block = Block("turn", make)
    return block if function is None else block(function)


@overload
def tool(name: F, /) -> F: ...
@overload
def tool(name: str | None = None, /, **arguments: Any) -> Block[ToolCall]: ...
def tool(name: Any = None, /, **arguments: Any) -> Any:
    """Record a tool call; keyword arguments are the tool's arguments.

    Args:
        name: The tool's name; a decorated function's own when not given.
        arguments: The arguments of the call.

    """

    def make(called: Callable[..., Any] | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ToolCall:
        given = {**arguments, **_arguments(called, args, kwargs)}
        return ToolCall(name if isinstance(name, str) else getattr(called, "__name__", "tool"), given)

    block = Block("tool", make)
    return block(name) if callable(name) else block


@overload
def model_call(model: F, /) -> F: ...
@overload
def model_call(
    model: str | None = None,
    /,
    *,
    provider: str | None = None,
    messages: Any = None,
    streamed: bool = False,
    operation: str | None = None,
) -> Block[ModelCall]: ...
def model_call(
    model: Any = None,
    /,
    *,
    provider: str | None = None,
    messages: Any = None,
    streamed: bool = False,
    operation: str | None = None,
) -> Any:
    """Record a call of a model.

    Args:
        model: The model that is asked.
        provider: A value of ``gen_ai.provider.name``: ``openai``, ``anthropic``, ...
        messages: What it is asked.
        streamed: Whether the answer is a stream.
        operation: What it is asked for where that is no answer: ``embeddings`` of the messages.

    """

    def make(called: Callable[..., Any] | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ModelCall:
        asked = messages
        if asked is None and called is not None:
            asked = next(iter(_arguments(called, args, kwargs).values()), None)
        name = model if isinstance(model, str) else None
        return ModelCall(name, provider, asked, streamed=streamed, operation=operation)

    block = Block("model_call", make)
    return block(model) if callable(model) else block


@overload
def agent(name: F, /) -> F: ...
@overload
def agent(name: str | None = None, /, *, description: str | None = None) -> Block[Agent]: ...
def agent(name: Any = None, /, *, description: str | None = None) -> Any:
    """Record an agent that runs inside a turn: a sub-agent, an agent used as a tool.

    Args:
        name: The agent's name; a decorated function's own when not given.
        description: What it is for.

    """

    def make(called: Callable[..., Any] | None, _args: tuple[Any, ...], _kwargs: dict[str, Any]) -> Agent:
        return Agent(name if isinstance(name, str) else getattr(called, "__name__", "agent"), description)

    block = Block("agent", make)
    return block(name) if callable(name) else block


def handoff(to_agent: str, reason: str | None = None, *, from_agent: str | None = None) -> None:
    """Record that the current agent gives the conversation to another.

    Args:
        to_agent: Who takes it.
        reason: Why.
        from_agent: Who gives it; the agent of the turn when not given.

    """
    if runtime.active() is not None:
        in_turn(lambda run: run.handoff(to_agent, reason, source=from_agent, begin=False), from_agent)


def note(name: str, data: Any = None) -> None:
    """Add an audit event to the turn that the code runs in: feedback, an evaluation, a guardrail, an approval.

    Args:
        name: What kind of note it is.
        data: What it says, as JSON.

    """
    if runtime.active() is not None:
        in_turn(lambda run: run.note(name, data))


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
