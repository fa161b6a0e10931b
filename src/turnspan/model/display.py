"""How sessions and turns look when they are printed, or are the value of a notebook's cell.

What is printed may end in a log, so :func:`as_text` has ids, names, times and outcomes, and never content. A notebook
shows what its reader asked for: :func:`as_html` has content too, folded and escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from html import escape
from importlib.metadata import entry_points
from typing import Any, NamedTuple

from turnspan.model.inert import inert_line
from turnspan.model.json_values import folded
from turnspan.model.records import SessionRecord, TurnRecord, from_iso, turnspan_metadata

NOTEBOOK_GROUP = "turnspan.notebook"
"""The entry points of what shows a session in a notebook: called with it, they return markup. ``view`` stands above us."""
_CELL = 300  # characters of content in one cell


class Step(NamedTuple):
    """A turn or something in it, as one line."""

    depth: int
    kind: str
    name: str
    status: str
    duration_ms: float | None
    error: str | None
    content: str


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 turn``, ``2 turns``."""
    return f"{number} {noun_for(number, noun)}"


def noun_for(number: int, noun: str) -> str:
    """Return a noun as it stands behind a number."""
    return noun if number == 1 else f"{noun}es" if noun.endswith("s") else f"{noun}s"


def as_text(session: SessionRecord) -> str:
    """Return a session as a tree of lines, without content."""
    failed = sum(turn.status in ("error", "cancelled") for turn in session.turns)
    parts = [
        f"session {session.session_id}",
        f"{counted(len(session.turns), 'turn')}" + (f", {failed} failed" if failed else ""),
    ]
    if session.workspace_id is not None:
        parts.append(f"workspace {session.workspace_id}")
    head = inert_line(", ".join([*parts, f"{_second(session.created_at)} to {_second(session.updated_at)}"]))
    turns = (turn_as_text(turn, session) for turn in session.turns)
    return "\n".join([head, *(f"  {line}" for turn in turns for line in turn.split("\n"))])


def turn_as_text(turn: TurnRecord, session: SessionRecord | None = None) -> str:
    """Return a turn as a tree of lines, without content."""
    return "\n".join(
        "  " * step.depth + inert_line(f"{step.kind} {step.name}: " + ", ".join(filter(None, (step.status, took))))
        for step in steps_of(turn, session)
        for took in [duration(step.duration_ms)]
    )


def as_html(session: SessionRecord) -> str:
    """Return a session for a notebook: as the page of the extra ``view``, or as a table where that is not installed."""
    for entry in entry_points(group=NOTEBOOK_GROUP):
        with suppress(ImportError):
            shown: str = entry.load()(session)
            return shown
    return as_table(session)


def as_table(session: SessionRecord) -> str:
    """Return a session as a table: escaped, without styles, scripts or links."""
    rows = [row for turn in session.turns for row in _html_rows(turn, session)]
    return _table(f"session {session.session_id}", rows)


def turn_as_html(turn: TurnRecord) -> str:
    """Return a turn as a table."""
    return _table(f"turn {turn.turn_id}", list(_html_rows(turn, None)))


def steps_of(turn: TurnRecord, session: SessionRecord | None = None) -> Iterator[Step]:
    """Yield a turn, then what happened in it in order of time, each as deep as what it happened in."""
    name = f"{turn.turn_id} {turn.agent_id or ''}".rstrip()
    said = f"{folded(turn.prompt, _CELL)} → {folded(turn.response_content or '', _CELL)}"
    yield Step(0, "turn", name, turn.status, _between(turn.started_at, turn.ended_at), turn.error, said)
    found = sorted(_inner(turn, session), key=lambda one: one[0])
    depths: dict[str, int] = {}
    for _at, call_id, parent_id, step in found:
        depth = depths.get(parent_id or "", 0) + 1
        if call_id:
            depths.setdefault(call_id, depth)
        yield step._replace(depth=depth)


_Inner = tuple[str, str | None, str | None, Step]


def _inner(turn: TurnRecord, session: SessionRecord | None) -> Iterator[_Inner]:
    """Yield when something started, its call id, what it happened in, and how it looks."""
    ours = turnspan_metadata(turn.metadata)
    for call in turn.tool_calls:
        own = turnspan_metadata(call.metadata)
        said = f"{folded(call.arguments, _CELL)} → {folded(call.result, _CELL)}"
        step = Step(0, "tool call", call.tool_name, call.status, call.duration_ms, call.error, said)
        yield _text(own.get("started_at")), call.call_id, own.get("parent_id"), step
    for model in _dicts(ours.get("model_calls")):
        used = model.get("usage") if isinstance(model.get("usage"), dict) else {}
        tokens = f"{used.get('input_tokens', '?')} + {used.get('output_tokens', '?')} tokens" if used else ""
        yield _inner_of(model, "model call", model.get("response_model") or model.get("model"), tokens)
    for agent in _dicts(ours.get("agents")):
        yield _inner_of(agent, "agent", agent.get("agent_id"), folded(agent.get("response_content") or "", _CELL))
    for note in _dicts(ours.get("notes")):
        step = Step(0, "note", _text(note.get("name")), "success", None, None, folded(note.get("data"), _CELL))
        yield _text(note.get("at")), None, note.get("parent_id"), step
    for handoff in session.agent_transitions if session is not None else ():
        if handoff.turn_id == turn.turn_id:
            name = f"{handoff.from_agent or '?'} → {handoff.to_agent}"
            yield handoff.timestamp, None, None, Step(0, "handoff", name, "success", None, None, handoff.reason or "")


def _inner_of(data: dict[str, Any], kind: str, name: Any, content: str) -> _Inner:
    took = data.get("duration_ms")
    step = Step(
        0,
        kind,
        _text(name),
        _text(data.get("status") or "success"),
        took if isinstance(took, (int, float)) else None,
        data.get("error"),
        content,
    )
    return _text(data.get("started_at")), data.get("call_id"), data.get("parent_id"), step


def _table(title: str, rows: list[str]) -> str:
    head = "<tr><th>what</th><th>outcome</th><th>took</th><th>content</th></tr>"
    return f"<table><caption>{_cell(title)}</caption>{head}{''.join(rows)}</table>"


def table_html(title: str, head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table whose cells are text, whatever they look like."""
    lines = [f"<tr>{''.join(f'<td>{_cell(text)}</td>' for text in row)}</tr>" for row in rows]
    return f"<table><caption>{_cell(title)}</caption><tr>{''.join(f'<th>{_cell(name)}</th>' for name in head)}</tr>{''.join(lines)}</table>"


def _html_rows(turn: TurnRecord, session: SessionRecord | None) -> Iterator[str]:
    for step in steps_of(turn, session):
        what = "&nbsp;" * 4 * step.depth + _cell(f"{step.kind} {step.name}")
        outcome = _cell(step.status if step.error is None else f"{step.status}: {step.error}")
        took = duration(step.duration_ms)
        yield f"<tr><td>{what}</td><td>{outcome}</td><td>{took}</td><td>{_cell(step.content, 2 * _CELL)}</td></tr>"


def _cell(text: str, limit: int = _CELL) -> str:
    return escape(inert_line(folded(text, limit)))


def duration(duration_ms: float | None) -> str:
    """Return how long something took; empty where that is not known."""
    if duration_ms is None:
        return ""
    return f"{duration_ms:.0f} ms" if duration_ms < 1000 else f"{duration_ms / 1000:.1f} s"


def _between(start: str, end: str | None) -> float | None:
    started, ended = from_iso(start), from_iso(end)
    return None if started is None or ended is None else (ended - started) / 1e6


def _second(at: str) -> str:
    return at[:19].replace("T", " ") or "?"


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else folded(value, 80)
