"""Semantic Kernel: its own spans of functions, and of agents and models where its diagnostics are on; else those are ours.

A run of an agent is a turn, its thread the session. An orchestration is a turn with its agents in it: these run in
tasks of a runtime that knows nothing of who began it, so the run is found by the topic that the actors of one
orchestration share. What asks a model outside of every agent is a handwritten loop, and is seen by the adapter of the
client. It is over 200 lines because agents, functions and orchestrations are run by three machines that know nothing
of each other.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary

from turnspan.adapter import CurrentContext, Emit, Invocation, Outcome, Run, SpanReading, StreamObserver
from turnspan_integrations.semantic_kernel_values import (
    answer_of,
    arguments_of,
    heard,
    last_result,
    message_of,
    prompt_of,
    whole,
)
from turnspan_integrations.subclasses import Subclasses
from turnspan_integrations.usage import openai_usage

REQUIRES = "semantic-kernel>=1.35,<2"
CANNOT = {
    "prompts and chats outside of agents": "they are loops, which the adapters of OpenAI's and Anthropic's clients see",
}
_SCOPE = "semantic_kernel."
_AGENTS = (
    "autogen.autogen_conversable_agent:AutoGenConversableAgent",
    "azure_ai.azure_ai_agent:AzureAIAgent",
    "bedrock.bedrock_agent:BedrockAgent",
    "chat_completion.chat_completion_agent:ChatCompletionAgent",
    "copilot_studio.copilot_studio_agent:CopilotStudioAgent",
    "open_ai.openai_assistant_agent:OpenAIAssistantAgent",
    "open_ai.openai_responses_agent:OpenAIResponsesAgent",
)
_CONNECTOR = "semantic_kernel.connectors.ai.chat_completion_client_base:ChatCompletionClientBase"
_ASKS = ("_inner_get_chat_message_contents", "_inner_get_streaming_chat_message_contents")
_ORCHESTRATIONS = (
    "concurrent:Concurrent",
    "group_chat:GroupChat",
    "handoffs:Handoff",
    "magentic:Magentic",
    "sequential:Sequential",
)
_Watching = Generator[Any, Outcome, None]


def install(emit: Emit) -> None:
    """Wrap agents, connectors, functions and orchestrations, and read the runtime's spans."""
    watched = _SemanticKernel(emit)
    emit.spans.read(watched.read)
    for agent in _AGENTS:
        for method in ("get_response", "invoke", "invoke_stream"):
            emit.patch.wrap(f"semantic_kernel.agents.{agent}.{method}", watched.agent)
    emit.patch.wrap("semantic_kernel.kernel:Kernel.invoke_function_call", watched.asked)
    function = "semantic_kernel.functions.kernel_function"
    emit.patch.wrap(f"{function}:KernelFunction.invoke", watched.function)
    emit.patch.wrap(f"{function}_from_method:KernelFunctionFromMethod.gather_function_parameters", watched.arguments)
    orchestration = "semantic_kernel.agents.orchestration"
    emit.patch.wrap(f"{orchestration}.orchestration_base:OrchestrationBase.invoke", watched.orchestration)
    emit.patch.wrap(f"{orchestration}.orchestration_base:OrchestrationResult.cancel", watched.cancelled)
    for kind in _ORCHESTRATIONS:
        emit.patch.wrap(f"{orchestration}.{kind}Orchestration._prepare", watched.prepared)
    emit.patch.wrap(f"{orchestration}.agent_actor_base:ActorBase.on_message_impl", watched.actor)
    emit.patch.wrap(f"{orchestration}.handoffs:HandoffAgentActor._handoff_to_agent", watched.handoff)


class _Begins:
    """What is about to begin: its span comes next, where the runtime starts one."""

    def __init__(self, operation: str, fields: dict[str, Any]) -> None:
        self.operation, self.fields = operation, fields
        self.started: Any = None


class _SemanticKernel:
    """Translates what is wrapped, and the spans that start inside of it."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._begins: ContextVar[_Begins | None] = ContextVar("turnspan_semantic_kernel", default=None)
        self._asking: ContextVar[dict[str, Any] | None] = ContextVar("turnspan_semantic_kernel_asking", default=None)
        self._orchestrating: ContextVar[Run | None] = ContextVar("turnspan_semantic_kernel_run", default=None)
        self._connectors = Subclasses(emit, _CONNECTOR, _ASKS, self.model)
        self._threads: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
        self._topics: dict[str, Run] = {}
        self._results: dict[Run, Any] = {}

    def _begin(self, operation: str, **fields: Any) -> _Begins:
        """Begin something on the runtime's span as soon as that is there; on ours, where there will be none."""
        begins = _Begins(operation, fields)
        what = "agent" if operation == "invoke_agent" else "model"
        diagnostics = sys.modules.get(f"{_SCOPE}utils.telemetry.{what}_diagnostics.decorators")
        asks = getattr(diagnostics, "are_model_diagnostics_enabled", None)  # old releases do not ask for agents
        if operation == "execute_tool" or (diagnostics is not None and (asks is None or asks())):
            self._begins.set(begins)
        else:
            self._start(begins, None)
        return begins

    def _start(self, begins: _Begins, span: Any) -> None:
        run = self._emit.current_run()
        if begins.operation == "invoke_agent":
            begins.started = self._emit.begin(**begins.fields, span=span)
        elif run is not None:
            start = run.model_started if begins.operation == "chat" else run.tool_started
            begins.started = start(**begins.fields, span=span)

    def read(self, span: Any, _here: CurrentContext | None) -> SpanReading:
        """Have what begins stand on its span."""
        begins, scope = self._begins.get(), getattr(span.instrumentation_scope, "name", "")
        if begins is None or not scope.startswith(_SCOPE) or not span.name.startswith(f"{begins.operation} "):
            return
        self._begins.set(None)
        self._start(begins, span)
        if begins.started is not None:
            yield begins.started

    # Runs ----------------------------------------------------------------------------------------------------------

    def agent(self, call: Invocation) -> _Watching:
        """An agent runs."""
        agent, thread = call.instance, call.kwargs.get("thread")
        self._emit.spans.prepare()
        self._connectors.watch()
        known = None if thread is None else self._threads.get(thread) or thread.id
        begins = self._begin(
            "invoke_agent",
            agent=agent.name,
            prompt=prompt_of(call.argument(0, "messages")),
            session=known,
            description=agent.description,
        )
        items: list[Any] = []
        outcome = yield StreamObserver(begins.started, items.append)
        self._begins.set(None)
        if outcome.result is not None:
            items.append(outcome.result)
        if (run := begins.started) is None:
            return
        thread = items[-1].thread if items else thread
        if thread is not None and isinstance(run.session_id, str):
            self._threads.setdefault(thread, run.session_id)
        run.end(outcome, heard([item.message for item in items]) if outcome.status == "success" else None)

    def orchestration(self, call: Invocation) -> _Watching:
        """An orchestration is begun; its agents run in tasks of their own, and what comes of it is called back."""
        orchestration = call.instance
        run = self._emit.begin(
            agent=orchestration.name, prompt=prompt_of(call.argument(0, "task")), description=orchestration.description
        )
        self._orchestrating.set(run)
        outcome = yield run
        self._orchestrating.set(None)
        if outcome.status != "success":
            run.end(outcome)
        elif run.is_open:
            self._results[run] = outcome.result

    def prepared(self, call: Invocation) -> _Watching:
        """An orchestration says how its result is called back, and under which topic its actors talk."""
        run, topic = self._orchestrating.get(), call.kwargs.get("internal_topic_type")
        if run is not None and topic is not None:
            self._topics[topic] = run
            done = self._emit.patch.guard(lambda outcome: self._ended(topic, outcome))
            failed, came = call.kwargs["exception_callback"], call.kwargs["result_callback"]

            def exception_callback(error: BaseException) -> None:
                done(Outcome.failed(error))
                failed(error)

            async def result_callback(result: Any) -> None:
                await came(result)  # which says what the program makes of it
                done(Outcome(result))

            call.kwargs.update(exception_callback=exception_callback, result_callback=result_callback)
        yield None

    def _ended(self, topic: str, outcome: Outcome) -> None:
        if (run := self._topics.pop(topic, None)) is None:
            return
        result = self._results.pop(run, None)
        here, current = self._emit.current(), self._emit.current_run()
        if (
            here is not None and current is not None and current is not run
        ):  # it completes the task: nothing reads it on
            if (tool := current.open_call(here.call_id)) is not None:
                tool.end(Outcome())
            current.end(Outcome())
        said = getattr(result, "value", None) if outcome.status == "success" else None
        run.end(outcome._replace(result=None), answer_of(said))

    def cancelled(self, call: Invocation) -> _Watching:
        """An orchestration is cancelled by who waits for it."""
        outcome = yield None
        for topic, run in list(self._topics.items()):
            if outcome.error is None and self._results.get(run) is call.instance:
                self._ended(topic, Outcome(error="cancelled by the program", cancelled=True))

    def actor(self, call: Invocation) -> _Watching:
        """An actor of an orchestration takes a message: what it does is done in that run."""
        yield self._topics.get(getattr(call.instance, "_internal_topic_type", ""))

    def handoff(self, call: Invocation) -> _Watching:
        """An agent hands over."""
        actor = call.instance
        if (run := self._topics.get(actor._internal_topic_type)) is not None:  # noqa: SLF001  nothing public says it
            run.handoff(call.argument(0, "agent_name"), source=actor._agent.name, begin=False)  # noqa: SLF001
        yield None

    # Models --------------------------------------------------------------------------------------------------------

    def model(self, call: Invocation) -> _Watching:
        """A model is asked."""
        service = call.instance
        if self._emit.current_run() is None or self._emit.open_model_calls():
            yield None
            return
        history = call.argument(0, "chat_history")
        begins = self._begin(
            "chat",
            provider=getattr(service, "MODEL_PROVIDER_NAME", None),
            model=service.ai_model_id,
            messages=[plain for message in history.messages for plain in message_of(message)],
        )
        pieces: list[Any] = []

        def take(piece: Any) -> None:
            if begins.started is not None:
                begins.started.chunk()
            pieces.append(piece)

        outcome = yield StreamObserver(begins.started, take)
        self._begins.set(None)
        if begins.started is None:
            return
        answers = list(outcome.result or whole(pieces))
        last = answers[0] if answers else None
        metadata = getattr(last, "metadata", None) or {}
        reason = getattr(last, "finish_reason", None)
        begins.started.ended(
            outcome,
            [plain for answer in answers for plain in message_of(answer)] or None,
            response_model=getattr(last, "ai_model_id", None),
            response_id=metadata.get("id"),
            usage=openai_usage(metadata.get("usage")),
            finish_reasons=[str(getattr(reason, "value", reason))] if reason else [],
        )

    # Functions -----------------------------------------------------------------------------------------------------

    def asked(self, call: Invocation) -> _Watching:
        """A model asks for a function; what it gives may not fit, and a filter may have the last word."""
        wanted, run, state = call.argument(0, "function_call"), self._emit.current_run(), {"reached": False}
        self._asking.set(state)
        outcome = yield None
        self._asking.set(None)
        if run is None or state["reached"] or outcome.status != "success":
            return
        name, arguments = str(wanted.name), arguments_of(wanted.arguments)
        said = last_result(call.argument(1, "chat_history"), wanted.id)
        if outcome.result is None and "rgument" in str(said):
            run.arguments_rejected(name, wanted.id, arguments=arguments, error=str(said))
        refused = outcome.result is not None  # a filter ended the turn
        how = Outcome.skipped("a filter ended the run") if refused else Outcome.failed(str(said))
        run.tool_ran(name, arguments, said, outcome=how, call_id=wanted.id)

    def function(self, call: Invocation) -> _Watching:
        """A function is called."""
        function, metadata = call.instance, call.argument(2, "metadata") or {}
        if (state := self._asking.get()) is not None:
            state["reached"] = True
        if self._emit.current_run() is None:
            yield None
            return
        given = (metadata.get("function") or {}).get("arguments")
        begins = self._begin(
            "execute_tool",
            name=function.fully_qualified_name,
            arguments=arguments_of(given if given is not None else call.argument(1, "arguments") or call.kwargs),
            call_id=metadata.get("id"),
        )
        outcome = yield None
        self._begins.set(None)
        if begins.started is not None:
            begins.started.ended(outcome._replace(result=None), answer_of(getattr(outcome.result, "value", None)))

    def arguments(self, call: Invocation) -> _Watching:
        """The arguments of a function are read: what does not fit is refused."""
        outcome, run, here = (yield None), self._emit.current_run(), self._emit.current()
        if outcome.error is not None and run is not None and here is not None:
            context = call.argument(0, "context")
            name, given = context.function.fully_qualified_name, arguments_of(context.arguments)
            run.arguments_rejected(name, here.call_id, arguments=given, error=outcome.error)
