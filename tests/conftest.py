import os
import sys

import hypothesis
import pytest

from support.model_server.plugin import model_server  # noqa: F401  a fixture

hypothesis.settings.register_profile("no deadline", deadline=None)  # no promise hangs on how fast a machine is
hypothesis.settings.load_profile("no deadline")

for name in [
    name for name in os.environ if name.startswith(("TURNSPAN_", "OTEL_")) or name in ("TRACEPARENT", "BAGGAGE")
]:
    del os.environ[name]  # what the developer has set must not matter


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """Each test runs in a folder of its own: the default home is ``.turnspan`` there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XERXES_HOME", str(tmp_path / "xerxes"))
    yield
    if (runtime := sys.modules.get("turnspan.recording.runtime")) is not None:
        runtime.shutdown(1.0)  # what is left open would go on writing to folders that are gone


SLOW = {"test_an_adapter_keeps_nothing_of_a_finished_run"}
"""Tests of shipped suites that take long; our own have the mark where they stand."""


def pytest_collection_modifyitems(items):
    for item in items:
        if getattr(item, "originalname", item.name) in SLOW:
            item.add_marker(pytest.mark.slow)
