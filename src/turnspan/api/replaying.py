"""Finished turns as the events that they must have been: what an application recorded by itself, or another program kept.

The ids are derived from what the turn is, so that recording it twice gives the same events.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from turnspan.events import (
    Event,
    HandedOff,
    ModelCallEnded,
    ModelCallStarted,
    ToolCallEnded,
    ToolCallStarted,
    TurnEnded,
    TurnStarted,
    Usage,
    usage_in,
)
from turnspan.model.fields import as_json
from turnspan.model.ids import derived_id, now_ns
from turnspan.model.records import OURS, TurnRecord, from_iso, turnspan_metadata
from turnspan.stores.rows import model_calls_of


def as_events(session_id: str, turn: Any) -> list[Event]:
    """Return a finished turn as events. The turn gets their ids, and its end carries the turn itself."""
    made = _Times(session_id, turn)
    events: list[Event] = [
        TurnStarted(**made.identity("turn.started", 0, made.start_ns), agent_id=turn.agent_id, prompt=turn.prompt),
        *sorted([*_tool_events(made, turn), *_model_events(made, turn)], key=lambda event: event.at_ns),
    ]
    end = TurnEnded(
        **made.identity("turn.ended", 0, made.end_ns),
        agent_id=turn.agent_id,
        response_content=turn.response_content,
        status=status_of(turn),
        error=turn.error,
    )
    stamp(turn, [event.event_id for event in (*events, end)], None)
    return [*events, with_record(end, turn)]


def as_handoff(session_id: str, transition: Any, at_ns: int) -> HandedOff:
    """Return a recorded handoff as an event."""
    return HandedOff(
        session_id=session_id,
        turn_id=transition.turn_id or None,
        agent_id=transition.from_agent,
        from_agent=transition.from_agent,
        to_agent=transition.to_agent,
        reason=transition.reason,
        at_ns=at_ns,
        event_id=derived_id(
            session_id,
            transition.turn_id,
            transition.from_agent,
            transition.to_agent,
            transition.timestamp,
            at_ns=at_ns,
        ),
    )


def as_usage(given: Any) -> Usage | None:
    """Return what a model call used, of a mapping that another program may have written."""
    usage = usage_in(given)
    tokens = {name: usage[name] for name in Usage.__struct_fields__ if name in usage}
    return Usage(**tokens) if tokens else None


def status_of(turn: Any) -> Any:
    """Return how a turn ended, in the words of the events; other programs have more of them."""
    return turn.status if turn.status in ("success", "error", "cancelled") else "success"


def stamp(turn: Any, ids: list[str], ours: dict[str, Any] | None) -> None:
    """Give a turn the ids of its events, and what turnspan keeps with it."""
    turn.audit_event_ids = list(dict.fromkeys([*turn.audit_event_ids, *ids]))
    if ours:
        turn.metadata[OURS] = {**turnspan_metadata(turn.metadata), **ours}


def with_record(event: Event, turn: Any) -> Event:
    """Give the end of a turn the record itself, so that journal and store agree with what the user recorded."""
    if not isinstance(event, TurnEnded):
        return event
    return msgspec.structs.replace(event, record=TurnRecord.from_dict(turn.to_dict()).to_dict())


class _Times:
    """When things in a turn happened, and the ids that this gives their events."""

    def __init__(self, session_id: str, turn: Any) -> None:
        self._session_id, self._turn_id = session_id, turn.turn_id
        ended_ns = from_iso(turn.ended_at)
        self.start_ns = from_iso(turn.started_at) or ended_ns or now_ns()
        self.end_ns = max(ended_ns or self.start_ns, self.start_ns)

    def of_call(self, started_at: Any, duration_ms: Any) -> tuple[int, int]:
        """Return when a call started and ended, as far as is known."""
        at_ns = (from_iso(started_at) if isinstance(started_at, str) else None) or self.start_ns
        return at_ns, at_ns + int((duration_ms if isinstance(duration_ms, (int, float)) else 0) * 1e6)

    def identity(self, kind: str, ordinal: int, at_ns: int) -> dict[str, Any]:
        """Return the ids and time of an event."""
        return {
            "session_id": self._session_id,
            "turn_id": self._turn_id,
            "at_ns": at_ns,
            "event_id": derived_id(self._session_id, self._turn_id, kind, ordinal, at_ns=at_ns),
        }


def _tool_events(made: _Times, turn: Any) -> Iterator[Event]:
    for ordinal, call in enumerate(turn.tool_calls):
        started_at = turnspan_metadata(call.metadata).get("started_at")
        at_ns, after_ns = made.of_call(started_at, call.duration_ms)
        known: dict[str, Any] = {"call_id": f"{call.call_id}:{ordinal}", "agent_id": turn.agent_id}
        status: Any = call.status if call.status in ("success", "error", "timeout", "skipped", "cancelled") else "error"
        yield ToolCallStarted(
            **made.identity("tool_call.started", ordinal, at_ns),
            **known,
            tool_name=call.tool_name,
            arguments=call.arguments,
        )
        yield ToolCallEnded(
            **made.identity("tool_call.ended", ordinal, after_ns),
            **known,
            result=call.result,
            status=status,
            error=call.error,
        )


def _model_events(made: _Times, turn: Any) -> Iterator[Event]:
    for ordinal, details in enumerate(model_calls_of(turn)):
        at_ns, after_ns = made.of_call(details.get("started_at"), details.get("duration_ms"))
        known: dict[str, Any] = {"call_id": f"model:{ordinal}", "agent_id": turn.agent_id}
        yield ModelCallStarted(
            **made.identity("model_call.started", ordinal, at_ns),
            **known,
            provider=as_json("str | None", details.get("provider")),
            model=as_json("str | None", details.get("model")),
            operation=as_json("str | None", details.get("operation")),
        )
        yield ModelCallEnded(
            **made.identity("model_call.ended", ordinal, after_ns),
            **known,
            usage=as_usage(details.get("usage")),
        )
