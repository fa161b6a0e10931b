"""Looking things up in any store: pages of sessions, and where an id is in record, trace and log.

A store that can do it better than by reading its sessions is asked itself. Nothing here writes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import dropwhile, islice
from pathlib import Path
from typing import Any

from turnspan.model.json_values import to_json
from turnspan.model.records import SessionRecord, TurnRecord, turnspan_metadata
from turnspan.reading.timeline import Item, tokens_of, took_ms, tree_of
from turnspan.stores.base import (
    Audited,
    ByUse,
    Finds,
    Pages,
    SessionFilter,
    SessionStore,
    SessionSummary,
    words_of,
)


def summaries(store: SessionStore, where: SessionFilter) -> list[SessionSummary]:
    """Return a page of sessions, the last used first, from any store."""
    if isinstance(store, Pages):
        return store.summaries(where)
    if isinstance(store, ByUse):
        return _page_of(store.sessions_by_use(), where)
    sessions = []
    for session_id in store.list_sessions(where.workspace_id):
        with suppress(ValueError):  # damaged: `show` says so
            if (session := store.load_session(session_id)) is not None:
                sessions.append(session)
    sessions.sort(key=lambda one: (one.updated_at, one.session_id), reverse=True)
    return _page_of(sessions, where)


def _page_of(sessions: Iterable[SessionRecord], where: SessionFilter) -> list[SessionSummary]:
    """Return a page of sessions that come in the order of their last use."""
    matching: Iterator[SessionRecord] = (session for session in sessions if _matches(session, where))
    if where.after is not None:
        matching = islice(dropwhile(lambda one: one.session_id != where.after, matching), 1, None)
    return [_summary(session) for session in islice(matching, where.limit)]


def _matches(session: SessionRecord, where: SessionFilter) -> bool:
    turns = session.turns
    models = [model for turn in turns for model in turnspan_metadata(turn.metadata).get("model_calls") or []]
    words = words_of(where.text or "")
    return (
        (where.workspace_id is None or where.workspace_id == session.workspace_id)
        and (where.parent_id is None or where.parent_id == session.parent_session_id)
        and (where.agent_id is None or any(turn.agent_id == where.agent_id for turn in turns))
        and (where.status is None or any(turn.status == where.status for turn in turns))
        and (where.since is None or session.updated_at >= where.since)
        and (where.until is None or session.created_at < where.until)
        and (where.tool is None or any(call.tool_name == where.tool for turn in turns for call in turn.tool_calls))
        and (where.model is None or any(where.model in (m.get("response_model"), m.get("model")) for m in models))
        and (where.min_tokens is None or any(tokens_of(turn) >= where.min_tokens for turn in turns))
        and (where.min_duration_ms is None or any((took_ms(turn) or 0) >= where.min_duration_ms for turn in turns))
        and (not words or any(_says(turn, words) for turn in turns))
    )


def _says(turn: TurnRecord, words: list[str]) -> bool:
    """Return whether a turn has all of these words, as a SQL store's index would find them."""
    texts = [turn.prompt, turn.response_content, turn.error]
    for call in turn.tool_calls:
        texts += [call.tool_name, to_json(call.arguments), call.error]
    said = "".join(f" {' '.join(_tokens(text))} " for text in texts if text)
    return all(f" {' '.join(_tokens(word))}{'' if word.endswith('*') else ' '}" in said for word in words)


def _tokens(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def _summary(session: SessionRecord) -> SessionSummary:
    return SessionSummary(
        session.session_id,
        session.workspace_id,
        session.agent_id,
        session.created_at,
        session.updated_at,
        bool(session.metadata.get("ended")),
        len(session.turns),
        sum(turn.status in ("error", "cancelled") for turn in session.turns),
        session.turns[0].prompt if session.turns else "",
        session.parent_session_id,
    )


# Where an id is ---------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Hit:
    """Something that an id names, in the record."""

    kind: str
    id: str
    session_id: str
    turn_id: str | None = None


@dataclass(slots=True)
class Place:
    """Where something is in all three."""

    hit: Hit
    record: str
    audit_event_ids: list[str]
    trace_id: str | None
    span_id: str | None
    span: str | None
    log: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-compatible values."""
        return asdict(self)


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
        root = tree_of(turn, [])
        yield Hit("turn", turn.turn_id, session.session_id, turn.turn_id)
        if root.trace_id:
            yield Hit("trace", root.trace_id, session.session_id, turn.turn_id)
        for event_id in turn.audit_event_ids:
            yield Hit("audit event", event_id, session.session_id, turn.turn_id)
        for item in root.walk():
            for kind, value in (
                ("span", item.span_id),
                (item.kind, item.call_id),
                ("response", item.details.get("response_id")),
            ):
                if value:
                    yield Hit(kind, value, session.session_id, turn.turn_id)


def place_of(store: SessionStore, hit: Hit, log: Path | None, spans: Path | None) -> Place:
    """Return where a hit is in record, trace and log."""
    session = store.load_session(hit.session_id)
    turn = next((t for t in session.turns if t.turn_id == hit.turn_id), None) if session is not None else None
    item: Item | None = None
    record = f"session {hit.session_id}"
    event_ids = [hit.id] if hit.kind == "audit event" else []
    trace_id = span_id = None
    if turn is not None and session is not None:
        root = tree_of(turn, session.agent_transitions)
        named = [
            i for i in root.walk() if hit.id in (i.call_id, i.span_id, i.details.get("response_id"), *i.audit_event_ids)
        ]
        item = root if hit.kind in ("turn", "trace") or not named else named[-1]
        record += f" > turn {turn.turn_id}" + ("" if item is root else f" > {item.kind} {item.name}")
        trace_id, span_id = item.trace_id or root.trace_id, item.span_id or root.span_id
        event_ids = event_ids or item.audit_event_ids
    rows = {row.event_id: row for row in (store.audit_events(hit.session_id) if isinstance(store, Audited) else ())}
    if hit.kind == "audit event" and (row := rows.get(hit.id)) is not None:
        trace_id, span_id = row.trace_id, row.span_id
        record += f" > event {row.kind}"
    elif turn is None:
        event_ids = [row.event_id for row in rows.values() if row.turn_id is None]
    return Place(hit, record, event_ids, trace_id, span_id, _span_in(spans, span_id), _log_lines(log, event_ids))


def _span_in(path: Path | None, span_id: str | None) -> str | None:
    """Return the name of a span that the local file has."""
    if path is None or span_id is None or not path.is_file():
        return None
    with path.open() as file:
        for line in file:
            if span_id not in line:
                continue
            for resource in json.loads(line)["resourceSpans"]:
                for scope in resource["scopeSpans"]:
                    for span in scope["spans"]:
                        if span["spanId"] == span_id:
                            return f"{span['name']} ({path})"
    return None


def _log_lines(path: Path | None, event_ids: list[str]) -> list[str]:
    """Return where a log file tells these events: ``file:line kind``."""
    if path is None or not path.is_file():
        return []
    wanted = {f'"audit_event_id":"{event_id}"' for event_id in event_ids}
    found = []
    with path.open() as file:
        for number, line in enumerate(file, 1):
            at = line.find('"audit_event_id":"')
            if at >= 0 and line[at : at + 51] in wanted:
                found.append(f"{path}:{number} {json.loads(line)['event']}")
    return found
