"""Message lists, as every client has them: a model is given a whole conversation, of which only the end is new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

_ROLES = {"human": "user", "ai": "assistant", "AIMessageChunk": "assistant", "model": "assistant"}


class NewMessages(NamedTuple):
    """The messages that a model has not been given before, and how many it has been."""

    history: int
    messages: list[Any]


def role_of(message: Any) -> str:
    """Return who a message is from, in OpenTelemetry's words, whether it is a dictionary, an object or a pair."""
    if isinstance(message, Mapping):
        said = message.get("role") or message.get("type")
    elif isinstance(message, tuple) and len(message) == 2:
        said = message[0]
    else:
        said = getattr(message, "role", None) or getattr(message, "type", None)
    return _ROLES.get(str(said), str(said or ""))


def after_last_answer(messages: Sequence[Any]) -> NewMessages:
    """Return what is new in a conversation: everything behind the last answer of the model.

    A conversation is kept once, not again with every call; what stands before was in an earlier call.
    """
    history = next((n for n in range(len(messages), 0, -1) if role_of(messages[n - 1]) == "assistant"), 0)
    return NewMessages(history, list(messages[history:]))
