"""Verification: do record, trace and log agree, and is the record what it was when it was written?

Six checks. *integrity*: each audit row has the hash it was given, and the hash of the one before; content has its digest.
*structure*: no number is missing, and what has started has ended. *completeness*: sealed chains are as long as their
seals say. *record*: turns and calls are what the events say. *trace* and *log*: each event is where it should be, and
nothing is there that the record does not have. Each difference gets a verdict.

What this cannot prove: that an agent did nothing that turnspan did not see; that a store, its log and its trace were not
all rewritten together by somebody who could write to all of them and had the signing key (without a key: who could write
to all of them); that a process which never stopped wrote nothing behind the last event that is there.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from turnspan.events import KIND_OF, Ended, Event, Noted, Started
from turnspan.journal.hash_chain import decode, digest_of
from turnspan.journal.seals import Key
from turnspan.model.ids import now_ns as source_of_time
from turnspan.model.records import SessionRecord, TurnRecord, iso, turnspan_metadata
from turnspan.otel_sdk.rehydration import Told, span_of
from turnspan.reading.line_sources import LineSource
from turnspan.reading.pages import summaries
from turnspan.reading.span_sources import SpanSource
from turnspan.recording.ledger import Ledger
from turnspan.recording.open_turns import OpenTurns
from turnspan.stores.base import Audited, AuditFilter, SessionFilter, SessionStore, url_of
from turnspan.stores.merging import merge
from turnspan.stores.rows import AuditRow, model_calls_of
from turnspan.verification.chains import check_chains, check_journals
from turnspan.verification.cross_check import CrossCheck
from turnspan.verification.report import ERASED, Report, Verdict

_REACHES_BACK_NS = 30 * 86_400 * 10**9
_sorted = msgspec.json.Encoder(order="sorted").encode


class _Start(NamedTuple):
    started: Any


class Verifier:
    """Compares a store with itself and with evidence from elsewhere.

    Args:
        store: The record.
        spans: Where spans are; None leaves the trace unchecked.
        lines: Where log lines are; None leaves the log unchecked.
        journals: The journal directory beside the store, if there is one: what waits there is not missing.
        key: What seals must be signed with.
        retention_ns: How long backends keep things; what is older and gone has expired.
        now_ns: The time.

    """

    def __init__(
        self,
        store: SessionStore,
        *,
        spans: SpanSource | None = None,
        lines: LineSource | None = None,
        journals: Path | None = None,
        key: Key | None = None,
        retention_ns: int | None = None,
        now_ns: int = 0,
    ) -> None:
        self._store, self._key = store, key
        self._journals = journals if journals is not None and journals.is_dir() else None
        self._now_ns = now_ns or source_of_time()
        self._reaches_back_ns = retention_ns or _REACHES_BACK_NS
        self._unreadable: set[str] = set()
        self._seals: dict[str, dict[str, Any]] = {}
        self.report = Report()
        self.report.sources = {
            "record": url_of(store) or type(store).__name__,
            "trace": spans.name if spans is not None else "not checked",
            "log": lines.name if lines is not None else "not checked",
        }
        self._agreement = CrossCheck(self.report, spans, lines, self._journals, retention_ns, self._now_ns)

    def verify(self, session_id: str | None = None, since: str | None = None) -> Report:
        """Verify one session, those that were used since a time (ISO 8601), or all."""
        store, wanted = self._store, None
        if session_id is not None:
            wanted = frozenset({session_id})
        elif since is not None:
            wanted = frozenset(one.session_id for one in summaries(store, SessionFilter(since=since, limit=10**9)))
        if isinstance(store, Audited):
            self._agreement.ends = check_chains(store, self.report, wanted, self._key, self._seals_of)
            if wanted is None and self._journals is not None:
                check_journals(store, self.report, self._journals)
        else:
            self.report.sources["record"] += " (keeps no audit rows: only ids can be compared)"
        self._agreement.read(wanted, *self._time_range(wanted))
        known = set()
        for found_id, rows in self._rows_by_session(wanted):
            known.add(found_id)
            self._check_session(found_id, rows)
        for other in store.list_sessions() if wanted is None else wanted:
            if other not in known:
                known.add(other)
                self._check_session(other, [])
        if wanted is None:
            removed = {one.session for one in store.audit_removed()} if isinstance(store, Audited) else set()
            self._agreement.check_strays(known, removed)
        return self.report

    def _time_range(self, wanted: frozenset[str] | None) -> tuple[int, int]:
        """Return the range of time in which the log is asked for these sessions."""
        if wanted is None or not isinstance(self._store, Audited):
            return self._now_ns - self._reaches_back_ns, self._now_ns
        times = [row.at_ns for session_id in wanted for row in self._store.audit_events(session_id)] or [self._now_ns]
        return min(times) - 10**9, max(times) + 10**9

    def _seals_of(self, session_id: str) -> dict[str, Any]:
        """Return the newest seals that a session's metadata has, by journal."""
        known = self._seals.get(session_id)
        if known is None:  # a session that many processes wrote is asked for once for each of them
            session = self._load(session_id)
            found = turnspan_metadata(session.metadata).get("seals") if session is not None else None
            known = self._seals[session_id] = found if isinstance(found, dict) else {}
        return known

    # One session -------------------------------------------------------------------------------------------------

    def _rows_by_session(self, wanted: frozenset[str] | None) -> Iterator[tuple[str, list[AuditRow]]]:
        store = self._store
        if not isinstance(store, Audited):
            return
        if wanted is not None and len(wanted) <= 50:
            for session_id in sorted(wanted):
                if rows := store.audit_events(session_id):
                    yield session_id, rows
            return
        rows_ = store.audit_rows(AuditFilter(sessions=wanted), by_session=True)
        for session_id, group in groupby(rows_, key=lambda row: row.session_id):
            yield session_id, list(group)

    def _check_session(self, session_id: str, rows: list[AuditRow]) -> None:
        self.report.sessions += 1
        told = self._told(rows)
        session = self._load(session_id)
        if isinstance(self._store, Audited):
            self._check_ends(session_id, told)
            self._check_seals(session_id, told)
            self._check_record(session_id, told, session)
            self._agreement.check(session_id, told)
        elif session is not None:
            self._agreement.check_ids(session)

    def _load(self, session_id: str) -> SessionRecord | None:
        try:
            found: Any = self._store.load_session(session_id)
        except ValueError as error:
            if session_id not in self._unreadable:
                self._unreadable.add(session_id)
                self.report.add("record", "altered", session_id, session_id, f"the session cannot be read: {error}")
            return None
        return found if found is None or isinstance(found, SessionRecord) else SessionRecord.from_dict(found.to_dict())

    def _told(self, rows: list[AuditRow]) -> list[Told]:
        """Return what rows tell, having checked their content against its digest."""
        self.report.events += len(rows)
        erased: dict[str, str] = {}
        changed: list[tuple[AuditRow, str]] = []
        told = []
        for row in rows:
            payload = (row.payload or "").encode()
            digest = digest_of(payload)
            if digest != row.digest:
                changed.append((row, digest))
            try:
                event = decode(payload)
            except msgspec.MsgspecError:
                if digest == row.digest:
                    self._altered(row, "is no event")
                continue
            if self._names_differ(event, row):
                self._altered(row, "its columns are not what its content says")
            elif digest == row.digest:
                self.report.ok("integrity")
            if (
                isinstance(event, Noted)
                and event.name == ERASED
                and digest == row.digest
                and isinstance(event.data, dict)
            ):
                erased = event.data.get("payloads") or {}
            told.append(Told(row.journal, event, span_of(row)))
        for row, digest in changed:
            if erased.get(row.event_id) == digest[:16]:
                self.report.erased += 1
                self.report.ok("integrity")
            else:
                self._altered(row, "its content is not what its digest says")
        return told

    def _altered(self, row: AuditRow, says: str) -> None:
        self.report.add(
            "integrity",
            "altered",
            row.session_id,
            row.event_id,
            f"line {row.sequence} of journal {row.journal}: {says}",
        )

    @staticmethod
    def _names_differ(event: Event, row: AuditRow) -> bool:
        return (
            event.event_id,
            event.at_ns,
            event.session_id,
            event.turn_id,
            event.call_id,
            KIND_OF[type(event)],
            iso(event.at_ns),
        ) != (row.event_id, row.at_ns, row.session_id, row.turn_id, row.call_id, row.kind, row.at)

    def _check_ends(self, session_id: str, told: list[Told]) -> None:
        """Check that what has started has ended."""
        chains: dict[str, OpenTurns[_Start]] = {}
        for one in told:
            chain = chains.setdefault(one.journal, OpenTurns())
            if isinstance(one.event, Started):
                chain.start(_Start(one.event))
            elif isinstance(one.event, Ended) and chain.end(one.event)[1] is not None:
                self.report.ok("structure")
        for journal, chain in chains.items():
            end = self._agreement.ends.get(journal)
            verdict: Verdict = "missing" if end is not None and end.sealed else "pending"
            for turn in chain.values():
                for opened in turn.opened():
                    says = f"{KIND_OF[type(opened.started)]} has no end"
                    self.report.add("structure", verdict, session_id, opened.started.event_id, says)

    def _check_seals(self, session_id: str, told: list[Told]) -> None:
        """Check that of no chain that the session's metadata has a seal of all rows are gone."""
        for journal in set(self._seals_of(session_id)) - {one.journal for one in told}:
            says = f"its metadata has a seal of journal {journal}, of which there are no rows"
            self.report.add("completeness", "altered", session_id, journal, says)

    def _check_record(self, session_id: str, told: list[Told], session: SessionRecord | None) -> None:
        """Check that turns and calls are what the events say, by folding these again."""
        report = self.report
        if session is None:
            if told:
                report.add("record", "missing", session_id, session_id, "its events are there, the session is not")
            return
        folded = fold_again(session_id, told)
        erased = {one.event.turn_id for one in told if isinstance(one.event, Noted) and one.event.name == ERASED}
        should = {turn.turn_id: turn for turn in folded.turns} if folded is not None else {}
        for turn in session.turns:
            expected = should.pop(turn.turn_id, None)
            if expected is None:
                says = "the turn is in the record, and no event tells of it"
                report.add("record", "orphan", session_id, turn.turn_id, says)
            elif differing := _differing(turn, expected, compare_content=not erased):
                says = f"the turn's {', '.join(differing)} is not what its events say"
                report.add("record", "mismatch", session_id, turn.turn_id, says)
            else:
                report.ok("record")
        for turn_id in should:
            report.add("record", "missing", session_id, turn_id, "the turn's events are there, the turn is not")
        if folded is not None and not erased:
            has = Counter(_sorted(transition.fields()) for transition in session.agent_transitions)
            if Counter(_sorted(transition.fields()) for transition in folded.agent_transitions) - has:
                report.add("record", "mismatch", session_id, session_id, "a handoff is not what its event says")


def fold_again(session_id: str, told: Iterable[Told]) -> SessionRecord | None:
    """Return the session that these events make, or None when there are none."""
    session: SessionRecord | None = None
    ledgers: dict[str, Ledger] = {}
    chains = [list(group) for _, group in groupby(told, key=lambda one: one.journal)]
    for one in heapq.merge(*chains, key=lambda one: one.event.at_ns):
        ledger = ledgers.setdefault(one.journal, Ledger(one.journal))
        ledger.fold_event(one.event, one.span)
    for ledger in ledgers.values():
        if changes := ledger.take().of(session_id):
            session = merge(session, changes)
    return session


def _with_float_duration(call: dict[str, Any]) -> dict[str, Any]:
    """Return a tool call with its duration as a column keeps it: 5 is 5.0."""
    duration_ms = call["duration_ms"]
    return call if duration_ms is None else {**call, "duration_ms": float(duration_ms)}


def _differing(turn: TurnRecord, expected: TurnRecord, *, compare_content: bool) -> list[str]:
    """Return the fields in which a stored turn is not what its events say."""
    fields = ["status", "started_at", "ended_at", "agent_id"]
    if compare_content:
        fields += ["prompt", "response_content", "error"]
    found = [name for name in fields if getattr(turn, name) != getattr(expected, name)]
    if set(turn.audit_event_ids) != set(expected.audit_event_ids):
        found.append("audit_event_ids")
    if compare_content:
        views: tuple[tuple[str, Callable[[TurnRecord], Iterable[Any]]], ...] = (
            ("tool_calls", lambda one: [_with_float_duration(call.to_dict()) for call in one.tool_calls]),
            ("model_calls", model_calls_of),
            ("agents", lambda one: turnspan_metadata(one.metadata).get("agents") or []),
            ("notes", lambda one: turnspan_metadata(one.metadata).get("notes") or []),
        )
        found += [name for name, of in views if Counter(map(_sorted, of(turn))) != Counter(map(_sorted, of(expected)))]
    return found
