"""smolagents: agents that call tools, and agents that write code which does.

A run of an agent is a turn; that of a managed agent, or of one inside of a tool, is an agent in that turn. The session is
what one agent remembers: a run that resets it begins another. ``final_answer`` is not a tool but the answer. Code that an
agent writes is a call of ``python_interpreter``, with the tools that it calls inside. The runtime's own callbacks do not
hear of calls beside one that fails, and an exception of theirs breaks the run: methods are wrapped instead.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from turnspan.adapter import Emit, Invocation, Outcome, Run, StreamObserver, new_id
from turnspan_integrations.smolagents_models import asks

REQUIRES = "smolagents>=1.23,<2"
CANNOT = {
    "model calls outside of a run": "nothing says which session they belong to",
    "tools that run in a sandbox": "the code runs in another process, which says what it printed",
    "retries inside of a model's client": "the client does them by itself",
}
_ANSWER = "final_answer"
_Watching = Generator[Any, Outcome, None]


def install(emit: Emit) -> None:
    """Wrap agents, tools and executors; models as they are met, because each class has methods of its own."""
    watched = _Agents(emit)
    agents = "smolagents.agents"
    emit.patch.wrap(f"{agents}:MultiStepAgent.run", watched.asked)
    emit.patch.wrap(f"{agents}:MultiStepAgent._run_stream", watched.runs)
    emit.patch.wrap(f"{agents}:MultiStepAgent._validate_final_answer", watched.checks)
    emit.patch.wrap(f"{agents}:ToolCallingAgent.process_tool_calls", watched.asked_for)
    emit.patch.wrap(f"{agents}:ToolCallingAgent.execute_tool_call", watched.calls)
    emit.patch.wrap("smolagents.tools:Tool.__call__", watched.tool)
    emit.patch.wrap("smolagents.local_python_executor:LocalPythonExecutor.__call__", watched.code)
    emit.patch.wrap("smolagents.remote_executors:RemotePythonExecutor.__call__", watched.code)


class _Running:
    """What is known of a run: the calls that the model asked for and that have not begun, and what came last."""

    def __init__(self) -> None:
        self.asked_for: list[Any] = []
        self.answer: Any = None
        self.attempts = 1

    def call_of(self, name: str, arguments: Any) -> str | None:
        """Return the id of a call that begins: only the model's message has it."""
        alike = [one for one in self.asked_for if one.name == name and (one.arguments or {}) == arguments]
        if not alike:
            return None
        found = next((one for one in alike if one.arguments is arguments), alike[0])
        self.asked_for = [one for one in self.asked_for if one is not found]
        return str(found.id)


class _Agents:
    """The agents that run."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._running: dict[Run, _Running] = {}
        self._sessions: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
        self._models: WeakSet[type] = WeakSet()

    def asked(self, call: Invocation) -> _Watching:
        """An agent is run: with a memory that is kept, or a new one."""
        if call.argument(2, "reset", True) or call.instance not in self._sessions:
            self._sessions[call.instance] = new_id()
        self._watch(getattr(call.instance, "model", None))
        yield None

    def _watch(self, model: Any) -> None:
        """Wrap the methods by which a class of models is asked, where they are defined."""
        for method in ("generate", "generate_stream"):
            owner = next((cls for cls in type(model).__mro__ if method in vars(cls)), None)
            if owner is not None and owner not in self._models:
                for one in {"generate", "generate_stream"} & vars(owner).keys():
                    self._emit.patch.wrap((owner, one), lambda call: asks(self._emit, call))
                self._models.add(owner)

    def runs(self, call: Invocation) -> _Watching:
        """The steps of a run, whether they are streamed or not."""
        agent = call.instance
        name = getattr(agent, "name", None) or type(agent).__name__
        run = self._emit.begin(agent=name, prompt=call.argument(0, "task"), session=self._sessions.get(agent))
        running = self._running[run] = _Running()
        try:
            outcome = yield StreamObserver(run, lambda step: self._look(run, running, step))
        finally:
            del self._running[run]
        run.end(_how(outcome), running.answer if outcome.error is None else None)

    def _look(self, run: Run, running: _Running, step: Any) -> None:
        kind, error = type(step).__name__, getattr(step, "error", None)
        if kind == "FinalAnswerStep":
            running.answer = step.output
        elif kind == "ActionStep" and type(error).__name__ == "AgentParsingError":
            running.attempts += 1
            run.retried("model", running.attempts, error=error)

    def checks(self, call: Invocation) -> _Watching:
        """What an agent wants to answer is checked."""
        outcome = yield None
        if (run := self._emit.current_run()) is not None:
            names = [getattr(one, "__name__", str(one)) for one in call.instance.final_answer_checks]
            if outcome.error is not None:
                run.guardrail(", ".join(names), stage="output", tripped=True, verdict=str(outcome.error))
            else:
                for name in names:
                    run.guardrail(name, stage="output", tripped=False)

    # Tools ---------------------------------------------------------------------------------------------------------

    def asked_for(self, _call: Invocation) -> _Watching:
        """The calls that a model asks for, before they begin."""
        run = self._emit.current_run()
        running = None if run is None else self._running.get(run)

        def look(item: Any) -> None:
            if running is not None and type(item).__name__ == "ToolCall":
                running.asked_for.append(item)

        yield StreamObserver(None, look)

    def calls(self, call: Invocation) -> _Watching:
        """An agent calls a tool, or another agent."""
        run, name, arguments = self._emit.current_run(), call.argument(0, "tool_name"), call.argument(1, "arguments")
        if run is None:
            yield None
            return
        running = self._running.get(run)
        call_id = None if running is None else running.call_of(name, arguments)
        if name == _ANSWER:
            outcome = yield None
            if outcome.error is None:
                return
            started = run.tool_started(name, arguments, call_id)
        else:
            started = run.tool_started(name, arguments, call_id)
            outcome = yield started
        error = outcome.error
        if type(error).__name__ == "AgentToolCallError":
            run.arguments_rejected(name, started.call_id, arguments=arguments, error=str(error))
        elif type(error).__name__ == "AgentToolExecutionError":  # what the tool raised is behind it
            outcome = outcome._replace(error=getattr(error, "__cause__", None) or error)
        started.ended(outcome)

    def tool(self, call: Invocation) -> _Watching:
        """A tool runs: as a model asked for it, or because code that a model wrote calls it."""
        run, name = self._emit.current_run(), getattr(call.instance, "name", type(call.instance).__name__)
        if run is None or name == _ANSWER or self._emit.current_tool_name() in (name, None):
            yield None
            return
        given = {key: value for key, value in call.kwargs.items() if key != "sanitize_inputs_outputs"}
        inputs = list(getattr(call.instance, "inputs", None) or ())
        given |= dict(zip(inputs, call.args, strict=False))
        started = run.tool_started(name, given)
        started.ended((yield started))

    def code(self, call: Invocation) -> _Watching:
        """Code runs that a model wrote."""
        if (run := self._emit.current_run()) is None:
            yield None
            return
        started = run.tool_started("python_interpreter", {"code": call.argument(0, "code_action")})
        outcome = yield started
        done = outcome.result
        if done is None:
            started.ended(outcome)
        else:
            started.ended(result={"output": done.output, "logs": done.logs} if done.logs else done.output)


def _how(outcome: Outcome) -> Outcome:
    """Return how a run ended; one that is interrupted, or whose stream is left, is cancelled."""
    said = str(outcome.error) if outcome.error is not None else ""
    if said == "Agent interrupted.":
        return outcome._replace(cancelled=True)
    if said == "generator ignored GeneratorExit":  # a step is yielded as the generator closes, which none may
        return Outcome(cancelled=True, items=outcome.items)
    return outcome
