"""What Semantic Kernel's messages, arguments and results say, in turnspan's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import reduce
from operator import add
from typing import Any

from turnspan.adapter import parsed


def arguments_of(given: Any) -> Any:
    """Return arguments: JSON, or those of the kernel without what it puts in by itself."""
    if isinstance(given, str):
        return parsed(given) or {}
    own = ("chat_history", "kernel", "service", "execution_settings", "arguments")
    return {name: value for name, value in dict(given or {}).items() if name not in own}


def prompt_of(given: Any) -> Any:
    """Return what an agent is asked: a text, or the last of several messages."""
    if isinstance(given, list):
        given = given[-1] if given else ""
    return getattr(given, "content", given) if hasattr(given, "role") else given


def answer_of(result: Any) -> Any:
    """Return what a result says: a message's text, or those of several."""
    if isinstance(result, list):
        said = [answer_of(one) for one in result]
        return said[0] if len(said) == 1 else said or None
    return result.content if hasattr(result, "role") else result


def heard(messages: list[Any]) -> Any:
    """Return what an agent says: pieces of a message are put together."""
    if messages and all(type(one).__name__ == "StreamingChatMessageContent" for one in messages):
        return "".join(one.content or "" for one in messages)
    return answer_of(messages)


def whole(pieces: list[list[Any]]) -> list[Any]:
    """Return the messages that a stream's pieces make up."""
    with suppress(Exception):  # pieces of several models do not add up
        return [reduce(add, (one for piece in pieces for one in piece))]
    return []


def last_result(history: Any, call_id: str | None) -> Any:
    """Return what the call of a function came to, as the model will be given it."""
    for message in reversed(history.messages):
        for item in message.items:
            if type(item).__name__ == "FunctionResultContent" and item.id == call_id:
                return item.result
    return None


def message_of(message: Any) -> Iterator[dict[str, Any]]:
    """Yield a message as chat models have it; results of functions are messages of their own."""
    calls: list[dict[str, Any]] = []
    for item in message.items:
        kind = type(item).__name__
        if kind == "FunctionCallContent":
            calls.append({"id": item.id, "function": {"name": item.name, "arguments": arguments_of(item.arguments)}})
        elif kind == "FunctionResultContent":
            yield {"role": "tool", "tool_call_id": item.id, "content": str(item.result)}
    role = str(getattr(message.role, "value", message.role))
    if message.content or calls:
        yield {"role": role, "content": message.content or "", **({"tool_calls": calls} if calls else {})}
