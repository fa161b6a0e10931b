"""CrewAI: kickoffs of crews, agents and flows, calls of models and tools.

A kickoff is a turn; one inside of another (a crew in a flow, an agent in a tool) is an agent in that turn, and so is each
agent that works on a task. Who works on the next task, or is asked by another as a coworker, was handed over to. The
session is the crew's, agent's or flow's own ``id``. An agent's retries of a task are one run of it. The runtime's event bus
hands events to threads that have lost their place, so methods are wrapped, and what is emitted within them is heard where
it is emitted. Releases before 1.15.20 have everybody's spans, ours too, go where their usage data goes. It is over 200 lines
because three kinds of things are kicked off, and tools are called in three ways.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any

from turnspan.adapter import Call, Emit, Invocation, ModelCall, Outcome, Run, ToolCall, parsed
from turnspan_integrations.crewai_models import (
    Asked,
    asked_for,
    call_as_kept,
    message_of,
    messages_of,
    provider_of,
    usage_of,
)
from turnspan_integrations.crewai_values import (
    HEARD,
    Heard,
    answer_of,
    is_blocked,
    is_rejected,
    name_of,
    note,
    prompt_of,
    restores,
    result_of,
    session_of,
    tasks_of,
    tool_outcome,
)
from turnspan_integrations.raw_answers import of
from turnspan_integrations.subclasses import Subclasses

REQUIRES = "crewai>=1.15.22,<2"
CANNOT = {
    "model calls outside of a kickoff": "nothing says which session they belong to",
    "which model answered": "its clients do not pass it on",
    "tokens of a client of the program's own": "it says them to nobody",
    "retries inside of a model's client": "the client does them by itself",
    "memory, knowledge and the steps of a flow": "they are steps of a program, not of an agent",
}
_EXECUTORS = (
    "crewai.agents.agent_executor:AgentExecutor",
    "crewai.experimental.agent_executor:AgentExecutor",  # before 1.15.30
    "crewai.agents.crew_agent_executor:CrewAgentExecutor",
)
_DELEGATES = ("delegate_work_to_coworker", "ask_question_to_coworker")
_Watching = Generator[Any, Outcome, None]


def install(emit: Emit) -> None:
    """Wrap kickoffs, tasks, tools and models, and hear what is emitted within them."""
    watched, wrap = _Crews(emit), emit.patch.wrap
    for method in ("kickoff", "akickoff", "replay"):
        wrap(f"crewai.crew:Crew.{method}", watched.crew)
    for method in ("kickoff_async", "resume_async"):
        wrap(f"crewai.flow.runtime:Flow.{method}", watched.flow)
    wrap("crewai.agent.core:Agent.kickoff", watched.agent_at_once)
    wrap("crewai.agent.core:Agent.kickoff_async", watched.agent)
    wrap("crewai.lite_agent:LiteAgent.kickoff", watched.agent)
    for method in ("execute_task", "aexecute_task"):
        wrap(f"crewai.agent.core:Agent.{method}", watched.task)
    wrap("crewai.agent.core:Agent._check_execution_error", watched.failed)
    for executor in _EXECUTORS:
        wrap(f"{executor}._execute_single_native_tool_call", watched.native_tool)
    wrap("crewai.agents.step_executor:execute_single_native_tool_call", watched.native_tool)
    for method in ("use", "ause"):
        wrap(f"crewai.tools.tool_usage:ToolUsage.{method}", watched.named_tool)
    wrap("crewai.llms.base_llm:BaseLLM._handle_tool_execution", watched.function)
    wrap("crewai.llm:LLM.__new__", watched.makes_model)
    wrap("crewai.events.event_bus:CrewAIEventsBus.emit", watched.hears)


class _Running:
    """What is known of a run: the task it is about, how often it was tried, and who in it worked last."""

    def __init__(self, task: Any = None) -> None:
        self.task = task
        self.attempts = 1
        self.error: Any = None
        self.last: str | None = None


class _Crews:
    """The crews, agents and flows that run, and the calls that are open in them."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._running: dict[Run, _Running] = {}
        self._open: dict[tuple[str | None, str | None], Heard] = {}
        self._models = Subclasses(emit, "crewai.llms.base_llm:BaseLLM", ("call", "acall"), self.asks)

    # Runs ----------------------------------------------------------------------------------------------------------

    def crew(self, call: Invocation) -> _Watching:
        """A crew is kicked off; one that streams does so by itself again, in a thread or task, once it is read."""
        crew = call.instance
        if crew.stream or restores(call.argument(2, "from_checkpoint")):
            yield None
            return
        run = self._emit.begin(agent=crew.name or "crew", prompt=tasks_of(crew), session=str(crew.id))
        outcome = yield from self._during(run, _Running())
        run.end(outcome, answer_of(outcome.result), prompt=tasks_of(crew))  # now with the inputs in their places

    def flow(self, call: Invocation) -> _Watching:
        """A flow is kicked off, or goes on after it was paused; the runtime's own are how its agents work."""
        flow, given = call.instance, call.argument(0, "inputs") or call.argument(0, "feedback") or ""
        if type(flow).__module__.startswith("crewai.") or flow.stream or restores(call.argument(2, "from_checkpoint")):
            yield None
            return
        name = getattr(flow, "name", None) or type(flow).__name__
        run = self._emit.begin(agent=name, prompt=given, session=session_of(flow, given))
        outcome = yield from self._during(run, _Running())
        run.end(outcome, answer_of(outcome.result))

    def agent_at_once(self, call: Invocation) -> _Watching:
        """An agent is kicked off; in a loop it returns what ``kickoff_async`` does."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            yield from self.agent(call)
        else:
            yield None

    def agent(self, call: Invocation) -> _Watching:
        """An agent is kicked off by itself."""
        agent = call.instance
        if restores(call.argument(3, "from_checkpoint")):
            yield None
            return
        run = self._emit.begin(
            agent=name_of(agent),
            prompt=prompt_of(call.argument(0, "messages")),
            session=str(agent.id),
            description=agent.goal,
        )
        outcome = yield from self._during(run, _Running())
        run.end(outcome, answer_of(outcome.result))

    def task(self, call: Invocation) -> _Watching:
        """An agent works on a task, in a crew or as somebody's coworker; or it tries again."""
        agent, task = call.instance, call.argument(0, "task")
        name, around = name_of(agent), self._emit.current_run()
        running = None if around is None else self._running.get(around)
        if around is not None and running is not None and running.task is task is not None:
            running.attempts += 1
            around.retried("model", running.attempts, error=running.error)
            yield None
            return
        if around is not None and self._emit.current_tool_name() in _DELEGATES:
            around.handoff(name, task.description, begin=False)
        elif around is not None and running is not None and running.task is None and not task.async_execution:
            if running.last not in (None, name):
                around.handoff(name, task.name, source=running.last, begin=False)
            running.last = name
        run = self._emit.begin(agent=name, prompt=task.description, session=str(agent.id), description=agent.goal)
        outcome = yield from self._during(run, _Running(task))
        run.end(outcome, answer_of(outcome.result))

    def _during(self, run: Run, running: _Running) -> Generator[Any, Outcome, Outcome]:
        self._models.watch()
        self._running[run] = running
        try:
            return (yield run)
        finally:
            del self._running[run]

    def failed(self, call: Invocation) -> _Watching:
        """An agent looks at why it failed; unless that is raised, it tries again."""
        run = self._emit.current_run()
        if run is not None and (running := self._running.get(run)) is not None:
            running.error = call.argument(0, "e")
        yield None

    # Tools ---------------------------------------------------------------------------------------------------------

    def native_tool(self, call: Invocation) -> _Watching:
        """A tool is called as the model's provider has such calls."""
        if (run := self._emit.current_run()) is None:
            yield None
            return
        asked = asked_for(call.argument(0, "tool_call"), call.kwargs)
        started = run.tool_started(asked.name, parsed(asked.arguments), asked.call_id)
        outcome, heard = yield from self._while_open(started)
        if heard.event is None and outcome.status == "success":  # nothing is emitted where arguments cannot be read
            said = str(result_of(outcome.result))
            run.arguments_rejected(asked.name, asked.call_id, arguments=asked.arguments, error=said)
            started.ended(Outcome.failed(said))
        else:
            self._end(started, outcome, heard)

    def named_tool(self, call: Invocation) -> _Watching:
        """A tool is called as a model without such calls writes it; where it fails, it is called again from within."""
        calling, run, here = call.argument(0, "calling"), self._emit.current_run(), self._emit.current()
        if run is None or here is None or not hasattr(calling, "tool_name"):
            yield None
            return
        before = self._open.get((here.turn_id, here.call_id))
        if before is not None and before.calling is calling:
            before.attempts += 1
            run.retried("tool", before.attempts, error=before.error, tool_name=calling.tool_name, call_id=here.call_id)
            yield None
            return
        started = run.tool_started(calling.tool_name, calling.arguments)
        outcome, heard = yield from self._while_open(started, calling)
        if heard.event is None and outcome.status == "success":
            started.ended(Outcome.skipped(str(outcome.result)))  # it would have been the same call again
        else:
            self._end(started, outcome, heard)

    def function(self, call: Invocation) -> _Watching:
        """A model's client calls a function that it was given."""
        run, here = self._emit.current_run(), self._emit.current()
        if run is None or here is None:
            yield None
            return
        started = run.tool_started(call.argument(0, "function_name"), call.argument(1, "function_args"))
        if (model := self._open.get((here.turn_id, here.call_id))) is not None:
            model.functions.append(call_as_kept(Asked(started.call_id, started.name, started.started.arguments)))
        outcome, heard = yield from self._while_open(started)
        self._end(started, outcome, heard)

    def _while_open(self, call: Call, calling: Any = None) -> Generator[Any, Outcome, tuple[Outcome, Heard]]:
        place = (call.started.turn_id, call.started.call_id)  # other turns may have a call of the same id
        heard = self._open[place] = Heard(call, calling)
        try:
            return (yield call), heard
        finally:
            del self._open[place]

    def _end(self, call: ToolCall, outcome: Outcome, heard: Heard) -> None:
        ended, name, call_id = tool_outcome(call.name, outcome, heard.event), call.name, call.call_id
        if is_rejected(heard.error):
            call.run.arguments_rejected(name, call_id, arguments=call.started.arguments, error=heard.error)
        if is_blocked(outcome.result):
            call.run.guardrail("before_tool_call", stage="tool_input", tripped=True, tool_name=name, call_id=call_id)
        cached = getattr(heard.event, "from_cache", False) or of(outcome.result, "from_cache")
        result = None if ended.status == "error" else result_of(outcome.result)
        call.ended(ended, result, metadata={"from_cache": True} if cached else None)

    # Models --------------------------------------------------------------------------------------------------------

    def makes_model(self, _call: Invocation) -> _Watching:
        """A model is made: the class of its provider may be a new one."""
        yield None
        self._models.watch()

    def asks(self, call: Invocation) -> _Watching:
        """A model is asked; a class that asks by its base's method, or by its own once more, is one call."""
        run, here, model = self._emit.current_run(), self._emit.current(), call.instance
        around = None if here is None else self._open.get((here.turn_id, here.call_id))
        if run is None or (around is not None and isinstance(around.call, ModelCall)):
            yield None
            return
        asked = run.model_started(
            provider=provider_of(model),
            model=model.model,
            messages=messages_of(call.argument(0, "messages")),
            streamed=bool(model.stream),
        )
        outcome, heard = yield from self._while_open(asked)
        said = heard.event
        answer = message_of(getattr(said, "response", outcome.result), heard.functions)
        finish = getattr(said, "finish_reason", None)
        asked.ended(
            outcome._replace(result=None),
            [answer] if outcome.status == "success" else None,
            response_id=getattr(said, "response_id", None),
            usage=usage_of(getattr(said, "usage", None)),
            finish_reasons=[finish] if finish else [],
        )

    # What is emitted -----------------------------------------------------------------------------------------------

    def hears(self, call: Invocation) -> _Watching:
        """Something is emitted, where it happens."""
        yield None
        event, here = call.argument(1, "event"), self._emit.current()
        if here is None or getattr(event, "type", None) not in HEARD:
            return
        heard = self._open.get((here.turn_id, here.call_id))
        if (heard is None or not heard.takes(event)) and (run := self._emit.current_run()) is not None:
            note(run, event)
