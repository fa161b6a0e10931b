"""The pages of an audit event, of its log lines and of a trace: where each is in record, trace and log."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request

from turnspan.errors import EvidenceError, IdNotFoundError
from turnspan.reading.line_sources import ObservedLogLine
from turnspan.reading.places import Hit, Place, audit_row, hits, place_of, step_lines
from turnspan.reading.windows import window_of
from turnspan.stores.rows import AuditRow
from turnspan.viewer.rendering import render
from turnspan.viewer.sessions_page import turn_path
from turnspan.viewer.source import Pages
from turnspan.viewer.values import ValueView


class EventPages(Pages):
    """Shows audit events and traces."""

    def event_html(self, request: Request) -> str:
        """Return the page of an event."""
        hit = self._hit(request.path_params["event"], "audit event")
        row, place = audit_row(self._source.reader.store, hit), self._place(hit)
        payload = self._payload(row)
        return render(
            "event.html",
            hit=hit,
            row=row,
            place=place,
            turn_path=turn_path(hit.session_id, hit.turn_id),
            payload=None if payload is None else ValueView(whole=True).render(payload),
            links=self._links(hit, place),
        )

    def event_json(self, request: Request) -> dict[str, Any]:
        """Return where an event is, and what the audit table has of it."""
        hit = self._hit(request.path_params["event"], "audit event")
        return {
            "schema": "turnspan.event/1",
            "place": self._place(hit),
            "row": audit_row(self._source.reader.store, hit),
        }

    def log_html(self, request: Request) -> str:
        """Return the page of the log lines about what an event belongs to."""
        hit = self._hit(request.path_params["event"], "audit event")
        where, found = self._lines(hit)
        lines = [(line, None if line.said is None else ValueView(whole=True).render(line.said)) for line in found]
        return render("log.html", hit=hit, where=where, lines=lines, links=self._links(hit, self._place(hit)))

    def log_json(self, request: Request) -> dict[str, Any]:
        """Return the same lines as they are."""
        hit = self._hit(request.path_params["event"], "audit event")
        where, found = self._lines(hit)
        lines = [{"where": line.where, "line": line.said} for line in found]
        return {"schema": "turnspan.log/1", "audit_event_id": hit.id, "source": where, "lines": lines}

    def _lines(self, hit: Hit) -> tuple[str | None, list[ObservedLogLine]]:
        """Return where log lines are looked for, and what is there about the call that an event belongs to."""
        source = self._source.reader.line_source()
        if source is None:
            return None, []
        with suppress(EvidenceError):
            return source.name, step_lines(self._source.reader.store, hit, source)
        return None, []

    def trace_html(self, request: Request) -> str:
        """Return the page of a trace: the turns in it."""
        found = self._hits(request.path_params["trace"], "trace")
        turns = [(hit, self._summary(hit), turn_path(hit.session_id, hit.turn_id)) for hit in found]
        return render(
            "trace.html", trace_id=found[0].id, turns=turns, links=self._links(found[0], self._place(found[0]))
        )

    def trace_json(self, request: Request) -> dict[str, Any]:
        """Return the turns that a trace has."""
        found = self._hits(request.path_params["trace"], "trace")
        return {"schema": "turnspan.trace/1", "trace_id": found[0].id, "turns": found}

    def _hits(self, wanted: str, kind: str) -> list[Hit]:
        wanted = unquote(wanted, errors="replace")
        found = (
            [hit for hit in hits(self._source.reader.store, wanted) if hit.kind == kind] if wanted.isprintable() else []
        )
        if not found:
            raise IdNotFoundError(f"No {kind} in this store has the id {wanted!r}")
        if len({hit.id for hit in found}) > 1:
            raise IdNotFoundError(f"Several {kind}s begin with {wanted!r}: use more of it")
        return found

    def _hit(self, wanted: str, kind: str) -> Hit:
        return self._hits(wanted, kind)[0]

    def _place(self, hit: Hit) -> Place:
        reader = self._source.reader
        with suppress(EvidenceError):  # a file of another machine; the record is shown all the same
            return place_of(reader.store, hit, reader.span_source(), reader.line_source())
        return place_of(reader.store, hit)

    def _payload(self, row: AuditRow | None) -> Any:
        if row is None or row.payload is None:
            return None
        with suppress(ValueError):
            return json.loads(row.payload)
        return row.payload

    def _summary(self, hit: Hit) -> Any:
        window = window_of(self._source.reader.store, hit.session_id, 0, 0)
        return next((turn for turn in window.outline if turn.turn_id == hit.turn_id), None) if window else None

    def _links(self, hit: Hit, place: Place) -> list[tuple[str, str]]:
        reader = self._source.reader
        ids = {
            "trace_id": place.trace_id,
            "span_id": place.span_id,
            "audit_event_id": next(iter(place.audit_event_ids), None),
            "session_id": hit.session_id,
            "turn_id": hit.turn_id,
        }
        found = (("trace", reader.traces.to(**ids)), ("log", reader.logs.to(**ids)))
        return [(name, url) for name, url in found if url]
