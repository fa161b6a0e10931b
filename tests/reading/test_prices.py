"""What calls cost: list prices of provider, model and day, and no figure where one of them is not known."""

import sys

import pytest

from turnspan.model.records import TurnRecord
from turnspan.reading import prices
from turnspan.reading.prices import Cost, _price, cost_of
from turnspan.reading.tree import turn_tree

genai_prices = pytest.importorskip("genai_prices")

USED = {"input_tokens": 1_000_000, "output_tokens": 100_000}


def calls(*models, day="2026-01-05"):
    """Return the tree of a turn with model calls, each a provider, a model and its tokens."""
    kept = [
        {"provider": provider, "model": model, "usage": usage, "started_at": f"{day}T10:00:00+00:00"}
        for provider, model, usage in models
    ]
    return turn_tree(TurnRecord("t", metadata={"turnspan": {"model_calls": kept}}))


def listed(provider, model, **usage):
    return float(
        genai_prices.calc_price(genai_prices.Usage(**usage), model_ref=model, provider_id=provider).total_price
    )


def test_calls_cost_what_the_list_says():
    """Of a turn the sum over its calls; what came from a cache costs less."""
    one = cost_of([calls(("openai", "gpt-4o", USED))])
    assert (one.usd, one.unknown) == (pytest.approx(listed("openai", "gpt-4o", **USED)), 0)
    assert (one.prices, one.as_of) == (f"genai-prices {genai_prices.__version__}", "2026-01-05")
    cached = {**USED, "cache_read_tokens": 900_000}
    both = cost_of([calls(("openai", "gpt-4o", USED), ("anthropic", "claude-sonnet-4-5", cached))])
    assert both.usd == pytest.approx(one.usd + listed("anthropic", "claude-sonnet-4-5", **cached))
    assert listed("anthropic", "claude-sonnet-4-5", **cached) < listed("anthropic", "claude-sonnet-4-5", **USED)


def test_providers_go_by_the_names_of_the_conventions():
    """What OpenTelemetry calls azure.ai.openai, the list calls azure."""
    assert cost_of([calls(("azure.ai.openai", "gpt-4o", USED))]).usd > 0


@pytest.mark.parametrize(
    "call",
    [
        ("openai", "a-model-of-ones-own", USED),
        ("_OTHER", "gpt-4o", USED),
        (None, "gpt-4o", USED),
        ("anthropic", "gpt-4o", USED),
        ("openai", "gpt-4o", {"input_tokens": 10, "cache_read_tokens": 20}),
    ],
)
def test_what_is_not_known_has_no_figure(call):
    """Rather none than a wrong one; it is said how many calls that are."""
    found = cost_of([calls(call)])
    assert (found.usd, found.unknown, found.as_of, found.or_unknown()) == (None, 1, None, "unknown")
    assert str(cost_of([calls(call)])) == ""
    assert str(cost_of([calls(call, ("openai", "gpt-4o", USED))])).endswith(" + 1 without a price")


def test_calls_without_tokens_cost_nothing_and_are_not_counted():
    """A provider that says no usage has no call without a price."""
    found = cost_of([calls(("openai", "gpt-4o", {}))])
    assert (found.usd, found.unknown) == (0.0, 0)


def test_what_the_provider_charged_wins_over_the_list():
    """It is the bill; then the model need not be in any list."""
    charged = cost_of(
        [calls(("openrouter", "mine/own", {**USED, "cost_usd": 0.25}), ("x_ai", "grok", {"cost_usd": 0.5}))]
    )
    assert (charged.usd, charged.unknown) == (0.75, 0)


def test_a_cache_that_keeps_for_an_hour_costs_more():
    """Of what is put into a cache each part has the price of how long it is kept."""
    short, long = ({**USED, "cache_write_tokens": 400_000, **more} for more in ({}, {"cache_write_1h_tokens": 400_000}))
    costs = [cost_of([calls(("anthropic", "claude-opus-4-6", used))]).usd for used in (short, long)]
    assert costs[0] < costs[1]


def test_a_tier_has_its_own_price_or_none():
    """A batch costs half, flex less; a tier that the list does not have has no figure."""
    plain, batch, flex = (
        cost_of([calls(("openai", "gpt-5", {**USED, **more}), day="2026-11-05")]).usd
        for more in ({}, {"service_tier": "batch"}, {"service_tier": "flex"})
    )
    assert batch == pytest.approx(plain / 2)
    assert flex < plain
    for tier, day in (("scale", "2026-11-05"), ("batch", "2026-01-05")):  # before the list had it
        assert cost_of([calls(("openai", "gpt-5", {**USED, "service_tier": tier}), day=day)]).usd is None


@pytest.mark.parametrize(
    ("usd", "shown"),
    [
        (0.0, ""),
        (0.000012, "$0.000012"),
        (0.0000001, "< $0.000001"),
        (0.0023, "$0.002300"),
        (0.5, "$0.5000"),
        (1234.5, "$1,234.50"),
    ],
)
def test_amounts_are_read_easily(usd, shown):
    """Four places for cents, two for dollars."""
    assert str(Cost(usd)) == shown


def test_without_the_list_there_are_no_figures(monkeypatch):
    """The extra is not needed for anything else."""
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    _price.cache_clear()
    monkeypatch.setattr(prices, "_list_version", lambda: None)
    assert cost_of([calls(("openai", "gpt-4o", USED))]) == Cost(None, 1, None, None)
    _price.cache_clear()
