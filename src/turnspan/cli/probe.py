"""A test turn: sent to a receiver as a program would, and looked for where it should arrive."""

from __future__ import annotations

import logging
import time
from typing import Any

from turnspan.cli.documents import CheckResult
from turnspan.errors import TurnspanError
from turnspan.events import ToolCallEnded, ToolCallStarted, TurnEnded, TurnStarted
from turnspan.journal.hash_chain import SpanIds
from turnspan.journal.recorded_events import RecordedEvent
from turnspan.model.ids import new_id
from turnspan.otel_sdk.rehydration import send, spans_again
from turnspan.reading.deep_links import TRACES, Links
from turnspan.reading.span_sources import span_source
from turnspan.settings import Settings, endpoint_at

_PATIENCE_S = 10.0


def send_test_turn(settings: Settings, otlp: str, where: str | None) -> CheckResult:
    """Send the spans of a turn with a tool call, and look for them."""
    trace_id, turn, call = new_id(), new_id()[16:], new_id()[16:]
    ids: dict[str, Any] = {"session_id": "turnspan-doctor", "turn_id": new_id(), "agent_id": "doctor"}
    events: list[tuple[Any, SpanIds]] = [
        (TurnStarted(**ids, prompt="Is anybody there?"), SpanIds(trace_id, turn, 1)),
        (ToolCallStarted(**ids, call_id="test", tool_name="knock"), SpanIds(trace_id, call, 1, turn)),
        (ToolCallEnded(**ids, call_id="test", result="Somebody is."), SpanIds(trace_id, call, 1, turn)),
        (TurnEnded(**ids, response_content="Yes."), SpanIds(trace_id, turn, 1)),
    ]
    said = _Said()
    logging.getLogger("opentelemetry").addHandler(said)
    try:
        from turnspan.otel_sdk.exporters import span_exporter

        exporter = span_exporter(endpoint_at(otlp, "traces"))
        recorded = [RecordedEvent("doctor", event, span, number) for number, (event, span) in enumerate(events, 1)]
        sent = send(spans_again(recorded), exporter)
        exporter.shutdown()
    except TurnspanError as error:
        return _result("fail", f"{otlp} did not take it: {said.first or error}")
    finally:
        logging.getLogger("opentelemetry").removeHandler(said)
    says = f"{otlp} took {sent} spans of trace {trace_id}"
    if where is not None:
        try:
            arrived = _arrived(where, trace_id, sent)
        except TurnspanError as error:
            return _result("fail", f"{says}; {error}")
        if arrived < sent:
            return _result("fail", f"{says}; {arrived} of them are in {where} after {_PATIENCE_S:g} s")
        says += f"; all of them are in {where}"
    link = Links("TURNSPAN_TRACE_URL", settings.trace_url, TRACES).to(
        trace_id=trace_id,
        span_id=turn,
        audit_event_id=events[0][0].event_id,
        session_id=ids["session_id"],
        turn_id=ids["turn_id"],
    )
    return _result("ok", says if link is None else f"{says}: {link}")


def _arrived(where: str, trace_id: str, wanted: int) -> int:
    """Return how many spans of a trace are somewhere; backends take a moment."""
    end = time.monotonic() + _PATIENCE_S
    while True:
        found = len({seen.span_id for seen in span_source(where).spans([trace_id], None)})
        if found >= wanted or time.monotonic() > end:
            return found
        time.sleep(0.3)


class _Said(logging.Handler):
    """Collects why an exporter fails: it reports that to its log only, and the cause comes first."""

    first = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.first = self.first or record.getMessage()


def _result(state: str, says: str) -> CheckResult:
    return CheckResult(name="test turn", state=state, says=says)
