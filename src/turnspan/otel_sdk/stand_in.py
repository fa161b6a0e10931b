"""The stand-in: turnspan's own tracer provider, for as long as the program has none.

A program may set its provider whenever it likes, also behind its first turn: ours gives way silently, and all
spans then go where the program wants them. Tracers that other libraries got from ours in the meantime follow.
"""

from __future__ import annotations

from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from turnspan.otel_sdk import internals


class StandInProvider(TracerProvider):
    """A provider that hands over to the one that the program sets.

    ``span_outlets`` says where its spans go, as seals name it.
    """

    span_outlets: tuple[str, ...] = ()

    def __init__(self, **options: Any) -> None:
        super().__init__(shutdown_on_exit=False, **options)
        self._successor: trace.TracerProvider | None = None

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
        """Return a tracer; its spans are the successor's as soon as there is one."""
        scope = (instrumenting_module_name, instrumenting_library_version, schema_url, attributes)
        if self._successor is not None:
            return self._successor.get_tracer(*scope)
        tracer = super().get_tracer(*scope)
        if "start_span" not in vars(tracer) and instrumenting_module_name != "turnspan":  # ours asks by itself
            own_start = tracer.start_span

            def start_span(*args: Any, **kwargs: Any) -> trace.Span:
                successor = self._successor
                start = own_start if successor is None else successor.get_tracer(*scope).start_span
                return start(*args, **kwargs)

            tracer.start_span = start_span  # type: ignore[method-assign]
        return tracer
