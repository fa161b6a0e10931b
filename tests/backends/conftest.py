"""Real backends on loopback, started by the tests, each on ports of its own."""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

VERSION = "v1.76.0"
SHIPPED = Path(__file__).parents[2] / "integrations" / "jaeger"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def needed(found, what):
    """Return a program, or skip the test with the reason; in CI it is never skipped."""
    if found is not None and Path(found).exists():
        return found
    reason = f"{what} is not on this machine: `make servers backends` installs and builds what can be had"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
    return None


class Jaeger:
    """A Jaeger that keeps traces in memory: what is stopped has forgotten everything."""

    def __init__(self, binary, folder):
        self._binary, self._folder = binary, folder
        config = (SHIPPED / "jaeger.yaml").read_text()
        for known in ("16686", "16685", "4317", "4318"):  # what is shipped is what is tested, on ports of its own
            port = free_port()
            config = config.replace(f'"localhost:{known}"', f'"127.0.0.1:{port}"')
            if known == "16686":
                self.url = f"http://127.0.0.1:{port}"
            elif known == "4318":
                self.otlp = f"http://127.0.0.1:{port}"
        config = config.replace(
            "service:\n", "service:\n  telemetry: {metrics: {level: none}, logs: {level: warn}}\n", 1
        )
        self.config = config
        (folder / "jaeger.yaml").write_text(config)
        shutil.copy(SHIPPED / "jaeger-ui.json", folder)
        self._process = None

    def start(self):
        log = (self._folder / "jaeger.log").open("ab")
        command = [str(self._binary), "--config", str(self._folder / "jaeger.yaml")]
        self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder)
        log.close()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with suppress(OSError):
                self.get("/api/v3/services")
                with socket.create_connection(("127.0.0.1", int(self.otlp.rpartition(":")[2])), 1):
                    return
            assert self._process.poll() is None, (self._folder / "jaeger.log").read_text()[-2000:]
            time.sleep(0.1)
        pytest.fail(f"Jaeger did not start: {(self._folder / 'jaeger.log').read_text()[-2000:]}")

    def stop(self):
        if self._process is not None:
            self._process.kill()  # it takes its time over an orderly end, and there is nothing to keep
            self._process.wait()
            self._process = None

    def get(self, path, **query):
        with urllib.request.urlopen(f"{self.url}{path}?{urllib.parse.urlencode(query)}", timeout=10) as answer:
            return json.load(answer)

    def search(self, service, **attributes):
        """Return the spans of the traces that have a span with these attributes: by the API that Jaeger's own pages use."""
        found = self.get("/api/traces", service=service, tags=json.dumps(attributes), lookback="1h", limit=1000)
        return [span for trace in found["data"] for span in trace["spans"]]


def binary_of_jaeger():
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "turnspan-backends"
    return cache / f"jaeger-{VERSION}"


@pytest.fixture(scope="session")
def built_jaeger():
    return needed(binary_of_jaeger(), "Jaeger")


@pytest.fixture
def jaeger(built_jaeger, tmp_path_factory):
    made = Jaeger(built_jaeger, tmp_path_factory.mktemp("jaeger"))
    made.start()
    yield made
    made.stop()
