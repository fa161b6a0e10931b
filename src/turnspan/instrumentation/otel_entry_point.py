"""The entry point for ``opentelemetry-instrument``.

Its class only looks like OpenTelemetry's ``BaseInstrumentor``: the package that has it pins the conventions' version with
``==`` and trails the SDK by days after each release, in which nothing that needs both could be installed.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from turnspan.instrumentation import zero_code


class TurnspanInstrumentor:
    """Does what ``turnspan run`` does; the SDK is the one that ``opentelemetry-instrument`` has set up."""

    is_instrumented_by_opentelemetry = False

    def instrumentation_dependencies(self) -> Collection[str]:
        """Nothing: the adapters look for their runtimes by themselves."""
        return ()

    def instrument(self, **_options: Any) -> None:
        """Watch the program; what distributions give as options (``skip_dep_check``) has no meaning here."""
        zero_code.begin()
        type(self).is_instrumented_by_opentelemetry = True

    def uninstrument(self, **_options: Any) -> None:
        """Leave the program alone again."""
        zero_code.uninstrument()
        type(self).is_instrumented_by_opentelemetry = False
