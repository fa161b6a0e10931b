"""The OpenAI Agents SDK.

One run is one turn; a run inside a tool is an agent inside that turn. ``RunHooks`` tell what happens, because they work
with the SDK's tracing disabled too; a wrap of the runner tells how it ended, which hooks do not; a wrap of the failure
handler tells which tools failed, which neither hooks nor spans do for a handled failure.

Cannot tell: provider errors that the SDK retries by itself; finish reasons (they are inferred from the output).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections import OrderedDict
from collections.abc import Generator
from typing import Any

from turnspan.adapter import Emit, Invocation, Outcome, ResolvedSession, error_text, error_type, new_id
from turnspan.events import (
    AgentEnded,
    AgentStarted,
    HandedOff,
    ModelCallEnded,
    ModelCallStarted,
    ToolCallEnded,
    ToolCallStarted,
    TurnEnded,
    TurnStarted,
    Usage,
)

REQUIRES = "openai-agents>=0.14"
CANNOT: dict[str, str] = {}
_CHAINS_REMEMBERED = 1024
_Watching = Generator[Any, Outcome, None]


def install(emit: Emit) -> None:
    """Hook the runner, its tools, and the handler of their failures."""
    hooks_class = _hooks_class(emit)
    runs: dict[tuple[str | None, str | None], _Run] = {}
    chains = _Chains()

    def run(call: Invocation) -> _Watching:
        state = _begin(emit, call, hooks_class, chains)
        runs[state.key] = state
        outcome = yield state.started
        runs.pop(state.key, None)
        state.end(outcome)

    def run_streamed(call: Invocation) -> _Watching:
        state = _begin(emit, call, hooks_class, chains)
        state.streamed = True
        runs[state.key] = state
        outcome = yield state.started
        task = getattr(outcome.result, "run_loop_task", None)

        def ended(done: Any) -> None:
            runs.pop(state.key, None)
            error = None if done.cancelled() else done.exception()
            state.end(Outcome(outcome.result, error, cancelled=done.cancelled()))

        if task is None:
            runs.pop(state.key, None)
            state.end(outcome)
        else:
            task.add_done_callback(emit.patch.guard(ended))

    def current_run() -> _Run | None:
        here = emit.current()
        return None if here is None else runs.get((here.turn_id, here.call_id))

    def invoke_tool(call: Invocation) -> _Watching:
        state, call_id = current_run(), getattr(call.kwargs.get("context"), "tool_call_id", None)
        outcome = yield None if state is None else state.tools.get(call_id)
        if state is not None and outcome.error is not None and call_id in state.failures:
            state.tool_ended(call_id, None)  # it was to end the run

    def tool_timed_out(call: Invocation) -> _Watching:
        yield None  # the SDK makes this exception whatever it then does with it
        here = emit.current()
        state = next(
            (r for r in list(runs.values()) if here and here.turn_id == r.turn_id and here.call_id in r.tools), None
        )
        if state is not None and here is not None:
            state.failures[here.call_id] = call.instance

    def tool_failed(call: Invocation) -> _Watching:
        here, call_id = emit.current(), getattr(call.kwargs.get("context"), "tool_call_id", None)
        outcome = yield None
        state = next(
            (r for r in list(runs.values()) if here and r.turn_id == here.turn_id and call_id in r.tools), None
        )
        if state is not None and isinstance(error := call.kwargs.get("error"), Exception):
            state.tool_failed(call_id, error, handled=outcome.result is not None)

    emit.patch.wrap("agents.run:AgentRunner.run", run)
    emit.patch.wrap("agents.run:AgentRunner.run_streamed", run_streamed)
    for module in ("agents.tool", "agents.run_internal.tool_execution"):
        emit.patch.wrap(f"{module}:maybe_invoke_function_tool_failure_error_function", tool_failed)
    emit.patch.wrap("agents.exceptions:ToolTimeoutError.__init__", tool_timed_out)
    emit.patch.wrap("agents.run_internal.tool_execution:_invoke_function_tool_with_metadata", invoke_tool)
    emit.patch.wrap("agents.run_internal.tool_execution:invoke_function_tool", invoke_tool)


class _Run:
    """What is known of one run while it lasts."""

    def __init__(self, emit: Emit, agent: Any, started: TurnStarted | AgentStarted, *, content: bool) -> None:
        self.emit, self.started, self.content = emit, started, content
        self.session_id, self.turn_id = started.session_id, started.turn_id
        self.top = started.call_id  # the call that the run is; None when it is the turn
        self.inside = started.call_id  # the agent's call that is running: another one after a handoff
        self.agent_name = agent.name
        self.streamed = False
        self.model: ModelCallStarted | None = None
        self.tools: dict[Any, ToolCallStarted] = {}
        self.failures: dict[Any, Exception] = {}
        self.seen = 0
        self.chain: _Chains | None = None

    @property
    def key(self) -> tuple[str | None, str | None]:
        """What code inside the run finds it by."""
        return self.turn_id, self.top

    def at(self, **more: Any) -> dict[str, Any]:
        """Return the ids that every event of the run has."""
        return {"session_id": self.session_id, "turn_id": self.turn_id, "agent_id": self.agent_name, **more}

    def said(self, value: Any) -> Any:
        """Return content, unless the run was told to keep sensitive data out of traces."""
        return value if self.content else None

    def end(self, outcome: Outcome) -> None:
        """Tell how the run ended."""
        answer = self.said(getattr(outcome.result, "final_output", None)) if outcome.error is None else None
        ended = {**outcome.ended(), "response_content": answer}
        if self.model is not None and outcome.error is not None and not outcome.cancelled:
            self.emit(ModelCallEnded(**self.at(call_id=self.model.call_id), **outcome.ended()))
        if self.inside != self.top:
            self.emit(AgentEnded(**self.at(call_id=self.inside), **ended))
        if self.top is None:
            self.emit(TurnEnded(**self.at(), **ended))
        else:
            self.emit(AgentEnded(**self.at(call_id=self.top), **ended))
        if self.chain is not None and outcome.error is None:
            self.chain.remember(outcome.result, self.session_id)

    def tool_failed(self, call_id: Any, error: Exception, *, handled: bool) -> None:
        """Take the failure of a tool; a handled one becomes an answer to the model, and ``on_tool_end`` comes still."""
        self.failures[call_id] = error
        if not handled:
            self.tool_ended(call_id, None)

    def tool_ended(self, call_id: Any, result: Any) -> None:
        """Tell how a tool ended."""
        started = self.tools.pop(call_id, None)
        failure = self.failures.pop(call_id, None)
        if started is None:
            return
        more: dict[str, Any] = {}
        if failure is not None:
            status = "timeout" if "Timeout" in type(failure).__name__ else "error"
            more = {"status": status, "error": error_text(failure), "error_type": error_type(failure)}
        self.emit(
            ToolCallEnded(
                **self.at(call_id=started.call_id, agent_id=started.agent_id), result=self.said(result), **more
            )
        )


def _begin(emit: Emit, call: Invocation, hooks_class: Any, chains: _Chains) -> _Run:
    agent, given = call.argument(0, "starting_agent"), call.argument(1, "input")
    config = call.kwargs.get("run_config")
    content = getattr(config, "trace_include_sensitive_data", True) is not False
    here = emit.current()
    started: TurnStarted | AgentStarted
    chain = None
    if here is not None and here.turn_id is not None:
        started = AgentStarted(
            session_id=here.session_id,
            turn_id=here.turn_id,
            call_id=new_id(),
            parent_id=here.call_id,
            agent_id=agent.name,
        )
    else:
        session, chained = _session(emit, call, agent, config, chains)
        chain = chains if chained else None
        started = TurnStarted(
            session_id=session.id, turn_id=new_id(), agent_id=agent.name, prompt=_prompt(given) if content else ""
        )
    emit(started)
    state = _Run(emit, agent, started, content=content)
    state.chain = chain
    state.seen = max(0, len(given) - 1) if isinstance(given, list) else 0
    theirs = call.kwargs.get("hooks")
    if theirs is None or isinstance(theirs, hooks_class.__mro__[1]):
        call.kwargs["hooks"] = hooks_class(state, theirs)
    return state


def _session(emit: Emit, call: Invocation, agent: Any, config: Any, chains: _Chains) -> tuple[ResolvedSession, bool]:
    """Return the session of a run, and whether it is only known by its history."""
    own = call.kwargs.get("conversation_id")
    if not own:
        with contextlib.suppress(Exception):  # a user's property
            own = call.kwargs["session"].session_id
    own = own or getattr(config, "group_id", None) or _trace_id()
    if own:
        return emit.session(str(own), agent_id=agent.name), False
    previous = call.kwargs.get("previous_response_id")
    session = emit.session(chains.find(call.argument(1, "input"), previous), agent_id=agent.name)
    return session, session.source in ("new", "runtime")


def _trace_id() -> str | None:
    """Return the group or id of a ``with trace(...)`` around the run."""
    from agents.tracing import get_current_trace

    trace = get_current_trace()
    if trace is None:
        return None
    found = getattr(trace, "group_id", None) or trace.trace_id
    return None if found == "no-op" else found


class _Chains:
    """Which session a history belongs to: runs that are given what an earlier run returned go on with its session."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, str] = OrderedDict()

    def find(self, given: Any, previous_response_id: Any) -> str | None:
        if previous_response_id:
            return self._known.get(str(previous_response_id))
        if not isinstance(given, list):
            return None
        prefixes = (given[:-new] for new in range(1, min(4, len(given))))
        return next((s for prefix in prefixes if (s := self._known.get(_fingerprint(prefix)))), None)

    def remember(self, result: Any, session_id: str) -> None:
        keys = [getattr(result, "last_response_id", None)]
        with contextlib.suppress(Exception):  # a result that cannot be given on is no chain
            keys.append(_fingerprint(result.to_input_list()))
        for key in filter(None, keys):
            self._known[key] = session_id
            self._known.move_to_end(key)
        while len(self._known) > _CHAINS_REMEMBERED:
            self._known.popitem(last=False)


def _fingerprint(items: list[Any]) -> str:
    text = json.dumps([len(items), items[0], items[-1]], sort_keys=True, default=repr)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def _hooks_class(emit: Emit) -> Any:
    """Return the composite of our hooks and the user's."""
    from agents.lifecycle import RunHooks

    class Hooks(RunHooks):  # type: ignore[misc]
        """Tells what happens, then lets the user's own hooks do what they do."""

        def __init__(self, run: _Run, theirs: Any) -> None:
            self._run, self._theirs = run, theirs

        async def on_agent_start(self, context: Any, agent: Any) -> None:
            if self._theirs is not None:
                await self._theirs.on_agent_start(context, agent)

        async def on_agent_end(self, context: Any, agent: Any, output: Any) -> None:
            if self._theirs is not None:
                await self._theirs.on_agent_end(context, agent, output)

        async def on_llm_start(self, context: Any, agent: Any, system_prompt: Any, input_items: Any) -> None:
            model_started(self._run, agent, system_prompt, input_items)
            if self._theirs is not None:
                await self._theirs.on_llm_start(context, agent, system_prompt, input_items)

        async def on_llm_end(self, context: Any, agent: Any, response: Any) -> None:
            model_ended(self._run, response)
            if self._theirs is not None:
                await self._theirs.on_llm_end(context, agent, response)

        async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
            tool_started(self._run, context, agent, tool)
            if self._theirs is not None:
                await self._theirs.on_tool_start(context, agent, tool)

        async def on_tool_end(self, context: Any, agent: Any, tool: Any, result: Any) -> None:
            tool_ended(self._run, context, result)
            if self._theirs is not None:
                await self._theirs.on_tool_end(context, agent, tool, result)

        async def on_handoff(self, context: Any, from_agent: Any, to_agent: Any) -> None:
            handed_off(self._run, from_agent, to_agent)
            if self._theirs is not None:
                await self._theirs.on_handoff(context, from_agent=from_agent, to_agent=to_agent)

    model_started, model_ended = emit.patch.guard(_model_started), emit.patch.guard(_model_ended)
    tool_started, tool_ended = emit.patch.guard(_tool_started), emit.patch.guard(_tool_ended)
    handed_off = emit.patch.guard(_handed_off)
    return Hooks


def _model_started(run: _Run, agent: Any, system_prompt: Any, input_items: Any) -> None:
    items = input_items if isinstance(input_items, list) else [{"role": "user", "content": input_items}]
    before = min(run.seen, len(items))
    run.seen = len(items)
    new = [{"role": "system", "content": system_prompt}] if system_prompt and not before else []
    model = getattr(agent.model, "model", agent.model)
    run.model = ModelCallStarted(
        **run.at(call_id=new_id(), parent_id=run.inside),
        provider=_provider(agent.model),
        model=model if isinstance(model, str) else None,
        messages=run.said([*new, *items[before:]]),
        history=before,
        streamed=run.streamed,
    )
    run.emit(run.model)


def _model_ended(run: _Run, response: Any) -> None:
    started, run.model = run.model, None
    if started is None:
        return
    output = response.output
    used = response.usage
    read, reasoning = getattr(used, "input_tokens_details", None), getattr(used, "output_tokens_details", None)
    calls = any(getattr(item, "type", None) == "function_call" for item in output)
    run.emit(
        ModelCallEnded(
            **run.at(call_id=started.call_id),
            response_id=response.response_id,
            output=run.said([_item(item) for item in output]),
            finish_reasons=["tool_calls" if calls else "stop"],
            usage=None
            if not used.total_tokens
            else Usage(  # a model that counts nothing says zero
                input_tokens=used.input_tokens,
                output_tokens=used.output_tokens,
                cache_read_tokens=getattr(read, "cached_tokens", None) or None,
                cache_write_tokens=getattr(read, "cache_write_tokens", None) or None,
                reasoning_tokens=getattr(reasoning, "reasoning_tokens", None) or None,
            ),
        )
    )


def _tool_started(run: _Run, context: Any, agent: Any, tool: Any) -> None:
    call_id = getattr(context, "tool_call_id", None)
    started = ToolCallStarted(
        **run.at(call_id=call_id or new_id(), parent_id=run.inside, agent_id=agent.name),
        tool_name=tool.name,
        arguments=run.said(getattr(context, "tool_arguments", None)),
    )
    run.tools[call_id] = started
    run.emit(started)


def _tool_ended(run: _Run, context: Any, result: Any) -> None:
    run.tool_ended(getattr(context, "tool_call_id", None), result)


def _handed_off(run: _Run, from_agent: Any, to_agent: Any) -> None:
    below = run.inside
    run.emit(HandedOff(**run.at(parent_id=below), from_agent=from_agent.name, to_agent=to_agent.name))
    if below != run.top:
        run.emit(AgentEnded(**run.at(call_id=below)))
    run.agent_name, run.inside = to_agent.name, new_id()
    run.emit(
        AgentStarted(
            **run.at(call_id=run.inside, parent_id=run.top), description=getattr(to_agent, "handoff_description", None)
        )
    )


def _prompt(given: Any) -> Any:
    """Return the last user message of an input."""
    if isinstance(given, list):
        users = [item for item in given if isinstance(item, dict) and item.get("role") == "user"]
        return users[-1:] or given[-1:]
    return given if isinstance(given, str) else ""


def _provider(model: Any) -> str:
    if isinstance(model, str):
        parts = model.split("/")
        return "openai" if len(parts) == 1 else parts[1] if parts[0] == "litellm" and len(parts) > 2 else parts[0]
    name = type(model).__name__
    if name == "LitellmModel":
        return str(getattr(model, "model", "")).partition("/")[0] or "litellm"
    return "openai" if name.startswith("OpenAI") or model is None else "_OTHER"


def _item(item: Any) -> Any:
    """Return an output item as a message; anything unusual as the SDK itself dumps it."""
    kind = getattr(item, "type", None)
    if kind == "function_call":
        return {"type": kind, "call_id": item.call_id, "name": item.name, "arguments": item.arguments}
    if kind == "message":
        return {"role": item.role, "content": "".join(getattr(part, "text", "") or "" for part in item.content)}
    return item
