"""Proof: that what was recorded is whole and unaltered, and that record, trace and log agree.

``report`` is what a verification says (``report_text`` in words), ``chains``, ``journals`` and ``anchors`` look at chains, ``record_check`` at what is
shown of them, ``cross_check`` at trace and log, and ``verifier`` brings these together. ``trust``, ``erased`` and
``outlets`` say what excuses a difference, and what does not.

Private: what users import is in ``turnspan`` and its public modules.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from turnspan.errors import NothingRecordedError
from turnspan.settings import Settings
from turnspan.verification.report import Finding, Report

if TYPE_CHECKING:
    from turnspan.journal.seals import Seal
    from turnspan.reading.line_sources import FileLines, LineSource
    from turnspan.reading.span_sources import FileSpans, SpanSource
    from turnspan.recording.recorder import Recorder
    from turnspan.stores.base import SessionStore
    from turnspan.verification.outlets import Place

S = TypeVar("S", "FileSpans", "FileLines")

__all__ = ["Finding", "Report", "existing_store", "verify"]

NOT_CHECKED = "none"


def verify(
    session: str | None = None,
    *,
    since: str | None = None,
    spans: str | None = None,
    logs: str | None = None,
    store: Any = None,
    key: str | None = None,
    anchors: Sequence[str] = (),
    retention_ns: int | None = None,
    settings: Settings | None = None,
) -> Report:
    """Compare record, trace and log, and check that the record is what was written. Nothing is created by it.

    What this process has recorded until now is verified, too: how its own chain ends it knows without a seal.

    Args:
        session: The session; None: all, or those used ``since``.
        since: ISO 8601 time.
        spans: A file of OTLP JSON, or the URL of Jaeger or Tempo; by default the file in home. ``"none"``: do not check.
        logs: A file of JSON lines, or the URL of Loki; by default the log file. ``"none"``: do not check.
        store: An open store, or the URL of one; by default that of this process, or of the settings.
        key: File with the key that seals must be signed with; by default ``TURNSPAN_SIGNING_KEY``.
        anchors: Files with older heads of the store, as ``turnspan anchor`` writes them.
        retention_ns: How long backends keep things, in nanoseconds.
        settings: By default those of this process.

    Raises:
        EvidenceError: When spans, logs or an anchor cannot be read.
        SettingsError: When store or key make no sense.
        StoreUnavailableError: When the store cannot be reached.

    """
    from turnspan.journal.seals import Key
    from turnspan.recording import runtime
    from turnspan.verification.anchors import read_anchor
    from turnspan.verification.verifier import Verifier

    active, running = _at_rest() if settings is None else (None, None)
    settings = settings or runtime.settings()
    checked_with = Key.read(key or settings.signing_key)
    read = [read_anchor(Path(path), checked_with) for path in anchors]
    span_source, span_place = _spans(spans, settings, active)
    line_source, line_place = _lines(logs, settings)
    opened = _store(store, settings, active)
    verifier = Verifier(
        opened,
        spans=span_source,
        lines=line_source,
        places=(span_place, line_place),
        journals=settings.journal_path,
        key=checked_with,
        anchors=[anchor for anchor, _ in read],
        running=running if active is not None and active.pipeline.keeps_in(opened) else None,
        retention_ns=retention_ns,
    )
    for anchor, is_checked in read:
        if not is_checked:
            verifier.report.notes.append(f"whose anchor {anchor.where} is was not checked: --key names the key")
    return verifier.verify(session, since)


def _at_rest() -> tuple[Recorder | None, Seal | None]:
    """Return the recorder of this process, with nothing left on the way, and what it knows of the chain that it writes.

    A chain is sealed when its session or its process ends. Until then its end is known here alone, and is as good.
    """
    from turnspan.recording import runtime

    if (active := runtime.existing()) is None:
        return None, None
    head = active.pipeline.journal.head()
    is_stored = runtime.flush()
    active.pipeline.providers.start_flush(time.monotonic(), 5.0)()
    return active, active.pipeline.writer.running_seal(head) if is_stored else None


def _store(given: Any, settings: Settings, active: Recorder | None) -> SessionStore:
    """Return the store that is meant."""
    if given is not None and not isinstance(given, str):
        found: SessionStore = given
        return found
    if given is None and active is not None and active.pipeline.store is not None:
        return active.pipeline.store
    return existing_store(given or settings.store_url)


def existing_store(url: str) -> SessionStore:
    """Open a store; one that does not exist yet is empty, and is not made.

    Raises:
        StoreUnavailableError: When it cannot be reached.

    """
    from turnspan.stores.opening import open_for_reading

    kind, _, path = url.partition("://")
    path = path.partition("?")[0]
    if kind in ("sqlite", "file") and not Path(path[1:] if kind == "sqlite" else path).exists():
        return _empty(url)
    try:
        return open_for_reading(url)
    except NothingRecordedError:
        return _empty(url)


def _empty(url: str) -> SessionStore:
    from turnspan.stores import InMemorySessionStore

    nothing = InMemorySessionStore()
    nothing.url = url
    return nothing


def _spans(where: str | None, settings: Settings, active: Recorder | None) -> tuple[SpanSource | None, Place]:
    """Return where spans are, and what seals call that."""
    from turnspan.reading.span_sources import FileSpans, span_source
    from turnspan.verification.memory_spans import MemorySpans
    from turnspan.verification.outlets import GIVEN

    if where == NOT_CHECKED:
        return None, None
    if where:
        return span_source(where), GIVEN
    if active is not None and active.finished_spans is not None:
        return MemorySpans(active.finished_spans), None
    return _at(FileSpans(_local(settings.spans_path), own=True), settings.spans_path), "file"


def _lines(where: str | None, settings: Settings) -> tuple[LineSource | None, Place]:
    """Return where log lines are, and what seals call that."""
    from turnspan.reading.line_sources import FileLines, line_source
    from turnspan.verification.outlets import GIVEN

    if where == NOT_CHECKED:
        return None, None
    if where:
        return line_source(where), GIVEN
    path = settings.log_path
    if path is None:  # this process has none; those that are verified may have had the one in home
        path = settings.default_log_path
    is_default = path == settings.default_log_path
    return _at(FileLines(_local(path)), path), "file" if is_default else f"file:{settings.log}"


def _at(source: S, path: Path) -> S:
    """Return a source by the name of the file that it should be."""
    source.name = str(path) if path.exists() else f"{path} (not there)"
    return source


def _local(path: Path) -> Path:
    """Return a file beside the record; what never came to be is compared all the same, as an empty one."""
    return path if path.exists() else Path(os.devnull)
