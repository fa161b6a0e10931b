"""The current context: the turn and call that code is running in, carried by OpenTelemetry's context."""

from __future__ import annotations

from opentelemetry import baggage, context, trace
from opentelemetry.trace import Span

from turnspan.adapter import CurrentContext
from turnspan.telemetry import semconv as sc

CONTEXT_KEY = context.create_key("turnspan-scope")
"""Where the OpenTelemetry context keeps the current turn and call, so that both travel together."""
BAGGAGE_SESSION = sc.SESSION_ID
"""The baggage entry that carries the session id to other services."""


# Where code runs -----------------------------------------------------------------------------------------------------


CONTEXT_OF_SPAN: dict[int, CurrentContext] = {}
"""Where code inside of somebody else's spans runs, by span id: what they stand for, or what they are in."""
UNCLAIMED_SPANS: dict[int, Span | None] = {}
"""Spans of others, outside of every turn, of which it is not known yet what they stand for; None: one of ours told it."""


def current_context(where: context.Context | None = None) -> CurrentContext | None:
    """Return the turn and call that the calling code runs in, or those of a context."""
    if (
        CONTEXT_OF_SPAN
        and (place := CONTEXT_OF_SPAN.get(trace.get_current_span(where).get_span_context().span_id)) is not None
    ):
        return place
    found = context.get_value(CONTEXT_KEY, where)
    return found if isinstance(found, CurrentContext) else None


def context_inside(found: CurrentContext, span: Span | None) -> context.Context:
    """Return a context in which code runs inside a turn or call: its span is current, its session travels along."""
    here = current_context()
    inside = context.set_value(CONTEXT_KEY, found)
    if here is None or here.session_id != found.session_id:
        inside = baggage.set_baggage(BAGGAGE_SESSION, found.session_id, inside)
    return inside if span is None else trace.set_span_in_context(span, inside)


def below(span: Span) -> context.Context:
    """Return a context for spans below this one, whatever is active where they start."""
    return trace.set_span_in_context(span, context.Context())
