"""What happened, for tests: as plain values that are equal from run to run, and as a tree for a failure's message."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from turnspan.model.json_values import encode, folded
from turnspan.model.records import SessionRecord, from_iso
from turnspan.reading.tree import TimelineNode, session_tree

_CONTENT = ("prompt", "response", "arguments", "result", "reason", "data")
_LINE = 160  # characters of content on one line of a tree


def snapshot_of(sessions: Iterable[SessionRecord]) -> list[dict[str, Any]]:
    """Return sessions without ids and times; what ran at the same time comes in the order of what it is."""
    return [
        _without_nothing(
            workspace=session.workspace_id, ended=session.metadata.get("ended"), turns=_plain(session_tree(session))
        )
        for session in sessions
    ]


def tree_of(sessions: Iterable[SessionRecord]) -> str:
    """Return sessions as a tree of lines, with content."""
    lines: list[str] = []

    def add(node: TimelineNode, depth: int) -> None:
        said = ", ".join(
            f"{name}={folded(value, _LINE)}"
            for name in _CONTENT
            if (value := node.details.get(name)) not in (None, "", {})
        )
        usage = node.details.get("usage") or {}
        tokens = f" [{usage.get('input_tokens', 0)} + {usage.get('output_tokens', 0)} tokens]" if usage else ""
        status = node.status if node.error is None else f"{node.status}: {node.error}"
        lines.append(f"{'  ' * depth}{node.kind} {node.name}: {status}{tokens}{f'  {said}' if said else ''}")
        for child in node.children:
            add(child, depth + 1)

    for session in sessions:
        lines.append(f"session {session.session_id}")
        for turn in session_tree(session):
            add(turn, 1)
    return "\n".join(lines) or "nothing was recorded"


def _plain(nodes: list[TimelineNode]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for group in _at_the_same_time(nodes):
        found += sorted((_values(node) for node in group), key=encode) if len(group) > 1 else [_values(group[0])]
    return found


def _values(node: TimelineNode) -> dict[str, Any]:
    content = {name: node.details.get(name) for name in _CONTENT if node.details.get(name) not in (None, "", {})}
    return _without_nothing(
        kind=node.kind,
        name=node.name,
        status=node.status,
        error=node.error,
        **content,
        usage=node.details.get("usage"),
        inside=_plain(node.children),
    )


def _at_the_same_time(nodes: list[TimelineNode]) -> list[list[TimelineNode]]:
    """Return nodes (in order of their starts) in groups that overlap: which of them came first is chance."""
    groups: list[list[TimelineNode]] = []
    until = 0
    for node in nodes:
        start = from_iso(node.started_at) or 0
        end = start + int((node.duration_ms or 0) * 1e6)
        if groups and start < until and node.kind == groups[-1][-1].kind:
            groups[-1].append(node)
            until = max(until, end)
        else:
            groups.append([node])
            until = end
    return groups


def _without_nothing(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, [], {})}
