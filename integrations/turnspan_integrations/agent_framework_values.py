"""What the Agent Framework's messages and answers say, in turnspan's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from turnspan.adapter import parsed
from turnspan.events import Usage


def _messages(given: Any) -> list[Any]:
    """Return what is given as a list; what can be read only once is left alone."""
    if isinstance(given, list | tuple):
        return list(given)
    return [given] if isinstance(given, str) or hasattr(given, "contents") or hasattr(given, "type") else []


def contents_of(given: Any) -> Iterator[Any]:
    """Yield the contents of messages."""
    for message in _messages(given):
        yield from getattr(message, "contents", ()) if not hasattr(message, "type") else [message]


def prompt_of(given: Any) -> Any:
    """Return what an agent is asked."""
    if isinstance(given, dict):  # answers to what a workflow asked
        return next(iter(given.values())) if len(given) == 1 else given
    for message in reversed(_messages(given)):
        if isinstance(message, str):
            return message
        if str(getattr(message, "role", "user")) == "user" and (text := getattr(message, "text", None)):
            return text
    return ""


def text_in(answer: Any) -> Any:
    """Return what an answer says: its object, where one was asked for, or its text."""
    if isinstance(answer, list):
        if answer and all(type(one).__name__ == "AgentResponseUpdate" for one in answer):  # pieces of a stream
            last = answer[-1].response_id
            answer = ["".join(one.text for one in answer if one.response_id == last)]
        found = [one for one in map(text_in, answer) if one]
        return found[-1] if found else None
    if isinstance(answer, str):
        return answer
    with suppress(Exception):  # it is parsed only here, and what does not fit raises
        if (value := getattr(answer, "value", None)) is not None:
            return value
    return getattr(answer, "text", None) or None


def result_of(contents: Any) -> Any:
    """Return what a tool said."""
    if not isinstance(contents, list):
        return contents
    texts = [getattr(content, "text", None) for content in contents]
    return "".join(text for text in texts if text)


def message_of(message: Any) -> Iterator[dict[str, Any]]:
    """Yield a message as chat models have it; results of tools are messages of their own."""
    calls: list[dict[str, Any]] = []
    for content in message.contents:
        if content.type == "function_call":
            calls.append(
                {
                    "id": content.call_id,
                    "function": {"name": content.name, "arguments": parsed(content.arguments) or {}},
                }
            )
        elif content.type == "function_result":
            result = content.exception if content.exception is not None else content.result
            yield {"role": "tool", "tool_call_id": content.call_id, "content": result_of(result)}
    if message.text or calls:
        yield {"role": str(message.role), "content": message.text or "", **({"tool_calls": calls} if calls else {})}


def usage_of(used: Any) -> Usage | None:
    """Return the tokens of an answer."""
    if not used:
        return None
    return Usage(
        input_tokens=used.get("input_token_count"),
        output_tokens=used.get("output_token_count"),
        cache_read_tokens=used.get("cache_read_input_token_count") or None,
        cache_write_tokens=used.get("cache_creation_input_token_count") or None,
        reasoning_tokens=used.get("reasoning_output_token_count") or None,
    )
