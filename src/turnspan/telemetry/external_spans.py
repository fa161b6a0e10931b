"""External spans: spans that other instrumentations start in this process, and what they stand for.

A runtime that speaks OpenTelemetry itself, or a second instrumentation of a client, has a span for a turn or call already.
That span is adopted: it gets the audit event ids, record and log carry its ids, and no second span is started.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry import trace

from turnspan.adapter import CurrentContext
from turnspan.model.newest import Newest
from turnspan.telemetry import semconv as sc

_PLACES = 10_000
"""So many contexts: the end of a span whose provider was made before turnspan was there is never seen."""

MODEL_OPERATIONS = ("chat", "text_completion", "generate_content", "embeddings")


class ExternalSpans:
    """The external spans that are open.

    ``contexts`` says, by span id, where code inside of a span is: in the turn or call that it stands for, or that it is in.
    A span outside of every turn is on offer until it ends: the first model call that one of our own adapters emits
    inside of it claims it.
    """

    def __init__(self) -> None:
        self.contexts: Newest[int, CurrentContext] = Newest(_PLACES)
        self._on_offer: dict[int, Any] = {}
        self._claimed: set[int] = set()

    def place(self, span_id: int, context: CurrentContext) -> None:
        """Say where code inside of a span is."""
        self.contexts.remember(span_id, context)

    def offer(self, span_id: int, span: Any) -> None:
        """Put a span on offer."""
        self._on_offer[span_id] = span

    def claim_model_span(self) -> Any:
        """Return the current span if it is on offer and is one of a model call; None otherwise."""
        if not self._on_offer:
            return None
        span_id = trace.get_current_span().get_span_context().span_id
        span = self._on_offer.pop(span_id, None)
        if span is None:
            return None
        self._claimed.add(span_id)
        return span if operation_of(span) in MODEL_OPERATIONS else None

    def forget(self, span_id: int) -> bool:
        """Forget a span that has ended, and return whether one of our own adapters has claimed it."""
        self.contexts.pop(span_id, None)
        self._on_offer.pop(span_id, None)
        if span_id in self._claimed:
            self._claimed.discard(span_id)
            return True
        return False

    def __len__(self) -> int:
        return len(self.contexts) + len(self._on_offer) + len(self._claimed)


external_spans = ExternalSpans()
"""Those of this process."""


def operation_of(span: Any) -> Any:
    """Return what a span says it is of, by the GenAI conventions."""
    return (getattr(span, "attributes", None) or {}).get(sc.GEN_AI_OPERATION_NAME)


def is_of_model(attributes: Mapping[str, Any]) -> bool:
    """Return whether a span of these attributes is of a model call, in any of the dialects."""
    return (
        attributes.get(sc.GEN_AI_OPERATION_NAME) in MODEL_OPERATIONS
        or attributes.get("openinference.span.kind") in ("LLM", "EMBEDDING")
        or "llm.request.type" in attributes
    )


def has_ended(span: Any) -> bool:
    """Return whether a span has ended: nothing can be written to it any more."""
    return getattr(span, "end_time", None) is not None
