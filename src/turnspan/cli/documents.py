"""What ``--json`` prints: one typed document a command, each with the name and version of its schema.

The field ``schema`` comes first. Within a version fields may be added; what changes or removes one counts it up. Times
are ISO 8601 in UTC, durations milliseconds, and nothing is formatted for people.
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct, UnsetType

from turnspan.analysis.comparison import ComparedStep, Side
from turnspan.analysis.provenance import Asked, ExplainedValue
from turnspan.analysis.steps import StepRef
from turnspan.reading.places import Hit, LinePlace, SpanPlace
from turnspan.reading.timeline import Aggregate
from turnspan.stores.base import SessionSummary


class Document(Struct, frozen=True, kw_only=True, tag_field="schema"):
    """A document; its tag is the schema's name and version."""


class ErrorDetail(Struct, frozen=True, kw_only=True):
    """What went wrong: ``kind`` is for programs and stays, ``message`` is for people."""

    kind: str
    message: str


class ErrorDocument(Document, frozen=True, kw_only=True, tag="turnspan.error/1"):
    """Any command that could not do what it was asked (exit code 4)."""

    error: ErrorDetail


class SessionsDocument(Document, frozen=True, kw_only=True, tag="turnspan.sessions/1"):
    """``sessions``: a page, the last used first; ``next`` is what ``--after`` takes for the page behind it."""

    sessions: list[SessionSummary]
    next: str | None


SESSION_SCHEMA = "turnspan.session/1"
"""``show``: the session's ``to_dict()``, with this as its ``schema``, and with what its model calls ``cost``."""


class TimelineItem(Struct, frozen=True, kw_only=True):
    """One thing that happened in a session."""

    kind: str
    name: str
    status: str
    started_at: str
    offset_ms: float
    duration_ms: float | None
    depth: int
    agent: str
    turn_id: str
    call_id: str | None
    trace_id: str | None
    span_id: str | None
    audit_event_ids: list[str]
    error: str | None
    details: dict[str, Any]


class ReplayDocument(Document, frozen=True, kw_only=True, tag="turnspan.replay/1"):
    """``replay``: all that happened in order of time (``entries``), or with ``--by`` totals (``aggregates``)."""

    session_id: str
    by: str
    entries: list[TimelineItem] | UnsetType = UNSET
    aggregates: list[Aggregate] | UnsetType = UNSET


class PathStep(Struct, frozen=True, kw_only=True):
    """One step of the way to something in the record: what it is, and its id or name."""

    kind: str
    name: str


class FoundPlace(Struct, frozen=True, kw_only=True):
    """Where an id is in all three."""

    hit: Hit
    record: list[PathStep]
    audit_event_ids: list[str]
    trace_id: str | None
    span_id: str | None
    span: SpanPlace | None
    log: list[LinePlace]
    trace_url: str | None
    log_url: str | None


class FindDocument(Document, frozen=True, kw_only=True, tag="turnspan.find/1"):
    """``find``: ``trace_source`` and ``log_source`` say where was looked; null: nowhere."""

    query: str
    trace_source: str | None
    log_source: str | None
    places: list[FoundPlace]


class WhyDocument(Document, frozen=True, kw_only=True, tag="turnspan.why/1"):
    """``why``: which model call asked for a step, and where the values that it was given were said before, by text alone.

    ``start`` and ``end`` count characters: of a quote in the value's text, of a source in the text that has it.
    """

    session_id: str
    step: StepRef
    inside: list[StepRef]
    asked_by: Asked | None
    values: list[ExplainedValue]


class DiffDocument(Document, frozen=True, kw_only=True, tag="turnspan.diff/1"):
    """``diff``: two sessions or turns, step by step; ``same`` is what exit code 0 says, ``counts`` how many of each change."""

    a: Side
    b: Side
    same: bool
    counts: dict[str, int]
    steps: list[ComparedStep]


VERIFY_SCHEMA = "turnspan.verify/1"
"""``verify``: :meth:`turnspan.verification.report.Report.to_dict`, with this as its ``schema``."""


class AnchorDocument(Document, frozen=True, kw_only=True, tag="turnspan.anchor/1"):
    """``anchor``: how many chains end in it, where it was written, and its text."""

    origin: str
    chains: int
    written: str
    anchor: str


class CheckResult(Struct, frozen=True, kw_only=True):
    """One thing that ``doctor`` checked; ``state`` is ``ok``, ``note``, ``warn`` or ``fail``."""

    name: str
    state: str
    says: str


class DoctorDocument(Document, frozen=True, kw_only=True, tag="turnspan.doctor/1"):
    """``doctor``."""

    checks: list[CheckResult]


class RecoveredJournal(Struct, frozen=True, kw_only=True):
    """What became of one journal; ``problem`` says why it still waits, ``lost`` counts what its disk had no room for."""

    journal: str
    events: int
    interrupted_turns: int
    torn_bytes: int
    spans: int
    problem: str | None
    lost: int


class RecoverDocument(Document, frozen=True, kw_only=True, tag="turnspan.recover/1"):
    """``recover``."""

    store: str
    journals: list[RecoveredJournal]


class RehydrateDocument(Document, frozen=True, kw_only=True, tag="turnspan.rehydrate/1"):
    """``rehydrate``: how many spans of how many sessions were taken, and by what."""

    sessions: int
    spans: int
    to: str


class UnreadableItem(Struct, frozen=True, kw_only=True):
    """What of a history could not be read, and why."""

    where: str
    why: str


class ImportDocument(Document, frozen=True, kw_only=True, tag="turnspan.import/1"):
    """``import``: what is new, what the store had already, and what could not be read."""

    sessions: int
    turns: int
    already: int
    unreadable: list[UnreadableItem]
    dry_run: bool


class EraseDocument(Document, frozen=True, kw_only=True, tag="turnspan.erase/1"):
    """``erase``: what has no content now, which files were written anew, and what is left to do elsewhere."""

    session_id: str
    events: int
    turns: int
    files: list[str]
    left: list[str]


class PruneDocument(Document, frozen=True, kw_only=True, tag="turnspan.prune/1"):
    """``prune``: what was removed, or with ``--dry-run`` what would be."""

    sessions: int
    lines: int
    journals: int
    bytes_freed: int
    dry_run: bool


class RebuildDocument(Document, frozen=True, kw_only=True, tag="turnspan.rebuild/1"):
    """``rebuild``."""

    events: int
    sessions: int
    store: str


class DemoDocument(Document, frozen=True, kw_only=True, tag="turnspan.demo/1"):
    """``demo``: the session that was recorded, where its failed call is, and whether all of it agrees."""

    home: str
    session: dict[str, Any]
    place: FoundPlace
    unresolved: list[str]
    proven: bool
