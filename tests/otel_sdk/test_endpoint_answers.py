"""Whatever an OTLP endpoint answers, the process ends soon, stays small, and says what was not taken."""

import socket
import threading

import pytest

from support.programs import PYTHON, program, run, turnspan

PROGRAM = """
import atexit, turnspan
def peak_mib():  # getrusage has the peak of the process that this one was forked from
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024
atexit.register(lambda: print(peak_mib()))
turnspan.configure()
with turnspan.session("s"), turnspan.turn(agent="a", prompt="p"): pass
"""
REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\n"


class Endpoint:
    """Answers each request with some bytes, and a part again and again until nobody listens."""

    def __init__(self, head, part=b"", pause_s=0.0):
        self._head, self._part = head, part
        self._stopped, self._pause_s = threading.Event(), pause_s
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while not self._stopped.is_set():
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        with connection:
            try:
                connection.recv(65536)
                connection.sendall(self._head)
                while self._part and not self._stopped.wait(self._pause_s):
                    connection.sendall(self._part)
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self._listening.close()


def ended(endpoint, folder):
    """Run the program to its end, which waits for the endpoint as long as a test may take."""
    path = program(folder / "prog.py", PROGRAM)
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint.url, "TURNSPAN_EXIT_TIMEOUT": "1000"}
    return run(PYTHON, path, env=env, check=True)


def test_a_redirect_is_no_delivery(tmp_path):
    """Exporters do not follow it: the spans are kept in the file, and the program's owner learns why they are not sent."""
    with Endpoint(REDIRECT) as endpoint:
        done = ended(endpoint, tmp_path)
    assert "does not accept spans" in done.stderr
    assert "it answers with a redirect, 302" in done.stderr
    assert done.stderr.count("turnspan OTLP failed") == 1
    assert (tmp_path / ".turnspan/spans.jsonl").read_text().count("invoke_agent a") == 1


@pytest.mark.parametrize(
    ("head", "part", "pause_s"),
    [
        (OK + b"\r\n", b"[" * (1 << 20), 0.0),
        (OK + b"Content-Length: 100000\r\n\r\n", b"a", 1.0),
    ],
    ids=["without end", "one byte a second"],
)
def test_an_answer_that_does_not_end_is_not_read(head, part, pause_s, tmp_path):
    """It costs neither memory nor time; what it is about was taken, as its status says."""
    with Endpoint(head, part, pause_s) as endpoint:
        done = ended(endpoint, tmp_path)
    assert done.stderr == ""
    assert int(done.stdout) < 300, "MiB"
    assert turnspan("verify").returncode == 0


def test_who_does_not_speak_http_is_named_in_a_line(tmp_path):
    """`doctor` and `verify` say that it cannot be reached or read, without what it said moving the terminal."""
    run(PYTHON, program(tmp_path / "prog.py", PROGRAM), check=True)
    with Endpoint(b"\x1b]0;not HTTP\x07\r\n") as endpoint:
        looked = turnspan("doctor", env={"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint.url})
        verified = turnspan("verify", "--spans", endpoint.url)
    assert (looked.returncode, looked.stderr) == (1, "")
    assert "cannot be reached (" in looked.stdout
    assert verified.returncode == 4
    assert "cannot be read (" in verified.stderr and "Traceback" not in verified.stderr
    assert "\x1b" not in looked.stdout + verified.stderr
