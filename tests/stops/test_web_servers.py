"""However a web server is stopped, every request that it has answered is on record, and was sent."""

import re
import signal
import sys
import urllib.request
from contextlib import suppress

import pytest

from support.programs import PATIENCE_S
from support.receiver import Receiver
from support.stopped import Server, recorded, sent

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="signals as on Linux")]

GUNICORN = ["gunicorn", "--bind", "127.0.0.1:PORT", "-w", "2"]
SYNC, THREADS = [*GUNICORN, "app:wsgi"], [*GUNICORN, "app:wsgi", "-k", "gthread", "--threads", "4"]
UVICORN_WORKERS = [*GUNICORN, "app:asgi", "-k", "uvicorn_worker.UvicornWorker"]
UVICORN = ["uvicorn", "app:asgi", "--port", "PORT"]
OF_GUNICORN = re.compile(r"Exception ignored in: <module 'threading'.*?handle_quit.*?\nSystemExit: 0\n", re.DOTALL)
"""A worker that was about to end is told to end: gunicorn's handler raises wherever its threads are waited for."""
STOPPED = {
    "sync": ("turnspan run", SYNC, signal.SIGTERM),
    "sync, preload": ("instrument()", [*SYNC, "--preload"], signal.SIGINT),
    "threads": ("opentelemetry-instrument", THREADS, signal.SIGTERM),
    "threads, max requests": ("turnspan run", [*THREADS, "--max-requests", "2"], signal.SIGQUIT),
    "uvicorn workers": ("turnspan run", UVICORN_WORKERS, signal.SIGTERM),
    "uvicorn workers, preload": ("opentelemetry-instrument", [*UVICORN_WORKERS, "--preload"], signal.SIGTERM),
    "uvicorn workers, by hand": ("instrument()", UVICORN_WORKERS, signal.SIGTERM),
    "uvicorn": ("opentelemetry-instrument", UVICORN, signal.SIGINT),
    "uvicorn --workers": ("opentelemetry-instrument", [*UVICORN, "--workers", "2"], signal.SIGTERM),
    "uvicorn --workers, by hand": ("instrument()", [*UVICORN, "--workers", "2"], signal.SIGINT),
}


def check(server, receiver, folder, says):
    assert recorded(folder) == sorted(server.answered), says
    assert sent(receiver) == len(server.answered), says
    says = OF_GUNICORN.sub("", says)
    assert "turnspan" not in says and "Traceback" not in says, says


@pytest.mark.parametrize("case", STOPPED)
def test_every_answered_request_is_on_record_and_sent(case, tmp_path):
    """Whatever worker class, starter and signal: nothing that was answered is lost, and turnspan says nothing."""
    starter, command, number = STOPPED[case]
    with Receiver() as receiver, Server(starter, tmp_path, receiver.url, *command) as server:
        server.ask_all("/1", "/2", "/3", "/4", "/5")
        says = server.stop(number)
        check(server, receiver, tmp_path, says)


def test_workers_that_gunicorn_replaces_lose_nothing(tmp_path):
    """SIGHUP has gunicorn start workers anew: the old ones are stopped while the server goes on."""
    with Receiver() as receiver, Server("turnspan run", tmp_path, receiver.url, *UVICORN_WORKERS) as server:
        before = server.ask_all("/1", "/2", "/3")
        server.process.send_signal(signal.SIGHUP)
        number = 4
        while server.ask(f"/{number}") in before:
            number += 1
        check(server, receiver, tmp_path, server.stop(signal.SIGTERM))


def test_a_worker_that_gunicorn_gives_up_has_stored_what_it_answered(tmp_path):
    """The worker hangs in a request behind its turn, and its time is over: turns before are there, and that one."""
    with (
        Receiver() as receiver,
        Server("turnspan run", tmp_path, receiver.url, *SYNC[:-2], "1", "app:wsgi", "--timeout", "2") as server,
    ):
        server.ask_all("/1", "/2")
        with suppress(OSError):  # gunicorn has an error for an answer, or none
            urllib.request.urlopen(f"http://127.0.0.1:{server.port}/hang", timeout=PATIENCE_S)
        server.answered.append("/hang")
        server.ask("/3")
        server.stop(signal.SIGTERM)
        assert recorded(tmp_path) == sorted(server.answered)
        assert sent(receiver) == len(server.answered)


def test_uvicorn_that_loads_the_app_anew_loses_nothing(tmp_path):
    """`--reload` stops the process that serves, and starts another."""
    with Receiver() as receiver, Server("turnspan run", tmp_path, receiver.url, *UVICORN, "--reload") as server:
        before = server.ask("/1")
        path = tmp_path / "app.py"
        path.write_text(path.read_text() + "\n# changed\n")
        number = 2
        while server.ask(f"/{number}") == before:
            number += 1
        check(server, receiver, tmp_path, server.stop(signal.SIGINT))
