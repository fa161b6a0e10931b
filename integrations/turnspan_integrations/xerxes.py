"""Xerxes (``xerxes-agent``), both of its runtimes.

The class runtime, ``Xerxes``: one ``create_response`` with all its re-invocations is a turn. The loop runtime,
``xerxes.streaming.loop.run``: one call is a turn. Neither needs a session store or an audit collector of the user's;
where there is one, its turn records get the audit event ids that Xerxes leaves empty. It is over 200 lines because the
package is two runtimes that have nothing in common.
"""

from __future__ import annotations

import sys
import weakref
from collections import Counter
from collections.abc import Generator
from typing import Any

from turnspan.adapter import Emit, Invocation, ModelCall, Outcome, Run, StreamObserver, ToolCall, new_id
from turnspan.events import Usage

REQUIRES = "xerxes-agent>=0.2.5,<0.3"
CANNOT = {
    "tokens": "the class runtime does not say them",
    "finish reasons": "they are inferred from the answer",
    "response ids": "no model says them",
}
_Watching = Generator[Any, Outcome, None]
_OWN_EVENTS = (
    "turn_start",
    "turn_end",
    "tool_call_attempt",
    "tool_call_complete",
    "tool_call_failure",
    "error",
    "agent_switch",
)
"""Audit events of Xerxes for which we have events of our own."""


def install(emit: Emit) -> None:
    """Hook both runtimes."""
    _ClassRuntime(emit).install()
    _LoopRuntime(emit).install()


class _Turn:
    """What is known of one run while it lasts."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.said: list[str] = []
        self.model: ModelCall | None = None
        self.heard: list[str] = []
        """What that model call said so far."""
        self.tools: dict[str, ToolCall] = {}
        self.asked: set[str] = set()  # calls that somebody was asked about
        self._seen: Counter[str] = Counter()

    def unused(self, call_id: str | None) -> str | None:
        """Return the runtime's call id; Xerxes gives the same one twice, so it is numbered from the second time on."""
        if not call_id:
            return None
        self._seen[call_id] += 1
        return call_id if self._seen[call_id] == 1 else f"{call_id}#{self._seen[call_id]}"

    @property
    def answer(self) -> str | None:
        """What was said in it."""
        return "".join(self.said) or None


class _Runtime:
    """What both runtimes share: which turn the code runs in."""

    def __init__(self, emit: Emit) -> None:
        self.emit = emit
        self.turns: dict[Run, _Turn] = {}

    def begin(self, own_session: str | None, agent: str | None, prompt: Any, turn_id: str | None = None) -> _Turn:
        """Begin a turn, or an agent inside the one that is running."""
        run = self.emit.begin(agent=agent, prompt=prompt or "", session=own_session, turn_id=turn_id)
        turn = self.turns[run] = _Turn(run)
        return turn

    def current(self) -> _Turn | None:
        """Return the turn that the calling code runs in, also inside of its tools."""
        run = self.emit.current_run()
        return None if run is None else self.turns.get(run)

    def end(self, turn: _Turn, outcome: Outcome) -> None:
        """End a turn; only the first end counts."""
        self.turns.pop(turn.run, None)
        if turn.model is not None and outcome.status != "success":  # the turn was left before its stream is closed
            turn.model.ended(outcome._replace(result=None), _output(turn.heard, []))
        turn.run.end(outcome, turn.answer)


class _ClassRuntime(_Runtime):
    """``Xerxes`` and its executor."""

    def __init__(self, emit: Emit) -> None:
        super().__init__(emit)
        self._sessions: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()
        self._models: set[type] = set()
        self._unclaimed: set[str] = set()

    def install(self) -> None:
        from xerxes.xerxes import Xerxes

        self._new_turn_id = Xerxes._new_runtime_turn_id  # noqa: SLF001
        self.emit.patch.replace(Xerxes, "_new_runtime_turn_id", staticmethod(self._turn_id))
        self.emit.patch.wrap("xerxes.xerxes:Xerxes.__init__", self._made)
        self.emit.patch.wrap("xerxes.xerxes:Xerxes.create_response", self._respond)
        self.emit.patch.wrap("xerxes.executors:FunctionExecutor._execute_single_call", self._call_tool)
        self.emit.patch.wrap("xerxes.executors:AgentOrchestrator.switch_agent", self._switch)
        self.emit.patch.wrap("xerxes.session.store:SessionManager.record_turn", self._stamp)
        self.emit.patch.wrap("xerxes.audit.emitter:AuditEmitter._emit", self._audit)

    def _turn_id(self) -> str:
        """Give Xerxes the id of the turn that we began, so that its records and ours are of one turn."""
        here = self.emit.current()
        if here is not None and here.turn_id in self._unclaimed:
            self._unclaimed.discard(here.turn_id)
            return here.turn_id
        return str(self._new_turn_id())

    def _made(self, call: Invocation) -> _Watching:
        yield None
        model = type(getattr(call.instance, "llm_client", None))
        if model not in self._models and hasattr(model, "generate_completion"):
            self._models.add(model)
            self.emit.patch.wrap((model, "generate_completion"), self._ask)
            self.emit.patch.wrap((model, "astream_completion"), self._answer)

    def _session(self, xerxes: Any) -> str:
        return getattr(xerxes, "_session_id", None) or self._sessions.setdefault(xerxes, new_id())

    def _respond(self, call: Invocation) -> _Watching:
        if call.argument(11, "reinvoked_runtime", default=False):
            return  # the same turn goes on
        prompt, agent_id = call.argument(0, "prompt"), call.argument(3, "agent_id")
        agent = agent_id if agent_id is not None and not isinstance(agent_id, str) else None
        if agent is None:
            orchestrator = call.instance.orchestrator
            agent = orchestrator.agents.get(agent_id or orchestrator.current_agent_id)
        name, turn_id = getattr(agent, "id", None) or "default", str(self._new_turn_id())
        self._unclaimed.add(turn_id)
        prompt = prompt or _last_message(call.argument(2, "messages"))
        turn = self.begin(self._session(call.instance), name, prompt, turn_id)
        outcome = yield turn.run
        self._unclaimed.discard(turn_id)
        if not turn.said and (content := getattr(outcome.result, "content", None)):
            turn.said.append(content)
        self.end(turn, outcome)

    def _ask(self, call: Invocation) -> _Watching:
        if (turn := self.current()) is None:
            return
        prompt, model = call.argument(0, "prompt"), call.argument(1, "model")
        asked = turn.model = turn.run.model_started(
            provider=_provider(call.instance),
            model=model or getattr(getattr(call.instance, "config", None), "model", None),
            messages=prompt if isinstance(prompt, list) else [{"role": "user", "content": prompt}],
            streamed=True,
        )
        outcome = yield asked
        if outcome.error is not None:
            turn.model = None
            asked.ended(outcome)

    def _answer(self, _call: Invocation) -> _Watching:
        turn = self.current()
        asked = None if turn is None else turn.model
        if turn is None or asked is None:
            return
        text = turn.heard = []
        calls: list[Any] = []

        def chunk(item: Any) -> None:
            if isinstance(item, dict):
                if item.get("content"):
                    text.append(item["content"])
                    turn.said.append(item["content"])
                calls[:] = item.get("function_calls") or calls

        outcome = yield StreamObserver(asked, chunk)
        turn.model = None
        finish = ["tool_calls" if calls else "stop"] if outcome.status == "success" else []
        asked.ended(outcome, _output(text, calls), finish_reasons=finish)

    def _call_tool(self, call: Invocation) -> _Watching:
        if (turn := self.current()) is None:
            return
        request = call.argument(0, "call")
        agent = getattr(call.argument(2, "agent"), "id", None)
        tool = turn.run.tool_started(request.name, request.arguments, turn.unused(request.id), agent=agent)
        outcome = yield tool
        if outcome.error is not None:
            tool.ended(outcome)
            return
        result = request.result
        value = getattr(result, "value", result) if type(result).__name__ == "Result" else result
        tool.ended(_outcome_of(request), value)

    def _switch(self, call: Invocation) -> _Watching:
        before, target = call.instance.current_agent_id, call.argument(0, "target_agent_id")
        reason, turn = call.argument(1, "reason"), self.current()
        outcome = yield None
        if turn is not None and outcome.error is None and before != target and reason != "User specified agent":
            turn.run.handoff(target, reason, source=before)

    def _stamp(self, call: Invocation) -> _Watching:
        """Fill the ids into a record that Xerxes is about to store; that it is stored says that the turn is over."""
        session_id, record = call.argument(0, "session_id"), call.argument(1, "turn")
        for run, turn in list(self.turns.items()):
            if run.call_id is None and (run.session_id, run.turn_id) == (session_id, record.turn_id):
                failed = record.status not in ("success", "cancelled")
                error = record.error or (record.status if failed else None)
                self.end(turn, Outcome(error=error, cancelled=record.status == "cancelled"))
        if (link := self.emit.link(session_id, record.turn_id)) is not None:
            record.audit_event_ids = list(dict.fromkeys([*record.audit_event_ids, *link.audit_event_ids]))
            record.metadata["turnspan"] = {"trace_id": link.trace_id, "span_id": link.span_id}
        yield None

    def _audit(self, call: Invocation) -> _Watching:
        """Note what Xerxes audits and we have no event for: policy decisions, loops, sandboxes, hook mutations."""
        event, turn = call.argument(0, "event"), self.current()
        if turn is not None and event.event_type not in _OWN_EVENTS:
            own = ("event_type", "session_id", "turn_id", "agent_id")
            data = {name: value for name, value in vars(event).items() if name not in own}
            event.metadata["event_id"] = turn.run.note(f"xerxes.{event.event_type}", data).event_id
        yield None


class _LoopRuntime(_Runtime):
    """``xerxes.streaming.loop``, which the daemon, the terminal and sub-agents use."""

    def __init__(self, emit: Emit) -> None:
        super().__init__(emit)
        self._sessions: dict[int, str] = {}

    def install(self) -> None:
        self.emit.patch.wrap("xerxes.streaming.loop:run", self._run)
        self.emit.patch.wrap("xerxes.streaming.loop:_stream_llm", self._ask)
        for module, name in (
            ("xerxes.streaming", "run_agent_loop"),
            ("xerxes", "run_agent_loop"),
            ("xerxes.daemon.runtime", "run_agent_loop"),
            ("xerxes.bridge.server", "run_agent_loop"),
            ("xerxes.channels.telegram_gateway", "run_agent_loop"),
            ("xerxes.acp.runner", "run_loop"),
        ):
            if module in sys.modules and name in vars(sys.modules[module]):  # those that are imported later get ours
                self.emit.patch.wrap((sys.modules[module], name), self._run)

    def _session(self, state: Any) -> str:
        active: Any = sys.modules.get("xerxes.runtime.session_context")
        session = active.get_active_session() if active is not None else None
        if session is not None and getattr(session, "id", None):
            return str(session.id)
        key = id(state)
        if key not in self._sessions:
            self._sessions[key] = new_id()
            weakref.finalize(state, self._sessions.pop, key, None)
        return self._sessions[key]

    def _run(self, call: Invocation) -> _Watching:
        config = call.argument(2, "config") or {}
        session = self._session(call.argument(1, "state"))
        turn = self.begin(session, config.get("agent_id"), call.argument(0, "user_message"))
        outcome = yield StreamObserver(turn.run, lambda item: self._item(turn, item))
        text = (turn.answer or "").rstrip()
        if outcome.status == "success":
            if text.endswith("[Cancelled]"):
                outcome = Outcome(cancelled=True)
            elif (at := max(text.rfind("[Error:"), text.rfind("[Stopped:"))) >= 0 and text.endswith("]"):
                outcome = Outcome.failed(text[at:].strip(" []\n"))
        self.end(turn, outcome)

    def _item(self, turn: _Turn, item: Any) -> None:
        kind = type(item).__name__
        if kind == "TextChunk":
            turn.said.append(item.text)
        elif kind == "ToolStart":
            tool = turn.run.tool_started(item.name, item.inputs, turn.unused(item.tool_call_id))
            turn.tools[item.tool_call_id] = tool
        elif kind == "PermissionRequest":
            for tool in reversed(turn.tools.values()):
                if tool.name == item.tool_name:
                    turn.asked.add(tool.call_id)
                    turn.run.approval_asked(
                        tool.name, tool.call_id, arguments=item.inputs, reason=item.description or None
                    )
                    break
        elif kind == "ToolEnd" and (ended := turn.tools.pop(item.tool_call_id, None)) is not None:
            said = str(item.result)
            if ended.call_id in turn.asked:
                turn.run.approval_decided(ended.name, ended.call_id, approved=bool(item.permitted))
            if not item.permitted:
                ended.ended(Outcome.skipped(item.result), item.result)
            elif said.startswith((f"Error executing {item.name}:", "Error:")):
                ended.ended(Outcome.failed(said.partition(": ")[2] or said), item.result)
            else:
                ended.ended(result=item.result)

    def _ask(self, call: Invocation) -> _Watching:
        if (turn := self.current()) is None:
            return
        asked = turn.run.model_started(
            provider=call.argument(1, "provider_type"),
            model=call.argument(0, "model"),
            messages=list(call.argument(3, "messages") or []),
            streamed=True,
        )
        text: list[str] = []
        done: dict[str, Any] = {}

        def chunk(item: Any) -> None:
            if isinstance(item, dict):
                done.update(item)
            elif type(item).__name__ == "TextChunk":
                text.append(item.text)

        outcome = yield StreamObserver(asked, chunk)
        calls = done.get("tool_calls") or []
        usage = Usage(
            input_tokens=done.get("in_tokens"),
            output_tokens=done.get("out_tokens"),
            cache_read_tokens=done.get("cache_read_tokens") or None,
            cache_write_tokens=done.get("cache_creation_tokens") or None,
        )
        finish = ["tool_calls" if calls else "stop"] if done else []
        asked.ended(outcome, _output(text, calls), usage=usage if done else None, finish_reasons=finish)


def _output(text: list[str], calls: list[Any]) -> list[Any]:
    said = [{"role": "assistant", "content": "".join(text)}] if text else []
    return [*said, *({"type": "function_call", **call} for call in calls)]


def _outcome_of(request: Any) -> Outcome:
    """Return how a tool's call ended, of which Xerxes keeps the words."""
    if getattr(getattr(request, "status", None), "value", "success") != "failure":
        return Outcome()
    error = str(getattr(request, "error", None))
    if "timed out after" in error:
        return Outcome.timed_out(error)
    return Outcome.skipped(error) if "denied by policy" in error else Outcome.failed(error)


def _last_message(messages: Any) -> str:
    listed = getattr(messages, "messages", messages)
    last = listed[-1] if isinstance(listed, list) and listed else None
    content = last.get("content") if isinstance(last, dict) else getattr(last, "content", None)
    return content if isinstance(content, str) else ""


def _provider(llm: Any) -> str:
    name = type(llm).__name__.lower()
    known = {"openai": "openai", "anthropic": "anthropic", "gemini": "gcp.gemini", "ollama": "ollama"}
    return next((provider for word, provider in known.items() if word in name), "_OTHER")
