"""Own output: what turnspan sends through a program's own providers stays off the program's console.

Spans and log records of ours go wherever the program sends its own. An exporter that prints is the exception: what a
program writes to its standard output is its users' to read, or another program's to parse, and stays as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from turnspan.otel_sdk import internals

SCOPE = "turnspan"
"""The instrumentation scope of our own spans, log records and metrics."""


class WithoutOwn:
    """An exporter that is not given what is turnspan's.

    Args:
        exporter: One of spans or of log records.

    """

    def __init__(self, exporter: Any) -> None:
        self._exporter = exporter

    def export(self, batch: Sequence[Any]) -> Any:
        """Have exported what is not ours."""
        return self._exporter.export([item for item in batch if _scope_of(item) != SCOPE])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._exporter, name)


def keep_off_console(provider: Any) -> None:
    """Keep our spans and log records from the exporters of a provider that print."""
    for holder, attribute, exporter in list(internals.exporters_below(provider)):
        if "Console" in type(exporter).__name__:
            setattr(holder, attribute, WithoutOwn(exporter))


def _scope_of(item: Any) -> str:
    scope = getattr(item, "instrumentation_scope", None)
    return getattr(scope, "name", None) or ""
