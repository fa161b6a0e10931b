"""The current context: the turn and call that code is running in, carried by OpenTelemetry's context."""

from __future__ import annotations

from opentelemetry import context, trace
from opentelemetry.trace import Span

from turnspan.adapter import CurrentContext
from turnspan.telemetry.external_spans import external_spans

CONTEXT_KEY = context.create_key("turnspan-scope")
"""Where the OpenTelemetry context keeps the current turn and call, so that both travel together."""

_BY_SPAN = external_spans.contexts


def current_context(where: context.Context | None = None) -> CurrentContext | None:
    """Return the turn and call that the calling code runs in, or those of an OpenTelemetry context."""
    if _BY_SPAN and (by_span := _BY_SPAN.get(trace.get_current_span(where).get_span_context().span_id)) is not None:
        return by_span
    current = context.get_value(CONTEXT_KEY, where)
    return current if isinstance(current, CurrentContext) else None


def context_inside(position: CurrentContext, span: Span | None) -> context.Context:
    """Return a context in which code runs inside a turn or call, and its span is current."""
    inside = context.set_value(CONTEXT_KEY, position)
    return inside if span is None else trace.set_span_in_context(span, inside)


def child_context(span: Span) -> context.Context:
    """Return a context for children of a span, whatever is active where they start."""
    return trace.set_span_in_context(span, context.Context())
