"""Lines of JSON: sessions as ``turnspan export --format jsonl`` writes them, or conversations ``{"messages": [...]}``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from turnspan.interchange.importers.files import Unreadable, lines_of, parsed, why_not
from turnspan.interchange.importers.turns import Turns, seconds_as_iso
from turnspan.model.records import SessionRecord


def sessions(path: Path) -> Iterator[SessionRecord | Unreadable]:
    """Yield the sessions of a file."""
    for where, line in lines_of(path):
        data = line if isinstance(line, Unreadable) else parsed(line, where)
        if isinstance(data, Unreadable) or isinstance(line, Unreadable):
            yield data
            continue
        try:
            yield _session(data, line)
        except Exception as error:
            yield Unreadable(where, why_not(error))


def _session(data: Any, line: bytes) -> SessionRecord:
    if not isinstance(data, dict):
        raise TypeError("it is neither a session nor a list of messages")
    if "messages" not in data or "turns" in data:
        return SessionRecord.from_dict(data)
    session_id = str(data.get("session_id") or data.get("id") or hashlib.sha256(line).hexdigest()[:32])
    at = seconds_as_iso(data.get("created_at"))
    turns = Turns(session_id)
    for message in data["messages"]:
        turns.chat(message, at)
    return SessionRecord(session_id, created_at=at, turns=turns.turns)
