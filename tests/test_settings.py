"""Argument beats environment beats default, and nonsense is told."""

from pathlib import Path

import pytest

from support.programs import program, turnspan
from turnspan import Settings, SettingsError
from turnspan.instrumentation.registry import choose, unusable


def test_argument_beats_environment_beats_default(monkeypatch):
    assert Settings.read().home == Path(".turnspan")
    monkeypatch.setenv("TURNSPAN_HOME", "/env")
    assert Settings.read().home == Path("/env")
    assert Settings.read(home="/argument").home == Path("/argument")
    assert Settings.read(home=None).home == Path("/env")


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("true", True), ("on", True), ("0", False), ("", False), ("no", False)]
)
def test_switches(monkeypatch, text, value):
    monkeypatch.setenv("TURNSPAN_STRICT", text)
    assert Settings.read().strict is value


@pytest.mark.parametrize(
    "given", [{"durability": "maybe"}, {"capture_content": "some"}, {"semconv": "next"}, {"hoem": "x"}]
)
def test_nonsense_names_the_choices(given):
    with pytest.raises(SettingsError, match=r"use one of|known are"):
        Settings.read(**given)


def test_the_default_store_is_in_home(tmp_path):
    assert Settings.read(home=tmp_path).store_url == f"sqlite:///{tmp_path}/sessions.db"


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("all", {"openai-agents", "xerxes"}),
        ("xerxes", {"xerxes"}),
        ("-xerxes", {"openai-agents"}),
        ("all,-xerxes", {"openai-agents"}),
        ("openai_agents", {"openai-agents"}),
        ("none", set()),
    ],
)
def test_adapters_are_chosen_by_name(chosen, expected):
    assert choose(chosen, ["openai-agents", "xerxes"]) == expected


def test_what_an_adapter_lacks_is_said_with_the_fix():
    assert unusable("openai-agents>=0.14") is None
    assert unusable("openai-agents>=999") is not None
    assert "pip install 'no-such-runtime>=1'" in unusable("no-such-runtime>=1")


def test_log_lines_on_standard_error(tmp_path):
    path = program(tmp_path / "prog.py", "import turnspan\nwith turnspan.turn(prompt='p'): pass")
    done = turnspan("run", "--log", "stderr", path)
    assert done.stdout == ""
    assert '"event":"turn.started"' in done.stderr and '"event":"turn.ended"' in done.stderr
    assert not (tmp_path / ".turnspan/turnspan.log.jsonl").exists()
