"""Transcripts: the files that coding agents keep of their sessions while they work, read whole or as they grow.

A reader is fed a transcript's entries in their order and gives, when asked, the turns that these were about. It remembers
of earlier turns only what a later entry needs to find them; what is on record already is joined with what it gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

from turnspan.interchange.importers.files import Unreadable, files_in, is_regular, json_lines, loaded, parsed
from turnspan.interchange.importers.turns import seconds_as_iso
from turnspan.interchange.joining.turns import JoinedTurn
from turnspan.model.records import OURS, SessionRecord, TurnRecord

USER_MESSAGE = "user.message"
"""A note: what the user said while a turn was going on."""
_TAIL_BYTES = 64 * 1024


class Transcript(Protocol):
    """Reads the entries of one file."""

    def feed(self, entry: dict[str, Any]) -> None:
        """Take the next entry; it may raise for one that is of another version, and goes on."""

    def take(self) -> list[SessionRecord]:
        """Return what has come since the last time, as accounts of sessions."""


class Account:
    """The turns of one session, as far as a transcript has spoken of them since they were last taken.

    Args:
        session_id: The session.
        agent_id: Who answers.
        calls: The calls that are known, with their turns; where several readers of one session share them.

    """

    def __init__(
        self, session_id: str, agent_id: str, calls: dict[str, tuple[str, dict[str, Any]]] | None = None
    ) -> None:
        self.session_id, self._agent_id = session_id, agent_id
        self._turns: dict[str, JoinedTurn] = {}
        self._calls = {} if calls is None else calls
        self.metadata: dict[str, Any] = {}
        self.workspace_id: str | None = None
        self.parent: str | None = None
        self.root: str | None = None
        self.created_at = ""
        self.current: str | None = None
        """The turn that is going on."""

    def turn(self, turn_id: str) -> JoinedTurn:
        """Return a turn, to be added to."""
        return self._turns.setdefault(turn_id, JoinedTurn(TurnRecord(turn_id, self._agent_id)))

    def begin(self, turn_id: str, text: str, at: str, *, source_ids: Iterable[str | None] = ()) -> JoinedTurn:
        """Begin a turn, or say what the user added to one that is going on."""
        if turn_id == self.current:
            self.turn(turn_id).note(USER_MESSAGE, {"text": text}, at)
        else:
            self.turn(turn_id).asked(text, at, source_ids=source_ids)
        self.current = turn_id
        self.created_at = self.created_at or at
        return self.turn(turn_id)

    def called(self, turn_id: str, call: dict[str, Any]) -> None:
        """Add a call of a tool, and remember which turn it is of."""
        self._calls[call["call_id"]] = turn_id, call
        self.turn(turn_id).tool(call)

    def call_of(self, call_id: str) -> tuple[str, dict[str, Any]] | None:
        """Return the turn of a call, and the call as it was made."""
        return self._calls.get(call_id)

    def take(self) -> list[SessionRecord]:
        """Return what was added since the last time."""
        found = [turn.record() for turn in self._turns.values()]
        self._turns.clear()
        if not found:
            return []
        metadata = dict(self.metadata)
        if self.parent is not None:
            metadata[OURS] = {"parent_session_id": self.parent, "root_session_id": self.root or self.parent}
        found.sort(key=lambda turn: turn.started_at)
        return [
            SessionRecord(
                self.session_id,
                workspace_id=self.workspace_id,
                agent_id=self._agent_id,
                created_at=self.created_at or found[0].started_at,
                updated_at=found[-1].ended_at or found[-1].started_at,
                turns=found,
                metadata=metadata,
            )
        ]


def sessions_of(
    path: Path, patterns: Iterable[str], reader: Callable[[Path], Transcript]
) -> Iterator[SessionRecord | Unreadable]:
    """Yield the sessions of a file, or of a folder and those below it, the one that ended first before its copies."""
    files: list[Path] = []
    for pattern in patterns:
        for found in files_in(path, pattern):
            if isinstance(found, Unreadable):
                yield found
            elif found not in files:
                files.append(found)
    for file in in_order(files):
        transcript, unexpected = reader(file), []
        for where, entry in entries_of(file):
            if isinstance(entry, Unreadable):
                yield entry
            elif not fed(transcript, entry):
                unexpected.append(where)
        if unexpected:
            yield Unreadable(unexpected[0], f"{len(unexpected)} lines are not as expected; the others are read")
        yield from transcript.take()


def entries_of(file: Path) -> Iterator[tuple[str, Any]]:
    """Yield the entries of a transcript, with their places: its lines, or the one document that it is."""
    if file.suffix == ".json":
        yield str(file), loaded(file)
    else:
        yield from json_lines(file)


def fed(transcript: Transcript, entry: Any) -> bool:
    """Give a transcript its next entry; return whether it is as expected: it is somebody else's format, of any version."""
    try:
        transcript.feed(entry)
    except Exception:
        return False
    return True


def in_order(files: Iterable[Path]) -> list[Path]:
    """Return files in the order in which they are read: those of sub-agents last, else what ended first first."""
    return sorted(files, key=lambda file: ("agent-" in file.name or "subagents" in file.parts, _last_at(file), file))


def said(content: Any) -> str:
    """Return what a message says, with a word in the place of what is no text."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(text for part in parts if (text := _part(part)))


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        return ""
    kind, source = str(part.get("type") or ""), part.get("source") or part.get("inlineData") or {}
    if "image" in kind or "document" in kind or "inlineData" in part:
        named = source.get("media_type") or source.get("mimeType") if isinstance(source, dict) else None
        return f"[{named or ('document' if 'document' in kind else 'image')}]"
    return str(part.get("text") or "")


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
