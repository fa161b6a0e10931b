"""Turns put together of what was said, in order: what the readers of histories share."""

from __future__ import annotations

from typing import Any

from turnspan.model.ids import derived_id
from turnspan.model.records import OURS, ToolCallRecord, TurnRecord, from_iso, iso, turnspan_metadata


class Turns:
    """Puts turns together of what was said, in order.

    Args:
        session_id: Their session; ids that a history does not have are derived from it.
        agent_id: Who answers.

    """

    def __init__(self, session_id: str, agent_id: str | None = None) -> None:
        self._session_id, self._agent_id = session_id, agent_id
        self._calls: dict[str, Any] = {}
        self._answered: str | None = None
        self.turns: list[TurnRecord] = []

    def user(self, text: str, at: str = "", turn_id: str | None = None) -> None:
        """Begin a turn."""
        ordinal = len(self.turns)
        made = turn_id or derived_id(self._session_id, "turn", ordinal, at_ns=from_iso(at) or 0)
        self.turns.append(TurnRecord(made, agent_id=self._agent_id, prompt=text, started_at=at, ended_at=at or None))
        self._calls.clear()

    def assistant(self, text: str, at: str = "", **model_call: Any) -> None:
        """Answer; ``model_call`` is what is known of the call: ``provider model response_id usage``.

        What comes with the response id of a call that is there belongs to it: histories keep one answer in pieces.
        """
        turn = self._turn(at)
        known = {name: value for name, value in model_call.items() if value}
        calls: list[dict[str, Any]] = turn.metadata.setdefault(OURS, {}).setdefault("model_calls", []) if known else []
        response_id = known.get("response_id")
        same = next((call for call in calls if response_id and call.get("response_id") == response_id), None)
        if text:
            more = same is not None and self._answered == response_id
            turn.response_content = (turn.response_content or "") + text if more else text
            self._answered = response_id
        if same is not None:
            same["usage"] = _larger(same.get("usage"), known.get("usage"))
        elif known:
            calls.append({**known, "status": "success", **({"started_at": at} if at else {})})

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


def text_of_parts(content: Any) -> str:
    """Return the text of a message's content: itself, or that of its parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(str(part.get("text") or part.get("content") or "") for part in parts if isinstance(part, dict))


def seconds_as_iso(value: Any) -> str:
    """Return Unix seconds, or a time as text, as ISO 8601; nothing for what is neither."""
    if isinstance(value, (int, float)):
        try:
            return iso(int(value * 1e9))
        except (OverflowError, ValueError):  # no time of ours, or none at all
            return ""
    text = str(value or "").replace("Z", "+00:00").replace(" ", "T")
    at_ns = from_iso(text)
    return "" if at_ns is None else iso(at_ns)


def _larger(one: dict[str, int] | None, two: dict[str, int] | None) -> dict[str, int]:
    """Return the usage of an answer that came in pieces: each piece says what it is so far."""
    names = [*(one or {}), *(two or {})]
    return {name: max((one or {}).get(name, 0), (two or {}).get(name, 0)) for name in dict.fromkeys(names)}
