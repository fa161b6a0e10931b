"""What models were given and said, in whichever shape a client writes it: calls that were asked for, texts, without ids."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from turnspan.analysis.leaves import Path, leaves, opened

_IDS = frozenset(("id", "call_id", "tool_call_id", "logprobs", "signature", "encrypted_content"))
_LABELS = _IDS | {"role", "type", "name", "status", "annotations", "index", "finish_reason", "mime_type"}
_PAYLOADS = frozenset(("arguments", "args", "input", "output", "result", "response"))
_MOST_DEPTH = 100


@dataclass(slots=True, frozen=True)
class AskedCall:
    """A tool call that a model asked for."""

    call_id: str | None
    name: str
    arguments: Any


def asked_call(value: dict[str, Any]) -> AskedCall | None:
    """Return the call that an item asks for; None where it is something else.

    ``{"type": "function_call", "call_id", "name", "arguments"}``, ``{"id", "function": {"name", "arguments"}}``,
    ``{"type": "tool_use", "id", "name", "input"}``, ``{"type": "tool_call", ...}``: a name, and what it is called with.
    """
    function = value.get("function")
    inner = function if isinstance(function, dict) else value
    name, kind = inner.get("name"), value.get("type")
    if not isinstance(name, str) or (isinstance(kind, str) and kind.endswith(("_output", "_result", "_response"))):
        return None
    given = next((inner[key] for key in ("arguments", "args", "input") if key in inner), None)
    if given is None:
        return None
    ids = (value.get(key) for key in ("call_id", "id", "tool_call_id"))
    return AskedCall(next((id_ for id_ in ids if isinstance(id_, str)), None), name, opened(given))


def asked_calls(value: Any, depth: int = 0) -> Iterator[AskedCall]:
    """Yield the tool calls that an answer asks for."""
    if depth > _MOST_DEPTH:
        return
    if isinstance(value, dict):
        if (call := asked_call(value)) is not None:
            yield call
            return
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from asked_calls(item, depth + 1)


def said(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield the leaves of messages that are content; calls that are asked for are not, they are steps of their own."""
    if isinstance(value, dict) and len(path) < _MOST_DEPTH:
        if asked_call(value) is not None:
            return
        for key, item in value.items():
            if key in _PAYLOADS:
                yield from leaves(item, (*path, key))
            elif key not in _LABELS:
                yield from said(item, (*path, key))
    elif isinstance(value, list) and len(path) < _MOST_DEPTH:
        for number, item in enumerate(value):
            yield from said(item, (*path, number))
    else:
        yield from leaves(value, path)


def without_ids(value: Any, depth: int = 0) -> Any:
    """Return messages without the ids that every run draws anew; what a call was given or gave back stays whole."""
    if depth > _MOST_DEPTH:
        return value
    if isinstance(value, list):
        return [without_ids(item, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    if (call := asked_call(value)) is not None:
        return {"call": call.name, "arguments": call.arguments}
    return {
        key: item if key in _PAYLOADS else without_ids(item, depth + 1)
        for key, item in value.items()
        if key not in _IDS
    }
