"""Databases of the OpenAI Agents SDK's ``SQLiteSession``: two tables, an item of a conversation in each row."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from turnspan.interchange.importers.files import Unreadable, is_regular
from turnspan.interchange.importers.turns import Turns, seconds_as_iso, text_of_parts
from turnspan.model.records import SessionRecord


def sessions(path: Path) -> Iterator[SessionRecord | Unreadable]:
    """Yield the sessions of a database."""
    if not is_regular(path):
        yield Unreadable(str(path), "it is not a file: give the database")
        return
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            rows = database.execute("SELECT session_id, created_at, updated_at FROM agent_sessions ORDER BY created_at")
            for session_id, created, updated in rows.fetchall():
                found = database.execute(
                    "SELECT message_data, created_at FROM agent_messages WHERE session_id = ? ORDER BY id", [session_id]
                ).fetchall()
                turns, unread = Turns(str(session_id)), 0
                for data, at in found:
                    try:
                        _read(turns, json.loads(data), seconds_as_iso(at))
                    except Exception:
                        unread += 1
                if unread:
                    yield Unreadable(
                        f"{path}: {session_id}", f"{unread} items are not as expected; the others are read"
                    )
                yield SessionRecord(
                    str(session_id),
                    created_at=seconds_as_iso(created),
                    updated_at=seconds_as_iso(updated),
                    turns=turns.turns,
                )
    except sqlite3.Error as error:
        yield Unreadable(str(path), f"it is not a database of SQLiteSession: {error}")


def _read(turns: Turns, item: dict[str, Any], at: str) -> None:
    kind = item.get("type") or "message"
    if kind == "message" and item.get("role") == "user":
        turns.user(text_of_parts(item.get("content")), at)
    elif kind == "message" and item.get("role") == "assistant":
        turns.assistant(text_of_parts(item.get("content")), at, provider="openai", response_id=item.get("id"))
    elif kind == "function_call":
        turns.call(str(item.get("call_id")), str(item.get("name")), item.get("arguments"), at)
    elif kind.endswith("_call_output"):
        turns.result(str(item.get("call_id")), item.get("output"), at=at)
