"""Recorded events: events as a chain has them, with their span."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from turnspan.events import Event
from turnspan.journal.hash_chain import SpanIds, read
from turnspan.stores.rows import AuditRow


class RecordedEvent(NamedTuple):
    """An event, the journal that it is in, its span, and the number of its line."""

    journal: str
    event: Event
    span: SpanIds | None
    sequence: int


def recorded_events(rows: Iterable[AuditRow]) -> list[RecordedEvent]:
    """Return the events of audit rows, without those that cannot be read."""
    events = ((row, read((row.payload or "").encode())) for row in rows)
    return [RecordedEvent(row.journal, event, span_of(row), row.sequence) for row, event in events if event is not None]


def span_of(row: AuditRow) -> SpanIds | None:
    """Return the span that an audit row names."""
    if row.trace_id is None or row.span_id is None:
        return None
    return SpanIds(row.trace_id, row.span_id, row.trace_flags or 0, row.parent_span_id or "")
