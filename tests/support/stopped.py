"""Programs that are stopped from outside, as production does it: a web server in front of turns that are done by hand."""

import socket
import subprocess
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from support.programs import BIN, PATIENCE_S, program
from turnspan import open_store

APP = """
import os, signal, time
{first}
import turnspan

def answer(path):
    with turnspan.session("web"), turnspan.turn(agent="web", prompt=path) as turn:
        with turnspan.tool("look_up") as call:
            call.result = "found"
        turn.response = "answered"
    if path.startswith("/hang"):
        time.sleep(600)
    return str(os.getpid()).encode()

def wsgi(environ, start_response):
    body = answer(environ["PATH_INFO"])
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]

async def asgi(scope, receive, send):
    if scope["type"] == "http":
        body = answer(scope["path"])
        await send({{"type": "http.response.start", "status": 200, "headers": []}})
        await send({{"type": "http.response.body", "body": body}})
"""
STARTERS = {
    "turnspan run": [BIN / "turnspan", "run"],
    "opentelemetry-instrument": [BIN / "opentelemetry-instrument"],
    "instrument()": [],
}


class Server:
    """A web server with the app, started in one of the three ways."""

    def __init__(self, starter, folder, endpoint, *command):
        first = "import turnspan; turnspan.instrument()" if starter == "instrument()" else ""
        program(folder / "app.py", APP.format(first=first))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [*STARTERS[starter], *(str(part).replace("PORT", str(self.port)) for part in command)]
        self.log = (folder / "server.log").open("w+")
        self.process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            env={
                "PATH": f"{BIN}:/usr/bin:/bin",
                "HOME": str(folder),
                "PYTHONPATH": str(folder),
                "TURNSPAN_EXIT_TIMEOUT": "30",
                "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            },
        )
        self.answered = []

    def __enter__(self):
        self.ask("/first")
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.log.close()

    def ask(self, path):
        """Ask until there is an answer, and return it: who answered."""
        deadline = time.monotonic() + PATIENCE_S / 4
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE_S) as answer:
                    self.answered.append(path)
                    return int(answer.read())
            except OSError:
                assert self.process.poll() is None, self.says()
                assert time.monotonic() < deadline, self.says()
                time.sleep(0.1)

    def ask_all(self, *paths):
        with ThreadPoolExecutor(len(paths)) as pool:
            return set(pool.map(self.ask, paths))

    def stop(self, *signals):
        """Send signals, wait for the end, and return what the server said."""
        for number in signals:
            self.process.send_signal(number)
        self.process.wait(PATIENCE_S)
        return self.says()

    def says(self):
        self.log.seek(0)
        return self.log.read()


def recorded(folder):
    """Return the prompts of the turns that have ended well."""
    store = open_store(f"sqlite:///{folder}/.turnspan/sessions.db")
    session = store.load_session("web")
    store.close()
    return sorted(turn.prompt for turn in session.turns if turn.status == "success")


def sent(receiver):
    return sum(span.name == "invoke_agent web" for span in receiver.spans)
