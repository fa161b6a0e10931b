"""oats, a coding agent: its message loop, its tools, its providers.

A call of the message loop is a turn; inside of another one's tool it is an agent in that turn. The bus of the runtime
publishes too little to go by (no end of a tool, no session on what providers do), so functions are wrapped.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Generator
from pathlib import PurePath
from typing import Any

from turnspan.adapter import Emit, Invocation, Outcome, Run, StreamObserver
from turnspan.events import Usage

REQUIRES = "oats-coder>=1.0.19,<2"
CANNOT = {
    "tokens": "its streams do not say them",
    "sub-agents": "the tool that starts them fails in every release so far",
    "which model answered a stream": "its chunks do not say it",
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

    def outcome(self, outcome: Outcome) -> Outcome:
        if outcome.status == "success" and not self.complete:
            return Outcome.failed(self.failed or "ended without complete")
        return outcome


def _turn(emit: Emit, call: Invocation) -> _Watching:
    heard, info, images = _Heard(), call.instance.session.info, call.argument(3, "images")
    root = getattr(info, "root_session_id", None)
    run = emit.begin(
        agent=_AGENT,
        prompt=call.argument(0, "content"),
        session=str(info.id),
        workspace_id=workspace_of(info.project_dir),
        parent_session=getattr(info, "parent_session_id", None) or (root if root != info.id else None),
        metadata={"images": len(images)} if images else {},
    )
    outcome = yield StreamObserver(run, heard.take)
    run.end(heard.outcome(outcome), heard.answer, metadata=heard.metadata)


def workspace_of(project_dir: Any) -> str | None:
    """Return an id for a project's folder: readable, and no path."""
    if not project_dir:
        return None
    return f"{PurePath(project_dir).name}-{hashlib.sha256(str(project_dir).encode()).hexdigest()[:8]}"


def _tool(emit: Emit, call: Invocation) -> _Watching:
    if (run := emit.current_run()) is None:
        yield None
        return
    call_id = call.argument(1, "tool_call_id")
    if callable(ask := call.kwargs.get("approval_callback")):
        call.kwargs["approval_callback"] = _telling(emit, run, ask, str(call_id) if call_id else None)
    tool = run.tool_started(
        str(call.argument(0, "tool_name")), call.argument(2, "arguments"), str(call_id) if call_id else None
    )
    outcome = yield tool
    if (result := outcome.result) is None:
        tool.ended(outcome)
    else:
        title = getattr(result, "title", None)
        tool.ended(_outcome_of(result), result.output, metadata={"title": title} if title else {})


def _telling(emit: Emit, run: Run, ask: Callable[..., Any], call_id: str | None) -> Callable[..., Any]:
    """Return the program's question to its user, which also says what was asked and decided."""
    asked, decided = emit.patch.guard(run.approval_asked), emit.patch.guard(run.approval_decided)

    @functools.wraps(ask)
    async def ask_and_tell(tool_name: str, arguments: Any, permission: str, *args: Any, **kwargs: Any) -> Any:
        asked(tool_name, call_id, arguments=arguments, reason=permission)
        decision = await ask(tool_name, arguments, permission, *args, **kwargs)
        decided(tool_name, call_id, approved=bool(decision.approved), reason=decision.instructions)
        return decision

    return ask_and_tell


def _outcome_of(result: Any) -> Outcome:
    more = dict(getattr(result, "metadata", None) or {})
    if more.get("declined_by_user") or more.get("plan_mode_blocked"):
        return Outcome.skipped(str(result.error or "denied"))
    if more.get("synthetic_result"):
        return Outcome(error=str(result.error or ""), cancelled=True)
    return Outcome.failed(str(result.error)) if result.error else Outcome()


def _completion(emit: Emit, call: Invocation, *, streamed: bool) -> _Watching:
    run, request = emit.current_run(), call.argument(0, "request")
    if run is None:
        yield None
        return
    model = run.model_started(
        provider=request.provider_id or getattr(call.instance, "id", None),
        model=request.model,
        messages=[_message(message) for message in request.messages],
        streamed=streamed,
    )
    whole = _Whole()
    outcome = yield StreamObserver(model, whole.take)
    if outcome.result is not None:
        whole.take(outcome.result)
    model.ended(
        outcome,
        [whole.message()],
        finish_reasons=[whole.finish_reason] if whole.finish_reason else [],
        response_model=whole.model,
        usage=whole.usage,
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
