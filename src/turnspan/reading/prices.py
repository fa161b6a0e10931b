"""What model calls cost, by the list prices that the package genai-prices keeps (extra ``prices``).

A price is looked up by what the provider called itself and its model, and as of the day of the call. Where any of these
is not known there is no figure: discounts, batches and tiers that were agreed on are in no list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import NamedTuple

from turnspan.reading.tree import TimelineNode, turn_tree
from turnspan.reading.windows import as_ours
from turnspan.stores.base import Meters, ModelUse, SessionStore, SessionSummary

_MOST_TURNS = 200
"""Of a longer session a list does not say what it cost: each of its calls would be read."""

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
    return _sum(_uses(nodes))


def with_costs(store: SessionStore, sessions: Sequence[SessionSummary]) -> list[SessionSummary]:
    """Return summaries with what the sessions cost; as they are where there are no prices."""
    wanted = [one.session_id for one in sessions if one.tokens and one.turns <= _MOST_TURNS]
    if not wanted or not _has_prices():
        return list(sessions)
    used: dict[str, list[ModelUse]] = {}
    for use in store.model_use(wanted) if isinstance(store, Meters) else _loaded(store, wanted):
        used.setdefault(use.session_id, []).append(use)
    costs = {session_id: _sum(uses) for session_id, uses in used.items()}
    return [
        replace(one, cost_usd=cost.usd or None, unpriced_calls=cost.unknown)
        if (cost := costs.get(one.session_id))
        else one
        for one in sessions
    ]


def _loaded(store: SessionStore, session_ids: Iterable[str]) -> Iterator[ModelUse]:
    for session_id in session_ids:
        if (session := store.load_session(session_id)) is not None:
            yield from _uses([turn_tree(turn) for turn in as_ours(session).turns], session_id)


def _uses(nodes: Iterable[TimelineNode], session_id: str = "") -> Iterator[ModelUse]:
    """Yield what the model calls in some trees used, of those that say it."""
    for node in nodes:
        for one in node.walk():
            if one.kind == "model call" and (usage := one.details.get("usage")):
                yield ModelUse(session_id, str(one.details.get("provider") or ""), one.name, one.started_at, usage)


def _sum(uses: Iterable[ModelUse]) -> Cost:
    usd, unknown = 0.0, 0
    for use in uses:
        price = _price(use.provider, use.model, _counted(use.usage), use.started_at[:10])
        if price is None:
            unknown += 1
        else:
            usd += price
    return Cost(usd, unknown)


def _counted(usage: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple((theirs, usage[ours]) for ours, theirs in _TOKENS.items() if usage.get(ours))


@cache
def _has_prices() -> bool:
    return find_spec("genai_prices") is not None


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
