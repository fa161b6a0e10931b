"""A session as a tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.text import Text
from rich.tree import Tree

from turnspan.cli.formatting import STATUS_STYLE, Display, format_duration, format_status
from turnspan.model.display import counted
from turnspan.model.records import SessionRecord, turnspan_metadata
from turnspan.reading.deep_links import Links
from turnspan.reading.prices import cost_of
from turnspan.reading.tree import TimelineNode

_CONTENT = 120
_ARGUMENT = 60


def session_view(
    session: SessionRecord,
    turns: Sequence[TimelineNode],
    *,
    turn_ids: Sequence[str],
    children: Sequence[str] = (),
    traces: Links | None = None,
    display: Display | None = None,
    links_shown: bool = True,
) -> Tree:
    """Return a session as a tree.

    Args:
        session: The session.
        turns: Those of its turns that are shown, as trees.
        turn_ids: Their ids.
        children: Ids of the sessions whose parent it is.
        traces: Makes links to traces.
        display: What was asked for.
        links_shown: Whether links are written out: what is not a terminal has none behind a text.

    """
    how = display or Display()
    tree = Tree(_head(session, how))
    for root, turn_id in zip(turns, turn_ids, strict=True):
        branch = tree.add(_line(root, how))
        url = None if traces is None else _trace_url(traces, session.session_id, turn_id, root)
        facts = Text.assemble("turn ", turn_id, "  trace ", style="dim")
        facts.append(root.trace_id or "-", style=f"link {url}" if url is not None and not links_shown else "")
        facts.append(f"  {counted(len(root.audit_event_ids), 'event')}")
        branch.add(facts)
        if url is not None and links_shown:
            branch.add(Text(url, style="dim"))
        _add_ids(branch, root, how)
        branch.add(Text.assemble(("> ", "bold"), how.content(root.details["prompt"], _CONTENT)))
        for node in root.children:
            _add(branch, node, how)
        if root.details["response"] is not None:
            branch.add(Text.assemble(("< ", "bold"), how.content(root.details["response"], _CONTENT)))
    _add_family(tree, session, children)
    if not session.turns:
        tree.add(Text("no turns yet", style="dim"))
    return tree


def _head(session: SessionRecord, how: Display) -> Text:
    head = Text.assemble((f"session {session.session_id}", "bold"), f"  {how.time(session.created_at)}")
    if session.workspace_id:
        head.append(f"  workspace {session.workspace_id}")
    if session.metadata.get("ended"):
        head.append("  ended")
    if source := turnspan_metadata(session.metadata).get("session_id_from"):
        head.append(f"  id from {source}", style="dim")
    return head


def _trace_url(traces: Links, session_id: str, turn_id: str, root: TimelineNode) -> str | None:
    event_id = next(iter(root.audit_event_ids), None)
    ids = {"session_id": session_id, "turn_id": turn_id, "audit_event_id": event_id}
    return traces.to(trace_id=root.trace_id, span_id=root.span_id, **ids)


def _add_family(tree: Tree, session: SessionRecord, children: Sequence[str]) -> None:
    if parent := session.parent_session_id:
        root_id = session.root_session_id
        root = f"  root {root_id}" if root_id and root_id != parent else ""
        tree.add(Text.assemble(("parent session ", "dim"), parent, root))
    for child in children:
        tree.add(Text.assemble(("child session ", "dim"), child))


def _add(branch: Tree, node: TimelineNode, how: Display) -> None:
    inner = branch.add(_line(node, how))
    _add_ids(inner, node, how)
    for child in node.children:
        _add(inner, child, how)


def _add_ids(branch: Tree, node: TimelineNode, how: Display) -> None:
    """Add the ids by which something is found elsewhere, where they were asked for."""
    if not how.ids:
        return
    for name, value in (("call", node.call_id), ("span", node.span_id), ("events", " ".join(node.audit_event_ids))):
        if value:
            branch.add(Text(f"{name} {value}", style="dim"))


def _line(node: TimelineNode, how: Display) -> Text:
    line = Text(node.label, style="" if node.name != node.kind else "bold")
    if node.name != node.kind:  # a client of a model knows no agents
        line.append(" ").append(node.name, style="bold")
    match node.kind:
        case "handoff":
            return line.append(f"  {how.content(node.details['reason'], _CONTENT)}" if node.details["reason"] else "")
        case "note":
            line.append(f"  {how.time(node.started_at, precise=True)}", style="dim")
            return line.append(f"  {how.content(node.details['data'], _CONTENT)}")
        case "tool call":
            line.append(f"({how.content(node.details['arguments'], _ARGUMENT)})")
    line.append("  ").append(format_status(node.status), style=STATUS_STYLE.get(node.status, ""))
    line.append(f"  {format_duration(node.duration_ms)}")
    if node.kind == "turn":
        line.append(f"  {how.time(node.started_at)}", style="dim")
    if node.kind == "model call" and (usage := node.details.get("usage")):
        line.append(_tokens(usage)).append(f"  {cost}" if (cost := str(cost_of([node]))) else "")
    if node.error:
        line.append(f"  {how.content(node.error, _CONTENT)}", style="red")
    elif node.kind == "tool call" and node.details["result"] is not None:
        line.append(f"  = {how.content(node.details['result'], _ARGUMENT)}")
    return line


def _tokens(usage: dict[str, Any]) -> str:
    return f"  {usage.get('input_tokens', '-')} in / {usage.get('output_tokens', '-')} out tokens"
