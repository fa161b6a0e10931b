"""Where log lines are kept: a file of JSON lines, Loki."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from turnspan.model.records import from_iso
from turnspan.reading.http import get_json
from turnspan.reading.span_sources import opened
from turnspan.telemetry import semconv as sc

_LOKI_PAGE = 5000


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
    said: dict[str, Any] | None = None
    """The whole line, where it is there to be read."""


class LineSource(Protocol):
    """Has log lines."""

    name: str

    def lines(self, session_ids: frozenset[str] | None, since_ns: int, until_ns: int) -> Iterator[ObservedLogLine]:
        """Yield the lines of ours about these sessions (None: about all) in a range of time."""

    def lines_of(
        self, event_ids: Collection[str], session_id: str, since_ns: int, until_ns: int
    ) -> Iterator[ObservedLogLine]:
        """Yield the lines about these events of a session."""

    def oldest_ns(self) -> int | None:
        """Return since when it has lines, if it knows."""


def line_source(where: str) -> LineSource:
    """Return what a file name or a URL (of Loki) names.

    Raises:
        EvidenceError: When it cannot be read.

    """
    where = where.removeprefix("loki+")
    return LokiLines(where) if where.startswith(("http://", "https://")) else FileLines(Path(where))


class FileLines:
    """Log lines in a file of JSON lines."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path
        self._oldest: int | None = None

    def lines(self, session_ids: frozenset[str] | None, since_ns: int, until_ns: int) -> Iterator[ObservedLogLine]:
        """Yield the file's lines; lines of others are passed over."""
        del since_ns, until_ns
        with opened(self._path) as file:
            for number, text in enumerate(file, 1):
                if b'"audit_event_id"' not in text or (line := _parsed(text)) is None:
                    continue
                seen = _from_file(line, line.get("timestamp"), f"{self._path}:{number}")
                if self._oldest is None:
                    self._oldest = seen.at_ns
                if session_ids is None or seen.session_id in session_ids:
                    yield seen

    def lines_of(
        self, event_ids: Collection[str], session_id: str, since_ns: int, until_ns: int
    ) -> Iterator[ObservedLogLine]:
        """Yield the lines about these events; other lines are not parsed."""
        del session_id, since_ns, until_ns
        wanted = {event_id.encode() for event_id in event_ids}
        with opened(self._path) as file:
            for number, text in enumerate(file, 1):
                at = text.find(_EVENT_ID)
                if at < 0 or text[at + len(_EVENT_ID) : at + len(_EVENT_ID) + 32] not in wanted:
                    continue
                if (line := _parsed(text)) is not None:
                    yield _from_file(line, line.get("timestamp"), f"{self._path}:{number}")

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
        yield from self._pages(session_ids, since_ns, until_ns)

    def lines_of(
        self, event_ids: Collection[str], session_id: str, since_ns: int, until_ns: int
    ) -> Iterator[ObservedLogLine]:
        """Yield the lines about these events, out of those of their session."""
        wanted = set(event_ids)
        for line in self._pages(frozenset({session_id}), since_ns, until_ns):
            if line.event_id in wanted:
                yield line

    def _pages(self, session_ids: frozenset[str] | None, since_ns: int, until_ns: int) -> Iterator[ObservedLogLine]:
        name = sc.GEN_AI_CONVERSATION_ID.replace(".", "_")
        wanted = (
            [""] if session_ids is None else [f" | {name}={json.dumps(session)}" for session in sorted(session_ids)]
        )
        for which in wanted:
            query = '{service_name=~".+"} | event_name=~"turnspan.*"' + which
            start, seen = since_ns, set[str]()
            while True:
                at = {"query": query, "start": start, "end": until_ns, "limit": _LOKI_PAGE, "direction": "forward"}
                found = get_json(f"{self._url}/loki/api/v1/query_range?{urllib.parse.urlencode(at)}") or {}
                page = [
                    (int(entry[0]), {**stream.get("stream", {}), **(entry[2] if len(entry) > 2 else {})})
                    for stream in found.get("data", {}).get("result", [])
                    for entry in stream.get("values", [])
                ]
                known = len(seen)
                for at_ns, labels in sorted(page, key=lambda one: one[0]):
                    line = _from_loki(labels, at_ns, self.name)
                    if line.event_id not in seen:
                        seen.add(line.event_id)
                        yield line
                if len(page) < _LOKI_PAGE or len(seen) == known:
                    break
                start = max(at_ns for at_ns, _ in page)

    def oldest_ns(self) -> int | None:
        """Return None: Loki does not say."""
        return None


_EVENT_ID = b'"audit_event_id":"'


def _parsed(text: bytes) -> dict[str, Any] | None:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None  # a torn line has no whole id to stand for
    return line if isinstance(line, dict) else None


def _from_file(line: dict[str, Any], timestamp: Any, where: str) -> ObservedLogLine:
    return ObservedLogLine(
        str(line.get("audit_event_id")),
        str(line.get("event", "")),
        str(line.get("session_id", "")),
        line.get("turn_id"),
        line.get("trace_id"),
        line.get("span_id"),
        line.get("status"),
        from_iso(timestamp) if isinstance(timestamp, str) else None,
        line.get("seal"),
        where,
        line,
    )


def _from_loki(labels: dict[str, Any], at_ns: int, where: str) -> ObservedLogLine:
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
        labels,
    )
