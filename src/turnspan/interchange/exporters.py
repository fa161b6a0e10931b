"""A stored session in the shapes that others read: JSON, Markdown, chat messages."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from turnspan.model.json_values import to_json
from turnspan.model.records import SessionRecord, TurnRecord, turnspan_metadata
from turnspan.reading.tree import dicts_in


def as_json(session: SessionRecord) -> str:
    """Return the session as ``to_dict`` gives it, to be read by people."""
    return json.dumps(session.to_dict(), indent=2, ensure_ascii=False) + "\n"


def as_jsonl(session: SessionRecord) -> str:
    """Return the session as one line; ``turnspan import jsonl`` reads many of them."""
    return json.dumps(session.to_dict(), ensure_ascii=False) + "\n"


def as_openai(session: SessionRecord) -> str:
    """Return the conversation as chat messages: what a model would be given to go on with it."""
    messages: list[dict[str, Any]] = []
    for turn in session.turns:
        messages.append({"role": "user", "content": to_json(turn.prompt)})
        if turn.tool_calls:
            calls = [
                {
                    "id": c.call_id,
                    "type": "function",
                    "function": {"name": c.tool_name, "arguments": to_json(c.arguments)},
                }
                for c in turn.tool_calls
            ]
            messages.append({"role": "assistant", "content": None, "tool_calls": calls})
            for call in turn.tool_calls:
                said = call.result if call.result is not None else call.error or ""
                messages.append({"role": "tool", "tool_call_id": call.call_id, "content": to_json(said)})
        if turn.response_content is not None:
            messages.append({"role": "assistant", "content": to_json(turn.response_content)})
    return json.dumps({"session_id": session.session_id, "messages": messages}, indent=2, ensure_ascii=False) + "\n"


def as_markdown(session: SessionRecord) -> str:
    """Return the session as a document: what was asked, done and answered, with the ids to find it by."""
    lines = [f"# Session {session.session_id}", ""]
    facts = {
        "workspace": session.workspace_id,
        "agent": session.agent_id,
        "began": session.created_at,
        "last used": session.updated_at,
    }
    lines += [f"- {name}: {value}" for name, value in facts.items() if value]
    for number, turn in enumerate(session.turns, 1):
        lines += ["", f"## {number}. {turn.agent_id or 'turn'}: {turn.status}", "", *_turn(turn, session)]
    return "\n".join(lines) + "\n"


def _turn(turn: TurnRecord, session: SessionRecord) -> list[str]:
    ours = turnspan_metadata(turn.metadata)
    lines = [*_quoted(to_json(turn.prompt)), *([""] if turn.tool_calls else [])]
    for call in turn.tool_calls:
        status = call.status if call.duration_ms is None else f"{call.status}, {call.duration_ms:.0f} ms"
        lines += [f"- tool `{call.tool_name}` ({status})"]
        lines += _fenced("arguments", call.arguments) + _fenced("result", call.result) + _fenced("error", call.error)
    lines += [
        f"- handoff from {t.from_agent or 'nobody'} to {t.to_agent}{f': {t.reason}' if t.reason else ''}"
        for t in session.agent_transitions
        if t.turn_id == turn.turn_id
    ]
    for note in dicts_in(ours, "notes"):
        event = f", audit event {note['audit_event_id']}" if note.get("audit_event_id") else ""
        lines += [f"- note `{note.get('name') or ''}` ({note.get('at') or 'no time'}{event})"]
        lines += _fenced("data", note.get("data"))
    if turn.response_content is not None:
        lines += ["", to_json(turn.response_content)]
    if turn.error:
        lines += ["", f"**Error:** {turn.error}"]
    trace = f", trace {ours['trace_id']}" if ours.get("trace_id") else ""
    return [
        *lines,
        "",
        f"<sub>{turn.started_at}, turn {turn.turn_id}{trace}, {len(turn.audit_event_ids)} audit events</sub>",
    ]


def _quoted(text: str) -> list[str]:
    return [f"> {line}" for line in text.splitlines()] or [">"]


def _fenced(name: str, value: Any) -> list[str]:
    if value is None or value == {}:
        return []
    text = to_json(value)
    fence = "`" * max(3, max((len(run) for run in text.split("\n") if set(run.strip()) == {"`"}), default=0) + 1)
    return [f"  {name}:", f"  {fence}", *(f"  {line}" for line in text.splitlines()), f"  {fence}"]


FORMATS: dict[str, Callable[[SessionRecord], str]] = {
    "json": as_json,
    "jsonl": as_jsonl,
    "markdown": as_markdown,
    "openai": as_openai,
}
