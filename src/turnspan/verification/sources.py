"""Evidence: spans and log lines as they were found elsewhere, from whatever keeps them.

A file of OTLP JSON (ours, or a Collector's), Jaeger and Tempo have spans; a file of JSON lines and Loki have log lines.
All are read into the same two shapes, which :mod:`turnspan.verify` compares with the record.
"""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

from turnspan.errors import EvidenceError
from turnspan.model.records import from_iso
from turnspan.telemetry import semconv as sc

TIMEOUT_S = 30.0
_LOKI_PAGE = 5000


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


class ObservedLogLine(NamedTuple):
    """A log line of ours, as a file or backend has it."""

    event_id: str
    kind: str
    session_id: str
    turn_id: str | None
    trace_id: str | None
    span_id: str | None
    status: str | None
    at_ns: int | None
    seal: dict[str, Any] | None
    where: str


class SpanSource(Protocol):
    """Has spans: ``whole``: it is read once as a whole; ``own``: it is the file that turnspan keeps itself."""

    name: str
    whole: bool
    own: bool

    def spans(self, trace_ids: Iterable[str], session_ids: frozenset[str] | None) -> Iterator[ObservedSpan]:
        """Yield the spans of ours in these traces; a source that can also finds those of these sessions elsewhere."""

    def oldest_ns(self) -> int | None:
        """Return since when it has spans, if it knows."""


class LineSource(Protocol):
    """Has log lines."""

    name: str

    def lines(self, session_ids: frozenset[str] | None, since_ns: int, until_ns: int) -> Iterator[ObservedLogLine]:
        """Yield the lines of ours about these sessions (None: about all) in a range of time."""

    def oldest_ns(self) -> int | None:
        """Return since when it has lines, if it knows."""


def span_source(where: str) -> SpanSource:
    """Return what a file name or URL names: ``jaeger+http://...``, ``tempo+http://...``, or a URL of either.

    Raises:
        EvidenceError: When it cannot be read.

    """
    kind, plus, rest = where.partition("+")
    if plus and kind in ("jaeger", "tempo"):
        return jaeger(rest) if kind == "jaeger" else tempo(rest)
    if where.startswith(("http://", "https://")):
        return jaeger(where) if _answers(f"{where.rstrip('/')}/api/v3/services") else tempo(where)
    return FileSpans(Path(where))


def line_source(where: str) -> LineSource:
    """Return what a file name or a URL (of Loki) names.

    Raises:
        EvidenceError: When it cannot be read.

    """
    where = where.removeprefix("loki+")
    return LokiLines(where) if where.startswith(("http://", "https://")) else FileLines(Path(where))


# Spans -------------------------------------------------------------------------------------------------------------


class FileSpans:
    """Spans in a file of OTLP JSON, one request a line or one in all."""

    whole = True

    def __init__(self, path: Path, *, own: bool = False) -> None:
        self.name = str(path)
        self.own = own
        self._path = path
        self._oldest: int | None = None

    def spans(self, trace_ids: Iterable[str], session_ids: frozenset[str] | None) -> Iterator[ObservedSpan]:
        """Yield the file's spans of these sessions."""
        del trace_ids  # a file is read as a whole, so that strays are found too
        with _opened(self._path) as file:
            readable, damaged = 0, ""
            for number, line in enumerate(file, 1):
                try:
                    request = json.loads(line) if line.strip() else None
                except ValueError as error:  # whoever wrote it died over it: its spans are not there
                    damaged = damaged or f"{self._path}:{number} is no OTLP JSON: {error}"
                    continue
                readable += 1
                yield from self._wanted(request, session_ids)
        if damaged and not readable:
            try:
                request = json.loads(self._path.read_bytes())
            except ValueError:
                raise EvidenceError(damaged) from None
            yield from self._wanted(request, session_ids)

    def _wanted(self, request: Any, session_ids: frozenset[str] | None) -> Iterator[ObservedSpan]:
        for span in _spans_in(request):
            self._oldest = min(self._oldest or span.start_ns, span.start_ns)
            if session_ids is None or span.session_id in session_ids:
                yield span

    def oldest_ns(self) -> int | None:
        """Return the start of the oldest span that was read."""
        return self._oldest


class QueriedSpans:
    """Spans in a backend that is asked for one trace after the other.

    Args:
        url: Its base.
        path: Where it has a trace.
        wrapping: The key under which its answer has OTLP JSON.

    """

    whole = own = False

    def __init__(self, url: str, path: str, wrapping: str) -> None:
        self.name = url
        self._url, self._wrapping = f"{url.rstrip('/')}{path}", wrapping

    def spans(self, trace_ids: Iterable[str], session_ids: frozenset[str] | None) -> Iterator[ObservedSpan]:
        """Yield the spans of these traces."""
        for trace_id in trace_ids:
            found = _get(f"{self._url}/{trace_id}")
            for span in _spans_in(found.get(self._wrapping, found) if isinstance(found, dict) else found):
                if session_ids is None or span.session_id in session_ids:
                    yield span

    def oldest_ns(self) -> int | None:
        """Return None: these do not say."""
        return None


def jaeger(url: str) -> QueriedSpans:
    """Return the spans in Jaeger, by its query API."""
    return QueriedSpans(url, "/api/v3/traces", "result")


def tempo(url: str) -> QueriedSpans:
    """Return the spans in Tempo."""
    return QueriedSpans(url, "/api/v2/traces", "trace")


def _spans_in(request: Any) -> Iterator[ObservedSpan]:
    if not isinstance(request, dict):
        return
    for resource in request.get("resourceSpans") or request.get("batches") or []:
        for scope in resource.get("scopeSpans") or resource.get("instrumentationLibrarySpans") or []:
            for span in scope.get("spans") or []:
                if (seen := _span_seen(span)) is not None:
                    yield seen


def _span_seen(span: dict[str, Any]) -> ObservedSpan | None:
    attributes = _attributes(span)
    event_ids = [attributes.get(sc.TURNSPAN_AUDIT_EVENT_ID), attributes.get(sc.TURNSPAN_AUDIT_EVENT_ID_END)]
    if event_ids[0] is None:
        return None  # somebody else's
    event_ids += [_attributes(event).get(sc.TURNSPAN_AUDIT_EVENT_ID) for event in span.get("events") or []]
    status = (span.get("status") or {}).get("code", 0)
    return ObservedSpan(
        _hex(span.get("traceId"), 32),
        _hex(span.get("spanId"), 16),
        _hex(span.get("parentSpanId"), 16),
        span.get("name", ""),
        int(span.get("startTimeUnixNano") or 0),
        int(span.get("endTimeUnixNano") or 0),
        _STATUS.get(status, 0),
        str(attributes.get(sc.GEN_AI_CONVERSATION_ID, "")),
        tuple(str(event_id) for event_id in event_ids if event_id is not None),
        tuple(_hex(link.get("spanId"), 16) for link in span.get("links") or []),
    )


_STATUS = {1: 1, 2: 2, "STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}


def _attributes(item: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for entry in item.get("attributes") or []:
        value = entry.get("value") or {}
        found[entry.get("key")] = value.get("stringValue", value.get("intValue"))
    return found


def _hex(value: Any, digits: int) -> str:
    """Return an id as hex: JSON of OTLP has it so, that of plain protobuf has base64."""
    text = str(value or "")
    if not text or len(text) == digits:
        return text.lower()
    try:
        return base64.b64decode(text).hex()
    except ValueError:
        return text


# Log lines ---------------------------------------------------------------------------------------------------------


class FileLines:
    """Log lines in a file of JSON lines."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path
        self._oldest: int | None = None

    def lines(self, session_ids: frozenset[str] | None, since_ns: int, until_ns: int) -> Iterator[ObservedLogLine]:
        """Yield the file's lines; lines of others are passed over."""
        del since_ns, until_ns
        with _opened(self._path) as file:
            for number, text in enumerate(file, 1):
                if b'"audit_event_id"' not in text:
                    continue
                try:
                    line = json.loads(text)
                except ValueError:
                    continue  # a torn line has no whole id to stand for
                seen = _line_seen(line, line.get("timestamp"), f"{self._path}:{number}")
                if self._oldest is None:
                    self._oldest = seen.at_ns
                if session_ids is None or seen.session_id in session_ids:
                    yield seen

    def oldest_ns(self) -> int | None:
        """Return the time of the first line that was read."""
        return self._oldest


class LokiLines:
    """Log lines in Loki that came by OTLP: ids are structured metadata, dots became underscores."""

    def __init__(self, url: str) -> None:
        self.name = url
        self._url = url.rstrip("/")

    def lines(self, session_ids: frozenset[str] | None, since_ns: int, until_ns: int) -> Iterator[ObservedLogLine]:
        """Yield the lines of these sessions, a page at a time."""
        name = sc.GEN_AI_CONVERSATION_ID.replace(".", "_")
        wanted = (
            [""] if session_ids is None else [f" | {name}={json.dumps(session)}" for session in sorted(session_ids)]
        )
        for which in wanted:
            query = '{service_name=~".+"} | event_name=~"turnspan.*"' + which
            start, seen = since_ns, set[str]()
            while True:
                at = {"query": query, "start": start, "end": until_ns, "limit": _LOKI_PAGE, "direction": "forward"}
                found = _get(f"{self._url}/loki/api/v1/query_range?{urllib.parse.urlencode(at)}") or {}
                page = [
                    (int(entry[0]), {**stream.get("stream", {}), **(entry[2] if len(entry) > 2 else {})})
                    for stream in found.get("data", {}).get("result", [])
                    for entry in stream.get("values", [])
                ]
                known = len(seen)
                for at_ns, labels in sorted(page, key=lambda one: one[0]):
                    line = _loki_line(labels, at_ns, self.name)
                    if line.event_id not in seen:
                        seen.add(line.event_id)
                        yield line
                if len(page) < _LOKI_PAGE or len(seen) == known:
                    break
                start = max(at_ns for at_ns, _ in page)

    def oldest_ns(self) -> int | None:
        """Return None: Loki does not say."""
        return None


def _line_seen(line: dict[str, Any], timestamp: Any, where: str) -> ObservedLogLine:
    return ObservedLogLine(
        str(line.get("audit_event_id")),
        str(line.get("event", "")),
        str(line.get("session_id", "")),
        line.get("turn_id"),
        line.get("trace_id"),
        line.get("span_id"),
        line.get("status"),
        from_iso(timestamp),
        line.get("seal"),
        where,
    )


def _loki_line(labels: dict[str, Any], at_ns: int, where: str) -> ObservedLogLine:
    def of(name: str) -> str | None:
        return labels.get(name.replace(".", "_"))

    return ObservedLogLine(
        of(sc.TURNSPAN_AUDIT_EVENT_ID) or "",
        (of("event_name") or "").removeprefix("turnspan."),
        of(sc.GEN_AI_CONVERSATION_ID) or "",
        of(sc.TURNSPAN_TURN_ID),
        labels.get("trace_id"),
        labels.get("span_id"),
        labels.get("turnspan_status"),
        at_ns,
        None,
        where,
    )


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise EvidenceError(f"{path} cannot be read: {error.strerror}") from error


# HTTP --------------------------------------------------------------------------------------------------------------


def _answers(url: str) -> bool:
    try:
        return _get(url) is not None
    except EvidenceError:
        return False


def _get(url: str) -> Any:
    """Return the JSON that a URL has; None where it has nothing (404).

    Raises:
        EvidenceError: When it does not answer, or not with JSON.

    """
    request = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise EvidenceError(f"{url} answers {error.code}: is this the query API of Jaeger, Tempo or Loki?") from error
    except (OSError, ValueError) as error:
        raise EvidenceError(
            f"{url} cannot be read ({error}): is this the query API of Jaeger, Tempo or Loki?"
        ) from error
