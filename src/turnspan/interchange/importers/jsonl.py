"""Lines of JSON: sessions as ``turnspan export --format jsonl`` writes them, or conversations ``{"messages": [...]}``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from turnspan.interchange.importers import Turns, Unreadable, seconds_as_iso
from turnspan.model.records import SessionRecord


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
            turns = Turns(session_id)
            for message in data["messages"]:
                turns.chat(message, at)
            return SessionRecord(session_id, created_at=at, turns=turns.turns)
        return SessionRecord.from_dict(data)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        return Unreadable(where, f"it is neither a session nor a list of messages: {error!r}")
