"""Agno: runs of agents, teams and workflows, calls of models and tools.

It has no global hook, and its events exist only where the program asks for them, so functions are wrapped. A run is a
turn; one inside of another (a team's member, a workflow's step, an agent in a tool) is an agent in that turn. An error
does not leave a run: it is in its output, and is read there. It is over 200 lines because a run that is paused and
continued, a guardrail and a tool's end are each found in a place of their own.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Generator, Iterator
from contextvars import ContextVar
from functools import partial
from inspect import isasyncgen, isgenerator
from typing import Any
from uuid import uuid4

from turnspan.adapter import Emit, Invocation, Outcome, Run, StreamObserver, ToolCall
from turnspan_integrations.agno_values import Heard, message_of, prompt_of, provider_of, usage_of

REQUIRES = "agno>=2.5,<4"
CANNOT = {
    "finish reasons": "its models drop them",
    "the provider's id of an answer": "where a model does not pass it on",
}
_REJECTED = re.compile(r"\d+ validation errors? for ")
"""What Pydantic says of arguments that do not fit; Agno has it as a text only."""
_Watching = Generator[Any, Outcome, None]


def install(emit: Emit) -> None:
    """Wrap runs, models and tools."""
    watched = _Agno(emit)
    for runs, events in (
        ("agent.agent:Agent", ""),
        ("team.team:Team", "Team"),
        ("workflow.workflow:Workflow", "Workflow"),
    ):
        for method in ("run", "arun", "continue_run", "acontinue_run"):
            emit.patch.wrap(f"agno.{runs}.{method}", partial(watched.run, events))
    for method in ("_invoke", "_ainvoke", "_invoke_stream", "_ainvoke_stream"):
        emit.patch.wrap(f"agno.models.base:Model.{method}_with_retry", watched.model)
    emit.patch.wrap("agno.models.base:Model._get_retry_delay", watched.model_again)
    emit.patch.wrap("agno.models.base:get_function_call_for_tool_call", watched.tool_asked)
    emit.patch.wrap("agno.tools.function:FunctionCall.execute", watched.tool)
    emit.patch.wrap("agno.tools.function:FunctionCall.aexecute", watched.tool)
    emit.patch.wrap("agno.models.base:Model.create_function_call_result", watched.tool_answered)
    for error in ("InputCheckError", "OutputCheckError"):
        emit.patch.wrap(f"agno.exceptions:{error}.__init__", watched.tripped)


class _Agno:
    """Translates what is wrapped."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._failed: ContextVar[BaseException | None] = ContextVar("turnspan_agno_failed", default=None)

    # Runs ----------------------------------------------------------------------------------------------------------

    def run(self, events: str, call: Invocation) -> _Watching:
        """An agent, team or workflow is run, or a run that was paused goes on."""
        runs, current = call.instance, self._emit.current_run()
        name = str(runs.name or runs.id or type(runs).__name__)
        paused, given = _paused(call), call.argument(0, "input")
        prompt = prompt_of(call.kwargs.get("input") if paused is not None else given)
        if current is not None and (getattr(runs, "team_id", None) or getattr(runs, "parent_team_id", None)):
            current.handoff(name, None if prompt is None else str(prompt), begin=False)
        run = self._emit.begin(agent=name, prompt=prompt, session=_session_of(runs, call, paused))
        for tool in _decided(call, paused):
            _report_decision(run, tool)
        self._failed.set(None)
        heard = Heard(events)
        outcome = yield StreamObserver(run, heard.take)
        if outcome.result is not None:
            heard.take(outcome.result)
        for tool in heard.waiting():
            if tool.requires_confirmation:
                run.approval_asked(tool.tool_name, tool.tool_call_id, arguments=tool.tool_args)
            else:
                asked = "user input" if tool.requires_user_input else "external execution"
                value = {"needs": asked, "tool_name": tool.tool_name, "arguments": tool.tool_args}
                run.interrupted(value, interrupt_id=tool.tool_call_id)
        run.end(heard.outcome(outcome, self._failed.get()), heard.answer, metadata=heard.metadata)

    def tripped(self, call: Invocation) -> _Watching:
        """A guardrail raises."""
        yield None
        if (run := self._emit.current_run()) is not None:
            error = call.instance
            stage: Any = error.type.partition("_")[0]  # input_check_error, output_check_error
            run.guardrail(str(error.error_id), stage=stage, tripped=True, verdict=str(error))

    # Models --------------------------------------------------------------------------------------------------------

    def model(self, call: Invocation) -> _Watching:
        """A model is asked; again by itself, where its answer was not to be used."""
        run, model = self._emit.current_run(), call.instance
        if run is None:
            yield None
            return
        if call.kwargs.get("retry_with_guidance"):
            run.retried("model", call.kwargs.get("retries_with_guidance_count", 1) + 1)
            yield None
            return
        asked = run.model_started(
            provider=provider_of(model),
            model=model.id,
            messages=[message_of(message) for message in call.kwargs["messages"]],
        )
        pieces: list[Any] = []

        def take(piece: Any) -> None:
            asked.chunk()
            pieces.append(piece)

        outcome = yield StreamObserver(asked, take)
        if outcome.error is not None:
            self._failed.set(outcome.error if isinstance(outcome.error, BaseException) else None)
        if outcome.result is not None:
            pieces.append(outcome.result)
        calls = [one for piece in pieces for one in piece.tool_calls or ()]
        said: dict[str, Any] = {"role": "assistant", "content": "".join(_texts(pieces))}
        if calls:
            said["tool_calls"] = model.parse_tool_calls(calls) if len(pieces) > 1 else calls
        data = next((p.provider_data for p in reversed(pieces) if p.provider_data), None) or {}
        output = [said] if pieces and (said["content"] or calls) else None
        asked.ended(outcome, output, usage=usage_of(pieces), response_id=data.get("id") or data.get("response_id"))

    def model_again(self, call: Invocation) -> _Watching:
        """A provider's error is worth another attempt."""
        if (run := self._emit.current_run()) is not None:
            run.retried("model", call.argument(0, "attempt") + 2, error=sys.exception())
        yield None

    # Tools ---------------------------------------------------------------------------------------------------------

    def tool_asked(self, call: Invocation) -> _Watching:
        """A model asks for a tool; that there is none such, or that its arguments are no JSON, ends the call here."""
        outcome, run = (yield None), self._emit.current_run()
        asked = call.argument(0, "tool_call")
        made, function = outcome.result, asked.get("function") or {}
        error = "The requested tool does not exist or is not available." if made is None else made.error
        if run is None or error is None:
            return
        name, arguments = str(function.get("name")), function.get("arguments")
        if made is not None:
            run.arguments_rejected(name, asked.get("id"), arguments=arguments, error=error)
        run.tool_ran(name, arguments, outcome=Outcome.failed(error), call_id=asked.get("id"))

    def tool(self, call: Invocation) -> _Watching:
        """A tool is called. One that yields goes on when it has returned."""
        made, run = call.instance, self._emit.current_run()
        if run is None:
            yield None
            return
        tool = run.tool_started(made.function.name, made.arguments, made.call_id)
        outcome = yield tool
        done = outcome.result
        if done is None:
            if type(outcome.error).__name__ == "RetryAgentRun":
                run.retried("tool", 2, error=outcome.error, tool_name=tool.name, call_id=tool.call_id)
            tool.ended(outcome)
        elif done.status != "success":
            if _REJECTED.match(str(done.error)):
                run.arguments_rejected(tool.name, tool.call_id, arguments=made.arguments, error=str(done.error))
            tool.ended(Outcome.failed(str(done.error)))
        elif not (isgenerator(done.result) or isasyncgen(done.result)):
            tool.ended(result=getattr(done.result, "content", done.result))

    def tool_answered(self, call: Invocation) -> _Watching:
        """What a tool said goes to the model: one that yields has ended only now."""
        yield None
        made, run = call.argument(0, "function_call"), self._emit.current_run()
        tool = None if run is None else run.open_call(made.call_id)
        if isinstance(tool, ToolCall):
            output = call.argument(2, "output")
            tool.ended(Outcome() if call.argument(1, "success") else Outcome.failed(str(output)), output)


def _texts(pieces: list[Any]) -> Iterator[str]:
    for piece in pieces:
        if piece.content is not None:
            yield piece.content if isinstance(piece.content, str) else str(piece.content)


def _session_of(runs: Any, call: Invocation, paused: Any) -> str:
    """Return the session of a run. One that is given none is made by the runtime, and kept in the agent, as here."""
    context = call.kwargs.get("run_context")
    known = call.kwargs.get("session_id") or getattr(context, "session_id", None) or getattr(paused, "session_id", None)
    if known is None and not runs.session_id:
        runs.session_id = str(uuid4())
    return str(known or runs.session_id)


# Runs that are paused ------------------------------------------------------------------------------------------------


def _paused(call: Invocation) -> Any:
    """Return the output of the run that goes on, where it is given."""
    given = call.argument(0, "run_response")
    return given if hasattr(given, "run_id") else None


def _decided(call: Invocation, paused: Any) -> list[Any]:
    given = call.kwargs.get("requirements") or getattr(paused, "requirements", None) or ()
    tools = [requirement.tool_execution for requirement in given if requirement.tool_execution is not None]
    return tools or call.kwargs.get("updated_tools") or getattr(paused, "tools", None) or []


def _report_decision(run: Run, tool: Any) -> None:
    """Say what was decided about a call that waited; one that was approved is made by the run itself."""
    name, call_id = tool.tool_name, tool.tool_call_id
    if tool.requires_confirmation and tool.confirmed is not None:
        note = tool.confirmation_note
        run.approval_decided(name, call_id, approved=tool.confirmed, reason=note)
        if not tool.confirmed:
            run.tool_refused(name, tool.tool_args, call_id, reason=note)
    elif tool.external_execution_required and tool.result is not None:
        run.tool_ran(name, tool.tool_args, tool.result, call_id=call_id)
