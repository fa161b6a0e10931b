"""Whole traces become events: sessions, turns and calls, with the ids that their spans came with."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, NamedTuple, cast

import msgspec
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from opentelemetry.trace import SpanContext, TraceFlags

from turnspan.adapter import CurrentContext, ResolvedSession, Run
from turnspan.errors import InvalidIdError
from turnspan.events import FIELDS, Ended, Event, Part, SessionStarted, Started, TurnStarted
from turnspan.instrumentation.adapter_context import AdapterContext
from turnspan.model.ids import derived_id
from turnspan.model.records import MAX_ID_LENGTH, check_id
from turnspan.receiver.health import Counts
from turnspan.receiver.spool import BEGUN, Kept, Spool
from turnspan.recording.recorder import Recorder
from turnspan.recording.runtime import storable_id
from turnspan.stores.base import Audited
from turnspan.telemetry.own_log import logger

SETTLE_MS = 1_000
"""How long a trace waits for more once its first span has come, in milliseconds."""
PATIENCE_MS = 30 * 60_000
"""The same where the first span is missing: it ends last, and so is sent last."""
_NAMES = tuple(name for name, part in FIELDS.items() if part is Part.NAME)
_LONGEST_NAME = 1000
"""Of an agent, tool or model: it is on each event of a turn."""
_FLUSH_S = 10.0


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
        self.start_time, self.end_time = span.start_time_unix_nano, span.end_time_unix_nano
        self.attributes = attributes_of(span.attributes)
        self.events = [_SpanEvent(one.name, attributes_of(one.attributes)) for one in span.events]
        failed = span.status.code == Status.STATUS_CODE_ERROR
        self.status = _Status(_StatusCode("ERROR" if failed else "OK"), span.status.message or None)
        self.instrumentation_scope = _Scope(kept.scope)
        self.resource = attributes_of(Resource.FromString(kept.resource or b"").attributes)

    def get_span_context(self) -> SpanContext:
        """Return its ids."""
        return self.context

    @staticmethod
    def is_recording() -> bool:
        """Return whether it can be written to."""
        return False


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


class _Collected(AdapterContext):
    """Takes the events of one trace, before they go into the record: the same spans always give the same ids."""

    def __init__(self) -> None:
        super().__init__("receiver")
        self.events: list[tuple[Event, ReceivedSpan | None]] = []
        self._ids: dict[str, str] = {}
        self._trace = ""
        self._begin, self.begin = self.begin, self._begun

    def _begun(self, *, span: Any = None, turn_id: str | None = None, **given: Any) -> Run:
        own = str(turn_id) if turn_id else derived_id(*_ids_of(span), "turn id", at_ns=span.start_time)
        return self._begin(span=span, turn_id=own[:MAX_ID_LENGTH], **given)

    def session(self, own: str | None = None, **_more: Any) -> ResolvedSession:
        """Return the session of a span; a trace that names none is one by itself."""
        session = ResolvedSession(_storable(own or self._trace), "runtime" if own else "new")
        self.events.append((SessionStarted(session_id=session.id, source=session.source), None))
        return session

    def current(self) -> CurrentContext | None:
        """Return nothing: no code runs here."""
        return None

    def has_response(self, response_id: str, since_ns: int) -> bool:  # noqa: ARG002
        """Return whether an adapter has reported a call: here is none."""
        return False

    def __call__(self, event: Event) -> None:
        """Take an event."""
        self.events.append((event, None))

    def start_with_span(self, event: Started, span: Any) -> None:
        """Take a start, with its span."""
        of_sender = event.call_id in span.attributes.values() and _storable(event.call_id) == event.call_id
        if event.call_id is not None and not of_sender:
            self._ids[event.call_id] = derived_id(*_ids_of(span), "call id", at_ns=span.start_time)
        if isinstance(event, TurnStarted) and event.resource is None:
            event = msgspec.structs.replace(event, resource=span.resource or None)
        self.events.append((event, span))

    def of_trace(self, spans: list[ReceivedSpan]) -> None:
        """Say which trace comes."""
        self._trace = f"{spans[0].context.trace_id:032x}"

    def settled(self) -> list[tuple[Event, ReceivedSpan | None]]:
        """Return what was taken, with the ids that it always gets."""
        return [(self._with_ids(event), span) for event, span in self.events]

    def _with_ids(self, event: Event) -> Event:
        changed: dict[str, Any] = {}
        for name in _NAMES:
            given = getattr(event, name, None)
            if isinstance(given, str) and len(given) > _LONGEST_NAME:
                changed[name] = given[:_LONGEST_NAME]
        for name in ("call_id", "parent_id"):
            given = getattr(event, name, None)
            if given in self._ids:
                changed[name] = self._ids[given]
        if isinstance(event, Ended):
            which = changed.get("call_id") or getattr(event, "call_id", None)
            changed["event_id"] = derived_id(self._trace, event.turn_id, which, "end", at_ns=event.at_ns)
        return msgspec.structs.replace(event, **changed) if changed else event

    def place(self, inside: CurrentContext) -> CurrentContext:
        """Return where code is, with the ids that it always gets."""
        return inside._replace(call_id=self._ids.get(inside.call_id or "", inside.call_id))


def _storable(given: str | None) -> str:
    """Return an id that every store can keep."""
    try:
        return check_id("received", given)
    except InvalidIdError:
        return storable_id(str(given))


def _ids_of(span: Any) -> tuple[int, int]:
    context = span.get_span_context()
    return context.trace_id, context.span_id


class Assembly:
    """Puts the traces of a spool on record, in a thread of its own.

    Args:
        spool: Where they are.
        recorder: Takes the events.
        counts: Counts turns.
        settle_ms: How long a trace waits for more once its first span has come, in milliseconds.
        patience_ms: The same where that is missing.

    """

    def __init__(
        self,
        spool: Spool,
        recorder: Recorder,
        counts: Counts,
        *,
        settle_ms: int = SETTLE_MS,
        patience_ms: int = PATIENCE_MS,
    ) -> None:
        self._spool, self._recorder, self._counts = spool, recorder, counts
        self._settle_ms, self._patience_ms = settle_ms, patience_ms
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="turnspan-assembly", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Put on record what is whole, and end; the rest waits in the spool for the next process."""
        self._stopping.set()
        self._thread.join()
        while self._step(settle_ms=0):
            pass

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not self._step(self._settle_ms):
                self._stopping.wait(max(0.05, self._settle_ms / 4000))

    def _step(self, settle_ms: int) -> bool:
        """Put on record what can be; return whether there was anything."""
        try:
            return self._take_ready(settle_ms)
        except Exception as error:
            logger.error("turnspan serve: what was received could not be put on record yet: %s", error)
            return False

    def _take_ready(self, settle_ms: int) -> bool:
        if self._recorder.pipeline.is_behind:
            return False  # the spool keeps it, without end; the journal drops what is beyond its limit
        traces = self._spool.ready(settle_ms, self._patience_ms)
        for trace_id in traces:
            kept = self._spool.trace(trace_id)
            try:
                self._take(kept)
            except sqlite3.Error:
                raise
            except Exception as error:  # one that cannot be read costs itself, and not those behind it
                logger.error(
                    "turnspan serve: trace %s is not recorded: %s: %s", trace_id.hex(), type(error).__name__, error
                )
                self._spool.done((one, None) for one in kept if one.span is not None)
                self._counts.came("unreadable", sum(one.span is not None for one in kept))
        return bool(traces)

    def _take(self, kept: list[Kept]) -> None:
        waiting = [one for one in kept if one.span is not None]
        places = {_number(one.span_id): _read(one.place) for one in kept if one.place is not None}
        collected = _Collected()
        spans = {_number(one.span_id): ReceivedSpan(one) for one in waiting}
        collected.of_trace(list(spans.values()))
        found = _reader(collected).report_trace(spans, places)
        events = collected.settled()
        if any(one.state == BEGUN for one in waiting):
            events = self._without_known(events)
        self._spool.begin(waiting)
        for event, span in events:
            self._recorder.emit(event, span)
        self._counts.turned(sum(type(event) is TurnStarted for event, _ in events))
        self._spool.done((one, _written(found.get(_number(one.span_id)), collected.place)) for one in waiting)

    def _without_known(self, events: list[tuple[Event, Any]]) -> list[tuple[Event, Any]]:
        """Return the events that the process before, which was killed in the midst of them, had not put on record."""
        self._recorder.flush(_FLUSH_S)
        store = self._recorder.pipeline.store
        if not isinstance(store, Audited):
            return events
        sessions = {event.session_id for event, _ in events}
        known = {row.event_id for session in sessions for row in store.audit_events(session)}
        return [one for one in events if one[0].event_id not in known]


def _reader(collected: _Collected) -> Any:
    from turnspan_integrations.otel import Reader  # the one reader of these dialects; it stands outside of the packages

    return Reader(cast("Any", collected))


def _number(span_id: bytes) -> int:
    return int.from_bytes(span_id, "big")


def _read(place: str | None) -> CurrentContext:
    return CurrentContext(*msgspec.json.decode(place or "[null,null,null,null]"))


def _written(place: CurrentContext | None, settled: Callable[[CurrentContext], CurrentContext]) -> str | None:
    if place is None:
        return None
    with suppress(TypeError):
        return msgspec.json.encode(tuple(settled(place))).decode()
    return None
