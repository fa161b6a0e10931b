"""A span that is made later is the span that the SDK would have made at once."""

import json
import threading

import pytest
from opentelemetry import context, trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

from turnspan.otel_sdk.deferred_spans import DeferredSpan, tracer_of

ABOVE = trace.SpanContext(0xABC, 0xDEF, is_remote=True, trace_flags=trace.TraceFlags(1))


def tracers(sampler=ALWAYS_ON, processor=None):
    """The SDK's own tracer and one that may be late, of one provider; what they have sent."""
    provider, exporter = TracerProvider(sampler=sampler, shutdown_on_exit=False), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    if processor is not None:
        provider.add_span_processor(processor)
    return provider.get_tracer("theirs"), tracer_of(provider.get_tracer("ours")), exporter


def start(tracer, name="name", parent=None, attributes=None):
    return tracer.start_span(name, parent, SpanKind.CLIENT, attributes or {"a": 1}, (Link(ABOVE, {"why": "x"}),), 5)


@pytest.mark.parametrize("parent", [None, trace.set_span_in_context(trace.NonRecordingSpan(ABOVE), context.Context())])
def test_it_is_the_span_that_the_sdk_makes(parent):
    """A span that is made late equals the one that the SDK would have made at once, in every field."""
    at_once, late, exporter = tracers()
    for tracer in (at_once, late):
        span = start(tracer, parent=parent)
        assert isinstance(span, DeferredSpan) == (tracer is late)
        span.set_attributes({"b": "two"})
        span.set_attribute("c", [3.0])
        span.add_event("event", {"e": 1}, 6)
        span.update_name("renamed")
        span.set_status(Status(StatusCode.ERROR, "bad"))
        span.record_exception(ValueError("no"), timestamp=7)
        span.add_link(ABOVE, {"more": 1})
        span.set_attribute("d", True)
        assert span.is_recording()
        span.end(9)
        assert not span.is_recording()
    one, two = ({**json.loads(span.to_json()), "context": None} for span in exporter.get_finished_spans())
    assert one == two
    assert one["attributes"] == {"a": 1, "b": "two", "c": [3.0], "d": True}
    flags = {span.context.trace_flags for span in exporter.get_finished_spans()}
    assert len(flags) == 1


def test_its_ids_are_known_before_it_is_made_and_stay():
    """Children and headers may use a span's ids before there is a span."""
    _, late, exporter = tracers()
    span = start(late)
    ids = span.get_span_context()
    below = start(late, "below", trace.set_span_in_context(span))
    below.end(8)
    span.end(9)
    inner, outer = exporter.get_finished_spans()
    assert outer.context == ids and outer.parent is None
    assert inner.parent == ids and inner.context.trace_id == ids.trace_id
    assert outer.context.span_id != inner.context.span_id


def test_it_has_what_the_sdks_spans_have():
    """Code that reads a name, attributes or times gets them; anything else is an AttributeError."""
    _, late, _ = tracers()
    span = start(late)
    span.set_attribute("b", 2)
    assert (span.name, dict(span.attributes), span.start_time) == ("name", {"a": 1, "b": 2}, 5)
    with pytest.raises(AttributeError):
        span.nothing_of_the_kind


class Counts(Sampler):
    def __init__(self):
        self.asked = 0

    def should_sample(self, *args, **kwargs):
        self.asked += 1
        return SamplingResult(ALWAYS_ON.should_sample(*args, **kwargs).decision, {"sampler": self.asked})

    def get_description(self):
        return "counts"


def test_the_sampler_is_asked_once_when_the_span_starts():
    """Making the span later does not sample it a second time."""
    sampler = Counts()
    _, late, exporter = tracers(sampler)
    one, two = start(late), start(late)
    assert sampler.asked == 2
    two.end(9)
    one.end(9)
    assert sampler.asked == 2
    assert [span.attributes["sampler"] for span in exporter.get_finished_spans()] == [2, 1]
    assert late.get_description() == "counts"


@pytest.mark.parametrize("sampler", [ALWAYS_ON, ParentBased(ALWAYS_ON), ParentBased(TraceIdRatioBased(1.0))])
def test_a_child_of_a_sampled_span_is_the_span_that_the_sdk_makes(sampler):
    """What the usual samplers decide for it is known, and neither asked nor built in the agent's thread."""
    at_once, late, exporter = tracers(sampler)
    for tracer in (at_once, late):
        parent = start(tracer, "parent")
        child = start(tracer, "child", trace.set_span_in_context(parent) if tracer is at_once else parent)
        assert child.get_span_context().trace_id == parent.get_span_context().trace_id
        child.set_attribute("b", 2)
        child.end(8)
        parent.end(9)
    spans = exporter.get_finished_spans()
    one, two = ({**json.loads(span.to_json()), "context": None, "parent_id": None} for span in (spans[0], spans[2]))
    assert one == two
    assert [span.parent.span_id for span in (spans[0], spans[2])] == [s.context.span_id for s in (spans[1], spans[3])]
    assert len({span.context.trace_flags for span in spans}) == 1


def test_a_sampler_of_ones_own_is_asked_for_every_child():
    """It may go by names and attributes."""
    sampler = Counts()
    _, late, _ = tracers(sampler)
    start(late, "child", start(late, "parent"))
    assert sampler.asked == 2


@pytest.mark.parametrize("sampler", [ALWAYS_OFF, ParentBased(TraceIdRatioBased(0.0))])
def test_what_is_sampled_out_is_never_made(sampler):
    """A span that was sampled out is not recording and not exported, and its children are of the same trace."""
    _, late, exporter = tracers(sampler)
    span = start(late)
    assert span.get_span_context().is_valid and not span.get_span_context().trace_flags.sampled
    assert not span.is_recording()
    below = start(late, "below", trace.set_span_in_context(span))
    assert below.get_span_context().trace_id == span.get_span_context().trace_id
    span.end(9)
    assert exporter.get_finished_spans() == ()


class Sees(SpanProcessor):
    def __init__(self):
        self.started = []

    def on_start(self, span, parent_context=None):
        self.started.append(span.name)


def test_a_processor_that_looks_at_starting_spans_sees_them_start():
    """Where a span processor cares about starts, spans are made at once."""
    sees = Sees()
    _, late, _ = tracers(processor=sees)
    start(late, "first")
    assert sees.started == ["first"]


def test_a_processor_that_comes_later_sees_what_starts_from_then_on():
    """Adding such a processor ends the making of late spans."""
    provider, sees = TracerProvider(shutdown_on_exit=False), Sees()
    late = tracer_of(provider.get_tracer("ours"))
    assert isinstance(start(late, "before"), DeferredSpan)
    provider.add_span_processor(sees)
    start(late, "behind")
    assert sees.started == ["behind"]


def test_a_tracer_that_is_not_the_sdks_stays_as_it_is():
    """Tracers of other implementations are not touched."""
    tracer = trace.NoOpTracer()
    assert tracer_of(tracer) is tracer


def test_the_same_tracer_is_wrapped_once():
    """One tracer has one wrapper."""
    provider = TracerProvider(shutdown_on_exit=False)
    assert tracer_of(provider.get_tracer("ours")) is tracer_of(provider.get_tracer("ours"))


def test_many_threads_that_touch_a_span_make_it_once():
    """However many threads need the span at once, it is made and exported once."""
    _, late, exporter = tracers()
    for _ in range(50):
        span, gate = start(late), threading.Barrier(4)

        def touch(n, span=span, gate=gate):
            gate.wait()
            span.set_attribute(f"t{n}", n)
            span.add_event("touched")

        threads = [threading.Thread(target=touch, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        span.end(9)
        (made,) = exporter.get_finished_spans()
        assert {f"t{n}" for n in range(4)} <= set(made.attributes)
        assert len(made.events) == 4
        exporter.clear()


def test_a_span_that_is_touched_while_another_is_made_is_made_too():
    """As a finalizer does that the garbage collector runs in the middle."""
    _, late, exporter = tracers()
    inner, outer = start(late, "inner"), start(late, "outer")
    real = late._tracer.start_span

    def meddling(*args):
        if args[0] == "outer":
            inner.add_event("touched")
        return real(*args)

    late._tracer.start_span = meddling
    outer.end(9)
    late._tracer.start_span = real
    inner.end(9)
    assert [(span.name, span.context) for span in exporter.get_finished_spans()] == [
        ("outer", outer.get_span_context()),
        ("inner", inner.get_span_context()),
    ]


class Changes(SpanProcessor):
    """Acts on a span right before its end."""

    def _on_ending(self, span):
        span.set_attribute("changed", True)


@pytest.mark.parametrize(
    ("attributes", "limits", "processor", "by_the_sdk"),
    [
        ({"b": "two", "c": ["x", "y"], "d": 3.0}, {}, None, False),
        ({"b": "two", "c": [1, 2]}, {}, None, True),
        ({"b": "two", "c": None}, {}, None, True),
        ({"b": "two", "c": "three"}, {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "2"}, None, True),
        ({"b": "three"}, {"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": "3"}, None, True),
        ({"b": "two"}, {"OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED": "true"}, None, True),
        ({"b": "two"}, {}, Changes(), True),
    ],
    ids=["plain", "numbers", "odd values", "count limit", "length limit", "counted spans", "changed at the end"],
)
def test_one_that_nobody_touches_is_the_span_that_the_sdk_makes(attributes, limits, processor, by_the_sdk, monkeypatch):
    """Handed over whole, or made by the SDK where limits, counts or a processor want that: the same is sent."""
    for name, value in limits.items():
        monkeypatch.setenv(name, value)
    at_once, late, exporter = tracers(processor=processor)
    made = []
    monkeypatch.setattr(late, "make", lambda *args, make=late.make: made.append(1) or make(*args))
    for tracer in (at_once, late):
        span = start(tracer)
        span.set_attributes(attributes)
        span.end(9)
        assert not span.is_recording()
    assert bool(made) == by_the_sdk
    spans = exporter.get_finished_spans()
    one, two = ({**json.loads(span.to_json()), "context": None} for span in spans)
    assert one == two
    assert [span.instrumentation_scope.name for span in spans] == ["theirs", "ours"]
    assert [span.dropped_attributes for span in spans] == [spans[0].dropped_attributes] * 2


def test_after_its_end_it_is_read_and_no_longer_changed():
    """What is done to a span that has ended goes nowhere, as with the SDK's; its name and attributes stay readable."""
    _, late, exporter = tracers()
    span = start(late)
    span.set_attribute("b", 2)
    span.end(9)
    span.end(10)
    span.set_attributes({"c": 3})
    span.add_event("late")
    span.add_link(ABOVE)
    span.update_name("other")
    span.set_status(StatusCode.ERROR)
    span.record_exception(ValueError("late"))
    assert (span.name, dict(span.attributes), span.end_time, span.is_recording()) == (
        "name",
        {"a": 1, "b": 2},
        9,
        False,
    )
    (sent,) = exporter.get_finished_spans()
    assert (sent.name, dict(sent.attributes), sent.events, sent.status.status_code) == (
        "name",
        {"a": 1, "b": 2},
        (),
        StatusCode.UNSET,
    )
