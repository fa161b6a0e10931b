"""Journals beside a store: is what they hold what the store has, and does anything wait in them?"""

from __future__ import annotations

from pathlib import Path

from turnspan.journal.hash_chain import Ids, Line, digest_of, ids_in, payload_hash
from turnspan.journal.recorded_events import RecordedEvent
from turnspan.journal.segments import files_of, header_of, is_held, read_whole
from turnspan.journal.unwritten import Losses
from turnspan.settings import without_password
from turnspan.stores.base import Audited, AuditFilter, url_of
from turnspan.verification.report import Report
from turnspan.verification.typed_rows import TypedRows

Stored = dict[int, tuple[str, str]]
"""Of a journal's lines that a store has: the hash, and the digest of the content that is there now."""


class Journals:
    """The journals in a directory, which a process may hold or have left behind.

    Args:
        directory: Where they are; None: there are none here.

    """

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory if directory is not None and directory.is_dir() else None
        self.files = files_of(self._directory) if self._directory is not None else {}
        self._held: dict[str, bool] = {}
        self._waiting: dict[str, list[tuple[int, Ids]]] | None = None
        self._numbers: dict[str, set[int]] = {}

    def is_held(self, journal: str) -> bool:
        """Return whether a process holds a journal: it writes it, or recovers it."""
        if self._directory is None or not journal.isalnum():  # no name of a file of ours
            return False
        if journal not in self._held:
            self._held[journal] = is_held(self._directory, journal)
        return self._held[journal]

    def waits(self, journal: str) -> bool:
        """Return whether a journal of a dead process was left here, to be recovered."""
        return not self.is_held(journal) and any(path.suffix == ".journal" for path in self.files.get(journal, ()))

    def waiting(self) -> dict[str, list[tuple[int, Ids]]]:
        """Return the lines that the store may not have yet, by journal: their numbers, and the ids of their events."""
        if self._waiting is None:
            self._waiting = {}
            for journal, paths in self.files.items():
                lines = [line for path in paths if path.suffix == ".journal" for line in read_whole(path).lines]
                if lines:
                    self._waiting[journal] = [(line.sequence, ids_in(line.payload) or _NO_IDS) for line in lines]
        return self._waiting

    def has_waiting(self, one: RecordedEvent) -> bool:
        """Return whether an event waits in a journal of a dead process still: what is not done of it is done by recovery."""
        if one.journal not in self._numbers:
            lines = [] if self.is_held(one.journal) else self.waiting().get(one.journal, [])
            self._numbers[one.journal] = {number for number, _ in lines}
        return one.sequence in self._numbers[one.journal]

    def events_waiting(self) -> frozenset[str]:
        """Return the ids of the events in these lines."""
        return frozenset(ids.event_id for lines in self.waiting().values() for _, ids in lines)

    def check(
        self, store: Audited, report: Report, typed: TypedRows, closed: set[str], wanted: frozenset[str] | None
    ) -> None:
        """Check what is here against the store that it was meant for, and say what waits.

        Args:
            store: The store.
            report: Takes what is found.
            typed: Passes on the rows that can be looked at.
            closed: The journals whose chains have an end that may be believed: nothing more is to come in these.
            wanted: These sessions; None: all.

        """
        if not self.files:
            return
        gone = {one.journal for one in typed.removed(store.audit_removed())}
        stored: dict[str, Stored] = {journal: {} for journal in self.files}
        for row in typed.of(store.audit_rows(AuditFilter(sessions=wanted))):
            if row.journal in stored:
                stored[row.journal][row.sequence] = (row.hash, digest_of((row.payload or "").encode()))
        url = url_of(store)
        for journal, paths in self.files.items():
            meant = next((header.get("store") for path in paths if (header := header_of(path)) is not None), None)
            if meant not in (None, "", without_password(url)) and not stored[journal]:
                continue  # another store's; one that was moved is known by what it has
            self._say_what_waits(journal, stored[journal], report, wanted, is_closed=journal in closed)
            if wanted is None:
                alive, losses = self.is_held(journal), self._losses(journal)
                _Files(report, journal, stored[journal], losses, alive=alive, whole=journal not in gone).check(paths)

    def _losses(self, journal: str) -> Losses:
        return Losses() if self._directory is None else Losses.read(self._directory / f"{journal}.lock")

    def _say_what_waits(
        self, journal: str, stored: Stored, report: Report, wanted: frozenset[str] | None, *, is_closed: bool
    ) -> None:
        lines = self.waiting().get(journal, [])
        if not self.is_held(journal) and not is_closed:  # else the seal has said what was lost
            losses, last = self._losses(journal), max([*stored, *(sequence for sequence, _ in lines)], default=0)
            if lost := losses.dropped + max(0, losses.acknowledged - last):
                says = f"the process of journal {journal} died with {lost} events that its disk had no room for"
                report.add("completeness", "dropped", None, journal, says)
        new = [
            ids for sequence, ids in lines if sequence not in stored and (wanted is None or ids.session_id in wanted)
        ]
        if not new:
            return
        held = self.is_held(journal)
        who = "a process that runs" if held else "a process that died"
        then = "" if held else ": `turnspan recover` stores them"
        says = f"{len(new)} events wait in journal {journal} of {who}, and are not in the store yet{then}"
        report.add("completeness", "pending", None, journal, says)


_NO_IDS = Ids("", "", 0, "", None, None)


class _Files:
    """One journal's segments, beside the store that they were meant for."""

    def __init__(
        self, report: Report, journal: str, stored: Stored, losses: Losses, *, alive: bool, whole: bool
    ) -> None:
        self._report, self._journal, self._stored = report, journal, stored
        self._alive, self._whole = alive, whole  # whole: the store had no reason to remove any of its rows
        self._from_memory_until = losses.acknowledged  # lines that the disk had no room for, and the store may have
        self._before: tuple[int, str] | None = None

    def check(self, paths: list[Path]) -> None:
        for path in paths:
            self._check_file(path, newest=path == paths[-1])
        last = max(self._stored, default=0)
        here = self._before[0] if self._before is not None else 0
        if not self._alive and last > max(here, self._from_memory_until):
            self._altered(paths[-1].name, f"{paths[-1].name} ends before line {last}, which the store has")

    def _check_file(self, path: Path, *, newest: bool) -> None:
        header = header_of(path)
        lines, damaged, _ = read_whole(path)
        if header is None and not lines:
            return  # its process died before it had written anything: nothing is missing
        if header is None or (header.get("journal"), header.get("segment")) != (self._journal, _segment_of(path)):
            self._altered(path.name, f"the first line of {path.name} is damaged")
        if damaged and not (newest and path.suffix == ".journal"):  # where a process died in the middle of a line
            self._altered(path.name, f"{path.name} has {damaged} bytes that are not a line")
        begins_there = not lines or header is None or lines[0].previous == header.get("after")
        if not begins_there and lines[0].sequence > self._from_memory_until + 1:
            self._altered(path.name, f"{path.name} does not begin where it says")
        for line in lines:
            self._check_line(line, path)

    def _check_line(self, line: Line, path: Path) -> None:
        where = f"line {line.sequence} of journal {self._journal} ({path.name})"
        own = payload_hash(self._journal, line.head, line.payload) or ""
        before, self._before = self._before, (line.sequence, own)
        hash_, digest = self._stored.get(line.sequence, (own, line.digest))
        if not own:
            self._altered(self._journal, f"{where}: there is no event in it")
        elif digest_of(line.payload) not in (line.digest, digest):  # erased content is the store's to answer for
            self._altered(self._journal, f"{where}: its content is not what its digest says")
        elif before is not None and line.sequence != before[0] + 1 and not self._is_between_stored(line, path):
            self._altered(self._journal, f"{where} follows line {before[0]}")
        elif before is not None and line.sequence == before[0] + 1 and line.previous != before[1]:
            self._altered(self._journal, f"{where}: the line before it was altered")
        elif hash_ != own:
            self._altered(self._journal, f"{where} is not the line that the store has")
        elif path.suffix == ".kept" and self._whole and line.sequence not in self._stored:
            self._altered(self._journal, f"{where}: the store had confirmed it, and lacks it now")
        else:
            self._report.ok("integrity")

    def _is_between_stored(self, line: Line, path: Path) -> bool:
        """Return whether the line before it was never here, for want of room, and the store has it."""
        before = self._stored.get(line.sequence - 1)
        fits = before is not None and before[0] == line.previous
        return path.suffix == ".journal" and line.sequence <= self._from_memory_until + 1 and fits

    def _altered(self, id_: str, says: str) -> None:
        self._report.add("integrity", "altered", None, id_, says)


def _segment_of(path: Path) -> int:
    return int(path.name.split(".")[1])
