"""What model calls cost: what their provider says that it charged, or else the list prices of genai-prices (extra ``prices``).

A price is looked up by what the provider called itself, its model and the tier that it served the call in, and as of the
day of the call. Where any of these is not known there is no figure: discounts that were agreed on are in no list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

from msgspec import Struct

from turnspan.model.newest import Newest
from turnspan.reading.tree import TimelineNode, turn_tree
from turnspan.reading.windows import as_ours
from turnspan.stores.base import Meters, ModelUse, SessionStore, SessionSummary

_MOST_TURNS = 200
"""What a longer session cost is kept as long as it stays the same: each of its calls is read for it."""
_long: Newest[tuple[str, str, int, int], Cost] = Newest(1024)

_PROVIDERS = {
    "aws.bedrock": "aws",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "mistral_ai": "mistral",
    "moonshot_ai": "moonshotai",
    "x_ai": "x-ai",
}
"""The providers' names of the GenAI conventions that the list has other names for."""
_TOKENS = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "cache_write_1h_tokens": "cache_write_1h_tokens",
    "audio_input_tokens": "input_audio_tokens",
    "audio_output_tokens": "output_audio_tokens",
    "image_input_tokens": "input_image_tokens",
    "image_output_tokens": "output_image_tokens",
}
_LIST = "genai-prices"


class Cost(Struct, frozen=True):
    """What calls cost in US dollars."""

    usd: float | None = None
    """None where no call has a figure."""
    unknown: int = 0
    """How many calls used tokens and have no figure."""
    prices: str | None = None
    """The list that prices are from, with its version; None where it is not installed."""
    as_of: str | None = None
    """The day of the last call that has a figure: a call costs what the list says of its day."""

    def __str__(self) -> str:
        """Return it as people read it; empty where nothing is known to cost anything."""
        if not self.usd:
            return ""
        places = 2 if self.usd >= 1 else 4 if self.usd >= 0.01 else 6
        shown = f"${self.usd:,.{places}f}" if self.usd >= 0.000001 else "< $0.000001"
        return f"{shown} + {self.unknown} without a price" if self.unknown else shown

    def or_unknown(self) -> str:
        """Return it as people read it where they ask for it: what is not known says so."""
        return str(self) or ("unknown" if self.unknown else "-")


def cost_of(nodes: Iterable[TimelineNode]) -> Cost:
    """Return what the model calls in some trees cost together; a model call alone is a tree, too."""
    return _sum(_uses(nodes))


def with_costs(store: SessionStore, sessions: Sequence[SessionSummary]) -> list[SessionSummary]:
    """Return summaries with what the sessions cost; as far as that is known."""
    costs = {one.session_id: cost for one in sessions if (cost := _long.get(_state_of(one))) is not None}
    wanted = [one.session_id for one in sessions if one.tokens and one.session_id not in costs]
    used: dict[str, list[ModelUse]] = {}
    if wanted:
        for use in store.model_use(wanted) if isinstance(store, Meters) else _loaded(store, wanted):
            used.setdefault(use.session_id, []).append(use)
    costs |= {session_id: _sum(uses) for session_id, uses in used.items()}
    for one in sessions:
        if one.turns > _MOST_TURNS and one.session_id in costs:
            _long.remember(_state_of(one), costs[one.session_id])
    return [
        replace(one, cost_usd=cost.usd or None, unpriced_calls=cost.unknown)
        if (cost := costs.get(one.session_id))
        else one
        for one in sessions
    ]


def _state_of(session: SessionSummary) -> tuple[str, str, int, int]:
    return session.session_id, session.updated_at, session.turns, session.tokens


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
    found: list[tuple[str, float]] = []
    unknown = 0
    for use in uses:
        if (usd := _usd_of(use)) is None:
            unknown += 1
        else:
            found.append((use.started_at[:10], usd))
    days, known = [day for day, _ in found], sum(usd for _, usd in found)
    return Cost(known if found or not unknown else None, unknown, _list_version(), max(days, default=None))


def _usd_of(use: ModelUse) -> float | None:
    if (charged := use.usage.get("cost_usd")) is not None:
        return float(charged)
    tokens = tuple((theirs, use.usage[ours]) for ours, theirs in _TOKENS.items() if use.usage.get(ours))
    return _price(use.provider, use.model, tokens, use.started_at[:10], use.usage.get("service_tier"))


def warm() -> None:
    """Read the list, which takes a moment, before somebody waits for it."""
    _price("openai", "gpt-4o", (("input_tokens", 1),), "2026-01-01")


@lru_cache(4096)
def _price(
    provider: str, model: str, tokens: tuple[tuple[str, int], ...], day: str, tier: str | None = None
) -> float | None:
    """Return what a call costs; None where the list does not have it, or is not installed."""
    try:
        from genai_prices import Usage, calc_price
    except ImportError:
        return None
    if not provider or not tokens:
        return None
    context = {} if tier is None else {"processing": tier} if tier == "batch" else {"service_tier": tier}
    try:
        at = datetime.fromisoformat(f"{day}T12:00:00+00:00")
        found = calc_price(
            Usage(**dict(tokens)),
            model_ref=model,
            provider_id=_PROVIDERS.get(provider, provider),
            genai_request_timestamp=at,
            price_context=context or None,
        )
    except (LookupError, ValueError):  # not in the list, or counts that contradict each other
        return None
    tiers = [one for one in found.model.price_variants or () if one.constraint is None or one.constraint.active(at)]
    if context and all(one.when != context for one in tiers):
        return None  # the list says nothing of this tier on that day
    return float(found.total_price)


@lru_cache(1)
def _list_version() -> str | None:
    """Return the name and version of the list; None where it is not installed."""
    try:
        return f"{_LIST} {version(_LIST)}"
    except PackageNotFoundError:
        return None
