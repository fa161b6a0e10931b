"""LlamaIndex: its workflows, of which its agents are some.

A run of a workflow is a turn; one that runs inside of another (a workflow in a step, an agent in a tool) is an agent in
that turn. An ``AgentWorkflow`` is its agents: what ``handoff`` hands over is a handoff. The session is that of the
``memory``, or whatever is run with one ``Context``. The loop of a workflow, the steps of agents and tools are wrapped,
because that is where code runs; models are heard of through the runtime's dispatcher, which every client reports to.
It is over 200 lines because a workflow says what it is given, does and answers in a different place each.
"""

from __future__ import annotations

import inspect
from collections.abc import Generator
from contextvars import ContextVar
from typing import Any

from turnspan.adapter import Emit, Invocation, Outcome, Run, ToolCall
from turnspan_integrations.kept_sessions import KeptSessions
from turnspan_integrations.llama_index_models import Models, handlers

REQUIRES = "llama-index-core>=0.14.6,<0.15"
CANNOT = {
    "model calls outside of a workflow": "nothing says which session they belong to",
    "queries, retrievals and embeddings": "they are steps of a program, not of an agent",
    "retries of a step": "a workflow's retry policy runs the step again, and its calls are on record each time",
}
_AGENTS = ("base_agent:BaseWorkflowAgent", "multi_agent_workflow:AgentWorkflow")
_Watching = Generator[Any, Outcome, None]


def install(emit: Emit) -> None:
    """Wrap workflows, the steps of agents, and tools; hear of models."""
    from llama_index.core.instrumentation import get_dispatcher

    models = Models(emit)
    watched = _Workflows(emit, models)
    emit.patch.wrap("workflows.workflow:Workflow.run", watched.given)
    for module in ("control_loop.runner", "control_loop"):  # the second before llama-index-workflows 2.22
        emit.patch.wrap(f"workflows.runtime.{module}:_ControlLoopRunner.run", watched.runs)
    for agent in _AGENTS:
        path = f"llama_index.core.agent.workflow.{agent}"
        emit.patch.wrap(f"{path}.setup_agent", watched.takes_over)
        emit.patch.wrap(f"{path}.parse_agent_output", watched.answered)
        emit.patch.wrap(f"{path}.call_tool", watched.calls)
    for method in ("acall", "__call__"):
        emit.patch.wrap(f"llama_index.core.tools.function_tool:FunctionTool.{method}", watched.tool)

    dispatcher = get_dispatcher()
    hears = handlers(emit, models)
    dispatcher.add_event_handler(hears[0])
    dispatcher.add_span_handler(hears[1])

    def take_out() -> None:  # there is no public way to
        dispatcher.event_handlers[:] = [one for one in dispatcher.event_handlers if one is not hears[0]]
        dispatcher.span_handlers[:] = [one for one in dispatcher.span_handlers if one is not hears[1]]

    emit.patch.on_undo(take_out)


class _Running:
    """What is known of a run of a workflow: its agent at work, why it was handed on, and how often it was asked again."""

    agent: str | None = None
    reason: str | None = None
    attempts = 1


class _Workflows:
    """The workflows that run."""

    def __init__(self, emit: Emit, models: Models) -> None:
        self._emit, self._models = emit, models
        self._given: ContextVar[tuple[Any, Any] | None] = ContextVar("turnspan_llama_index", default=None)
        self._sessions = KeptSessions()
        self._running: dict[Run, _Running] = {}

    def given(self, call: Invocation) -> _Watching:
        """A workflow is run: its loop, which is a task of its own, is begun with what it is given."""
        token = self._given.set((call.instance, call.argument(0, "ctx")))
        yield None
        self._given.reset(token)

    def runs(self, call: Invocation) -> _Watching:
        """The loop of a workflow."""
        workflow, start = call.instance.workflow, call.argument(0, "start_event")
        run = self._emit.begin(
            agent=_name_of(workflow), prompt=_prompt_of(start), session=self._session(start, workflow)
        )
        self._running[run] = _Running()
        try:
            outcome = yield run
        finally:
            del self._running[run]
        if type(outcome.error).__name__ == "WorkflowCancelledByUser":
            outcome = outcome._replace(cancelled=True)
        self._models.leave(run, outcome)
        run.end(outcome, _answer_of(outcome.result))

    def _session(self, start: Any, workflow: Any) -> str | None:
        given, ctx = self._given.get(), None
        if given is not None and given[0] is workflow:
            ctx = given[1]
        memory = start.get("memory", None) if hasattr(start, "get") else None
        own = getattr(memory, "session_id", None)
        if own is not None:
            return str(own)
        return self._sessions.of(memory if memory is not None else ctx)

    def takes_over(self, call: Invocation) -> _Watching:
        """An agent is about to work: the one that the run was handed to, if it is another."""
        name = call.argument(1, "ev").current_agent_name
        if (run := self._emit.current_run()) is not None and (running := self._running.get(run)) is not None:
            if running.agent is None:
                run.agent = name  # where a context goes on, not the first of its agents
            elif name != running.agent:
                run.handoff(name, running.reason)
            running.agent = name
        yield None

    def answered(self, call: Invocation) -> _Watching:
        """What an agent's model answered, which an agent may not be able to read."""
        again = getattr(call.argument(1, "ev"), "retry_messages", None)
        if again and (run := self._emit.current_run()) is not None and (running := self._running.get(run)) is not None:
            running.attempts += 1
            run.retried("model", running.attempts, error=again[-1].content)
        yield None

    def calls(self, call: Invocation) -> _Watching:
        """An agent calls a tool."""
        run, asked = self._emit.current_run(), call.argument(1, "ev")
        if run is None:
            yield None
            return
        started = run.tool_started(asked.tool_name, asked.tool_kwargs, asked.tool_id)
        outcome = yield started
        output = getattr(outcome.result, "tool_output", None)
        if type(outcome.error).__name__ == "WaitingForEvent":  # the step runs again, once somebody has answered
            _interrupted(run, outcome.error)
            started.ended(Outcome.skipped("waits for an answer"))
        elif output is None:
            started.ended(outcome)
        else:
            _ended(started, output)
            if asked.tool_name == "handoff" and (running := self._running.get(run)) is not None:
                running.reason = asked.tool_kwargs.get("reason")

    def tool(self, call: Invocation) -> _Watching:
        """A function that is a tool runs: in an agent's call of it, or called by a program's own step."""
        run, tool, here = self._emit.current_run(), call.instance, self._emit.current()
        name = tool.metadata.get_name()
        if run is None or here is None:
            yield None
        elif self._emit.current_tool_name() == name:
            outcome = yield None
            if isinstance(outcome.error, TypeError) and not _takes(tool, call.kwargs):
                run.arguments_rejected(name, here.call_id, arguments=call.kwargs, error=outcome.error)
        else:
            started = run.tool_started(name, call.kwargs or list(call.args))
            outcome = yield started
            started.ended(outcome, getattr(outcome.result, "raw_output", None))


def _takes(tool: Any, arguments: dict[str, Any]) -> bool:
    try:
        inspect.signature(tool.real_fn).bind(**arguments)
    except TypeError:
        return False
    return True


def _ended(call: ToolCall, output: Any) -> None:
    said = output.raw_output if output.raw_output is not None and not output.is_error else output.content
    if output.is_error:
        call.ended(Outcome.failed(getattr(output, "exception", None) or output.content), said)
    else:
        call.ended(result=said)


def _interrupted(run: Run, waiting: Any) -> None:
    add = getattr(waiting, "add", None)
    asks = getattr(add, "waiter_event", None) or getattr(add, "event", None)
    run.interrupted(_data_of(asks) or None, interrupt_id=getattr(add, "waiter_id", None))


def _data_of(event: Any) -> dict[str, Any]:
    """Return the fields of an event, also those that its class does not declare."""
    data: dict[str, Any] = event.model_dump() if hasattr(event, "model_dump") else {}
    data |= data.pop("_data", None) or {}
    return {name: value for name, value in data.items() if name != "result"}


def _name_of(workflow: Any) -> str:
    return str(getattr(workflow, "root_agent", None) or getattr(workflow, "name", None) or type(workflow).__name__)


def _prompt_of(start: Any) -> Any:
    if start is None:
        return ""
    data = _data_of(start)
    said = start.get("user_msg", None) if hasattr(start, "get") else None
    history = (start.get("chat_history", None) or ()) if hasattr(start, "get") else ()
    if said is None:
        said = next((m for m in reversed(history) if getattr(m, "role", None) == "user"), None)
    if said is not None:
        return said if isinstance(said, str) else said.content
    return next(iter(data.values())) if len(data) == 1 else data


def _answer_of(stop: Any) -> Any:
    result = getattr(stop, "result", None)
    if result is None:
        return _data_of(stop) or None  # a stop event of the program's own
    if (message := getattr(result, "response", None)) is not None and hasattr(message, "content"):
        return message.content or getattr(result, "structured_response", None)
    return result
