"""Housekeeping: what is old is removed, and what is left says that it was."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from turnspan.journal.segments import files_of
from turnspan.model.append_files import rewrite
from turnspan.model.records import from_iso
from turnspan.reading.pages import summaries
from turnspan.settings import Settings
from turnspan.stores.base import SessionFilter, SessionStore, Vacuums

_PAGE = 500
_STAMPS = (b'"timestamp":"', b'"startTimeUnixNano":"')


class Pruned(NamedTuple):
    """What was removed, and what it freed."""

    sessions: int
    lines: int
    journals: int
    bytes_freed: int


def prune(store: SessionStore, settings: Settings, before: str, *, dry_run: bool = False) -> Pruned:
    """Remove sessions that were last used before a time, with log lines, local spans and kept journals as old as that.

    Args:
        store: The store.
        settings: Where the files are.
        before: ISO 8601 time.
        dry_run: Only count.

    """
    old = _unused_since(store, before)
    size = _bytes_of(settings)
    lines = journals = 0
    if not dry_run:
        for session_id in old:
            store.delete_session(session_id)
        if isinstance(store, Vacuums):
            store.vacuum()
        before_ns = from_iso(before) or 0
        for path in (settings.log_path, settings.spans_path):
            if path is not None and path.is_file():
                lines += _cut(path, before_ns)
        journals = _drop_kept(settings.journal_path, before_ns)
    return Pruned(len(old), lines, journals, max(0, size - _bytes_of(settings)))


def shrink(store: SessionStore, settings: Settings, most_bytes: int) -> Pruned:
    """Remove the sessions used longest ago, a tenth at a time, until home takes less than this."""
    done = Pruned(0, 0, 0, 0)
    while _bytes_of(settings) > most_bytes and (every := summaries(store, SessionFilter(limit=10**9))):
        oldest = every[-max(1, len(every) // 10) :]
        edge = every[-len(oldest) - 1].updated_at if len(every) > len(oldest) else "9999"
        step = prune(store, settings, edge)
        done = Pruned(*(a + b for a, b in zip(done, step, strict=True)))
        if not step.sessions:
            break
    return done


def _unused_since(store: SessionStore, before: str) -> list[str]:
    old: list[str] = []
    after = None
    while page := summaries(store, SessionFilter(limit=_PAGE, after=after)):
        old += [one.session_id for one in page if one.updated_at < before]
        after = page[-1].session_id
    return old


def _bytes_of(settings: Settings) -> int:
    return sum(path.stat().st_size for path in settings.home.rglob("*") if path.is_file())


def _cut(path: Path, before_ns: int) -> int:
    """Remove the lines of a file that are older than a time; return how many."""

    def kept(line: bytes) -> bytes:
        at_ns = _time_of(line)
        return b"" if at_ns is not None and at_ns < before_ns else line

    return rewrite(path, kept)


def _time_of(line: bytes) -> int | None:
    """Return when a line is from: a log line's time, or the start of the first of some spans."""
    for stamp in _STAMPS:
        if (at := line.find(stamp)) >= 0:
            text = line[at + len(stamp) : line.find(b'"', at + len(stamp))].decode("ascii", "replace")
            return int(text) if text.isdigit() else from_iso(text)
    return None


def _drop_kept(directory: Path, before_ns: int) -> int:
    gone = 0
    for paths in (files_of(directory) if directory.is_dir() else {}).values():
        for path in paths:
            if path.suffix == ".kept" and path.stat().st_mtime_ns < before_ns:
                path.unlink()
                gone += 1
    return gone
