"""What erasure makes of an event: the one form in which content may be gone, and the proof still stand."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec

from turnspan.events import TEXTS, Event, Noted, TurnEnded, without_content
from turnspan.journal.hash_chain import ids_in
from turnspan.journal.seals import seal_of
from turnspan.model.json_values import encode
from turnspan.model.records import OURS, ToolCallRecord, TurnRecord

NOTE = "erased"
"""The name of the :class:`~turnspan.events.Noted` that says what was erased, and what is left of it."""
_RECORD_TEXTS = ("response_content", "error")
_CALL_TEXTS = ("result", "error", "sandbox_context")
_DETAIL_TEXTS = ("messages", "output", "error", "response_content", "description", "data")


def is_note(event: Event) -> bool:
    """Return whether an event says what was erased."""
    return isinstance(event, Noted) and event.name == NOTE and event.turn_id is None


def is_kept(event: Event) -> bool:
    """Return whether erasure leaves an event as it is: it has nothing in it but what turnspan says itself."""
    return seal_of(event) is not None or is_note(event)


def is_bare(event: Event, payload: bytes) -> bool:
    """Return whether this is exactly what erasure makes of an event: nothing can be put in place of what is gone."""
    return not is_kept(event) and encode(without_any_content(event)) == payload


def bare_of_unreadable(payload: bytes) -> bytes:
    """Return what erasure leaves of an event that cannot be read: its ids, which the chain covers."""
    ids = ids_in(payload)
    return b"" if ids is None else encode(ids._asdict())


def without_any_content(event: Event) -> Event:
    """Return an event with nothing left that an agent, tool, model or application said."""
    event = without_content(event)
    gone: dict[str, Any] = {name: None for name in TEXTS if getattr(event, name, None) is not None}
    if metadata := getattr(event, "metadata", None):
        gone["metadata"] = _ours_of(metadata)
    if isinstance(event, TurnEnded) and event.record is not None:
        gone["record"] = bare_turn(event.record)
    return msgspec.structs.replace(event, **gone) if gone else event


def bare_turn(record: dict[str, Any]) -> dict[str, Any]:
    """Return a turn as an application recorded it, without what was said in it."""
    metadata = _ours_of(record.get("metadata") or {})
    if isinstance(metadata.get(OURS), dict):
        ours = dict(metadata[OURS])
        for name in ("model_calls", "agents", "notes"):
            if isinstance(ours.get(name), list):
                ours[name] = [_bare_details(one) for one in ours[name]]
        metadata[OURS] = ours
    bare = {**_without(record, TurnRecord, _RECORD_TEXTS), "prompt": "", "metadata": metadata}
    if isinstance(record.get("tool_calls"), list):
        bare["tool_calls"] = [_bare_call(call) if isinstance(call, dict) else call for call in record["tool_calls"]]
    return bare


def _bare_call(call: dict[str, Any]) -> dict[str, Any]:
    bare = _without(call, ToolCallRecord, _CALL_TEXTS)
    return {**bare, "arguments": {}, "metadata": _ours_of(call.get("metadata") or {})}


def _bare_details(details: Any) -> Any:
    if not isinstance(details, dict):
        return details
    return {name: None if name in _DETAIL_TEXTS else value for name, value in details.items()}


def _without(given: dict[str, Any], kind: type, texts: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields of a record without its texts, and without keys that it has no field for."""
    names = [field.name for field in dataclasses.fields(kind)]
    return {name: None if name in texts else given[name] for name in names if name in given}


def _ours_of(metadata: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in metadata.items() if name == OURS}
