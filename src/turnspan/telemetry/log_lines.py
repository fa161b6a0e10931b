"""Log lines: one for each event, with the ids that tie it to the record and the trace.

The lines of our own log file and of OpenTelemetry are made in the writer thread, from the journal. An application that
sends them through its own structlog pipeline gets them at once, in its own thread. Its own lines, written inside a
turn, are stamped with the same ids: :func:`add_turn` for structlog, :class:`TurnFilter` for stdlib logging.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from turnspan.events import (
    ENDS,
    KIND_OF,
    Event,
    HandedOff,
    ModelCallEnded,
    ModelCallStarted,
    Noted,
    SessionStarted,
    ToolCallStarted,
)
from turnspan.journal.hash_chain import SpanIds
from turnspan.journal.seals import seal_of
from turnspan.model.append_files import append, tail_of
from turnspan.telemetry import semconv as sc
from turnspan.telemetry.live_spans import in_span
from turnspan.telemetry.outlet import Folded, Providers

EVENT_PREFIX = "turnspan."
_LEVELS = {"error": "error", "timeout": "error", "cancelled": "warning"}
_LATE_LINES = 100_000
_WAITING_EVENTS = 1000
_encode_lines = msgspec.json.Encoder().encode_lines  # of what events say, which is plain
_ID = re.compile(rb'"audit_event_id":"([0-9a-f]{32})"')


class LogLine(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """What a log line says about an event; what does not apply is left out."""

    timestamp: str | None = None
    level: str
    event: str
    audit_event_id: str
    session_id: str
    turn_id: str | None = None
    call_id: str | None = None
    agent_id: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    tool_name: str | None = None
    model: str | None = None
    status: str | None = None
    duration_ms: float | None = None
    error: str | None = None
    error_type: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    from_agent: str | None = None
    to_agent: str | None = None
    note: str | None = None
    seal: dict[str, Any] | None = None
    session_id_from: str | None = None
    workspace_id: str | None = None


def line_of(event: Any, span: SpanIds | None, started: Any = None, at: str | None = None) -> LogLine:
    """Return the log line of an event.

    Args:
        event: The event.
        span: Its span.
        started: The start of what it ends.
        at: Its time as text, for lines that get no time elsewhere.

    """
    kind = type(event)
    line = LogLine(
        timestamp=at,
        level="info",
        event=KIND_OF[kind],
        audit_event_id=event.event_id,
        session_id=event.session_id,
        turn_id=event.turn_id,
        call_id=event.call_id,
        agent_id=event.agent_id,
    )
    if span is not None:
        line.trace_id, line.span_id = span.trace_id, span.span_id
    about = event if started is None else started
    if type(about) is ToolCallStarted:
        line.tool_name = about.tool_name
    elif type(about) is ModelCallStarted:
        line.model = about.model
    if kind in ENDS:
        line.status = event.status
        if event.status != "success":
            line.level = _LEVELS.get(event.status, "info")
        if started is not None:
            line.duration_ms = (event.at_ns - started.at_ns) // 1000 / 1000
        if event.error is not None:
            line.error = event.error.partition("\n")[0][:500]
            line.error_type = event.error_type or "_OTHER"
        if kind is ModelCallEnded and event.usage is not None:
            line.input_tokens, line.output_tokens = event.usage.input_tokens, event.usage.output_tokens
    elif kind is HandedOff:
        line.from_agent, line.to_agent = event.from_agent, event.to_agent
    elif kind is Noted:
        line.note = event.name
        if seal_of(event) is not None:
            line.seal = event.data
    elif kind is SessionStarted:
        line.session_id_from, line.workspace_id = event.source, event.workspace_id
    return line


def fields_of(line: LogLine) -> dict[str, Any]:
    """Return what a line says as a mapping, for loggers that have their own time, level and event."""
    return {name: value for name in line.__struct_fields__[3:] if (value := getattr(line, name)) is not None}


class FileLog:
    """JSON lines in a file, or on standard error; written in batches, one ``write`` each."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._late: list[bytes] = []
        self._lost = 0

    @property
    def failed(self) -> int:
        """How many lines the file has not taken so far."""
        return self._lost + len(self._late)

    def write(self, events: Iterable[Folded]) -> None:
        """Write the lines of some events, and those that could not be written before.

        Raises:
            OSError: When they cannot be written; they are kept for the next time, the newest 100,000 of them.

        """
        text = _encode_lines([line_of(e.event, e.span, e.started, e.at) for e in events])
        if self._path is None:
            os.write(2, text)
            return
        if self._late:
            text, self._late = b"".join([*self._late, text]), []
        written = 0
        try:
            written = append(self._path, text)
        finally:
            if written < len(text):
                lines = text[text.rfind(b"\n", 0, written) + 1 :].splitlines(keepends=True)  # with what is half there
                self._lost += max(0, len(lines) - _LATE_LINES)
                self._late = lines[-_LATE_LINES:]

    def written(self) -> set[str]:
        """Return the audit event ids that the file has, so that recovery writes none twice."""
        if self._path is None:
            return set()
        return {found[1].decode() for line in tail_of(self._path) if (found := _ID.search(line)) is not None}


class OtelLog:
    """OpenTelemetry log records, through the logger provider that the process has; nothing where it has none.

    The first events of a process may come before the SDK is set up, which is done with the first turn: they wait for it.

    Args:
        providers: Know which logger provider there is. The program may set its own at any time: then that is used.

    """

    def __init__(self, providers: Providers) -> None:
        from opentelemetry import _logs

        self._api, self._providers = _logs, providers
        self._waiting: list[Folded] = []
        self._severities = {
            "info": _logs.SeverityNumber.INFO,
            "warning": _logs.SeverityNumber.WARN,
            "error": _logs.SeverityNumber.ERROR,
        }

    def write(self, events: Iterable[Folded]) -> None:
        """Emit a record for each event, in the context of its span."""
        provider = self._providers.logger_provider()
        if provider is None:
            self._waiting = [*self._waiting, *events][-_WAITING_EVENTS:] if self._providers.pending else []
            return
        events, self._waiting = [*self._waiting, *events], []
        logger = provider.get_logger("turnspan")
        for folded in events:
            line = line_of(folded.event, folded.span, folded.started)
            attributes = {_otel_name(n): v for n, v in fields_of(line).items() if n not in ("trace_id", "span_id")}
            logger.emit(
                self._api.LogRecord(
                    timestamp=folded.event.at_ns,
                    context=in_span(folded.span),
                    severity_text=line.level.upper(),
                    severity_number=self._severities[line.level],
                    body=line.event,
                    event_name=EVENT_PREFIX + line.event,
                    attributes=attributes,
                )
            )


_OTEL_NAMES = {
    "audit_event_id": sc.TURNSPAN_AUDIT_EVENT_ID,
    "session_id": sc.GEN_AI_CONVERSATION_ID,
    "turn_id": sc.TURNSPAN_TURN_ID,
    "call_id": sc.GEN_AI_TOOL_CALL_ID,
    "agent_id": sc.GEN_AI_AGENT_NAME,
    "tool_name": sc.GEN_AI_TOOL_NAME,
    "model": sc.GEN_AI_REQUEST_MODEL,
    "error_type": sc.ERROR_TYPE,
    "workspace_id": sc.TURNSPAN_WORKSPACE_ID,
    "input_tokens": sc.GEN_AI_USAGE_INPUT_TOKENS,
    "output_tokens": sc.GEN_AI_USAGE_OUTPUT_TOKENS,
    "from_agent": sc.TURNSPAN_HANDOFF_FROM,
    "to_agent": sc.TURNSPAN_HANDOFF_TO,
}


def _otel_name(field: str) -> str:
    return _OTEL_NAMES.get(field, f"{EVENT_PREFIX}{field}")


class _NotAudit(logging.Filter):
    """Keeps the lines of audit events from OpenTelemetry's handler of stdlib logging: they would be sent twice."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Take everything else."""
        return record.name != AUDIT_LOGGER


def _is_not_audit(present: Any) -> bool:
    return isinstance(present, _NotAudit)


AUDIT_LOGGER = "turnspan.audit"
"""The logger that audit events go to in an application's own structlog pipeline."""


class AppLog:
    """The application's own structlog pipeline, called at once, in the agent's thread."""

    def __init__(self) -> None:
        import structlog

        self._logger = structlog.get_logger(AUDIT_LOGGER)

    def write(self, event: Event, span: SpanIds | None, started: Event | None) -> None:
        """Log an event."""
        for handler in logging.root.handlers:
            if type(handler).__name__ == "LoggingHandler" and not any(map(_is_not_audit, handler.filters)):
                handler.addFilter(_NotAudit())  # events go there by themselves, with their names and spans
        line = line_of(event, span, started)
        getattr(self._logger, line.level)(line.event, **fields_of(line))
