"""The chain: what one line of the journal says, and the hash that ties it to the line before."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import msgspec

from turnspan.events import KIND_OF, AnyEvent, Event


class SpanIds(NamedTuple):
    """The span that an event stands on: hex ids and the W3C trace flags (1: sampled)."""

    trace_id: str
    span_id: str
    flags: int


class Line(NamedTuple):
    """One line: an event, encoded, with its place in the chain."""

    sequence: int
    previous: str
    hash: str
    digest: str
    span: SpanIds | None
    payload: bytes


_decoder = msgspec.json.Decoder(AnyEvent)


def decode(payload: bytes) -> Event:
    """Return the event that a line holds."""
    return _decoder.decode(payload)


def line_hash(previous: str, sequence: int, event: Event, span: SpanIds | None, digest: str) -> str:
    """Return the hash of a line: SHA-256 over its place, its ids, its span and the digest of its payload."""
    text = (
        f"{previous} {sequence} {KIND_OF[type(event)]} {event.event_id} {event.at_ns} {event.session_id} "
        f"{event.turn_id} {event.call_id} {span.trace_id if span else '-'} {span.span_id if span else '-'} {digest}"
    )
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def next_line(sequence: int, previous: str, event: Event, span: SpanIds | None, digest: str, payload: bytes) -> Line:
    """Return the line behind the one with this number and hash."""
    own = line_hash(previous, sequence + 1, event, span, digest)
    return Line(sequence + 1, previous, own, digest, span, payload)
