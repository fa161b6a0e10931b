"""Claude Code's transcripts: a line of JSON for each piece of a message, a file for each session.

One answer of the model stands on several lines, one for each block of its content, all with its id and its usage so
far. A session that is resumed or forked begins with a copy of the other's lines, under the same uuids: what a file
copied belongs to the file that it came from, and the session goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from turnspan.interchange.importers.files import Unreadable, files_in, is_regular, json_lines, parsed
from turnspan.interchange.importers.turns import Turns, seconds_as_iso, text_of_parts
from turnspan.model.records import OURS, SessionRecord

_TAIL_BYTES = 64 * 1024


def sessions(path: Path) -> Iterator[SessionRecord | Unreadable]:
    """Yield the sessions of a file, or of a folder and those below it, the one that ended first before its copies."""
    files: list[Path] = []
    for found in files_in(path, "*.jsonl"):
        if isinstance(found, Unreadable):
            yield found
        else:
            files.append(found)
    transcripts = _Transcripts()
    for file in sorted(files, key=lambda file: (_last_at(file), file)):
        yield from transcripts.read(file)


class _Transcripts:
    """Reads one transcript after the other, and knows whose a line was first."""

    def __init__(self) -> None:
        self._owners: dict[str, str] = {}
        self._roots: dict[str, str] = {}

    def read(self, file: Path) -> Iterator[SessionRecord | Unreadable]:
        """Yield the session of a file, and what of it could not be read."""
        session_id = file.stem
        turns, cwd, parent = Turns(session_id, "claude"), None, None
        unexpected: list[str] = []
        for where, entry in json_lines(file):
            if isinstance(entry, Unreadable):
                yield entry
                continue
            try:
                owner = self._owners.setdefault(entry["uuid"], session_id) if entry.get("uuid") else session_id
                if owner != session_id:
                    parent = owner
                    continue
                cwd = entry.get("cwd") or cwd
                _read(turns, entry)
            except Exception:  # somebody else's format, of another version
                unexpected.append(where)
        if unexpected:
            yield Unreadable(unexpected[0], f"{len(unexpected)} lines are not as expected; the others are read")
        if turns.turns:
            yield self._session(file, turns, parent, {"cwd": cwd} if cwd else {})

    def _session(self, file: Path, turns: Turns, parent: str | None, metadata: dict[str, Any]) -> SessionRecord:
        started = turns.turns[0].started_at
        if parent is not None:
            root = self._roots[file.stem] = self._roots.get(parent, parent)
            metadata[OURS] = {"parent_session_id": parent, "root_session_id": root}
        return SessionRecord(
            file.stem,
            workspace_id=file.parent.name or None,
            agent_id="claude",
            created_at=started,
            updated_at=turns.turns[-1].ended_at or started,
            turns=turns.turns,
            metadata=metadata,
        )


def _last_at(file: Path) -> str:
    """Return when the last line of a transcript was written, as it says."""
    if not is_regular(file):
        return ""
    with file.open("rb") as opened:
        opened.seek(max(0, file.stat().st_size - _TAIL_BYTES))
        lines = opened.read(_TAIL_BYTES).splitlines()
    for line in reversed(lines):
        entry = parsed(line, "")
        if isinstance(entry, dict) and (at := seconds_as_iso(entry.get("timestamp"))):
            return at
    return ""


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
