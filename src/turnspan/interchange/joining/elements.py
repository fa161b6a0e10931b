"""Elements: two accounts of one call, agent or note become one.

Each field has a rule that neither the order nor a repetition matters to: the longer text, the larger count, the earlier
start. A source that does not know a field leaves it out.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

PENDING = "never answered"
"""The error of a call whose end is not known."""
_RANK = {"running": 0, "skipped": 1, "success": 2, "cancelled": 3, "timeout": 4, "error": 5}
_REFUSED = 6
"""A call that was refused ends in no other way; transcripts show it as one that failed."""

Element = dict[str, Any]


def joined(one: Element, other: Element) -> Element:
    """Return what two accounts of an element say together."""
    made = {
        name: _field(name, one.get(name), other.get(name))
        for name in dict.fromkeys([*one, *other])
        if name not in ("status", "error")
    }
    if "status" in one or "status" in other:
        made["status"], error = max(_outcome(one), _outcome(other), key=_outcome_order)
        if error or "error" in one or "error" in other:
            made["error"] = error
    return made


def is_derived(id_: str) -> bool:
    """Return whether turnspan made an id up, for what its source has none for."""
    return len(id_) == 32 and id_[12] == "8" and id_.isalnum()


def longer(one: Any, other: Any) -> Any:
    """Return the value that says more; of two that say as much, always the same."""
    if is_empty(one) or is_empty(other):
        return other if is_empty(one) else one
    return max(one, other, key=_size)


def is_empty(value: Any) -> bool:
    """Return whether a value says nothing; zero and false do."""
    return value is None or value in ("", [], {})


def _size(value: Any) -> tuple[float, str]:
    if isinstance(value, (int, float)):
        return float(value), ""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    return len(text), text


def _field(name: str, one: Any, other: Any) -> Any:
    rule = _RULES.get(name, longer)
    return longer(one, other) if is_empty(one) or is_empty(other) else rule(one, other)


def _union(one: Any, other: Any) -> Any:
    return list(dict.fromkeys([*one, *other]))


def _sorted_union(one: Any, other: Any) -> Any:
    return sorted({*one, *other})


def _said(one: Any, other: Any) -> Any:
    """Return what two sources say, name by name: one may cut what the other has, or leave it out."""
    if isinstance(one, dict) and isinstance(other, dict):
        names = dict.fromkeys([*max(one, other, key=_size), *one, *other])
        return {name: longer(one.get(name), other.get(name)) for name in names}
    return longer(one, other)


def _id(one: str, other: str) -> str:
    return min(one, other, key=lambda id_: (is_derived(id_), id_))


def _outcome(element: Element) -> tuple[str, str | None]:
    return element.get("status") or "running", element.get("error") or None


def _outcome_order(outcome: tuple[str, str | None]) -> tuple[int, int, str]:
    status, error = outcome
    refused = status == "skipped" and error not in (None, PENDING)
    return _REFUSED if refused else _RANK.get(status, 5), len(error or ""), error or ""


_RULES: dict[str, Callable[[Any, Any], Any]] = {
    "call_id": _id,
    "turn_id": _id,
    "started_at": min,
    "at": min,
    "duration_ms": min,  # a source without the duration itself has that of the messages, with what was waited for
    "ended_at": max,
    "usage": joined,
    "data": _said,
    "arguments": _said,
    "metadata": joined,
    "turnspan": joined,
    "audit_event_ids": _union,
    "audit_event_id": min,
    "source_ids": _sorted_union,
}
