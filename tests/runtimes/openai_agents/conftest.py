"""What the tests of the OpenAI Agents SDK share: the adapter, and runs with the SDK's tracing and without."""

import pytest

from turnspan.instrumentation.registry import Adapters


@pytest.fixture(autouse=True, params=["tracing on", "tracing off"])
def config(request):
    """Everything works with the SDK's tracing disabled too, as it is for models of other providers."""
    agents = pytest.importorskip("agents")
    agents.set_trace_processors([])
    return agents.RunConfig(tracing_disabled=request.param == "tracing off")


@pytest.fixture(autouse=True)
def adapter(recording):
    adapters = Adapters()
    adapters.watch("openai-agents")
    assert adapters.installed() == ["openai-agents"]
    yield
    adapters.undo()
