"""Verification: do record, trace and log agree, and is the record what it was when it was written?

Seven checks. *integrity*: each audit row has the hash it was given, and the hash of the one before; content has its
digest. *structure*: no number is missing, and what has started has ended. *completeness*: sealed chains are as long as
their seals say, and the chains that others name are there. *record*: every field of every row is what the events say.
*trace* and *log*: each event is where it should be, and nothing is there that the record does not have. *anchor*: what
an older head of the store says is still so. Each difference gets a verdict.

turnspan cannot prove the absence of actions it did not observe. What each configuration proves, and against whom, is
written in ``docs/proof.md``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from turnspan.events import KIND_OF, Ended, Event, Noted, Started
from turnspan.journal.hash_chain import decode, digest_of
from turnspan.journal.recorded_events import RecordedEvent, span_of
from turnspan.journal.seals import Key, Seal
from turnspan.model.ids import now_ns as source_of_time
from turnspan.model.records import SessionRecord, from_iso, iso, turnspan_metadata
from turnspan.reading.line_sources import LineSource
from turnspan.reading.pages import summaries
from turnspan.reading.span_sources import SpanSource
from turnspan.recording.open_turns import OpenTurns
from turnspan.stores.base import Audited, AuditFilter, SessionFilter, SessionStore, url_of
from turnspan.stores.rows import AuditRow
from turnspan.verification.anchors import Anchor, check_anchor
from turnspan.verification.chains import UNKNOWN, Chains, End
from turnspan.verification.cross_check import CrossCheck
from turnspan.verification.erased import bare_of_unreadable, is_bare, is_note
from turnspan.verification.journals import Journals
from turnspan.verification.outlets import GIVEN, Place
from turnspan.verification.record_check import RecordCheck
from turnspan.verification.refold import refold
from turnspan.verification.report import Report, Verdict
from turnspan.verification.trust import Trust
from turnspan.verification.typed_rows import TypedRows

_REACHES_BACK_NS = 30 * 86_400 * 10**9
_PREFIX = 16
"""Hex digits of a digest that erasures of the version before have kept."""


def _is_erased(row: AuditRow, erased: dict[str, str]) -> bool:
    """Return whether a note says that of this row something else is left than what it was written with."""
    left = str(erased.get(row.event_id, ""))
    return len(left) >= _PREFIX and not row.digest.startswith(left)


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
        anchors: Older heads of the store.
        running: What this process knows of the chain that it writes to the store.
        places: What seals call the places where spans and lines are.
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
        anchors: list[Anchor] | None = None,
        running: Seal | None = None,
        places: tuple[Place, Place] = (GIVEN, GIVEN),
        retention_ns: int | None = None,
        now_ns: int = 0,
    ) -> None:
        self._store, self._trust, self._anchors = store, Trust(key), anchors or []
        self._journals, self._running = Journals(journals), running
        self._now_ns = now_ns or source_of_time()
        self._reaches_back_ns = retention_ns or _REACHES_BACK_NS
        self._unreadable: set[str] = set()
        self._seals: dict[str, dict[str, Any]] = {}
        self._ends: dict[str, End] = {}
        self.report = Report()
        self.report.sources = {
            "record": url_of(store) or type(store).__name__,
            "trace": spans.name if spans is not None else "not checked",
            "log": lines.name if lines is not None else "not checked",
        }
        self._typed = TypedRows(self.report)
        self._record = RecordCheck(self.report, store)
        self._agreement = CrossCheck(self.report, (spans, lines), places, self._journals, retention_ns, self._now_ns)

    def verify(self, session_id: str | None = None, since: str | None = None) -> Report:
        """Verify one session, those that were used since a time (ISO 8601), or all."""
        store, wanted = self._store, None
        if session_id is not None:
            wanted = frozenset({session_id})
        elif since is not None:
            wanted = self._used_since(since)
        removed = self._check_chains(wanted)
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
            self._agreement.check_strays(known, removed)
            self._record.check_strays()
        if self._trust.key_is_wrong and not self._anchors:  # an anchor that the key has signed says that it is the one
            return self._without_verdict("no seal in it is signed by this key: it is another one, or all was rewritten")
        if not self.report.events and not self.report.findings and (isinstance(store, Audited) or not known):
            which = "nothing" if session_id is None else f"no session {session_id}"
            self.report.problem = f"{which} is recorded in {self.report.sources['record']}"
        return self.report

    def _used_since(self, since: str) -> frozenset[str]:
        """Return the sessions that were used since a time: as their heads say, and as their events do."""
        store = self._store
        used = {one.session_id for one in summaries(store, SessionFilter(since=since, limit=10**9))}
        since_ns = from_iso(since)
        if isinstance(store, Audited) and since_ns is not None:
            newer = AuditFilter(since_id=f"{since_ns // 1_000_000:012x}")  # ids sort by time
            rows = self._typed.of(store.audit_rows(newer))
            used |= {row.session_id for row in rows if row.turn_id is not None or row.kind != KIND_OF[Noted]}
        return frozenset(used)

    def _check_chains(self, wanted: frozenset[str] | None) -> set[str]:
        """Check chains, anchors and journals; return the names of the sessions that were removed in truth."""
        store = self._store
        if not isinstance(store, Audited):
            self.report.sources["record"] += " (keeps no audit rows: only ids can be compared)"
            return set()
        chains = Chains(store, self.report, self._trust, self._journals, self._seals_of, self._typed, self._running)
        watched: dict[str, set[int]] = {}
        for anchor in self._anchors:
            for journal, (sequence, _) in anchor.heads.items():
                watched.setdefault(journal, set()).add(sequence)
        chains.check(wanted, watched)
        for anchor in self._anchors:
            check_anchor(anchor, chains, self.report, whole=wanted is None)
        self._ends = self._agreement.ends = chains.ends
        closed = {journal for journal, end in chains.ends.items() if end.closed}
        self._journals.check(store, self.report, self._typed, closed, wanted)
        return chains.removed_sessions

    def _without_verdict(self, problem: str) -> Report:
        report = Report(sources=self.report.sources, sessions=self.report.sessions, events=self.report.events)
        report.problem = f"{report.sources['record']}: {problem}"
        return report

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
                if rows := list(self._typed.of(store.audit_events(session_id))):
                    yield session_id, rows
            return
        rows_ = self._typed.of(store.audit_rows(AuditFilter(sessions=wanted), by_session=True))
        for session_id, group in groupby(rows_, key=lambda row: row.session_id):
            yield session_id, list(group)

    def _check_session(self, session_id: str, rows: list[AuditRow]) -> None:
        self.report.sessions += 1
        try:
            self._check_parts(session_id, rows)
        except (TypeError, ValueError, KeyError, AttributeError, RecursionError) as error:
            says = (
                f"it has values that turnspan does not write, and cannot be compared: {type(error).__name__}: {error}"
            )
            self.report.add("record", "altered", session_id, session_id, says)

    def _check_parts(self, session_id: str, rows: list[AuditRow]) -> None:
        recorded = self._recorded_events(rows)
        session = self._load(session_id)
        if isinstance(self._store, Audited):
            self._check_ends(session_id, recorded)
            self._check_seals(session_id, recorded)
            expected = refold(session_id, recorded)
            if session is not None or session_id not in self._unreadable:
                self._record.check(session_id, expected, session)
            self._agreement.check(session_id, recorded, expected.starts)
        elif session is not None:
            self._agreement.check_ids(session)

    def _load(self, session_id: str) -> SessionRecord | None:
        try:
            found: Any = self._store.load_session(session_id)
            if found is not None and not isinstance(found.metadata, dict):
                raise TypeError("its metadata is not a mapping")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            if session_id not in self._unreadable:
                self._unreadable.add(session_id)
                self.report.add(
                    "record",
                    "altered",
                    session_id,
                    session_id,
                    f"the session cannot be read: {error.__cause__ or error}",
                )
            return None
        return found if found is None or isinstance(found, SessionRecord) else SessionRecord.from_dict(found.to_dict())

    def _recorded_events(self, rows: list[AuditRow]) -> list[RecordedEvent]:
        """Return what rows say, having checked their content against its digest."""
        self.report.events += len(rows)
        erased: dict[str, str] = {}
        changed: list[tuple[AuditRow, str, bool]] = []
        recorded = []
        for row in rows:
            payload = (row.payload or "").encode()
            digest = digest_of(payload)
            try:
                event = decode(payload)
            except (msgspec.MsgspecError, RecursionError) as error:
                if digest != row.digest and payload and bare_of_unreadable(payload) == payload:
                    changed.append((row, digest, True))
                else:
                    self._altered(row, f"it cannot be read as an event ({error})", intact=digest == row.digest)
                continue
            if self._names_differ(event, row):
                self._altered(row, "its columns are not what its content says")
            elif digest == row.digest:
                self.report.ok("integrity")
            if digest != row.digest:
                changed.append((row, digest, is_bare(event, payload)))
            elif is_note(event) and row.sequence <= self._ends.get(row.journal, UNKNOWN).sealed_to:
                assert isinstance(event, Noted)
                payloads = event.data.get("payloads") if isinstance(event.data, dict) else None
                erased |= payloads if isinstance(payloads, dict) else {}
                self._say_erased(row)
            recorded.append(RecordedEvent(row.journal, event, span_of(row), row.sequence))
        for row in rows:
            if row.digest == digest_of((row.payload or "").encode()) and _is_erased(row, erased):
                self._altered(row, "its content was erased by record, and is there again")
        for row, digest, bare in changed:
            left = str(erased.get(row.event_id, ""))
            if len(left) >= _PREFIX and digest.startswith(left) and bare:
                self.report.erased += 1
                self.report.ok("integrity")
            else:
                self._altered(row, "its content is not what its digest says")
        return recorded

    def _say_erased(self, row: AuditRow) -> None:
        """Say of an erasure that it is younger than the anchors: these have what was there before."""
        for anchor in self._anchors:
            if row.sequence > anchor.heads.get(row.journal, (0, ""))[0]:
                says = (
                    f"content that was there when {anchor.where} was written was erased since, by record, on {row.at}"
                )
                self.report.add("anchor", "removed", row.session_id, row.event_id, says)

    def _altered(self, row: AuditRow, says: str, *, intact: bool = False) -> None:
        """Say what is wrong with a row; one that is ``intact`` was written so."""
        where = f"line {row.sequence} of journal {row.journal}"
        verdict: Verdict = "missing" if intact else "altered"
        self.report.add("integrity", verdict, row.session_id, row.event_id, f"{where}: {says}")

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

    def _check_ends(self, session_id: str, recorded: list[RecordedEvent]) -> None:
        """Check that what has started has ended."""
        chains: dict[str, OpenTurns[_Start]] = {}
        for one in recorded:
            chain = chains.setdefault(one.journal, OpenTurns())
            if isinstance(one.event, Started):
                chain.start(_Start(one.event))
            elif isinstance(one.event, Ended) and chain.end(one.event)[1] is not None:
                self.report.ok("structure")
        for journal, chain in chains.items():
            verdict: Verdict = "pending" if self._ends.get(journal, UNKNOWN).pending else "missing"
            for turn in chain.values():
                for opened in turn.opened():
                    says = f"{KIND_OF[type(opened.started)]} has no end"
                    self.report.add("structure", verdict, session_id, opened.started.event_id, says)

    def _check_seals(self, session_id: str, recorded: list[RecordedEvent]) -> None:
        """Check that of no chain that the session's metadata has a seal of all rows are gone."""
        for journal in set(self._seals_of(session_id)) - {one.journal for one in recorded}:
            says = f"its metadata has a seal of journal {journal}, of which there are no rows"
            self.report.add("completeness", "altered", session_id, journal, says)
