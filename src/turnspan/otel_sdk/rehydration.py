"""Rehydration: spans made again from the record, with their own ids, parents, times, attributes, links and status.

A trace that was sampled out, dropped by a full queue, lost with its process or expired can so be sent again; a backend
that has a span already gets the same one. The mapping is that of live spans (:mod:`turnspan.telemetry.span_mapping`). Spans that other
libraries made inside a turn are not ours to send.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event as SpanEvent
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, Status, TraceFlags

from turnspan._version import __version__
from turnspan.errors import DeliveryError
from turnspan.events import (
    ENDS,
    STARTS,
    Ended,
    Event,
    HandedOff,
    Noted,
    SessionStarted,
    Started,
    TurnStarted,
)
from turnspan.journal.hash_chain import SpanIds
from turnspan.journal.recorded_events import RecordedEvent
from turnspan.journal.seals import seal_of
from turnspan.recording.open_turns import OpenTurn, OpenTurns
from turnspan.settings import Settings
from turnspan.telemetry import semconv as sc
from turnspan.telemetry.span_mapping import closed, link_to, opened

_BATCH = 256
_UNSENT_NS = 30_000_000_000
"""What ended so shortly before the death of its process may not have been sent: three times the SDK's delay and more."""
_SCOPE = InstrumentationScope("turnspan", __version__)


RehydratedSpan = ReadableSpan
"""A span that was made again, for those who compare it."""


def send(
    spans: Iterable[ReadableSpan],
    exporter: SpanExporter,
    *,
    spans_per_s: float = 0,
    on_progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Send spans, and return how many were taken.

    Args:
        spans: What is sent.
        exporter: Where to.
        spans_per_s: At most so many; 0: as fast as they are taken.
        on_progress: Is called after each batch with how many were sent.

    Raises:
        DeliveryError: When the exporter does not take a batch.

    """
    sent = 0
    began = time.monotonic()
    for batch in batched(spans, _BATCH):
        if exporter.export(batch) is not SpanExportResult.SUCCESS:
            raise DeliveryError(
                f"{sent} spans were accepted, then a batch of {len(batch)} was rejected; sending again is safe, ids stay the same"
            )
        sent += len(batch)
        on_progress(sent)
        if spans_per_s:
            time.sleep(max(0.0, began + sent / spans_per_s - time.monotonic()))
    return sent


def batched(spans: Iterable[ReadableSpan], size: int) -> Iterator[list[ReadableSpan]]:
    """Yield lists of at most so many."""
    rest = iter(spans)
    while batch := list(islice(rest, size)):
        yield batch


class _OpenSpan:
    """A turn, call or handoff that has started, with what goes on its span."""

    __slots__ = ("links", "notes", "span", "started")

    def __init__(self, started: Any, span: SpanIds) -> None:
        self.started, self.span = started, span
        self.notes: list[Noted] = []
        self.links: list[Link] = []


def spans_again(
    events: Iterable[RecordedEvent],
    *,
    content: bool = False,
    profile: sc.Profile = sc.UTIL_1_3,
    view_url: str = "",
    sampled_only: bool = False,
) -> Iterator[ReadableSpan]:
    """Yield the spans of a session's events that have ended, in the order of their ends.

    Args:
        events: Those of one session, each chain's in order of sequence; or those of one process.
        content: Whether prompts, answers, arguments and results may stand on spans.
        profile: Names of attributes.
        view_url: Base of session pages.
        sampled_only: Leave out what the process had sampled out.

    """
    workspaces: dict[str, str | None] = {}
    resources: dict[tuple[str, str], Resource] = {}
    chains: dict[str, _Chain] = {}
    for recorded in events:
        event = recorded.event
        if isinstance(event, SessionStarted):
            workspaces[event.session_id] = event.workspace_id or workspaces.get(event.session_id)
            continue
        if isinstance(event, TurnStarted) and event.resource is not None:
            resources[recorded.journal, event.session_id] = Resource(event.resource)
        chain = chains.setdefault(recorded.journal, _Chain())
        resource = resources.get((recorded.journal, event.session_id), Resource.get_empty())
        for opened_, ended, event_ids in chain.take(event, recorded.span):
            if sampled_only and not opened_.span.flags & 1:
                continue
            yield _span(
                opened_,
                ended,
                resource,
                content=content,
                profile=profile,
                view_url=view_url,
                workspace_id=workspaces.get(event.session_id),
                turn_events=event_ids,
            )


def unsent_spans(events: Sequence[RecordedEvent], settings: Settings) -> list[ReadableSpan]:
    """Return the spans that a dead process may not have sent: those that ended shortly before it did."""
    # recovery's own seals are of now, which may be days later
    last_ns = max((one.event.at_ns for one in events if seal_of(one.event) is None), default=0)
    own = [one for one in events if getattr(one.event, "borrowed", None) != "received"]  # its sender has seen to it
    spans = spans_again(own, content=settings.span_content, profile=sc.PROFILES[settings.semconv], sampled_only=True)
    return [span for span in spans if (span.end_time or 0) >= last_ns - _UNSENT_NS]


class _Chain:
    """What is open in one chain, as the recorder had it."""

    def __init__(self) -> None:
        self._open: OpenTurns[_OpenSpan] = OpenTurns()

    def take(self, event: Event, span: SpanIds | None) -> Iterator[tuple[_OpenSpan, Any, list[str]]]:
        """Take an event; yield what ends with it, and the ids of its turn's events."""
        turn = self._open.of(event)
        if isinstance(event, STARTS) and span is not None:
            turn = self._start(event, span)
        if turn is None:
            turn = OpenTurn(None)
        turn.event_ids.append(event.event_id)
        if span is None:
            return
        if isinstance(event, HandedOff):
            turn.handoff = _OpenSpan(event, span)
            yield turn.handoff, event, turn.event_ids
        elif isinstance(event, Noted):
            if (parent := turn.parent_of(event)) is not None:
                parent.notes.append(event)
        elif isinstance(event, ENDS) and (opened_ := self._open.end(event)[1]) is not None:
            yield opened_, event, turn.event_ids

    def _start(self, event: Started, span: SpanIds) -> OpenTurn[_OpenSpan]:
        opened_ = _OpenSpan(event, span)
        turn = self._open.start(opened_)
        if isinstance(event, TurnStarted) and event.follows is not None:
            trace_id, _, span_id = event.follows.partition("-")
            opened_.links.append(link_to(_context(trace_id, span_id), "previous_turn"))
        if (handoff := turn.handoff_to(event)) is not None:
            opened_.links.append(link_to(_context(handoff.span.trace_id, handoff.span.span_id), "handoff"))
        return turn


def _context(trace_id: str, span_id: str) -> SpanContext:
    """Return a span's context; what is sent now is sampled now, whatever it was."""
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _span(
    opened_: _OpenSpan,
    ended: Ended | HandedOff,
    resource: Resource,
    *,
    content: bool,
    profile: sc.Profile,
    view_url: str,
    workspace_id: str | None,
    turn_events: list[str],
) -> ReadableSpan:
    started, ids = opened_.started, opened_.span
    is_turn = isinstance(started, TurnStarted)
    name, kind, attributes = opened(
        started, content=content, workspace_id=workspace_id if is_turn else None, view_url=view_url
    )
    status = None
    if not isinstance(ended, HandedOff):
        ended_attributes, status = closed(
            started, ended, content=content, profile=profile, turn_events=turn_events if is_turn else None
        )
        attributes |= ended_attributes
    return ReadableSpan(
        name=name,
        context=_context(ids.trace_id, ids.span_id),
        parent=_context(ids.trace_id, ids.parent_id) if ids.parent_id else None,
        resource=resource,
        attributes=attributes,
        links=opened_.links,
        kind=kind,
        status=status or Status(),
        events=[
            SpanEvent(note.name, {sc.TURNSPAN_AUDIT_EVENT_ID: note.event_id}, note.at_ns) for note in opened_.notes
        ],
        start_time=started.at_ns,
        end_time=ended.at_ns,
        instrumentation_scope=_SCOPE,
    )
