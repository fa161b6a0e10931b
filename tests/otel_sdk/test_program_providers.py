"""Providers of the program's own: taken whenever they are set, joined, flushed, and left as they are."""

import pytest
from opentelemetry.sdk.trace import TracerProvider

from support.programs import BIN, PYTHON, program, run
from support.receiver import Receiver
from turnspan import InMemorySessionStore, Settings
from turnspan.otel_sdk import external_spans
from turnspan.otel_sdk.external_spans import ExternalSpanProcessor
from turnspan.recording.problems import Problem
from turnspan.recording.recorder import Recorder

HEAD = """
import turnspan
from opentelemetry import _logs, metrics, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

def turn(name):
    with turnspan.session("s"), turnspan.turn(agent=name, prompt="go") as turn:
        with turnspan.tool("add", a=1) as call:
            call.result = 2
        turn.response = "done"

memory = InMemorySpanExporter()
def names():
    trace.get_tracer_provider().force_flush()
    return sorted(span.name for span in memory.get_finished_spans())
"""


def output_of(text, tmp_path, **env):
    """Run a program under ``turnspan run`` and return what it printed; nothing may be on standard error."""
    path = program(tmp_path / "agent.py", HEAD + text)
    ran = run(BIN / "turnspan", "run", path, env=env, cwd=tmp_path, check=True)
    assert ran.stderr == ""
    return ran.stdout.split("\n")[:-1]


def test_a_tracer_provider_set_after_the_first_turn_is_taken_and_gets_our_spans(tmp_path):
    """A program that sets up OpenTelemetry late is not refused; later turns go where it wants them."""
    text = """
turn("first")
early = trace.get_tracer("library")  # got from ours, as a library imported early would
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(memory))
trace.set_tracer_provider(provider)
print(trace.get_tracer_provider() is provider)
with trace.get_tracer("mine").start_as_current_span("mine"), early.start_as_current_span("library's"):
    turn("second")
print(names())
"""
    assert output_of(text, tmp_path) == [
        "True",
        "['execute_tool add', 'invoke_agent second', \"library's\", 'mine']",
    ]
    assert (tmp_path / ".turnspan/spans.jsonl").read_text().count('"name":"invoke_agent') == 1, "the first turn's"


def test_a_second_provider_of_the_program_is_refused_as_without_us(tmp_path):
    """Ours gives way once; the API's own rule holds between the program's providers."""
    text = """
import logging
logging.disable()
turn("first")
provider = TracerProvider()
trace.set_tracer_provider(provider)
trace.set_tracer_provider(TracerProvider())
print(trace.get_tracer_provider() is provider)
"""
    assert output_of(text, tmp_path) == ["True"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_spans_that_end_at_exit_reach_the_programs_provider(when, tmp_path):
    """The recorder closes before a provider that shuts itself down at exit."""
    text = f"""
import atexit
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(memory))
{"trace.set_tracer_provider(provider)" if when == "before" else ""}
turn("first")
{"trace.set_tracer_provider(provider)" if when == "after" else ""}
turn("last")
atexit.register(lambda: None)
import threading
threading._register_atexit(lambda: atexit._run_exitfuncs() or print([s.name for s in memory.get_finished_spans()][-1]))
"""
    assert output_of(text, tmp_path) == ["invoke_agent last"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_meter_and_logger_providers_are_the_programs_to_set(when, tmp_path):
    """Neither is taken by us; what we measure and log goes through them as soon as they are there."""
    setting = """
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
reader, lines = InMemoryMetricReader(), InMemoryLogRecordExporter()
meters, loggers = MeterProvider([reader]), LoggerProvider()
loggers.add_log_record_processor(SimpleLogRecordProcessor(lines))
metrics.set_meter_provider(meters)
_logs.set_logger_provider(loggers)
print(metrics.get_meter_provider() is meters, _logs.get_logger_provider() is loggers)
"""
    text = f"""
{setting if when == "before" else ""}
turn("first")
{setting if when == "after" else ""}
turn("second")
turnspan.flush()
data = reader.get_metrics_data()
found = [m.name for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics]
print("gen_ai.execute_tool.duration" in found)
print("tool_call.ended" in [line.log_record.body for line in lines.get_finished_logs()])
"""
    with Receiver() as receiver:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
        assert output_of(text, tmp_path, **env) == ["True True", "True", "True"]


def test_nothing_of_ours_is_printed_by_the_programs_exporters(tmp_path):
    """A program that prints its spans prints the same with us, and its other exporters get ours too."""
    text = """
import sys
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(formatter=lambda span: span.name + "\\n")))
provider.add_span_processor(SimpleSpanProcessor(memory))
trace.set_tracer_provider(provider)
with trace.get_tracer("mine").start_as_current_span("mine"):
    turn("a")
print(names())
"""
    assert output_of(text, tmp_path) == ["mine", "['execute_tool add', 'invoke_agent a', 'mine']"]


@pytest.mark.parametrize("command", [["turnspan", "run"], ["opentelemetry-instrument", PYTHON]])
def test_the_first_event_of_a_process_reaches_otlp_logs(command, tmp_path):
    """Set-up is as late as the first turn; the session's start waits for it."""
    text = """
import time
turnspan.instrument()
with turnspan.session("s"):
    time.sleep(1.5)  # longer than the writer waits
    turn("a")
"""
    path = program(tmp_path / "agent.py", HEAD + text)
    with Receiver() as receiver:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}
        run(BIN / command[0], *command[1:], path, env=env, cwd=tmp_path, check=True)
        bodies = [record.body.string_value for record in receiver.logs]
    assert "session.started" in bodies


def test_what_is_configured_anew_is_flushed_too(tmp_path):
    """The provider outlives a recorder: the next one ends and sends its spans as well."""
    text = """
turn("first")
turnspan.configure(home="other")
turn("second")
"""
    with Receiver() as receiver:
        assert output_of(text, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url) == []
        assert {"invoke_agent first", "invoke_agent second"} <= {span.name for span in receiver.spans}


def test_our_own_failure_at_a_span_never_reaches_who_starts_or_ends_it(monkeypatch, tmp_path):
    """The SDK passes what a span processor raises on to the program; ours raises nothing, and what failed is counted."""
    recorder = Recorder(Settings(home=tmp_path, strict=False), InMemorySessionStore())
    monkeypatch.setattr(external_spans, "all_recorders", lambda: [recorder])  # those of other tests are strict
    processor, provider = ExternalSpanProcessor(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    monkeypatch.setattr(processor, "_open", None)  # our own state is broken
    with provider.get_tracer("library").start_as_current_span("its own") as span:
        pass
    assert span.status.is_unset
    assert recorder.problems.has(Problem.SPAN_READER)
    recorder.close()


def test_a_warning_is_shown_once_by_a_library_that_asks_for_tracers_again_and_again(tmp_path):
    """The SDK changes the warning filters with each tracer, and Python forgets what it has shown; ours asks it once."""
    text = """
import sys, warnings
warnings.showwarning = lambda message, *_more, **_even_more: print(message)
turn("first")
for _ in range(3):
    with trace.get_tracer("library").start_as_current_span("library's"):
        warnings.warn("mind the gap")
"""
    assert output_of(text, tmp_path) == ["mind the gap"]
