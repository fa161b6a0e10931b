"""Log records over OTLP: each audit event once, each line of the user once, whatever else handles logging."""

from collections import Counter

import pytest

from support.programs import BIN, PYTHON, program, run
from support.receiver import Receiver

PROGRAM = """
import logging
import structlog
structlog.configure(
    processors=[structlog.stdlib.add_log_level, structlog.stdlib.render_to_log_kwargs],
    logger_factory=structlog.stdlib.LoggerFactory(), wrapper_class=structlog.stdlib.BoundLogger,
)
logging.getLogger().setLevel(logging.{level})
import turnspan
turnspan.instrument(log={log!r})
with turnspan.session("s"), turnspan.turn(agent="triage", prompt="go") as turn:
    logging.getLogger("mine").warning("my own line")
    with turnspan.tool("add", a=1) as call:
        call.result = 2
    turn.response = "done"
"""


def _text(record, key):
    return next((a.value.string_value for a in record.attributes if a.key == key), None)


@pytest.mark.parametrize("level", ["WARNING", "DEBUG"])
@pytest.mark.parametrize("log", ["file", "structlog", "off"])
def test_with_opentelemetrys_handler_on_nothing_is_sent_twice(log, level, tmp_path):
    """Beside OpenTelemetry's own logging handler each event is one log record at the receiver."""
    path = program(tmp_path / "agent.py", PROGRAM.format(log="" if log == "file" else log, level=level))
    with Receiver() as receiver:
        env = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED": "true",
            "OTEL_PYTHON_LOG_AUTO_INSTRUMENTATION": "true",
        }
        run(BIN / "opentelemetry-instrument", PYTHON, path, env=env, check=True)
        records = receiver.logs
    events = Counter(_text(record, "turnspan.audit_event_id") for record in records)
    del events[None]
    assert len(events) == 6, "a session with its seal, a turn's two events, a tool's two"
    assert set(events.values()) == {1}
    mine = [record for record in records if record.body.string_value == "my own line"]
    assert len(mine) == 1
    assert mine[0].trace_id != b""
    bodies = Counter(record.body.string_value for record in records if _text(record, "turnspan.audit_event_id") is None)
    assert not [body for body in bodies if "turn.started" in body or "tool_call" in body], "no event a second time"
