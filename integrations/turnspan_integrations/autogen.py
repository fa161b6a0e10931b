"""AutoGen AgentChat: its own spans of agents and tools are kept; turns of teams and calls of models have none, and get ours.

A run of a team or of an agent is a turn; an agent that speaks in a team is an agent in that turn. Spans of agents and
tools say only who and when: what they were given and what came of it is seen where they are called. The runtime below
loses the trace between its tasks; a team's span is current while it runs, so that all of them are in it. It is over
200 lines because a run is pieced together from spans, from the messages of a team and from calls of tools, none of
which has all of it.
"""

from __future__ import annotations

from collections.abc import Generator
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary

from turnspan.adapter import (
    CurrentContext,
    Emit,
    Invocation,
    Outcome,
    Run,
    SpanReading,
    StreamObserver,
    ToolCall,
    new_id,
    parsed,
)
from turnspan_integrations.autogen_values import (
    Answered,
    messages_of,
    model_of,
    provider_of,
    text_of,
    usage_of,
)
from turnspan_integrations.otel import Reader
from turnspan_integrations.otel_spans import What
from turnspan_integrations.subclasses import Subclasses

REQUIRES = "autogen-agentchat>=0.7.1,<0.8"
CANNOT = {
    "which model answered, and the provider's id of an answer": "its clients do not pass them on",
    "agents and tools that a sampler dropped": "their spans are what is built on",
}
_CLIENT = "autogen_core.models:ChatCompletionClient"
_SCOPE, _RUNTIME = "autogen-core", "autogen SingleThreadedAgentRuntime"
_Watching = Generator[Any, Outcome, None]


def install(emit: Emit) -> None:
    """Wrap runs, tools and clients, and read the spans of agents and tools."""
    watched = _AutoGen(emit)
    emit.spans.read(watched.read, watched.content_of)
    emit.patch.wrap("autogen_agentchat.teams._group_chat._base_group_chat:BaseGroupChat.run_stream", watched.team)
    emit.patch.wrap("autogen_agentchat.agents._base_chat_agent:BaseChatAgent.run", watched.agent)
    emit.patch.wrap("autogen_agentchat.agents._base_chat_agent:BaseChatAgent.run_stream", watched.agent)
    container = "autogen_agentchat.teams._group_chat._chat_agent_container:ChatAgentContainer"
    emit.patch.wrap(f"{container}._log_message", watched.said)
    emit.patch.wrap("autogen_core.tools._base:BaseTool.run_json", watched.tool)
    emit.patch.wrap("autogen_core.tools._base:BaseStreamTool.run_json_stream", watched.tool)
    emit.patch.wrap("autogen_ext.tools.mcp._workbench:McpWorkbench.call_tool", watched.remote_tool)


class _Begins:
    """What is about to begin: its span comes next."""

    def __init__(self, name: str, asked: Any, key: str | None = None) -> None:
        self.name, self.asked, self.key = name, asked, key
        self.run: Run | None = None
        self.tool: ToolCall | None = None


class _Member:
    """An agent that speaks in a team."""

    def __init__(self, team: Run) -> None:
        self.team = team
        self.answer: Any = None


class _AutoGen:
    """Translates what is wrapped, and the spans that start inside of it."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._begins: ContextVar[_Begins | None] = ContextVar("turnspan_autogen", default=None)
        self._members: dict[Run, _Member] = {}
        self._clients = Subclasses(emit, _CLIENT, ("create", "create_stream"), self.model)
        self._sessions: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
        self._outcomes = Reader(emit)

    # Runs ----------------------------------------------------------------------------------------------------------

    def team(self, call: Invocation) -> _Watching:
        """A team runs."""
        team, answered = call.instance, Answered()
        self._emit.spans.prepare()
        self._clients.watch()
        run = self._emit.begin(
            agent=team.name,
            prompt=text_of(call.argument(0, "task")),
            session=str(getattr(team, "_team_id", None) or self._sessions.setdefault(team, new_id())),
            description=team.description,
        )
        outcome = yield StreamObserver(run, answered.take)
        run.end(outcome, answered.text)

    def agent(self, call: Invocation) -> _Watching:
        """An agent runs by itself."""
        agent, answered = call.instance, Answered()
        self._emit.spans.prepare()
        self._clients.watch()
        session = self._sessions.setdefault(agent, new_id())
        begins = _Begins(agent.name, text_of(call.argument(0, "task")), session)
        self._begins.set(begins)
        outcome = yield StreamObserver(None, answered.take)
        self._begins.set(None)
        if begins.run is not None:
            answered.take(outcome.result)
            begins.run.end(outcome, answered.text)

    def said(self, call: Invocation) -> _Watching:
        """An agent in a team says something: to the team, to another agent, or to a person."""
        message, run = call.argument(0, "message"), self._emit.current_run()
        if run is not None and (member := self._members.get(run)) is not None:
            kind = type(message).__name__
            if kind == "HandoffMessage":
                member.team.handoff(message.target, text_of(message), source=message.source, begin=False)
            elif kind == "UserInputRequestedEvent":
                run.interrupted({"input": message.source}, interrupt_id=message.request_id)
            if hasattr(message, "to_model_message"):
                member.answer = text_of(message)
        yield None

    # Spans ---------------------------------------------------------------------------------------------------------

    def content_of(self, span: Any) -> tuple[str, ...]:
        """The runtime puts whole messages on its spans by default."""
        scope = getattr(span.instrumentation_scope, "name", "")
        return ("message",) if scope == _RUNTIME and self._emit.spans.are_ours() else ()

    def read(self, span: Any, here: CurrentContext | None) -> SpanReading:
        """Have what begins stand on its span; an agent in a team, which nothing else shows, also end with it."""
        operation = (span.attributes or {}).get("gen_ai.operation.name")
        if getattr(span.instrumentation_scope, "name", "") != _SCOPE or operation == "create_agent":
            return
        begins = self._begins.get()
        self._begins.set(None)
        if operation == "execute_tool":
            run = self._emit.current_run()
            if begins is None or run is None:
                return
            begins.tool = run.tool_started(begins.name, begins.asked, begins.key, span=span)
            yield begins.tool
        elif begins is not None:
            begins.run = self._emit.begin(agent=begins.name, prompt=begins.asked, session=begins.key, span=span)
            yield begins.run
        elif here is not None and here.turn_id is not None:
            yield from self._member(span, self._emit.run_at(here))

    def _member(self, span: Any, team: Run) -> SpanReading:
        said = What("agent", span.attributes)
        run = team.agent_started(said["agent"], description=said["description"], span=span)
        member = self._members[run] = _Member(team)
        try:
            ended = yield run
        finally:
            self._members.pop(run, None)
        run.end(self._outcomes.outcome(ended, said), member.answer)

    # Models --------------------------------------------------------------------------------------------------------

    def model(self, call: Invocation) -> _Watching:
        """A model is asked; a client that asks another one is passed over."""
        run, client = self._emit.current_run(), call.instance
        if run is None or self._emit.open_model_calls():
            yield None
            return
        asked = run.model_started(
            provider=provider_of(client),
            model=model_of(client),
            messages=messages_of(call.argument(0, "messages")),
        )
        pieces: list[Any] = []

        def take(piece: Any) -> None:
            asked.chunk()
            pieces.append(piece)

        outcome = yield StreamObserver(asked, take)
        answer = outcome.result if outcome.result is not None else pieces[-1] if pieces else None
        if answer is None or isinstance(answer, str):  # it broke off
            heard = "".join(piece for piece in pieces if isinstance(piece, str))
            asked.ended(outcome, [{"role": "assistant", "content": heard}] if heard else None)
            return
        output, used = messages_of([answer]), usage_of(answer.usage)
        asked.ended(outcome, output, usage=used, finish_reasons=[str(answer.finish_reason)])

    # Tools ---------------------------------------------------------------------------------------------------------

    def tool(self, call: Invocation) -> _Watching:
        """A tool is called."""
        return self._tool(call.instance.name, call.argument(0, "args"), call.argument(2, "call_id"))

    def remote_tool(self, call: Invocation) -> _Watching:
        """A tool of an MCP server is called."""
        return self._tool(call.argument(0, "name"), call.argument(1, "arguments"), call.argument(3, "call_id"))

    def _tool(self, name: str, arguments: Any, call_id: str | None) -> _Watching:
        begins = _Begins(name, parsed(arguments), call_id)
        items: list[Any] = []
        self._begins.set(begins)
        outcome = yield StreamObserver(None, items.append)
        self._begins.set(None)
        tool, result = begins.tool, outcome.result if outcome.result is not None else items[-1] if items else None
        if tool is None:
            return
        if type(outcome.error).__name__ == "ValidationError":
            tool.run.arguments_rejected(name, call_id, arguments=begins.asked, error=str(outcome.error))
        elif getattr(result, "is_error", False) is True:
            outcome = Outcome.failed(str(text_of(result)))
        tool.ended(outcome._replace(result=None), text_of(result))
