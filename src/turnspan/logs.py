"""Log lines: one for each event, with the ids that tie it to the record and the trace.

The lines of our own log file and of OpenTelemetry are made in the writer thread, from the journal. An application that
sends them through its own structlog pipeline gets them at once, in its own thread. Its own lines, written inside a
turn, are stamped with the same ids: :func:`add_turn` for structlog, :class:`TurnFilter` for stdlib logging.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, MutableMapping
from pathlib import Path
from typing import Any

from opentelemetry import trace

from turnspan import semconv as sc
from turnspan.chain import SpanIds
from turnspan.content import encode
from turnspan.events import (
    KIND_OF,
    AgentEnded,
    Event,
    HandedOff,
    ModelCallEnded,
    ModelCallStarted,
    Noted,
    SessionStarted,
    ToolCallEnded,
    ToolCallStarted,
    TurnEnded,
)
from turnspan.ledger import Folded
from turnspan.spans import in_span, scope

EVENT_PREFIX = "turnspan."
_LEVELS = {"error": "error", "timeout": "error", "cancelled": "warning"}
_ENDS = (TurnEnded, AgentEnded, ModelCallEnded, ToolCallEnded)
_TAIL_BYTES = 64 * 1024 * 1024
_ID = re.compile(rb'"audit_event_id":"([0-9a-f]{32})"')


def fields_of(event: Any, span: SpanIds | None, started: Any = None) -> dict[str, Any]:
    """Return what a log line says about an event."""
    fields: dict[str, Any] = {"audit_event_id": event.event_id, "session_id": event.session_id}
    if event.turn_id is not None:
        fields["turn_id"] = event.turn_id
    if event.call_id is not None:
        fields["call_id"] = event.call_id
    if event.agent_id is not None:
        fields["agent_id"] = event.agent_id
    if span is not None:
        fields["trace_id"], fields["span_id"], _ = span
    about = event if started is None else started
    kind = type(about)
    if kind is ToolCallStarted:
        fields["tool_name"] = about.tool_name
    elif kind is ModelCallStarted and about.model:
        fields["model"] = about.model
    kind = type(event)
    if kind in _ENDS:
        fields["status"] = event.status
        if started is not None:
            fields["duration_ms"] = (event.at_ns - started.at_ns) // 1000 / 1000
        if event.error is not None:
            fields["error"] = event.error.partition("\n")[0][:500]
            fields["error_type"] = event.error_type or "_OTHER"
        if kind is ModelCallEnded and event.usage is not None:
            fields["input_tokens"], fields["output_tokens"] = event.usage.input_tokens, event.usage.output_tokens
    elif kind is HandedOff:
        fields["from_agent"], fields["to_agent"] = event.from_agent, event.to_agent
    elif kind is Noted:
        fields["note"] = event.name
    elif kind is SessionStarted:
        fields["session_id_from"] = event.source
        if event.workspace_id is not None:
            fields["workspace_id"] = event.workspace_id
    return fields


def level_of(event: Event) -> str:
    """Return how loud a line is."""
    return _LEVELS.get(getattr(event, "status", ""), "info")


class FileLog:
    """JSON lines in a file, or on standard error; written in batches, one ``write`` each."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def write(self, events: Iterable[Folded]) -> None:
        """Write the lines of some events."""
        lines = b"\n".join(
            [
                encode(
                    {
                        "timestamp": at,
                        "level": level_of(event),
                        "event": KIND_OF[type(event)],
                        **fields_of(event, span, started),
                    }
                )
                for event, span, started, at in events
            ]
        )
        lines += b"\n"
        if self._path is None:
            os.write(2, lines)
            return
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        try:
            os.write(fd, lines)
        finally:
            os.close(fd)

    def written(self) -> set[str]:
        """Return the audit event ids that the file has, so that recovery writes none twice."""
        if self._path is None or not self._path.exists():
            return set()
        with self._path.open("rb") as file:
            file.seek(max(0, self._path.stat().st_size - _TAIL_BYTES))
            return {found.decode() for found in _ID.findall(file.read())}


class OtelLog:
    """OpenTelemetry log records, through the logger provider that the process has; nothing where it has none."""

    def __init__(self) -> None:
        from opentelemetry import _logs

        self._api = _logs
        self._severities = {
            "info": _logs.SeverityNumber.INFO, "warning": _logs.SeverityNumber.WARN, "error": _logs.SeverityNumber.ERROR,
        }  # fmt: skip

    def write(self, events: Iterable[Folded]) -> None:
        """Emit a record for each event, in the context of its span."""
        provider = self._api.get_logger_provider()
        if provider.__class__.__module__.startswith("opentelemetry._logs"):
            return  # the API's own: nobody listens
        logger = provider.get_logger("turnspan")
        for event, span, started, _ in events:
            level, kind = level_of(event), KIND_OF[type(event)]
            fields = fields_of(event, span, started)
            logger.emit(
                self._api.LogRecord(
                    timestamp=event.at_ns, context=in_span(span), severity_text=level.upper(),
                    severity_number=self._severities[level], body=kind, event_name=EVENT_PREFIX + kind,
                    attributes={_otel_name(n): v for n, v in fields.items() if v is not None and n not in ("trace_id", "span_id")},
                )
            )  # fmt: skip


_OTEL_NAMES = {
    "audit_event_id": sc.TURNSPAN_AUDIT_EVENT_ID, "session_id": sc.GEN_AI_CONVERSATION_ID, "turn_id": sc.TURNSPAN_TURN_ID,
    "call_id": sc.GEN_AI_TOOL_CALL_ID, "agent_id": sc.GEN_AI_AGENT_NAME, "tool_name": sc.GEN_AI_TOOL_NAME,
    "model": sc.GEN_AI_REQUEST_MODEL, "error_type": sc.ERROR_TYPE, "workspace_id": sc.TURNSPAN_WORKSPACE_ID,
    "input_tokens": sc.GEN_AI_USAGE_INPUT_TOKENS, "output_tokens": sc.GEN_AI_USAGE_OUTPUT_TOKENS,
    "from_agent": sc.TURNSPAN_HANDOFF_FROM, "to_agent": sc.TURNSPAN_HANDOFF_TO,
}  # fmt: skip


def _otel_name(field: str) -> str:
    return _OTEL_NAMES.get(field, f"{EVENT_PREFIX}{field}")


class AppLog:
    """The application's own structlog pipeline, called at once, in the agent's thread."""

    def __init__(self) -> None:
        import structlog

        self._logger = structlog.get_logger("turnspan")

    def write(self, event: Event, span: SpanIds | None, started: Event | None) -> None:
        """Log an event."""
        getattr(self._logger, level_of(event))(KIND_OF[type(event)], **fields_of(event, span, started))


# The user's own lines -----------------------------------------------------------------------------------------------


def _here() -> dict[str, str]:
    fields: dict[str, str] = {}
    if (where := scope()) is not None:
        fields["session_id"] = where.session_id
        if where.turn_id is not None:
            fields["turn_id"] = where.turn_id
    span_context = trace.get_current_span().get_span_context()
    if span_context.is_valid:
        fields["trace_id"], fields["span_id"] = f"{span_context.trace_id:032x}", f"{span_context.span_id:016x}"
    return fields


def add_turn(_logger: Any, _method: str, event_dict: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Structlog processor: stamp a line written inside a turn with session_id, turn_id, trace_id and span_id."""
    for name, value in _here().items():
        event_dict.setdefault(name, value)
    return event_dict


class TurnFilter(logging.Filter):
    """Filter for stdlib handlers: stamp records with session_id, turn_id, trace_id and span_id ("" outside a turn)."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Stamp the record; it always passes."""
        here = _here()
        for name in ("session_id", "turn_id", "trace_id", "span_id"):
            if not hasattr(record, name):
                setattr(record, name, here.get(name, ""))
        return True
