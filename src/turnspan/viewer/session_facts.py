"""What a session is, in a line: its page and its file begin with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress

from turnspan.model.json_values import folded
from turnspan.reading.prices import cost_of
from turnspan.reading.tree import TimelineNode
from turnspan.reading.windows import Window, window_of
from turnspan.stores.base import Audited, AuditFilter, SessionStore, TurnSummary
from turnspan.verification.erased import NOTE
from turnspan.viewer.formatting import count, duration, plural
from turnspan.viewer.values import safe

_TITLE = 120


def title_of(window: Window) -> str:
    """Return what a session is about: its first prompt, or its id."""
    first = window.session.turns[0].prompt if window.session.turns and window.first == 0 else ""
    return folded(safe(first[: 4 * _TITLE]), _TITLE) or window.session.session_id


def facts_of(turns: Sequence[TurnSummary], roots: Sequence[TimelineNode]) -> list[str]:
    """Return how many turns there are, how long they took, how many tokens they used, and what these cost.

    Args:
        turns: All turns of the session.
        roots: The trees of those that were read; what others cost is not known.

    """
    tokens = sum(turn.tokens for turn in turns)
    took = sum(turn.duration_ms or 0.0 for turn in turns)
    said = (
        plural(len(turns), "turn"),
        f"{duration(took)} in turns" if took else "",
        f"{count(tokens)} tokens" if tokens else "",
        str(cost_of(roots)) if len(roots) == len(turns) else "",
    )
    return [text for text in said if text]


def erased_at(store: SessionStore, window: Window) -> str | None:
    """Return when a session's content was erased; None where a turn says something, or nothing says so.

    The note of it stands behind the session's last turn, so only what is there is read.
    """
    turns = window.session.turns
    if not turns or any(turn.prompt or turn.response_content for turn in turns) or not isinstance(store, Audited):
        return None
    last = window_of(store, window.session.session_id, len(window.outline) - 1, 1)
    ids = last.session.turns[0].audit_event_ids if last is not None and last.session.turns else []
    where = AuditFilter(sessions=frozenset({window.session.session_id}), since_id=max(ids, default=None))
    for row in store.audit_rows(where):
        if row.kind == "noted" and row.turn_id is None and row.payload:
            with suppress(ValueError, AttributeError):
                if json.loads(row.payload).get("name") == NOTE:
                    return row.at
    return None
