"""Names of usage attributes are those that OpenTelemetry's own utilities for GenAI put on their spans today."""

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from turnspan import Usage
from turnspan.events import ModelCallEnded, ModelCallStarted
from turnspan.telemetry import semconv as sc
from turnspan.telemetry.span_mapping import closed

COUNTS = Usage(input_tokens=100, output_tokens=90, cache_read_tokens=10, cache_write_tokens=20, reasoning_tokens=30)
THEIRS = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_input_tokens": "cache_read_tokens",
    "cache_write_input_tokens": "cache_write_tokens",
    "thinking_tokens": "reasoning_tokens",
}
"""What the utilities call the fields of an invocation, and what they are here."""
IDS = {"session_id": "s", "turn_id": "t", "call_id": "c"}


def test_the_names_are_those_that_the_utilities_emit():
    """The installed package is asked to write the same counts on a span of its own."""
    handler = pytest.importorskip("opentelemetry.util.genai.handler")
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    invocation = handler.TelemetryHandler(tracer_provider=provider).inference("openai", request_model="m")
    for theirs, ours in THEIRS.items():
        assert hasattr(invocation, theirs), f"the utilities have renamed {theirs}"
        setattr(invocation, theirs, getattr(COUNTS, ours))
    invocation.stop()
    (span,) = exporter.get_finished_spans()
    emitted = {name: value for name, value in span.attributes.items() if name.startswith("gen_ai.usage.")}
    started = ModelCallStarted(**IDS, provider="openai", model="m")
    for profile in sc.PROFILES.values():
        ours = closed(started, ModelCallEnded(**IDS, usage=COUNTS), profile=profile).attributes
        assert {name: value for name, value in ours.items() if name.startswith("gen_ai.usage.")} == emitted


def test_each_part_has_a_name_of_the_conventions():
    """Audio and images, too; what only an invoice knows is on record and on no span."""
    used = Usage(audio_input_tokens=1, audio_output_tokens=2, image_input_tokens=3, image_output_tokens=4, cost_usd=0.5)
    ended = ModelCallEnded(**IDS, usage=used)
    found = closed(ModelCallStarted(**IDS), ended).attributes
    assert {name: value for name, value in found.items() if ".usage." in name} == {
        "gen_ai.usage.audio.input_tokens": 1,
        "gen_ai.usage.audio.output_tokens": 2,
        "gen_ai.usage.image.input_tokens": 3,
        "gen_ai.usage.image.output_tokens": 4,
    }
