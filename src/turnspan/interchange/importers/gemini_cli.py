"""Gemini CLI's chats: a line of JSON for each message, written anew under the same id when more of it is known.

Older versions write one JSON document a session, which has the messages in a list. A rewind is a line that says up to which
message; the messages stay in the file until it is written anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from turnspan.interchange.importers.files import Unreadable
from turnspan.interchange.importers.transcripts import Account, Transcript, said, sessions_of
from turnspan.interchange.importers.turns import seconds_as_iso
from turnspan.interchange.joining.turns import REWOUND, tool_call
from turnspan.model.records import SessionRecord

PATTERNS = ("session-*.json", "*.jsonl")
HOME, HOME_VARIABLE = "~/.gemini/tmp", ""
_AGENT = "gemini"
_STATUS = {"success": "success", "error": "error", "cancelled": "cancelled"}
_KEPT = ("projectHash", "summary", "directories")


def sessions(path: Path) -> Iterator[SessionRecord | Unreadable]:
    """Yield the sessions of a file, or of a folder and those below it."""
    return sessions_of(path, PATTERNS, reader())


def reader() -> Callable[[Path], Transcript]:
    """Return what reads a file."""
    return _Chat


class _Chat:
    """Reads one chat."""

    def __init__(self, file: Path) -> None:
        self._account = Account(file.stem, _AGENT)
        chats = next((folder for folder in file.parents if folder.name == "chats"), None)
        if chats is not None:
            self._account.workspace_id = chats.parent.name or None
            if file.parent != chats:  # that of a sub-agent
                self._account.parent = file.parent.name
        self._has_id = False
        self._turn_of: dict[str, str] = {}
        self._at = ""

    def feed(self, entry: dict[str, Any]) -> None:
        """Take a line."""
        if isinstance(changed := entry.get("$set"), dict):
            self._metadata(changed)
        elif "$rewindTo" in entry:
            if (turn_id := self._account.current) is not None:
                self._account.turn(turn_id).note(REWOUND, {"to": entry["$rewindTo"]}, self._at)
        elif "id" in entry:
            self._message(entry)
        else:
            self._metadata(entry)

    def take(self) -> list[SessionRecord]:
        """Return what has come since the last time."""
        return self._account.take()

    def _metadata(self, given: dict[str, Any]) -> None:
        account = self._account
        if given.get("sessionId") and not self._has_id:
            self._has_id = True
            account.session_id = str(given["sessionId"])
        account.created_at = account.created_at or seconds_as_iso(given.get("startTime"))
        account.metadata |= {name: given[name] for name in _KEPT if given.get(name)}
        for message in given.get("messages") or ():
            if isinstance(message, dict) and "id" in message:
                self._message(message)

    def _message(self, message: dict[str, Any]) -> None:
        at, text = seconds_as_iso(message.get("timestamp")), said(message.get("content"))
        self._at = at or self._at
        kind, own_id = str(message.get("type")), str(message["id"])
        if kind == "user":
            if text and own_id not in self._turn_of:
                self._turn_of[own_id] = own_id
                self._account.begin(own_id, text, at)
            return
        if self._account.current is None:
            self._account.begin(f"{self._account.session_id}:begin", "", at)
        turn_id = self._turn_of.setdefault(own_id, str(self._account.current))
        if kind == "gemini":
            self._answer(turn_id, own_id, message, text, at)
        elif text:
            self._account.turn(turn_id).note(f"gemini_cli.{kind}", {"text": text}, at)

    def _answer(self, turn_id: str, own_id: str, message: dict[str, Any], text: str, at: str) -> None:
        turn = self._account.turn(turn_id)
        call = {"call_id": own_id, "provider": "gcp.gemini", "model": message.get("model"), "status": "success"}
        known = {"output": text, "usage": _usage(message.get("tokens") or {}), "started_at": at}
        turn.model({key: value for key, value in (call | known).items() if value})
        turn.lasted(at)
        for given in message.get("toolCalls") or ():
            began = seconds_as_iso(given.get("timestamp")) or at
            status, result = _STATUS.get(str(given.get("status"))), _result(given.get("result"))
            outcome: dict[str, Any] = {} if status is None else {"status": status, "result": result}
            if status in ("error", "cancelled"):
                outcome["error"] = result or status
            arguments = given.get("args") if isinstance(given.get("args"), dict) else {}
            made = tool_call(str(given["id"]), str(given["name"]), arguments=arguments, started_at=began, **outcome)
            turn.tool(made)
            turn.lasted(began)


def _result(given: Any) -> str:
    """Return what a tool returned: a function's response, or text."""
    parts = given if isinstance(given, list) else [given]
    texts = []
    for part in parts:
        response = part.get("functionResponse", {}).get("response") if isinstance(part, dict) else None
        if isinstance(response, dict):
            texts.append(said(response.get("output") or response.get("error") or ""))
        else:
            texts.append(said([part]))
    return "\n".join(text for text in texts if text)


def _usage(used: dict[str, Any]) -> dict[str, int]:
    """Return the tokens, where those that were thought count as output, and results of Gemini's own tools as input."""
    thought = used.get("thoughts") or 0
    found = {
        "input_tokens": (used.get("input") or 0) + (used.get("tool") or 0),
        "output_tokens": (used.get("output") or 0) + thought,
        "cache_read_tokens": used.get("cached") or 0,
        "reasoning_tokens": thought,
    }
    return {name: count for name, count in found.items() if count}
