"""Running turns that are not on record yet: what programs elsewhere have sent of them is shown beside what is stored."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from turnspan.model.records import SessionRecord
from turnspan.reading.tree import failed_calls_of, tokens_of
from turnspan.reading.windows import Window, summary_of
from turnspan.stores.base import SessionSummary


class Running(Protocol):
    """Says what runs elsewhere."""

    def sessions(self) -> list[SessionRecord]:
        """Return the sessions with turns that run, with these turns alone."""


def beside(stored: SessionRecord | None, running: SessionRecord | None) -> SessionRecord | None:
    """Return a session with the turns that run behind those that are stored."""
    if stored is None or running is None:
        return stored or running
    known = {turn.turn_id for turn in stored.turns}
    stored.turns += [turn for turn in running.turns if turn.turn_id not in known]
    stored.agent_transitions += running.agent_transitions
    stored.updated_at = max(stored.updated_at, running.updated_at)
    return stored


def beside_window(window: Window | None, running: SessionRecord | None) -> Window | None:
    """Return a window with the turns that run, if it is at the end of its session."""
    if running is None:
        return window
    if window is None:
        return Window(running, [summary_of(turn) for turn in running.turns], 0)
    known = {turn.turn_id for turn in window.outline}
    more = [turn for turn in running.turns if turn.turn_id not in known]
    if window.end == len(window.outline):
        window.session.turns += more
        window.session.agent_transitions += running.agent_transitions
    return replace(window, outline=[*window.outline, *(summary_of(turn) for turn in more)])


def beside_summary(stored: SessionSummary, running: SessionRecord) -> SessionSummary:
    """Return the line about a session with what runs in it."""
    return replace(
        stored,
        turns=stored.turns + len(running.turns),
        tokens=stored.tokens + sum(tokens_of(turn) for turn in running.turns),
        failed_calls=stored.failed_calls + sum(failed_calls_of(turn) for turn in running.turns),
        updated_at=max(stored.updated_at, running.updated_at),
    )


def summary_of_window(window: Window) -> SessionSummary:
    """Return the line about a session of which a window with its first turn is known."""
    session, outline = window.session, window.outline
    return SessionSummary(
        session.session_id,
        session.workspace_id,
        session.agent_id,
        session.created_at,
        session.updated_at,
        bool(session.metadata.get("ended")),
        len(outline),
        sum(turn.status in ("error", "cancelled") for turn in outline),
        session.turns[0].prompt if session.turns else "",
        session.parent_session_id,
        sum(turn.tokens for turn in outline),
        sum(turn.duration_ms or 0.0 for turn in outline),
        sum(turn.failed_calls for turn in outline),
    )


def state_of_running(running: SessionRecord) -> str:
    """Return a text that is another one as soon as more of what runs has come."""
    calls = sum(len(turn.tool_calls) + len(turn.audit_event_ids) for turn in running.turns)
    return f"running-{len(running.turns)}-{calls}-{running.updated_at}"
