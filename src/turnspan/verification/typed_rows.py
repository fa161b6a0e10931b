"""Typed rows: audit rows whose columns have values of the types that turnspan writes; SQLite takes any in any column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from turnspan.stores.rows import AuditRow, Removed
from turnspan.verification.report import Report


class TypedRows:
    """Passes on the rows that can be looked at, and names the others, each once.

    Args:
        report: Takes what is found.

    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._named: set[str] = set()

    def of(self, rows: Iterable[AuditRow]) -> Iterator[AuditRow]:
        """Yield those of these rows that can be looked at."""
        for row in rows:
            try:
                yield msgspec.convert(msgspec.structs.asdict(row), AuditRow)
            except msgspec.ValidationError as error:
                self._name(row.session_id, row.event_id, f"line {row.sequence!r} of journal {row.journal!r}", error)

    def removed(self, rows: Iterable[Removed]) -> Iterator[Removed]:
        """Yield those of what is left of removed rows that can be looked at."""
        for one in rows:
            try:
                yield msgspec.convert(msgspec.structs.asdict(one), Removed)
            except msgspec.ValidationError as error:
                self._name(None, one.journal, f"what is left of line {one.first!r} of journal {one.journal!r}", error)

    def _name(self, session_id: object, id_: object, what: str, error: Exception) -> None:
        if what not in self._named:
            self._named.add(what)
            session = None if session_id is None else str(session_id)
            says = f"{what} has a value of another type than turnspan writes: {error}"
            self._report.add("integrity", "altered", session, str(id_), says)
