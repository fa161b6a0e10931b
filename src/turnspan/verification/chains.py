"""Chains: are their lines what they were when they were written, is none missing, and is their end there?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from turnspan.events import KIND_OF, Noted
from turnspan.journal.hash_chain import Line, SpanIds, decode, digest_of, hash_of, head_of, line_hash
from turnspan.journal.seals import Key, Seal, seal_of
from turnspan.journal.segments import files_of, header_of, is_held, read_whole
from turnspan.settings import without_password
from turnspan.stores.base import Audited, AuditFilter, url_of
from turnspan.stores.merging import MOST_SEALS
from turnspan.stores.rows import AuditRow, Removed
from turnspan.verification.report import Report


class End(NamedTuple):
    """The end of a chain, as its newest seal has it; without one its process may still be writing."""

    sealed: bool
    closed: str
    seal: Seal | None


UNSEALED = End(sealed=False, closed="", seal=None)
SealsOf = Callable[[str], dict[str, Any]]
"""Returns the newest seals that a session's metadata has, by journal."""


def check_chains(
    store: Audited, report: Report, wanted: frozenset[str] | None, key: Key | None, seals_of: SealsOf
) -> dict[str, End]:
    """Check hashes, numbers and seals of all chains, or of those parts that some sessions lie in.

    Returns:
        How each chain ends.

    """
    removed: dict[str, dict[int, Removed]] = {}
    for one in store.audit_removed():
        removed.setdefault(one.journal, {})[one.first] = one
    where, journals = AuditFilter(), None
    if wanted is not None:
        ids = [(row.event_id, row.journal) for session_id in wanted for row in store.audit_events(session_id)]
        journals = {journal for _, journal in ids}
        if not ids:
            return {}
        where = AuditFilter(since_id=min(ids)[0], until_id=max(ids)[0] + "~")
    ends = {}
    for journal, rows in groupby(store.audit_rows(where), key=lambda row: row.journal):
        if journals is None or journal in journals:
            chain = _Chain(store, report, journal, removed.get(journal, {}), wanted, key, seals_of)
            ends[journal] = chain.check(rows)
    return ends


class _Chain:
    """One journal's audit rows, in order."""

    def __init__(
        self,
        store: Audited,
        report: Report,
        journal: str,
        removed: dict[int, Removed],
        wanted: frozenset[str] | None,
        key: Key | None,
        seals_of: SealsOf,
    ) -> None:
        self._store, self._report, self._key, self._seals_of = store, report, key, seals_of
        self._journal, self._removed, self._wanted = journal, removed, wanted
        self._before: tuple[int, str] = (0, "")
        self._unsealed: dict[str, list[tuple[int, str]]] = {}
        self._seals: dict[str, Seal] = {}
        self._last_seal: Seal | None = None

    def check(self, rows: Iterable[AuditRow]) -> End:
        """Check all rows, those of other sessions only as links, and return how the chain ends."""
        first = True
        for row in rows:
            self._check_hash(row)
            self._check_place(row, first=first)
            first = False
            self._count(row)
            self._before = (row.sequence, row.hash)
        for session_id in {*self._unsealed, *self._seals}:
            self._check_end(session_id)
        open_ = any(self._unsealed.values())
        closed = self._last_seal.closed if self._last_seal is not None else ""
        sealed = not open_ and self._last_seal is not None
        return End(sealed=sealed, closed=closed, seal=self._last_seal)

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
        else:
            self._report.ok("structure")

    def _count(self, row: AuditRow) -> None:
        if row.kind == KIND_OF[Noted] and row.turn_id is None and row.payload and (seal := _seal_in(row)) is not None:
            self._check_seal(row, seal)
        elif self._wanted is None or row.session_id in self._wanted:
            self._unsealed.setdefault(row.session_id, []).append((row.sequence, row.hash))

    def _check_seal(self, row: AuditRow, seal: Seal) -> None:
        self._last_seal = seal
        if self._wanted is not None and row.session_id not in self._wanted:
            return
        self._seals[row.session_id] = seal
        covered = [one for one in self._unsealed.pop(row.session_id, []) if one[0] > seal.after]
        kept = [one for one in covered if one[0] <= seal.sequence]
        if late := [one for one in covered if one[0] > seal.sequence]:
            self._unsealed[row.session_id] = late
        if self._key is not None and not seal.is_signed_by(self._key):
            self._unproven(row.session_id, seal, "is not signed by the key")
        elif seal.journal != self._journal:
            self._unproven(row.session_id, seal, "belongs to another journal")
        elif len(kept) != seal.events:
            self._unproven(row.session_id, seal, f"says {seal.events} events; there are {len(kept)}")
        elif not kept or kept[-1] != (seal.sequence, seal.head):
            self._unproven(row.session_id, seal, "does not have the hash of the last event")
        else:
            self._report.ok("completeness")
        if seal.dropped:
            says = f"its process could not keep {seal.dropped} events: neither disk nor memory took them"
            self._report.add("completeness", "dropped", row.session_id, self._journal, says)

    def _check_end(self, session_id: str) -> None:
        """Check the end of a session in this chain against what its metadata says."""
        if self._wanted is not None and session_id not in self._wanted:
            return
        kept = self._seals_of(session_id)
        said = kept.get(self._journal)
        older = len(kept) >= MOST_SEALS and self._journal < min(kept)  # ids of journals sort by time
        newest = self._seals.get(session_id)
        if said is not None and (newest is None or said != msgspec.to_builtins(newest)):
            says = f"its metadata says that line {said.get('sequence')} is its last in journal {self._journal}; the rows say "
            says += "nothing of an end" if newest is None else f"line {newest.sequence}, or another hash"
            self._report.add("completeness", "altered", session_id, self._journal, says)
        elif self._unsealed.get(session_id):
            count = len(self._unsealed[session_id])
            says = f"the last {count} events in journal {self._journal} are not sealed: its process still runs, or was lost"
            self._report.add("completeness", "pending", session_id, self._journal, says)
        elif said is None and newest is not None and not older:
            says = f"its metadata lacks the seal of journal {self._journal}"
            self._report.add("completeness", "altered", session_id, self._journal, says)

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
    try:
        return seal_of(decode((row.payload or "").encode()))
    except msgspec.MsgspecError:
        return None


def _span_ids(row: AuditRow) -> SpanIds | None:
    """Return the span ids of a row as they are, odd ones too: what was altered must not look whole."""
    if (row.trace_id, row.span_id, row.trace_flags, row.parent_span_id) == (None, None, None, None):
        return None
    return SpanIds(str(row.trace_id), str(row.span_id), row.trace_flags, row.parent_span_id or "")  # type: ignore[arg-type]


Stored = dict[int, tuple[str, str]]
"""Of a journal's lines that a store has: the hash, and the digest of the content that is there now."""


def check_journals(store: Audited, report: Report, directory: Path) -> None:
    """Check the journals that are kept, or wait, beside a store, and that it has what it confirmed."""
    files = files_of(directory)
    if not files:
        return
    gone = {one.journal for one in store.audit_removed()}
    stored: dict[str, Stored] = {journal: {} for journal in files}
    for row in store.audit_rows(AuditFilter()):
        if row.journal in stored:
            stored[row.journal][row.sequence] = (row.hash, digest_of((row.payload or "").encode()))
    url = url_of(store)
    for journal, paths in files.items():
        meant = next((header.get("store") for path in paths if (header := header_of(path)) is not None), None)
        if (
            meant in (None, "", without_password(url)) or stored[journal]
        ):  # a store that was moved is known by what it has
            alive = is_held(directory, journal)
            _Files(report, journal, stored[journal], alive=alive, whole=journal not in gone).check(paths)


class _Files:
    """One journal's segments, beside the store that they were meant for."""

    def __init__(self, report: Report, journal: str, stored: Stored, *, alive: bool, whole: bool) -> None:
        self._report, self._journal, self._stored = report, journal, stored
        self._alive, self._whole = alive, whole  # whole: the store had no reason to remove any of its rows
        self._before: tuple[int, str] | None = None

    def check(self, paths: list[Path]) -> None:
        for path in paths:
            header = header_of(path)
            if header is None or (header.get("journal"), header.get("segment")) != (self._journal, _segment_of(path)):
                self._altered(path.name, f"the first line of {path.name} is damaged")
            lines, damaged, _ = read_whole(path)
            if damaged and not (self._alive and path == paths[-1]):
                self._altered(path.name, f"{path.name} has {damaged} bytes that are no line")
            if header is not None and lines and lines[0].previous != header.get("after"):
                self._altered(path.name, f"{path.name} does not begin where it says")
            for line in lines:
                self._check_line(line, path)
        last = max(self._stored, default=0)
        if not self._alive and self._before is not None and last > self._before[0]:
            self._altered(paths[-1].name, f"{paths[-1].name} ends before line {last}, which the store has")

    def _check_line(self, line: Line, path: Path) -> None:
        where = f"line {line.sequence} of journal {self._journal} ({path.name})"
        own = line_hash(self._journal, line.head, decode(line.payload))
        before, self._before = self._before, (line.sequence, own)
        hash_, digest = self._stored.get(line.sequence, (own, line.digest))
        if digest_of(line.payload) not in (line.digest, digest):  # erased content is the store's to answer for
            self._altered(self._journal, f"{where}: its content is not what its digest says")
        elif before is not None and line.sequence != before[0] + 1:
            self._altered(self._journal, f"{where} follows line {before[0]}")
        elif before is not None and line.previous != before[1]:
            self._altered(self._journal, f"{where}: the line before it was altered")
        elif hash_ != own:
            self._altered(self._journal, f"{where} is not the line that the store has")
        elif path.suffix == ".kept" and self._whole and line.sequence not in self._stored:
            self._altered(self._journal, f"{where}: the store had confirmed it, and lacks it now")
        else:
            self._report.ok("integrity")

    def _altered(self, id_: str, says: str) -> None:
        self._report.add("integrity", "altered", None, id_, says)


def _segment_of(path: Path) -> int:
    return int(path.name.split(".")[1])
