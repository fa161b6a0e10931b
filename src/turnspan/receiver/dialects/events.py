"""Log events of coding agents, as they come in OTLP log records, and what a dialect has to say of them."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any, Protocol

import msgspec

from turnspan.interchange.joining.turns import JoinedTurn
from turnspan.model.ids import derived_id
from turnspan.model.records import from_iso, iso
from turnspan.receiver.received import attributes_of

_MOST_ATTRIBUTES, _MOST_SPAN_EVENTS = 4096, 64
_EVENT_NAME, _EVENT_TIME = "event.name", "event.timestamp"


class LogEvent(msgspec.Struct, frozen=True):
    """One thing that a coding agent reports. ``name`` has the agent's prefix: ``claude_code.tool_result``."""

    name: str
    at_ns: int
    attributes: dict[str, Any]
    trace_id: str = ""
    span_id: str = ""

    @property
    def at(self) -> str:
        """When it happened, as records have it."""
        return iso(self.at_ns)

    def before(self, duration_ms: float | None) -> str:
        """Return when something began that ended with this event."""
        return iso(self.at_ns - int((duration_ms or 0) * 1e6))

    def text(self, name: str) -> str:
        """Return an attribute as text; nothing where it is missing."""
        value = self.attributes.get(name)
        return "" if value is None else str(value)

    def number(self, name: str) -> float | None:
        """Return an attribute as a number: agents send numbers as text, too."""
        try:
            return float(self.attributes[name])
        except (KeyError, TypeError, ValueError):
            return None

    def count(self, name: str) -> int:
        """Return an attribute as a count; zero where it is missing."""
        return int(self.number(name) or 0)

    def says(self, name: str) -> bool:
        """Return whether an attribute is true: agents send that as text, too."""
        return self.text(name).lower() == "true"

    def decoded(self, name: str) -> dict[str, Any]:
        """Return an attribute that is JSON of an object; text that is none is kept as its ``text``."""
        value = self.attributes.get(name)
        if isinstance(value, dict):
            return value
        try:
            found = json.loads(value) if isinstance(value, str) else None
        except (ValueError, RecursionError):
            return {"text": value} if value else {}
        return found if isinstance(found, dict) else {}

    def digest(self) -> str:
        """Return an id that the same event always has, however often it is sent."""
        said = json.dumps(self.attributes, sort_keys=True, default=str)
        return derived_id(self.name, self.at_ns, said, at_ns=self.at_ns)


class Dialect(Protocol):
    """What is to be known of one coding agent: a module each, in the table of :mod:`turnspan.receiver.dialects`."""

    KIND: str
    """What its records are marked with; that of its transcripts' importer."""
    PREFIX: str
    """What the names of its events begin with."""
    AGENT: str
    """Who answers."""

    def session_of(self, event: LogEvent) -> str:
        """Return the session of an event; nothing where it names none."""

    def turn_of(self, event: LogEvent) -> str | None:
        """Return the turn that an event itself names."""

    def begins(self, event: LogEvent) -> str | None:
        """Return the id of the turn that an event begins."""

    def read(self, event: LogEvent, turn: JoinedTurn) -> None:
        """Add what an event says to its turn."""


class Starts:
    """Where the turns of a session begin: what an event that names no turn belongs to."""

    def __init__(self, found: list[tuple[int, str]]) -> None:
        self._found = sorted(found)

    def at(self, at_ns: int) -> str | None:
        """Return the turn that was going on; None before the first one, as far as is known."""
        place = bisect_right(self._found, at_ns, key=lambda start: start[0])
        return self._found[place - 1][1] if place else None


def events_in(request: Any, prefixes: tuple[str, ...]) -> Iterator[LogEvent | None]:
    """Yield the log records of a request; None for each that is of no agent that is known."""
    for resource_logs in request.resource_logs:
        for scope_logs in resource_logs.scope_logs:
            for record in scope_logs.log_records:
                attributes = attributes_of(record.attributes[:_MOST_ATTRIBUTES])
                body = record.body.string_value if record.body.WhichOneof("value") == "string_value" else ""
                names = (record.event_name, body, str(attributes.pop(_EVENT_NAME, "")))
                name = next((name for name in names if name.startswith(prefixes)), None)
                if name is None:
                    yield None
                    continue
                said_at = from_iso(str(attributes.get(_EVENT_TIME, "")).replace("Z", "+00:00"))
                at_ns = said_at or record.time_unix_nano or record.observed_time_unix_nano
                yield LogEvent(name, at_ns, attributes, record.trace_id.hex(), record.span_id.hex())


def spans_in(request: Any, prefixes: tuple[str, ...]) -> Iterator[LogEvent]:
    """Yield the spans of a request that are of an agent that is known, as events that happen when they begin.

    What events of a span say is among its attributes, under their names.
    """
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                if span.name.startswith(prefixes):
                    attributes = attributes_of(span.attributes[:_MOST_ATTRIBUTES])
                    said = {one.name: attributes_of(one.attributes) for one in span.events[:_MOST_SPAN_EVENTS]}
                    ids = span.trace_id.hex(), span.span_id.hex()
                    yield LogEvent(span.name, span.start_time_unix_nano, attributes | said, *ids)
