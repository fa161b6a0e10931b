"""CrossCheck: is each event of the record on a span and in a log line, and is nothing there that the record lacks?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

import msgspec

from turnspan.events import KIND_OF, Event, HandedOff, Started
from turnspan.journal.recorded_events import RecordedEvent
from turnspan.journal.seals import Seal, seal_of
from turnspan.model.records import SessionRecord, turnspan_metadata
from turnspan.otel_sdk.rehydration import RehydratedSpan, spans_again
from turnspan.reading.line_sources import LineSource, ObservedLogLine
from turnspan.reading.span_sources import ObservedSpan, SpanSource
from turnspan.recording.recovery import REASON
from turnspan.stores.rows import removed_name
from turnspan.telemetry import semconv as sc
from turnspan.verification.chains import UNKNOWN, End
from turnspan.verification.journals import Journals
from turnspan.verification.outlets import GIVEN, Place, kept_elsewhere
from turnspan.verification.report import Check, Report, Verdict
from turnspan.verification.said import Differing, line_differs, span_differs

_US = 1000
Sources = tuple[SpanSource | None, LineSource | None]
"""Where spans and lines are; what is None is not checked."""


class CrossCheck:
    """Compares sessions with spans and log lines from elsewhere.

    Args:
        report: Takes what is found.
        sources: Where spans and log lines are.
        places: What seals call these.
        journals: The journals beside the store: what waits there is not missing.
        retention_ns: How long backends keep things; what is older and gone has expired.
        now_ns: The time.

    """

    def __init__(
        self,
        report: Report,
        sources: Sources,
        places: tuple[Place, Place],
        journals: Journals,
        retention_ns: int | None,
        now_ns: int,
    ) -> None:
        self._report, self._journals = report, journals
        self._spans, self._lines = sources
        self._span_place, self._line_place = places
        self._retention_ns, self._now_ns = retention_ns, now_ns
        self.ends: dict[str, End] = {}
        self._budgets: dict[tuple[str, str], int] = {}
        self._span_index: dict[str, list[ObservedSpan]] | None = None
        self._line_index: dict[str, list[ObservedLogLine]] | None = None

    def read(self, wanted: frozenset[str] | None, since_ns: int, until_ns: int) -> None:
        """Read what is read once: files, and the log. ``wanted``: of these sessions only."""
        if self._spans is not None and self._spans.whole:
            self._span_index = {}
            for span in self._spans.spans((), wanted):
                self._span_index.setdefault(span.session_id, []).append(span)
        if self._lines is not None:
            self._line_index = {}
            for line in self._lines.lines(wanted, since_ns, until_ns):
                self._line_index.setdefault(line.session_id, []).append(line)

    def check(self, session_id: str, recorded: list[RecordedEvent], starts: Mapping[str, Event]) -> None:
        """Check one session, by its events; ``starts``: of each end what it ends, by the id of the end."""
        if self._spans is not None:
            self._check_trace(session_id, recorded)
        if self._lines is not None:
            self._check_log(session_id, recorded, starts)

    def check_ids(self, session: SessionRecord) -> None:
        """Check one session of a store that keeps no events, by the ids that its turns have."""
        if self._spans is not None:
            traces = [i for turn in session.turns if (i := turnspan_metadata(turn.metadata).get("trace_id"))]
            self._check_turns(
                "trace", session, {i for span in self._seen_spans(session.session_id, traces) for i in span.event_ids}
            )
        if self._line_index is not None:
            self._check_turns("log", session, {line.event_id for line in self._line_index.pop(session.session_id, [])})

    def _check_turns(self, check: Check, session: SessionRecord, seen: set[str]) -> None:
        for turn in session.turns:
            for event_id in turn.audit_event_ids:
                if event_id in seen:
                    self._report.ok(check)
                else:
                    says = f"an event of turn {turn.turn_id} is not there"
                    self._report.add(check, "missing", session.session_id, event_id, says)

    def _check_trace(self, session_id: str, recorded: list[RecordedEvent]) -> None:
        report = self._report
        traces = dict.fromkeys(one.span.trace_id for one in recorded if one.span is not None)
        seen: dict[str, list[ObservedSpan]] = {}  # what was sent again is there twice
        for seen_span in self._seen_spans(session_id, traces):
            seen.setdefault(seen_span.span_id, []).append(seen_span)
        events = {one.event.event_id for one in recorded}
        flags = {
            one.span.span_id: one
            for one in recorded
            if one.span is not None and isinstance(one.event, (Started, HandedOff))
        }
        for span in self._spans_of(session_id, recorded):
            assert span.context is not None
            span_id = f"{span.context.span_id:016x}"
            one = flags[span_id]
            found = seen.pop(span_id, [])
            borrowed = one.event.borrowed
            if borrowed in ("read", "received") and not any(each.event_ids for each in found):
                continue  # somebody else's, which had ended: it says nothing of ours
            if not found:
                self._say_no_span(session_id, one, span)
            elif differing := self._spans_differ(found, span, only=_OF_BORROWED if borrowed else None):
                says = f"span {span_id} {span.name!r}: {_sentence(differing)}"
                report.add("trace", "mismatch", session_id, one.event.event_id, says)
            else:
                report.ok("trace")
        for span_id, (first, *_) in seen.items():
            if first.event_ids[0] not in events:
                self._stray("trace", session_id, first.event_ids[0], f"span {span_id} {first.name!r}")

    def _spans_of(self, session_id: str, recorded: list[RecordedEvent]) -> Iterator[RehydratedSpan]:
        """Yield the spans that should be there; ids that were altered may name none."""
        try:
            yield from spans_again(recorded, content=True)
        except ValueError as error:
            says = f"its spans cannot be made again of its events: {error}"
            self._report.add("trace", "altered", session_id, session_id, says)

    def _seen_spans(self, session_id: str, traces: Iterable[str]) -> Iterable[ObservedSpan]:
        if self._span_index is not None:
            return self._span_index.pop(session_id, [])
        assert self._spans is not None
        return self._spans.spans(traces, frozenset({session_id}))

    def _say_no_span(self, session_id: str, one: RecordedEvent, span: RehydratedSpan) -> None:
        seal = self.ends.get(one.journal, UNKNOWN).seal
        sampled = one.span is not None and one.span.flags & 1
        if sampled and (elsewhere := kept_elsewhere("spans", seal, self._span_place)):
            self._report.not_looked_at("trace", elsewhere)
            return
        verdict, why = self._why_no_span(one, span)
        says = f"span {_span_id(span)} {span.name!r}: {why}"
        self._report.add("trace", verdict, session_id, one.event.event_id, says)

    def _why_no_span(self, one: RecordedEvent, span: RehydratedSpan) -> tuple[Verdict, str]:
        assert one.span is not None
        assert self._spans is not None
        if not one.span.flags & 1:
            return "sampled-out", "it was sampled out"
        end = self.ends.get(one.journal, UNKNOWN)
        if end.pending or self._journals.has_waiting(one):
            return "pending", "its process still runs, or was not recovered yet"
        if end.closed == REASON:
            return "crashed", "its process died, and may not have sent it"
        if self._spend(one.journal, "spans", _lost_spans(end.seal, own=self._spans.own)):
            return "dropped", "its process counted spans that were dropped or could not be sent"
        if self._expired(span.end_time or 0, None) or self._expired(span.start_time or 0, self._spans.oldest_ns()):
            return "expired", "older than what is kept there"
        return "missing", "it is not there, and nothing explains why"

    def _check_log(self, session_id: str, recorded: list[RecordedEvent], starts: Mapping[str, Event]) -> None:
        report = self._report
        seen: dict[str, list[ObservedLogLine]] = {}
        for line in self._line_index.pop(session_id, []) if self._line_index is not None else []:
            seen.setdefault(line.event_id, []).append(line)
        for one in recorded:
            event = one.event
            lines = seen.pop(event.event_id, [])
            seal = self.ends.get(one.journal, UNKNOWN).seal
            if not lines and (elsewhere := kept_elsewhere("log", seal, self._line_place)):
                report.not_looked_at("log", elsewhere)
            elif not lines:
                verdict, why = self._why_no_line(one)
                report.add("log", verdict, session_id, event.event_id, f"{KIND_OF[type(event)]}: {why}")
            elif found := self._lines_differ(lines, one, starts.get(event.event_id)):
                where, differing = found
                is_seal = list(differing) == ["seal"]
                verdict = "altered" if is_seal else "mismatch"
                report.add("log", verdict, session_id, event.event_id, f"{where}: {_sentence(differing)}")
            else:
                report.ok("log")
        for event_id, (line, *_) in seen.items():
            self._stray("log", session_id, event_id, f"{line.where} {line.kind}")

    def _lines_differ(
        self, lines: list[ObservedLogLine], one: RecordedEvent, started: Event | None
    ) -> tuple[str, Differing] | None:
        """Return the first of an event's lines that says something else than the record, and what."""
        own = self._line_place not in (None, GIVEN)
        for line in lines:
            differing = _line_differs(line, one)
            if not differing and own and line.said is not None:
                differing = line_differs(line.said, one, started)
            if differing:
                return line.where, differing
        return None

    def _why_no_line(self, one: RecordedEvent) -> tuple[Verdict, str]:
        assert self._lines is not None
        end = self.ends.get(one.journal, UNKNOWN)
        if end.pending or self._journals.has_waiting(one):
            return "pending", "its process still runs, or was not recovered yet"
        own = seal_of(one.event)  # the line of a seal comes behind what it counts
        failed = end.seal.log_failed if end.seal is not None else 0
        of_seal = own is not None and own.log_failed > 0 and failed > 0
        if of_seal or self._spend(one.journal, "lines", failed):
            return "dropped", "its process counted lines that the log did not take"
        if self._expired(one.event.at_ns, self._lines.oldest_ns()):
            return "expired", "older than what the log has"
        return "missing", "the log does not have it, and nothing explains why"

    def check_strays(self, known: set[str], removed: set[str]) -> None:
        """Look at spans and lines of sessions that the store does not have, and of those that were removed from it."""
        spans = {name: [one.event_ids[0] for one in found] for name, found in (self._span_index or {}).items()}
        lines = {name: [one.event_id for one in found] for name, found in (self._line_index or {}).items()}
        self._check_strays("trace", spans, known, removed)
        self._check_strays("log", lines, known, removed)

    def _check_strays(self, check: Check, index: dict[str, list[str]], known: set[str], removed: set[str]) -> None:
        for session_id in index.keys() - known:
            ids = index[session_id]
            if removed_name(session_id) in removed:
                says = f"{len(ids)} of a session that was removed from the store"
                self._report.add(check, "removed", session_id, session_id, says)
            elif self._journals.events_waiting().issuperset(ids):
                says = f"{len(ids)} of a session that is not in the store yet"
                self._report.add(check, "pending", session_id, session_id, says)
            else:
                says = f"{len(ids)} of a session that the store does not have"
                self._report.add(check, "orphan", session_id, session_id, says)

    def _stray(self, check: Check, session_id: str, event_id: str, what: str) -> None:
        if event_id in self._journals.events_waiting():
            self._report.add(check, "pending", session_id, event_id, f"{what} is not in the store yet")
        else:
            self._report.add(check, "orphan", session_id, event_id, f"{what} is not in the record")

    def _spans_differ(
        self, found: list[ObservedSpan], span: RehydratedSpan, only: Collection[str] | None = None
    ) -> Differing:
        """Return what the first span that says something else than the record says, and what it should say."""
        assert self._spans is not None
        for one in found:
            differing = self._span_differs(one, span, only)
            if not differing and only is None and self._spans.own and one.said is not None:
                differing = span_differs(one.said, span)
            if differing:
                return differing
        return {}

    def _span_differs(self, found: ObservedSpan, span: RehydratedSpan, only: Collection[str] | None) -> Differing:
        """Return what of a span is not what the record says: what it has, and what it should have."""
        assert span.context is not None
        assert self._spans is not None
        start, end = self._spans.precision_ns
        expected: Differing = {
            "trace id": (found.trace_id, f"{span.context.trace_id:032x}"),
            "parent": (found.parent_id, f"{span.parent.span_id:016x}" if span.parent else ""),
            "name": (found.name, span.name),
            "start": (found.start_ns, _as_kept(found.start_ns, span.start_time, start)),
            "end": (found.end_ns, _as_kept(found.end_ns, span.end_time, end)),
            "status": (found.status, span.status.status_code.value),
            "audit event ids": (found.event_ids, _ids_on(span)),
            "links": (sorted(found.links), sorted(f"{link.context.span_id:016x}" for link in span.links)),
        }
        return {n: pair for n, pair in expected.items() if pair[0] != pair[1] and (only is None or n in only)}

    def _expired(self, at_ns: int, oldest_ns: int | None) -> bool:
        too_old = self._retention_ns is not None and at_ns < self._now_ns - self._retention_ns
        return too_old or (oldest_ns is not None and at_ns < oldest_ns)

    def _spend(self, journal: str, what: str, budget: int) -> bool:
        """Take one of those that a process counted as lost."""
        left = self._budgets.setdefault((journal, what), budget)
        self._budgets[journal, what] = left - 1
        return left > 0


_OF_BORROWED = ("trace id", "parent", "audit event ids")
"""What is ours of a span that somebody else started: its name, times, links and status are theirs."""


def _span_id(span: RehydratedSpan) -> str:
    return "" if span.context is None else f"{span.context.span_id:016x}"


def _sentence(differing: Differing) -> str:
    return ", ".join(f"its {name} is {has!r}, the record says {should!r}" for name, (has, should) in differing.items())


def _as_kept(found_ns: int, at_ns: int | None, precision_ns: int) -> int:
    """Return a time as the source may keep it."""
    return found_ns if abs(found_ns - (at_ns or 0)) <= precision_ns else at_ns or 0


def _ids_on(span: RehydratedSpan) -> tuple[str, ...]:
    attributes = span.attributes or {}
    names = (sc.TURNSPAN_AUDIT_EVENT_ID, sc.TURNSPAN_AUDIT_EVENT_ID_END)
    on_span = [str(attributes[name]) for name in names if name in attributes]
    return (*on_span, *(str((event.attributes or {})[sc.TURNSPAN_AUDIT_EVENT_ID]) for event in span.events))


def _line_differs(line: ObservedLogLine, one: RecordedEvent) -> Differing:
    event = one.event
    expected: Differing = {
        "event": (line.kind, KIND_OF[type(event)]),
        "session_id": (line.session_id, event.session_id),
        "turn_id": (line.turn_id, event.turn_id),
        "trace_id": (line.trace_id, one.span.trace_id if one.span else None),
        "span_id": (line.span_id, one.span.span_id if one.span else None),
        "status": (line.status, getattr(event, "status", None)),
        "time": (None if line.at_ns is None else line.at_ns // _US, event.at_ns // _US),
    }
    if (seal := seal_of(event)) is not None and line.seal is not None:
        expected["seal"] = (line.seal, msgspec.to_builtins(seal))
    return {name: pair for name, pair in expected.items() if pair[0] != pair[1]}


def _lost_spans(seal: Seal | None, *, own: bool) -> int:
    """Return how many spans a process counted as dropped or not sent, by its file exporter or by the others."""
    counts = [c for name, c in (seal.spans if seal is not None else {}).items() if (name == "FileSpanExporter") == own]
    return max((sum(one.get(name, 0) for name in ("dropped", "failed", "queued")) for one in counts), default=0)
