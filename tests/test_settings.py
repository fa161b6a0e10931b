"""Argument beats environment beats default, and nonsense is told."""

import re
from pathlib import Path

import pytest

import turnspan as turnspan_package
from support.programs import program, turnspan
from support.receiver import Receiver
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


def test_what_is_in_home_is_said_once(tmp_path):
    """No other module spells out a file or folder of home: a path that moves, moves everywhere."""
    settings = Settings.read(home=tmp_path / "h")
    assert (settings.journal_path, settings.spans_path, settings.log_path) == (
        tmp_path / "h/journal",
        tmp_path / "h/spans.jsonl",
        tmp_path / "h/turnspan.log.jsonl",
    )
    source = Path(turnspan_package.__file__).parent
    spelled = re.compile(r"""["'](journal|spans\.jsonl|sessions\.db|turnspan\.log\.jsonl|\.gitignore)["']""")
    found = {
        f"{path.name}: {line.strip()}"
        for path in source.rglob("*.py")
        if path.name != "settings.py"
        for line in path.read_text().splitlines()
        if "home" in line and spelled.search(line)
    }
    assert not found


def test_a_home_that_is_made_is_private_and_left_out_of_version_control(tmp_path):
    """What agents said is no source code; a folder of the user's own is not touched."""
    settings = Settings.read(home=tmp_path / "project" / ".turnspan")
    settings.make_home()
    settings.make_home()
    assert settings.home.stat().st_mode & 0o777 == 0o700
    assert (settings.home / ".gitignore").read_text().endswith("*\n")
    Settings.read(home=tmp_path / "project").make_home()
    assert not (tmp_path / "project" / ".gitignore").exists()


def test_recording_makes_the_home(tmp_path):
    """The first thing that is recorded makes it, .gitignore included."""
    turnspan_package.configure(home=tmp_path / "made")
    with turnspan_package.turn(prompt="p"):
        pass
    assert (tmp_path / "made" / ".gitignore").is_file()


def test_a_signal_has_an_endpoint_of_its_own():
    """A signal's own variable suffices and is the whole URL; the base URL serves the others."""
    only_traces = Settings.read(otlp_traces="http://c:4318/custom")
    assert [only_traces.endpoint(signal) for signal in ("traces", "logs")] == ["http://c:4318/custom", ""]
    both = Settings.read(otlp="http://b:4318/", otlp_logs="http://c/l")
    assert [both.endpoint(signal) for signal in ("traces", "logs", "metrics")] == [
        "http://b:4318/v1/traces",
        "http://c/l",
        "http://b:4318/v1/metrics",
    ]


def test_the_endpoint_of_traces_alone_gets_the_spans(tmp_path):
    """Without a base URL nothing but spans is sent."""
    path = program(tmp_path / "p.py", "import turnspan\nwith turnspan.turn(prompt='x'):\n    pass\n")
    with Receiver() as receiver:
        env = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{receiver.url}/v1/traces"}
        done = turnspan("run", path, cwd=tmp_path, env=env, check=True)
        assert (len(receiver.spans), done.stderr) == (1, "")
        assert not receiver.requests["/v1/logs"] and not receiver.requests["/v1/metrics"]
