"""Proof: that what was recorded is whole and unaltered, and that record, trace and log agree; and ways to keep it so.

``report`` is what a verification says, ``chains`` looks at one store's chains, ``agreement`` at the trace and the log that
``evidence`` reads, ``verifier`` brings these together. ``erasure`` takes content out and leaves the proof, ``rebuild``
makes a store of kept journals, ``housekeeping`` removes what is old.

Private: what users import is in ``turnspan`` and its public modules.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from turnspan.settings import Settings
from turnspan.verification.report import Finding, Report

__all__ = ["Finding", "Report", "verify"]

NOT_CHECKED = "none"


def verify(
    session: str | None = None,
    *,
    since: str | None = None,
    spans: str | None = None,
    logs: str | None = None,
    store: Any = None,
    key: str | None = None,
    retention_ns: int | None = None,
    settings: Settings | None = None,
) -> Report:
    """Compare record, trace and log, and check that the record is what was written.

    Args:
        session: The session; None: all, or those used ``since``.
        since: ISO 8601 time.
        spans: A file of OTLP JSON, or the URL of Jaeger or Tempo; by default the file in home. ``"none"``: do not check.
        logs: A file of JSON lines, or the URL of Loki; by default the log file. ``"none"``: do not check.
        store: An open store, or the URL of one; by default that of the settings.
        key: File with the key that seals must be signed with; by default ``TURNSPAN_SIGNING_KEY``.
        retention_ns: How long backends keep things, in nanoseconds.
        settings: By default those of this process.

    Raises:
        EvidenceError: When spans or logs cannot be read.
        SettingsError: When store or key make no sense.

    """
    from turnspan.journal.seals import Key
    from turnspan.reading.line_sources import line_source
    from turnspan.reading.span_sources import FileSpans, span_source
    from turnspan.recording import runtime
    from turnspan.stores import open_store
    from turnspan.verification.verifier import Verifier

    if settings is None:
        active = runtime.recorder()
        settings = active.settings
        runtime.flush()
    if store is None or isinstance(store, str):
        store = open_store(store or settings.store_url)
    own = FileSpans(_local(settings.spans_path), own=True)
    logs = logs or (str(_local(settings.log_path)) if settings.log_path is not None else NOT_CHECKED)
    return Verifier(
        store,
        spans=None if spans == NOT_CHECKED else span_source(spans) if spans else own,
        lines=None if logs == NOT_CHECKED else line_source(logs),
        journals=settings.journal_path,
        key=Key.read(key or settings.signing_key),
        retention_ns=retention_ns,
    ).verify(session, since)


def _local(path: Path) -> Path:
    """Return a file beside the record; what never came to be is compared all the same, as an empty one."""
    return path if path.exists() else Path(os.devnull)
