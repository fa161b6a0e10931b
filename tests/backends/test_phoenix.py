"""A real Phoenix, which reads the conventions by itself: sessions, agents, tools, and our ids."""

import json
import os
import subprocess
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

from conftest import free_port, needed
from support.programs import EXAMPLES, turnspan

LOOPBACK_ONLY = """
import sys
from grpc.aio import _server
add = _server.Server.add_insecure_port
_server.Server.add_insecure_port = lambda self, address: add(self, address.replace("[::]", "127.0.0.1"))
from phoenix.server.main import main
sys.argv = ["phoenix", "serve"]
main()
"""
"""Its gRPC port has no setting for where it listens."""


@pytest.fixture
def phoenix(tmp_path):
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "turnspan-backends"
    python = needed(cache / "phoenix-20.26.0" / "bin" / "python", "Phoenix")
    port, log = free_port(), tmp_path / "phoenix.log"
    env = {
        **os.environ,
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(free_port()),
        "PHOENIX_TELEMETRY_ENABLED": "false",
        "PHOENIX_WORKING_DIR": str(tmp_path / "phoenix"),
    }
    for name in [name for name in env if name.startswith(("TURNSPAN_", "OTEL_"))]:
        del env[name]
    with log.open("ab") as out:
        process = subprocess.Popen([str(python), "-c", LOOPBACK_ONLY], env=env, stdout=out, stderr=out)
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 150
    while True:
        with suppress(OSError):
            urllib.request.urlopen(f"{url}/healthz", timeout=2).close()
            break
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-2000:]
        time.sleep(0.5)
    yield url
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)["data"]


@pytest.mark.timeout(300)
def test_a_session_is_a_session_there_with_its_agents_tools_and_ids(phoenix):
    """Phoenix shows sessions, kinds of spans and our ids."""
    env = {
        "OTEL_RESOURCE_ATTRIBUTES": "openinference.project.name=agents",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
    }
    turnspan("run", "--otlp", phoenix, EXAMPLES / "openai_agents_triage.py", env=env, check=True)
    session = json.loads(turnspan("show", "last", "--json", check=True).stdout)
    deadline = time.monotonic() + 60
    sessions = []
    while time.monotonic() < deadline and (not sessions or len(sessions[0]["traces"]) < 3):
        with suppress(OSError):
            sessions = _get(f"{phoenix}/v1/projects/agents/sessions")
        time.sleep(0.5)
    (found,) = sessions
    assert found["session_id"] == session["session_id"] == "support-42"
    traces = {trace["trace_id"] for trace in found["traces"]}
    assert traces == {turn["metadata"]["turnspan"]["trace_id"] for turn in session["turns"]}
    spans = _get(f"{phoenix}/v1/projects/agents/spans?limit=1000")
    kinds = {span["name"].partition(" ")[0]: span["span_kind"] for span in spans}
    assert kinds == {"invoke_agent": "AGENT", "chat": "LLM", "execute_tool": "TOOL"}
    ids = {event_id for turn in session["turns"] for event_id in turn["audit_event_ids"]}
    assert {span["attributes"]["turnspan.audit_event_id"] for span in spans} <= ids
    failed = [span for span in spans if span["status_code"] == "ERROR"]
    assert [span["name"] for span in failed] == ["execute_tool refund"]
    for trace_id in traces:  # what TURNSPAN_TRACE_URL=phoenix makes of it
        with urllib.request.urlopen(f"{phoenix}/redirects/traces/{trace_id}", timeout=10) as page:
            assert page.status == 200
