"""Chat completions: what a request and an answer of the ``openai`` client say."""

from __future__ import annotations

from typing import Any

from turnspan_integrations.loops import Answer, Message, Request, Said
from turnspan_integrations.openai_values import forced_tool, plain, role_of, text_of
from turnspan_integrations.usage import openai_usage

_KEPT = ("role", "reasoning_content", "reasoning", "content", "tool_calls", "function_call", "refusal")
"""What is kept of a message; servers that are compatible show the model's reasoning under one of two names."""


def request(asked: dict[str, Any], provider: str) -> Request:
    """Return what is asked."""
    messages = asked.get("messages")
    return Request(
        provider,
        asked.get("model"),
        streamed=bool(asked.get("stream")),
        messages=[_message(m) for m in messages] if isinstance(messages, (list, tuple)) else [],
        list_id=id(messages),
        forced=forced_tool(asked),
    )


def _message(message: Any) -> Message:
    data = plain(message)
    role, content = data.get("role"), text_of(data.get("content"))
    if role == "tool":
        return Message(data, [Said("result", content, data.get("tool_call_id"))])
    if role == "function":
        return Message(data, [Said("result", content, None, data.get("name"))])
    if role != "assistant":
        return Message(data, [Said(role_of(data), content)])
    spoken = content or data.get("refusal")
    said = [Said("assistant", spoken)] if spoken else []
    said += [_call(one) for one in data.get("tool_calls") or []]
    if legacy := data.get("function_call"):
        said.append(Said("call", None, None, legacy.get("name"), legacy.get("arguments")))
    return Message(data, said)


def _call(call: dict[str, Any]) -> Said:
    asked = call.get("function") or call.get("custom") or {}
    return Said("call", None, call.get("id"), asked.get("name"), asked.get("arguments", asked.get("input")))


class Reader:
    """Reads a chat completion, whole or in chunks; of several choices the first goes on."""

    def __init__(self) -> None:
        self._choices: dict[int, _Choice] = {}
        self._finish: dict[int, str] = {}
        self._model: str | None = None
        self._response_id: str | None = None
        self._used: Any = None
        self._tier: Any = None

    def parsed(self, data: Any) -> Any:
        """Return the answer of a raw response."""
        from openai.types.chat import ChatCompletion

        return ChatCompletion.construct(**data)

    def whole(self, result: Any) -> Answer:
        """Return what a completion says."""
        self._model, self._response_id, self._used = result.model, result.id or None, result.usage
        self._tier = getattr(result, "service_tier", None)
        finish = [str(choice.finish_reason) for choice in result.choices or [] if choice.finish_reason]
        return self._answer([plain(choice.message) for choice in result.choices or []], finish)

    def take(self, chunk: Any) -> None:
        """Take a chunk."""
        self._model = self._model or getattr(chunk, "model", None)  # Azure's first chunk has neither
        self._response_id = self._response_id or getattr(chunk, "id", None)
        self._used = _used_in(chunk) or self._used  # each says all there was until then
        self._tier = getattr(chunk, "service_tier", None) or self._tier
        for choice in getattr(chunk, "choices", None) or []:
            if (delta := choice.delta) is not None:  # Azure's content filter says something of a choice beside it
                self._choices.setdefault(choice.index, _Choice()).take(delta)
            if choice.finish_reason:
                self._finish[choice.index] = str(choice.finish_reason)

    def is_whole(self) -> bool:
        """Return whether the model said why it stopped."""
        return bool(self._finish)

    def answer(self) -> Answer:
        """Return what was streamed until now."""
        messages = [choice.message() for _, choice in sorted(self._choices.items())]
        return self._answer(messages, list(self._finish.values()))

    def _answer(self, messages: list[Any], finish: list[str]) -> Answer:
        said = _message({"role": "assistant", **messages[0]}).said if messages else []
        return Answer(
            [{k: m[k] for k in _KEPT if m.get(k)} for m in messages],
            said,
            final=not any(one.kind == "call" for one in said),
            model=self._model,
            response_id=self._response_id,
            usage=openai_usage(self._used, self._tier),
            finish_reasons=finish,
        )


def _used_in(chunk: Any) -> Any:
    """Return what a chunk says of tokens; Groq says it in a place of its own, unless it is asked as OpenAI is."""
    if (used := getattr(chunk, "usage", None)) is not None:
        return used
    groq = getattr(chunk, "x_groq", None)
    return groq.get("usage") if isinstance(groq, dict) else getattr(groq, "usage", None)


class _Choice:
    """Puts the deltas of one choice together."""

    def __init__(self) -> None:
        self._content = self._refusal = ""
        self._reasoning: dict[str, str] = {}
        self._legacy: dict[str, str] | None = None
        self._calls: list[dict[str, Any]] = []
        self._by_index: dict[int | None, dict[str, Any]] = {}

    def take(self, delta: Any) -> None:
        """Take what a chunk adds."""
        self._content += delta.content or ""
        self._refusal += getattr(delta, "refusal", None) or ""
        for name in ("reasoning_content", "reasoning"):
            if isinstance(text := getattr(delta, name, None), str):
                self._reasoning[name] = self._reasoning.get(name, "") + text
        for piece in delta.tool_calls or []:
            call = self._call_of(piece)
            call["id"] = call["id"] or piece.id
            if piece.function is not None:
                call["function"]["name"] += piece.function.name or ""
                call["function"]["arguments"] += piece.function.arguments or ""
        if (legacy := getattr(delta, "function_call", None)) is not None:
            self._legacy = self._legacy or {"name": "", "arguments": ""}
            self._legacy["name"] += legacy.name or ""
            self._legacy["arguments"] += legacy.arguments or ""

    def _call_of(self, piece: Any) -> dict[str, Any]:
        """Return the call that a piece belongs to; compatible servers send all at one index, or at none."""
        index = getattr(piece, "index", None)
        call = self._by_index.get(index)
        begins = call is None or (
            piece.id and call["id"] and piece.id != call["id"] and piece.function is not None and piece.function.name
        )
        if begins or call is None:
            call = {"id": None, "type": "function", "function": {"name": "", "arguments": ""}}
            self._calls.append(call)
            self._by_index[index] = call
        return call

    def message(self) -> dict[str, Any]:
        """Return the message so far."""
        message: dict[str, Any] = {
            "role": "assistant",
            **self._reasoning,
            "content": self._content,
            "tool_calls": self._calls,
        }
        if self._refusal:
            message["refusal"] = self._refusal
        if self._legacy is not None:
            message["function_call"] = self._legacy
        return message
