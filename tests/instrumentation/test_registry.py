"""Which adapters are chosen, and what is said of those that cannot be used."""

import json
import logging
import sys

import pytest

from support.programs import program, turnspan
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


def test_doctor_says_of_each_runtime_what_is_there_and_what_to_do(shipped, monkeypatch, tmp_path):
    """Installed and tested, installed in another version, not installed, broken: each with its version or its pip line."""
    shipped("import no_such_module\n", "broken")
    shipped(ADAPTER.format(requires="some runtime"), "misspelled")
    shipped(ADAPTER.format(requires="pytest>=999"), "other")
    shipped(ADAPTER.format(requires="pytest>=1"), "fine")
    shipped(ADAPTER.format(requires="no-such-runtime>=1"), "gone")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    done = turnspan("doctor", "--json")
    assert done.returncode == 1, "what is broken is a failure"
    found = {check["name"]: (check["state"], check["says"]) for check in json.loads(done.stdout)["checks"]}
    have = f"pytest {pytest.__version__} is installed"
    state, says = found["adapter broken-adapter"]
    assert (state, says) == ("fail", "broken_adapter is broken: ModuleNotFoundError: No module named 'no_such_module'")
    assert found["adapter misspelled-adapter"][0] == "fail"
    assert found["adapter fine-adapter"] == ("ok", f"{have}; tested with pytest>=1")
    state, says = found["adapter other-adapter"]
    assert (state, says[: len(have)]) == ("warn", have)
    assert "pip install 'pytest>=999'" in says
    says = "no-such-runtime is not installed: pip install 'no-such-runtime>=1'"
    assert found["adapter gone-adapter"] == ("note", says)


def test_a_program_runs_on_beside_a_broken_adapter_and_an_untested_runtime(shipped, monkeypatch, tmp_path):
    """Both are said on standard error, once; the program's output and exit code are its own."""
    shipped("import no_such_module\n", "broken")
    shipped(ADAPTER.format(requires="pytest>=999"), "other")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("TURNSPAN_HOME", str(tmp_path / "home"))
    text = "import colorsys, sys, turnspan\nturnspan.instrument()\nprint(colorsys.ONE_THIRD > 0)\nsys.exit(3)\n"
    done = turnspan("run", program(tmp_path / "prog.py", text))
    assert (done.returncode, done.stdout) == (3, "True\n")
    lines = done.stderr.splitlines()
    assert [line.count("no_such_module") for line in lines if "broken-adapter" in line] == [1]
    assert [line.count("pip install 'pytest>=999'") for line in lines if "other-adapter" in line] == [1]


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
