"""Chains: are their lines what they were when they were written, is none missing, and is their end there?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any, NamedTuple

import msgspec

from turnspan.events import KIND_OF, Noted
from turnspan.journal.hash_chain import SpanIds, hash_of, head_of, read
from turnspan.journal.seals import NOTE, Heads, Seal, seal_of
from turnspan.model.json_values import encode
from turnspan.stores.base import Audited, AuditFilter
from turnspan.stores.merging import MOST_SEALS
from turnspan.stores.rows import AuditRow, Removed
from turnspan.verification.journals import Journals
from turnspan.verification.report import Report, Verdict
from turnspan.verification.trust import Trust
from turnspan.verification.typed_rows import TypedRows


class End(NamedTuple):
    """How a chain ends: which seal says so, why it is closed ("": it is not), and up to which line it is proven.

    ``pending``: a process holds the chain's journal, or left it here, so that what is not sealed may still be.
    """

    seal: Seal | None = None
    closed: str = ""
    sealed_to: int = 0
    pending: bool = False


UNKNOWN = End()
SealsOf = Callable[[str], dict[str, Any]]
"""Returns the newest seals that a session's metadata has, by journal."""


class Chains:
    """The chains of one store.

    Args:
        store: The store.
        report: Takes what is found.
        trust: Which seals and removals may be believed.
        journals: The journals beside the store.
        seals_of: Returns what a session says of its ends.
        typed: Passes on the rows that can be looked at.
        running: What this process knows of the chain that it writes.

    """

    def __init__(
        self,
        store: Audited,
        report: Report,
        trust: Trust,
        journals: Journals,
        seals_of: SealsOf,
        typed: TypedRows,
        running: Seal | None = None,
    ) -> None:
        self._store, self._report, self._trust, self._journals = store, report, trust, journals
        self._seals_of, self._typed, self._running = seals_of, typed, running
        self.ends: dict[str, End] = {}
        self.removed: dict[str, dict[int, Removed]] = {}
        self.removed_sessions: set[str] = set()
        """Names of the sessions whose removal may be believed."""
        self._named: dict[str, Heads] = {}
        self._hashes: dict[str, dict[int, str]] = {}  # of the lines that others may name
        self._first_lines: dict[str, int] = {}
        self._last_lines: dict[str, int] = {}

    def check(self, wanted: frozenset[str] | None, watched: dict[str, set[int]] | None = None) -> None:
        """Check hashes, numbers and seals of all chains, or of those parts that some sessions lie in.

        Args:
            wanted: These sessions; None: all.
            watched: Lines whose hashes are to be remembered, by journal: see :meth:`hash_at`.

        """
        for one in self._typed.removed(self._store.audit_removed()):
            self.removed.setdefault(one.journal, {})[one.first] = one
        for journal, rows in self._rows(wanted):
            chain = _Chain(self, journal, wanted, (watched or {}).get(journal, set()))
            self.ends[journal] = chain.check(rows)
            self._hashes[journal] = chain.hashes
            self._first_lines[journal], self._last_lines[journal] = chain.first_line, chain.last_line
            self._named |= {f"{journal} {seal.event_id}": seal.heads() for seal in chain.linking}
        self._check_removals(wanted)
        if wanted is None:
            self._check_links()

    def hash_at(self, journal: str, sequence: int) -> str | None:
        """Return the hash of a line that is a seal or was watched; that of the end of what was removed; None: gone."""
        if (found := self._hashes.get(journal, {}).get(sequence)) is not None:
            return found
        gone = self.removal_of(journal, sequence)
        return gone.hash if gone is not None and gone.last == sequence else None

    def begins_at(self, journal: str) -> int:
        """Return the number of the first line that was read of a chain."""
        return self._first_lines.get(journal, 0)

    def ends_at(self, journal: str) -> int:
        """Return the number of the last line that there is of a chain; 0: there is none."""
        return self._last_lines.get(journal, 0)

    def removal_of(self, journal: str, sequence: int) -> Removed | None:
        """Return the removal that a line was part of, if it may be believed."""
        for one in self.removed.get(journal, {}).values():
            if one.first <= sequence <= one.last and self._trust.in_removal(one):
                return one
        return None

    def _rows(self, wanted: frozenset[str] | None) -> Iterator[tuple[str, Iterable[AuditRow]]]:
        if wanted is None:
            yield from groupby(self._typed.of(self._store.audit_rows(AuditFilter())), key=lambda row: row.journal)
            return
        firsts: dict[str, str] = {}
        for session_id in wanted:
            for row in self._typed.of(self._store.audit_events(session_id)):
                firsts[row.journal] = min(row.event_id, firsts.get(row.journal, row.event_id))
        for journal, first in sorted(firsts.items()):  # to its end: a tail that was cut off shows there only
            yield journal, self._typed.of(self._store.audit_rows(AuditFilter(journal=journal, since_id=first)))

    def _check_removals(self, wanted: frozenset[str] | None) -> None:
        for journal, ranges in self.removed.items():
            for one in ranges.values():
                if self._trust.in_removal(one):
                    self.removed_sessions.add(one.session)
                elif wanted is None:
                    says = f"the lines {one.first} to {one.last} of journal {journal} were removed, and the removal is not signed by the key"
                    self._report.add("completeness", "altered", None, journal, says)

    def _check_links(self) -> None:
        """Check that the chains that others name are there, as far as these say."""
        for by, heads in self._named.items():
            for journal, (sequence, own) in heads.items():
                found = self.hash_at(journal, sequence)
                if found == own or (found is None and self.removal_of(journal, sequence) is not None):
                    self._report.ok("structure")
                    continue
                says = (
                    f"line {sequence} of journal {journal} is {'not there' if found is None else 'another one'}; "
                    f"the journal {by.partition(' ')[0]}, which was begun later, says that it was there"
                )
                self._report.add("completeness", "altered", None, journal, says)


class _Chain:
    """One journal's audit rows, in order."""

    def __init__(self, chains: Chains, journal: str, wanted: frozenset[str] | None, watched: set[int]) -> None:
        self._store, self._report, self._trust = chains._store, chains._report, chains._trust  # noqa: SLF001  its part
        self._journals, self._seals_of = chains._journals, chains._seals_of  # noqa: SLF001
        self._journal, self._removed, self._wanted = journal, chains.removed.get(journal, {}), wanted
        self._running = chains._running if chains._running and chains._running.journal == journal else None  # noqa: SLF001
        self._watched = watched if self._running is None else {*watched, self._running.sequence}
        self.hashes: dict[int, str] = {}
        self.linking: list[Seal] = []
        self.first_line = 0
        self._before: tuple[int, str] = (0, "")
        self._events: dict[str, list[tuple[int, str]]] = {}  # of each session, behind its newest seal
        self._seals: dict[str, Seal] = {}  # the newest of each session
        self._last_seal: Seal | None = None
        self._closed = ""
        self._sealed_to = 0

    def check(self, rows: Iterable[AuditRow]) -> End:
        """Check all rows, those of other sessions only as links, and return how the chain ends."""
        first = True
        for row in rows:
            self._check_hash(row)
            self._check_place(row, first=first)
            self.first_line = row.sequence if first else self.first_line
            first = False
            self._count(row)
            self._before = (row.sequence, row.hash)
            if row.sequence in self._watched:
                self.hashes[row.sequence] = row.hash
        self._skip_removed_end()
        if self._running is not None:
            self._check_running(self._running)
        pending = not self._closed and (self._journals.is_held(self._journal) or self._journals.waits(self._journal))
        for session_id in {*self._events, *self._seals}:
            self._check_end(session_id, pending=pending)
        self._check_closed(pending=pending)
        return End(self._last_seal, self._closed, self._sealed_to, pending)

    @property
    def last_line(self) -> int:
        """The number of the last line."""
        return self._before[0]

    # Lines ---------------------------------------------------------------------------------------------------------

    def _check_hash(self, row: AuditRow) -> None:
        head = head_of(row.sequence, row.previous_hash, row.digest, _span_ids(row))
        own = hash_of(row.journal, head, row.kind, row.event_id, row.at_ns, row.session_id, row.turn_id, row.call_id)
        if own != row.hash:
            self._altered(row, "it does not have the hash that it was given")
        else:
            self._report.ok("integrity")

    def _check_place(self, row: AuditRow, *, first: bool) -> None:
        number, own = self._before
        if first and self._wanted is not None and row.sequence > 1:
            return  # what comes before it belongs to other sessions
        if row.sequence == number:
            self._altered(row, "another line has the same number")
            return
        while row.sequence > number + 1 and (gone := self._removed.get(number + 1)) is not None:
            if gone.previous_hash != own:
                self._altered(
                    row, f"the lines {gone.first} to {gone.last} that were removed did not follow line {number}"
                )
            number, own = gone.last, gone.hash
        if row.sequence > number + 1 and self._wanted is not None:
            for between in self._store.audit_rows(
                AuditFilter(journal=self._journal, first=number + 1, last=row.sequence - 1)
            ):
                if between.sequence == number + 1 and between.previous_hash == own:
                    number, own = between.sequence, between.hash
        if row.sequence != number + 1:
            missing = f"line {number + 1}" + ("" if row.sequence == number + 2 else f" to {row.sequence - 1}")
            self._report.add(
                "structure", "altered", row.session_id, row.event_id, f"{missing} of journal {self._journal} is missing"
            )
        elif row.previous_hash != own:
            self._altered(row, f"line {number} before it is not the one that it was written behind")
        elif any(
            one.first <= row.sequence <= one.last and self._trust.in_removal(one) for one in self._removed.values()
        ):
            self._altered(row, "it was removed by record, and is there again")
        else:
            self._report.ok("structure")

    def _skip_removed_end(self) -> None:
        """Go on to what the lines at the chain's end said that were removed, if the removal may be believed."""
        number, own = self._before
        while (gone := self._removed.get(number + 1)) is not None and self._trust.in_removal(gone):
            if gone.previous_hash != own:
                says = f"the lines {gone.first} to {gone.last} that were removed did not follow line {number}"
                self._report.add("integrity", "altered", None, self._journal, f"journal {self._journal}: {says}")
            number, own = gone.last, gone.hash
            self._closed = gone.closed
            if gone.closed:
                self._sealed_to = number
        self._before = (number, own)

    # Seals ---------------------------------------------------------------------------------------------------------

    def _count(self, row: AuditRow) -> None:
        self._closed = ""  # a chain that is closed has nothing behind that
        seal = None
        if row.kind == KIND_OF[Noted] and row.turn_id is None and row.payload:
            seal = _seal_in(row)
        if seal is not None and self._is_believed(row, seal):
            self._take_seal(row, seal)
        else:
            self._events.setdefault(row.session_id, []).append((row.sequence, row.hash))

    def _is_believed(self, row: AuditRow, seal: Seal) -> bool:
        says = ""
        if not self._trust.in_seal(seal):
            says = "is not signed by the key" if seal.signature else "is not signed"
        elif seal.journal != self._journal:
            says = "belongs to another journal"
        elif seal.format and not _is_own_line(row, seal):
            says = "was made for another line, or has more in it than a seal"
        elif seal.line and (seal.line, seal.previous) != (row.sequence, row.previous_hash):
            says = f"closes the chain as line {seal.line}, and is line {row.sequence}, or the line before it is not the one"
        if says:
            self._unproven(row.session_id, seal, says)
        return not says

    def _take_seal(self, row: AuditRow, seal: Seal) -> None:
        self._last_seal, self._closed = seal, seal.closed if seal.line or not seal.format else ""
        self.hashes[row.sequence] = row.hash
        if seal.before:
            self.linking.append(seal)
        if seal.line:
            self._sealed_to = row.sequence
        covered = [one for one in self._events.pop(row.session_id, []) if one[0] > seal.after]
        kept = [one for one in covered if one[0] <= seal.sequence]
        if late := [one for one in covered if one[0] > seal.sequence]:
            self._events[row.session_id] = late
        if self._wanted is not None and row.session_id not in self._wanted:
            if kept and kept[-1] == (seal.sequence, seal.head):
                self._sealed_to = max(self._sealed_to, seal.sequence)
            return
        self._seals[row.session_id] = seal
        if len(kept) != seal.events:
            self._unproven(row.session_id, seal, f"says {seal.events} events; there are {len(kept)}")
        elif kept and kept[-1] != (seal.sequence, seal.head):
            self._unproven(row.session_id, seal, "does not have the hash of the last event")
        else:
            self._sealed_to = max(self._sealed_to, seal.sequence)
            self._report.ok("completeness")
        if seal.dropped:
            says = f"its process could not keep {seal.dropped} events: neither disk nor memory took them"
            self._report.add("completeness", "dropped", row.session_id, self._journal, says)

    def _check_end(self, session_id: str, *, pending: bool) -> None:
        """Check the end of a session in this chain against what its metadata says."""
        if self._wanted is not None and session_id not in self._wanted:
            return
        kept = self._seals_of(session_id)
        said = kept.get(self._journal)
        older = len(kept) >= MOST_SEALS and self._journal < min(kept)  # ids of journals sort by time
        newest = self._seals.get(session_id)
        if said is not None and (newest is None or said != msgspec.to_builtins(newest)):
            line = said.get("sequence") if isinstance(said, dict) else None
            says = f"its metadata says that line {line} is its last in journal {self._journal}; the rows say "
            says += "nothing of an end" if newest is None else f"line {newest.sequence}, or another hash"
            self._report.add("completeness", "altered", session_id, self._journal, says)
        elif open_ := [one for one in self._events.get(session_id, []) if one[0] > self._sealed_to]:
            self._say_open(session_id, len(open_), pending=pending)
        elif said is None and newest is not None and not older:
            says = f"its metadata lacks the seal of journal {self._journal}"
            self._report.add("completeness", "altered", session_id, self._journal, says)

    def _check_running(self, running: Seal) -> None:
        """Check the chain that this process writes against the end that it knows; what came behind is still pending."""
        number = running.sequence
        if any(gone.first <= number <= gone.last for gone in self._removed.values()):
            return
        if self.hashes.get(number) != running.head:
            says = f"line {number} of journal {self._journal} is not the one that this process wrote, or is not there"
            self._report.add("completeness", "altered", None, self._journal, says)
            return
        self._last_seal, self._sealed_to = running, number
        for session_id, lines in self._events.items():
            if (self._wanted is None or session_id in self._wanted) and lines[-1][0] <= number:
                self._report.ok("completeness")

    def _say_open(self, session_id: str, count: int, *, pending: bool) -> None:
        says = f"the last {count} events in journal {self._journal} are not sealed"
        if pending:
            why = "its process still runs" if self._journals.is_held(self._journal) else "its process died"
            self._report.add("completeness", "pending", session_id, self._journal, f"{says}: {why}")
        else:
            says += ", and nobody here holds that journal: what came behind them was cut off, or they were forged"
            self._report.add("completeness", "missing", session_id, self._journal, says)

    def _check_closed(self, *, pending: bool) -> None:
        """Check that a chain which promises to be closed is, unless its process may still do it."""
        seal = self._last_seal
        if self._closed or seal is None or not seal.format or pending:
            return
        if any(one[0] > self._sealed_to for lines in self._events.values() for one in lines):
            return  # that was said already
        says = (
            f"journal {self._journal} ends behind line {self._before[0]} with a seal that does not close it, and nobody "
            "here holds it: what came behind was cut off, or its process runs (or died) on another machine"
        )
        verdict: Verdict = "missing"
        for session_id in sorted(self._wanted & self._seals.keys()) if self._wanted is not None else [None]:
            self._report.add("completeness", verdict, session_id, self._journal, says)

    def _unproven(self, session_id: str, seal: Seal, says: str) -> None:
        self._report.add(
            "completeness",
            "altered",
            session_id,
            self._journal,
            f"the seal behind line {seal.sequence} of journal {self._journal} {says}",
        )

    def _altered(self, row: AuditRow, says: str) -> None:
        where = f"line {row.sequence} of journal {row.journal}"
        self._report.add("integrity", "altered", row.session_id, row.event_id, f"{where}: {says}")


def _seal_in(row: AuditRow) -> Seal | None:
    return seal_of(read((row.payload or "").encode()))


def _is_own_line(row: AuditRow, seal: Seal) -> bool:
    """Return whether a seal is all that its line holds: what stands around it is not signed."""
    data = msgspec.to_builtins(seal)
    own = Noted(session_id=seal.session_id, name=NOTE, data=data, at_ns=seal.at_ns, event_id=seal.event_id)
    ids = (row.event_id, row.session_id, row.at_ns, row.call_id, _span_ids(row))
    return (
        ids == (seal.event_id, seal.session_id, seal.at_ns, None, None) and (row.payload or "") == encode(own).decode()
    )


def _span_ids(row: AuditRow) -> SpanIds | None:
    """Return the span ids of a row as they are, odd ones too: what was altered must not look whole."""
    if (row.trace_id, row.span_id, row.trace_flags, row.parent_span_id) == (None, None, None, None):
        return None
    return SpanIds(str(row.trace_id), str(row.span_id), row.trace_flags, row.parent_span_id or "")  # type: ignore[arg-type]
