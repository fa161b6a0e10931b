"""Which adapters are chosen, and what is said of those that cannot be used."""

import pytest

from turnspan import MissingExtraError
from turnspan.instrumentation import registry
from turnspan.instrumentation.registry import Adapters


@pytest.fixture
def without_oats(monkeypatch):
    """A machine that has one runtime not."""
    usable = registry.unusable
    monkeypatch.setattr(
        registry, "unusable", lambda needs: "it is not installed" if needs.startswith("oats") else usable(needs)
    )


def test_taking_an_adapter_out_asks_for_no_other(without_oats):
    """``instrument(adapters="-openai")`` names openai, not all the runtimes that are left."""
    adapters = Adapters()
    adapters.watch("-openai", by_name=True)
    assert "openai" not in adapters.installed()
    adapters.undo()


def test_an_adapter_that_was_named_must_have_its_runtime(without_oats):
    with pytest.raises(MissingExtraError, match="The adapter oats-coder cannot be used: it is not installed"):
        Adapters().watch("openai,oats-coder", by_name=True)
