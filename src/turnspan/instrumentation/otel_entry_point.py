"""The entry point for ``opentelemetry-instrument``."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from turnspan.instrumentation import zero_code


class TurnspanInstrumentor(BaseInstrumentor):  # type: ignore[misc]
    """Does what ``turnspan run`` does; the SDK is the one that ``opentelemetry-instrument`` has set up."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Nothing: the adapters look for their runtimes by themselves."""
        return ()

    def _instrument(self, **_kwargs: Any) -> None:
        zero_code.begin()

    def _uninstrument(self, **_kwargs: Any) -> None:
        zero_code.uninstrument()
