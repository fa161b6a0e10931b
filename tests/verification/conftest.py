"""A home that was recorded with a key, once for all tests, and copies of it for whoever wants to break one."""

import shutil

import pytest

import turnspan
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
