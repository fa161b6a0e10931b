"""The Claude Agent SDK: Claude Code in a subprocess, whose conversation is read off the transport as it passes.

From a prompt to its result is a turn. Sub-agents are agents inside of the call that started them. The subprocess gets the
trace context that is current when it is started. It is over 200 lines because the loop runs elsewhere: which line
begins and ends what must be read from the lines alone.
"""

from __future__ import annotations

import contextvars
import json
import weakref
from collections.abc import Generator
from typing import Any

from turnspan.adapter import CurrentContext, Emit, Invocation, ModelCall, Outcome, Run, StreamObserver, ToolCall, now_ns
from turnspan_integrations.usage import anthropic_usage

REQUIRES = "claude-agent-sdk>=0.2.186,<0.3"
CANNOT = {
    "what the model is asked": "the subprocess asks it; prompts and results of tools are on record",
    "which turn a subprocess belongs to": "it is started before its session is known, except inside of a turn",
    "answers of sub-agents before the last": "unless `forward_subagent_text` is on",
}
_SYNTHETIC = "<synthetic>"
"""In place of a model's name, where Claude Code itself says what went wrong."""
_DENIALS = ("Permission to use ", "Claude requested permissions ", "The user doesn't want to ")
_Watching = Generator[Any, Outcome, None]


def install(emit: Emit) -> None:
    """Tap the transport of each query."""
    conversations: weakref.WeakKeyDictionary[Any, _Conversation] = weakref.WeakKeyDictionary()
    tapped: set[tuple[type, str]] = set()

    def made(call: Invocation) -> _Watching:
        yield None
        transport = call.instance.transport
        for name, observer in (("write", written), ("read_messages", read)):
            owner = next(cls for cls in type(transport).__mro__ if name in vars(cls))
            if (owner, name) not in tapped:
                tapped.add((owner, name))
                emit.patch.wrap((owner, name), observer)
        conversations[transport] = _Conversation(emit, transport)

    def written(call: Invocation) -> _Watching:
        if (conversation := conversations.get(call.instance)) is not None:
            for line in str(call.argument(0, "data")).splitlines():
                conversation.said(json.loads(line))
        yield None

    def read(call: Invocation) -> _Watching:
        if (conversation := conversations.get(call.instance)) is None:
            return
        outcome = yield StreamObserver(None, conversation.heard)
        if isinstance(outcome.error, Exception) and not outcome.cancelled:
            conversation.end(outcome)

    def closed(call: Invocation) -> _Watching:
        if (conversation := conversations.get(call.instance.transport)) is not None:
            conversation.end(Outcome(error="it was left before its result", cancelled=True))
        yield None

    def served(call: Invocation) -> _Watching:
        conversation = conversations.get(call.instance.transport)
        message = call.argument(1, "message")
        if conversation is None or message.get("method") != "tools/call":
            return
        yield conversation.tool_of(message["params"])

    emit.patch.wrap("claude_agent_sdk._internal.query:Query.__init__", made)
    emit.patch.wrap("claude_agent_sdk._internal.query:Query.close", closed)
    emit.patch.wrap("claude_agent_sdk._internal.query:Query._handle_sdk_mcp_request", served)


class _Agent:
    """An agent of a turn: the main one, or a sub-agent; its model call, which comes in several lines, and its tools."""

    def __init__(self, run: Run, provider: str, model: str | None) -> None:
        self.run, self.provider, self.model = run, provider, model
        self.asked: ModelCall | None = None
        self.tools: dict[str, ToolCall] = {}
        self.text = ""
        self._given: list[Any] | None = None
        self._given_ns = 0
        self._forget()

    def _forget(self) -> None:
        self._message: dict[str, Any] = {}
        self._blocks: list[Any] = []
        self._usage: dict[str, Any] = {}
        self._at_ns: int | None = None

    def ask(self, role: str, content: Any) -> None:
        """Take what the model is given; whether it is asked is known when it answers, or fails to."""
        self.answered()
        self._given, self._given_ns = [{"role": role, "content": content}], now_ns()

    def _ask(self) -> ModelCall:
        if self.asked is None:
            given, self._given = self._given, None
            about: dict[str, Any] = {"provider": self.provider, "model": self.model}
            at_ns = self._given_ns if given is not None else None
            self.asked = self.run.model_started(**about, messages=given, history=0, at_ns=at_ns)
        return self.asked

    def hear(self, message: dict[str, Any]) -> None:
        """Take a line of an answer: one for each of its blocks, with the same id."""
        if self._message and self._message.get("id") != message.get("id"):
            self.answered()
        self._ask()
        self._message, self._at_ns = message, now_ns()
        self._blocks += message.get("content") or []
        self._usage |= message.get("usage") or {}
        if text := _text(message.get("content")):
            self.text = text

    def hear_chunk(self, event: dict[str, Any]) -> None:
        """Take a part of an answer; the last says which tokens were used."""
        self._ask().chunk()
        if event.get("type") == "message_delta":
            self._usage |= event.get("usage") or {}

    def answered(self, outcome: Outcome | None = None) -> None:
        """End the model call, as of its last line; one that waits for its first is one if it is said how it ended."""
        if outcome is not None and self._given is not None:
            self._ask()
        asked, self.asked = self.asked, None
        said, model = self._message, self._message.get("model")
        if asked is not None:
            if said:  # it did answer, whatever came behind
                outcome = None
            if model == _SYNTHETIC:
                outcome = Outcome.failed(_text(said.get("content")) or str(said.get("error")))
            reasons = [said["stop_reason"]] if said.get("stop_reason") else []
            asked.ended(
                (outcome or Outcome())._replace(at_ns=self._at_ns),
                [{"role": "assistant", "content": self._blocks}] if self._blocks else None,
                response_model=None if model == _SYNTHETIC else model,
                response_id=said.get("id"),
                usage=anthropic_usage(self._usage) if model != _SYNTHETIC else None,
                finish_reasons=reasons,
            )
        self._forget()

    def end(self, outcome: Outcome, response: Any = None) -> None:
        """End a sub-agent, whose last answer is the result of the tool that started it."""
        if self._given is not None and outcome.status == "success":
            self._blocks = [{"type": "text", "text": response}]
        self.answered(outcome)
        self.run.end(outcome, response)


class _Conversation:
    """What passes through one transport."""

    def __init__(self, emit: Emit, transport: Any) -> None:
        options = getattr(transport, "_options", None)
        self._emit = emit
        self._name = (getattr(options, "extra_args", None) or {}).get("agent") or "claude"
        self._provider = _provider(getattr(options, "env", None) or {})
        self._model: str | None = getattr(options, "model", None)
        self._session: str | None = None
        self._prompt: tuple[Any, contextvars.Context] | None = None  # given before the session was known
        self._agents: dict[str | None, _Agent] = {}
        self._requests: dict[str, tuple[str, dict[str, Any]]] = {}
        self._denied: dict[str, str] = {}
        self._servers: dict[str, str] = {}
        self._interrupted = False

    # What the program says -------------------------------------------------------------------------------------------

    def said(self, line: dict[str, Any]) -> None:
        """Take a line that goes to the subprocess."""
        if line.get("type") == "user":
            content = (line.get("message") or {}).get("content")
            if None in self._agents:  # said while a turn runs: the next, or more of this one
                self._agents[None].run.note("claude.prompt", {"content": content})
            elif self._session is not None or self._emit.current() is not None:
                self._begin(content)
            else:
                self._prompt = content, contextvars.copy_context()
        elif line.get("type") == "control_request":
            self._interrupted |= line["request"].get("subtype") == "interrupt"
        elif line.get("type") == "control_response":
            answer = line["response"]
            if (asked := self._requests.pop(answer.get("request_id"), None)) is not None:
                self._decided(*asked, answer.get("response") or {})

    def _begin(self, prompt: Any) -> _Agent:
        run = self._emit.begin(agent=self._name, prompt=prompt, session=self._session)
        agent = self._agents[None] = _Agent(run, self._provider, self._model)
        self._interrupted = False
        agent.ask("user", prompt)
        return agent

    def _decided(self, kind: str, asked: dict[str, Any], answer: dict[str, Any]) -> None:
        """Take what a callback for permissions, or a hook, answered."""
        if (main := self._agents.get(None)) is None:
            return
        call_id, name = asked.get("tool_use_id"), _plain_name(asked.get("tool_name") or "")[0]
        reason, decision = answer.get("message"), answer.get("behavior")
        if kind == "hook_callback":
            main.run.note(
                "claude.hook", {"hook": asked.get("hook_event_name"), "tool_use_id": call_id, "output": answer}
            )
            specific = answer.get("hookSpecificOutput") or {}
            reason = specific.get("permissionDecisionReason") or answer.get("reason")
            decision = specific.get("permissionDecision") or {"block": "deny"}.get(answer.get("decision", ""))
        if decision not in ("allow", "deny") or not name:
            return
        by = "hook" if kind == "hook_callback" else None
        main.run.approval_decided(name, call_id, approved=decision == "allow", by=by, reason=reason)
        if decision == "deny" and call_id:
            self._denied[call_id] = reason or "denied"

    # What the subprocess says ----------------------------------------------------------------------------------------

    def heard(self, line: dict[str, Any]) -> None:
        """Take a line that comes from the subprocess."""
        kind, within = line.get("type"), line.get("parent_tool_use_id")
        if kind in ("system", "assistant", "result") and line.get("session_id"):
            self._session = line["session_id"]
            if self._prompt is not None:
                (prompt, where), self._prompt = self._prompt, None
                where.run(self._begin, prompt)
        if kind == "system":
            self._system(line)
        elif kind == "assistant":
            self._answered(within, line["message"])
        elif kind == "user":
            self._results(within, line["message"].get("content"))
        elif kind == "stream_event" and within in self._agents:
            self._agents[within].hear_chunk(line.get("event") or {})
        elif kind == "control_request":
            self._asked(line["request_id"], line["request"])
        elif kind == "result" and None in self._agents:
            self.end(self._outcome(line), line.get("result"), line)

    def _system(self, line: dict[str, Any]) -> None:
        kind, main = line.get("subtype"), self._agents.get(None)
        if kind == "init":
            self._model = line.get("model") or self._model
        elif kind == "compact_boundary" and main is not None:
            main.run.note("claude.compaction", line.get("compact_metadata"))
        elif kind == "api_retry" and main is not None:
            main.run.retried("model", int(line.get("attempt") or 1), error=str(line.get("error") or ""))

    def _agent(self, within: str | None) -> _Agent:
        """Return the agent that a line is of; a turn without a prompt is what background tasks wake the session for."""
        if within in self._agents:
            return self._agents[within]
        main = self._agents.get(None) or self._begin("")
        return main if within is None else self._sub_agent(main, within, {})

    def _sub_agent(self, main: _Agent, call_id: str, given: dict[str, Any]) -> _Agent:
        run = main.run
        place = CurrentContext(run.session_id, run.turn_id, call_id, run.agent)
        inside = self._emit.run_at(place) if self._tool(call_id) is not None else run
        name = given.get("subagent_type") or "general-purpose"
        started = inside.agent_started(name, description=given.get("description"))
        agent = self._agents[call_id] = _Agent(started, self._provider, given.get("model") or self._model)
        agent.ask("user", given.get("prompt"))
        return agent

    def _answered(self, within: str | None, message: dict[str, Any]) -> None:
        agent = self._agent(within)
        agent.hear(message)
        for block in message.get("content") or ():
            if block.get("type") not in ("tool_use", "server_tool_use"):
                continue
            name, server = _plain_name(block["name"])
            kind = "extension" if server or block["type"] == "server_tool_use" else "function"
            agent.tools[block["id"]] = agent.run.tool_started(name, block.get("input"), block["id"], tool_type=kind)
            if server:
                self._servers[block["id"]] = server
            if name in ("Task", "Agent") and not server:
                self._sub_agent(agent, block["id"], block.get("input") or {})

    def _results(self, within: str | None, content: Any) -> None:
        """Take the results of tools; a sub-agent's prompt, which comes as text, was in its tool's arguments."""
        found = [b for b in content if b.get("type") == "tool_result"] if isinstance(content, list) else []
        if not found or (None not in self._agents):
            return
        agent = self._agent(within)
        agent.answered()
        for block in found:
            call_id = block["tool_use_id"]
            if (tool := agent.tools.pop(call_id, None)) is None:
                continue
            outcome, said = self._outcome_of(tool, block), _text(block.get("content"))
            if (sub := self._agents.pop(call_id, None)) is not None:
                sub.end(outcome, said)
            server = self._servers.pop(call_id, None)
            tool.ended(outcome, said or block.get("content"), metadata={"mcp_server": server} if server else None)
        agent.ask("tool", found)

    def _outcome_of(self, tool: ToolCall, block: dict[str, Any]) -> Outcome:
        said = _text(block.get("content"))
        reason = self._denied.pop(block["tool_use_id"], None)
        if not block.get("is_error"):
            return Outcome()
        if reason is not None or said.startswith(_DENIALS):
            return Outcome.skipped(reason or said)
        if "InputValidationError" in said:
            tool.run.arguments_rejected(tool.name, tool.call_id, arguments=tool.started.arguments, error=said)
        return Outcome.failed(said, "tool_error")

    def _asked(self, request_id: str, request: dict[str, Any]) -> None:
        kind, main = str(request.get("subtype")), self._agents.get(None)
        if kind == "can_use_tool":
            self._requests[request_id] = kind, request
            if main is not None:
                name, reason = _plain_name(request["tool_name"])[0], request.get("decision_reason")
                main.run.approval_asked(name, request.get("tool_use_id"), arguments=request.get("input"), reason=reason)
        elif kind == "hook_callback":
            asked = request.get("input") or {}
            self._requests[request_id] = kind, {"tool_use_id": request.get("tool_use_id"), **asked}

    # Tools of the program's own ---------------------------------------------------------------------------------------

    def _tool(self, call_id: str) -> ToolCall | None:
        return next((agent.tools[call_id] for agent in self._agents.values() if call_id in agent.tools), None)

    def tool_of(self, params: dict[str, Any]) -> ToolCall | None:
        """Return the call that a request to a server in this process makes."""
        named = (params.get("_meta") or {}).get("claudecode/toolUseId")
        if named is not None and (tool := self._tool(named)) is not None:
            return tool
        name, arguments = params.get("name"), params.get("arguments") or {}
        for agent in self._agents.values():
            for tool in agent.tools.values():
                if tool.name == name and (tool.started.arguments or {}) == arguments:
                    return tool
        return None

    # The end ---------------------------------------------------------------------------------------------------------

    def _outcome(self, result: dict[str, Any]) -> Outcome:
        kind = result.get("subtype")
        if self._interrupted and kind == "error_during_execution":
            return Outcome(error="interrupted", cancelled=True)
        if not result.get("is_error") and kind == "success":
            return Outcome()
        said = "; ".join(map(str, result.get("errors") or ())) or result.get("result") or kind
        return Outcome.failed(str(said), None if kind == "success" else kind)

    def end(self, outcome: Outcome, response: Any = None, result: dict[str, Any] | None = None) -> None:
        """End the turn, if one runs."""
        agents, self._agents = self._agents, {}
        if self._prompt is not None and outcome.error is not None:  # it died before it said which session it is
            (prompt, where), self._prompt = self._prompt, None
            agents = {None: where.run(self._begin, prompt)}
            self._agents = {}
        main = agents.pop(None, None)
        for sub in reversed(list(agents.values())):
            sub.end(Outcome(error="its turn ended first", cancelled=True))
        if main is not None:
            stopped = result is not None and str(result.get("subtype")).startswith("error_max_")  # it was asked no more
            main.answered(None if stopped else outcome._replace(result=None))
            kept = ("total_cost_usd", "usage", "modelUsage", "num_turns", "duration_api_ms", "permission_denials")
            metadata = {name: result[name] for name in kept if result and result.get(name)}
            main.run.end(outcome, response if response is not None else main.text or None, metadata=metadata)


# What lines say ------------------------------------------------------------------------------------------------------


def _plain_name(name: str) -> tuple[str, str | None]:
    """Return a tool's own name, and the MCP server that has it: ``mcp__server__tool``."""
    if name.startswith("mcp__") and name.count("__") > 1:
        _, server, tool = name.split("__", 2)
        return tool, server
    return name, None


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(block["text"] for block in content or () if block.get("type") == "text" and block.get("text"))


def _provider(env: dict[str, str]) -> str:
    if env.get("CLAUDE_CODE_USE_BEDROCK"):
        return "aws.bedrock"
    return "gcp.vertex_ai" if env.get("CLAUDE_CODE_USE_VERTEX") else "anthropic"
