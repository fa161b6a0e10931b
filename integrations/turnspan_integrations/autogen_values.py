"""What AutoGen's messages, results and clients say, in turnspan's words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from turnspan.adapter import parsed
from turnspan.events import Usage

_PROVIDERS = {"azure": "azure.ai.inference"}


class Answered:
    """What a run says: the last message of what came of it."""

    def __init__(self) -> None:
        self.text: Any = None

    def take(self, item: Any) -> None:
        """Take the result of a run; its other messages pass."""
        if type(item).__name__ == "TaskResult" and item.messages:
            self.text = text_of(item.messages[-1])


def text_of(given: Any) -> Any:
    """Return what a task, message or result says."""
    if given is None or isinstance(given, str | int | float | bool | dict):
        return given
    if isinstance(given, list | tuple):
        said = [text_of(one) for one in given]
        return said[-1] if len(said) == 1 else said
    if type(given).__name__ == "TaskResult":
        return text_of(given.messages[-1]) if given.messages else None
    for name in ("to_text", "to_model_text"):
        if callable(read := getattr(given, name, None)):
            return read()
    return given


def provider_of(client: Any) -> str | None:
    """Return the value of ``gen_ai.provider.name`` for a client."""
    module = type(client).__module__
    if not module.startswith("autogen_ext.models."):
        return None
    name = module.split(".")[2]
    return _PROVIDERS.get(name, name)


def model_of(client: Any) -> str | None:
    """Return the model that a client asks."""
    given = getattr(client, "_create_args", None) or {}
    return given.get("model") or (getattr(client, "model_info", None) or {}).get("family")


def usage_of(used: Any) -> Usage | None:
    """Return the tokens of an answer; clients say zero where the provider says nothing."""
    if used is None or not (used.prompt_tokens or used.completion_tokens):
        return None
    return Usage(input_tokens=used.prompt_tokens, output_tokens=used.completion_tokens)


def messages_of(messages: Iterable[Any]) -> list[dict[str, Any]]:
    """Return messages as chat models have them; results of tools are messages of their own."""
    plain: list[dict[str, Any]] = []
    for message in messages:
        content, kind = message.content, getattr(message, "type", "AssistantMessage")
        if kind == "FunctionExecutionResultMessage":
            plain += [{"role": "tool", "tool_call_id": one.call_id, "content": one.content} for one in content]
            continue
        role = kind.removesuffix("Message").lower()
        if role == "assistant" and isinstance(content, list):
            calls = [{"id": c.id, "function": {"name": c.name, "arguments": parsed(c.arguments)}} for c in content]
            plain.append({"role": role, "content": getattr(message, "thought", None) or "", "tool_calls": calls})
        else:
            said = "".join(part for part in content if isinstance(part, str)) if isinstance(content, list) else content
            plain.append({"role": role, "content": said})
    return plain
