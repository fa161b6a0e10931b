"""Histories: sessions that other programs kept, as records.

A reader is a module with ``sessions(path)``: it yields a :class:`~turnspan.records.SessionRecord` for each session that
it can read, and an :class:`Unreadable` for each file or line that it cannot. It imports nothing of the runtime.

Private: what users import is in ``turnspan`` and its public modules.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, cast

from turnspan.api.observe import as_events, as_handoff, recorder_for
from turnspan.errors import InvalidIdError, TurnspanError
from turnspan.events import HandedOff, SessionStarted
from turnspan.model.ids import derived_id, now_ns
from turnspan.model.records import (
    OURS,
    SessionRecord,
    ToolCallRecord,
    TurnRecord,
    check_id,
    from_iso,
    iso,
    turnspan_metadata,
)
from turnspan.stores.base import SessionStore

KINDS = {
    "xerxes": "A folder of Xerxes' or Calute's session files, or of the daemon's under $XERXES_HOME/sessions.",
    "oats": "A folder of oats' session files (~/.local/share/oats/sessions).",
    "openai-agents": "A database that the OpenAI Agents SDK's SQLiteSession writes.",
    "claude-code": "A folder of Claude Code's transcripts (~/.claude/projects).",
    "jsonl": 'A file with a session in each line: as `turnspan export --format jsonl` writes them, or {"messages": [...]}.',
}
"""What can be read, by name."""


class Unreadable(NamedTuple):
    """What could not be read, and why."""

    where: str
    why: str


@dataclass
class Report:
    """What became of a history."""

    sessions: int = 0
    turns: int = 0
    already: int = 0
    """Turns that the store had."""
    unreadable: list[Unreadable] = field(default_factory=list)


def read(kind: str, path: Path) -> Iterator[SessionRecord | Unreadable]:
    """Yield the sessions of a history.

    Raises:
        TurnspanError: When there is no such kind of history, or nothing at the path.

    """
    if kind not in KINDS:
        raise TurnspanError(f"No history is called {kind}; there are: {', '.join(KINDS)}")
    if not path.exists():
        raise TurnspanError(f"{path} does not exist: give the place of the history. {KINDS[kind]}")
    module = importlib.import_module(f"turnspan.interchange.importers.{kind.replace('-', '_')}")
    return cast("Iterator[SessionRecord | Unreadable]", module.sessions(path))


def expected(kind: str, path: Path) -> int | None:
    """Return how many sessions a history seems to have, where that can be told without reading it: for a progress bar."""
    if kind == "openai-agents" or not path.exists():
        return None
    if kind == "jsonl":
        with path.open("rb") as lines:
            return sum(1 for line in lines if line.strip())
    return len(json_files(path, "*.jsonl" if kind == "claude-code" else "*.json"))


def store_history(
    kind: str, found: Iterable[SessionRecord | Unreadable], store: SessionStore, *, dry_run: bool = False
) -> Iterator[Report]:
    """Store sessions as if they had been recorded: times kept, audit ids derived; yields the report so far after each.

    What the store has already stays as it is, so a history may be given again.
    """
    report = Report()
    recorder = None if dry_run else recorder_for(store)
    for one in found:
        if isinstance(one, Unreadable):
            report.unreadable.append(one)
            yield report
            continue
        try:
            check_id("session", one.session_id)
        except InvalidIdError as error:
            report.unreadable.append(Unreadable(one.session_id[:80], str(error)))
            yield report
            continue
        kept = store.load_session(one.session_id)
        known = set() if kept is None else {turn.turn_id for turn in kept.turns}
        new = [turn for turn in one.turns if turn.turn_id not in known]
        report.already += len(one.turns) - len(new)
        report.turns += len(new)
        report.sessions += kept is None
        if recorder is not None:
            if kept is None:
                recorder.emit(_started(kind, one))
            for turn in new:
                turn.started_at = turn.started_at or one.created_at or one.updated_at  # as near as is known
                turn.ended_at = turn.ended_at or turn.started_at
                turn.metadata = {**turn.metadata, OURS: {**turnspan_metadata(turn.metadata), "imported": kind}}
                for event in as_events(one.session_id, turn):
                    recorder.emit(event)
            for event in _handoffs(one, {turn.turn_id for turn in new} | ({""} if kept is None else set())):
                recorder.emit(event)
        yield report
    if recorder is not None:
        recorder.flush(60)


def _started(kind: str, session: SessionRecord) -> SessionStarted:
    at_ns = from_iso(session.created_at) or min(
        filter(None, (from_iso(turn.started_at) for turn in session.turns)), default=now_ns()
    )
    ours = {**turnspan_metadata(session.metadata), "imported": kind}
    if session.parent_session_id:
        ours |= {"parent_session_id": session.parent_session_id, "root_session_id": session.root_session_id}
    return SessionStarted(
        session_id=session.session_id,
        workspace_id=session.workspace_id,
        agent_id=session.agent_id,
        at_ns=at_ns,
        event_id=derived_id(session.session_id, "imported", at_ns=at_ns),
        source="runtime",
        metadata={**session.metadata, OURS: ours},
    )


def _handoffs(session: SessionRecord, turn_ids: set[str]) -> Iterator[HandedOff]:
    for one in session.agent_transitions:
        if one.turn_id in turn_ids:
            at_ns = from_iso(one.timestamp) or from_iso(session.created_at) or now_ns()
            yield as_handoff(session.session_id, one, at_ns)


# What the readers share ---------------------------------------------------------------------------------------------


def json_files(path: Path, pattern: str = "*.json") -> list[Path]:
    """Return a file, or the files of a folder and those below it, in order."""
    return [path] if path.is_file() else sorted(found for found in path.rglob(pattern) if found.is_file())


def loaded(path: Path) -> Any:
    """Return what a JSON file holds; an :class:`Unreadable` when it is none."""
    try:
        return json.loads(path.read_bytes())
    except (ValueError, OSError) as error:
        return Unreadable(str(path), f"it is no JSON: {error}" if isinstance(error, ValueError) else str(error))


def text_of_parts(content: Any) -> str:
    """Return the text of a message's content: itself, or that of its parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(str(part.get("text") or part.get("content") or "") for part in parts if isinstance(part, dict))


class Turns:
    """Puts turns together of what was said, in order.

    Args:
        session_id: Their session; ids that a history does not have are derived from it.
        agent_id: Who answers.

    """

    def __init__(self, session_id: str, agent_id: str | None = None) -> None:
        self._session_id, self._agent_id = session_id, agent_id
        self._calls: dict[str, Any] = {}
        self.turns: list[TurnRecord] = []

    def user(self, text: str, at: str = "", turn_id: str | None = None) -> None:
        """Begin a turn."""
        ordinal = len(self.turns)
        made = turn_id or derived_id(self._session_id, "turn", ordinal, at_ns=from_iso(at) or 0)
        self.turns.append(TurnRecord(made, agent_id=self._agent_id, prompt=text, started_at=at, ended_at=at or None))
        self._calls.clear()

    def assistant(self, text: str, at: str = "", **model_call: Any) -> None:
        """Answer; ``model_call`` is what is known of the call: ``provider model response_id usage``."""
        turn = self._turn(at)
        if text:
            turn.response_content = text
        if any(model_call.values()):
            ours = turn.metadata.setdefault(OURS, {})
            known = {name: value for name, value in model_call.items() if value}
            ours.setdefault("model_calls", []).append(
                {**known, "status": "success", **({"started_at": at} if at else {})}
            )

    def call(self, call_id: str, name: str, arguments: Any, at: str = "") -> None:
        """Call a tool; until its result is there it counts as skipped."""
        made = ToolCallRecord.from_dict(
            {
                "call_id": call_id,
                "tool_name": name,
                "arguments": arguments,
                "status": "skipped",
                "error": "never answered",
            }
        )
        if at:
            made.metadata[OURS] = {"started_at": at}
        self._calls[call_id] = made
        self._turn(at).tool_calls.append(made)

    def result(
        self, call_id: str, value: Any, *, at: str = "", error: str | None = None, duration_ms: float | None = None
    ) -> None:
        """Take what a tool returned, or its error."""
        if (call := self._calls.get(call_id)) is None:
            return
        call.status, call.error, call.result = ("error", error, value) if error else ("success", None, value)
        began, ended = from_iso(turnspan_metadata(call.metadata).get("started_at")), from_iso(at)
        call.duration_ms = (
            duration_ms if duration_ms is not None else (ended - began) / 1e6 if began and ended else None
        )
        self._turn(at)

    def chat(self, message: dict[str, Any], at: str = "") -> None:
        """Take a message of a chat: a user's, an assistant's with its tool calls, or a tool's."""
        role, text = message.get("role"), text_of_parts(message.get("content"))
        if role == "user":
            self.user(text, at)
        elif role == "assistant":
            self.assistant(text, at)
            for call in message.get("tool_calls") or []:
                asked = call.get("function", call)
                arguments = asked.get("arguments", asked.get("input"))
                self.call(str(call.get("id")), str(asked.get("name")), arguments, at)
        elif role == "tool":
            self.result(str(message.get("tool_call_id")), text, at=at)

    def _turn(self, at: str) -> TurnRecord:
        if not self.turns:
            self.user("", at)
        turn = self.turns[-1]
        if at and at > (turn.ended_at or ""):
            turn.ended_at = at
        return turn


def seconds_as_iso(value: Any) -> str:
    """Return Unix seconds, or a time as text, as ISO 8601; nothing for what is neither."""
    if isinstance(value, (int, float)):
        return iso(int(value * 1e9))
    text = str(value or "").replace("Z", "+00:00").replace(" ", "T")
    at_ns = from_iso(text)
    return "" if at_ns is None else iso(at_ns)
