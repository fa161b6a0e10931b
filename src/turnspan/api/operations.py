"""What the hand-written API records: sessions, turns, tool calls, model calls and agents, while they run."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from opentelemetry import context

from turnspan.adapter import CurrentContext, Outcome, StreamObserver
from turnspan.events import (
    AgentEnded,
    AgentStarted,
    CallStatus,
    Event,
    HandedOff,
    ModelCallEnded,
    ModelCallStarted,
    Noted,
    SessionEnded,
    Started,
    ToolCallEnded,
    ToolCallStarted,
    TurnEnded,
    TurnStarted,
    Usage,
)
from turnspan.model.ids import new_id
from turnspan.recording import runtime
from turnspan.telemetry.current_context import context_inside, current_context


class Piece:
    """Something that starts and ends; what ``with ... as`` gives."""

    _started: Started | None = None

    def _begin(self) -> Started | None:
        raise NotImplementedError

    def _end(self, outcome: Outcome) -> Event | None:
        raise NotImplementedError

    def _item(self, item: Any) -> None:
        """Take an item of a stream that a decorated function gives."""

    def observe(self) -> Generator[Any, Outcome, None]:
        """Do what an observer does: tell the start, give way to the program, tell the end."""
        started = self._started = self._begin()
        if started is not None:
            runtime.recorder().emit(started)
        outcome = yield StreamObserver(started, self._item)
        ended = self._end(outcome)
        if ended is not None:
            runtime.recorder().emit(ended)

    @property
    def id(self) -> str | None:
        """The id of the turn or call."""
        started = self._started
        return None if started is None else started.call_id or started.turn_id

    @property
    def audit_event_id(self) -> str | None:
        """The id of the audit event that started it."""
        return None if self._started is None else self._started.event_id


def here_or_new_session() -> CurrentContext:
    """Return where we are; outside of every session, a new session."""
    here = current_context()
    return here if here is not None else CurrentContext(runtime.find_session().id, None, None, None)


def _result_or_items(outcome: Outcome, items: list[Any]) -> Any:
    if outcome.result is not None or not items:
        return outcome.result
    return "".join(items) if all(isinstance(item, str) for item in items) else items


class _InTurn(Piece):
    """A call; outside of a turn it gets one around it, so that it is not lost."""

    def observe(self) -> Generator[Any, Outcome, None]:
        if (here := current_context()) is not None and here.turn_id is not None:
            yield from super().observe()
            return
        around = Turn(agent=None, prompt="", session_id=None, turn_id=None, metadata=None)
        outer = around.observe()
        next(outer)
        begun = around._started  # noqa: SLF001  one of our own kind
        inside = runtime.recorder().context_of(begun) if begun is not None else None
        token = context.attach(inside) if inside is not None else None
        inner = super().observe()
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


class Turn(Piece):
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
        here = current_context()
        if here is not None and here.turn_id is not None:  # a turn inside a turn is an agent inside it
            return AgentStarted(
                session_id=here.session_id,
                turn_id=here.turn_id,
                call_id=new_id(),
                parent_id=here.call_id,
                agent_id=self.agent,
            )
        session = runtime.find_session(agent_id=self.agent, explicit=self._session_id)
        return TurnStarted(
            session_id=session.id,
            turn_id=self._turn_id or new_id(),
            agent_id=self.agent,
            prompt="" if self.prompt is None else self.prompt,
            metadata=self.metadata,
        )

    def _end(self, outcome: Outcome) -> Event:
        started = self._started
        assert started is not None
        ended = outcome.ended()
        if self.error is not None and ended["status"] == "success":
            ended = {"status": "error", "error": self.error}
        response = self.response if self.response is not None else _result_or_items(outcome, self._items)
        if self._agent_call is not None:  # whom the turn was handed to has finished with it
            runtime.recorder().emit(
                AgentEnded(
                    session_id=started.session_id,
                    turn_id=started.turn_id,
                    call_id=self._agent_call,
                    agent_id=self.agent,
                    response_content=response,
                    **ended,
                )
            )
        if isinstance(started, AgentStarted):
            return AgentEnded(
                session_id=started.session_id,
                turn_id=started.turn_id,
                call_id=started.call_id,
                agent_id=self.agent,
                response_content=response,
                **ended,
            )
        return TurnEnded(
            session_id=started.session_id,
            turn_id=started.turn_id,
            agent_id=self.agent,
            response_content=response,
            prompt=None if isinstance(self.prompt, str) and not self.prompt else self.prompt,
            metadata=self.metadata,
            **ended,
        )

    def _item(self, item: Any) -> None:
        self._items.append(item)

    @property
    def session_id(self) -> str | None:
        """The session of the turn."""
        return None if self._started is None else self._started.session_id

    def handoff(self, to_agent: str, reason: str | None = None) -> None:
        """Give the turn to another agent; what comes next in it is that agent's."""
        started = self._started
        if started is None or (active := runtime.active()) is None:
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
            session_id=started.session_id,
            turn_id=started.turn_id,
            call_id=new_id(),
            parent_id=started.call_id if inner else None,
            agent_id=to_agent,
        )
        active.emit(target)
        self.agent, self._agent_call = to_agent, target.call_id
        if (inside := active.context_of(target)) is not None:
            context.attach(inside)  # undone when the turn's own context is left

    def note(self, name: str, data: Any = None) -> None:
        """Add an audit event: feedback, an evaluation, a guardrail, an approval."""
        started = self._started
        if started is not None and (active := runtime.active()) is not None:
            active.emit(
                Noted(
                    session_id=started.session_id,
                    turn_id=started.turn_id,
                    parent_id=self._agent_call,
                    agent_id=self.agent,
                    name=name,
                    data=data,
                )
            )


class ToolCall(_InTurn):
    """A tool call while it runs. Set ``result``; set ``status`` to ``timeout`` or ``skipped`` where that is so."""

    def __init__(self, name: str, arguments: dict[str, Any]) -> None:
        self.name, self.arguments = name, arguments
        self.result: Any = None
        self.status: CallStatus | None = None
        self.error: str | None = None
        self._items: list[Any] = []

    def _begin(self) -> Started:
        here = here_or_new_session()
        return ToolCallStarted(
            session_id=here.session_id,
            turn_id=here.turn_id,
            call_id=new_id(),
            parent_id=here.call_id,
            agent_id=here.agent_id,
            tool_name=self.name,
            arguments=self.arguments,
        )

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
            session_id=started.session_id,
            turn_id=started.turn_id,
            call_id=started.call_id,
            agent_id=started.agent_id,
            result=self.result if self.result is not None else _result_or_items(outcome, self._items),
            **ended,
        )

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
        here = here_or_new_session()
        return ModelCallStarted(
            session_id=here.session_id,
            turn_id=here.turn_id,
            call_id=new_id(),
            parent_id=here.call_id,
            agent_id=here.agent_id,
            provider=self.provider,
            model=self.model,
            messages=self.messages,
            streamed=self.streamed,
        )

    def _end(self, outcome: Outcome) -> Event:
        started = self._started
        assert started is not None
        return ModelCallEnded(
            session_id=started.session_id,
            turn_id=started.turn_id,
            call_id=started.call_id,
            agent_id=started.agent_id,
            output=self.output if self.output is not None else _result_or_items(outcome, self._items),
            usage=self.usage,
            response_model=self.response_model,
            response_id=self.response_id,
            finish_reasons=self.finish_reasons,
            **outcome.ended(),
        )

    def _item(self, item: Any) -> None:
        self._items.append(item)


class Agent(_InTurn):
    """An agent that runs inside a turn. Set ``response``."""

    def __init__(self, name: str, description: str | None) -> None:
        self.name, self.description = name, description
        self.response: Any = None

    def _begin(self) -> Started:
        here = here_or_new_session()
        return AgentStarted(
            session_id=here.session_id,
            turn_id=here.turn_id,
            call_id=new_id(),
            parent_id=here.call_id,
            agent_id=self.name,
            description=self.description,
        )

    def _end(self, outcome: Outcome) -> Event:
        started = self._started
        assert started is not None
        return AgentEnded(
            session_id=started.session_id,
            turn_id=started.turn_id,
            call_id=started.call_id,
            agent_id=self.name,
            response_content=self.response if self.response is not None else outcome.result,
            **outcome.ended(),
        )


class SessionPiece(Piece):
    """A session that code belongs to. It goes on after the block; ``end()`` closes it for good."""

    def __init__(
        self,
        session_id: str | None,
        workspace_id: str | None,
        agent_id: str | None,
        metadata: dict[str, Any] | None,
        parent: str | None = None,
    ) -> None:
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
