"""Tokens as providers say them, into the one meaning that :class:`turnspan.events.Usage` gives them.

Each function takes the usage of one interface, as the client's object or as plain data. ``docs/usage.md`` names the
source of each rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from turnspan.events import Usage

_STANDARD = {
    "default",
    "standard",
    "auto",
    "on_demand",
    "on-demand",
    "scale",
    "unspecified",
    "service_tier_unspecified",
}
"""Tiers that are billed by the list."""
_TICKS_PER_USD = 10_000_000_000
"""xAI says what a call costs in these."""


def openai_usage(used: Any, service_tier: Any = None) -> Usage | None:
    """Return the usage of chat completions or responses, OpenAI's own or a compatible service's.

    OpenAI counts reasoning as output; xAI, Perplexity and Gemini say it beside: then the total is larger than its parts,
    or there was more reasoning than output.
    """
    said = _plain(used)
    if said is None:
        return None
    asked = _part(said, "prompt_tokens_details", "input_tokens_details")
    answered = _part(said, "completion_tokens_details", "output_tokens_details")
    given, made = _first(said, "prompt_tokens", "input_tokens"), _first(said, "completion_tokens", "output_tokens")
    thought = _first(answered, "reasoning_tokens") or _first(said, "reasoning_tokens")
    if made is not None and (beside := (_first(said, "total_tokens") or 0) - (given or 0) - made) > 0:
        made += beside
    elif made is not None and thought and thought > made:
        made += thought
    read = _first(asked, "cached_tokens") or _first(
        said, "prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens", "cache_read_input_tokens"
    )
    written = _first(asked, "cache_write_tokens", "cache_creation_input_tokens", "cache_creation_tokens")
    return Usage(
        input_tokens=given,
        output_tokens=made,
        cache_read_tokens=read or None,
        cache_write_tokens=written or _first(said, "cache_creation_input_tokens") or None,
        cache_write_1h_tokens=_first(_part(asked, "cache_creation"), "ephemeral_1h_input_tokens") or None,
        reasoning_tokens=thought or None,
        audio_input_tokens=_first(asked, "audio_tokens") or None,
        audio_output_tokens=_first(answered, "audio_tokens") or None,
        image_input_tokens=_first(asked, "image_tokens") or None,
        image_output_tokens=_first(answered, "image_tokens") or None,
        cost_usd=_cost(said),
        service_tier=tier(service_tier or said.get("service_tier")),
    )


def anthropic_usage(used: Any) -> Usage | None:
    """Return the usage of a message: its input tokens are those that no cache had and none was given.

    Where the provider compacted the conversation on its way, the totals leave that out, and ``iterations`` has it.
    """
    said = _plain(used)
    if said is None:
        return None
    steps = [one for step in said.get("iterations") or () if (one := _plain(step))] or [said]

    def total(name: str) -> int:
        return sum(_first(step, name) or 0 for step in steps)

    read, written = total("cache_read_input_tokens"), total("cache_creation_input_tokens")
    kept = sum(_first(_part(step, "cache_creation"), "ephemeral_1h_input_tokens") or 0 for step in steps)
    return Usage(
        input_tokens=total("input_tokens") + read + written,
        output_tokens=total("output_tokens"),
        cache_read_tokens=read or None,
        cache_write_tokens=written or None,
        cache_write_1h_tokens=kept or None,
        service_tier=tier(said.get("service_tier")),
    )


def bedrock_usage(used: Mapping[str, Any], served: Any = None) -> Usage:
    """Return the usage of Converse: its input tokens are those that no cache had and none was given."""
    given, made = used.get("inputTokens") or 0, used.get("outputTokens") or 0
    read, written = used.get("cacheReadInputTokens") or 0, used.get("cacheWriteInputTokens") or 0
    kept = sum(one.get("inputTokens") or 0 for one in used.get("cacheDetails") or () if one.get("ttl") == "1h")
    return Usage(
        input_tokens=given + read + written,
        output_tokens=made,
        cache_read_tokens=read or None,
        cache_write_tokens=written or None,
        cache_write_1h_tokens=kept or None,
        service_tier=tier(served),
    )


def tier(said: Any) -> str | None:
    """Return the tier that a provider says it served a call in; None for its standard one."""
    name = getattr(said, "value", said)
    return None if not isinstance(name, str) or name.lower() in _STANDARD else name.lower()


def _cost(said: Mapping[str, Any]) -> float | None:
    """Return what the provider says that it charged: OpenRouter, Perplexity and xAI do."""
    if isinstance(ticks := said.get("cost_in_usd_ticks"), int):
        return ticks / _TICKS_PER_USD
    cost = _plain(said.get("cost")) or said.get("cost")
    cost = cost.get("total_cost") if isinstance(cost, Mapping) else cost
    return float(cost) if isinstance(cost, (int, float)) and not isinstance(cost, bool) else None


def _plain(value: Any) -> dict[str, Any] | None:
    found = value.model_dump(exclude_none=True, warnings=False) if hasattr(value, "model_dump") else value
    return found if isinstance(found, dict) and found else None


def _part(said: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """Return the first of some parts that are there."""
    return next((found for name in names if isinstance(found := said.get(name), Mapping)), {})


def _first(said: Mapping[str, Any], *names: str) -> int | None:
    """Return the first of some counts that are there."""
    return next((found for name in names if isinstance(found := said.get(name), int)), None)
