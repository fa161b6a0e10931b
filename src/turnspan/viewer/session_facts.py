"""What a session is, in a line: its page and its file begin with it."""

from __future__ import annotations

from collections.abc import Sequence

from turnspan.model.json_values import folded
from turnspan.reading.windows import Window
from turnspan.stores.base import TurnSummary
from turnspan.viewer.formatting import count, duration, plural
from turnspan.viewer.values import safe

_TITLE = 120


def title_of(window: Window) -> str:
    """Return what a session is about: its first prompt, or its id."""
    first = window.session.turns[0].prompt if window.session.turns and window.first == 0 else ""
    return folded(safe(first[: 4 * _TITLE]), _TITLE) or window.session.session_id


def facts_of(turns: Sequence[TurnSummary]) -> list[str]:
    """Return how many turns there are, how long they took, and how many tokens they used."""
    tokens = sum(turn.tokens for turn in turns)
    took = sum(turn.duration_ms or 0.0 for turn in turns)
    said = (
        plural(len(turns), "turn"),
        f"{duration(took)} in turns" if took else "",
        f"{count(tokens)} tokens" if tokens else "",
    )
    return [text for text in said if text]
