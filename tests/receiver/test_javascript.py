"""Programs in JavaScript, as they are: their spans are sessions."""

import hashlib
import os
import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from support.outlines import outline
from support.serving import until
from turnspan import SqlSessionStore

FOLDER = Path(__file__).parents[1] / "support" / "javascript"
VERCEL = """
session support-42
  turn triage
    > I paid invoice 7 twice
    model gpt-5-mini 120+18
    tool find_invoice(number=7) = invoice 7: 42.00 EUR, paid twice
    model gpt-5-mini 120+18
    < You paid twice.
""".strip()


@pytest.fixture(scope="module")
def installed():
    """The folder that the programs' packages are in: once per machine and lock file."""
    if shutil.which("npm") is None:
        reason = "npm is not on this machine: the programs in JavaScript are not run"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    locked = hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "turnspan-javascript"
    if not (cache / locked).exists():
        made = cache / f"{locked}.{os.getpid()}"
        made.mkdir(parents=True)
        for path in FOLDER.glob("package*.json"):
            shutil.copy(path, made)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=made, check=True, timeout=300, capture_output=True)
        made.rename(cache / locked)
    return cache / locked


def sessions(serve):
    path = serve.home / "sessions.db"
    if not path.exists():
        return []
    with closing(SqlSessionStore(f"sqlite:///{path}")) as store:
        return [store.load_session(one) for one in store.list_sessions()]


@pytest.fixture
def session_of(installed, serving, tmp_path):
    """Run a program against `turnspan serve`, and return the session that comes of it."""

    def run(name):
        serve, folder = serving(), tmp_path / "program"
        folder.mkdir()
        (folder / "node_modules").symlink_to(installed / "node_modules")
        shutil.copy(FOLDER / name, folder)
        env = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": serve.url}
        done = subprocess.run(
            ["node", name], cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False
        )
        assert (done.returncode, done.stdout) == (0, "You paid twice.\n"), done.stderr
        until(lambda: [turn for one in sessions(serve) for turn in one.turns if turn.status != "running"])
        serve.stop()
        (session,) = sessions(serve)
        return session

    return run


@pytest.mark.slow
def test_an_agent_of_the_vercel_ai_sdk_is_a_session(session_of):
    """Its own spans, over its own exporter: the turn, the model calls with their tokens, the tool with the model's id of the call."""
    session = session_of("vercel_ai.mjs")
    assert outline([session]) == VERCEL
    (call,) = session.turns[0].tool_calls
    first, second = session.turns[0].metadata["turnspan"]["model_calls"]
    assert call.call_id == "call_1"
    assert (first["provider"], first["finish_reasons"], first["output"][0]["tool_calls"][0]["toolName"]) == (
        "openai",
        ["tool-calls"],
        "find_invoice",
    )
    assert second["output"] == [{"role": "assistant", "content": "You paid twice."}]


@pytest.mark.slow
def test_an_agent_of_langgraph_for_javascript_is_a_session(session_of):
    """OpenInference says of its run that it is a chain: the outermost is the turn."""
    session = session_of("langchain.mjs")
    (turn,) = session.turns
    assert (session.session_id, turn.agent_id, turn.prompt, turn.response_content) == (
        "support-42",
        "triage",
        "I paid invoice 7 twice",
        "You paid twice.",
    )
    assert [call.tool_name for call in turn.tool_calls] == ["find_invoice"]
    models = turn.metadata["turnspan"]["model_calls"]
    assert [(one["usage"]["input_tokens"], one["usage"]["output_tokens"]) for one in models] == [(120, 18), (120, 18)]
