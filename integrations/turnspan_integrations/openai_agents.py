"""The OpenAI Agents SDK.

One run is one turn; a run inside a tool is an agent inside that turn. ``RunHooks`` report what happens, because they
work with the SDK's tracing disabled too; a wrap of the runner reports how it ended, which hooks do not; a wrap of the
failure handler reports which tools failed, which neither hooks nor spans do for a handled failure. A run that is
resumed after an approval is another turn of its session. It is over 200 lines because hooks, the runner and failure
handlers each say a part, and a run must be found again by its trace, its tool or its history.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import uuid
from collections import OrderedDict
from collections.abc import Generator, Sequence
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from turnspan.adapter import CurrentContext, Emit, Invocation, ModelCall, Outcome, ResolvedSession, Run, ToolCall
from turnspan_integrations.loops import record_hosted
from turnspan_integrations.openai_agents_values import (
    approval_key,
    arguments_of,
    asked_for,
    call_id_of,
    message_of,
    model_of,
    prompt_of,
    rejection_of,
    usage_of,
    was_approved,
)
from turnspan_integrations.openai_responses import said_in

REQUIRES = "openai-agents>=0.14,<0.25"
CANNOT = {
    "provider errors that the SDK retries by itself": "it does not say so",
    "finish reasons": "they are inferred from the output",
    "who approved a tool call": "the SDK only knows that somebody did",
}
_CHAINS_REMEMBERED = 1024
_TOOLS = "agents.run_internal.tool_execution"
_GUARDRAILS = "agents.run_internal.guardrails"
_Watching = Generator[Any, Outcome, None]

_DELTAS = ("response.output_text.delta", "response.refusal.delta")


def install(emit: Emit) -> None:
    """Hook the runner, its tools and guardrails, and the handler of tools' failures."""
    watched = _Runs(emit)
    emit.patch.wrap("agents.run:AgentRunner.run", watched.run)
    emit.patch.wrap("agents.run:AgentRunner.run_streamed", watched.run_streamed)
    emit.patch.wrap("agents.tracing.provider:DefaultTraceProvider.create_trace", watched.traces.made)
    emit.patch.wrap("mcp.client.session:ClientSession.call_tool", watched.call_mcp_tool)
    for module in ("agents.tool", _TOOLS):
        emit.patch.wrap(f"{module}:maybe_invoke_function_tool_failure_error_function", watched.tool_failed)
    emit.patch.wrap("agents.exceptions:ToolTimeoutError.__init__", watched.tool_timed_out)
    for function in ("_invoke_function_tool_with_metadata", "invoke_function_tool"):
        emit.patch.wrap(f"{_TOOLS}:{function}", watched.invoke_tool)
    for stage, observer in (("input", watched.guard_tool_input), ("output", watched.guard_tool_output)):
        when = partial(_has_guardrails, f"tool_{stage}_guardrails")
        emit.patch.wrap(f"{_TOOLS}:_execute_tool_{stage}_guardrails", observer, when)
    emit.patch.wrap(f"{_GUARDRAILS}:run_single_input_guardrail", watched.guard("input"))
    emit.patch.wrap(f"{_GUARDRAILS}:run_single_output_guardrail", watched.guard("output"))
    _listen(emit, watched)


def _has_guardrails(kind: str, call: Invocation) -> bool:
    """Return whether there is anything to see: these functions are called for every tool."""
    return bool(getattr(call.kwargs["func_tool"], kind))


def _listen(emit: Emit, runs: _Runs) -> None:
    """Hear what a model says while it says it: no hook reports an answer that never came to its end."""
    from agents.stream_events import RawResponsesStreamEvent

    made, hear = RawResponsesStreamEvent.__init__, emit.patch.guard(runs.hear)

    @functools.wraps(made)
    def make(event: Any, *args: Any, **kwargs: Any) -> None:
        made(event, *args, **kwargs)
        if getattr(event.data, "type", None) in _DELTAS:
            hear(event.data.delta)

    emit.patch.replace(RawResponsesStreamEvent, "__init__", make)


class _Runs:
    """The observers of the SDK's functions, and the runs that they see."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._hooks_class = _hooks_class(emit)
        self._running: dict[Run, _Running] = {}
        self._chains = _Chains()
        self.traces = _Traces()

    def current(self) -> _Running | None:
        """Return the run that the calling code is in."""
        run = self._emit.current_run()
        return None if run is None else self._running.get(run)

    def hear(self, text: str) -> None:
        """A piece of what a model says."""
        if (running := self.current()) is not None:
            running.heard.append(text)

    # The runner --------------------------------------------------------------------------------------------------

    def run(self, call: Invocation) -> _Watching:
        """A run to its end."""
        running = self._begin(call)
        outcome = yield running.run
        self._end(running, outcome)

    def run_streamed(self, call: Invocation) -> _Watching:
        """A run that goes on in a task of its own."""
        running = self._begin(call)
        running.streamed = True
        outcome = yield running.run
        task = getattr(outcome.result, "run_loop_task", None)

        def ended(done: Any) -> None:
            error = None if done.cancelled() else done.exception()
            self._end(running, Outcome(outcome.result, error, cancelled=done.cancelled()))

        if task is None:
            self._end(running, outcome)
        else:
            task.add_done_callback(self._emit.patch.guard(ended, running.run))

    def _begin(self, call: Invocation) -> _Running:
        agent, given = call.argument(0, "starting_agent"), call.argument(1, "input")
        config = call.kwargs.get("run_config")
        content = getattr(config, "trace_include_sensitive_data", True) is not False
        resumed = given if hasattr(given, "get_interruptions") else None
        if resumed is not None:
            agent, given = getattr(resumed, "_current_agent", None) or agent, getattr(resumed, "_original_input", "")
        session, chained = None, False
        if self._emit.current_run() is None:
            session, chained = _session(self._emit, call, agent, config, self._chains, self.traces)
        run = self._emit.begin(agent=agent.name, prompt=prompt_of(given) if content else "", session=session)
        running = _Running(run, config, content=content, parent=self.current(), here=self._emit.current())
        running.chained = chained
        running.seen = max(0, len(given) - 1) if isinstance(given, list) else 0
        theirs = call.kwargs.get("hooks")
        if theirs is None or isinstance(theirs, self._hooks_class.__mro__[1]):
            call.kwargs["hooks"] = self._hooks_class(running, theirs)
        self._running[run] = running
        if resumed is not None:
            running.resumed(resumed)
        return running

    def _end(self, running: _Running, outcome: Outcome) -> None:
        del self._running[running.run]
        result = outcome.result
        if running.heard and running.model is not None:  # ended already, unless it was broken off
            said = [{"role": "assistant", "content": "".join(running.heard)}]
            running.model.ended(outcome._replace(result=None), running.said(said))
        asked = list(getattr(result, "interruptions", None) or ())
        for item in asked:
            running.ask(item)
        answer = getattr(result, "final_output", None) if outcome.error is None else None
        running.run.end(outcome, running.said(answer))
        if outcome.error is None and (running.chained or asked):
            self._chains.remember(result, asked, running.run.session_id)

    # Its tools ---------------------------------------------------------------------------------------------------

    def invoke_tool(self, call: Invocation) -> _Watching:
        """The tool itself: what runs inside of it is its own."""
        running, context = self.current(), call.kwargs.get("context")
        call_id, tool = call_id_of(context), call.kwargs.get("function_tool")
        if running is None:
            yield None
            return
        if running.run.open_call(call_id) is None and tool is not None:  # goes on: its start was in the run before
            running.tool_started(context, getattr(context, "agent", None), tool)
        outcome = yield (called := running.run.open_call(call_id))
        if outcome.error is not None and call_id in running.failures:
            running.tool_ended(call_id, None)  # it was to end the run
        elif isinstance(called, ToolCall) and call_id in running.waiting:
            called.ended(Outcome.skipped("waits for approval"))

    def tool_timed_out(self, call: Invocation) -> _Watching:
        """The SDK makes this exception whatever it then does with it."""
        yield None
        here, running = self._emit.current(), self.current()
        if running is not None and here is not None:
            running.failures[here.call_id] = call.instance

    def call_mcp_tool(self, _call: Invocation) -> _Watching:
        """A server's tool that failed: its words are the model's answer, and nothing else says that it did."""
        outcome = yield None
        here, running = self._emit.current(), self.current()
        result = outcome.result  # FastMCP's warn of the name before 2.0
        failed = result.is_error if hasattr(result, "is_error") else getattr(result, "isError", False)
        if failed and running is not None and here is not None and running.run.open_call(here.call_id) is not None:
            texts = (getattr(block, "text", "") for block in outcome.result.content or ())
            running.failures[here.call_id] = "\n".join(filter(None, texts)) or "the tool failed"

    def tool_failed(self, call: Invocation) -> _Watching:
        """The failure of a tool; a handled one becomes an answer to the model, and ``on_tool_end`` comes still."""
        running, call_id = self.current(), call_id_of(call.kwargs.get("context"))
        outcome = yield None
        error = call.kwargs.get("error")
        if running is not None and isinstance(error, Exception) and running.run.open_call(call_id) is not None:
            running.failures[call_id] = error
            if outcome.result is None:
                running.tool_ended(call_id, None)

    # Guardrails --------------------------------------------------------------------------------------------------

    def guard(self, stage: Any) -> Any:
        """Return the observer of one guardrail of an agent."""

        def guard(_call: Invocation) -> _Watching:
            running, outcome = self.current(), (yield None)
            if running is not None and (said := getattr(outcome.result, "output", None)) is not None:
                name, verdict = outcome.result.guardrail.get_name(), running.said(said.output_info)
                running.run.guardrail(name, stage=stage, tripped=bool(said.tripwire_triggered), verdict=verdict)

        return guard

    def guard_tool_input(self, call: Invocation) -> _Watching:
        """The guardrails in front of a tool: one that they refuse does not start."""
        running, results = self.current(), call.kwargs.get("tool_input_guardrail_results")
        before = len(results or ())
        outcome = yield None
        tool, context = call.kwargs["func_tool"], call.kwargs["tool_context"]
        if running is None:
            return
        running.guarded(tool, context, "tool_input", (results or ())[before:])
        if outcome.result is not None or outcome.error is not None:
            reason = str(outcome.result if outcome.error is None else outcome.error)
            arguments = running.said(getattr(context, "tool_arguments", None))
            running.run.tool_refused(tool.name, arguments, call_id_of(context), reason=reason)

    def guard_tool_output(self, call: Invocation) -> _Watching:
        """The guardrails behind a tool: it has run, whatever they make of its result."""
        running, results = self.current(), call.kwargs.get("tool_output_guardrail_results")
        before = len(results or ())
        yield None
        tool, context = call.kwargs["func_tool"], call.kwargs["tool_context"]
        said = (results or ())[before:]
        if running is not None and said:
            running.guarded(tool, context, "tool_output", said)
            running.tool_ended(call_id_of(context), call.kwargs.get("real_result"))


class _Running:
    """What is known of one run while it lasts."""

    def __init__(
        self, run: Run, config: Any, *, content: bool, parent: _Running | None, here: CurrentContext | None
    ) -> None:
        self.run, self.config, self.content = run, config, content
        self.parent, self.within = parent, None if here is None else here.call_id
        self.streamed = self.chained = False
        self.model: ModelCall | None = None
        self.heard: list[str] = []
        self.failures: dict[Any, Exception | str] = {}
        self.unnamed: dict[str, str] = {}
        self.asked: set[tuple[str, str | None]] = set()
        """The tool calls for which an agent inside of the run asked for approval already."""
        self.waiting: set[str | None] = set()
        """The tool calls whose agents did."""
        self.seen = 0

    def said(self, value: Any) -> Any:
        """Return content, unless the run is configured to keep sensitive data out of traces."""
        return value if self.content else None

    def resumed(self, state: Any) -> None:
        """Take the decisions that a run goes on with; a call that was denied is never made."""
        context = getattr(state, "_context", None)
        for item in state.get_interruptions():
            name, call_id = asked_for(item)
            approved = None if context is None else was_approved(context, item, name, call_id)
            if approved is None:
                continue
            reason = None if approved else rejection_of(context, item, name, call_id)
            self.run.approval_decided(name, call_id, approved=approved, reason=self.said(reason))
            if not approved:
                arguments = self.said(arguments_of(item))
                self.run.tool_refused(name, arguments, call_id, reason=self.said(reason) or "not approved")

    def ask(self, item: Any) -> None:
        """Say that a tool call waits for approval; every run around it says so, too, and the innermost is the one."""
        if (one := asked_for(item)) not in self.asked:
            self.run.approval_asked(*one, arguments=self.said(arguments_of(item)))
        if self.parent is not None:
            self.parent.asked.add(one)
            self.parent.waiting.add(self.within)

    def guarded(self, tool: Any, context: Any, stage: Any, results: Sequence[Any]) -> None:
        """Say what guardrails made of a tool's call."""
        for one in results:
            about: dict[str, Any] = {"tool_name": tool.name, "call_id": call_id_of(context)}
            behavior = dict(one.output.behavior)
            verdict = self.said({**behavior, "output_info": one.output.output_info})
            tripped = behavior.get("type") != "allow"
            self.run.guardrail(one.guardrail.get_name(), stage=stage, tripped=tripped, verdict=verdict, **about)

    def tool_ended(self, call_id: Any, result: Any) -> None:
        """Say how a tool ended."""
        failure, call = self.failures.pop(call_id, None), self.run.open_call(call_id)
        if not isinstance(call, ToolCall):
            return
        if failure is None:
            call.ended(result=self.said(result))
        else:
            late, kind = "Timeout" in type(failure).__name__, "tool_error" if isinstance(failure, str) else None
            call.ended(Outcome.timed_out(failure) if late else Outcome.failed(failure, kind), self.said(result))

    # What the hooks report -----------------------------------------------------------------------------------------

    def model_started(self, agent: Any, system_prompt: Any, input_items: Any) -> None:
        """A model is asked."""
        items = input_items if isinstance(input_items, list) else [{"role": "user", "content": input_items}]
        before = min(self.seen, len(items))
        self.seen = len(items)
        provider, name = model_of(agent, self.config)
        self.model = self.run.model_started(
            provider=provider,
            model=name,
            messages=self.said(items[before:]),
            history=before,
            instructions=self.said(system_prompt),
            streamed=self.streamed,
        )

    def model_ended(self, call: ModelCall, response: Any) -> None:
        """It has answered; tools that ran at the provider are in its answer."""
        self.heard.clear()
        calls = any(getattr(item, "type", None) == "function_call" for item in response.output)
        call.ended(
            output=self.said([message_of(item) for item in response.output]),
            response_id=response.response_id,
            finish_reasons=["tool_calls" if calls else "stop"],
            usage=usage_of(response.usage),
        )
        said = said_in(response.output)
        record_hosted(self.run, said if self.content else [one._replace(text=None, arguments=None) for one in said])

    def tool_started(self, context: Any, agent: Any, tool: Any) -> None:
        """A tool starts."""
        arguments = self.said(getattr(context, "tool_arguments", None))
        by = getattr(agent, "name", None)
        call = self.run.tool_started(tool.name, arguments, call_id_of(context), agent=by)
        if call_id_of(context) is None:  # computers and shells are called without one
            self.unnamed[tool.name] = call.call_id

    def handed_off(self, to_agent: Any) -> None:
        """Another agent goes on."""
        self.run.handoff(to_agent.name, description=getattr(to_agent, "handoff_description", None))


def _session(
    emit: Emit, call: Invocation, agent: Any, config: Any, chains: _Chains, traces: _Traces
) -> tuple[ResolvedSession, bool]:
    """Return the session of a run, and whether it is only known by its history."""
    own = call.kwargs.get("conversation_id")
    if not own:
        with contextlib.suppress(Exception):  # a user's property
            own = call.kwargs["session"].session_id
    own = own or getattr(config, "group_id", None) or traces.current()
    if own:
        return emit.session(str(own), agent_id=agent.name), False
    previous = call.kwargs.get("previous_response_id")
    session = emit.session(chains.find(call.argument(1, "input"), previous), agent_id=agent.name)
    return session, session.source in ("new", "runtime")


class _Traces:
    """The traces of a program, which group its runs, also where the SDK's tracing is off and they are not recorded."""

    def __init__(self) -> None:
        self._unrecorded: WeakKeyDictionary[Any, str] = WeakKeyDictionary()

    def made(self, call: Invocation) -> _Watching:
        """A trace, of the program or of a run; one that is not recorded forgets what it was made with."""
        outcome = yield None
        if getattr(outcome.result, "trace_id", None) == "no-op":
            named = call.argument(2, "group_id") or call.argument(1, "trace_id") or f"trace_{uuid.uuid4().hex}"
            self._unrecorded[outcome.result] = str(named)

    def current(self) -> str | None:
        """Return the group or id of a ``with trace(...)`` around the run."""
        from agents.tracing import get_current_trace

        trace = get_current_trace()
        if trace is None:
            return None
        if trace in self._unrecorded:
            return self._unrecorded[trace]
        found = getattr(trace, "group_id", None) or trace.trace_id
        return None if found == "no-op" else found


class _Chains:
    """Which session a history belongs to: runs that are given what an earlier run returned go on with its session."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, str] = OrderedDict()

    def find(self, given: Any, previous_response_id: Any) -> str | None:
        if previous_response_id:
            return self._known.get(str(previous_response_id))
        if hasattr(given, "get_interruptions"):
            keys = (approval_key(item) for item in given.get_interruptions())
            return next((s for key in keys if (s := self._known.get(key))), None)
        if not isinstance(given, list):
            return None
        prefixes = (given[:-new] for new in range(1, min(4, len(given))))
        return next((s for prefix in prefixes if (s := self._known.get(_fingerprint(prefix)))), None)

    def remember(self, result: Any, asked: Sequence[Any], session_id: str) -> None:
        keys = [getattr(result, "last_response_id", None), *map(approval_key, asked)]
        with contextlib.suppress(Exception):  # a result that cannot be passed on is not a chain
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

    guard = emit.patch.guard

    class Hooks(RunHooks):  # type: ignore[misc]
        """Says what happens, then lets the user's own hooks do what they do."""

        def __init__(self, running: _Running, theirs: Any) -> None:
            self._running, self._theirs = running, theirs or RunHooks()

        async def on_agent_start(self, context: Any, agent: Any) -> None:
            await self._theirs.on_agent_start(context, agent)

        async def on_agent_end(self, context: Any, agent: Any, output: Any) -> None:
            await self._theirs.on_agent_end(context, agent, output)

        async def on_llm_start(self, context: Any, agent: Any, system_prompt: Any, input_items: Any) -> None:
            guard(self._running.model_started)(agent, system_prompt, input_items)
            await self._theirs.on_llm_start(context, agent, system_prompt, input_items)

        async def on_llm_end(self, context: Any, agent: Any, response: Any) -> None:
            call, self._running.model = self._running.model, None
            if call is not None:
                guard(self._running.model_ended, call)(call, response)
            await self._theirs.on_llm_end(context, agent, response)

        async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
            guard(self._running.tool_started)(context, agent, tool)
            await self._theirs.on_tool_start(context, agent, tool)

        async def on_tool_end(self, context: Any, agent: Any, tool: Any, result: Any) -> None:
            call_id = call_id_of(context) or self._running.unnamed.pop(tool.name, None)
            guard(self._running.tool_ended, self._running.run.open_call(call_id))(call_id, result)
            await self._theirs.on_tool_end(context, agent, tool, result)

        async def on_handoff(self, context: Any, from_agent: Any, to_agent: Any) -> None:
            guard(self._running.handed_off)(to_agent)
            await self._theirs.on_handoff(context, from_agent=from_agent, to_agent=to_agent)

    return Hooks
