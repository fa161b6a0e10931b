"""What is open: turns that have started and not ended, with their calls and spans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import context

from turnspan.chain import SpanIds
from turnspan.events import (
    Started,
)
from turnspan.spans import below

if TYPE_CHECKING:
    from opentelemetry.trace import Span


class Open:
    """A started call with its span."""

    __slots__ = ("_below", "awaits", "end_id", "ids", "inherited", "span", "started")

    def __init__(self, started: Started, span: Span, ids: SpanIds | None, end_id: str | None = None) -> None:
        self.started, self.span, self.ids = started, span, ids
        self.end_id = end_id  # what its end is called on somebody else's span already
        self._below: context.Context | None = None
        self.inherited = False  # from before a fork: the parent process ends it
        self.awaits = False  # the span that somebody else will start for it; until then this is the one above

    def has(self, span: Span, ids: SpanIds | None, end_id: str | None = None) -> None:
        """Take the span that was awaited."""
        self.span, self.ids, self.end_id, self.awaits, self._below = span, ids, end_id, False, None

    @property
    def below(self) -> context.Context:
        """The context for spans below this one."""
        if self._below is None:
            self._below = below(self.span)
        return self._below


class OpenTurn:
    """A turn that has not ended: its span, the calls open in it, and its events so far."""

    __slots__ = ("calls", "event_ids", "handoff", "turn")

    def __init__(self, turn: Open | None) -> None:
        self.turn = turn  # None: the turn was not started here; only its calls are known
        self.calls: dict[str, Open] = {}
        self.event_ids: list[str] = []
        self.handoff: tuple[str, Span] | None = None
