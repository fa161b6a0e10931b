"""Outlets: what goes from the journal to logs and metrics, and what an outlet is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import msgspec

from turnspan.journal.hash_chain import SpanIds


class Folded(msgspec.Struct, frozen=True, gc=False):
    """An event with its span, the start of what it ends, and its time as text: all that logs and metrics need."""

    event: Any
    span: SpanIds | None
    started: Any
    at: str

    @property
    def duration_ns(self) -> int | None:
        """How long it took, for an event that ends something."""
        return None if self.started is None else int(self.event.at_ns - self.started.at_ns)


class Providers(Protocol):
    """Where log records and metrics go: to the program's providers, or else to our own."""

    pending: bool
    """Whether the providers are still to be set up: with the first turn."""

    def logger_provider(self) -> Any:
        """Return the provider for log records; None where there is none."""

    def meter_provider(self) -> Any:
        """Return the provider for metrics; None where there is none."""

    def health(self) -> Any:
        """Return what metrics say of recording itself; None where they say nothing."""


class Outlet(Protocol):
    """Where events go from the writer thread: logs, metrics."""

    def write(self, events: Iterable[Folded]) -> None:
        """Take some events."""
