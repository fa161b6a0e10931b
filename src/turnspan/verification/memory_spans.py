"""Spans that are in the memory of this process: those of a recording in a test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from turnspan.reading.span_sources import ObservedSpan
from turnspan.telemetry import semconv as sc


class MemorySpans:
    """Spans of the SDK that have ended in this process.

    Args:
        finished: Returns them.

    """

    name = "the spans in memory"
    whole = True
    own = False
    precision_ns = (0, 0)

    def __init__(self, finished: Callable[[], Sequence[Any]]) -> None:
        self._finished = finished

    def spans(self, trace_ids: Iterable[str], session_ids: frozenset[str] | None) -> Iterator[ObservedSpan]:
        """Yield those of ours that are of these sessions."""
        del trace_ids
        for span in self._finished():
            attributes = span.attributes or {}
            if sc.TURNSPAN_AUDIT_EVENT_ID not in attributes:
                continue
            seen = _observed(span, attributes)
            if session_ids is None or seen.session_id in session_ids:
                yield seen

    def span_name(self, trace_id: str, span_id: str) -> str | None:
        """Return the name of one span."""
        wanted = (int(trace_id, 16), int(span_id, 16))
        found = (span.name for span in self._finished() if (span.context.trace_id, span.context.span_id) == wanted)
        return next(found, None)

    def oldest_ns(self) -> int | None:
        """Return None: memory does not say."""
        return None


def _observed(span: Any, attributes: Any) -> ObservedSpan:
    event_ids = [attributes.get(sc.TURNSPAN_AUDIT_EVENT_ID), attributes.get(sc.TURNSPAN_AUDIT_EVENT_ID_END)]
    event_ids += [(event.attributes or {}).get(sc.TURNSPAN_AUDIT_EVENT_ID) for event in span.events]
    return ObservedSpan(
        f"{span.context.trace_id:032x}",
        f"{span.context.span_id:016x}",
        f"{span.parent.span_id:016x}" if span.parent else "",
        span.name,
        span.start_time,
        span.end_time,
        span.status.status_code.value,
        str(attributes.get(sc.GEN_AI_CONVERSATION_ID, "")),
        tuple(str(event_id) for event_id in event_ids if event_id is not None),
        tuple(f"{link.context.span_id:016x}" for link in span.links),
    )
