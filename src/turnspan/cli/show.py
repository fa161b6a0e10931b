"""``turnspan show``: a session as a tree."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.tree import Tree

from turnspan.cli.common import STATUS_MARK, STATUS_STYLE, format_duration, open_reading, reads, short, when
from turnspan.cli.output import console, escape, linked, print_json
from turnspan.errors import TurnspanError
from turnspan.model.records import SessionRecord, turnspan_metadata
from turnspan.reading.deep_links import Links
from turnspan.reading.find import hits, summaries
from turnspan.reading.timeline import Item, tree_of
from turnspan.stores import SessionStore
from turnspan.stores.base import SessionFilter

_MOST_CHILDREN = 50


@click.command()
@click.argument("session")
@reads
def command(session: str, home: str | None, store: str | None, as_json: bool) -> None:
    """Show SESSION as a tree: its id, the beginning of it, the id of a turn, trace or event in it, or "last"."""
    reading = open_reading(home, store)
    found = load(reading.store, session)
    if as_json:
        print_json(found.to_dict())
    else:
        children = summaries(reading.store, SessionFilter(parent_id=found.session_id, limit=_MOST_CHILDREN))
        console().print(as_tree(found, [one.session_id for one in children], reading.traces))


def load(store: SessionStore, wanted: str) -> SessionRecord:
    """Load the session that is meant.

    Raises:
        TurnspanError: When there is none, or more than one.

    """
    if wanted == "last":
        newest = summaries(store, SessionFilter(limit=1))
        if not newest:
            raise TurnspanError("There is no session yet: run a program with `turnspan run`")
        wanted = newest[0].session_id
    session = store.load_session(wanted)
    if session is None:
        ids = sorted({hit.session_id for hit in hits(store, wanted)})
        if len(ids) != 1:
            more = "nothing has an id that begins like this" if not ids else f"it may be any of {', '.join(ids[:5])}"
            raise TurnspanError(f"There is no session {wanted!r}: {more}; `turnspan sessions` lists them")
        session = store.load_session(ids[0])
    assert session is not None
    return session


def as_tree(session: SessionRecord, children: Sequence[str] = (), traces: Links | None = None) -> Tree:
    """Return a session for people."""
    head = f"[bold]session {escape(session.session_id)}[/]  {escape(when(session.created_at))}"
    if session.workspace_id:
        head += f"  workspace {escape(session.workspace_id)}"
    if session.metadata.get("ended"):
        head += "  ended"
    came_from = turnspan_metadata(session.metadata).get("session_id_from")
    tree = Tree(head + (f"  [dim]id from {escape(came_from)}[/]" if came_from else ""))
    for turn in session.turns:
        root = tree_of(turn, session.agent_transitions)
        branch = tree.add(_line(root))
        url = (
            None
            if traces is None
            else traces.to(
                trace_id=root.trace_id,
                span_id=root.span_id,
                session_id=session.session_id,
                turn_id=turn.turn_id,
                audit_event_id=next(iter(turn.audit_event_ids), None),
            )
        )
        trace = linked(root.trace_id or "-", url)
        branch.add(f"[dim]turn {escape(turn.turn_id)}  trace {trace}  {len(turn.audit_event_ids)} events[/]")
        if url is not None and not console().is_terminal:  # a file has no links
            branch.add(f"[dim]{escape(url)}[/]")
        branch.add(f"[bold]>[/] {escape(short(turn.prompt, 120))}")
        for item in root.inside:
            _add(branch, item)
        if turn.response_content is not None:
            branch.add(f"[bold]<[/] {escape(short(turn.response_content, 120))}")
    if parent := session.parent_session_id:
        root_id = session.root_session_id
        more = f"  root {escape(root_id)}" if root_id and root_id != parent else ""
        tree.add(f"[dim]came out of session[/] {escape(parent)}{more}")
    for child in children:
        tree.add(f"[dim]session[/] {escape(child)} [dim]came out of it[/]")
    if not session.turns:
        tree.add("[dim]no turns yet[/]")
    return tree


def _add(branch: Tree, item: Item) -> None:
    below = branch.add(_line(item))
    for inner in item.inside:
        _add(below, inner)


def _line(item: Item) -> str:
    style = STATUS_STYLE.get(item.status, "")
    status = f"[{style}]{STATUS_MARK.get(item.status, item.status)}[/]" if style else escape(item.status)
    named = item.name != item.kind  # a client of a model knows no agents
    line = f"{item.kind} [bold]{escape(item.name)}[/]" if named else f"[bold]{item.kind}[/]"
    match item.kind:
        case "handoff":
            return line + (f"  {escape(short(item.details['reason']))}" if item.details.get("reason") else "")
        case "note":
            return f"{line}  {escape(short(item.details.get('data')))}"
        case "tool call":
            line += f"({escape(short(item.details.get('arguments'), 60))})"
    line += f"  {status}  {format_duration(item.duration_ms)}"
    if item.kind == "model call" and (usage := item.details.get("usage")):
        line += f"  {escape(usage.get('input_tokens', '-'))} in / {escape(usage.get('output_tokens', '-'))} out tokens"
    if item.error:
        line += f"  [red]{escape(short(item.error, 100))}[/]"
    elif item.kind == "tool call" and item.details.get("result") is not None:
        line += f"  = {escape(short(item.details['result'], 60))}"
    return line
