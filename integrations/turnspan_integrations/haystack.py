"""Haystack: pipelines that ask models, its agents, their tools.

A run of a pipeline in which a model may be asked is a turn, and so is that of an agent on its own; an agent in a pipeline,
or behind a tool, is an agent in that turn. A pipeline with one agent is that agent's turn, and has its name, which is that
of its component: an agent knows none of its own. The session is the history: messages that go on from what an earlier run
returned. The runtime has one place for a tracer, which is the program's, so functions are wrapped.
"""

from __future__ import annotations

from collections.abc import Generator
from contextvars import ContextVar
from typing import Any

from turnspan.adapter import Emit, Invocation, Outcome, Run, StreamObserver
from turnspan_integrations.haystack_approvals import Approvals
from turnspan_integrations.haystack_models import Models
from turnspan_integrations.haystack_values import (
    Histories,
    answer_of,
    given_to,
    history_in,
    is_agent,
    plain_of,
    prompt_in,
    takes,
    text_of,
)

REQUIRES = "haystack-ai>=3.0,<4"
CANNOT = {
    "model calls outside of a pipeline or agent": "nothing says which session they belong to",
    "retrievals and embeddings": "they are steps of a program, not of an agent",
    "calls whose arguments are no JSON": "its generators leave them out, with a warning",
    "the provider's id of an answer": "most generators drop it",
    "histories in a pipeline that are the same word for word": "it copies them, so each goes on in a session of its own",
}
_Watching = Generator[Any, Outcome, None]


def install(emit: Emit) -> None:
    """Wrap pipelines, agents and tools; generators as they are met, because each is a class of its own."""
    watched = _Haystack(emit)
    for method in ("run", "run_async_generator"):  # `run_async` and `stream` are loops over the latter
        emit.patch.wrap(f"haystack.core.pipeline.pipeline:Pipeline.{method}", watched.pipeline)
    agents = "haystack.components.agents"
    for method in ("run", "run_async"):
        emit.patch.wrap(f"{agents}.agent:Agent.{method}", watched.agent)
    emit.patch.wrap(f"{agents}.agent:Agent._initialize_fresh_execution", watched.prompted)
    emit.patch.wrap(f"{agents}.tool_calling:_resolve_tool_calls", watched.unknown_tools)
    emit.patch.wrap(f"{agents}.tool_calling:_create_tool_span", watched.asked_for)
    for method in ("invoke", "invoke_async"):
        emit.patch.wrap(f"haystack.tools.tool:Tool.{method}", watched.tool)
    watched.approvals.install()
    watched.models.install()


class _Running:
    """What is known of a run: the agent whose turn a pipeline's is, what was asked, and what was answered."""

    def __init__(self, agent: Any = None) -> None:
        self.agent = agent
        self.prompt: Any = None
        self.answer: Any = None
        self.metadata: dict[str, Any] = {}
        self.messages: list[Any] = []


class _Haystack:
    """Translates what is wrapped."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._running: dict[Run, _Running] = {}
        self._asked: ContextVar[Any] = ContextVar("turnspan_haystack_asked", default=None)
        self.histories = Histories()
        self.models, self.approvals = Models(emit), Approvals(emit)

    # Runs ----------------------------------------------------------------------------------------------------------

    def pipeline(self, call: Invocation) -> _Watching:
        """A pipeline is run; one inside of a run, such as a component that is a pipeline, is a part of that."""
        self.models.watch()
        parts = self.models.asking(call.instance)
        if self._emit.current_run() is not None or not parts:
            yield None
            return
        agents = [part for part in parts if is_agent(part)]
        alone = agents[0] if len(parts) == len(agents) == 1 else None
        name = self._name_of(alone) if alone is not None else call.instance.metadata.get("name")
        data, paused = call.argument(0, "data"), call.kwargs.get("pipeline_snapshot")
        run = self._emit.begin(
            agent=str(name or type(call.instance).__name__),
            prompt=prompt_in(data),
            session=self.histories.find(history_in(data), paused),
        )
        running = self._running[run] = _Running(alone)
        last: list[Any] = []

        def take(outputs: Any) -> None:
            last[:] = [outputs]

        try:
            outcome = yield StreamObserver(run, take)
        finally:
            del self._running[run]
        answer = running.answer
        if alone is None and outcome.status == "success":  # else there are outputs of some components only
            answer = answer_of(last[0] if last else outcome.result)
        snapshot = getattr(outcome.error, "pipeline_snapshot", None)
        if type(outcome.error).__name__ == "BreakpointException":
            run.interrupted({"before": getattr(outcome.error, "component", None)})
            outcome = Outcome()
        self.histories.remember(running.messages, run.session_id, snapshot)
        run.end(outcome, answer, prompt=running.prompt, metadata=running.metadata)

    def agent(self, call: Invocation) -> _Watching:
        """An agent is run: by itself, in a pipeline, or by a tool."""
        self.models.watch(call.instance)
        current = self._emit.current_run()
        running = None if current is None else self._running.get(current)
        if running is not None and running.agent is call.instance:
            outcome = yield None
            self._note(running, outcome)
            return
        messages = call.argument(0, "messages") or []
        run = self._emit.begin(
            agent=self._name_of(call.instance), prompt=prompt_in(messages), session=self.histories.find(messages)
        )
        running = self._running[run] = _Running(call.instance)
        try:
            outcome = yield run
        finally:
            del self._running[run]
        self._note(running, outcome)
        self.histories.remember(running.messages, run.session_id)
        run.end(outcome, running.answer, prompt=running.prompt, metadata=running.metadata)

    def _note(self, running: _Running, outcome: Outcome) -> None:
        """Take what an agent returned."""
        said = outcome.result or {}
        running.answer, running.messages = text_of(said.get("last_message")), list(said.get("messages") or ())
        running.metadata = {name: said[name] for name in ("exit_reason", "step_count") if said.get(name) is not None}

    def prompted(self, call: Invocation) -> _Watching:
        """An agent puts together what it begins with: a prompt of its own comes last."""
        outcome, run = (yield None), self._emit.current_run()
        running = None if run is None else self._running.get(run)
        if running is not None and running.agent is call.instance and outcome.result is not None:
            running.prompt = prompt_in(outcome.result.state.data.get("messages"))

    def _name_of(self, agent: Any) -> str:
        named = getattr(agent, "__component_name__", None) or self._emit.current_tool_name()
        return str(named or type(agent).__name__)

    # Tools ---------------------------------------------------------------------------------------------------------

    def unknown_tools(self, call: Invocation) -> _Watching:
        """The tools are found that a model asks for; a call of one that there is not ends here."""
        outcome, run = (yield None), self._emit.current_run()
        if run is None:
            return
        known = call.argument(1, "tools_with_names")
        said = {id(m.tool_call_result.origin): m.tool_call_result.result for m in (outcome.result or ((), (), ()))[2]}
        for message in call.argument(0, "messages_with_tool_calls"):
            for asked in message.tool_calls:
                if asked.tool_name not in known:
                    failed = Outcome.failed(outcome.error or said.get(id(asked)) or "there is no such tool")
                    run.tool_ran(asked.tool_name, asked.arguments, outcome=failed, call_id=asked.id)
                    if outcome.error is not None:  # the others were not looked at
                        return

    def asked_for(self, call: Invocation) -> _Watching:
        """A tool is about to be called, right where it will be: only the model's message has the call's id."""
        self._asked.set(call.argument(1, "tool_call"))
        yield None

    def tool(self, call: Invocation) -> _Watching:
        """A tool is called; one that is not asynchronous calls itself once more, in a thread."""
        run, tool, asked = self._emit.current_run(), call.instance, self._asked.get()
        if run is None or (asked is None and self._emit.current_tool_name() == tool.name):
            yield None
            return
        if asked is not None and asked.tool_name != tool.name:
            asked = None  # a tool that calls another
        self._asked.set(None)
        arguments = given_to(call.kwargs) if asked is None else asked.arguments
        started = run.tool_started(tool.name, arguments, None if asked is None else asked.id)
        outcome = yield started
        error = outcome.error
        if error is None:
            started.ended(outcome, plain_of(outcome.result))
            return
        cause = (error.__cause__ if isinstance(error, BaseException) else None) or error
        if type(cause).__name__ == "ValidationError" or (isinstance(cause, TypeError) and not takes(tool, call.kwargs)):
            run.arguments_rejected(tool.name, started.call_id, arguments=arguments, error=cause)
        started.ended(outcome._replace(error=cause))
