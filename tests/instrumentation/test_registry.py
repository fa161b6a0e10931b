"""Which adapters are chosen, and what is said of those that cannot be used."""

import logging
import sys

import pytest

from support.programs import turnspan
from turnspan import AdapterError, MissingExtraError
from turnspan.instrumentation.registry import Adapters
from turnspan.testing import record

ADAPTER = """
REQUIRES = {requires!r}
CANNOT = {{}}

def install(emit):
    installed.append(emit)

installed = []
"""


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """Ship a package with an adapter in it; its runtime is the module ``colorsys``."""

    def ship(text, name="sample"):
        (tmp_path / f"{name}_adapter.py").write_text(text)
        info = tmp_path / f"{name}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        (info / "entry_points.txt").write_text(f"[turnspan.adapters]\ncolorsys = {name}_adapter\n")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, f"{name}_adapter", raising=False)
        return f"{name}-adapter"

    return ship


@pytest.fixture
def adapters():
    made = Adapters()
    yield made
    made.undo()


def test_taking_an_adapter_out_asks_for_no_other(shipped, adapters):
    """``instrument(adapters="-openai")`` names openai, not all the runtimes that are left."""
    shipped(ADAPTER.format(requires="no-such-runtime>=1"))
    adapters.watch("-openai", by_name=True)
    assert "openai" not in adapters.installed()


def test_an_adapter_that_was_named_must_have_its_runtime(shipped, adapters):
    """Asked for by name, a runtime that is not installed is said with pip's line for it."""
    name = shipped(ADAPTER.format(requires="no-such-runtime>=1"))
    with pytest.raises(MissingExtraError, match=r"no-such-runtime is not installed: pip install 'no-such-runtime>=1'"):
        adapters.watch(f"openai,{name}", by_name=True)


def test_an_adapter_that_was_named_must_be_importable(shipped, adapters):
    """A broken adapter is no adapter that watches nothing: asked for by name it raises, and says where it broke."""
    name = shipped("import no_such_module\n")
    with pytest.raises(AdapterError, match=rf"The adapter {name} cannot be used: .*No module named 'no_such_module'"):
        adapters.watch(name, by_name=True)


def test_a_broken_adapter_that_nobody_named_is_reported_and_stops_nothing(shipped, adapters):
    """Among all adapters, one that is broken is a problem of ours, not of the program."""
    import colorsys  # noqa: F401  the runtime

    shipped("import no_such_module\n")
    with record(strict=False) as recording:
        adapters.watch("all")
        assert "adapter sample-adapter: ModuleNotFoundError" in recording.problems


def test_doctor_says_which_adapters_are_broken_missing_or_untested(shipped, monkeypatch, tmp_path):
    """Before anything runs, an adapter that cannot be imported is a failure, and other versions are a warning."""
    shipped("import no_such_module\n", "broken")
    shipped(ADAPTER.format(requires="pytest>=999"), "other")
    shipped(ADAPTER.format(requires="no-such-runtime>=1"), "gone")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    done = turnspan("doctor", "--json")
    said = done.stdout
    assert done.returncode == 1
    for name, state in (("broken", "fail"), ("other", "warn"), ("gone", "note")):
        start = said.index(f'adapter {name}-adapter"')
        assert f'"state": "{state}"' in said[start : start + 200] or f'"state":"{state}"' in said[start : start + 200]


def test_a_version_that_is_not_tested_is_tried_and_said_once(shipped, adapters, caplog):
    """A runtime's new release is not locked out: it is watched, and one line says that it is new."""
    import colorsys  # noqa: F401  the runtime

    name = shipped(ADAPTER.format(requires="pytest<1"))
    with caplog.at_level(logging.WARNING, "turnspan"):
        adapters.watch(name)
        adapters.watch(name)
    assert name in adapters.installed()
    said = [line.getMessage() for line in caplog.records if name in line.getMessage()]
    assert len(said) == 1
    assert "tested with pytest<1" in said[0]
