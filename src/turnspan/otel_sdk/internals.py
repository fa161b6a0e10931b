"""Every private attribute of OpenTelemetry's packages that turnspan touches, and why there is no public way.

Seen in opentelemetry-api and opentelemetry-sdk 1.40 to 1.45; the oldest and the newest are tested. Where an attribute is
missing, each function does without: a feature is lost then, no span.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from opentelemetry import _logs, metrics, trace
from opentelemetry.sdk import resources
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, StaticSampler

from turnspan.telemetry.own_log import logger

_SDK_TRACE = "opentelemetry.sdk.trace"
_NESTING = 8


# Providers and processors --------------------------------------------------------------------------------------------


def processors_of(provider: Any) -> Sequence[Any]:
    """Return the span processors of a provider, in their order; none for what is not the SDK's."""
    return getattr(getattr(provider, "_active_span_processor", None), "_span_processors", ())


def is_of(provider: Any, span: Any) -> bool:
    """Return whether a provider made a span; of one that does not say it is assumed."""
    its, own = getattr(span, "_span_processor", None), getattr(provider, "_active_span_processor", None)
    return its is None or its is own


def put_first(provider: Any, processor: SpanProcessor) -> None:
    """Add a span processor before all others, where that is possible; ``add_span_processor`` only appends."""
    if not callable(add := getattr(provider, "add_span_processor", None)):
        return
    add(processor)
    every: Any = getattr(provider, "_active_span_processor", None)
    if (before := processors_of(provider)) and before[-1] is processor:
        every._span_processors = (processor, *before[:-1])  # noqa: SLF001


def wrap_batch_exporter(processor: Any, wrap: Callable[[SpanExporter], Any]) -> tuple[Any, Any] | None:
    """Put a wrapper around the exporter of a batch processor, and return it with the batch; None for other processors.

    The SDK counts neither what a full queue drops nor what an exporter fails to send.
    """
    batch: Any = getattr(processor, "_batch_processor", None)
    exporter = getattr(batch, "_exporter", None)
    if not isinstance(exporter, SpanExporter):
        return None
    batch._exporter = wrap(exporter)  # noqa: SLF001
    return batch._exporter, batch  # noqa: SLF001


def exporter_of(processor: Any) -> Any:
    """Return the exporter of a batch processor."""
    return getattr(getattr(processor, "_batch_processor", None), "_exporter", None)


def default_resource() -> resources.Resource:
    """Return what every resource of the SDK says: its language, name and version. ``Resource.create`` starts threads."""
    default: resources.Resource = getattr(resources, "_DEFAULT_RESOURCE", resources.Resource.get_empty())
    return default


def queue_length(batch: Any) -> int:
    """Return how many spans wait in a batch."""
    return len(getattr(batch, "_queue", ()))


def exporters_below(root: Any, depth: int = 0) -> Iterator[tuple[Any, str, Any]]:
    """Yield the exporters of a provider, as holder, attribute and exporter, through whatever wraps them.

    Logfire, for one, wraps providers and processors several times; nothing public leads through.
    """
    if depth > _NESTING:
        return
    for name, value in list(getattr(root, "__dict__", {}).items()):
        if callable(getattr(value, "export", None)):
            yield root, name, value
            continue
        for inner in value if isinstance(value, tuple | list) else (value,):
            if _is_processor(inner) or name in ("provider", "_batch_processor"):
                yield from exporters_below(inner, depth + 1)


def _is_processor(part: Any) -> bool:
    """Return whether this is a processor of spans or of log records."""
    return any(callable(getattr(part, name, None)) for name in ("on_end", "on_emit"))


# Spans and tracers ---------------------------------------------------------------------------------------------------


def replace_attributes(span: ReadableSpan | Event, attributes: Mapping[str, Any]) -> None:
    """Replace the attributes of a span that has ended, or of its event, before exporters see it; it takes no new ones."""
    span._attributes = dict(attributes)  # noqa: SLF001


def is_sdk_tracer(tracer: Any) -> bool:
    """Return whether a tracer is the SDK's own, whose sampler and id generator can be stood in for."""
    return (
        type(tracer).__module__ == _SDK_TRACE and hasattr(tracer, "id_generator") and hasattr(tracer, "span_processor")
    )


def is_enabled(tracer: Any) -> bool:
    """Return whether a tracer makes spans at all: the SDK's configuration may switch it off."""
    ask: Callable[[], bool] | None = getattr(tracer, "_is_enabled", None)
    return ask is None or ask()


def processors_of_tracer(tracer: Any) -> Any:
    """Return the span processors of a tracer; another object whenever one was added."""
    return getattr(tracer.span_processor, "_span_processors", None)


def follows_sampled_parents(sampler: Any) -> bool:
    """Return whether a sampler takes every span whose parent was taken in this process, whatever it is of: the usual one does."""
    if type(sampler) is ParentBased:
        sampler = getattr(sampler, "_local_parent_sampled", None)
    return type(sampler) is StaticSampler and getattr(sampler, "_decision", None) is Decision.RECORD_AND_SAMPLE


def does_nothing_on_start(processor: Any) -> bool:
    """Return whether a span processor does nothing when a span starts: the SDK's own do not, nor do ours."""
    if getattr(type(processor), "starts_may_be_late", False):
        return True
    return type(processor).on_start.__module__.startswith(_SDK_TRACE) and not hasattr(processor, "_span_processors")


def makes_plain_spans(tracer: Any) -> bool:
    """Return whether processors get the spans of a tracer as they were made: none is changed at its end, cut or counted.

    Processors may change a span in ``_on_ending``; ``OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED`` counts started and live ones.
    """
    limits, counts = getattr(tracer, "_span_limits", None), getattr(tracer, "_tracer_metrics", None)
    return (
        getattr(limits, "max_span_attribute_length", "") is None
        and (counts is None or type(counts).__name__ == "NoOpTracerMetrics")
        and all(_changes_nothing_at_the_end(processor) for processor in processors_of_tracer(tracer) or (None,))
    )


def _changes_nothing_at_the_end(processor: Any) -> bool:
    on_ending = getattr(type(processor), "_on_ending", None)
    return on_ending is None or on_ending.__module__.startswith(_SDK_TRACE)


def ended_span(tracer: Any, attributes: dict[str, Any], *, links: Sequence[Any], **span: Any) -> ReadableSpan | None:
    """Return a span of a tracer that has ended, as its processors get it; None where it has more than the SDK would keep."""
    limits = tracer._span_limits  # noqa: SLF001
    if len(attributes) > limits.max_span_attributes or len(links) > limits.max_links:
        return None
    return ReadableSpan(
        resource=tracer.resource,
        attributes=attributes,
        links=tuple(links),
        instrumentation_info=tracer.instrumentation_info,
        instrumentation_scope=tracer._instrumentation_scope,  # noqa: SLF001
        **span,
    )


# The providers of the process ----------------------------------------------------------------------------------------


def set_provisionally(provider: TracerProvider) -> None:
    """Make a provider the process's, and let the program set another one later, as if there were none.

    ``trace.set_tracer_provider`` is for once: the second call is refused with a warning. The provider is therefore put
    where the API keeps it, and the flag that says "set" is left alone.
    """
    if hasattr(trace, "_TRACER_PROVIDER_SET_ONCE") and hasattr(trace, "_TRACER_PROVIDER"):
        trace._TRACER_PROVIDER = provider  # noqa: SLF001
    else:
        trace.set_tracer_provider(provider)


def when_program_sets(signal: Literal["TRACER", "METER", "LOGGER"], call: Callable[[], None]) -> None:
    """Have something done when the program sets its provider for a signal; one call a signal, the newest."""
    module = {"TRACER": trace, "METER": metrics._internal, "LOGGER": _logs._internal}[signal]  # noqa: SLF001
    once: Any = getattr(module, f"_{signal}_PROVIDER_SET_ONCE", None)
    if once is None:
        return
    do_once = type(once).do_once

    def do_once_and_call(function: Callable[[], None]) -> bool:
        done: bool = do_once(once, function)
        if done:
            try:
                call()
            except Exception as error:
                logger.warning("turnspan does not see the program's %s provider: %s", signal.lower(), error)
        return done

    once.do_once = do_once_and_call
