"""Session files of Xerxes and Calute, and those of Xerxes' daemon, which have another shape."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from turnspan.interchange.importers.files import Unreadable, files_in, loaded, why_not
from turnspan.interchange.importers.turns import Turns, seconds_as_iso
from turnspan.model.records import SessionRecord


def sessions(path: Path) -> Iterator[SessionRecord | Unreadable]:
    """Yield the sessions of a file, or of a folder and those below it."""
    for file in files_in(path):
        data = file if isinstance(file, Unreadable) else loaded(file)
        if isinstance(data, Unreadable):
            yield data
        elif not isinstance(data, dict) or not isinstance(data.get("session_id"), str):
            yield Unreadable(str(file), "it is not a session: there is no session_id in it")
        else:
            try:
                yield _of_daemon(data) if "messages" in data and "turns" not in data else SessionRecord.from_dict(data)
            except Exception as error:
                yield Unreadable(str(file), why_not(error))


def _of_daemon(data: dict[str, Any]) -> SessionRecord:
    """Return a session of the daemon: messages, and the executions of tools beside them."""
    agent, at = data.get("agent_id") or None, seconds_as_iso(data.get("updated_at"))
    turns = Turns(data["session_id"], agent)
    executed = {one.get("tool_call_id"): one for one in data.get("tool_executions") or [] if isinstance(one, dict)}
    for message in data["messages"]:
        known = executed.get(message.get("tool_call_id"))
        if message.get("role") == "tool" and known is not None:
            error = "not permitted" if known.get("permitted") is False else None
            result, took_ms = known.get("result"), known.get("duration_ms")
            turns.result(str(message["tool_call_id"]), result, at=at, error=error, duration_ms=took_ms)
        else:
            turns.chat(message, at)
    kept = {name: data[name] for name in ("key", "cwd", "total_input_tokens", "total_output_tokens") if data.get(name)}
    return SessionRecord(
        data["session_id"],
        workspace_id=data.get("workspace") or None,
        agent_id=agent,
        created_at=at,
        updated_at=at,
        turns=turns.turns,
        metadata={**(data.get("metadata") or {}), **kept},
    )
