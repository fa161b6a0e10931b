"""What LlamaIndex's dispatcher says of models: when one is asked, what it answers, that it failed."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import Any

from turnspan.adapter import Emit, ModelCall, Outcome, Run
from turnspan_integrations.raw_answers import RawAnswer, of, raw_answer

_PROVIDERS = {
    "azure_openai": "azure.ai.openai",
    "bedrock_converse": "aws.bedrock",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "google_genai": "gcp.gemini",
    "vertex": "gcp.vertex_ai",
    "mistralai": "mistral_ai",
    "openai_responses": "openai",
}
"""What clients call themselves, as ``gen_ai.provider.name`` has it, where that differs."""


class Models:
    """The model calls that are open, by the span of the runtime's that they happen in."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._running: dict[str, tuple[ModelCall, _Heard]] = {}

    def hear(self, event: Any) -> None:
        """Take an event of the dispatcher."""
        match type(event).__name__:
            case "LLMChatStartEvent":
                self._start(event, [_plain(message) for message in event.messages])
            case "LLMCompletionStartEvent" if not self._asks_already():
                self._start(event, [{"role": "user", "content": event.prompt}])
            case "LLMChatInProgressEvent" | "LLMCompletionInProgressEvent":
                if (running := self._running.get(event.span_id)) is not None:
                    running[0].chunk()
                    running[1].take(event.response)
            case "LLMChatEndEvent" | "LLMCompletionEndEvent":
                if (running := self._running.pop(event.span_id, None)) is not None:
                    running[1].take(event.response)
                    running[1].end(running[0], Outcome())
            case "ExceptionEvent":
                self.failed(event.span_id, event.exception)

    def _start(self, event: Any, messages: list[Any]) -> None:
        if (run := self._emit.current_run()) is None:
            return
        asked = event.model_dict
        kind = str(asked.get("class_name") or "").lower().removesuffix("_llm")
        call = run.model_started(
            provider=_PROVIDERS.get(kind, kind) or None,
            model=asked.get("model") or asked.get("model_name"),
            messages=messages,
        )
        self._running[event.span_id] = call, _Heard(call.started.provider)

    def _asks_already(self) -> bool:
        """Return whether this is how a client asks that has no chat of its own, whose start was heard already."""
        here = _here()
        return any(heard.asked_in == here and heard.is_silent for _, heard in list(self._running.values()))

    def failed(self, span_id: str, error: BaseException | None) -> None:
        """A model did not answer, or not to the end."""
        if (running := self._running.pop(span_id, None)) is not None:
            cancelled = isinstance(error, (asyncio.CancelledError, GeneratorExit))
            running[1].end(running[0], Outcome(error=None if cancelled else error, cancelled=cancelled))

    def leave(self, run: Run, outcome: Outcome) -> None:
        """End the calls of a run that is over: whoever leaves a stream reports that later, or never."""
        for span_id, (call, heard) in list(self._running.items()):
            if call.run is run:
                del self._running[span_id]
                broken = outcome if outcome.status == "error" else Outcome(cancelled=True)
                heard.end(call, broken._replace(result=None))


class _Heard:
    """What a model has answered so far."""

    def __init__(self, provider: str | None) -> None:
        self.asked_in, self._provider = _here(), provider
        self._last: Any = None
        self._raw = RawAnswer()

    @property
    def is_silent(self) -> bool:
        """Whether nothing was answered yet."""
        return self._last is None

    def take(self, response: Any) -> None:
        """Take an answer, or one as far as it has come."""
        if response is None:
            return
        self._last = response
        self._raw = raw_answer(response.raw, self._provider, response.additional_kwargs).after(self._raw)

    def end(self, call: ModelCall, outcome: Outcome) -> None:
        """End the call with what was heard."""
        message = getattr(self._last, "message", None)
        text = getattr(self._last, "text", None)
        output = None if message is None and text is None else {"role": "assistant", "content": text}
        call.ended(
            outcome,
            [output if message is None else _plain(message)] if output is not None else None,
            response_model=self._raw.model,
            response_id=self._raw.response_id,
            usage=self._raw.usage,
            finish_reasons=[self._raw.finish_reason] if self._raw.finish_reason else [],
        )


def handlers(emit: Emit, models: Models) -> tuple[Any, Any]:
    """Return what the dispatcher is given: a handler of events, and one of spans, for those that failed."""
    from llama_index.core.instrumentation.event_handlers import BaseEventHandler
    from llama_index.core.instrumentation.span_handlers import BaseSpanHandler

    hear, failed = emit.patch.guard(models.hear), emit.patch.guard(models.failed)

    class TurnspanEvents(BaseEventHandler):  # type: ignore[misc]
        """Hears of model calls."""

        def handle(self, event: Any, **_: Any) -> None:
            hear(event)

    class TurnspanSpans(BaseSpanHandler[Any]):  # type: ignore[misc]
        """Hears of those that failed; it keeps no spans."""

        def new_span(self, *_: Any, **_more: Any) -> None:
            return None

        def prepare_to_exit_span(self, *_: Any, **_more: Any) -> None:
            return None

        def prepare_to_drop_span(self, id_: str, *_: Any, err: BaseException | None = None, **_more: Any) -> None:
            failed(id_, err)

    return TurnspanEvents(), TurnspanSpans()


def _here() -> int:
    """Return what tells one task or thread from another."""
    with suppress(RuntimeError):
        if (task := asyncio.current_task()) is not None:
            return id(task)
    return threading.get_ident()


def _plain(message: Any) -> dict[str, Any]:
    """Return a message as it is kept."""
    plain: dict[str, Any] = {"role": getattr(message.role, "value", message.role), "content": message.content}
    more = message.additional_kwargs
    calls = [
        {"id": block.tool_call_id, "function": {"name": block.tool_name, "arguments": block.tool_kwargs}}
        for block in message.blocks
        if type(block).__name__ == "ToolCallBlock"
    ]
    calls = calls or [_call(one) for one in more.get("tool_calls") or ()]
    if calls:
        plain["tool_calls"] = calls
    if (call_id := more.get("tool_call_id")) is not None:
        plain["tool_call_id"] = call_id
    return plain


def _call(call: Any) -> dict[str, Any]:
    asked = of(call, "function") or call
    arguments = of(asked, "arguments") or of(asked, "input")
    return {"id": of(call, "id"), "function": {"name": of(asked, "name"), "arguments": arguments}}
