"""Programs after each runtime's own documentation, over the wire: they never know, and the record is what they did.

Each program is as its runtime's documentation would have it, and runs by itself. Literals at its end, which nothing
executes, say the rest: ``NEEDS`` what must be installed, ``MODEL`` what the model answers
(:mod:`support.model_server.literals`), ``RECORD`` the sessions that are recorded (:mod:`support.outlines`), and ``EXIT``
its exit code where that is not 0. ``MCP_URL`` is the address of an MCP server, ``mcp/servers/library.py``.
"""

import ast
import os
import re
import subprocess
import time
import urllib.error
import urllib.request
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from support.model_server import ModelServer
from support.model_server.literals import script_of
from support.outlines import outline
from support.programs import BIN, PATIENCE_S, PYTHON, run
from support.servers import free_port
from turnspan import Settings, SqlSessionStore, verify

FOLDER = Path(__file__).parent / "programs"
"""Not on ``sys.path``, where a test stands: its folders are called like runtimes."""
_MOMENT = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?")  # Xerxes tells the model what time it is
PROGRAMS = sorted(FOLDER.glob(f"{os.environ.get('PLAYS', '*')}/*.py"))
"""Of all runtimes; where only one is installed, of that one."""
QUICK = {"anthropic/tool_runner", "openai/stream_with_tools", "otel/by_hand"}
"""Those that run by default; the others are for CI."""


def _params():
    for path in PROGRAMS:
        name = path.relative_to(FOLDER).with_suffix("").as_posix()
        yield pytest.param(path, id=name, marks=() if name in QUICK else pytest.mark.slow)


@pytest.fixture(scope="module")
def server():
    """One model for all of them."""
    with ModelServer() as made:
        yield made
        assert made.problems == []


@pytest.fixture(scope="module")
def library():
    """One MCP server for all of them; return its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/mcp"
    served = subprocess.Popen([PYTHON, FOLDER / "mcp" / "servers" / "library.py", "http", str(port)])
    try:
        _wait_for(url, served)
        yield url
    finally:
        served.terminate()
        served.wait()


def _wait_for(url, served):
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            urllib.request.urlopen(url).close()
        except urllib.error.HTTPError:  # it answers
            return
        except OSError:
            assert served.poll() is None and time.monotonic() < until, f"nothing answers at {url}"
            time.sleep(0.05)


@pytest.mark.parametrize("path", list(_params()))
def test_a_program_is_recorded_and_does_not_know(path, server, request, tmp_path):
    """Its output, its exit code and what it asks of the model are the same; what it did is on record, and proven."""
    said = _literals(path)
    _need(said["NEEDS"])
    more = {"MCP_URL": request.getfixturevalue("library")} if "MCP_URL" in path.read_text() else {}
    plain = _played(server, path, said, [PYTHON, path], tmp_path / "plain" / "work", more)
    assert plain[0] == said.get("EXIT", 0), plain[2]
    watched = _played(server, path, said, [BIN / "turnspan", "run", path], tmp_path / "watched" / "work", more)
    assert watched == plain
    home = tmp_path / "watched" / "work" / ".turnspan"
    store = SqlSessionStore(f"sqlite:///{home}/sessions.db")
    sessions = [store.load_session(session_id) for session_id in store.list_sessions()]
    store.close()
    assert outline(sessions) == said["RECORD"].strip("\n")
    report = verify(settings=Settings.read(home=home))
    assert report.exit_code == 0, report.findings


def _literals(path):
    """Return the literals at a program's end, by name; the program is read, not run."""
    found = {}
    for node in ast.parse(path.read_text()).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in ("NEEDS", "MODEL", "RECORD", "EXIT"):
                found[name] = ast.literal_eval(value)
    return found


def _need(requirements):
    for needed in map(Requirement, requirements):
        try:
            installed = version(needed.name)
        except PackageNotFoundError:
            pytest.skip(f"{needed.name} is not installed")
        if not needed.specifier.contains(installed, prereleases=True):
            pytest.skip(f"it needs {needed}, and {installed} is installed")


def _played(server, path, said, command, folder, more):
    """Run a program; return what can be seen of it from outside."""
    folder.mkdir(parents=True)
    asked = server.play(script_of(said.get("MODEL", ())), key=f"{path.parent.name}-{path.stem}")
    env = (
        asked.environment
        | more
        | {
            "PYTHONHASHSEED": "0",
            "XERXES_HOME": str(folder / "xerxes"),
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # it would ask for prices, and report that it cannot
            "CREWAI_DISABLE_TELEMETRY": "true",
            "CREWAI_TRACING_ENABLED": "false",
            "XDG_DATA_HOME": str(folder / "data"),
            "OPENAI_AGENTS_DISABLE_TRACING": "1",  # it would send traces to OpenAI; what is recorded does not depend on it
            "HAYSTACK_TELEMETRY_ENABLED": "false",  # it would say to its makers what a pipeline is made of
        }
    )
    done = run(*command, cwd=folder, env=env)
    assert not asked.script, f"{len(asked.script)} answers of the model were not asked for\n{done.stdout}{done.stderr}"
    requests = sorted((request.method, request.path, _MOMENT.sub(b"", request.body)) for request in asked.requests)
    here = str(folder).encode()
    requests = [(method, where, body.replace(here, b"")) for method, where, body in requests]
    return done.returncode, done.stdout, done.stderr.replace(str(folder), ""), requests
