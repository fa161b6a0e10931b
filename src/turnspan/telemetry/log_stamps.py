"""Log stamps: the ids of the current turn and span on the application's own log lines."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from typing import Any

from opentelemetry import trace

from turnspan.telemetry.current_context import current_context


def _current_ids() -> dict[str, str]:
    fields: dict[str, str] = {}
    if (where := current_context()) is not None:
        fields["session_id"] = where.session_id
        if where.turn_id is not None:
            fields["turn_id"] = where.turn_id
    span_context = trace.get_current_span().get_span_context()
    if span_context.is_valid:
        fields["trace_id"], fields["span_id"] = f"{span_context.trace_id:032x}", f"{span_context.span_id:016x}"
    return fields


def add_turn(_logger: Any, _method: str, event_dict: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Structlog processor: stamp a line written inside a turn with session_id, turn_id, trace_id and span_id."""
    for name, value in _current_ids().items():
        event_dict.setdefault(name, value)
    return event_dict


def add_turn_to_loguru(record: Any) -> None:
    """Patcher for loguru (``logger.configure(patcher=turnspan.add_turn_to_loguru)``): stamp ``extra`` with the ids."""
    for name, value in _current_ids().items():
        record["extra"].setdefault(name, value)


class TurnFilter(logging.Filter):
    """Filter for stdlib handlers: stamp records with session_id, turn_id, trace_id and span_id ("" outside a turn)."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Stamp the record; it always passes."""
        ids = _current_ids()
        for name in ("session_id", "turn_id", "trace_id", "span_id"):
            if not hasattr(record, name):
                setattr(record, name, ids.get(name, ""))
        return True
