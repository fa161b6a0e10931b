"""Session files of Xerxes and Calute, and those of Xerxes' daemon, which have another shape."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from turnspan.histories import Turns, Unreadable, json_files, loaded, seconds_as_iso, text_of_parts
from turnspan.records import SessionRecord


def sessions(path: Path) -> Iterator[SessionRecord | Unreadable]:
    """Yield the sessions of a file, or of a folder and those below it."""
    for file in json_files(path):
        data = loaded(file)
        if isinstance(data, Unreadable):
            yield data
        elif not isinstance(data, dict) or not isinstance(data.get("session_id"), str):
            yield Unreadable(str(file), "it is no session: there is no session_id in it")
        else:
            try:
                yield _of_daemon(data) if "messages" in data and "turns" not in data else SessionRecord.from_dict(data)
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                yield Unreadable(str(file), f"a field is not as expected: {error!r}")


def _of_daemon(data: dict[str, Any]) -> SessionRecord:
    """Return a session of the daemon: messages, and the executions of tools beside them."""
    agent, at = data.get("agent_id") or None, seconds_as_iso(data.get("updated_at"))
    turns = Turns(data["session_id"], agent)
    executed = {one.get("tool_call_id"): one for one in data.get("tool_executions") or [] if isinstance(one, dict)}
    for message in data["messages"]:
        role, text = message.get("role"), text_of_parts(message.get("content"))
        if role == "user":
            turns.user(text, at)
        elif role == "assistant":
            turns.assistant(text, at)
            for call in message.get("tool_calls") or []:
                asked = call.get("function", call)
                arguments = asked.get("arguments", asked.get("input"))
                turns.call(str(call.get("id")), str(asked.get("name")), arguments, at)
        elif role == "tool":
            call_id = str(message.get("tool_call_id"))
            known = executed.get(call_id, {})
            error = "not permitted" if known.get("permitted") is False else None
            turns.result(call_id, known.get("result", text), at=at, error=error, duration_ms=known.get("duration_ms"))
    kept = {name: data[name] for name in ("key", "cwd", "total_input_tokens", "total_output_tokens") if data.get(name)}
    return SessionRecord(
        data["session_id"], workspace_id=data.get("workspace") or None, agent_id=agent, created_at=at, updated_at=at,
        turns=turns.turns, metadata={**(data.get("metadata") or {}), **kept},
    )  # fmt: skip
