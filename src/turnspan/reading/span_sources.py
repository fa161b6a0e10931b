"""Where spans are kept: a file of OTLP JSON (ours, or a Collector's), Jaeger, Tempo."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

from turnspan.errors import EvidenceError
from turnspan.reading.http import answers, get_json
from turnspan.telemetry import semconv as sc
from turnspan.telemetry.otlp_json import attributes_of, hex_id, spans_in

_US = 1000


class ObservedSpan(NamedTuple):
    """A span of ours, as a backend has it. Ids are hex; status is 0 (unset), 1 (ok) or 2 (error)."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    start_ns: int
    end_ns: int
    status: int
    session_id: str
    event_ids: tuple[str, ...]
    links: tuple[str, ...]
    said: dict[str, Any] | None = None
    """The whole span as OTLP JSON, where it is there to be read."""


class SpanSource(Protocol):
    """Has spans: ``whole``: it is read once as a whole; ``own``: it is the file that turnspan keeps itself.

    ``precision_ns``: by how much the start and the end of a span may be off in what it keeps.
    """

    name: str
    whole: bool
    own: bool
    precision_ns: tuple[int, int]

    def spans(self, trace_ids: Iterable[str], session_ids: frozenset[str] | None) -> Iterator[ObservedSpan]:
        """Yield the spans of ours in these traces; a source that can also finds those of these sessions elsewhere."""

    def span_name(self, trace_id: str, span_id: str) -> str | None:
        """Return the name of one span, anybody's; None when it is not there."""

    def oldest_ns(self) -> int | None:
        """Return since when it has spans, if it knows."""


def span_source(where: str) -> SpanSource:
    """Return what a file name or URL names: ``jaeger+http://...``, ``tempo+http://...``, or a URL of either.

    Raises:
        EvidenceError: When it cannot be read.

    """
    kind, plus, rest = where.partition("+")
    if plus and kind in ("jaeger", "tempo"):
        return jaeger(rest) if kind == "jaeger" else tempo(rest)
    if where.startswith(("http://", "https://")):
        return jaeger(where) if answers(f"{where.rstrip('/')}/api/v3/services") else tempo(where)
    return FileSpans(Path(where))


class FileSpans:
    """Spans in a file of OTLP JSON, one request a line or one in all."""

    whole = True
    precision_ns = (0, 0)

    def __init__(self, path: Path, *, own: bool = False) -> None:
        self.name = str(path)
        self.own = own
        self._path = path
        self._oldest: int | None = None

    def spans(self, trace_ids: Iterable[str], session_ids: frozenset[str] | None) -> Iterator[ObservedSpan]:
        """Yield the file's spans of these sessions."""
        del trace_ids  # a file is read as a whole, so that strays are found too
        for request in self._requests():
            for span in observed_in(request):
                self._oldest = min(self._oldest or span.start_ns, span.start_ns)
                if session_ids is None or span.session_id in session_ids:
                    yield span

    def span_name(self, trace_id: str, span_id: str) -> str | None:
        """Return the name of one span; lines without its id are not parsed."""
        del trace_id
        for request in self._requests(having=span_id.encode()):
            for span in spans_in(request):
                if hex_id(span.get("spanId"), 16) == span_id:
                    return str(span.get("name", ""))
        return None

    def _requests(self, having: bytes = b"") -> Iterator[Any]:
        with opened(self._path) as file:
            readable, damaged = 0, ""
            for number, line in enumerate(file, 1):
                if having not in line:
                    continue
                try:
                    request = json.loads(line) if line.strip() else None
                except (ValueError, RecursionError) as error:  # whoever wrote it died over it: its spans are not there
                    damaged = damaged or f"{self._path}:{number} is not valid OTLP JSON: {error}"
                    continue
                readable += 1
                yield request
        if damaged and not readable:
            try:
                request = json.loads(self._path.read_bytes())
            except (ValueError, RecursionError):
                raise EvidenceError(damaged) from None
            yield request

    def oldest_ns(self) -> int | None:
        """Return the start of the oldest span that was read."""
        return self._oldest


class QueriedSpans:
    """Spans in a backend that is asked for one trace after the other.

    Args:
        url: Its base.
        path: Where it has a trace.
        wrapping: The key under which its answer has OTLP JSON.
        precision_ns: By how much starts and ends may be off.

    """

    whole = own = False

    def __init__(self, url: str, path: str, wrapping: str, precision_ns: tuple[int, int] = (0, 0)) -> None:
        self.name = url
        self.precision_ns = precision_ns
        self._url, self._wrapping = f"{url.rstrip('/')}{path}", wrapping

    def spans(self, trace_ids: Iterable[str], session_ids: frozenset[str] | None) -> Iterator[ObservedSpan]:
        """Yield the spans of these traces."""
        for trace_id in trace_ids:
            for span in observed_in(self._trace(trace_id)):
                if session_ids is None or span.session_id in session_ids:
                    yield span

    def span_name(self, trace_id: str, span_id: str) -> str | None:
        """Return the name of one span of a trace."""
        found = (s for s in spans_in(self._trace(trace_id)) if hex_id(s.get("spanId"), 16) == span_id)
        return next((str(span.get("name", "")) for span in found), None)

    def _trace(self, trace_id: str) -> Any:
        found = get_json(f"{self._url}/{trace_id}")
        return found.get(self._wrapping, found) if isinstance(found, dict) else found

    def oldest_ns(self) -> int | None:
        """Return None: these do not say."""
        return None


def jaeger(url: str) -> QueriedSpans:
    """Return the spans in Jaeger, by its query API.

    Its storages on Elasticsearch, OpenSearch and Cassandra keep microseconds: of the start, and of the duration, which
    makes the end wrong by as much once more. The one in memory makes a span last a nanosecond at least.
    """
    return QueriedSpans(url, "/api/v3/traces", "result", (_US, 2 * _US))


def tempo(url: str) -> QueriedSpans:
    """Return the spans in Tempo."""
    return QueriedSpans(url, "/api/v2/traces", "trace")


def observed_in(request: Any) -> Iterator[ObservedSpan]:
    """Yield the spans of ours in a trace request."""
    for span in spans_in(request):
        if (seen := _observed(span)) is not None:
            yield seen


def _observed(span: dict[str, Any]) -> ObservedSpan | None:
    attributes = attributes_of(span)
    event_ids = [attributes.get(sc.TURNSPAN_AUDIT_EVENT_ID), attributes.get(sc.TURNSPAN_AUDIT_EVENT_ID_END)]
    if event_ids[0] is None:
        return None  # another instrumentation's
    event_ids += [attributes_of(event).get(sc.TURNSPAN_AUDIT_EVENT_ID) for event in span.get("events") or []]
    status = (span.get("status") or {}).get("code", 0)
    return ObservedSpan(
        hex_id(span.get("traceId"), 32),
        hex_id(span.get("spanId"), 16),
        hex_id(span.get("parentSpanId"), 16),
        span.get("name", ""),
        int(span.get("startTimeUnixNano") or 0),
        int(span.get("endTimeUnixNano") or 0),
        _STATUS.get(status, 0),
        str(attributes.get(sc.GEN_AI_CONVERSATION_ID, "")),
        tuple(str(event_id) for event_id in event_ids if event_id is not None),
        tuple(hex_id(link.get("spanId"), 16) for link in span.get("links") or []),
        span,
    )


_STATUS = {1: 1, 2: 2, "STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}


def opened(path: Path) -> BinaryIO:
    """Open a file that is said to have spans or log lines.

    Raises:
        EvidenceError: When it cannot be read.

    """
    try:
        return path.open("rb")
    except OSError as error:
        raise EvidenceError(f"{path} cannot be read: {error.strerror}") from error
