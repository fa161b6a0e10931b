"""The stand-in: turnspan's own tracer provider, for as long as the program has none.

A program may set its provider whenever it likes, also behind its first turn: ours gives way silently, and all
spans then go where the program wants them. Tracers that other libraries got from ours in the meantime follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider

from turnspan.otel_sdk import internals
from turnspan.recording.recorder import all_recorders
from turnspan.telemetry.current_context import current_context
from turnspan.telemetry.external_spans import is_of_model

_INTERNAL = trace.SpanKind.INTERNAL


class StandInProvider(TracerProvider):
    """A provider that hands over to the one that the program sets.

    ``span_outlets`` says where its spans go, as seals name it; ``stands_in`` that the program has no provider.
    """

    stands_in = True
    span_outlets: tuple[str, ...] = ()

    def __init__(self, **options: Any) -> None:
        super().__init__(shutdown_on_exit=False, **options)
        self._successor: trace.TracerProvider | None = None
        self._by_scope: dict[tuple[str | None, ...], trace.Tracer] = {}

    def install(self) -> None:
        """Make this the provider of the process, provisionally."""
        internals.set_provisionally(self)

    def hand_over(self, successor: trace.TracerProvider) -> None:
        """Let a provider make the spans from now on."""
        self._successor = successor

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Any = None,
    ) -> trace.Tracer:
        """Return a tracer; its spans are the successor's as soon as there is one.

        Some libraries ask for one with each span. The SDK then changes the warning filters each time, and Python
        forgets which warnings of the program it has shown.
        """
        scope = (instrumenting_module_name, instrumenting_library_version, schema_url, attributes)
        if self._successor is not None:
            return self._successor.get_tracer(*scope)
        if attributes is None and (known := self._by_scope.get(scope)) is not None:
            return known
        tracer = super().get_tracer(*scope)
        if "start_span" not in vars(tracer) and instrumenting_module_name != "turnspan":  # ours asks by itself
            own_start = tracer.start_span

            def start_span(
                name: str, context: Any = None, kind: Any = _INTERNAL, *args: Any, **kwargs: Any
            ) -> trace.Span:
                successor = self._successor
                if successor is not None:
                    return successor.get_tracer(*scope).start_span(name, context, kind, *args, **kwargs)
                attributes = args[0] if args else kwargs.get("attributes")
                same = _span_of_same_call(context, attributes)
                return own_start(name, context, kind, *args, **kwargs) if same is None else same

            tracer.start_span = start_span  # type: ignore[method-assign]
        if attributes is None:
            self._by_scope[scope] = tracer
        return tracer


def _span_of_same_call(context: Context | None, attributes: Any) -> trace.Span | None:
    """Return the current span in place of a second one of a model call; None for any other span.

    The program has no provider, so nobody waits for the second one, which would also count the tokens twice.
    """
    if (
        not isinstance(attributes, Mapping)
        or not is_of_model(attributes)
        or (position := current_context(context)) is None
    ):
        return None
    if not any(recorder.turns.has_model_span(position) for recorder in all_recorders()):
        return None
    return trace.NonRecordingSpan(trace.get_current_span(context).get_span_context())
