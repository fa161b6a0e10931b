"""Events: what is new in a joined turn, as events, and the turn with their ids.

A call or note that is new has events of its own. The end of the turn carries the turn as it is now, which replaces what the
record had: the chain tells what became known when.
"""

from __future__ import annotations

from typing import Any

import msgspec

from turnspan.api.replaying import as_usage
from turnspan.events import (
    AgentEnded,
    AgentStarted,
    Event,
    ModelCallEnded,
    ModelCallStarted,
    Noted,
    ToolCallEnded,
    ToolCallStarted,
    TurnEnded,
    TurnStarted,
)
from turnspan.interchange.joining.turns import in_order
from turnspan.model.ids import derived_id, new_id, now_ns
from turnspan.model.records import OURS, TurnRecord, from_iso


def events_of(session_id: str, turn: TurnRecord) -> list[Event]:
    """Return the events that put a turn on record as it is now; the turn gets their ids."""
    return _Events(session_id, turn).made()


class _Events:
    def __init__(self, session_id: str, turn: TurnRecord) -> None:
        self._turn, self._ours = turn, turn.metadata[OURS]
        self._ids: dict[str, Any] = {"session_id": session_id, "turn_id": turn.turn_id}
        self._start_ns = from_iso(turn.started_at) or now_ns()
        self._end_ns = max(from_iso(turn.ended_at) or 0, self._start_ns)
        self._events: list[Event] = []

    def made(self) -> list[Event]:
        turn, ours = self._turn, self._ours
        for agent in ours.get("agents") or ():
            self._agent(agent)
        for call in turn.tool_calls:
            self._tool(call)
        for details in ours.get("model_calls") or ():
            self._model(details)
        for note in ours.get("notes") or ():
            self._note(note)
        turn.tool_calls.sort(key=lambda call: in_order(call.to_dict()))
        ours.get("model_calls", []).sort(key=in_order)
        self._events.sort(key=lambda event: event.at_ns)  # of one call, the start stands first already
        kept = {key: value for key, value in ours.items() if key != "model_calls"}
        started = TurnStarted(
            **self._ids,
            **self._when("turn.started", self._start_ns),
            agent_id=turn.agent_id,
            prompt=turn.prompt,
            metadata={**turn.metadata, OURS: kept},
        )
        status: Any = turn.status
        ended = TurnEnded(
            **self._ids,
            **self._when("turn.ended", self._end_ns),
            agent_id=turn.agent_id,
            response_content=turn.response_content,
            status=status,
            error=turn.error,
            error_type=_error_type({}, turn.error),
        )
        events = [started, *self._events, ended]
        turn.audit_event_ids = list(dict.fromkeys([*turn.audit_event_ids, *(event.event_id for event in events)]))
        return [*events[:-1], msgspec.structs.replace(ended, record=turn.to_dict())]

    def _when(self, kind: str, at_ns: int) -> dict[str, Any]:
        return {"at_ns": at_ns, "event_id": derived_id(*self._ids.values(), kind, new_id(), at_ns=at_ns)}

    def _span(self, ours: dict[str, Any], duration_ms: Any) -> tuple[int, int]:
        at_ns = from_iso(ours.get("started_at")) or self._start_ns
        return at_ns, at_ns + int((duration_ms if isinstance(duration_ms, (int, float)) else 0) * 1e6)

    def _tool(self, call: Any) -> None:
        ours = call.metadata.setdefault(OURS, {})
        if ours.get("audit_event_ids"):
            return
        at_ns, after_ns = self._span(ours, call.duration_ms)
        known = {**self._ids, "call_id": call.call_id, "agent_id": ours.get("agent_id")}
        started = ToolCallStarted(
            **known,
            **self._when("tool_call.started", at_ns),
            parent_id=ours.get("parent_id"),
            tool_name=call.tool_name,
            arguments=call.arguments,
        )
        ended = ToolCallEnded(
            **known,
            **self._when("tool_call.ended", after_ns),
            result=call.result,
            status=call.status,
            error=call.error,
            error_type=_error_type(ours, call.error),
        )
        self._add(ours, started, ended)

    def _model(self, details: dict[str, Any]) -> None:
        if details.get("audit_event_ids"):
            return
        at_ns, after_ns = self._span(details, details.get("duration_ms"))
        known = {**self._ids, "call_id": details["call_id"], "agent_id": details.get("agent_id")}
        named: dict[str, Any] = {"provider": details.get("provider"), "model": details.get("model")}
        started = ModelCallStarted(
            **known, **named, **self._when("model_call.started", at_ns), parent_id=details.get("parent_id")
        )
        ended = ModelCallEnded(
            **known,
            **self._when("model_call.ended", after_ns),
            response_model=details.get("response_model"),
            response_id=details.get("response_id"),
            output=details.get("output"),
            usage=as_usage(details.get("usage")),
            finish_reasons=details.get("finish_reasons") or [],
            status=details.get("status") or "success",
            error=details.get("error"),
            error_type=_error_type(details, details.get("error")),
        )
        self._add(details, started, ended)

    def _agent(self, entry: dict[str, Any]) -> None:
        if entry.get("audit_event_ids"):
            return
        at_ns, after_ns = self._span(entry, entry.get("duration_ms"))
        known = {**self._ids, "call_id": entry["call_id"], "agent_id": entry.get("agent_id")}
        started = AgentStarted(
            **known,
            **self._when("agent.started", at_ns),
            parent_id=entry.get("parent_id"),
            description=entry.get("description"),
        )
        ended = AgentEnded(
            **known,
            **self._when("agent.ended", after_ns),
            response_content=entry.get("response_content"),
            status=entry.get("status") or "success",
            error=entry.get("error"),
            error_type=_error_type(entry, entry.get("error")),
        )
        self._add(entry, started, ended)

    def _note(self, note: dict[str, Any]) -> None:
        if note.get("audit_event_id"):
            return
        at_ns = from_iso(note.get("at")) or self._start_ns
        event = Noted(**self._ids, **self._when("noted", at_ns), name=note["name"], data=note.get("data"))
        note["audit_event_id"] = event.event_id
        self._events.append(event)

    def _add(self, ours: dict[str, Any], started: Event, ended: Event) -> None:
        ours.setdefault("started_at", self._turn.started_at)
        ours["audit_event_ids"] = [started.event_id, ended.event_id]
        self._events += [started, ended]


def _error_type(ours: dict[str, Any], error: str | None) -> str | None:
    """Return the kind of an error, as its log line has it: it stays when the error is erased."""
    return ours.get("error_type") or ("_OTHER" if error else None)
