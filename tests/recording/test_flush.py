"""``turnspan.flush``: it waits for store and endpoints together, and not longer than it was asked to."""

import socket
import sqlite3

from support.programs import PYTHON, run

TRIES = 3
"""A busy machine may stand still; it does not do so three times in a row."""
PROGRAM = """
import sys, time, turnspan
turnspan.configure()
with turnspan.session("s"), turnspan.turn(agent="a", prompt="p"):
    pass
began = time.monotonic()
print(turnspan.flush(3), time.monotonic() - began)
"""


def test_a_store_and_an_endpoint_that_hang_share_the_time(tmp_path, monkeypatch):
    """Both are waited for at once: what was said is how long the whole may take, not each."""
    monkeypatch.chdir(tmp_path)
    env = {"TURNSPAN_EXIT_TIMEOUT": "1"}
    run(PYTHON, "-c", PROGRAM, env=env, check=True)
    took = []
    with sqlite3.connect(".turnspan/sessions.db") as holder, socket.create_server(("127.0.0.1", 0)) as hangs:
        holder.execute("BEGIN EXCLUSIVE")
        url = f"http://127.0.0.1:{hangs.getsockname()[1]}"
        while len(took) < TRIES and not any(seconds < 5 for seconds in took):
            done = run(PYTHON, "-c", PROGRAM, env={**env, "OTEL_EXPORTER_OTLP_ENDPOINT": url}, check=True)
            everything, seconds = done.stdout.split()
            took.append(float(seconds))
            assert everything == "False"
    holder.close()
    assert 3 <= min(took) < 5, took
