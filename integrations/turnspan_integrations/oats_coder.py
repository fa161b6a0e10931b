"""oats, a coding agent: its message loop, its tools, its providers.

A call of the message loop is a turn; inside of another one's tool it is an agent in that turn. The bus of the runtime
publishes too little to go by (no end of a tool, no session on what providers do), so functions are wrapped.

Cannot tell: which model answered a stream.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from pathlib import PurePath
from typing import Any

from turnspan.adapter import Emit, Invocation, Outcome, StreamObserver, new_id
from turnspan.events import (
    AgentEnded,
    AgentStarted,
    ModelCallEnded,
    ModelCallStarted,
    ToolCallEnded,
    ToolCallStarted,
    TurnEnded,
    TurnStarted,
    Usage,
)

REQUIRES = "oats-coder>=1.0.19"
CANNOT = {
    "tokens": "its streams do not say them",
    "sub-agents": "the tool that starts them fails in every release so far",
}
_AGENT = "oats"
_Watching = Generator[Any, Outcome, None]


def install(emit: Emit) -> None:
    """Wrap the message loop, the tools and the providers."""
    emit.patch.wrap("oats.session.processor:SessionProcessor.process_message", lambda call: _turn(emit, call))
    emit.patch.wrap("oats.session.processor:SessionProcessor._execute_tool", lambda call: _tool(emit, call))
    emit.patch.wrap("oats.provider.provider:Provider.complete", lambda call: _completion(emit, call, streamed=False))
    emit.patch.wrap("oats.provider.provider:Provider.stream", lambda call: _completion(emit, call, streamed=True))


class _Heard:
    """What the events of one message loop say about its end."""

    def __init__(self) -> None:
        self.answer = ""
        self.failed: str | None = None
        self.complete = False
        self.metadata: dict[str, Any] = {}

    def take(self, event: dict[str, Any]) -> None:
        kind = event.get("type")
        if kind == "user_message":
            self.metadata["message_id"] = event.get("message_id")
        elif kind == "assistant_text":
            self.answer = event.get("content") or ""
        elif kind == "complete":
            self.complete = True
        elif kind in ("error", "warning"):
            self.failed = str(event.get("error") or event.get("message") or event.get("warning"))

    def ended(self, outcome: Outcome) -> dict[str, Any]:
        found = {**outcome.ended(), "response_content": self.answer}
        if found["status"] == "success" and not self.complete:
            found |= {"status": "error", "error": self.failed or "ended without complete", "error_type": "_OTHER"}
        return found


def _turn(emit: Emit, call: Invocation) -> _Watching:
    prompt, heard, here = call.argument(0, "content"), _Heard(), emit.current()
    if here is not None and here.turn_id is not None:
        ids: dict[str, Any] = {"session_id": here.session_id, "turn_id": here.turn_id, "agent_id": _AGENT}
        inside = AgentStarted(**ids, call_id=new_id(), parent_id=here.call_id)
        emit(inside)
        outcome = yield StreamObserver(inside, heard.take)
        emit(AgentEnded(**ids, call_id=inside.call_id, **heard.ended(outcome)))
        return
    info = call.instance.session.info
    root = getattr(info, "root_session_id", None)
    parent = getattr(info, "parent_session_id", None) or (root if root != info.id else None)
    session = emit.session(str(info.id), workspace_id=workspace_of(info.project_dir), agent_id=_AGENT, parent=parent)
    ids = {"session_id": session.id, "turn_id": new_id(), "agent_id": _AGENT}
    images = call.argument(3, "images")
    started = TurnStarted(**ids, prompt=prompt, metadata={"images": len(images)} if images else {})
    emit(started)
    outcome = yield StreamObserver(started, heard.take)
    emit(TurnEnded(**ids, **heard.ended(outcome), metadata=heard.metadata))


def workspace_of(project_dir: Any) -> str | None:
    """Return an id for a project's folder: readable, and no path."""
    if not project_dir:
        return None
    return f"{PurePath(project_dir).name}-{hashlib.sha256(str(project_dir).encode()).hexdigest()[:8]}"


def _tool(emit: Emit, call: Invocation) -> _Watching:
    here = emit.current()
    if here is None or here.turn_id is None:
        yield None
        return
    ids: dict[str, Any] = {"session_id": here.session_id, "turn_id": here.turn_id, "agent_id": here.agent_id}
    started = ToolCallStarted(
        **ids,
        call_id=str(call.argument(1, "tool_call_id") or new_id()),
        parent_id=here.call_id,
        tool_name=str(call.argument(0, "tool_name")),
        arguments=call.argument(2, "arguments"),
    )
    emit(started)
    outcome = yield started
    emit(ToolCallEnded(**ids, call_id=started.call_id, **_tool_ended(outcome)))


def _tool_ended(outcome: Outcome) -> dict[str, Any]:
    ended, result = outcome.ended(), outcome.result
    if result is None:
        return ended
    more = dict(getattr(result, "metadata", None) or {})
    ended |= {"result": result.output, "metadata": {"title": result.title} if getattr(result, "title", None) else {}}
    if more.get("declined_by_user") or more.get("plan_mode_blocked"):
        return ended | {"status": "skipped", "error": str(result.error or "denied")}
    if more.get("synthetic_result"):
        return ended | {"status": "cancelled", "error": str(result.error or "")}
    if result.error:
        return ended | {"status": "error", "error": str(result.error), "error_type": "_OTHER"}
    return ended


def _completion(emit: Emit, call: Invocation, *, streamed: bool) -> _Watching:
    here, request = emit.current(), call.argument(0, "request")
    if here is None or here.turn_id is None:
        yield None
        return
    said = [_message(message) for message in request.messages]
    history = max((n for n, one in enumerate(said, 1) if one["role"] == "assistant"), default=0)
    ids: dict[str, Any] = {"session_id": here.session_id, "turn_id": here.turn_id, "agent_id": here.agent_id}
    started = ModelCallStarted(
        **ids,
        call_id=new_id(),
        parent_id=here.call_id,
        model=request.model,
        history=history,
        messages=said[history:],
        provider=request.provider_id or getattr(call.instance, "id", None),
        streamed=streamed,
    )
    emit(started)
    whole = _Whole()
    outcome = yield StreamObserver(started, whole.take)
    if outcome.result is not None:
        whole.take(outcome.result)
    finish = [whole.finish_reason] if whole.finish_reason else []
    emit(
        ModelCallEnded(
            **ids,
            call_id=started.call_id,
            **outcome.ended(),
            output=[whole.message()],
            finish_reasons=finish,
            response_model=whole.model,
            usage=whole.usage,
        )
    )


def _message(message: Any) -> dict[str, Any]:
    dumped = message.model_dump(exclude_none=True) if hasattr(message, "model_dump") else dict(message)
    return {name: dumped[name] for name in ("role", "content", "tool_calls", "tool_call_id") if name in dumped}


class _Whole:
    """A completion, from one piece or from many."""

    def __init__(self) -> None:
        self._text = ""
        self._calls: list[Any] = []
        self.finish_reason: str | None = None
        self.model: str | None = None
        self.usage: Usage | None = None

    def take(self, piece: Any) -> None:
        self._text += piece.content or ""
        self._calls += piece.tool_calls or []
        self.finish_reason = piece.finish_reason or self.finish_reason
        self.model = getattr(piece, "model", None)
        if used := getattr(piece, "usage", None):
            self.usage = Usage(input_tokens=used.get("prompt_tokens"), output_tokens=used.get("completion_tokens"))

    def message(self) -> dict[str, Any]:
        calls = [call.model_dump() if hasattr(call, "model_dump") else call for call in self._calls]
        return {"role": "assistant", "content": self._text, **({"tool_calls": calls} if calls else {})}
