"""Runs while they last: what an adapter begins, adds to, and ends.

Each method makes the event that says so, with the ids that belong on it, and hands it to the recorder. Only the first
end of anything counts; what is still open in a run ends with it.
"""

from __future__ import annotations

from typing import Any, Literal, Protocol

from turnspan.adapter import notes
from turnspan.adapter.calls import Call, ModelCall, ToolCall
from turnspan.adapter.messages import after_last_answer
from turnspan.adapter.values import NOT_OBSERVED, SUCCESS, CurrentContext, Outcome, ResolvedSession
from turnspan.events import (
    AgentEnded,
    AgentStarted,
    Event,
    HandedOff,
    ModelCallStarted,
    Noted,
    Started,
    ToolCallStarted,
    TurnEnded,
    TurnStarted,
)
from turnspan.model.ids import new_id
from turnspan.model.json_values import arguments_of

SPAN_EXPECTED = object()
"""In place of a span: the runtime's client is about to start one itself, right below the call."""


class _Emitter(Protocol):
    """What runs need of turnspan: a place for events, and where the calling code runs."""

    def __call__(self, event: Event) -> None: ...

    def current(self) -> CurrentContext | None: ...

    def session(
        self, own: str | None = None, *, workspace_id: str | None, agent_id: str | None, parent: str | None
    ) -> ResolvedSession: ...

    def start_with_span(self, event: Started, span: Any) -> None: ...


class Runs:
    """The runs that one adapter, or the hand-written API, has begun and not ended, found by where code runs.

    Args:
        emit: Takes the events.

    """

    def __init__(self, emit: _Emitter) -> None:
        self.emit = emit
        self._by_place: dict[tuple[str | None, str | None], Run] = {}

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
        """Begin a turn, or an agent inside of the run that the calling code is in."""
        here = self.emit.current() if nested else None
        if here is not None and here.turn_id is not None:
            return self.at(here).agent_started(
                agent, description=description, at_ns=at_ns, event_id=event_id, span=span
            )
        if not isinstance(session, ResolvedSession):
            session = self.emit.session(session, workspace_id=workspace_id, agent_id=agent, parent=parent_session)
        started = TurnStarted(
            session_id=session.id,
            turn_id=str(turn_id or new_id()),
            agent_id=agent,
            prompt="" if prompt is None else prompt,
            metadata=metadata or {},
            **_when(at_ns, event_id),
        )
        self.start(started, span)
        run = Run(self, CurrentContext(session.id, started.turn_id, None, agent), started, session)
        self.take_place(started.turn_id, None, run)
        return run

    def current(self) -> Run | None:
        """Return the run that the calling code is in; None outside of every turn.

        One that this adapter began is that very object; otherwise it stands for the turn or call of somebody else.
        """
        here = self.emit.current()
        if here is None or here.turn_id is None:
            return None
        return self._by_place.get((here.turn_id, here.call_id)) or Run(self, here)

    def at(self, here: CurrentContext) -> Run:
        """Return a run whose calls happen at a place, wherever the calling code is."""
        run = self._by_place.get((here.turn_id, here.call_id))
        return run if run is not None and here.call_id in (run.call_id, run.inside) else Run(self, here)

    def start(self, event: Started, span: Any = None) -> None:
        """Emit a start, on a span that somebody else has started or will start, if there is one."""
        if span is None:
            self.emit(event)
        else:
            self.emit.start_with_span(event, span)

    def take_place(self, turn_id: str | None, call_id: str | None, run: Run) -> None:
        """Have code that runs in a turn or call find the run."""
        self._by_place[turn_id, call_id] = run

    def leave_place(self, turn_id: str | None, call_id: str | None) -> None:
        """Forget it."""
        self._by_place.pop((turn_id, call_id), None)


class Run:
    """A turn, or an agent inside of one, while it lasts: ``emit.begin(...)`` returns it.

    ``emit.current_run()`` returns one for wherever the calling code is, also where another adapter began it: calls can
    be started in it, and its end is the other's business.
    """

    def __init__(
        self,
        runs: Runs,
        here: CurrentContext,
        started: TurnStarted | AgentStarted | None = None,
        session: ResolvedSession | None = None,
    ) -> None:
        self._runs, self.started, self.session = runs, started, session
        self.session_id, self.turn_id, self.call_id = here.session_id, here.turn_id, here.call_id
        self.agent = here.agent_id
        """The agent that is at work: after a handoff, the one that was handed to."""
        self.inside = here.call_id
        """The call id of that agent; None while it is the turn's own."""
        self.at_work: TurnStarted | AgentStarted | None = started
        """The event that it began with."""
        self.is_open = True
        self._calls: dict[str, Call] = {}
        self._instructions: dict[str | None, Any] = {}

    def emit(self, event: Event) -> None:
        """Emit an event of the run."""
        self._runs.emit(event)

    # What happens in it ----------------------------------------------------------------------------------------------

    def agent_started(
        self,
        agent: str | None,
        *,
        description: str | None = None,
        at_ns: int | None = None,
        event_id: str | None = None,
        span: Any = None,
    ) -> Run:
        """Begin an agent inside of this run: a sub-agent, an agent used as a tool."""
        started = AgentStarted(
            **self._ids(agent),
            call_id=new_id(),
            parent_id=self._parent(),
            description=description,
            **_when(at_ns, event_id),
        )
        self._runs.start(started, span)
        run = Run(self._runs, CurrentContext(self.session_id, self.turn_id, started.call_id, agent), started)
        self._runs.take_place(self.turn_id, started.call_id, run)
        return run

    def tool_started(
        self,
        name: str,
        arguments: Any = None,
        call_id: str | None = None,
        *,
        tool_type: str = "function",
        agent: str | None = None,
        at_ns: int | None = None,
        event_id: str | None = None,
        span: Any = None,
    ) -> ToolCall:
        """Say that a tool is called.

        Args:
            name: The tool's name.
            arguments: What it is called with, as the model gave it.
            call_id: The id that the model gave the call.
            tool_type: ``function``; ``extension`` for one that runs at the provider or a server, ``datastore``; or what else an
                agent uses: ``retrieval``, ``reranker``, ``memory``, ``plan``, ``guardrail``, ``evaluator``.
            agent: Who calls it, where that is not the agent at work.
            at_ns: When, if not now.
            event_id: The id of the event, where it is derived.
            span: The span that stands for it already.

        """
        started = ToolCallStarted(
            **self._ids(agent),
            call_id=call_id or new_id(),
            parent_id=self._parent(),
            tool_name=name,
            tool_type=tool_type,
            arguments=arguments,
            **_when(at_ns, event_id),
        )
        self._runs.start(started, span)
        call = ToolCall(self, started)
        self._open(call)
        return call

    def tool_ran(
        self,
        name: str,
        arguments: Any = None,
        result: Any = None,
        *,
        outcome: Outcome = SUCCESS,
        call_id: str | None = None,
        tool_type: str = "function",
        agent: str | None = None,
    ) -> None:
        """Put a call on record that is over: a tool that ran at the provider, one that was refused."""
        call = self.tool_started(name, arguments, call_id, tool_type=tool_type, agent=agent)
        call.ended(outcome, result)

    def tool_refused(self, name: str, arguments: Any = None, call_id: str | None = None, *, reason: str | None) -> None:
        """Put a call on record that was asked for and never made, and why."""
        self.tool_ran(name, arguments, outcome=Outcome.skipped(reason), call_id=call_id)

    def model_started(
        self,
        *,
        provider: str | None = None,
        model: str | None = None,
        messages: Any = None,
        history: int | None = None,
        instructions: Any = None,
        streamed: bool = False,
        call_id: str | None = None,
        agent: str | None = None,
        at_ns: int | None = None,
        event_id: str | None = None,
        span: Any = None,
        operation: str | None = None,
    ) -> ModelCall:
        """Say that a model is asked.

        Args:
            provider: A value of ``gen_ai.provider.name``.
            model: The model that is asked for.
            messages: What it is given. Those up to the last answer were in an earlier call and are only counted.
            history: How many messages came before the given ones, where the runtime knows better.
            instructions: The system prompt, where the runtime has it apart: kept once for each agent of the run.
            streamed: Whether the answer comes in chunks.
            call_id: The runtime's own id of the call.
            agent: Who asks, where that is not the agent at work.
            at_ns: When, if not now.
            event_id: The id of the event, where it is derived.
            span: The span that stands for it already, or ``SPAN_EXPECTED``.
            operation: What it is asked for where that is no answer: ``embeddings``, ``fetch_response``.

        """
        if history is None and isinstance(messages, (list, tuple)):
            history, messages = after_last_answer(messages)
        asking = self._named(agent)
        if instructions and self._instructions.get(asking) != instructions:
            self._instructions[asking] = instructions
            said = messages if isinstance(messages, list) else [] if messages is None else [messages]
            messages = [{"role": "system", "content": instructions}, *said]
        started = ModelCallStarted(
            **self._ids(agent),
            call_id=call_id or new_id(),
            parent_id=self._parent(),
            provider=provider,
            model=model,
            messages=messages,
            history=history or 0,
            streamed=streamed,
            operation=operation,
            **_when(at_ns, event_id),
        )
        self._runs.start(started, span)
        call = ModelCall(self, started)
        self._open(call)
        return call

    def handoff(
        self,
        to: str,
        reason: str | None = None,
        *,
        source: str | None = None,
        description: str | None = None,
        begin: bool = True,
    ) -> None:
        """Say that the agent at work gave the run to another, which is at work from now on.

        Args:
            to: The agent that it was given to.
            reason: Why.
            source: The agent that gave it, where that is not the one at work.
            description: What the other agent is for.
            begin: Whether it begins here; without it, the runtime begins it as a run of its own.

        """
        source = self._named(source)
        parent_id = self.inside if begin else self._parent()
        ids = self._ids(source)
        self.emit(HandedOff(**ids, parent_id=parent_id, from_agent=source, to_agent=to, reason=reason))
        if not begin:
            return
        self._end_target(SUCCESS)
        started = AgentStarted(**self._ids(to), call_id=new_id(), parent_id=self.call_id, description=description)
        self.agent, self.inside = to, started.call_id
        self.at_work = started
        self.emit(started)
        self._runs.take_place(self.turn_id, self.inside, self)

    # What is noted in it, in the same words on every runtime -----------------------------------------------------------

    def note(self, name: str, data: Any = None) -> Noted:
        """Add an audit event that no other event has a place for."""
        event = Noted(**self._ids(), parent_id=self._parent(), name=name, data=data)
        self.emit(event)
        return event

    def approval_asked(
        self, tool_name: str, call_id: str | None = None, *, arguments: Any = None, reason: str | None = None
    ) -> None:
        """Say that a tool call waits until somebody approves it."""
        given = None if arguments is None else arguments_of(arguments)
        self._noted(notes.APPROVAL_ASKED, tool_name=tool_name, call_id=call_id, arguments=given, reason=reason)

    def approval_decided(
        self,
        tool_name: str,
        call_id: str | None = None,
        *,
        approved: bool,
        by: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Say what was decided about a tool call; one that was denied is on record by ``tool_refused`` besides."""
        name = notes.APPROVAL_APPROVED if approved else notes.APPROVAL_DENIED
        self._noted(name, tool_name=tool_name, call_id=call_id, by=by, reason=reason)

    def guardrail(
        self,
        name: str,
        *,
        stage: notes.Stage,
        tripped: bool,
        verdict: Any = None,
        tool_name: str | None = None,
        call_id: str | None = None,
    ) -> None:
        """Say what a guardrail found."""
        about: dict[str, Any] = {"tool_name": tool_name, "call_id": call_id}
        self._noted(notes.GUARDRAIL, guardrail=name, stage=stage, tripped=tripped, verdict=verdict, **about)

    def arguments_rejected(
        self, tool_name: str, call_id: str | None = None, *, arguments: Any = None, error: BaseException | str
    ) -> None:
        """Say that a tool could not be called with what the model gave; the call is on record as failed besides."""
        said = str(Outcome(error=error).ended()["error"])
        about: dict[str, Any] = {"tool_name": tool_name, "call_id": call_id}
        self._noted(notes.ARGUMENTS_REJECTED, **about, arguments=arguments, error=said)

    def retried(
        self,
        of: Literal["model", "tool"],
        attempt: int,
        *,
        error: BaseException | str | None = None,
        tool_name: str | None = None,
        call_id: str | None = None,
    ) -> None:
        """Say that a model or tool is asked again, for which time, and why."""
        said = None if error is None else str(Outcome(error=error).ended()["error"])
        self._noted(notes.RETRY, of=of, attempt=attempt, error=said, tool_name=tool_name, call_id=call_id)

    def interrupted(self, value: Any, *, interrupt_id: str | None = None) -> None:
        """Say that the run stops to ask somebody outside."""
        self._noted(notes.INTERRUPT, value=value, interrupt_id=interrupt_id)

    def _noted(self, name: str, **data: Any) -> None:
        self.note(name, {key: value for key, value in data.items() if value is not None or key == "value"})

    # Its end -----------------------------------------------------------------------------------------------------------

    def end(
        self,
        outcome: Outcome = SUCCESS,
        response: Any = None,
        *,
        prompt: Any = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Say how the run ended.

        Args:
            outcome: What came of it.
            response: The final answer.
            prompt: What the turn was asked, if that was not known at its start.
            metadata: Kept with the turn.

        """
        if not self.is_open or self.started is None:
            return
        self.is_open = False
        self._end_calls(outcome)
        self._end_target(outcome, response)
        ended = _of_agent(outcome)
        if isinstance(self.started, TurnStarted):
            more = {"prompt": prompt, "metadata": metadata or {}}
            self.emit(TurnEnded(**self._ids(), **ended, response_content=response, **more))
        else:
            ids = self._ids(self.started.agent_id)
            self.emit(AgentEnded(**ids, call_id=self.call_id, **ended, response_content=response))
        self._runs.leave_place(self.turn_id, self.call_id)

    def not_observed(self, outcome: Outcome | None = None) -> None:
        """End it because turnspan itself failed to see how it ended, beyond whether the program's call failed."""
        self.end(NOT_OBSERVED if outcome is None or outcome.status == "success" else outcome)

    def open_call(self, call_id: str | None) -> Call | None:
        """Return a call of the run that has not ended."""
        return self._calls.get(call_id or "")

    def forget(self, call: Call) -> None:
        """Take a call out of those that are open."""
        self._calls.pop(call.call_id, None)
        self._runs.leave_place(self.turn_id, call.call_id)

    def _end_calls(self, outcome: Outcome) -> None:
        """End the calls that are open: a model's with the run's failure; a tool may still be running somewhere."""
        for call in list(self._calls.values()):
            if isinstance(call, ModelCall) and outcome.status != "success":
                call.ended(outcome._replace(result=None))
            elif isinstance(self.started, AgentStarted):  # those of a turn, the recorder ends
                call.end(Outcome(error="its agent ended first", cancelled=True))
            else:
                self._runs.leave_place(self.turn_id, call.call_id)

    def _end_target(self, outcome: Outcome, response: Any = None) -> None:
        """End the agent that the run was handed to."""
        if self.inside != self.call_id:
            fields = {**_of_agent(outcome), "response_content": response}
            self.emit(AgentEnded(**self._ids(), call_id=self.inside, **fields))
            self._runs.leave_place(self.turn_id, self.inside)

    def _open(self, call: Call) -> None:
        self._calls[call.call_id] = call
        self._runs.take_place(self.turn_id, call.call_id, self)

    def _ids(self, agent: str | None = None) -> dict[str, Any]:
        return {"session_id": self.session_id, "turn_id": self.turn_id, "agent_id": self._named(agent)}

    def _named(self, agent: str | None) -> str | None:
        """Return the agent, or the one at work; what is not text is content, and is not asked whether it is true."""
        return self.agent if agent is None or (isinstance(agent, str) and not agent) else agent

    def _parent(self) -> str | None:
        """Return what something in the run happens in: the call that the code is in, or the agent at work."""
        here = self._runs.emit.current()
        if here is not None and here.turn_id == self.turn_id and here.call_id in self._calls:
            return here.call_id
        return self.inside


def _when(at_ns: int | None, event_id: str | None) -> dict[str, Any]:
    return {name: value for name, value in (("at_ns", at_ns), ("event_id", event_id)) if value is not None}


def _of_agent(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome's fields for a turn or an agent, which neither time out nor are skipped."""
    ended = outcome.ended()
    return ended | {"status": "error"} if ended["status"] in ("timeout", "skipped") else ended
