"""How much of what was said is on record: what ``TURNSPAN_CAPTURE_CONTENT`` does, field by field.

:data:`turnspan.events.FIELDS` says of each field what it is; what happens to it follows from that and from nothing else.
``docs/content.md`` shows the same table, and tests hold both to what journal, store, log, spans and metrics have.
"""

from __future__ import annotations

from typing import Any

import msgspec

from turnspan.adapter import notes
from turnspan.events import FIELDS, Event, Part
from turnspan.model.json_values import plain
from turnspan.model.records import OURS

NOT_CAPTURED = "[not captured]"
"""What stands where there was a text, so that a reader knows that there was one."""


NOTE_FACTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys((notes.APPROVAL_ASKED, notes.APPROVAL_APPROVED, notes.APPROVAL_DENIED), ("tool_name", "call_id", "by")),
    notes.GUARDRAIL: ("guardrail", "stage", "tripped", "tool_name", "call_id"),
    notes.ARGUMENTS_REJECTED: ("tool_name", "call_id"),
    notes.RETRY: ("of", "attempt", "tool_name", "call_id"),
    notes.INTERRUPT: ("interrupt_id",),
}  # fmt: skip
"""What of the notes that mean the same on every runtime is fact: who decided what, not what was said about it."""

_STRUCTURAL = frozenset(
    {"role", "type", "id", "call_id", "tool_call_id", "finish_reason", *{k for f in NOTE_FACTS.values() for k in f}}
)


def captured(event: Event, mode: str) -> Event:
    """Return an event as it may be on record.

    Args:
        event: The event.
        mode: ``full``, ``redacted`` or ``none``.

    """
    if mode == "full":
        return event
    changed: dict[str, Any] = {}
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if value is None or value == "":
            continue
        match FIELDS[name]:
            case Part.CONTENT:
                changed[name] = _shape(plain(value)) if mode == "redacted" else _nothing(event, name, value)
            case Part.TEXT:
                changed[name] = _size(plain(value)) if mode == "redacted" else NOT_CAPTURED
            case Part.METADATA if value:
                changed[name] = _metadata(value, mode)
    return msgspec.structs.replace(event, **changed) if changed else event


def _nothing(event: Event, name: str, value: Any) -> Any:
    if name == "data" and (facts := NOTE_FACTS.get(getattr(event, "name", ""))) and isinstance(value, dict):
        return {key: value[key] for key in facts if isinstance(value.get(key), (str, bool, int))}
    return "" if name == "prompt" else None


def _metadata(metadata: dict[str, Any], mode: str) -> dict[str, Any]:
    kept = {key: value for key, value in metadata.items() if key == OURS}
    if mode == "redacted":
        kept |= {str(key): _shape(plain(value)) for key, value in metadata.items() if key != OURS}
    return kept


def _size(value: Any) -> str:
    return f"[redacted {len(str(value))} characters]"


def _shape(value: Any) -> Any:
    """Return what a value is made of: keys, and how long texts are."""
    match value:
        case str():
            return _size(value)
        case dict():
            return {
                key: item if key in _STRUCTURAL and isinstance(item, str) else _shape(item)
                for key, item in value.items()
            }
        case list():
            return [_shape(item) for item in value]
        case bool() | None:
            return value
    return "[redacted number]"


def captured_record(record: dict[str, Any], mode: str) -> dict[str, Any]:
    """Return a turn's record, as another program kept it, as it may be on record here: the same fields, wherever they are."""
    return record if mode == "full" else _in_record(plain(record), mode)


def _in_record(value: Any, mode: str) -> Any:
    if isinstance(value, list):
        return [_in_record(item, mode) for item in value]
    if not isinstance(value, dict):
        return value
    made: dict[str, Any] = {}
    for key, item in value.items():
        part = FIELDS.get(key)
        if item in (None, "", {}, []):
            made[key] = item
        elif part is Part.CONTENT:
            made[key] = _shape(item) if mode == "redacted" else {"prompt": "", "arguments": {}}.get(key)
        elif part is Part.TEXT:
            made[key] = _size(item) if mode == "redacted" else NOT_CAPTURED
        elif part is Part.METADATA and isinstance(item, dict):
            made[key] = {
                name: _in_record(one, mode) if name == OURS else one for name, one in _metadata(item, mode).items()
            }
        else:
            made[key] = _in_record(item, mode)
    return made
