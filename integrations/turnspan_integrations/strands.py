"""Strands Agents: its own spans, which it always starts; no second ones are started.

Its tracer starts a span for each agent, swarm, graph, model call and tool, and is given what they got and what came
of them: its methods are where events are made, so they are as exact as its spans. Only streams of agents and orchestrators
know how a run ended. What the tracer does not get (tools that a hook cancels, retries) is read off the events of its hooks.
It is over 200 lines because those are three places and five kinds of spans.
"""

from __future__ import annotations

from collections.abc import Generator
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary

from turnspan.adapter import Emit, Invocation, ModelCall, Outcome, Run, StreamObserver, ToolCall, new_id
from turnspan_integrations.strands_values import answer_of, content_of, messages_of, prompt_of, provider_of, usage_of

REQUIRES = "strands-agents>=1.40,<2"
CANNOT = {
    "what a sampler dropped": "its spans are what is built on",
    "calls of `Agent.structured_output`": "it is deprecated, and starts no span of an agent",
    "the provider's id of an answer": "its models do not pass it on",
}
_TRACER = "strands.telemetry.tracer:Tracer"
_CONTENT = (
    "content",
    "message",
    "tool.result",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
)
_Watching = Generator[Any, Outcome, None]


def install(emit: Emit) -> None:
    """Wrap the tracer, the streams of agents and orchestrators, and the hooks."""
    emit.spans.read(_nothing, lambda span: _CONTENT if _is_its(span) and emit.spans.are_ours() else ())
    watched = _Strands(emit)
    for runs in ("agent.agent:Agent", "multiagent.swarm:Swarm", "multiagent.graph:Graph"):
        emit.patch.wrap(f"strands.{runs}.stream_async", watched.invoked)
    emit.patch.wrap("strands.agent.agent:Agent._start_agent_trace_span", watched.agent)
    emit.patch.wrap("strands.agent.agent:Agent._end_agent_trace_span", watched.agent_ends)
    emit.patch.wrap(f"{_TRACER}.start_multiagent_span", watched.orchestrator)
    emit.patch.wrap(f"{_TRACER}.start_event_loop_cycle_span", watched.cycle)
    emit.patch.wrap(f"{_TRACER}.start_model_invoke_span", watched.model)
    emit.patch.wrap(f"{_TRACER}.end_model_invoke_span", watched.model_ended)
    emit.patch.wrap(f"{_TRACER}.start_tool_call_span", watched.tool)
    emit.patch.wrap(f"{_TRACER}.end_tool_call_span", watched.tool_ended)
    emit.patch.wrap(f"{_TRACER}.end_span_with_error", watched.failed)
    emit.patch.wrap("strands.event_loop.event_loop:stream_messages", watched.answers)
    emit.patch.wrap("strands.tools.decorator:FunctionToolMetadata.validate_input", watched.validates)
    emit.patch.wrap("strands.hooks.registry:HookRegistry.invoke_callbacks_async", watched.hooks)


def _nothing(_span: Any, _here: Any) -> Generator[None, Any, None]:
    return
    yield


def _is_its(span: Any) -> bool:
    return getattr(span.instrumentation_scope, "name", "") == "strands.telemetry.tracer"


class _Invoked:
    """A stream of an agent or orchestrator, what it said last, and its run as soon as that has a span."""

    def __init__(self, instance: Any, given: Any) -> None:
        self.instance, self.given = instance, given
        self.run: Run | None = None
        self.result: Any = None
        self.spans: list[Any] = []
        self.tries: dict[str | None, int] = {}

    def take(self, item: Any) -> None:
        if not isinstance(item, dict):
            return
        self.result = item.get("result", self.result)
        if item.get("type") != "multiagent_handoff" or self.run is None:
            return
        edges = {(e.from_node.node_id, e.to_node.node_id) for e in getattr(self.instance, "edges", ())}
        for target in item["to_node_ids"]:
            for source in item["from_node_ids"]:
                if not edges or (source, target) in edges:
                    self.run.handoff(target, item.get("message"), source=source, begin=False)

    def end(self, outcome: Outcome) -> None:
        if (run := self.run) is None:
            return
        result = None if outcome.status != "success" else self.result
        if getattr(result, "stop_reason", None) == "cancelled":
            outcome = Outcome(error="cancelled by the program", cancelled=True)
        run.end(outcome, answer_of(result))
        for span in reversed(self.spans):  # where a task is cancelled or a stream left, the runtime forgets some
            if span.is_recording():
                span.end()


class _Strands:
    """The runs and calls that are open, by their spans."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._starting: ContextVar[_Invoked | None] = ContextVar("turnspan_strands", default=None)
        self._runs: dict[Run, _Invoked] = {}
        self._asked: WeakKeyDictionary[Any, ModelCall] = WeakKeyDictionary()
        self._tools: WeakKeyDictionary[Any, ToolCall] = WeakKeyDictionary()
        self._sessions: WeakKeyDictionary[Any, str] = WeakKeyDictionary()

    # Runs ----------------------------------------------------------------------------------------------------------

    def invoked(self, call: Invocation) -> _Watching:
        """An agent, swarm or graph is run: its span, which comes first thing, begins the run."""
        self._emit.spans.prepare()
        invoked = _Invoked(call.instance, call.argument(0, "prompt") or call.argument(0, "task"))
        self._starting.set(invoked)
        try:
            outcome = yield StreamObserver(None, invoked.take)
        finally:
            if invoked.run is not None:
                self._runs.pop(invoked.run, None)
        invoked.end(outcome)

    def agent(self, call: Invocation) -> _Watching:
        """The span of an agent is started."""
        outcome = yield None
        self._begin(call.instance, outcome.result, call.instance.name, call.argument(0, "messages"))

    def agent_ends(self, call: Invocation) -> _Watching:
        """The span of an agent is about to end: what is noted on it must be noted now."""
        result, run = call.argument(0, "response"), self._emit.current_run()
        if run is not None and result is not None:
            for interrupt in getattr(result, "interrupts", None) or ():
                run.interrupted({"name": interrupt.name, "reason": interrupt.reason}, interrupt_id=interrupt.id)
            if result.stop_reason == "guardrail_intervened":
                run.guardrail("the model's", stage="output", tripped=True)
        yield None

    def orchestrator(self, _call: Invocation) -> _Watching:
        """The span of a swarm or graph is started."""
        outcome = yield None
        if (starting := self._starting.get()) is not None:
            self._begin(starting.instance, outcome.result, starting.instance.id)

    def _begin(self, instance: Any, span: Any, name: str, messages: Any = ()) -> None:
        invoked = self._starting.get()
        self._starting.set(None)
        if invoked is None or invoked.instance is not instance or span is None or not span.is_recording():
            return
        prompt, session = prompt_of(messages, invoked.given), self._session_of(instance)
        invoked.run = self._emit.begin(agent=name, prompt=prompt, session=session, span=span)
        invoked.spans.append(span)
        self._runs[invoked.run] = invoked

    def _session_of(self, instance: Any) -> str:
        """Return the session that a manager keeps; without one, it is whatever is said to one agent."""
        manager = getattr(instance, "_session_manager", None) or getattr(instance, "session_manager", None)
        own = getattr(manager, "session_id", None)
        return str(own) if own is not None else self._sessions.setdefault(instance, new_id())

    def cycle(self, _call: Invocation) -> _Watching:
        """A round of the loop begins: where it is left, its span is never ended."""
        outcome = yield None
        if (invoked := self._invoked()) is not None:
            invoked.spans.append(outcome.result)

    def _invoked(self) -> _Invoked | None:
        run = self._emit.current_run()
        return None if run is None else self._runs.get(run)

    # Models --------------------------------------------------------------------------------------------------------

    def model(self, call: Invocation) -> _Watching:
        """A model is asked."""
        outcome = yield None
        if (invoked := self._invoked()) is None or invoked.run is None:
            return
        invoked.spans.append(outcome.result)
        model: Any = getattr(invoked.instance, "model", None)
        config = model.get_config() if hasattr(model, "get_config") else {}
        name = config if isinstance(config, dict) else vars(config)
        self._asked[outcome.result] = invoked.run.model_started(
            provider=provider_of(model),
            model=call.kwargs.get("model_id") or name.get("model_id") or name.get("model"),
            messages=[plain for message in call.argument(0, "messages") for plain in messages_of(message)],
            instructions=call.kwargs.get("system_prompt") or getattr(invoked.instance, "system_prompt", None),
            streamed=True,
            span=outcome.result,
        )

    def answers(self, _call: Invocation) -> _Watching:
        """The answer of a model comes in."""
        run = self._emit.current_run()
        calls = [] if run is None else [run.open_call(call_id) for call_id in self._emit.open_model_calls()]
        asked = next((call for call in calls if isinstance(call, ModelCall)), None)
        yield StreamObserver(None, lambda _item: None if asked is None else asked.chunk())

    def model_ended(self, call: Invocation) -> _Watching:
        """A model has answered."""
        yield None
        if (asked := self._asked.pop(call.argument(0, "span"), None)) is not None:
            reason = call.argument(4, "stop_reason") or call.kwargs.get("stop_reason")
            output, usage = messages_of(call.argument(1, "message")), usage_of(call.argument(2, "usage"))
            asked.ended(output=output, usage=usage, finish_reasons=[str(reason)])

    def failed(self, call: Invocation) -> _Watching:
        """A model has failed."""
        yield None
        if (asked := self._asked.pop(call.argument(0, "span"), None)) is not None:
            asked.end(Outcome.failed(call.argument(2, "exception") or call.argument(1, "error_message")))

    # Tools ---------------------------------------------------------------------------------------------------------

    def tool(self, call: Invocation) -> _Watching:
        """A tool is called."""
        outcome, use = (yield None), call.argument(0, "tool")
        if (run := self._emit.current_run()) is not None and outcome.result.is_recording():
            if (invoked := self._runs.get(run)) is not None:
                invoked.spans.append(outcome.result)
            self._tools[outcome.result] = run.tool_started(
                use["name"], use["input"], use["toolUseId"], span=outcome.result
            )

    def tool_ended(self, call: Invocation) -> _Watching:
        """A tool has returned, failed, or was left."""
        yield None
        tool, result = self._tools.pop(call.argument(0, "span"), None), call.argument(1, "tool_result")
        if tool is None:
            return
        said, error = content_of(result), call.argument(2, "error")
        if result is None:
            tool.ended(Outcome(error="no result came", cancelled=True))
        elif error is not None or result.get("status") == "error":
            tool.ended(Outcome.failed(error or str(said)), said)
        else:
            tool.ended(result=said)

    def validates(self, call: Invocation) -> _Watching:
        """Arguments are checked before a tool runs."""
        outcome = yield None
        run, here = self._emit.current_run(), self._emit.current()
        if outcome.error is not None and run is not None and here is not None:
            name = self._emit.current_tool_name() or ""
            run.arguments_rejected(name, here.call_id, arguments=call.argument(0, "input_data"), error=outcome.error)

    def hooks(self, call: Invocation) -> _Watching:
        """The hooks of an agent have had their say."""
        yield None
        event, run = call.argument(0, "event"), self._emit.current_run()
        kind = type(event).__name__
        if run is None or kind not in ("AfterToolCallEvent", "AfterModelCallEvent"):
            return
        use = getattr(event, "tool_use", None) or {}
        name, call_id = use.get("name"), use.get("toolUseId")
        if (reason := getattr(event, "cancel_message", None)) is not None:
            run.tool_refused(str(name), use.get("input"), call_id, reason=reason)
        elif getattr(event, "retry", False) and (invoked := self._runs.get(run)) is not None:
            attempt = invoked.tries[call_id] = invoked.tries.get(call_id, 1) + 1
            error = getattr(event, "exception", None)
            run.retried("tool" if use else "model", attempt, error=error, tool_name=name, call_id=call_id)
