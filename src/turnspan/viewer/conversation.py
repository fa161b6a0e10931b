"""A turn as it is shown: what was said and done, in order, each nested in what caused it.

A sub-session stands inside the call that ran when it began, folded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from turnspan.model.addresses import event_anchor, session_path, turn_anchor
from turnspan.model.records import FAILED, TurnRecord, from_iso
from turnspan.reading.prices import cost_of
from turnspan.reading.tree import TimelineNode
from turnspan.reading.waterfall import parallel_groups
from turnspan.stores.base import SessionSummary
from turnspan.viewer.formatting import count, duration, plural
from turnspan.viewer.pictures import Fall, fall_of, shown_name
from turnspan.viewer.values import ValueView, gist


@dataclass(slots=True)
class Part:
    """A named piece of an entry's content."""

    label: str
    html: Markup
    cut: bool = False


@dataclass(slots=True)
class Entry:
    """Something that happened in a turn."""

    kind: str
    name: str
    anchor: str
    status: str
    failed: bool
    took: str
    started_at: str
    gist: str = ""
    outcome: str = ""
    error: str | None = None
    parts: list[Part] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)
    event_ids: list[str] = field(default_factory=list)
    label: str = ""
    """What it is called, where that is another word than its kind."""
    call_id: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    groups: list[list[Entry]] = field(default_factory=list)
    """What happened inside of it; entries that ran at the same time stand in one group."""
    href: str | None = None
    """Of a sub-session, where all of it is."""

    @property
    def css(self) -> str:
        """The class of its kind."""
        return self.kind.replace(" ", "-")


@dataclass(slots=True)
class TurnView:
    """A turn: what was asked, what happened, what was answered, and its waterfall."""

    number: int
    turn_id: str
    anchor: str
    agent: str | None
    status: str
    failed: bool
    took: str
    started_at: str
    tokens: str
    cost: str
    failures: int
    """Calls and agents in it that failed."""
    agents: bool
    """Whether more than one agent worked in it."""
    prompt: Part | None
    response: Part | None
    error: str | None
    interrupted: str | None
    groups: list[list[Entry]]
    fall: Fall
    trace_id: str | None
    span_id: str | None
    event_ids: list[str]
    version: str
    """Changes whenever what is shown may."""


def turn_view(
    number: int,
    turn: TurnRecord,
    root: TimelineNode,
    *,
    whole: bool = False,
    short: bool = False,
    children: Sequence[SessionSummary] = (),
) -> TurnView:
    """Return a turn as it is shown.

    Args:
        number: Its place in the session, from 1.
        turn: Its record.
        root: Its tree.
        whole: Whether content is shown whole.
        short: Whether places have short names instead of lasting ones.
        children: The sessions that began in it.

    """
    anchor = turn_anchor(turn.turn_id)
    maker = _Maker(f"e{number}" if short else anchor, whole=whole, short=short, sessions=_placed(root, children))
    groups = maker.groups(root)
    return TurnView(
        number=number,
        turn_id=turn.turn_id,
        anchor=anchor,
        agent=turn.agent_id,
        status=turn.status,
        failed=turn.status in FAILED,
        took=duration(root.duration_ms),
        started_at=turn.started_at,
        tokens=_tokens_of(root),
        cost=str(cost_of([root])),
        failures=sum(node.status in FAILED for node in root.walk() if node is not root),
        agents=any(node.kind in ("agent", "handoff") for node in root.walk()),
        prompt=maker.said("prompt", turn.prompt),
        response=maker.said("response", turn.response_content),
        error=turn.error,
        interrupted=root.details.get("interrupted"),
        groups=groups,
        fall=fall_of(root, maker.anchors),
        trace_id=root.trace_id,
        span_id=root.span_id,
        event_ids=turn.audit_event_ids,
        version=f"{turn.status}-{len(turn.audit_event_ids)}-{turn.ended_at or ''}-"
        + "-".join(child.updated_at for child in children),
    )


def _placed(root: TimelineNode, children: Iterable[SessionSummary]) -> dict[int, list[SessionSummary]]:
    """Return sub-sessions by the ``id()`` of the innermost call or agent that ran when they began."""
    found: dict[int, list[SessionSummary]] = {}
    for child in children:
        at, node = from_iso(child.created_at) or 0, root
        while inner := [one for one in node.children if _ran_at(one, at)]:
            node = inner[-1]
        found.setdefault(id(node), []).append(child)
    return found


def _ran_at(node: TimelineNode, at_ns: int) -> bool:
    begun = from_iso(node.started_at)
    if node.kind not in ("tool call", "agent") or begun is None or begun > at_ns:
        return False
    return node.status == "running" or at_ns <= begun + int((node.duration_ms or 0.0) * 1e6)


class _Maker:
    """Makes the entries of one turn, and names each once."""

    def __init__(self, turn: str, *, whole: bool, short: bool, sessions: dict[int, list[SessionSummary]]) -> None:
        self._turn, self._whole, self._short, self._sessions = turn, whole, short, sessions
        self.anchors: dict[int, str] = {}

    def said(self, label: str, text: str | None) -> Part | None:
        """Return a prompt or an answer."""
        if not text:
            return None
        if label == "prompt" or text.startswith(("{", "[")):
            return self._part(label, text)
        view = ValueView(whole=self._whole)
        return Part(label, view.prose(text), view.was_cut)

    def groups(self, parent: TimelineNode) -> list[list[Entry]]:
        """Return what is inside of something as entries, with the sessions that began there in their places."""
        found = [[self._entry(node) for node in group] for group in parallel_groups(parent.children)]
        for number, child in enumerate(self._sessions.get(id(parent), ())):
            at = from_iso(child.created_at) or 0
            place = next((n for n, group in enumerate(found) if (from_iso(group[0].started_at) or 0) > at), len(found))
            found.insert(place, [self._session(child, f"{self.anchors.get(id(parent), self._turn)}-session-{number}")])
        return found

    def _session(self, child: SessionSummary, anchor: str) -> Entry:
        """Return a sub-session, folded: what was asked, and how it went."""
        facts = [("turns", count(child.turns))]
        failures = ((child.failed_turns, "turn"), (child.failed_calls, "call"))
        failed = ", ".join(plural(number, noun) for number, noun in failures if number)
        facts += [("failed", failed)] if failed else []
        facts += [("tokens", count(child.tokens))] if child.tokens else []
        return Entry(
            kind="session",
            name=child.session_id,
            anchor=anchor,
            status="error" if failed else "success",
            failed=bool(failed),
            error=f"{failed} failed" if failed else None,
            took=duration(child.duration_ms or None),
            started_at=child.created_at,
            gist=gist(child.prompt),
            facts=facts,
            href=session_path(child.session_id),
        )

    def _entry(self, node: TimelineNode) -> Entry:
        lasts = node.audit_event_ids and not self._short
        anchor = event_anchor(node.audit_event_ids[0]) if lasts else f"{self._turn}-{len(self.anchors)}"
        self.anchors[id(node)] = anchor
        entry = Entry(
            kind=node.kind,
            label=node.label,
            name=shown_name(node),
            anchor=anchor,
            status=node.status,
            failed=node.status in FAILED,
            took=duration(node.duration_ms),
            started_at=node.started_at,
            error=node.error,
            event_ids=node.audit_event_ids,
            call_id=node.call_id,
            trace_id=node.trace_id,
            span_id=node.span_id,
        )
        match node.kind:
            case "tool call":
                self._fill_tool(entry, node)
            case "model call":
                self._fill_model(entry, node)
            case "agent":
                self._add(entry, "answer", node.recorded.get("response_content"))
                self._add(entry, "description", node.recorded.get("description"))
            case "handoff":
                entry.gist = gist(node.details.get("reason") or "")
                self._add(entry, "reason", node.details.get("reason"))
            case "note":
                entry.gist = gist(node.details.get("data"))
                self._add(entry, "data", node.details.get("data"))
        entry.groups = self.groups(node)
        return entry

    def _fill_tool(self, entry: Entry, node: TimelineNode) -> None:
        arguments, result = node.details.get("arguments"), node.details.get("result")
        entry.gist = gist(arguments) if arguments else ""
        entry.outcome = gist(result) if result is not None else ""
        self._add(entry, "arguments", arguments or None)
        self._add(entry, "result", result)

    def _fill_model(self, entry: Entry, node: TimelineNode) -> None:
        kept, usage = node.recorded, node.details.get("usage") or {}
        if usage:
            entry.gist = f"{count(usage.get('input_tokens', 0))} → {count(usage.get('output_tokens', 0))} tokens"
        chunk = kept.get("first_chunk_ms")
        if isinstance(chunk, (int, float)):
            entry.facts.append(("first chunk", duration(float(chunk))))
        asked = kept.get("model")
        if isinstance(asked, str) and asked != node.name:
            entry.facts.append(("asked for", asked))
        for label, value in (
            ("provider", node.details.get("provider")),
            ("finished", gist(node.details.get("finish_reasons") or "")),
            ("response id", node.details.get("response_id")),
            ("cost", str(cost_of([node]))),
            *((name.replace("_", " "), f"{number:,}") for name, number in usage.items() if number),
        ):
            if value:
                entry.facts.append((label, str(value)))
        if history := kept.get("history"):
            entry.facts.append(("messages before", str(history)))
        if messages := kept.get("messages"):
            view = ValueView(whole=self._whole)
            entry.parts.append(Part("new messages", view.messages(messages), view.was_cut))
        self._add(entry, "output", kept.get("output"))

    def _add(self, entry: Entry, label: str, value: Any) -> None:
        if value is not None and value not in ("", [], {}):
            entry.parts.append(self._part(label, value))

    def _part(self, label: str, value: Any) -> Part:
        view = ValueView(whole=self._whole)
        html = view.render(value)
        return Part(label, html, view.was_cut)


def _tokens_of(root: TimelineNode) -> str:
    usages = [node.details.get("usage") or {} for node in root.walk() if node.kind == "model call"]
    tokens = sum(usage.get("input_tokens", 0) + usage.get("output_tokens", 0) for usage in usages)
    return count(tokens) if tokens else ""
