"""What model calls cost, by the list prices that the package genai-prices keeps (extra ``prices``).

A price is looked up by what the provider called itself and its model, and as of the day of the call. Where any of these
is not known there is no figure: discounts, batches and tiers that were agreed on are in no list.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from turnspan.reading.tree import TimelineNode

_PROVIDERS = {
    "aws.bedrock": "aws",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "mistral_ai": "mistral",
    "x_ai": "x-ai",
}
"""The providers' names of the GenAI conventions that the list has other names for."""
_TOKENS = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens",
}


class Cost(NamedTuple):
    """What calls cost in US dollars; ``unknown`` counts those with tokens that have no price."""

    usd: float = 0.0
    unknown: int = 0

    def __str__(self) -> str:
        """Return it as people read it; empty where nothing is known to cost anything."""
        if not self.usd:
            return ""
        places = 2 if self.usd >= 1 else 4 if self.usd >= 0.01 else 6
        shown = f"${self.usd:,.{places}f}" if self.usd >= 0.000001 else "< $0.000001"
        return f"{shown} + {self.unknown} without a price" if self.unknown else shown


def cost_of(nodes: Iterable[TimelineNode]) -> Cost:
    """Return what the model calls in some trees cost together; a model call alone is a tree, too."""
    usd, unknown = 0.0, 0
    for node in nodes:
        for one in node.walk():
            usage = one.details.get("usage") if one.kind == "model call" else None
            if not usage:
                continue
            tokens = tuple((theirs, usage[ours]) for ours, theirs in _TOKENS.items() if usage.get(ours))
            price = _price(str(one.details.get("provider") or ""), one.name, tokens, one.started_at[:10])
            if price is None:
                unknown += 1
            else:
                usd += price
    return Cost(usd, unknown)


@lru_cache(4096)
def _price(provider: str, model: str, tokens: tuple[tuple[str, int], ...], day: str) -> float | None:
    """Return what a call costs; None where the list does not have it, or is not installed."""
    try:
        from genai_prices import Usage, calc_price
    except ImportError:
        return None
    if not provider or not tokens:
        return None
    try:
        found = calc_price(
            Usage(**dict(tokens)),
            model_ref=model,
            provider_id=_PROVIDERS.get(provider, provider),
            genai_request_timestamp=datetime.fromisoformat(f"{day}T12:00:00+00:00"),
        )
    except (LookupError, ValueError):  # not in the list, or counts that contradict each other
        return None
    return float(found.total_price)
