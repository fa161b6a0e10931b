"""The fence around OpenTelemetry's private attributes: they are there in this version, and what is missing is done without."""

import subprocess
import sys

from opentelemetry import _logs, metrics, trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from turnspan.otel_sdk import internals
from turnspan.otel_sdk.setup import SessionSpanProcessor


def test_this_version_of_the_sdk_has_what_is_looked_for():
    """A version that renames one of these fails here, not in a user's lost spans."""
    provider = TracerProvider(shutdown_on_exit=False)
    batch = BatchSpanProcessor(InMemorySpanExporter())
    provider.add_span_processor(batch)
    first = SessionSpanProcessor()
    internals.put_first(provider, first)
    assert list(internals.processors_of(provider)) == [first, batch]
    wrapped, queue = internals.wrap_batch_exporter(batch, lambda exporter: exporter)
    assert internals.exporter_of(batch) is wrapped
    assert internals.queue_length(queue) == 0
    tracer = provider.get_tracer("x")
    assert internals.is_sdk_tracer(tracer)
    assert internals.is_enabled(tracer)
    assert list(internals.processors_of_tracer(tracer)) == [first, batch]
    assert internals.does_nothing_on_start(batch)
    assert internals.makes_plain_spans(tracer)
    assert internals.ended_span(tracer, {"a": 1}, links=(), name="n") is not None
    for module, signal in ((trace, "TRACER"), (metrics._internal, "METER"), (_logs._internal, "LOGGER")):
        assert hasattr(getattr(module, f"_{signal}_PROVIDER_SET_ONCE"), "do_once")
    assert hasattr(trace, "_TRACER_PROVIDER")
    provider.shutdown()


def test_exporters_are_reached_through_whatever_wraps_them():
    """Spans and log records, behind processors and providers that wrap others."""
    spans, lines = InMemorySpanExporter(), InMemoryLogRecordExporter()
    provider, loggers = TracerProvider(shutdown_on_exit=False), LoggerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    loggers.add_log_record_processor(SimpleLogRecordProcessor(lines))

    class Proxy:
        def __init__(self, provider):
            self.provider = provider

    assert [exporter for *_, exporter in internals.exporters_below(Proxy(provider))] == [spans]
    assert [exporter for *_, exporter in internals.exporters_below(Proxy(loggers))] == [lines]
    assert list(internals.exporters_below(object())) == []


def test_what_is_not_the_sdks_is_left_alone():
    """A provider of another make has no processors that we know of, and nothing breaks."""
    assert internals.processors_of(object()) == ()
    assert internals.wrap_batch_exporter(object(), lambda exporter: exporter) is None
    assert not internals.is_sdk_tracer(trace.NoOpTracer())
    internals.put_first(object(), SessionSpanProcessor())


def test_the_entrances_load_neither_the_sdk_nor_the_recorder():
    """What starts with every program that `turnspan run` starts costs next to nothing."""
    code = (
        "import sys, turnspan.instrumentation.zero_code\n"
        "print([m for m in sys.modules if m.startswith('opentelemetry') or m == 'turnspan.recording.recorder'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
