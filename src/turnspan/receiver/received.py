"""Received spans: what the spans of a trace say, as events with the ids that they always get."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from typing import Any, NamedTuple, cast

import msgspec
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from opentelemetry.trace import SpanContext, TraceFlags

from turnspan.adapter import CurrentContext, ResolvedSession, Run
from turnspan.errors import InvalidIdError
from turnspan.events import FIELDS, STARTS, Ended, Event, Part, SessionStarted, Started, TurnStarted
from turnspan.instrumentation.adapter_context import AdapterContext
from turnspan.journal.hash_chain import SpanIds
from turnspan.model.ids import derived_id
from turnspan.model.records import check_id
from turnspan.receiver.otlp import LATEST_NS
from turnspan.receiver.spool import Kept
from turnspan.recording.runtime import storable_id
from turnspan.telemetry import semconv as sc
from turnspan.telemetry.live_spans import ids_of_external_span

_NAMES = tuple(name for name, part in FIELDS.items() if part is Part.NAME)
_LONGEST_NAME = 1000
"""Of an agent, tool or model: it is on each event of a turn."""
_OF_ALL = (sc.GEN_AI_CONVERSATION_ID, sc.SESSION_ID, sc.GEN_AI_INPUT_MESSAGES)
"""What other spans of a trace say about the one that all are in, the earliest of them first."""
Placed = tuple[Event, SpanIds | None]
"""An event, and the span that it stands on."""


class _Scope(NamedTuple):
    name: str


class _StatusCode(NamedTuple):
    name: str


class _Status(NamedTuple):
    status_code: _StatusCode
    description: str | None


class _SpanEvent(NamedTuple):
    name: str
    attributes: dict[str, Any]


class ReceivedSpan:
    """A span that has ended, elsewhere: what readers and the recorder look at of the SDK's."""

    def __init__(self, kept: Kept) -> None:
        span = Span.FromString(kept.span or b"")
        trace_id = int.from_bytes(kept.trace_id, "big")
        self.name = span.name
        self.context = SpanContext(trace_id, int.from_bytes(kept.span_id, "big"), True, TraceFlags(span.flags & 0xFF))
        parent_id = int.from_bytes(kept.parent_id, "big")
        self.parent = SpanContext(trace_id, parent_id, True, TraceFlags(1)) if parent_id else None
        self.start_time = min(span.start_time_unix_nano, LATEST_NS)
        self.end_time = min(max(span.end_time_unix_nano, self.start_time), LATEST_NS)
        self.attributes = attributes_of(span.attributes)
        self.events = [_SpanEvent(one.name, attributes_of(one.attributes)) for one in span.events]
        failed = span.status.code == Status.STATUS_CODE_ERROR
        self.status = _Status(_StatusCode("ERROR" if failed else "OK"), span.status.message or None)
        self.instrumentation_scope = _Scope(kept.scope)
        self.resource = _resource(kept.resource or b"")

    @classmethod
    def standing_for(cls, spans: list[ReceivedSpan], span_id: int) -> ReceivedSpan:
        """Return the span of an agent that all of these are in and that has not come: it has said nothing yet."""
        first = spans[0]
        said = {name: value for one in reversed(spans) for name, value in one.attributes.items()}
        made = cls.__new__(cls)
        made.name, made.parent, made.events = "invoke_agent", None, []
        made.context = SpanContext(first.context.trace_id, span_id, True, first.context.trace_flags)
        made.start_time, made.end_time = first.start_time, max(one.end_time for one in spans)
        made.attributes = {sc.GEN_AI_OPERATION_NAME: "invoke_agent"} | {n: said[n] for n in _OF_ALL if n in said}
        made.status = _Status(_StatusCode("OK"), None)
        made.instrumentation_scope, made.resource = first.instrumentation_scope, first.resource
        return made

    def get_span_context(self) -> SpanContext:
        """Return its ids."""
        return self.context

    @staticmethod
    def is_recording() -> bool:
        """Return whether it can be written to."""
        return False


@lru_cache(maxsize=256)
def _resource(given: bytes) -> dict[str, Any]:
    """Return the attributes of a resource: all spans of a sender have the same."""
    return attributes_of(Resource.FromString(given).attributes)


def attributes_of(given: Iterable[Any]) -> dict[str, Any]:
    """Return attributes as plain values."""
    return {one.key: _value(one.value) for one in given}


def _value(given: Any) -> Any:
    kind = given.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [_value(one) for one in given.array_value.values]
    if kind == "kvlist_value":
        return attributes_of(given.kvlist_value.values)
    return getattr(given, kind)


class Collected(AdapterContext):
    """Takes the events of one trace, before they go into the record: the same spans always give the same ids.

    Args:
        trace_id: The trace, as hex.

    """

    def __init__(self, trace_id: str) -> None:
        super().__init__("receiver")
        self._trace = trace_id
        self._taken: list[tuple[Event, ReceivedSpan | None]] = []
        self._ids: dict[str, str] = {}
        self._turns: set[str] = set()
        self._begin, self.begin = self.begin, self._begun

    def _begun(self, *, span: Any = None, turn_id: str | None = None, **given: Any) -> Run:
        own = _storable(str(turn_id)) if turn_id else ""
        if not own or own in self._turns:  # two agents of a trace may say the same
            own = derived_id(*_ids_of(span), "turn id", at_ns=span.start_time)
        self._turns.add(own)
        return self._begin(span=span, turn_id=own, **given)

    def session(self, own: str | None = None, **_more: Any) -> ResolvedSession:
        """Return the session of a span; a trace that names none is one by itself."""
        session = ResolvedSession(_storable(own or self._trace), "runtime" if own else "new")
        self._taken.append((SessionStarted(session_id=session.id, source=session.source), None))
        return session

    def current(self) -> CurrentContext | None:
        """Return nothing: no code runs here."""
        return None

    def has_response(self, response_id: str, since_ns: int) -> bool:  # noqa: ARG002
        """Return whether an adapter has reported a call: here is none."""
        return False

    def __call__(self, event: Event) -> None:
        """Take an event."""
        self._taken.append((event, None))

    def start_with_span(self, event: Started, span: Any) -> None:
        """Take a start, with its span."""
        call_id = event.call_id
        if call_id is not None and not (call_id in span.attributes.values() and _storable(call_id) == call_id):
            self._ids[call_id] = _own_id(span)  # else it is the sender's own
        if isinstance(event, TurnStarted) and event.resource is None:
            event = msgspec.structs.replace(event, resource=span.resource or None)
        self._taken.append((event, span))

    def settled(self) -> list[Placed]:
        """Return what was taken, with the ids that it always gets, each event with the span that it stands on."""
        settling = _Settling(self._trace, self._ids)
        return [settling.settled(event, span) for event, span in self._taken]

    def place(self, inside: CurrentContext) -> CurrentContext:
        """Return where code is, with the ids that it always gets."""
        return inside._replace(call_id=self._ids.get(inside.call_id or "", inside.call_id))


class _Settling:
    """Gives the events of a trace their ids, one after the other."""

    def __init__(self, trace_id: str, ids: dict[str, str]) -> None:
        self._trace, self._ids = trace_id, ids
        self._open: dict[tuple[str | None, str | None], list[tuple[str | None, SpanIds | None]]] = {}
        self._seen: set[tuple[str | None, str | None]] = set()

    def settled(self, event: Event, span: ReceivedSpan | None) -> Placed:
        """Return an event as it is put on record."""
        changed: dict[str, Any] = {}
        for name in _NAMES:
            given = getattr(event, name, None)
            if isinstance(given, str) and len(given) > _LONGEST_NAME:
                changed[name] = given[:_LONGEST_NAME]
        if event.parent_id is not None:
            changed["parent_id"] = self._placed((event.turn_id, event.parent_id))[0]
        key = (event.turn_id, event.call_id)
        if isinstance(event, STARTS):
            assert span is not None
            call_id, ids = self._ids.get(event.call_id or "", event.call_id), ids_of_external_span(span)
            if key in self._seen and call_id == event.call_id:  # two spans have the sender's id of one call
                call_id = _own_id(span)
            self._seen.add(key)
            self._open.setdefault(key, []).append((call_id, ids))
        else:
            call_id, ids = self._placed(key)
            if ids is None:
                ids = self._placed((event.turn_id, event.parent_id))[1]
        if isinstance(event, Ended):
            self._open[key].pop()
            changed["event_id"] = derived_id(self._trace, event.turn_id, call_id, "end", at_ns=event.at_ns)
        if call_id != event.call_id:
            changed["call_id"] = call_id
        return (msgspec.structs.replace(event, **changed) if changed else event), ids

    def _placed(self, key: tuple[str | None, str | None]) -> tuple[str | None, SpanIds | None]:
        """Return the id of what is open under a key, and its span; of what is not, the id alone."""
        known = self._open.get(key)
        return known[-1] if known else (self._ids.get(key[1] or "", key[1]), None)


def _own_id(span: Any) -> str:
    return derived_id(*_ids_of(span), "call id", at_ns=span.start_time)


def _storable(given: str | None) -> str:
    """Return an id that every store can keep."""
    try:
        return check_id("received", given)
    except InvalidIdError:
        return storable_id(str(given))


def _ids_of(span: Any) -> tuple[int, int]:
    context = span.get_span_context()
    return context.trace_id, context.span_id


def events_of(waiting: list[Kept], places: dict[int, CurrentContext]) -> tuple[list[Placed], dict[int, str]]:
    """Return the events that the spans of a trace say, each with the ids of its span, and where each span is then.

    Args:
        waiting: The spans.
        places: Where those of the trace are that are on record already.

    """
    return events_of_spans([ReceivedSpan(one) for one in waiting], places)


def events_of_spans(
    spans: list[ReceivedSpan], places: dict[int, CurrentContext]
) -> tuple[list[Placed], dict[int, str]]:
    """Return the same of spans that are read already."""
    if not spans:
        return [], {}
    collected = Collected(f"{spans[0].context.trace_id:032x}")
    found = _reader_class()(cast("Any", collected)).report_trace({one.context.span_id: one for one in spans}, places)
    return collected.settled(), {span_id: _written(place, collected.place) for span_id, place in found.items()}


@cache
def _reader_class() -> Any:
    from turnspan_integrations.otel import Reader  # the one reader of these dialects; it stands outside of the packages

    return Reader


def number_of(span_id: bytes) -> int:
    """Return a span's id as a number."""
    return int.from_bytes(span_id, "big")


def place_in(place: str | None) -> CurrentContext:
    """Return where a span is, as it is kept."""
    return CurrentContext(*msgspec.json.decode(place or "[null,null,null,null]"))


def _written(place: CurrentContext, settled: Callable[[CurrentContext], CurrentContext]) -> str:
    return msgspec.json.encode(tuple(settled(place))).decode()
