"""What Haystack's messages, pipelines and tools hold, in turnspan's words."""

from __future__ import annotations

import hashlib
import inspect
import sys
import weakref
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any

_REMEMBERED = 4096
_ALIKE_REMEMBERED = 32


def is_agent(component: Any) -> bool:
    """Return whether a component is an agent."""
    agents = sys.modules.get("haystack.components.agents.agent")
    return agents is not None and isinstance(component, agents.Agent)


def is_message(value: Any) -> bool:
    """Return whether something is a message of a chat."""
    return type(value).__name__ == "ChatMessage"


# Messages ------------------------------------------------------------------------------------------------------------


def message_of(message: Any) -> dict[str, Any]:
    """Return a message as chat models have it."""
    if not is_message(message):
        return {"role": "user", "content": message}
    results = message.tool_call_results
    plain: dict[str, Any] = {"role": message.role.value, "content": text_of(message)}
    if not results and (others := [part.to_dict() for part in (*message.images, *getattr(message, "files", ()))]):
        plain["content"] = [*({"type": "text", "text": text} for text in message.texts), *others]
    if calls := message.tool_calls:
        plain["tool_calls"] = [
            {"id": one.id, "function": {"name": one.tool_name, "arguments": one.arguments}} for one in calls
        ]
    if results:
        plain["tool_call_id"] = results[0].origin.id
    return plain


def text_of(message: Any) -> Any:
    """Return what a message says, or what a tool returned that it hands on."""
    if not is_message(message):
        return message
    if results := message.tool_call_results:
        return results[0].result
    return "\n".join(message.texts) if message.texts else None


def _is_from(message: Any, *roles: str) -> bool:
    return is_message(message) and message.role.value in roles


# What goes into a run and comes out of it ----------------------------------------------------------------------------


def prompt_in(data: Any) -> Any:
    """Return what a run is asked: the last message of the user, the one text that a pipeline is given, or all of it."""
    if isinstance(data, str) or not data:
        return data or ""
    if isinstance(data, list):
        asked = next((message for message in reversed(data) if _is_from(message, "user")), None)
        return message_of(asked)["content"] if asked is not None else ""
    if (history := history_in(data)) and (asked := prompt_in(history)):
        return asked
    texts = list(dict.fromkeys(leaf for leaf in _leaves(data) if isinstance(leaf, str)))
    return texts[0] if len(texts) == 1 else plain_of(data)


def history_in(data: Any) -> list[Any]:
    """Return the messages that a pipeline is given."""
    lists = [leaf for leaf in _leaves(data) if isinstance(leaf, list) and leaf and all(map(is_message, leaf))]
    return max(lists, key=len, default=[])


def answer_of(outputs: Any) -> Any:
    """Return what a pipeline answers: what the one component says that says something, or what each does."""
    if not isinstance(outputs, dict):
        return outputs
    said = {name: _said_by(one) for name, one in outputs.items() if isinstance(one, dict)}
    said = {name: text for name, text in said.items() if text is not None}
    return next(iter(said.values())) if len(said) == 1 else said or plain_of(outputs) or None


def _said_by(outputs: dict[str, Any]) -> Any:
    if is_message(outputs.get("last_message")):
        return text_of(outputs["last_message"])
    texts = {name: text for name, value in outputs.items() if (text := _text_in(value)) is not None}
    return next(iter(texts.values())) if len(texts) == 1 else texts or None


def _text_in(leaf: Any) -> Any:
    if isinstance(leaf, list) and len(leaf) == 1:
        leaf = leaf[0]
    if is_message(leaf):
        return text_of(leaf)
    if type(leaf).__name__ in ("GeneratedAnswer", "ExtractedAnswer"):
        return leaf.data
    return leaf if isinstance(leaf, str) else None


def _leaves(data: Any) -> Iterator[Any]:
    if isinstance(data, dict):
        for value in data.values():
            yield from _leaves(value)
    else:
        yield data


def plain_of(value: Any) -> Any:
    """Return a value with its messages as they are kept; an agent's outputs are its answer."""
    if isinstance(value, dict):
        if is_message(value.get("last_message")):
            return text_of(value["last_message"])
        return {key: plain_of(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain_of(item) for item in value]
    return message_of(value) if is_message(value) else value


def given_to(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return what a tool is called with, without what the runtime puts in beside it."""
    return {name: value for name, value in arguments.items() if type(value).__name__ != "State"}


def takes(tool: Any, arguments: dict[str, Any]) -> bool:
    """Return whether a tool's function can be called with arguments."""
    function = getattr(tool, "function", None) or getattr(tool, "async_function", None)
    try:
        inspect.signature(function).bind(**arguments)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
    return True


# Sessions ------------------------------------------------------------------------------------------------------------


class Histories:
    """Which session a history belongs to: a run that is given what an earlier one returned goes on with its session."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, dict[str, weakref.ref[Any]]] = OrderedDict()
        self._paused: OrderedDict[str, str] = OrderedDict()

    def find(self, messages: Sequence[Any], paused: Any = None) -> str | None:
        """Return the session of a run that is given messages, or the snapshot of a pipeline that was paused."""
        if paused is not None:
            return self._paused.get(str(paused.timestamp))
        last = next((n for n in range(len(messages), 0, -1) if _is_from(messages[n - 1], "assistant", "tool")), 0)
        if not last:
            return None
        found = list(self._known.get(_fingerprint(messages[:last]), {}).items())
        if len(found) > 1:  # two that greet alike are answered alike: then it is that whose very message it is
            found = [(session, message) for session, message in found if message() is messages[last - 1]]
        return found[0][0] if found else None

    def remember(self, messages: Sequence[Any], session: str, paused: Any = None) -> None:
        """Take what a run returned."""
        if paused is not None:
            self._paused[str(paused.timestamp)] = session
        if messages:
            found = self._known.setdefault(_fingerprint(messages), {})
            found[session] = weakref.ref(messages[-1])
            if len(found) > _ALIKE_REMEMBERED:
                del found[next(iter(found))]
        for known in (self._known, self._paused):
            while len(known) > _REMEMBERED:
                known.popitem(last=False)


def _fingerprint(messages: Sequence[Any]) -> str:
    """Return a name for what was said; what the system says may be put in front anew each time."""
    said = [message_of(message) for message in messages if not _is_from(message, "system")]
    return hashlib.blake2b(repr(said).encode("utf-8", "backslashreplace"), digest_size=16).hexdigest()
