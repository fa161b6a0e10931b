"""Lines of JSON: sessions as ``turnspan export --format jsonl`` writes them, or conversations ``{"messages": [...]}``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from turnspan.histories import Turns, Unreadable, seconds_as_iso, text_of_parts
from turnspan.records import SessionRecord


def sessions(path: Path) -> Iterator[SessionRecord | Unreadable]:
    """Yield the sessions of a file."""
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _session(line, f"{path}:{number}")
    except OSError as error:
        yield Unreadable(str(path), str(error))


def _session(line: bytes, where: str) -> SessionRecord | Unreadable:
    try:
        data = json.loads(line)
        if "messages" in data and "turns" not in data:
            session_id = str(data.get("session_id") or data.get("id") or hashlib.sha256(line).hexdigest()[:32])
            at = seconds_as_iso(data.get("created_at"))
            return SessionRecord(session_id, created_at=at, turns=_turns(session_id, data["messages"], at))
        return SessionRecord.from_dict(data)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        return Unreadable(where, f"it is neither a session nor a list of messages: {error!r}")


def _turns(session_id: str, messages: list[dict[str, Any]], at: str) -> list[Any]:
    turns = Turns(session_id)
    for message in messages:
        role, text = message.get("role"), text_of_parts(message.get("content"))
        if role == "user":
            turns.user(text, at)
        elif role == "assistant":
            turns.assistant(text, at)
            for call in message.get("tool_calls") or []:
                asked = call.get("function", call)
                turns.call(str(call.get("id")), str(asked.get("name")), asked.get("arguments"), at)
        elif role == "tool":
            turns.result(str(message.get("tool_call_id")), text, at=at)
    return turns.turns
