"""A real ``turnspan serve``, started and killed by tests."""

import os
import re
import subprocess
import time

from support.programs import BIN, PATIENCE_S


class Serve:
    """The process, its home and its address."""

    def __init__(self, home, *options, env=None):
        self.home, self.options, self.env = home, options, env or {}
        self.start()

    def start(self, port="0"):
        """Start it, anew after a kill."""
        command = [BIN / "turnspan", "serve", "--home", self.home, "--port", port, *self.options]
        self.process = subprocess.Popen(
            [str(part) for part in command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **self.env},
        )
        line = self.process.stdout.readline()
        found = re.search(r"at (http://\S+:(\d+)),", line)
        assert found, line + (self.process.stdout.read() if self.process.poll() is not None else "")
        self.url, self.port = found.groups()

    def kill(self):
        """End it with SIGKILL."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        """End it as a service manager does; return its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(PATIENCE_S)
        self.process.stdout.close()
        return code


def until(look, within_s=PATIENCE_S):
    """Return what ``look`` finds, as soon as that is something."""
    deadline = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.1)
    return found
