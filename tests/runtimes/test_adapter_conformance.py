"""Adapter conformance, through every driver: the same record, spans and log from every runtime."""

import functools
import importlib
import os
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from turnspan.instrumentation.registry import GROUP, AdapterState, name_of
from turnspan.testing import AdapterConformance

FOLDER = Path(__file__).parents[1] / "support" / "drivers"
MISSING = {}
DRIVERS = []
PLAYED = os.environ.get("PLAYS", "").replace("_", "-")
"""In the environment of one runtime, only that one is played; what is beside it has an environment of its own."""


def _of(driver):
    """Return the suite for one driver, with what is known to fail marked as such."""

    @pytest.fixture
    def given(self):
        made = driver()
        yield made
        made.close()

    body = {"driver": given}
    for name, reason in getattr(driver, "known_failures", {}).items():
        case = getattr(AdapterConformance, name)
        body[name] = pytest.mark.xfail(reason=reason, strict=True)(functools.wraps(case)(_calling(case)))
    return type(f"Test{driver.__name__}", (AdapterConformance,), body)


def _calling(case):
    def test(self, driver):
        case(self, driver)

    return test


for path in sorted(FOLDER.glob("[!_]*.py")):
    try:
        module = importlib.import_module(f"support.drivers.{path.stem}")
    except ImportError as error:  # each runtime has an environment of its own, too; some say themselves what they lack
        missing = error if isinstance(error, ModuleNotFoundError) else error.__cause__
        if not isinstance(missing, ModuleNotFoundError):
            raise
        MISSING[path.stem] = missing.name
        continue
    for driver in module.drivers:
        DRIVERS.append(driver)
        if PLAYED in ("", "mcp", "otel", driver.adapter):
            globals()[f"Test{driver.__name__}"] = _of(driver)


@pytest.mark.parametrize("driver", sorted(MISSING))
def test_drivers_that_cannot_run_here(driver):
    """Which runtimes were not looked at is said, not passed over."""
    pytest.skip(f"{MISSING[driver]} is not installed")


def test_the_runtime_of_this_environment_is_driven():
    """A new release may move what a driver imports: then it must not be passed over as not installed."""
    runtime = os.environ.get("PLAYS")
    if runtime in (None, "mcp", "otel"):
        pytest.skip("no environment for one runtime" if runtime is None else "it has tests of its own")
    assert runtime.replace("_", "-") in {driver.adapter for driver in DRIVERS}, MISSING


@pytest.mark.parametrize("adapter", sorted({driver.adapter for driver in DRIVERS}))
def test_what_is_played_is_inside_of_what_the_adapter_says_it_is_tested_with(adapter):
    """A release beyond the adapter's ``REQUIRES`` is played, too: if it passes, ``REQUIRES`` says so from then on."""
    (entry,) = (entry for entry in entry_points(group=GROUP) if name_of(entry) == adapter)
    if PLAYED in ("", adapter):
        assert AdapterState.of(entry).untested is None
