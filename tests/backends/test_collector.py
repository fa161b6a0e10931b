"""Through a real Collector, with the configuration that is shipped: into a real Jaeger, and to a real Prometheus."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

from conftest import free_port, needed
from support import programs
from support.receiver import Receiver
from turnspan.stores import open_store

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "integrations" / "collector" / "collector.yaml"
AGENT = """
import sys
import turnspan
turnspan.instrument()
number, count = int(sys.argv[1]), int(sys.argv[2])
for n in range(count):
    with turnspan.session(f"s-{number}-{n % 5}"), turnspan.turn(agent="triage", prompt="go") as turn:
        with turnspan.model_call("gpt-5", provider="openai") as call:
            call.output, call.usage = "hm", turnspan.Usage(input_tokens=1000, output_tokens=100)
        with turnspan.tool("add", a=1) as tool:
            tool.result = 2
        with turnspan.tool("boom") as tool:
            tool.error = "no"
        if n % 10 == 0:
            turn.handoff("billing", "money")
        turn.response = "done"
    try:
        with turnspan.session(f"s-{number}-{n % 5}"), turnspan.turn(agent="triage"), turnspan.model_call("gpt-5"):
            raise ConnectionError("no network")
    except ConnectionError:
        pass
"""


class Server:
    """A process that listens; its log is shown when it does not come up."""

    def __init__(self, command, port, folder, env=None):
        self._log = folder / f"{Path(command[0]).name}.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(part) for part in command], stdout=log, stderr=log, env={**os.environ, **(env or {})}
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            assert self._process.poll() is None, self._log.read_text()[-2000:]
            time.sleep(0.1)
        pytest.fail(self._log.read_text()[-2000:])

    def stop(self):
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@pytest.fixture
def others():
    """What stands in for Tempo and Loki: an OTLP receiver."""
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def collector(jaeger, others, tmp_path):
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "turnspan-backends"
    binary = needed(cache / "collector-v0.159.0", "the Collector")
    grpc, http, metrics = free_port(), free_port(), free_port()
    jaeger_grpc = yaml.safe_load(jaeger.config)["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"]
    env = {
        "OTLP_GRPC_LISTEN": f"127.0.0.1:{grpc}",
        "OTLP_HTTP_LISTEN": f"127.0.0.1:{http}",
        "PROMETHEUS_LISTEN": f"127.0.0.1:{metrics}",
        "JAEGER_OTLP": jaeger_grpc,
        "TEMPO_OTLP": others.url,
        "LOKI_OTLP": others.url,
    }
    config = CONFIG.read_text().replace(
        "service:\n", "service:\n  telemetry: {metrics: {level: none}, logs: {level: warn}}\n", 1
    )
    (tmp_path / "collector.yaml").write_text(config)
    server = Server([binary, "--config", tmp_path / "collector.yaml"], http, tmp_path, env)
    server.otlp, server.metrics = f"http://127.0.0.1:{http}", f"127.0.0.1:{metrics}"
    yield server
    server.stop()


def run_agents(tmp_path, otlp, first, count):
    """Run four processes at once, each with so many turns that go well, and as many that do not."""
    path = programs.program(tmp_path / "agent.py", AGENT)
    env = {
        **os.environ,
        "OTEL_EXPORTER_OTLP_ENDPOINT": otlp,
        "OTEL_SERVICE_NAME": "agents",
        "TURNSPAN_HOME": str(tmp_path / "home"),
    }
    running = [
        subprocess.Popen(
            [sys.executable, str(path), str(first + n), str(count)],
            env=env,
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
        )
        for n in range(4)
    ]
    for process in running:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
        yield said


def spans_of_record(tmp_path):
    """Return the spans that the record knows, by turn."""
    store = open_store(f"sqlite:///{tmp_path / 'home' / 'sessions.db'}")
    found = {}
    for session_id in store.list_sessions():
        for row in store.audit_events(session_id):
            if row.turn_id and row.span_id:
                found.setdefault((session_id, row.turn_id), set()).add(row.span_id)
    store.close()
    return found


def wait_for(jaeger, wanted, patience_s=60):
    """Wait until Jaeger has every span of the record, and return what is missing by then."""
    deadline = time.monotonic() + patience_s
    while True:
        spans = {span["spanID"] for span in jaeger.search("agents")}
        missing = {turn: ids - spans for turn, ids in wanted.items() if ids - spans}
        if not missing or time.monotonic() > deadline:
            return missing
        time.sleep(0.5)


def test_200_turns_of_four_processes_arrive_whole(collector, jaeger, others, tmp_path):
    """Through a real Collector every span of the record arrives in Jaeger."""
    assert all(said == "" for said in run_agents(tmp_path, collector.otlp, 0, 25))
    wanted = spans_of_record(tmp_path)
    assert len(wanted) == 200
    assert wait_for(jaeger, wanted) == {}
    ids = {event_id for span in others.spans for event_id in _audit_ids(span)}
    logged = {_value(record, "turnspan.audit_event_id") for record in others.logs}
    assert len(others.spans) == sum(len(spans) for spans in wanted.values()), "to Tempo, too"
    assert ids <= logged, "to Loki, too"


@pytest.mark.timeout(300)
def test_with_jaeger_away_for_half_of_them_they_are_whole_after_rehydrate(collector, jaeger, tmp_path):
    """What a backend missed or forgot is complete after rehydrate."""
    list(run_agents(tmp_path, collector.otlp, 0, 13))
    jaeger.stop()  # it keeps traces in memory: it forgets the first half, and misses the second
    list(run_agents(tmp_path, collector.otlp, 4, 12))
    jaeger.start()
    wanted = spans_of_record(tmp_path)
    assert len(wanted) == 200
    sent = programs.turnspan(
        "rehydrate", "--since", "1h", "--otlp", collector.otlp, "--home", tmp_path / "home", check=True
    )
    assert f"{sum(len(spans) for spans in wanted.values())} spans" in sent.stdout
    assert wait_for(jaeger, wanted) == {}


def _audit_ids(span):
    return [entry.value.string_value for entry in span.attributes if entry.key == "turnspan.audit_event_id"]


def _value(record, key):
    return next((entry.value.string_value for entry in record.attributes if entry.key == key), None)


@pytest.mark.timeout(300)
def test_every_query_of_the_dashboards_has_an_answer_in_a_real_prometheus(collector, tmp_path):
    """No panel of the shipped dashboards is empty."""
    binary = needed(shutil.which("prometheus"), "Prometheus")
    list(run_agents(tmp_path, collector.otlp, 0, 10))
    programs.turnspan("verify", "--home", tmp_path / "home", "--otlp", collector.otlp)
    port = free_port()
    folder = tmp_path / "prometheus"
    shutil.copytree(ROOT / "integrations" / "prometheus", folder)
    config = (folder / "prometheus.yaml").read_text().replace("15s", "1s").replace("collector:8889", collector.metrics)
    (folder / "prometheus.yaml").write_text(config)
    prices = (folder / "prices.yaml").read_text().replace("interval: 1m", "interval: 1s")
    (folder / "prices.yaml").write_text(prices)
    command = [
        binary,
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={tmp_path / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    server = Server(command, port, tmp_path)
    try:
        _until_ready(port)
        asked = {}
        for path in sorted((ROOT / "integrations/grafana/dashboards").glob("*.json")):
            for panel in json.loads(path.read_text())["panels"]:
                for target in panel["targets"]:
                    if target["datasource"]["type"] == "prometheus":
                        asked[target["expr"]] = f"{path.stem}: {panel['title']}"
        assert len(asked) > 15
        silent = dict(asked)
        deadline = time.monotonic() + 90
        more = iter(range(100, 10_000, 4))
        while silent and time.monotonic() < deadline:
            for expr in list(silent):
                if _answers(port, expr):
                    del silent[expr]
            list(run_agents(tmp_path, collector.otlp, next(more), 2))  # rates want to see something change
        quiet_by_right = {"integrity: Failures of turnspan itself"}  # there were none
        assert set(silent.values()) <= quiet_by_right, silent
    finally:
        server.stop()


def _until_ready(port, patience_s=60):
    """Wait until Prometheus answers queries: it listens before it has read its database."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=10).close()
            return
        except OSError:
            assert time.monotonic() < deadline, "Prometheus listens, but is not ready"
            time.sleep(0.1)


def _answers(port, expr):
    """Return whether a query has an answer; one that is wrong raises."""
    query = expr.replace("$service", ".*").replace("$__rate_interval", "1m").replace("$__range", "5m")
    url = f"http://127.0.0.1:{port}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return bool(json.load(answer)["data"]["result"])
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{query}: {error.read().decode()}") from error
