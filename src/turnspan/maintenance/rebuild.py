"""Rebuilding: a store made again of kept journals, or of another store's audit rows."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path

from turnspan.journal.hash_chain import Line, ids_in, read
from turnspan.journal.recorded_events import span_of
from turnspan.journal.segments import files_of, read_whole
from turnspan.recording.ledger import Ledger
from turnspan.stores.base import Audited, AuditFilter, SessionStore
from turnspan.stores.merging import apply

_BATCH = 2000
Placed = tuple[int, str, Line]
"""A line with the time of its event and its journal."""


def lines_of_journals(directory: Path) -> Iterator[Placed]:
    """Yield the lines of all journals in a directory, in order of time, each journal's in order of sequence."""
    return heapq.merge(*(_placed(journal, paths) for journal, paths in files_of(directory).items()), key=_when)


def lines_of_store(store: Audited) -> Iterator[Placed]:
    """Yield the lines that a store's audit rows are."""
    rows = store.audit_rows(AuditFilter())
    chains = [
        [
            (
                row.at_ns,
                journal,
                Line(row.sequence, row.previous_hash, row.hash, row.digest, span_of(row), (row.payload or "").encode()),
            )
            for row in chain
        ]
        for journal, chain in groupby(rows, key=lambda row: row.journal)
    ]
    return heapq.merge(*chains, key=_when)


def rebuild(lines: Iterable[Placed], store: SessionStore, on_progress: Callable[[int], None] = lambda _: None) -> int:
    """Fold lines into a store, and return how many there were; what it has already stays and is there once.

    Args:
        lines: What is folded.
        store: Where to.
        on_progress: Called after each batch with how many were folded.

    """
    ledgers: dict[str, Ledger] = {}
    count = 0
    for _, journal, line in lines:
        ledgers.setdefault(journal, Ledger(journal)).fold(line)
        count += 1
        if count % _BATCH == 0:
            _apply(ledgers, store)
            on_progress(count)
    _apply(ledgers, store)
    on_progress(count)
    return count


def _apply(ledgers: dict[str, Ledger], store: SessionStore) -> None:
    for ledger in ledgers.values():
        if changes := ledger.take():
            apply(store, changes)


def _placed(journal: str, paths: list[Path]) -> Iterator[Placed]:
    for path in paths:
        for line in read_whole(path).lines:
            if (event := read(line.payload) or ids_in(line.payload)) is not None:
                yield event.at_ns, journal, line


def _when(placed: Placed) -> tuple[int, str]:
    return placed[0], placed[1]
