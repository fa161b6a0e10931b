"""Where an id is: in the record, in the trace, in the log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from turnspan.model.records import SessionRecord, TurnRecord, from_iso
from turnspan.reading.line_sources import LineSource, ObservedLogLine
from turnspan.reading.span_sources import SpanSource
from turnspan.reading.tree import TimelineNode, turn_tree
from turnspan.reading.windows import with_turn
from turnspan.stores.base import Audited, AuditFilter, Finds, SessionStore
from turnspan.stores.rows import AuditRow

_MARGIN_NS = 3_600_000_000_000
"""Logs are searched an hour around a session's time: clocks differ, and lines come late."""


@dataclass(slots=True, frozen=True)
class Hit:
    """Something that an id names, in the record."""

    kind: str
    id: str
    session_id: str
    turn_id: str | None = None


@dataclass(slots=True, frozen=True)
class SpanPlace:
    """A span, and what keeps it."""

    name: str
    source: str


@dataclass(slots=True, frozen=True)
class LinePlace:
    """A log line: the event that it reports, and where it stands (``file:line``, or a backend's URL)."""

    audit_event_id: str
    event: str
    source: str


@dataclass(slots=True)
class Place:
    """Where something is in all three."""

    hit: Hit
    record: list[tuple[str, str]]
    """The way to it from the session down: kinds, and names or ids."""
    audit_event_ids: list[str]
    trace_id: str | None
    span_id: str | None
    span: SpanPlace | None = None
    log: list[LinePlace] = field(default_factory=list)


def hits(store: SessionStore, prefix: str) -> list[Hit]:
    """Return what has an id that is this, or begins like this."""
    if isinstance(store, Finds):
        return [Hit(one.kind, one.id, one.session_id, one.turn_id) for one in store.find(prefix)]
    found: list[Hit] = []
    for session_id in store.list_sessions():
        try:
            session = store.load_session(session_id)
        except ValueError:
            continue
        if session is not None:
            found += [hit for hit in _ids_in(session) if hit.id.startswith(prefix)]
    return [hit for hit in found if hit.id == prefix] or found


def _ids_in(session: SessionRecord) -> Iterator[Hit]:
    yield Hit("session", session.session_id, session.session_id)
    for turn in session.turns:
        root = turn_tree(turn)
        yield Hit("turn", turn.turn_id, session.session_id, turn.turn_id)
        if root.trace_id:
            yield Hit("trace", root.trace_id, session.session_id, turn.turn_id)
        for event_id in turn.audit_event_ids:
            yield Hit("audit event", event_id, session.session_id, turn.turn_id)
        for node in root.walk():
            for kind, value in (
                ("span", node.span_id),
                (node.kind, node.call_id),
                ("response", node.details.get("response_id")),
            ):
                if value:
                    yield Hit(kind, value, session.session_id, turn.turn_id)


def place_of(store: SessionStore, hit: Hit, spans: SpanSource | None = None, lines: LineSource | None = None) -> Place:
    """Return where a hit is in record, trace and log, as far as their sources are given.

    Raises:
        EvidenceError: When a source cannot be read.

    """
    session = with_turn(store, hit.session_id, hit.turn_id)
    place = _in_record(store, hit, session)
    if spans is not None and place.trace_id and place.span_id:
        name = spans.span_name(place.trace_id, place.span_id)
        place.span = None if name is None else SpanPlace(name, spans.name)
    if lines is not None and session is not None and place.audit_event_ids:
        found = _lines_of(lines, session, place.audit_event_ids)
        place.log = [LinePlace(line.event_id, line.kind, line.where) for line in found]
    return place


def step_lines(store: SessionStore, hit: Hit, lines: LineSource) -> list[ObservedLogLine]:
    """Return the log lines about the call, agent, handoff or turn that an audit event belongs to, whole.

    Raises:
        EvidenceError: When the log cannot be read.

    """
    session = with_turn(store, hit.session_id, hit.turn_id)
    if session is None:
        return []
    turn = next((turn for turn in session.turns if turn.turn_id == hit.turn_id), None)
    own = [] if turn is None else [node for node in turn_tree(turn).walk() if hit.id in node.audit_event_ids]
    return list(_lines_of(lines, session, own[-1].audit_event_ids if len(own) > 1 else [hit.id]))


def _lines_of(lines: LineSource, session: SessionRecord, event_ids: list[str]) -> Iterator[ObservedLogLine]:
    since = (from_iso(session.created_at) or 0) - _MARGIN_NS
    until = (from_iso(session.updated_at) or since + 2 * _MARGIN_NS) + _MARGIN_NS
    yield from lines.lines_of(event_ids, session.session_id, max(0, since), until)


def _in_record(store: SessionStore, hit: Hit, session: SessionRecord | None) -> Place:
    turn = next((t for t in session.turns if t.turn_id == hit.turn_id), None) if session is not None else None
    place = Place(hit, [("session", hit.session_id)], [hit.id] if hit.kind == "audit event" else [], None, None)
    if turn is not None:
        _in_turn(place, turn)
    if hit.kind == "audit event":
        if (row := audit_row(store, hit)) is not None:
            place.trace_id, place.span_id = row.trace_id, row.span_id
            place.record.append(("event", row.kind))
    elif turn is None and isinstance(store, Audited):
        rows = store.audit_rows(AuditFilter(sessions=frozenset({hit.session_id})))
        place.audit_event_ids = [row.event_id for row in rows if row.turn_id is None]
    return place


def audit_row(store: SessionStore, hit: Hit) -> AuditRow | None:
    """Return the audit row of an event; None where there is none, or the store keeps none."""
    if not isinstance(store, Audited):
        return None
    where = AuditFilter(sessions=frozenset({hit.session_id}), since_id=hit.id, until_id=f"{hit.id}g")
    return next((row for row in store.audit_rows(where) if row.event_id == hit.id), None)


def _in_turn(place: Place, turn: TurnRecord) -> None:
    hit, root = place.hit, turn_tree(turn)
    named = [node for node in root.walk() if _names(hit.id, node)]
    node = root if hit.kind in ("turn", "trace") or not named else named[-1]
    place.record.append(("turn", turn.turn_id))
    if node is not root:
        place.record.append((node.kind, node.name))
    place.trace_id, place.span_id = node.trace_id or root.trace_id, node.span_id or root.span_id
    place.audit_event_ids = place.audit_event_ids or node.audit_event_ids


def _names(id_: str, node: TimelineNode) -> bool:
    return id_ in (node.call_id, node.span_id, node.details.get("response_id"), *node.audit_event_ids)
