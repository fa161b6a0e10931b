"""Housekeeping: what is old is removed, and what is left says that it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from turnspan.journal.seals import Key
from turnspan.journal.segments import files_of
from turnspan.maintenance.removal import remove_session
from turnspan.model.append_files import rewrite
from turnspan.model.json_values import encode
from turnspan.model.records import from_iso
from turnspan.reading.pages import summaries
from turnspan.settings import Settings
from turnspan.stores.base import SessionFilter, SessionStore, Vacuums
from turnspan.telemetry import semconv as sc
from turnspan.telemetry.otlp_json import attributes_of

_PAGE = 500


class Pruned(NamedTuple):
    """What was removed, and what it freed."""

    sessions: int
    lines: int
    journals: int
    bytes_freed: int


def prune(store: SessionStore, settings: Settings, before: str, *, dry_run: bool = False) -> Pruned:
    """Remove sessions that were last used before a time, with their log lines, local spans and kept journals.

    With a signing key the removals are signed.

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
        key = Key.read(settings.signing_key)
        for session_id in old:
            remove_session(session_id, store, key)
        if isinstance(store, Vacuums):
            store.vacuum()
        before_ns = from_iso(before) or 0
        cut = _Cut(set(old), set(store.list_sessions()), before_ns)
        for path, kept in ((settings.log_path, cut.log_line), (settings.spans_path, cut.spans)):
            if path is not None and path.is_file():
                lines += rewrite(path, kept)
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


class _Cut:
    """Removes what files have of removed sessions, and what is old and belongs to no session that there is.

    What there is of a session that stays, stays whole: nothing of it is missing anywhere.
    """

    def __init__(self, removed: set[str], known: set[str], before_ns: int) -> None:
        self._removed, self._known, self._before_ns = removed, known, before_ns

    def log_line(self, line: bytes) -> bytes:
        """Return a log line, or nothing."""
        fields = _parsed(line)
        if fields is None:
            return line
        goes = self._goes(fields.get("session_id"), from_iso(fields.get("timestamp")))
        return b"" if goes else line

    def spans(self, line: bytes) -> bytes:
        """Return a request with spans without those that go; nothing when none is left."""
        request = _parsed(line)
        if request is None:
            return line
        gone = left = 0
        for resource in request.get("resourceSpans") or []:
            for scope in resource.get("scopeSpans") or []:
                spans = scope.get("spans") or []
                scope["spans"] = [span for span in spans if not self._span_goes(span)]
                gone += len(spans) - len(scope["spans"])
                left += len(scope["spans"])
        if not gone:
            return line
        return encode(request) + b"\n" if left else b""

    def _span_goes(self, span: dict[str, Any]) -> bool:
        start = str(span.get("startTimeUnixNano") or "")
        session_id = attributes_of(span).get(sc.GEN_AI_CONVERSATION_ID)
        return self._goes(session_id, int(start) if start.isdecimal() else None)

    def _goes(self, session_id: Any, at_ns: int | None) -> bool:
        if session_id in self._removed:
            return True
        return session_id not in self._known and at_ns is not None and at_ns < self._before_ns


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _drop_kept(directory: Path, before_ns: int) -> int:
    gone = 0
    for paths in (files_of(directory) if directory.is_dir() else {}).values():
        for path in paths:
            if path.suffix == ".kept" and path.stat().st_mtime_ns < before_ns:
                path.unlink()
                gone += 1
    return gone
