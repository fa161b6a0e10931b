"""Outgoing context: what requests say of the trace and the session that they are made in.

Whoever puts headers into requests (an instrumented HTTP client, a model client that traces itself) asks OpenTelemetry's
W3C propagators. Recording must not change what a program sends, so they are answered as if turnspan were not there:

- Where the only tracer provider is turnspan's stand-in, and ``OTEL_PROPAGATORS`` is not set, nobody asked for trace
  context in requests. What a caller sent is passed on; our spans and our session are not.
- Elsewhere the trace context is the program's to send, and the session goes along as baggage. Never to a model, though:
  its provider learns nothing of sessions.
- What turnspan itself carries to a subprocess, or to a server of tools, has both.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from typing import Any, cast

import wrapt
from opentelemetry import baggage, context, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from turnspan.adapter import CurrentContext
from turnspan.telemetry import semconv as sc
from turnspan.telemetry.current_context import current_context
from turnspan.telemetry.external_spans import is_of_model

BAGGAGE_SESSION = sc.SESSION_ID
"""The baggage entry that carries the session id to other services."""

_CARRIED = context.create_key("turnspan-carried")  # set where turnspan itself carries the context
_RECEIVED = context.create_key("turnspan-received")  # the caller's span, also where other spans are current by now
_INHERITED = context.create_key("turnspan-inherited")  # the session of the parent process

AsksModel = Callable[[CurrentContext], bool]
_asks_model: AsksModel | None = None
withheld: list[Callable[[], Collection[str]]] = []
"""Return baggage entries that are there only because turnspan turned an instrumentation on."""


def install(asks_model: AsksModel) -> None:
    """Answer for the W3C propagators from now on.

    Args:
        asks_model: Returns whether a model is being asked, right where some code is.

    """
    global _asks_model
    if _asks_model is None:
        _wrap(TraceContextTextMapPropagator, "inject", _changing(_trace_context))
        _wrap(TraceContextTextMapPropagator, "extract", _extract)
        _wrap(W3CBaggagePropagator, "inject", _changing(_baggage))
    _asks_model = asks_model


def carrier(inside: context.Context | None = None) -> dict[str, str]:
    """Return the W3C headers that carry a context, the current one unless it is given, to another process of ours."""
    from opentelemetry import propagate  # which looks for propagators in all that is installed

    headers: dict[str, str] = {}
    propagate.inject(headers, context.set_value(_CARRIED, True, inside))
    return headers


def inherited(headers: Mapping[str, str]) -> context.Context:
    """Return a context that goes on where another process was: what it carried is for us, and not for servers."""
    from opentelemetry import propagate

    found = propagate.extract(headers)
    session_id = baggage.get_baggage(BAGGAGE_SESSION, found)
    return context.set_value(
        _INHERITED, session_id, context.set_value(_RECEIVED, trace.INVALID_SPAN, baggage.clear(found))
    )


def received_session() -> Any:
    """Return the session of the caller, or of the parent process; None where neither named one."""
    return baggage.get_baggage(BAGGAGE_SESSION) or context.get_value(_INHERITED)


def _held_back(inside: context.Context | None) -> bool:
    """Return whether nobody asked for our context in requests."""
    return (
        getattr(trace.get_tracer_provider(), "stands_in", False)
        and "OTEL_PROPAGATORS" not in os.environ
        and context.get_value(_CARRIED, inside) is None
    )


def _trace_context(inside: context.Context | None) -> context.Context | None:
    """Return the context with the span that may be passed on."""
    if not _held_back(inside):
        return inside
    span = context.get_value(_RECEIVED, inside)
    if span is None:
        current = trace.get_current_span(inside)
        span = current if current.get_span_context().is_remote else trace.INVALID_SPAN
    return trace.set_span_in_context(cast("trace.Span", span), inside)


def _baggage(inside: context.Context | None) -> context.Context | None:
    """Return the context with the baggage that may be passed on."""
    for names in withheld:
        for name in names():
            inside = baggage.remove_baggage(name, inside)
    position = current_context(inside)
    if position is None or _held_back(inside):
        return inside
    if context.get_value(_CARRIED, inside) is None and _goes_to_model(position, inside):
        return inside
    return baggage.set_baggage(BAGGAGE_SESSION, position.session_id, inside)


def _goes_to_model(position: CurrentContext, inside: context.Context | None) -> bool:
    if is_of_model(getattr(trace.get_current_span(inside), "attributes", None) or {}):
        return True
    return _asks_model is not None and _asks_model(position)


def _extract(extract: Any, _instance: Any, args: Any, kwargs: Any) -> context.Context:
    """Remember the caller's span."""
    found: context.Context = extract(*args, **kwargs)
    span = trace.get_current_span(found)
    return context.set_value(_RECEIVED, span, found) if span.get_span_context().is_remote else found


def _changing(change: Callable[[context.Context | None], context.Context | None]) -> Callable[..., None]:
    """Return a wrapper of ``inject(carrier, context, setter)`` that changes the context."""

    def inject(function: Any, _instance: Any, args: Any, kwargs: Any) -> None:
        if len(args) > 1:
            args = (args[0], change(args[1]), *args[2:])
        else:
            kwargs = {**kwargs, "context": change(kwargs.get("context"))}
        function(*args, **kwargs)

    return inject


def _wrap(owner: type, name: str, wrapper: Callable[..., Any]) -> None:
    setattr(owner, name, wrapt.FunctionWrapper(owner.__dict__[name], wrapper))
