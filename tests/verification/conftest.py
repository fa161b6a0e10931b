"""A home that was recorded with a key, once for all tests, and copies of it for whoever wants to break one."""

import shutil
from pathlib import Path

import pytest

import turnspan
from support.programs import PYTHON, run
from turnspan.recording import runtime
from turnspan.recording.recorder import Recorder
from turnspan.settings import Settings

KEY = "0123456789abcdef0123456789abcdef"


def record(home, sessions=("a", "b", "c"), processes=2, **more):
    """Record some sessions, in several processes one after the other, with a bit of everything."""
    made = Settings.read(home=home, strict=True, **more)
    for part in range(processes):
        recorder = Recorder(made)
        before = runtime.use(recorder)
        try:
            for name in sessions:
                _play(name, part)
        finally:
            runtime.use(before)
            recorder.close()
    return made


def _play(name, part):
    with (
        turnspan.session(name, workspace_id="ws", metadata={"customer": "acme"}),
        turnspan.turn(agent="triage", prompt=f"question {part}", metadata={"approved_by": "alice"}) as turn,
    ):
        for n in range(2):
            with turnspan.tool("search", query=n) as call:
                call.result = {"found": [n, 2, 3]}
        with pytest.raises(ValueError), turnspan.tool("fails"):
            raise ValueError("no")
        with turnspan.model_call("gpt-5", provider="openai") as call:
            call.output = "answer"
            call.usage = turnspan.Usage(input_tokens=10, output_tokens=5)
        turn.handoff("billing", reason="r")
        turn.note("approval", {"by": "me"})
        turn.response = f"answer {part}"


@pytest.fixture(scope="session")
def key(tmp_path_factory):
    """A file with the key that is recorded and verified with."""
    path = tmp_path_factory.mktemp("key") / "key"
    path.write_text(KEY)
    return str(path)


@pytest.fixture(scope="session")
def signed_home(tmp_path_factory, key):
    """A home with signed seals; not to be changed."""
    home = tmp_path_factory.mktemp("signed") / "home"
    record(home, signing_key=key)
    return home


@pytest.fixture(scope="session")
def other_home(tmp_path_factory, key):
    """Another store, signed with the same key."""
    home = tmp_path_factory.mktemp("other") / "home"
    record(home, sessions=("x",), processes=1, signing_key=key)
    return home


@pytest.fixture
def home(signed_home, tmp_path):
    """A copy of the signed home, to be broken."""
    shutil.copytree(signed_home, tmp_path / "home")
    return tmp_path / "home"


PROGRAM = """
import sys
import turnspan
from verification.conftest import _play
home, key, sessions, processes, keep = sys.argv[1:]
for part in range(int(processes)):
    turnspan.configure(home=home, signing_key=key, keep_journal=keep == "True")
    for name in sessions.split():
        _play(name, part)
    turnspan.shutdown()
"""


def record_with_spans(home, key, sessions=("a", "b", "c"), processes=2, *, keep_journal=False):
    """Record the same in a program of its own, which has the SDK: with spans and log lines in home."""
    arguments = (home, key, " ".join(sessions), processes, keep_journal)
    run(PYTHON, "-c", PROGRAM, *arguments, env={"PYTHONPATH": str(Path(__file__).parents[1])}, check=True)
    return Settings.read(home=home, strict=True, signing_key=key, keep_journal=keep_journal)


@pytest.fixture(scope="session")
def told_home(tmp_path_factory, key):
    """A home with signed seals, log lines and spans; not to be changed."""
    home = tmp_path_factory.mktemp("told") / "home"
    record_with_spans(home, key)
    return home


@pytest.fixture
def told(told_home, tmp_path):
    """A copy of it, to be broken."""
    shutil.copytree(told_home, tmp_path / "told")
    return tmp_path / "told"
