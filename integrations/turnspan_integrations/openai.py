"""The ``openai`` client: handwritten loops over chat completions and responses.

Methods of the client are wrapped; streams are listened to where the client keeps them, so their types stay. What a list
of messages means for sessions, turns and tool calls is told by :mod:`turnspan_integrations.loops`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any

from turnspan.adapter import Emit, Invocation, Outcome
from turnspan.events import Usage
from turnspan_integrations.loops import Answer, Asking, Kind, Loops, Message, Request, Said, on_close, tap

REQUIRES = "openai>=1.66"
CANNOT = {
    "agents": "a client knows none",
    "sub-agents": "a tool's own loop is a conversation of its own",
    "tool failures": "the program hands an error on as text, like any other result",
    "handoffs": "a client knows none",
    "how long a tool took": "to less than the time between two calls of the model",
    "answers read through `with_streaming_response`": "the program reads them by itself",
    "a task that was left before the model was asked again": "in a loop without tasks",
}
_ROLES: dict[str, Kind] = {"developer": "system", "system": "system", "assistant": "assistant"}


def install(emit: Emit) -> None:
    """Wrap the methods that ask a model."""
    loops = Loops(emit)

    def chat(call: Invocation) -> Generator[Any, Outcome, None]:
        return _watched(emit, loops.ask(_chat_request(call)), _Chat())

    def responses(call: Invocation) -> Generator[Any, Outcome, None]:
        return _watched(emit, loops.ask(_responses_request(call)), _Responses())

    for target, observer in (
        ("openai.resources.chat.completions:Completions", chat),
        ("openai.resources.chat.completions:AsyncCompletions", chat),
        ("openai.resources.responses:Responses", responses),
        ("openai.resources.responses:AsyncResponses", responses),
    ):
        for method in ("create", "parse"):
            emit.patch.wrap(f"{target}.{method}", observer)


def _watched(emit: Emit, asking: Asking | None, reader: _Chat | _Responses) -> Generator[Any, Outcome, None]:
    if asking is None:
        yield None
        return
    outcome = yield asking
    if outcome.error is not None or outcome.cancelled:
        asking.failed(outcome)
        return
    result = outcome.result
    if type(result).__name__ == "LegacyAPIResponse":  # with_raw_response: what it parses to is kept for the program
        result = result.parse()
    if hasattr(result, "_iterator"):
        _listen(emit, result, asking, reader)
    elif hasattr(result, "model_dump"):
        asking.answered(reader.answer(result))
    else:
        asking.answered(Answer([], [], final=True))


def _listen(emit: Emit, stream: Any, asking: Asking, reader: _Chat | _Responses) -> None:
    def item(one: Any) -> None:
        asking.call.chunk()
        reader.take(one)

    def ended(outcome: Outcome) -> None:
        answer = reader.streamed()
        if answer is not None:  # the client closes a response that was read to its end, too
            asking.answered(answer)
        else:
            asking.failed(outcome if outcome.error else Outcome(cancelled=True), reader.so_far())

    tap(emit, asking, stream, "_iterator", item, ended)
    with contextlib.suppress(AttributeError):
        on_close(emit, asking, stream.response, "aclose" if hasattr(stream._iterator, "__anext__") else "close", ended)  # noqa: SLF001


def _given(call: Invocation) -> dict[str, Any]:
    """Return the arguments that were really given; helpers pass sentinels for all others."""
    return {k: v for k, v in call.kwargs.items() if v is not None and type(v).__name__ not in ("Omit", "NotGiven")}


def _provider(instance: Any) -> str:
    return "azure.ai.openai" if "Azure" in type(getattr(instance, "_client", None)).__name__ else "openai"


def _plain(value: Any) -> Any:
    return value.model_dump(exclude_none=True) if hasattr(value, "model_dump") else value


def _usage(used: Any, given: str, written: str) -> Usage | None:
    if used is None:
        return None
    read, thought = getattr(used, f"{given}_tokens_details", None), getattr(used, f"{written}_tokens_details", None)
    return Usage(
        input_tokens=getattr(used, f"{given}_tokens", None),
        output_tokens=getattr(used, f"{written}_tokens", None),
        cache_read_tokens=getattr(read, "cached_tokens", None) or None,
        reasoning_tokens=getattr(thought, "reasoning_tokens", None) or None,
    )


def _text(content: Any) -> Any:
    """Return the text of a content; what has none as it is."""
    if isinstance(content, list):
        texts = [part.get("text") or part.get("refusal") for part in content if isinstance(part, dict)]
        return "".join(t for t in texts if isinstance(t, str)) or content
    return content


# Chat completions ----------------------------------------------------------------------------------------------------


def _chat_request(call: Invocation) -> Request:
    given = _given(call)
    messages = given.get("messages")
    return Request(
        _provider(call.instance),
        given.get("model"),
        streamed=bool(given.get("stream")),
        messages=[_chat_message(m) for m in messages] if isinstance(messages, (list, tuple)) else [],
        list_id=id(messages),
    )


def _chat_message(message: Any) -> Message:
    plain = _plain(message)
    role, content = plain.get("role"), _text(plain.get("content"))
    if role == "tool":
        return Message(plain, [Said("result", content, plain.get("tool_call_id"))])
    if role != "assistant":
        return Message(plain, [Said(_ROLES.get(str(role), "user"), content)])
    said = [Said("assistant", content)] if content else []
    return Message(plain, said + [_call(one) for one in plain.get("tool_calls") or []])


def _call(call: dict[str, Any]) -> Said:
    asked = call.get("function") or call.get("custom") or {}
    return Said("call", None, call.get("id"), asked.get("name"), asked.get("arguments", asked.get("input")))


class _Chat:
    """Reads a chat completion, whole or in chunks."""

    def __init__(self) -> None:
        self._choices: dict[int, dict[str, Any]] = {}
        self._finish: dict[int, str] = {}
        self._last: Any = None
        self._used: Any = None

    def answer(self, result: Any) -> Answer:
        """Return what a completion says; of several choices the first goes on."""
        messages = [_plain(choice.message) for choice in result.choices]
        finish = [str(choice.finish_reason) for choice in result.choices if choice.finish_reason]
        return self._answer(messages, finish, result, result.usage)

    def _answer(self, messages: list[Any], finish: list[str], result: Any, used: Any) -> Answer:
        output = [{k: m[k] for k in ("role", "content", "tool_calls", "refusal") if m.get(k)} for m in messages]
        said = _chat_message({"role": "assistant", **messages[0]}).said if messages else []
        return Answer(
            output,
            said,
            final=not any(one.kind == "call" for one in said),
            model=result.model,
            response_id=result.id or None,
            usage=_usage(used, "prompt", "completion"),
            finish_reasons=finish,
        )

    def take(self, chunk: Any) -> None:
        """Take a chunk."""
        self._last = self._last or chunk
        self._used = getattr(chunk, "usage", None) or self._used
        for choice in getattr(chunk, "choices", None) or []:
            message = self._choices.setdefault(choice.index, {"role": "assistant", "content": "", "tool_calls": {}})
            message["content"] += choice.delta.content or ""
            for piece in choice.delta.tool_calls or []:
                call = message["tool_calls"].setdefault(
                    piece.index, {"id": None, "type": "function", "function": {"name": "", "arguments": ""}}
                )
                call["id"] = piece.id or call["id"]
                if piece.function is not None:
                    call["function"]["name"] += piece.function.name or ""
                    call["function"]["arguments"] += piece.function.arguments or ""
            if choice.finish_reason:
                self._finish[choice.index] = str(choice.finish_reason)

    def streamed(self) -> Answer | None:
        """Return the whole answer, or None if the stream did not come to its end."""
        if not self._finish:
            return None
        return self._answer(self.so_far(), list(self._finish.values()), self._last, self._used)

    def so_far(self) -> list[Any]:
        """Return what was streamed until now."""
        return [{**m, "tool_calls": list(m["tool_calls"].values())} for _, m in sorted(self._choices.items())]


# Responses -----------------------------------------------------------------------------------------------------------


def _responses_request(call: Invocation) -> Request:
    given = _given(call)
    asked = given.get("input", [])
    items = [{"role": "user", "content": asked}] if isinstance(asked, str) else asked
    messages = [_item(item) for item in items] if isinstance(items, (list, tuple)) else []
    if (instructions := given.get("instructions")) is not None:
        messages.insert(0, Message({"role": "system", "content": instructions}, [Said("system", instructions)]))
    conversation = given.get("conversation")
    own = conversation.get("id") if isinstance(conversation, dict) else getattr(conversation, "id", conversation)
    return Request(
        _provider(call.instance),
        given.get("model"),
        messages,
        streamed=bool(given.get("stream")),
        own=own,
        previous=given.get("previous_response_id"),
        list_id=id(asked),
    )


def _item(item: Any) -> Message:
    plain = _plain(item)
    kind = plain.get("type") or "message"
    if kind.endswith("_call_output"):
        return Message(plain, [Said("result", _text(plain.get("output")), plain.get("call_id"))])
    if kind in ("function_call", "custom_tool_call"):
        asked = plain.get("arguments", plain.get("input"))
        return Message(plain, [Said("call", None, plain.get("call_id"), plain.get("name"), asked)])
    if kind != "message":
        return Message(plain, [])  # reasoning, and tools that ran at the provider
    return Message(plain, [Said(_ROLES.get(str(plain.get("role")), "user"), _text(plain.get("content")))])


class _Responses:
    """Reads a response, whole or as events."""

    def __init__(self) -> None:
        self._whole: Any = None
        self._text = ""

    def answer(self, result: Any) -> Answer:
        """Return what a response says."""
        items = [_item(item) for item in result.output]
        said = [one for item in items for one in item.said]
        calls = any(one.kind == "call" for one in said)
        why = getattr(result.incomplete_details, "reason", None) or ("tool_calls" if calls else "stop")
        return Answer(
            [{"role": "assistant", **item.plain} if "content" in item.plain else item.plain for item in items],
            said,
            final=not calls,
            model=result.model,
            response_id=result.id,
            usage=_usage(result.usage, "input", "output"),
            finish_reasons=[why],
        )

    def take(self, event: Any) -> None:
        """Take an event of a stream."""
        if event.type in ("response.completed", "response.incomplete", "response.failed"):
            self._whole = event.response
        elif event.type == "response.output_text.delta":
            self._text += event.delta

    def streamed(self) -> Answer | None:
        """Return the whole answer, or None if the stream did not come to its end."""
        return None if self._whole is None else self.answer(self._whole)

    def so_far(self) -> list[Any]:
        """Return what was streamed until now."""
        return [{"role": "assistant", "content": self._text}]
