"""Xerxes (``xerxes-agent``), both of its runtimes.

The class runtime, ``Xerxes``: one ``create_response`` with all its re-invocations is a turn. The loop runtime,
``xerxes.streaming.loop.run``: one call is a turn. Neither needs a session store or an audit collector of the user's;
where there is one, its turn records get the audit event ids that Xerxes leaves empty.

Cannot tell: finish reasons and response ids.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Generator
from typing import Any

from turnspan.adapter import Emit, Invocation, Outcome, StreamObserver, new_id
from turnspan.events import (
    AgentEnded,
    AgentStarted,
    HandedOff,
    ModelCallEnded,
    ModelCallStarted,
    Noted,
    ToolCallEnded,
    ToolCallStarted,
    TurnEnded,
    TurnStarted,
    Usage,
)

REQUIRES = "xerxes-agent>=0.2.5,<0.3"
CANNOT = {"tokens": "the class runtime does not say them"}
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
    """What is known of one turn while it lasts."""

    def __init__(self, started: TurnStarted | AgentStarted, agent: str | None) -> None:
        self.started, self.agent = started, agent
        self.top = self.inside = started.call_id
        self.said: list[str] = []
        self.model: ModelCallStarted | None = None
        self.tools: dict[str, str] = {}

    def at(self, **more: Any) -> dict[str, Any]:
        """Return the ids that every event of the turn has."""
        return {"session_id": self.started.session_id, "turn_id": self.started.turn_id, "agent_id": self.agent, **more}

    def ended(self, outcome: dict[str, Any]) -> list[Any]:
        """Return the events that end it."""
        given = {**outcome, "response_content": "".join(self.said) or None}
        events: list[Any] = []
        if self.inside != self.top:
            events.append(AgentEnded(**self.at(call_id=self.inside), **given))
        top = TurnEnded(**self.at(), **given) if self.top is None else AgentEnded(**self.at(call_id=self.top), **given)
        return [*events, top]


class _Runtime:
    """What both runtimes share: which turn the code runs in."""

    def __init__(self, emit: Emit) -> None:
        self.emit = emit
        self.turns: dict[tuple[str | None, str | None], _Turn] = {}

    def begin(self, own_session: str | None, turn_id: str, agent: str | None, prompt: Any) -> _Turn:
        """Start a turn, or an agent inside the one that is running."""
        here = self.emit.current()
        started: TurnStarted | AgentStarted
        if here is not None and here.turn_id is not None:
            started = AgentStarted(
                session_id=here.session_id,
                turn_id=here.turn_id,
                call_id=new_id(),
                parent_id=here.call_id,
                agent_id=agent,
            )
        else:
            session = self.emit.session(own_session, agent_id=agent)
            started = TurnStarted(session_id=session.id, turn_id=turn_id, agent_id=agent, prompt=prompt or "")
        self.emit(started)
        turn = _Turn(started, agent)
        self.turns[started.turn_id, started.call_id] = turn
        return turn

    def current(self) -> _Turn | None:
        """Return the turn that the calling code runs in."""
        here = self.emit.current()
        return None if here is None else self.turns.get((here.turn_id, here.call_id))

    def end(self, turn: _Turn, outcome: dict[str, Any]) -> None:
        """End a turn; only the first end counts."""
        if self.turns.pop((turn.started.turn_id, turn.started.call_id), None) is not None:
            for event in turn.ended(outcome):
                self.emit(event)


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
        prompt, messages, agent_id = (
            call.argument(0, "prompt"),
            call.argument(2, "messages"),
            call.argument(3, "agent_id"),
        )
        agent = agent_id if agent_id is not None and not isinstance(agent_id, str) else None
        if agent is None:
            orchestrator = call.instance.orchestrator
            agent = orchestrator.agents.get(agent_id or orchestrator.current_agent_id)
        name = getattr(agent, "id", None) or "default"
        turn_id = str(self._new_turn_id())
        self._unclaimed.add(turn_id)
        turn = self.begin(self._session(call.instance), turn_id, name, prompt or _last_message(messages))
        outcome = yield turn.started
        self._unclaimed.discard(turn_id)
        if not turn.said and (content := getattr(outcome.result, "content", None)):
            turn.said.append(content)
        if turn.model is not None and outcome.error is not None:
            self.emit(ModelCallEnded(**turn.at(call_id=turn.model.call_id), **outcome.ended()))
        self.end(turn, outcome.ended())

    def _ask(self, call: Invocation) -> _Watching:
        turn = self.current()
        if turn is None:
            return
        prompt, model = call.argument(0, "prompt"), call.argument(1, "model")
        asked = prompt if isinstance(prompt, list) else [{"role": "user", "content": prompt}]
        last = max(
            (n for n, item in enumerate(asked) if isinstance(item, dict) and item.get("role") == "assistant"),
            default=-1,
        )
        started = turn.model = ModelCallStarted(
            **turn.at(call_id=new_id(), parent_id=turn.inside),
            provider=_provider(call.instance),
            model=model or getattr(getattr(call.instance, "config", None), "model", None),
            messages=asked[last + 1 :],
            history=last + 1,
            streamed=True,
        )
        self.emit(started)
        outcome = yield started
        if outcome.error is not None:
            turn.model = None
            self.emit(ModelCallEnded(**turn.at(call_id=started.call_id), **outcome.ended()))

    def _answer(self, _call: Invocation) -> _Watching:
        turn = self.current()
        started = None if turn is None else turn.model
        if turn is None or started is None:
            return
        text: list[str] = []
        calls: list[Any] = []

        def chunk(item: Any) -> None:
            if isinstance(item, dict):
                if item.get("content"):
                    text.append(item["content"])
                calls[:] = item.get("function_calls") or calls

        outcome = yield StreamObserver(started, chunk)
        turn.model = None
        turn.said += text
        said = [{"role": "assistant", "content": "".join(text)}] if text else []
        self.emit(
            ModelCallEnded(
                **turn.at(call_id=started.call_id),
                output=[*said, *({"type": "function_call", **c} for c in calls)],
                finish_reasons=["tool_calls" if calls else "stop"] if outcome.status == "success" else [],
                **outcome.ended(),
            )
        )

    def _call_tool(self, call: Invocation) -> _Watching:
        turn = self.current()
        if turn is None:
            return
        request = call.argument(0, "call")
        agent = getattr(call.argument(2, "agent"), "id", None) or turn.agent
        started = ToolCallStarted(
            **turn.at(call_id=_unused(turn, request.id), parent_id=turn.inside, agent_id=agent),
            tool_name=request.name,
            arguments=request.arguments,
        )
        self.emit(started)
        outcome = yield started
        ended = outcome.ended()
        error = getattr(request, "error", None)
        if outcome.error is None and getattr(getattr(request, "status", None), "value", "success") == "failure":
            status = (
                "timeout"
                if "timed out after" in str(error)
                else "skipped"
                if "denied by policy" in str(error)
                else "error"
            )
            ended = {
                "status": status,
                "error": str(error),
                "error_type": "TimeoutError" if status == "timeout" else None,
            }
        result = request.result if outcome.error is None else None
        value = getattr(result, "value", result) if type(result).__name__ == "Result" else result
        self.emit(ToolCallEnded(**turn.at(call_id=started.call_id, agent_id=agent), result=value, **ended))

    def _switch(self, call: Invocation) -> _Watching:
        before, target = call.instance.current_agent_id, call.argument(0, "target_agent_id")
        reason = call.argument(1, "reason")
        turn = self.current() or self._calling_tool()
        outcome = yield None
        if turn is None or outcome.error is not None or before == target or reason == "User specified agent":
            return
        self.emit(HandedOff(**turn.at(parent_id=turn.inside), from_agent=before, to_agent=target, reason=reason))
        if turn.inside != turn.top:
            self.emit(AgentEnded(**turn.at(call_id=turn.inside)))
        turn.agent, turn.inside = target, new_id()
        self.emit(AgentStarted(**turn.at(call_id=turn.inside, parent_id=turn.top)))

    def _calling_tool(self) -> _Turn | None:
        """Return the turn around the tool call that the code runs in."""
        here = self.emit.current()
        return None if here is None else next((t for k, t in list(self.turns.items()) if k[0] == here.turn_id), None)

    def _stamp(self, call: Invocation) -> _Watching:
        """Fill the ids into a record that Xerxes is about to store; that it is stored says that the turn is over."""
        session_id, record = call.argument(0, "session_id"), call.argument(1, "turn")
        turn = self.turns.get((record.turn_id, None))
        if turn is not None and turn.started.session_id == session_id:
            error = {"error": record.error} if record.error else {}
            self.end(turn, {"status": record.status, **error})
        if (link := self.emit.link(session_id, record.turn_id)) is not None:
            record.audit_event_ids = list(dict.fromkeys([*record.audit_event_ids, *link.audit_event_ids]))
            record.metadata["turnspan"] = {"trace_id": link.trace_id, "span_id": link.span_id}
        yield None

    def _audit(self, call: Invocation) -> _Watching:
        """Note what Xerxes audits and we have no event for: policy decisions, loops, sandboxes, hook mutations."""
        event = call.argument(0, "event")
        turn = self._calling_tool()
        if turn is not None and event.event_type not in _OWN_EVENTS:
            data = {
                k: v for k, v in vars(event).items() if k not in ("event_type", "session_id", "turn_id", "agent_id")
            }
            note = Noted(**turn.at(parent_id=turn.inside), name=f"xerxes.{event.event_type}", data=data)
            self.emit(note)
            event.metadata["event_id"] = note.event_id
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
        state = call.argument(1, "state")
        turn = self.begin(self._session(state), new_id(), config.get("agent_id"), call.argument(0, "user_message"))
        outcome = yield StreamObserver(turn.started, lambda item: self._item(turn, item))
        ended = outcome.ended()
        text = "".join(turn.said)
        if outcome.status == "success":
            if text.rstrip().endswith("[Cancelled]"):
                ended = {"status": "cancelled"}
            elif (at := max(text.rfind("[Error:"), text.rfind("[Stopped:"))) >= 0 and text.rstrip().endswith("]"):
                ended = {"status": "error", "error": text[at:].strip(" []\n")}
        self.end(turn, ended)

    def _item(self, turn: _Turn, item: Any) -> None:
        kind = type(item).__name__
        if kind == "TextChunk":
            turn.said.append(item.text)
        elif kind == "ToolStart":
            started = ToolCallStarted(
                **turn.at(call_id=_unused(turn, item.tool_call_id), parent_id=turn.inside),
                tool_name=item.name,
                arguments=item.inputs,
            )
            turn.tools[item.tool_call_id] = str(started.call_id)
            self.emit(started)
        elif kind == "ToolEnd":
            ended: dict[str, Any] = {}
            if not item.permitted:
                ended = {"status": "skipped", "error": item.result}
            elif str(item.result).startswith((f"Error executing {item.name}:", "Error:")):
                ended = {"status": "error", "error": item.result.partition(": ")[2] or item.result}
            call_id = turn.tools.pop(item.tool_call_id, item.tool_call_id)
            self.emit(ToolCallEnded(**turn.at(call_id=call_id), result=item.result, **ended))

    def _ask(self, call: Invocation) -> _Watching:
        turn = self.current()
        if turn is None:
            return
        model, provider, messages = (
            call.argument(0, "model"),
            call.argument(1, "provider_type"),
            call.argument(3, "messages"),
        )
        given = list(messages or [])
        last = max((n for n, m in enumerate(given) if isinstance(m, dict) and m.get("role") == "assistant"), default=-1)
        started = ModelCallStarted(
            **turn.at(call_id=new_id(), parent_id=turn.inside),
            provider=provider,
            model=model,
            messages=given[last + 1 :],
            history=last + 1,
            streamed=True,
        )
        self.emit(started)
        text: list[str] = []
        done: dict[str, Any] = {}

        def chunk(item: Any) -> None:
            if isinstance(item, dict):
                done.update(item)
            elif type(item).__name__ == "TextChunk":
                text.append(item.text)

        outcome = yield StreamObserver(started, chunk)
        calls = done.get("tool_calls") or []
        said = [{"role": "assistant", "content": "".join(text)}] if text else []
        usage = Usage(
            input_tokens=done.get("in_tokens"),
            output_tokens=done.get("out_tokens"),
            cache_read_tokens=done.get("cache_read_tokens") or None,
            cache_write_tokens=done.get("cache_creation_tokens") or None,
        )
        self.emit(
            ModelCallEnded(
                **turn.at(call_id=started.call_id),
                output=[*said, *({"type": "function_call", **c} for c in calls)],
                usage=usage if done else None,
                finish_reasons=["tool_calls" if calls else "stop"] if done else [],
                **outcome.ended(),
            )
        )


def _unused(turn: _Turn, call_id: str | None) -> str:
    """Return the runtime's call id; Xerxes gives the same one twice, so it is numbered from the second time on."""
    if not call_id:
        return new_id()
    seen = turn.tools.setdefault(f"#{call_id}", "0")
    turn.tools[f"#{call_id}"] = str(int(seen) + 1)
    return call_id if seen == "0" else f"{call_id}#{int(seen) + 1}"


def _last_message(messages: Any) -> str:
    listed = getattr(messages, "messages", messages)
    last = listed[-1] if isinstance(listed, list) and listed else None
    content = last.get("content") if isinstance(last, dict) else getattr(last, "content", None)
    return content if isinstance(content, str) else ""


def _provider(llm: Any) -> str:
    name = type(llm).__name__.lower()
    known = {"openai": "openai", "anthropic": "anthropic", "gemini": "gcp.gemini", "ollama": "ollama"}
    return next((provider for word, provider in known.items() if word in name), "_OTHER")
