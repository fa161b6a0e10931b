"""Pages of sessions, the last used first, from any store.

A store that can do it better than by reading its sessions is asked itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import dropwhile, islice

from turnspan.model.json_values import to_json
from turnspan.model.records import SessionRecord, TurnRecord, turnspan_metadata
from turnspan.reading.tree import dicts_in, duration_of, failed_calls_of, tokens_of
from turnspan.stores.base import ByUse, Pages, SessionFilter, SessionStore, SessionSummary, words_of


@dataclass(slots=True, frozen=True)
class Page:
    """Some sessions, and where the next ones begin."""

    sessions: list[SessionSummary]
    next: str | None
    """What ``SessionFilter.after`` is set to for the page behind this one; None when this is the last."""


def page_of(store: SessionStore, where: SessionFilter) -> Page:
    """Return a page of sessions; one more than asked for is looked up, so that the last page knows that it is."""
    found = summaries(store, replace(where, limit=where.limit + 1))
    more = len(found) > where.limit
    return Page(found[: where.limit], found[where.limit - 1].session_id if more else None)


def summaries(store: SessionStore, where: SessionFilter) -> list[SessionSummary]:
    """Return at most ``where.limit`` sessions, the last used first."""
    if isinstance(store, Pages):
        return store.summaries(where)
    if isinstance(store, ByUse):
        return _selected(store.sessions_by_use(), where)
    sessions = []
    for session_id in store.list_sessions(where.workspace_id):
        with suppress(ValueError):  # damaged: `show` says so
            if (session := store.load_session(session_id)) is not None:
                sessions.append(session)
    sessions.sort(key=lambda session: (session.updated_at, session.session_id), reverse=True)
    return _selected(sessions, where)


def _selected(sessions: Iterable[SessionRecord], where: SessionFilter) -> list[SessionSummary]:
    """Return a page of sessions that come in the order of their last use."""
    matching: Iterator[SessionRecord] = (session for session in sessions if matches(session, where))
    if where.after is not None:
        matching = islice(dropwhile(lambda session: session.session_id != where.after, matching), 1, None)
    return [summary_of_session(session) for session in islice(matching, where.limit)]


def matches(session: SessionRecord, where: SessionFilter) -> bool:
    """Return whether a session is one of those that are wanted."""
    turns = session.turns
    models = [model for turn in turns for model in dicts_in(turnspan_metadata(turn.metadata), "model_calls")]
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
        and (where.min_duration_ms is None or any((duration_of(t) or 0) >= where.min_duration_ms for t in turns))
        and (not words or any(_has_words(turn, words) for turn in turns))
    )


def _has_words(turn: TurnRecord, words: list[str]) -> bool:
    """Return whether a turn has all of these words, as a SQL store's index would find them."""
    texts = [turn.prompt, turn.response_content, turn.error]
    for call in turn.tool_calls:
        texts += [call.tool_name, to_json(call.arguments), call.error]
        texts += [] if call.result is None else [to_json(call.result)]
    for note in dicts_in(turnspan_metadata(turn.metadata), "notes"):
        texts += [str(note.get("name", "")), to_json(note.get("data") or "")]
    tokens = "".join(f" {' '.join(_tokens(text))} " for text in texts if text)
    return all(f" {' '.join(_tokens(word))}{'' if word.endswith('*') else ' '}" in tokens for word in words)


def _tokens(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def summary_of_session(session: SessionRecord) -> SessionSummary:
    """Return the line about a session."""
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
        sum(tokens_of(turn) for turn in session.turns),
        sum(duration_of(turn) or 0.0 for turn in session.turns),
        sum(failed_calls_of(turn) for turn in session.turns),
    )
