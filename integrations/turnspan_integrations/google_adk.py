"""Google's ADK (``google-adk``): its own spans, which it always starts; no second ones are started.

A call of a runner is a turn, on the span that it starts first. The agent that takes the turn is the turn's own: its
``invoke_agent`` span is inside of the turn's and stands for nothing else; every other agent's is one in that turn. What
starts a span (agents, tools) says beforehand what it is for, and how it ended is known only there; a model is asked
inside of its span, and has answered before the program reads on: tools are called in between. Plugins and callbacks are
left to the program: one that raises ends the run, one that answers keeps the others from being called.
It is over 200 lines because things begin in four places, on two forms of spans, and consent, callbacks and checks may
end the call of a tool.
"""

from __future__ import annotations

from collections.abc import Generator
from contextvars import ContextVar
from typing import Any

from turnspan.adapter import Emit, Invocation, Outcome, Run, SpanReading, StreamObserver, ToolCall, after_last_answer
from turnspan_integrations.google_adk_values import Answer, prompt_of, provider_of, result_of
from turnspan_integrations.google_genai_values import contents_of, message_of, plain, text_of
from turnspan_integrations.subclasses import Subclasses

REQUIRES = "google-adk>=2.10,<3"  # before it, tools were inside of the call of the model that asked for them
CANNOT = {
    "what a sampler dropped": "its spans are what is built on",
    "live sessions": "what is said in one has no turns",
    "the provider's id of an answer": "its models do not pass it on",
    "tools that are nodes of a workflow": "no model has asked for them",
}
_SCOPE = "gcp.vertex.agent"
_CALLER = "google.adk.flows.llm_flows.tools._caller"
_CONTENT = (
    "gcp.vertex.agent.llm_request",
    "gcp.vertex.agent.llm_response",
    "gcp.vertex.agent.tool_call_args",
    "gcp.vertex.agent.tool_response",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
)
_INPUT = "adk_request_input"
"""The function by which a workflow asks whoever runs it."""
_Watching = Generator[Any, Outcome, None]


def install(emit: Emit) -> None:
    """Wrap runners, agents, models and calls of tools, and read the spans that these start."""
    watched = _Adk(emit)
    emit.spans.read(watched.read, lambda span: _CONTENT if _is_its(span) and emit.spans.are_ours() else ())
    emit.patch.wrap("google.adk.runners:Runner.run_async", watched.runs)
    emit.patch.wrap("google.adk.runners:Runner._find_agent_to_run", watched.found)
    emit.patch.wrap("google.adk.agents.base_agent:BaseAgent.run_async", watched.agent)
    emit.patch.wrap("google.adk.flows.llm_flows.base_llm_flow:BaseLlmFlow._get_llm", watched.model_found)
    emit.patch.wrap(f"{_CALLER}:_execute_single_prepared_call", watched.tool)
    emit.patch.wrap(f"{_CALLER}:_call_tool_async", watched.tool_itself)


def _is_its(span: Any) -> bool:
    return getattr(span.instrumentation_scope, "name", "") == _SCOPE


class _Invoked:
    """A call of a runner or agent: its run, as soon as it has a span, and what it said last."""

    def __init__(self, name: str | None, prompt: Any = "", session: str | None = None) -> None:
        self.name, self.prompt, self.session = name, prompt, session
        self.description: str | None = None
        self.run: Run | None = None
        self.is_waiting = True
        """Whether its span is still to come."""
        self.answers_itself = True
        """Whether the span of the agent that takes the turn is still to come."""
        self.answer = Answer()

    def begun(self, run: Run) -> Run:
        self.run, self.is_waiting = run, False
        return run


class _Called:
    """A call of a tool, what the tool itself did, and its span."""

    def __init__(self, name: str, arguments: Any, call_id: str | None) -> None:
        self.name, self.arguments, self.call_id = name, arguments, call_id
        self.tool: ToolCall | None = None
        self.span: Any = None
        self.itself: Outcome | None = None


class _Adk:
    """Translates what is wrapped. What is about to start a span is in a context variable, and is taken by its reader."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._invoked: ContextVar[_Invoked | None] = ContextVar("turnspan_adk_invoked", default=None)
        self._agent: ContextVar[_Invoked | None] = ContextVar("turnspan_adk_agent", default=None)
        self._called: ContextVar[_Called | None] = ContextVar("turnspan_adk_called", default=None)
        self._models = Subclasses(emit, "google.adk.models.base_llm:BaseLlm", ["generate_content_async"], self.asks)

    # Runs ----------------------------------------------------------------------------------------------------------

    def runs(self, call: Invocation) -> _Watching:
        """A runner is called: with a message, or to go on with what was interrupted."""
        self._emit.spans.prepare()
        name = getattr(getattr(call.instance, "agent", None), "name", None)
        invoked = _Invoked(name, prompt_of(call.kwargs.get("new_message")), call.kwargs.get("session_id"))
        self._invoked.set(invoked)
        outcome = yield StreamObserver(None, lambda event: self._look(invoked, event))
        invoked.is_waiting = False
        if invoked.run is not None:
            invoked.run.end(outcome, None if outcome.status == "error" else invoked.answer.said)

    def found(self, _call: Invocation) -> _Watching:
        """The agent was found that takes the turn: the one that the last was handed to, perhaps."""
        outcome, invoked = (yield None), self._invoked.get()
        if invoked is not None and invoked.is_waiting:
            invoked.name = getattr(outcome.result, "name", invoked.name)

    def _look(self, invoked: _Invoked, event: Any) -> None:
        invoked.answer.take(event)
        for wanted in event.get_function_calls() if invoked.run is not None and not event.partial else ():
            if wanted.name == _INPUT and invoked.run is not None:
                invoked.run.interrupted(wanted.args, interrupt_id=wanted.id)

    def agent(self, call: Invocation) -> _Watching:
        """An agent is run."""
        self._models.watch()
        agent, outer = call.instance, self._invoked.get()
        invoked = _Invoked(agent.name)
        invoked.description = agent.description or None
        self._agent.set(invoked)

        def look(event: Any) -> None:
            invoked.answer.take(event)
            target = event.actions.transfer_to_agent
            if target and event.author == agent.name and outer is not None and outer.run is not None:
                outer.run.handoff(target, source=agent.name, begin=False)

        outcome = yield StreamObserver(None, look)
        invoked.is_waiting = False
        if invoked.run is not None:
            invoked.run.end(outcome, None if outcome.status == "error" else invoked.answer.said)

    def read(self, span: Any, _here: Any) -> SpanReading:
        """One of its spans is started."""
        if not _is_its(span):
            return
        kind, _, name = span.name.partition(" ")
        if kind in ("invocation", "invoke_workflow"):
            yield from self._read_run(span, name)
        elif kind == "invoke_agent" and (invoked := self._agent.get()) is not None and invoked.is_waiting:
            outer, run = self._invoked.get(), self._emit.current_run()
            if run is None or _is_own(outer, name):
                invoked.is_waiting = False
            else:
                yield invoked.begun(run.agent_started(invoked.name, description=invoked.description, span=span))
        elif kind == "execute_tool" and (called := self._called.get()) is not None and called.span is None:
            called.span, run = span, self._emit.current_run()
            if run is not None:
                called.tool = run.tool_started(called.name, called.arguments, called.call_id, span=span)
                yield called.tool

    def _read_run(self, span: Any, name: str) -> SpanReading:
        """The span of a runner, or of a workflow that is a part of another, is started."""
        invoked, run = self._invoked.get(), self._emit.current_run()
        if invoked is not None and invoked.is_waiting:
            if not name:  # of an older release: without an operation, it would be taken for an agent's
                span.set_attribute("gen_ai.operation.name", "invoke_workflow")
            invoked.name = name or invoked.name
            begun = self._emit.begin(agent=invoked.name, prompt=invoked.prompt, session=invoked.session, span=span)
            yield invoked.begun(begun)
        elif run is not None and not _is_own(invoked, name):
            inner = run.agent_started(name, span=span)
            ended = yield inner
            error = ended.status.description
            inner.end(Outcome.failed(error or "failed") if ended.status.status_code.name == "ERROR" else Outcome())

    # Models --------------------------------------------------------------------------------------------------------

    def model_found(self, _call: Invocation) -> _Watching:
        """A model was looked up by its name, and its class perhaps imported for that."""
        yield None
        self._models.watch()

    def asks(self, call: Invocation) -> _Watching:
        """A model is asked."""
        run, request, span = self._emit.current_run(), call.argument(0, "llm_request"), self._emit.spans.current()
        streamed = bool(call.argument(1, "stream"))
        if run is None or self._emit.open_model_calls():  # one model may ask another
            yield None
            return
        history, new = after_last_answer(request.contents)
        system = request.config.system_instruction if request.config is not None else None
        asked = run.model_started(
            provider=provider_of(call.instance, request.model, span),
            model=request.model or call.instance.model,
            messages=[message_of(plain(content)).plain for content in new],
            history=history,
            instructions="".join(map(text_of, contents_of(system))) if system else None,
            streamed=streamed,
            span=span if span.is_recording() and _is_its(span) and span.name.startswith("generate_content") else None,
        )
        answer = Answer()

        def ended(outcome: Outcome) -> None:
            if answer.error is not None and outcome.status == "success":
                outcome = Outcome.failed(*answer.error)
            asked.ended(
                outcome,
                answer.messages() or None,
                response_model=answer.model,
                usage=answer.usage(),
                finish_reasons=answer.finish,
            )

        def look(response: Any) -> None:
            asked.chunk()
            answer.take(response)
            if asked.is_open and (not streamed or answer.is_whole()):  # tools are called before it is read to its end
                ended(Outcome())

        outcome = yield StreamObserver(asked, look)
        if asked.is_open:
            ended(outcome)

    # Tools ---------------------------------------------------------------------------------------------------------

    def tool(self, call: Invocation) -> _Watching:
        """A model has asked for a tool: what asks for consent and what the program's callbacks say is a part of the call."""
        prepared = call.argument(1, "prepared_call")
        context, wanted = prepared.tool_context, prepared.function_call
        called = _Called(prepared.tool.name, wanted.args or {}, context.function_call_id)
        self._called.set(called)
        outcome = yield None
        if called.tool is None:
            return
        run, call_id = called.tool.run, called.call_id
        if (decided := context.tool_confirmation) is not None:
            run.approval_decided(called.name, call_id, approved=decided.confirmed)
        elif (asked := context.actions.requested_tool_confirmations.get(call_id)) is not None:
            run.approval_asked(called.name, call_id, arguments=called.arguments, reason=asked.hint or None)
            called.tool.ended(Outcome.skipped("waits for approval"))
            return
        said = result_of(outcome.result)
        text = str(said.get("error")) if isinstance(said, dict) and "error" in said else ""
        if "mandatory input parameters" in text or "argument validation" in text:
            run.arguments_rejected(called.name, call_id, arguments=called.arguments, error=text)
        called.tool.ended(_how(called, outcome, text, is_known=prepared.tool_lookup_error is None), said)

    def tool_itself(self, _call: Invocation) -> _Watching:
        """A tool is run: nothing has answered in its place."""
        called = self._called.get()
        outcome = yield None
        if called is not None:
            called.itself = outcome._replace(result=None)


def _is_own(invoked: _Invoked | None, name: str) -> bool:
    """Return whether a span is that of the agent that takes the turn, and take it as such: it comes once."""
    is_own = invoked is not None and invoked.answers_itself and invoked.name == name
    if invoked is not None and is_own:
        invoked.answers_itself = False
    return is_own


def _how(called: _Called, outcome: Outcome, text: str, *, is_known: bool) -> Outcome:
    """Return how a call of a tool ended: its exception may have been answered by a callback."""
    if outcome.status != "success":
        return outcome
    if called.itself is not None and called.itself.status != "success":
        return called.itself
    if called.itself is None and is_known:
        return Outcome.skipped(text or "answered by a callback")
    kind = (called.span.attributes or {}).get("error.type")
    if kind is None and is_known and not text.startswith(f"Invoking `{called.name}()` failed"):
        return Outcome()
    return Outcome.failed(text or str(kind), kind)
