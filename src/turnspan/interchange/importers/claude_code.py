"""Claude Code's transcripts: a line of JSON for each message, a file for each session."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from turnspan.interchange.importers import Turns, Unreadable, json_files, seconds_as_iso, text_of_parts
from turnspan.model.records import SessionRecord


def sessions(path: Path) -> Iterator[SessionRecord | Unreadable]:
    """Yield the sessions of a file, or of a folder and those below it."""
    for file in json_files(path, "*.jsonl"):
        turns, session_id, cwd, broken = Turns(file.stem, "claude"), file.stem, None, 0
        try:
            lines = file.read_text(errors="replace").splitlines()
        except OSError as error:
            yield Unreadable(str(file), str(error))
            continue
        for line in lines:
            try:
                entry = json.loads(line)
                cwd = entry.get("cwd") or cwd
                _read(turns, entry)
            except (ValueError, AttributeError, TypeError):
                broken += bool(line.strip())
        if broken:
            yield Unreadable(str(file), f"{broken} lines are not as expected; the others are read")
        if turns.turns:
            started = turns.turns[0].started_at
            ended = turns.turns[-1].ended_at or started
            yield SessionRecord(
                session_id,
                workspace_id=file.parent.name or None,
                agent_id="claude",
                created_at=started,
                updated_at=ended,
                turns=turns.turns,
                metadata={"cwd": cwd} if cwd else {},
            )


def _read(turns: Turns, entry: dict[str, Any]) -> None:
    message = entry.get("message")
    if not isinstance(message, dict) or entry.get("isMeta"):
        return
    at, content = seconds_as_iso(entry.get("timestamp")), message.get("content")
    blocks = [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []
    text = text_of_parts(content if isinstance(content, str) else [b for b in blocks if b.get("type") == "text"])
    if entry.get("type") == "user":
        for block in blocks:
            if block.get("type") == "tool_result":
                said = text_of_parts(block.get("content"))
                turns.result(str(block.get("tool_use_id")), said, at=at, error=said if block.get("is_error") else None)
        if text and not entry.get("isSidechain"):
            turns.user(text, at, entry.get("uuid"))
    elif entry.get("type") == "assistant":
        turns.assistant(
            "" if entry.get("isSidechain") else text,
            at,
            provider="anthropic",
            model=message.get("model"),
            response_id=message.get("id"),
            usage=_usage(message.get("usage") or {}),
        )
        for block in blocks:
            if block.get("type") == "tool_use":
                turns.call(str(block.get("id")), str(block.get("name")), block.get("input"), at)


def _usage(used: dict[str, Any]) -> dict[str, int] | None:
    """Return the tokens, where those of a cache count as input, too."""
    if not used:
        return None
    read, written = used.get("cache_read_input_tokens") or 0, used.get("cache_creation_input_tokens") or 0
    found = {
        "input_tokens": (used.get("input_tokens") or 0) + read + written,
        "output_tokens": used.get("output_tokens") or 0,
        "cache_read_tokens": read,
        "cache_write_tokens": written,
    }
    return {name: count for name, count in found.items() if count}
