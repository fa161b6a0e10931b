"""The chain: what one line of the journal says, and the hash that ties it to the line before.

A line's hash covers its journal, its number, the hash before it, the digest of its payload, its span and the ids of
its event. Content is covered by the digest alone, so that it can be erased and the chain still proves what it proved.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from turnspan.events import KIND_OF, AnyEvent, Event
from turnspan.model.json_values import encode


class SpanIds(NamedTuple):
    """The span that an event stands on: hex ids, the W3C trace flags (1: sampled), and the span above it ("": none)."""

    trace_id: str
    span_id: str
    flags: int
    parent_id: str = ""


class Line(msgspec.Struct, frozen=True, gc=False):
    """One line: an event, encoded, with its place in the chain.

    The first line of a chain has no ``previous`` hash. An empty ``hash`` is not known yet.
    """

    sequence: int
    previous: str
    hash: str
    digest: str
    span: SpanIds | None
    payload: bytes

    def __repr__(self) -> str:
        """Show the place, never content."""
        return f"Line(sequence={self.sequence}, digest={self.digest!r}, ...)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show the same to rich."""
        return [("sequence", self.sequence), ("digest", self.digest)]

    @property
    def head(self) -> str:
        """How the line begins."""
        return head_of(self.sequence, self.previous, self.digest, self.span)


_encode = msgspec.json.Encoder().encode
_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(AnyEvent)


def decode(payload: bytes) -> Event:
    """Return the event that a line holds."""
    return _decoder.decode(payload)


class Ids(NamedTuple):
    """What identifies an event: what its line's hash covers of it."""

    kind: str
    event_id: str
    at_ns: int
    session_id: str
    turn_id: str | None
    call_id: str | None


def ids_in(payload: bytes) -> Ids | None:
    """Return the ids in an event that may not be one that can be decoded; None where there are none."""
    try:
        found = msgspec.json.decode(payload)
        kind, event_id, at_ns, session_id = (found[name] for name in ("kind", "event_id", "at_ns", "session_id"))
        if not 0 <= at_ns < 2**63:
            return None
        return Ids(kind, event_id, int(at_ns), session_id, found.get("turn_id"), found.get("call_id"))
    except (msgspec.MsgspecError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def read(payload: bytes) -> Event | None:
    """Return the event that a line holds; None where this version cannot read it."""
    try:
        return _decoder.decode(payload)
    except (msgspec.MsgspecError, RecursionError):
        return None


def digest_of(payload: bytes) -> str:
    """Return the digest of an event's payload: SHA-256 as hex."""
    return sha256(payload).hexdigest()


def head_of(sequence: int, previous: str, digest: str, span: SpanIds | None) -> str:
    """Return how a line begins: its number, the hash before it, the digest of its payload, its span."""
    if span is None:
        return f"{sequence} {previous or '-'} {digest} - - 0 -"
    return f"{sequence} {previous or '-'} {digest} {span[0]} {span[1]} {span[2]} {span[3] or '-'}"


def line_hash(journal: str, head: str, event: Event) -> str:
    """Return the hash of a line: SHA-256 over its journal, its head and its event's ids."""
    kind = KIND_OF[type(event)]
    return hash_of(journal, head, kind, event.event_id, event.at_ns, event.session_id, event.turn_id, event.call_id)


def payload_hash(journal: str, head: str, payload: bytes) -> str | None:
    """Return the hash of a line by what it holds; None where that has no ids."""
    ids = ids_in(payload)
    return None if ids is None else hash_of(journal, head, *ids)


def hash_of(journal: str, head: str, kind: str, event_id: str, at_ns: int, *ids: Any) -> str:
    """Return the hash of a line whose event is known by its ids only: session, turn and call."""
    try:
        named = _encode(ids)
    except UnicodeEncodeError:  # a lone surrogate
        named = encode(ids)
    return sha256(f"{journal} {head} {kind} {event_id} {at_ns} ".encode() + named).hexdigest()
