"""oats' session files: ``{"info": {...}, "messages": [{"role", "parts": [...]}]}``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

from turnspan.interchange.importers.files import Unreadable, files_in, loaded, why_not
from turnspan.interchange.importers.turns import Turns, seconds_as_iso
from turnspan.model.records import OURS, SessionRecord


def sessions(path: Path) -> Iterator[SessionRecord | Unreadable]:
    """Yield the sessions of a file or of a folder."""
    for file in files_in(path):
        data = file if isinstance(file, Unreadable) else loaded(file)
        if isinstance(data, Unreadable):
            yield data
        elif not isinstance(data, dict) or not isinstance(data.get("info"), dict) or "id" not in data["info"]:
            yield Unreadable(str(file), "it is not a session: there is no info with an id in it")
        else:
            try:
                yield _session(data["info"], data.get("messages") or [])
            except Exception as error:
                yield Unreadable(str(file), why_not(error))


def _session(info: dict[str, Any], messages: list[dict[str, Any]]) -> SessionRecord:
    session_id, times = str(info["id"]), info.get("time") or {}
    turns = Turns(session_id, "oats")
    for message in messages:
        _read(turns, message, info)
    names = ("title", "working_dir", "model_id", "provider_id", "total_tokens")
    metadata: dict[str, Any] = {name: info[name] for name in names if info.get(name)}
    root = info.get("root_session_id")
    if parent := info.get("parent_session_id") or (root if root != session_id else None):
        metadata[OURS] = {"parent_session_id": parent, "root_session_id": root or parent}
    return SessionRecord(
        session_id,
        workspace_id=_workspace(info.get("project_dir")),
        agent_id="oats",
        turns=turns.turns,
        created_at=seconds_as_iso(times.get("created")),
        updated_at=seconds_as_iso(times.get("updated")),
        metadata=metadata,
    )


def _read(turns: Turns, message: dict[str, Any], info: dict[str, Any]) -> None:
    at = seconds_as_iso(message.get("created_at"))
    parts = [part for part in message.get("parts") or [] if isinstance(part, dict)]
    text = "".join(str(part.get("text") or part.get("content") or "") for part in parts if part.get("type") == "text")
    if message.get("role") == "user":
        turns.user(text, at, str(message["id"]) if message.get("id") else None)
        images = [
            {k: part.get(k) for k in ("media_type", "url", "detail")} for part in parts if part.get("type") == "image"
        ]
        if images:  # a reference, not the picture
            turns.turns[-1].metadata["images"] = images
    elif message.get("role") == "assistant":
        model = message.get("model") or info.get("model_id")
        turns.assistant(text, at, provider=message.get("provider") or info.get("provider_id"), model=model)
        for part in parts:
            call_id = str(part.get("tool_call_id"))
            if part.get("type") == "tool_call":
                turns.call(call_id, str(part.get("tool_name")), part.get("arguments"), at)
            elif part.get("type") == "tool_result":
                turns.result(call_id, part.get("output"), at=at, error=part.get("error") or None)


def _workspace(project_dir: Any) -> str | None:
    """Return an id for a project's folder, the one that the adapter gives it."""
    if not project_dir:
        return None
    return f"{PurePath(project_dir).name}-{hashlib.sha256(str(project_dir).encode()).hexdigest()[:8]}"
