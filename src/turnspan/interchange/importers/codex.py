"""Codex' rollouts: a line of JSON for each item of a conversation, and beside these the events that its terminal showed.

What the model was given and said are items, and most events repeat them; the prompt, the tokens and how a turn ended are in
the events alone. A conversation that is forked begins with a copy of the other's lines; turns and calls keep their ids.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from turnspan.interchange.importers.files import Unreadable
from turnspan.interchange.importers.transcripts import Account, Transcript, said, sessions_of
from turnspan.interchange.importers.turns import seconds_as_iso
from turnspan.interchange.joining.turns import COMPACTED, INTERRUPTED, REWOUND, tool_call
from turnspan.model.ids import derived_id
from turnspan.model.records import SessionRecord, from_iso

PATTERNS = ("rollout-*.jsonl",)
HOME, HOME_VARIABLE = "~/.codex/sessions", "CODEX_HOME"
_AGENT = "codex"
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
_NOT_SAID = ("<", "# AGENTS.md")
"""What the messages of a user begin with that no user wrote."""


def sessions(path: Path) -> Iterator[SessionRecord | Unreadable]:
    """Yield the sessions of a file, or of a folder and those below it."""
    return sessions_of(path, PATTERNS, reader())


def reader() -> Callable[[Path], Transcript]:
    """Return what reads a file."""
    return _Rollout


class _Rollout:
    """Reads one rollout."""

    def __init__(self, file: Path) -> None:
        found = _ID.search(file.stem)
        self._account = Account(found.group() if found else file.stem, _AGENT)
        self._has_meta = False
        self._turn_id: str | None = None
        self._model: str | None = None
        self._said: str | None = None
        self._call: tuple[str, str, list[str]] | None = None
        calls = ("function_call", "custom_tool_call", "local_shell_call", "web_search_call")
        self._readers: dict[tuple[str, str], Callable[[dict[str, Any], str], None]] = {
            ("response_item", "message"): self._message,
            ("response_item", "reasoning"): self._reasoning,
            **{("response_item", name): self._function for name in calls},
            **{("response_item", f"{name}_output"): self._output for name in calls},
            ("event_msg", "user_message"): self._prompt,
            ("event_msg", "task_started"): self._started,
            ("event_msg", "turn_started"): self._started,
            ("event_msg", "token_count"): self._tokens,
            ("event_msg", "turn_aborted"): self._aborted,
            ("event_msg", "thread_rolled_back"): self._rolled_back,
            ("event_msg", "error"): self._failed,
        }

    def feed(self, entry: dict[str, Any]) -> None:
        """Take a line."""
        payload, at = entry.get("payload"), seconds_as_iso(entry.get("timestamp"))
        if not isinstance(payload, dict):
            return
        kind = entry.get("type")
        if kind == "session_meta":
            self._meta(payload, at)
        elif kind == "turn_context":
            self._model = payload.get("model") or self._model
            self._turn_id = payload.get("turn_id") or self._turn_id
        elif kind == "compacted":
            self._account.turn(self._current(at)).note(COMPACTED, {"summary": said(payload.get("message"))}, at)
        elif (read := self._readers.get((str(kind), str(payload.get("type"))))) is not None:
            read(payload, at)

    def take(self) -> list[SessionRecord]:
        """Return what has come since the last time."""
        return self._account.take()

    def _meta(self, payload: dict[str, Any], at: str) -> None:
        if self._has_meta:  # a copy of that of the conversation which this one was forked from
            self._account.parent = self._account.parent or str(payload.get("id"))
            return
        self._has_meta = True
        account = self._account
        account.session_id = str(payload.get("id") or account.session_id)
        account.created_at = account.created_at or at
        account.workspace_id = Path(str(payload["cwd"])).name or None if payload.get("cwd") else None
        account.metadata |= {name: payload[name] for name in ("cwd", "cli_version", "originator") if payload.get(name)}
        source = payload.get("source")
        spawned = (source.get("subagent") or {}) if isinstance(source, dict) else {}
        spawn = spawned.get("thread_spawn") if isinstance(spawned, dict) else None
        parent = payload.get("forked_from_id") or (spawn or {}).get("parent_thread_id")
        account.parent = str(parent) if parent else None

    def _current(self, at: str) -> str:
        """Return the turn that is going on; a message that no event has told of begins one."""
        if self._said is not None:
            self._begin(self._said, at)
        if self._account.current is None:
            self._begin("", at)
        return str(self._account.current)

    def _begin(self, text: str, at: str) -> None:
        self._said, self._call = None, None
        turn_id, self._turn_id = self._turn_id, None
        self._account.begin(turn_id or derived_id(self._account.session_id, at, at_ns=from_iso(at) or 0), text, at)

    # Items -------------------------------------------------------------------------------------------------------

    def _message(self, item: dict[str, Any], at: str) -> None:
        text = said(item.get("content"))
        if item.get("role") == "user" and text and not text.startswith(_NOT_SAID):
            self._said = text  # the event with the same words comes next; older versions have none
        elif item.get("role") == "assistant" and text:
            self._answer(at, text)

    def _answer(self, at: str, text: str | None = None) -> None:
        """Take a part of what the model said: all until the tokens come is one answer."""
        turn = self._account.turn(self._current(at))
        if self._call is None:
            self._call = derived_id(self._account.session_id, "answer", at, at_ns=from_iso(at) or 0), at, []
        call_id, began, texts = self._call
        texts += [text] if text else []
        call = {"call_id": call_id, "provider": "openai", "model": self._model, "status": "success"}
        turn.model(call | {"started_at": began, **({"output": "\n".join(texts)} if texts else {})})
        turn.lasted(at)

    def _reasoning(self, item: dict[str, Any], at: str) -> None:  # noqa: ARG002  encrypted, as a rule
        self._answer(at)

    def _function(self, item: dict[str, Any], at: str) -> None:
        self._answer(at)
        given = item.get("arguments", item.get("input", item.get("action")))
        name = str(item.get("name") or item.get("type", "").removesuffix("_call"))
        call_id = item.get("call_id") or item.get("id") or derived_id(self._account.session_id, "tool", at)
        done = {"status": "success"} if item.get("type") == "web_search_call" else {}
        call = tool_call(str(call_id), name, arguments=_arguments(given), started_at=at, **done)
        self._account.called(self._current(at), call)

    def _output(self, item: dict[str, Any], at: str) -> None:
        found = self._account.call_of(str(item.get("call_id")))
        if found is None:
            return
        turn_id, call = found
        text, failed = _result(item.get("output"))
        began, ended = from_iso(call["metadata"]["turnspan"].get("started_at")), from_iso(at)
        took = {"duration_ms": (ended - began) / 1e6} if began and ended else {}
        outcome = {"status": "error", "error": failed} if failed else {"status": "success", "error": None}
        turn = self._account.turn(turn_id)
        turn.tool({**call, "result": text, **outcome, **took})
        turn.lasted(at)

    # Events ------------------------------------------------------------------------------------------------------

    def _prompt(self, event: dict[str, Any], at: str) -> None:
        images = ["[image]"] * len(event.get("images") or event.get("local_images") or ())
        text = "\n".join([*([event["message"]] if event.get("message") else []), *images])
        self._said = None
        self._begin(text, at)

    def _started(self, event: dict[str, Any], at: str) -> None:  # noqa: ARG002
        self._turn_id = event.get("turn_id") or self._turn_id

    def _tokens(self, event: dict[str, Any], at: str) -> None:  # noqa: ARG002
        info = event.get("info")
        used = (info or {}).get("last_token_usage") if isinstance(info, dict) else None
        if self._call is None or not used or self._account.current is None:
            return
        call_id, began, _ = self._call
        self._call = None
        names = ("input_tokens", "output_tokens", "cache_read_tokens", "reasoning_tokens")
        given = ("input_tokens", "output_tokens", "cached_input_tokens", "reasoning_output_tokens")
        usage = {name: used[own] for name, own in zip(names, given, strict=True) if used.get(own)}
        call = {"call_id": call_id, "usage": usage, "started_at": began}
        self._account.turn(self._account.current).model(call)

    def _aborted(self, event: dict[str, Any], at: str) -> None:
        data = {"by": "user", "reason": event.get("reason") or "interrupted"}
        self._account.turn(self._current(at)).note(INTERRUPTED, data, at)

    def _rolled_back(self, event: dict[str, Any], at: str) -> None:
        self._account.turn(self._current(at)).note(REWOUND, {"turns": event.get("num_turns")}, at)

    def _failed(self, event: dict[str, Any], at: str) -> None:
        call = {
            "call_id": derived_id(self._account.session_id, "error", at),
            "provider": "openai",
            "model": self._model,
        }
        failed = {"status": "error", "error": str(event.get("message") or "it failed"), "started_at": at}
        self._account.turn(self._current(at)).model(call | failed)


def _arguments(given: Any) -> dict[str, Any]:
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            return {"text": given}
    return given if isinstance(given, dict) else {} if given is None else {"text": given}


def _result(output: Any) -> tuple[str, str | None]:
    """Return what a tool gave, and why it failed: outputs of commands are JSON with an exit code, as text."""
    if isinstance(output, str) and output.startswith("{"):
        try:
            output = json.loads(output)
        except ValueError:
            return output, None
    if not isinstance(output, dict):
        return said(output), None
    metadata = output.get("metadata")
    code = metadata.get("exit_code") if isinstance(metadata, dict) else None
    text = said(output.get("output", output.get("content")))
    failed = f"exit code {code}" if code else "it failed" if output.get("success") is False else None
    return text, failed
