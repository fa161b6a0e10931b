"""LangGraph, and LangChain's ``create_agent``, which is a graph.

A run of a graph is a turn; a graph that runs inside of one (a sub-graph, a graph in a tool) is an agent in that turn.
``thread_id`` is the session, so what is resumed after an interrupt stays in it. Graphs and tools are wrapped: that is
where code runs, is cancelled and fails. Models are heard of through a callback handler, which sees every client alike.
It is over 200 lines because graphs, tools and models are seen in three different ways, and a graph's answer is read
off whatever mode its stream is in.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Generator
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from turnspan.adapter import SPAN_EXPECTED, Emit, Invocation, ModelCall, Outcome, Run, StreamObserver, ToolCall, role_of
from turnspan.events import Usage
from turnspan_integrations.langgraph_approvals import HUMAN_IN_THE_LOOP, Approvals
from turnspan_integrations.langgraph_nodes import Nodes

REQUIRES = "langgraph>=1.0,<2"
CANNOT = {
    "model calls outside of a graph": "nothing says which session they belong to",
    "retries inside of a model's client": "the client does them by itself",
    "the provider": "where the client does not say it",
}
_TRACES = "anthropic._tracing"  # this client starts a span for each call by itself
_Watching = Generator[Any, Outcome, None]


def install(emit: Emit) -> None:
    """Wrap graphs and tools, and hear of models."""
    approvals, nodes = Approvals(emit), Nodes(emit)
    models = _Models(emit, nodes)
    handler = _handler_class()(emit, models, nodes)
    emit.patch.wrap("langgraph.pregel.main:Pregel.stream", lambda call: _graph(emit, call, models, approvals, nodes))
    emit.patch.wrap("langgraph.pregel.main:Pregel.astream", lambda call: _graph(emit, call, models, approvals, nodes))
    emit.patch.wrap("langchain_core.tools.base:BaseTool.run", lambda call: _tool(emit, call, nodes))
    emit.patch.wrap("langchain_core.tools.base:BaseTool.arun", lambda call: _tool(emit, call, nodes))
    for gate in ("_create_action_and_config", "_tool_approval_request"):
        emit.patch.wrap(f"{HUMAN_IN_THE_LOOP}.{gate}", approvals.asks)
    emit.patch.wrap(f"{HUMAN_IN_THE_LOOP}._process_decision", approvals.decided)
    emit.patch.wrap(f"{HUMAN_IN_THE_LOOP}._resolve_per_call", approvals.resolves)
    from langchain_core.tracers import context as tracers

    emit.patch.wrap("langchain_core.callbacks.manager:AsyncCallbackManager.on_llm_start", _text_model_starts)
    var: ContextVar[Any] = ContextVar("turnspan_langchain", default=handler)
    before = list(tracers._configure_hooks)  # noqa: SLF001  there is no public way to take a hook out again
    tracers.register_configure_hook(var, inheritable=True, handle_class=type(handler))
    ours = [hook for hook in tracers._configure_hooks if hook not in before]  # noqa: SLF001

    def take_out() -> None:
        tracers._configure_hooks[:] = [hook for hook in tracers._configure_hooks if hook not in ours]  # noqa: SLF001

    emit.patch.on_undo(take_out)


_text_starts: ContextVar[bool] = ContextVar("turnspan_text_starts", default=False)


def _text_model_starts(_call: Invocation) -> _Watching:
    """Let LangChain notify the program's handlers, too: beside one that runs inline it forgets all others here."""
    token = _text_starts.set(True)
    yield None
    _text_starts.reset(token)


# Graphs ------------------------------------------------------------------------------------------------------------


def _graph(emit: Emit, call: Invocation, models: _Models, approvals: Approvals, nodes: Nodes) -> _Watching:
    given, config = call.argument(0, "input"), call.argument(1, "config") or {}
    nodes.has_something(config.get("metadata"))
    run = emit.begin(
        agent=_name_of(call.instance, config, emit),
        prompt=_prompt_of(given),
        session=_thread_of(config) or _thread_of(getattr(call.instance, "config", None) or {}),
    )
    last: dict[str, Any] = {}
    outcome = yield StreamObserver(run, lambda item: _look(item, last))
    approvals.ended(run)
    for interrupt in last.get("interrupts", {}).values():
        run.interrupted(getattr(interrupt, "value", interrupt), interrupt_id=getattr(interrupt, "id", None))
    if outcome.cancelled:
        models.leave(run)
    answer = _answer_in(last)
    if (function := _function_of(call.instance)) is not None and isinstance(answer, dict):
        answer = answer.get(function, answer)
    run.end(_unless_steered(outcome), answer)


def _name_of(graph: Any, config: Any, emit: Emit) -> str:
    """Return the name of a graph; one without is called like the node that it is, or what a deep agent asks for."""
    own, metadata = getattr(graph, "name", None), config.get("metadata") if isinstance(config, dict) else None
    if own in (None, "LangGraph"):
        own = _function_of(graph) or (metadata or {}).get("langgraph_node") or _sub_agent_at(emit) or "LangGraph"
    return str(own)


def _sub_agent_at(emit: Emit) -> Any:
    """Return the sub-agent that the current tool call asks for, as deepagents' ``task`` does; old ones have no name."""
    run, here = emit.current_run(), emit.current()
    call = None if run is None or here is None else run.open_call(here.call_id)
    given = call.started.arguments if isinstance(call, ToolCall) else None
    return given.get("subagent_type") if isinstance(given, dict) else None


def _function_of(graph: Any) -> str | None:
    """Return the name of the function that is a graph, in LangGraph's functional API."""
    nodes = list(getattr(graph, "nodes", None) or ())
    return str(nodes[0]) if len(nodes) == 1 and getattr(graph, "output_channels", None) == "__end__" else None


def _thread_of(config: Any) -> str | None:
    found = (config.get("configurable") or {}).get("thread_id") if isinstance(config, dict) else None
    return None if found is None else str(found)


def _unless_steered(outcome: Outcome) -> Outcome:
    """Return how a graph or tool ended; what only steers the graph (interrupts, handoffs to a parent) is not an error."""
    from langgraph.errors import GraphBubbleUp

    return Outcome() if isinstance(outcome.error, GraphBubbleUp) else outcome


def _asks(outcome: Outcome) -> bool:
    """Return whether what ended stops to ask somebody outside."""
    from langgraph.errors import GraphInterrupt

    return isinstance(outcome.error, GraphInterrupt)


def _look(item: Any, last: dict[str, Any]) -> None:
    """Take the newest messages, and interrupts, out of what a graph streams, in whatever mode."""
    while isinstance(item, tuple) and item:  # (mode, chunk), (namespace, chunk), (namespace, mode, chunk)
        if hasattr(item[0], "type"):  # a message, or a piece of one, and where it is from
            _hear(item[0], last)
            return
        item = item[-1]
    if not isinstance(item, dict):
        return
    if (interrupts := item.get("__interrupt__")) is not None:
        for one in interrupts:  # several nodes may ask at once, and each is reported by itself
            last.setdefault("interrupts", {})[getattr(one, "id", None) or id(one)] = one
        item = {key: value for key, value in item.items() if key != "__interrupt__"}
    for update in (item, *item.values()):  # the whole state, or updates of one node each
        if isinstance(update, dict) and (structured := update.get("structured_response")) is not None:
            last["structured"] = structured
    if isinstance(messages := item.get("messages"), list):
        last["messages"] = messages
        return
    for update in item.values():
        if isinstance(update, dict) and isinstance(messages := update.get("messages"), list) and messages:
            last["messages"] = messages
    if item:
        last["state"] = item


def _hear(message: Any, last: dict[str, Any]) -> None:
    """Keep what was said last, piece by piece."""
    if last.get("hearing") != message.id:
        last["hearing"], last["heard"] = message.id, []
    if role_of(message) == "assistant" and isinstance(text := _text_of(message.content), str):
        last["heard"].append(text)


def _answer_in(last: dict[str, Any]) -> Any:
    for message in reversed(last.get("messages") or []):
        if role_of(message) == "assistant":
            return _text_of(message.content) or last.get("structured")
    return last.get("structured") if "messages" in last else last.get("state", "".join(last.get("heard", ())) or None)


def _prompt_of(given: Any) -> Any:
    messages = given.get("messages") if isinstance(given, dict) else None
    if messages is not None:
        for message in reversed(messages if isinstance(messages, list) else [messages]):
            if isinstance(message, str):
                return message
            if role_of(message) == "user":
                return _text_of(_content_of(message))
    if (resume := getattr(given, "resume", None)) is not None:  # Command(resume=...)
        return resume
    return "" if given is None else given


def _content_of(message: Any) -> Any:
    if isinstance(message, tuple) and len(message) == 2:
        return message[1]
    return message.get("content") if isinstance(message, dict) else getattr(message, "content", message)


def _text_of(content: Any) -> Any:
    if isinstance(content, list):
        texts = [
            part if isinstance(part, str) else part.get("text") for part in content if isinstance(part, (str, dict))
        ]
        return "".join(text for text in texts if text) or content
    return content


# Tools -------------------------------------------------------------------------------------------------------------


def _tool(emit: Emit, call: Invocation, nodes: Nodes) -> _Watching:
    run, tool = emit.current_run(), call.instance
    if run is None:
        yield None
        return
    nodes.has_something(call.kwargs.get("metadata") or (call.kwargs.get("config") or {}).get("metadata"))
    arguments = _arguments(tool, call.argument(0, "tool_input"))
    started = run.tool_started(tool.name, arguments, call.kwargs.get("tool_call_id"))
    outcome = yield started
    result, status = _result_of(outcome.result, call.kwargs.get("tool_call_id"))
    failed = status == "error" and outcome.error is None
    steered = Outcome.skipped("waits for an answer") if _asks(outcome) else _unless_steered(outcome)
    started.ended(Outcome.failed(str(_text_of(result))) if failed else steered, result)
    for agent in _handed_to(outcome.result):
        run.handoff(agent, begin=False)  # the graph begins the agent by itself


def _arguments(tool: Any, given: Any) -> Any:
    """Return the arguments that the model gave, without what LangGraph puts in: state, store, runtime."""
    if not isinstance(given, dict):
        return given
    schema = tool.tool_call_schema
    fields = schema.get("properties") if isinstance(schema, dict) else getattr(schema, "model_fields", None)
    return given if fields is None else {key: value for key, value in given.items() if key in fields}


def _result_of(result: Any, call_id: str | None) -> tuple[Any, str]:
    """Return what a tool said to the model, and the status it gave it."""
    if getattr(result, "type", None) == "tool":
        return _text_of(result.content), result.status
    if not hasattr(result, "goto"):
        return result, "success"
    update = result.update if isinstance(result.update, dict) else {}  # a Command writes its messages into the state
    messages = [m for m in update.get("messages") or () if getattr(m, "type", None) == "tool"]
    for message in messages:
        if call_id in (None, message.tool_call_id):
            return _text_of(message.content), message.status
    return {"goto": result.goto, "graph": result.graph}, "success"


def _handed_to(result: Any) -> list[str]:
    """Return the agents that a Command of a tool hands the conversation to."""
    if getattr(result, "graph", None) != "__parent__":
        return []
    goto = result.goto if isinstance(result.goto, (list, tuple)) else [result.goto]
    return [str(getattr(one, "node", one)) for one in goto]


# Models ------------------------------------------------------------------------------------------------------------


class _Models:
    """The model calls that are open, by LangChain's run, and what was heard of their answers."""

    def __init__(self, emit: Emit, nodes: Nodes) -> None:
        self._emit, self._nodes = emit, nodes
        self._running: dict[UUID, ModelCall] = {}
        self._heard: dict[UUID, list[Any]] = {}

    def chat_started(self, _serialized: Any, messages: Any, *, run_id: UUID, **more: Any) -> None:
        """A chat model is asked."""
        self._start(run_id, [_plain(message) for message in messages[0]], more)

    def text_started(self, _serialized: Any, prompts: Any, *, run_id: UUID, **more: Any) -> None:
        """A model is asked that goes on with a text."""
        self._start(run_id, [{"role": "user", "content": prompt} for prompt in prompts], more)

    def _start(self, run_id: UUID, messages: list[Any], more: dict[str, Any]) -> None:
        if (run := self._emit.current_run()) is None:
            return
        metadata, given = more.get("metadata") or {}, more.get("invocation_params") or {}
        self._nodes.has_something(metadata)
        provider = metadata.get("ls_provider")
        self._running[run_id] = run.model_started(
            call_id=str(run_id),
            provider=provider,
            span=SPAN_EXPECTED if provider == "anthropic" and _TRACES in sys.modules else None,
            model=metadata.get("ls_model_name") or given.get("model") or given.get("model_name"),
            messages=messages,
            streamed=bool(given.get("stream")),
        )

    def token(self, token: Any, *_: Any, run_id: UUID, **_more: Any) -> None:
        """A piece of an answer."""
        if (running := self._running.get(run_id)) is not None:
            running.chunk()
            if said := _text_of(token):
                self._heard.setdefault(run_id, []).append(said)

    def ended(self, response: Any, *, run_id: UUID, **_more: Any) -> None:
        """A whole answer."""
        self._heard.pop(run_id, None)
        if (running := self._running.pop(run_id, None)) is not None:
            _end_with(running, response)

    def failed(self, error: BaseException, *, run_id: UUID, **_more: Any) -> None:
        """None, or only a part of one."""
        cancelled = isinstance(error, (asyncio.CancelledError, GeneratorExit))
        self._break_off(run_id, Outcome(error=None if cancelled else error, cancelled=cancelled))

    def leave(self, run: Run) -> None:
        """End the calls of a graph that is left: LangChain reports that later, or never."""
        for run_id, call in list(self._running.items()):
            if call.run is run:
                self._break_off(run_id, Outcome(cancelled=True))

    def _break_off(self, run_id: UUID, outcome: Outcome) -> None:
        heard = "".join(text for text in self._heard.pop(run_id, ()) if isinstance(text, str))
        if (running := self._running.pop(run_id, None)) is not None:
            running.ended(outcome, [{"role": "assistant", "content": heard}] if heard else None)


def _handler_class() -> type[Any]:
    from langchain_core.callbacks import BaseCallbackHandler

    class TurnspanHandler(BaseCallbackHandler):
        """Hears of model calls; in the caller's context and thread, so that the turn is known."""

        raise_error = False

        @property
        def run_inline(self) -> bool:  # type: ignore[override]
            """Run where the model is asked, and not in a thread of a pool."""
            return not _text_starts.get()

        def __init__(self, emit: Emit, models: _Models, nodes: Nodes) -> None:
            self.models = models
            hooks: dict[str, Callable[..., Any]] = {
                "on_chat_model_start": models.chat_started,
                "on_llm_start": models.text_started,
                "on_llm_new_token": models.token,
                "on_llm_end": models.ended,
                "on_llm_error": models.failed,
                "on_chain_start": nodes.started,
                "on_chain_end": nodes.ended,
                "on_chain_error": nodes.failed,
            }
            vars(self).update({name: emit.patch.guard(hook) for name, hook in hooks.items()})

    return TurnspanHandler


def _end_with(running: ModelCall, response: Any) -> None:
    """End a model call with what LangChain's result says."""
    generation = next((one for some in response.generations for one in some), None)
    message = getattr(generation, "message", None)
    said = getattr(message, "response_metadata", None) or {}
    finish = said.get("finish_reason") or said.get("stop_reason")
    response_id = said.get("id") or getattr(message, "id", None)
    running.ended(
        output=[_plain(message)] if message is not None else getattr(generation, "text", None),
        provider=said.get("model_provider"),
        response_model=said.get("model_name") or said.get("model"),
        response_id=None if str(response_id or "lc_run").startswith("lc_run") else response_id,
        usage=_usage(getattr(message, "usage_metadata", None)),
        finish_reasons=[str(finish)] if finish else [],
    )


def _plain(message: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"role": role_of(message), "content": _content_of(message)}
    if calls := getattr(message, "tool_calls", None):
        found["tool_calls"] = [
            {"id": call.get("id"), "function": {"name": call["name"], "arguments": call.get("args")}} for call in calls
        ]
    if call_id := getattr(message, "tool_call_id", None):
        found["tool_call_id"] = call_id
    return found


def _usage(given: Any) -> Usage | None:
    if not given:
        return None
    details, written = given.get("input_token_details") or {}, given.get("output_token_details") or {}
    return Usage(
        input_tokens=given.get("input_tokens"),
        output_tokens=given.get("output_tokens"),
        cache_read_tokens=details.get("cache_read"),
        cache_write_tokens=details.get("cache_creation"),
        reasoning_tokens=written.get("reasoning"),
    )
