"""Microsoft's Agent Framework: its own spans, which it starts by default; no second ones are started.

Below the layer that starts a span of an agent or a chat is the one that does the work: that is wrapped, as there the
span is current and what is asked is at hand. Tools are wrapped where their exceptions still are. A workflow is a turn
with a span of ours, as its own is of no GenAI operation; its agents are agents in that turn. It is over 200 lines
because an agent, a chat and a tool are each seen in two places, their span and the layer below it, and a workflow in a
third.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextvars import ContextVar
from typing import Any
from weakref import WeakSet, finalize, ref

from turnspan.adapter import Emit, Invocation, Outcome, Run, SpanReading, StreamObserver, ToolCall, parsed
from turnspan_integrations.agent_framework_values import (
    contents_of,
    message_of,
    prompt_of,
    result_of,
    text_in,
    usage_of,
)

REQUIRES = "agent-framework-core>=1.22,<2"
CANNOT = {
    "what happens inside of a stream of an agent whose instrumentation was turned off": "nothing says where it is read",
    "agents that run elsewhere": "those of A2A, Copilot and the like do not say what they do",
    "when a stream was left that is not closed": "nothing is called then, and it ends when it is collected",
}
_SCOPE = "agent_framework"
_Watching = Generator[Any, Outcome, None]


def install(emit: Emit) -> None:
    """Wrap what does the work below the layers that start spans."""
    watched = _AgentFramework(emit)
    emit.spans.read(watched.read)
    emit.patch.wrap("agent_framework.observability:AgentTelemetryLayer.run", watched.prepare)
    emit.patch.wrap("agent_framework._agents:RawAgent.run", watched.agent)
    emit.patch.wrap("agent_framework._clients:BaseChatClient.get_response", watched.chat)
    emit.patch.wrap("agent_framework._tools:FunctionTool.invoke", watched.tool)
    emit.patch.wrap("agent_framework._middleware:FunctionMiddlewarePipeline.execute", watched.middleware)
    emit.patch.wrap("agent_framework._tools:_function_argument_validation_error_result", watched.rejected)
    emit.patch.wrap("agent_framework._types:ResponseStream.close", watched.closed)
    emit.patch.wrap("agent_framework._workflows._workflow:Workflow.run", watched.workflow_asked)
    emit.patch.wrap("agent_framework._workflows._workflow:Workflow._run_workflow_with_tracing", watched.workflow)


class _Called:
    """A tool that is about to be called: its span comes next."""

    def __init__(self, name: str, arguments: Any, call_id: str | None) -> None:
        self.name, self.arguments, self.call_id = name, arguments, call_id
        self.tool: ToolCall | None = None


class _AgentFramework:
    """Translates what is wrapped."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._called: ContextVar[_Called | None] = ContextVar("turnspan_agent_framework", default=None)
        self._asked: ContextVar[Any] = ContextVar("turnspan_agent_framework_workflow", default="")
        self._left: WeakSet[Any] = WeakSet()
        self._invoked: set[int] = set()  # contexts of calls that middleware let through

    def prepare(self, _call: Invocation) -> _Watching:
        """A span is about to be started."""
        self._emit.spans.prepare()
        yield None

    def _span(self, operation: str) -> Any:
        """Return the runtime's span that the calling code is right inside of, if it is of an operation."""
        span = self._emit.spans.current()
        named = getattr(getattr(span, "instrumentation_scope", None), "name", None)
        return span if named == _SCOPE and span.name.startswith(operation) and span.is_recording() else None

    # Runs ----------------------------------------------------------------------------------------------------------

    def agent(self, call: Invocation) -> _Watching:
        """An agent is run."""
        agent, session = call.instance, call.kwargs.get("session")
        given = call.argument(0, "messages")
        run = self._emit.begin(
            agent=agent.name or agent.id,
            prompt=prompt_of(given),
            session=None if session is None else str(session.session_id),
            description=agent.description,
            span=self._span("invoke_agent "),
        )
        for content in contents_of(given):
            if content.type == "function_approval_response":
                _report_decision(run, content)

        def ended(outcome: Outcome) -> None:
            for asked in getattr(outcome.result, "user_input_requests", None) or ():
                if asked.type == "function_approval_request":
                    wanted = asked.function_call
                    run.approval_asked(wanted.name, wanted.call_id, arguments=parsed(wanted.arguments))
                else:
                    run.interrupted({"type": asked.type}, interrupt_id=asked.id)
            run.end(outcome, text_in(outcome.result))

        outcome = yield run
        self._when_done(outcome, ended)

    def _when_done(
        self, outcome: Outcome, ended: Callable[[Outcome], None], piece: Callable[[], None] | None = None
    ) -> None:
        """Say how something ended: now, or when the stream that it returned does."""
        stream = outcome.result
        if not hasattr(stream, "with_result_hook"):
            ended(outcome)
            return
        alive, done = ref(stream), self._emit.patch.guard(ended)

        def finished(result: Any) -> None:
            left = alive() in self._left
            done(Outcome(None if left else result, cancelled=left))

        def broke() -> None:
            error = getattr(alive(), "_stream_error", None)
            if error is not None:
                cancelled = not isinstance(error, Exception)
                done(Outcome(error=None if cancelled else error, cancelled=cancelled))

        stream.with_result_hook(self._emit.patch.guard(finished))
        stream.with_cleanup_hook(self._emit.patch.guard(broke))
        if piece is not None:
            stream.with_transform_hook(self._emit.patch.guard(lambda _update: piece()))
        finalize(stream, done, Outcome(cancelled=True)).atexit = False

    def closed(self, call: Invocation) -> _Watching:
        """A stream is closed; unless it was read to its end, it is left."""
        if not getattr(call.instance, "_consumed", True):
            self._left.add(call.instance)
        yield None

    # Workflows -----------------------------------------------------------------------------------------------------

    def workflow_asked(self, call: Invocation) -> _Watching:
        """A workflow is given what it is to do; it does so when it is read."""
        self._asked.set(call.argument(0, "message", call.kwargs.get("responses")))
        yield None

    def workflow(self, call: Invocation) -> _Watching:
        """A workflow runs."""
        workflow, asked = call.instance, self._asked.get()
        self._emit.spans.prepare()
        run = self._emit.begin(
            agent=workflow.name or workflow.id, prompt=prompt_of(asked), description=workflow.description
        )
        outputs: list[Any] = []

        def take(event: Any) -> None:
            if event.type == "handoff_sent":
                run.handoff(event.data.target, source=event.data.source, begin=False)
            elif event.type == "request_info":
                asked = getattr(event.data, "agent_response", event.data)
                run.interrupted(text_in(asked) or asked, interrupt_id=event.request_id)
            elif event.type == "output":
                outputs.append(event.data)

        outcome = yield StreamObserver(run, take)
        run.end(outcome, text_in(outputs) if outcome.status == "success" else None)

    # Models --------------------------------------------------------------------------------------------------------

    def chat(self, call: Invocation) -> _Watching:
        """A model is asked."""
        run, client = self._emit.current_run(), call.instance
        if run is None:
            yield None
            return
        options = call.kwargs.get("options") or {}
        asked = run.model_started(
            provider=getattr(client, "otel_provider_name", None),
            model=options.get("model") or getattr(client, "model", None),
            messages=[plain for message in call.argument(0, "messages") for plain in message_of(message)],
            instructions=options.get("instructions"),
            streamed=bool(call.kwargs.get("stream")),
            span=self._span("chat "),
        )

        def ended(outcome: Outcome) -> None:
            answer = outcome.result
            asked.ended(
                outcome,
                [plain for message in getattr(answer, "messages", ()) for plain in message_of(message)] or None,
                response_model=getattr(answer, "model", None),
                response_id=getattr(answer, "response_id", None),
                usage=usage_of(getattr(answer, "usage_details", None)),
                finish_reasons=[str(reason)] if (reason := getattr(answer, "finish_reason", None)) else [],
            )

        outcome = yield asked
        self._when_done(outcome, ended, asked.chunk)

    # Tools ---------------------------------------------------------------------------------------------------------

    def tool(self, call: Invocation) -> _Watching:
        """A tool is called; it is on record as soon as it has its span."""
        context = call.kwargs.get("context")
        if context is not None and context.metadata.get("call_id") is not None:  # else it is in no middleware
            self._invoked.add(id(context))
        given = call.kwargs.get("arguments") if context is None else context.arguments
        called = _Called(call.instance.name, _plain(given), call.kwargs.get("tool_call_id"))
        run = self._emit.current_run()
        if run is not None and not sys.modules["agent_framework.observability"].OBSERVABILITY_SETTINGS.ENABLED:
            called.tool = run.tool_started(called.name, called.arguments, called.call_id)
        else:
            self._called.set(called)
        outcome = yield called.tool
        self._called.set(None)
        if called.tool is None:
            return
        if type(outcome.error).__name__ == "UserInputRequiredException":
            outcome = Outcome.skipped("waits for approval")
        called.tool.ended(outcome._replace(result=None), result_of(outcome.result))

    def middleware(self, call: Invocation) -> _Watching:
        """A call of a tool goes through middleware, which may answer it by itself."""
        context = call.argument(0, "context")
        outcome, run = (yield None), self._emit.current_run()
        if id(context) in self._invoked:
            self._invoked.discard(id(context))
        elif run is not None:
            handed = isinstance(context.result, dict) and "handoff_to" in context.result
            how = Outcome() if handed else Outcome.skipped(str(outcome.error or "") or "answered by middleware")
            call_id, arguments = context.metadata.get("call_id"), _plain(context.arguments)
            run.tool_ran(context.function.name, arguments, result_of(context.result), outcome=how, call_id=call_id)

    def read(self, span: Any, _here: Any) -> SpanReading:
        """The span of a tool is started."""
        called, run = self._called.get(), self._emit.current_run()
        named = getattr(span.instrumentation_scope, "name", "")
        if named != _SCOPE or not span.name.startswith("execute_tool ") or called is None or run is None:
            return
        self._called.set(None)
        called.tool = run.tool_started(called.name, called.arguments, called.call_id, span=span)
        yield called.tool

    def rejected(self, call: Invocation) -> _Watching:
        """What a model gave to a tool does not fit."""
        if (run := self._emit.current_run()) is not None:
            wanted, error = call.argument(0, "function_call"), call.argument(1, "exception")
            arguments = parsed(wanted.arguments)
            run.arguments_rejected(wanted.name, wanted.call_id, arguments=arguments, error=error)
            run.tool_ran(wanted.name, arguments, outcome=Outcome.failed(error), call_id=wanted.call_id)
        yield None


def _plain(arguments: Any) -> Any:
    return arguments.model_dump() if hasattr(arguments, "model_dump") else arguments


def _report_decision(run: Run, content: Any) -> None:
    """Say what was decided about a call that waited; one that was approved is made by the run itself."""
    wanted, approved = content.function_call, bool(content.approved)
    run.approval_decided(wanted.name, wanted.call_id, approved=approved)
    if not approved:
        run.tool_refused(wanted.name, parsed(wanted.arguments), wanted.call_id, reason="it was not approved")
