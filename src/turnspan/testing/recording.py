"""Recording in a test: everything that turnspan does, kept in memory and looked at afterwards."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from turnspan.model.records import SessionRecord, TurnRecord
from turnspan.otel_sdk.setup import SessionSpanProcessor
from turnspan.recording import runtime
from turnspan.recording.recorder import Recorder
from turnspan.settings import Settings
from turnspan.stores import InMemorySessionStore
from turnspan.telemetry import semconv as sc


class Recording:
    """What was recorded, in all three places."""

    def __init__(
        self, recorder: Recorder, store: InMemorySessionStore, exporter: InMemorySpanExporter, home: Path
    ) -> None:
        self.recorder, self.store, self.home = recorder, store, home
        self._exporter = exporter

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
    def sessions(self) -> list[SessionRecord]:
        """The stored sessions."""
        self.recorder.flush()
        found = (self.store.load_session(session_id) for session_id in self.store.list_sessions())
        return [session for session in found if session is not None]

    @property
    def session(self) -> SessionRecord:
        """The one session; an AssertionError when there are more or none."""
        (session,) = self.sessions
        return session

    @property
    def turn(self) -> TurnRecord:
        """The one turn of the one session."""
        (turn,) = self.session.turns
        return turn

    @property
    def problems(self) -> dict[str, int]:
        """Failures of turnspan itself, which were kept from the program."""
        return dict(self.recorder.problems.counts)

    def unresolved(self) -> list[str]:
        """Return the audit event ids that are not in all of record, trace and log; [] is what you want."""
        record = {event_id for session in self.sessions for turn in session.turns for event_id in turn.audit_event_ids}
        trace_ids = {
            str(value)
            for span in self.spans
            for attributes in (span.attributes or {}, *(event.attributes or {} for event in span.events))
            for key, value in attributes.items()
            if key in (sc.TURNSPAN_AUDIT_EVENT_ID, sc.TURNSPAN_AUDIT_EVENT_ID_END)
        }
        log = {line["audit_event_id"] for line in self.log if "turn_id" in line}
        return sorted((record | trace_ids | log) - (record & trace_ids & log))


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


@contextmanager
def record(*, strict: bool = True, **settings: Any) -> Iterator[Recording]:
    """Record for the length of a block.

    Args:
        strict: Raise turnspan's own errors.
        settings: As for :func:`turnspan.configure`.

    """
    with tempfile.TemporaryDirectory(prefix="turnspan-") as folder:
        home = Path(folder)
        exporter = InMemorySpanExporter()
        _tap()
        _current.recordings.append(exporter)
        store = InMemorySessionStore()
        recorder = Recorder(Settings.read(**{"home": home, "strict": strict, **settings}), store)
        before = runtime.use(recorder)
        try:
            yield Recording(recorder, store, exporter, home)
        finally:
            runtime.use(before)
            recorder.close()
            _current.recordings.remove(exporter)
