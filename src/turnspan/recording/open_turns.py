"""What is open: turns that have started and not ended, with their calls and spans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import context

from turnspan.adapter import CurrentContext
from turnspan.events import ModelCallStarted, Started, ToolCallStarted
from turnspan.journal.hash_chain import SpanIds
from turnspan.telemetry.current_context import below

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


class OpenTurns(dict[tuple[str, str | None], OpenTurn]):
    """The open turns, by session and turn, and what is open at a place in them."""

    def call_at(self, here: CurrentContext) -> Open | None:
        """Return the call that a place is directly in."""
        turn = self.get((here.session_id, here.turn_id))
        return None if turn is None else turn.calls.get(here.call_id or "")

    def models_asked(self, here: CurrentContext) -> list[str]:
        """Return the ids of the open model calls that a place is in, or that are open directly in it."""
        turn = self.get((here.session_id, here.turn_id))
        return [
            call_id
            for call_id, call in (list(turn.calls.items()) if turn is not None else ())
            if type(call.started) is ModelCallStarted and here.call_id in (call_id, call.started.parent_id)
        ]

    def tool_at(self, here: CurrentContext) -> str | None:
        """Return the name of the tool whose call a place is directly in."""
        call = self.call_at(here)
        return call.started.tool_name if call is not None and isinstance(call.started, ToolCallStarted) else None
