"""Argument beats environment beats default, and nonsense is told."""

import inspect
import re
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Literal, get_args, get_origin, get_type_hints

import pytest

import turnspan as turnspan_package
from support.programs import program, turnspan
from support.receiver import Receiver
from turnspan import Settings, SettingsError
from turnspan.instrumentation.registry import AdapterState, choose
from turnspan.settings import SettingsArguments
from turnspan.stores import open_store
from turnspan.testing import record


def test_argument_beats_environment_beats_default(monkeypatch):
    """Of argument, variable and default the first that is set counts."""
    assert Settings.read().home == Path(".turnspan")
    monkeypatch.setenv("TURNSPAN_HOME", "/env")
    assert Settings.read().home == Path("/env")
    assert Settings.read(home="/argument").home == Path("/argument")
    assert Settings.read(home=None).home == Path("/env")


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("true", True), ("on", True), ("0", False), ("", False), ("no", False)]
)
def test_switches(monkeypatch, text, value):
    """Switches take the usual words for yes and no."""
    monkeypatch.setenv("TURNSPAN_STRICT", text)
    assert Settings.read().strict is value


@pytest.mark.parametrize(
    "given", [{"durability": "maybe"}, {"capture_content": "some"}, {"semconv": "next"}, {"hoem": "x"}]
)
def test_nonsense_names_the_choices(given):
    """The error names what may be said."""
    with pytest.raises(SettingsError, match=r"use one of|known are"):
        Settings.read(**given)


def test_the_default_store_is_in_home(tmp_path):
    """Without a store URL sessions are in home."""
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
    """Adapters are picked and left out by name."""
    assert choose(chosen, ["openai-agents", "xerxes"]) == expected


def lacking(requires):
    """Return what an adapter that requires this says to be missing, and to be untested."""
    state = AdapterState.declared("x", SimpleNamespace(REQUIRES=requires))
    return state.missing, state.untested


def test_what_an_adapter_lacks_is_said_with_the_fix():
    """A runtime that is not installed is named with pip's line for it; another version than tested is no hindrance."""
    assert lacking("pytest>=8") == (None, None)
    assert "pip install 'no-such-runtime>=1'" in lacking("no-such-runtime>=1")[0]
    assert lacking("pytest>=999")[0] is None
    assert "tested with pytest>=999" in lacking("pytest>=999")[1]


def test_log_lines_on_standard_error(tmp_path):
    """With ``--log stderr`` lines go there, and into no file."""
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


TAKE_SETTINGS = [turnspan_package.configure, turnspan_package.instrument, record]


@pytest.mark.parametrize("function", TAKE_SETTINGS, ids=lambda function: function.__name__)
def test_every_setting_is_an_argument_that_an_editor_completes(function):
    """By its name and type, in ``help()`` and for type checkers; a new setting cannot be forgotten."""
    names = {field.name for field in fields(Settings)}
    assert set(SettingsArguments.__annotations__) == names - {"store"}
    shown = inspect.signature(function).parameters
    assert names - set(shown) <= {"store"}
    assert not [one for one in shown.values() if one.kind is inspect.Parameter.VAR_KEYWORD]
    assert shown["durability"].annotation == "Literal['process', 'fsync'] | None"


def test_the_choices_that_types_name_are_those_that_are_taken():
    """A value that the type checker takes is one that turnspan takes, and the other way round."""
    hints = get_type_hints(SettingsArguments)
    for setting in fields(Settings):
        literals = [get_args(one) for one in get_args(hints.get(setting.name)) if get_origin(one) is Literal]
        if choices := setting.metadata["choices"]:
            assert literals == [choices], setting.name


class Kept:
    """A store of one's own, with four methods and no class of ours."""

    def __init__(self, url=""):
        self.url = url
        self.saved = {}

    def save_session(self, session):
        self.saved[session.session_id] = session.to_dict()

    def load_session(self, session_id):
        found = self.saved.get(session_id)
        return None if found is None else turnspan_package.SessionRecord.from_dict(found)

    def list_sessions(self, workspace_id=None):
        return list(self.saved)

    def delete_session(self, session_id):
        return self.saved.pop(session_id, None) is not None


def test_a_store_of_ones_own_is_recorded_into(tmp_path):
    """Given as an object; it is read back, and is its owner's to close."""
    mine = Kept()
    turnspan_package.configure(home=tmp_path / "home", store=mine, telemetry=False)
    with turnspan_package.session("s"), turnspan_package.turn(prompt="p"):
        pass
    turnspan_package.flush()
    assert mine.saved["s"]["turns"][0]["prompt"] == "p"
    assert turnspan_package.get("last").session_id == "s"
    turnspan_package.shutdown()
    with turnspan_package.session("again"), turnspan_package.turn():
        pass
    turnspan_package.flush()
    assert list(mine.saved) == ["s", "again"]
    assert not (tmp_path / "home" / "sessions.db").exists()


def test_what_is_not_a_store_is_refused_by_configure():
    """At once, with what it lacks; not in the writer's thread, an hour later."""
    with pytest.raises(SettingsError, match="is not a session store: it lacks one of the four methods"):
        turnspan_package.configure(store=object())


@pytest.fixture
def shelf_scheme(monkeypatch):
    """Install a package that opens ``shelf:`` URLs."""
    opened = {}

    def load(name):
        return {"shelf": lambda url: opened.setdefault(url, Kept(url)), "broken": lambda _: 1 / 0, "odd": lambda _: 5}[
            name
        ]

    def entry_points(*, group, name):
        assert group == "turnspan.stores"
        known = name in ("shelf", "broken", "odd")
        return [SimpleNamespace(value=f"their_package:{name}", load=lambda: load(name))] if known else []

    monkeypatch.setattr("importlib.metadata.entry_points", entry_points)
    return opened


def test_a_package_adds_schemes_of_its_own(shelf_scheme, tmp_path):
    """By an entry point of the group ``turnspan.stores``; the URL then works wherever one is taken."""
    assert open_store("shelf:top") is shelf_scheme["shelf:top"]
    turnspan_package.configure(home=tmp_path, store="shelf:bottom", telemetry=False)
    with turnspan_package.session("s"), turnspan_package.turn():
        pass
    turnspan_package.flush()
    assert shelf_scheme["shelf:bottom"].list_sessions() == ["s"]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("broken:x", "their_package:broken, which opens broken: stores, failed: ZeroDivisionError"),
        ("odd:x", "their_package:odd opened 'odd:x' as 5, which is not a session store"),
        ("nowhere:x", "is not a store URL that turnspan knows.*turnspan.stores"),
    ],
)
def test_a_scheme_that_does_not_work_says_whose_it_is(shelf_scheme, url, says):
    """The package that adds it is named, so that one knows whom to ask."""
    with pytest.raises(SettingsError, match=says):
        open_store(url)
