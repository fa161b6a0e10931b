"""Recording in a test: everything that turnspan does, kept in memory and examined afterwards."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Unpack

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from turnspan.instrumentation import zero_code
from turnspan.model.records import AgentTransitionRecord, SessionRecord, ToolCallRecord, TurnRecord, turnspan_metadata
from turnspan.otel_sdk.registration import tracer_of
from turnspan.otel_sdk.setup import SessionSpanProcessor
from turnspan.reading.tree import dicts_in, duration_of
from turnspan.recording import runtime
from turnspan.recording.recorder import Recorder
from turnspan.settings import Settings, SettingsArguments, takes_settings
from turnspan.stores import InMemorySessionStore
from turnspan.telemetry import semconv as sc
from turnspan.testing.assertions import Assertions
from turnspan.testing.snapshots import snapshot_of, tree_of


class Recording(Assertions):
    """What was recorded, in all three places; and what can be asserted of it."""

    def __init__(
        self, recorder: Recorder, store: InMemorySessionStore, exporter: InMemorySpanExporter, home: Path
    ) -> None:
        self.recorder, self.store, self.home = recorder, store, home
        self._exporter = exporter

    def __repr__(self) -> str:
        """Show what there is, never content."""
        turns = sum(len(session.turns) for session in self.sessions)
        return f"Recording(sessions={len(self.sessions)}, turns={turns}, tool_calls={len(self.tool_calls)})"

    def __str__(self) -> str:
        """Return what happened as a tree, with content."""
        return tree_of(self.sessions)

    # The record --------------------------------------------------------------------------------------------------

    @property
    def sessions(self) -> list[SessionRecord]:
        """The stored sessions, in order of their beginnings."""
        self.recorder.flush()
        found = (self.store.load_session(session_id) for session_id in self.store.list_sessions())
        return [session for session in found if session is not None]

    @property
    def session(self) -> SessionRecord:
        """The one session; an AssertionError when there are more or none."""
        return self._only("session", self.sessions)

    @property
    def turns(self) -> list[TurnRecord]:
        """The turns of all sessions."""
        return [turn for session in self.sessions for turn in session.turns]

    @property
    def turn(self) -> TurnRecord:
        """The one turn; an AssertionError when there are more or none."""
        return self._only("turn", self.turns)

    @property
    def tool_calls(self) -> list[ToolCallRecord]:
        """The tool calls of all turns, in order of their starts."""
        return [call for turn in self.turns for call in turn.tool_calls]

    @property
    def model_calls(self) -> list[dict[str, Any]]:
        """The model calls of all turns, as the turn's metadata has them: ``model provider usage messages output``..."""
        return self._in_turns("model_calls")

    @property
    def handoffs(self) -> list[AgentTransitionRecord]:
        """The handoffs of all sessions."""
        return [handoff for session in self.sessions for handoff in session.agent_transitions]

    @property
    def notes(self) -> list[dict[str, Any]]:
        """The notes of all turns: ``name data at audit_event_id``."""
        return self._in_turns("notes")

    @property
    def input_tokens(self) -> int:
        """Tokens that went into models."""
        return self._tokens("input_tokens")

    @property
    def output_tokens(self) -> int:
        """Tokens that came out of models."""
        return self._tokens("output_tokens")

    @property
    def tokens(self) -> int:
        """All tokens, in and out."""
        return self.input_tokens + self.output_tokens

    @property
    def duration_s(self) -> float:
        """How long all turns took together."""
        return sum(duration_of(turn) or 0.0 for turn in self.turns) / 1000

    def snapshot(self) -> list[dict[str, Any]]:
        """Return what happened as plain values without ids and times: equal from run to run, to compare or to keep."""
        return snapshot_of(self.sessions)

    # Trace and log -----------------------------------------------------------------------------------------------

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        """The spans that have ended, in order of their ends."""
        runtime.flush()
        return self._exporter.get_finished_spans()

    @property
    def log(self) -> list[dict[str, Any]]:
        """The log lines."""
        self.recorder.flush()
        path = self.recorder.settings.log_path
        return (
            [json.loads(line) for line in path.read_text().splitlines()] if path is not None and path.exists() else []
        )

    @property
    def problems(self) -> dict[str, int]:
        """Failures of turnspan itself, which were kept from the program."""
        return dict(self.recorder.problems.counts)

    def unresolved(self) -> list[str]:
        """Return the audit event ids that are not in all of record, trace and log; [] is what you want."""
        record = {event_id for turn in self.turns for event_id in turn.audit_event_ids}
        trace_ids = {
            str(value)
            for span in self.spans
            for attributes in (span.attributes or {}, *(event.attributes or {} for event in span.events))
            for key, value in attributes.items()
            if key in (sc.TURNSPAN_AUDIT_EVENT_ID, sc.TURNSPAN_AUDIT_EVENT_ID_END)
        }
        log = {line["audit_event_id"] for line in self.log if "turn_id" in line}
        return sorted((record | trace_ids | log) - (record & trace_ids & log))

    def _in_turns(self, name: str) -> list[dict[str, Any]]:
        return [one for turn in self.turns for one in dicts_in(turnspan_metadata(turn.metadata), name)]

    def _tokens(self, name: str) -> int:
        return sum((call.get("usage") or {}).get(name) or 0 for call in self.model_calls)


class _Current(SpanExporter):
    """Gives spans to the recordings that are going on; a processor cannot be taken out of a provider again."""

    def __init__(self) -> None:
        self.recordings: list[InMemorySpanExporter] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        for exporter in self.recordings:
            exporter.export(spans)
        return SpanExportResult.SUCCESS


_current = _Current()


def _tap() -> None:
    """See that the spans of this process reach the recordings; OpenTelemetry lets a provider be set only once."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, trace.ProxyTracerProvider):
        provider = TracerProvider()
        provider.add_span_processor(SessionSpanProcessor())
        trace.set_tracer_provider(provider)
    if isinstance(provider, TracerProvider) and not hasattr(provider, "_turnspan_tap"):
        provider.add_span_processor(SimpleSpanProcessor(_current))
        provider._turnspan_tap = True  # type: ignore[attr-defined]  # noqa: SLF001


@takes_settings
@contextmanager
def record(**settings: Unpack[SettingsArguments]) -> Iterator[Recording]:
    """Record for the length of a block. ``turnspan.instrument()`` and ``configure()`` inside of it join it.

    Args:
        settings: The fields of :class:`~turnspan.Settings`. The store is in memory, the home a folder of its own, and
            turnspan's own errors are raised, unless ``strict`` is False.

    """
    with tempfile.TemporaryDirectory(prefix="turnspan-") as folder:
        exporter, store = InMemorySpanExporter(), InMemorySessionStore()
        given = {name: value for name, value in settings.items() if value is not None}
        read = Settings.read(**{"home": folder, "strict": True, "store": "memory:", **given})
        recorder = Recorder(read, store, tracer_of=tracer_of)
        recorder.finished_spans = exporter.get_finished_spans
        _current.recordings.append(exporter)
        try:
            with runtime.hold(recorder), _watching_no_longer():
                _tap()
                yield Recording(recorder, store, exporter, read.home)
        finally:
            recorder.close()
            _current.recordings.remove(exporter)


@contextmanager
def _watching_no_longer() -> Iterator[None]:
    """See that what one test instruments is not instrumented in the next."""
    was_on = zero_code.is_on()
    try:
        yield
    finally:
        if not was_on and zero_code.is_on():
            zero_code.uninstrument()
