"""Faults, one by one and in pairs: the agent does not notice, nothing observed is lost, and ``verify`` knows why.

CI runs every fault alone and a sample of pairs; ``make soak`` runs all pairs.
"""

import contextlib
import functools
import itertools
import os
import random
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from support.programs import PYTHON, run
from support.programs import turnspan as command
from support.receiver import Receiver
from turnspan import open_store
from turnspan.settings import Settings
from turnspan.verification import verify

AGENT = Path(__file__).parent / "agent.py"
MOST_MS = 50
TRIES = 3
"""A call of ours may take longer when the machine gives the process no time; that does not happen three times in a row."""

GROUPS = {
    "store": [
        "store-unreachable",
        "store-slow",
        "store-read-only",
        "store-full",
        "store-locked",
        "store-corrupted",
        "store-taken",
    ],
    "exporter": ["exporter-down", "exporter-hanging", "exporter-500", "exporter-garbage"],
    "log": ["log-unwritable"],
    "queue": ["queue-full"],
    "clock": ["clock-back"],
    "ours": ["redactor-raises", "adapter-raises"],
    "content": ["bad-value", "content-raises"],
    "open": ["fork", "thread-ends", "loop-closed", "open-turn"],
    "header": ["kill-before-header"],
    "closing": ["threads-while-closing"],
    "ending": ["sigterm", "os-exit", "sigkill", "raises"],
}
SINGLES = [fault for faults in GROUPS.values() for fault in faults]
PAIRS = [pair for one, two in itertools.combinations(GROUPS.values(), 2) for pair in itertools.product(one, two)]
SOAK = os.environ.get("SOAK") == "1"
NEWEST = {"kill-before-header", "threads-while-closing"}
KILLED = [pair for pair in PAIRS if "sigkill" in pair and NEWEST & {*pair}]
SAMPLE = PAIRS if SOAK else [*KILLED, *(pair for pair in random.Random(3).sample(PAIRS, 28) if pair not in KILLED)]

DIES = {"os-exit", "sigkill", "fork"}  # some process of it cannot say goodbye
EXPLAINED_BY = {
    "crashed": DIES | {"threads-while-closing"},
    "dropped": {
        "queue-full",
        "log-unwritable",
        "exporter-down",
        "exporter-hanging",
        "exporter-500",
        "exporter-garbage",
    },
    "elsewhere": {"log-unwritable"},  # its lines were to go to a place of their own
}


def server(answer):
    """Listen, and treat every connection so."""
    listener = socket.create_server(("127.0.0.1", 0))
    open_ = []

    def serve():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                open_.append(connection)
                if answer is not None:
                    connection.recv(100_000)
                    connection.sendall(answer)
                    connection.close()

    threading.Thread(target=serve, daemon=True).start()
    return listener, open_


@contextlib.contextmanager
def exporter(faults):
    """Give the variables for what the exporter meets."""
    chosen = next((fault for fault in faults if fault.startswith("exporter")), None)
    if chosen is None:
        yield {}
        return
    fast = {"OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
    if chosen == "exporter-500":
        with Receiver(status=500) as receiver:
            yield {**fast, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
        return
    if chosen == "exporter-down":
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        yield {**fast, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}"}
        return
    listener, open_ = server(None if chosen == "exporter-hanging" else b"\x00\xffgarbage\r\n\r\n")
    try:
        yield {**fast, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{listener.getsockname()[1]}"}
    finally:
        for one in [listener, *open_]:
            one.close()


@contextlib.contextmanager
def database(faults, home):
    """Prepare the database, and mend it afterwards."""
    path = home / "sessions.db"
    if "store-corrupted" in faults:
        open_store(f"sqlite:///{path}").close()
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.seek(100)
            file.write(os.urandom(size - 100))
        yield
        path.rename(home / "damaged.db")  # what the message says to do
        for name in ("sessions.db-wal", "sessions.db-shm"):
            (home / name).unlink(missing_ok=True)
        return
    if "store-locked" not in faults:
        yield
        return
    open_store(f"sqlite:///{path}").close()
    hold = f"import sqlite3,sys; c=sqlite3.connect({str(path)!r}, isolation_level=None); c.execute('BEGIN EXCLUSIVE'); print('held', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        yield
        holder.communicate(b"\n")


def variables(faults):
    found = {"FAULTS": " ".join(faults), "TURNSPAN_EXIT_TIMEOUT": "5"}  # what is not stored by then is recovered
    if "log-unwritable" in faults:
        found["TURNSPAN_LOG"] = "/dev/full"
    if "queue-full" in faults:
        found |= {"OTEL_BSP_MAX_QUEUE_SIZE": "8", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "4"}
    if "redactor-raises" in faults:
        found["TURNSPAN_REDACT"] = "agent:scrub"
    return found


@functools.cache
def without_turnspan(faults, folder):
    done = run(PYTHON, AGENT, env={**variables(faults), "TURNSPAN_DISABLED": "1"}, cwd=folder)
    return done.returncode, done.stdout


def play(faults, folder):
    """Run the agent under faults, heal, recover; return what verify says of the record, and of a backend with nothing."""
    folder.mkdir()
    home = folder / ".turnspan"
    home.mkdir(mode=0o700)
    (folder / "plain").mkdir()
    with exporter(faults) as env, database(faults, home):
        done = run(PYTHON, AGENT, env={**variables(faults), **env, "OTEL_BSP_SCHEDULE_DELAY": "200"}, cwd=folder)
    assert (done.returncode, done.stdout) == without_turnspan(tuple(faults), folder / "plain"), done.stderr
    command("recover", cwd=folder, check=True)
    observed = set((folder / "observed.txt").read_text().split())
    store = open_store(f"sqlite:///{home}/sessions.db")
    stored = [row.event_id for session in store.list_sessions() for row in store.audit_events(session)]
    assert len(stored) == len(set(stored)), "an event is there twice"
    assert observed - set(stored) == set(), "an event was lost"
    assert len(observed) >= 12 * 8
    made = Settings.read(home=home)
    (home / "turnspan.log.jsonl").touch()  # recovery completes it, also where the agent could not write its own
    report = verify(settings=made)
    (folder / "nothing.jsonl").touch()
    away = verify(settings=made, spans=str(folder / "nothing.jsonl"), logs="none")
    return report, away, float((folder / "longest.txt").read_text())


def judged(faults, report):
    """Whatever is not as it should be is explained, and by what was injected."""
    found = {verdict for counts in report.counts.values() for verdict in counts} - {"ok"}
    assert report.exit_code in (0, 1), report.findings[:10]
    for verdict in found:
        assert EXPLAINED_BY.get(verdict, set()) & set(faults), (verdict, report.findings[:10])


def check(faults, tmp_path):
    longest = []
    for number in range(TRIES):
        report, away, took_ms = play(faults, tmp_path / str(number))
        judged(faults, report)
        if any(fault.startswith("exporter") for fault in faults):
            assert set(away.counts["trace"]) <= {"dropped", "crashed"}, away.findings[:5]
        longest.append(took_ms)
        if took_ms < MOST_MS:
            return
    pytest.fail(f"a call of ours took {longest} ms")


@pytest.mark.parametrize("fault", SINGLES)
def test_a_fault(fault, tmp_path):
    """Each fault alone costs no event, and verify explains what it did."""
    check([fault], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("pair", SAMPLE, ids="+".join)
def test_two_faults_at_once(pair, tmp_path):
    """Each pair of faults costs no event, and verify explains what they did."""
    check(list(pair), tmp_path)


def test_without_faults_it_is_proven(tmp_path):
    """The program that the faults are played to is proven when nothing fails."""
    report, _, _ = play([], tmp_path / "x")
    assert report.proven, report.findings[:5]
    assert report.counts["trace"]["ok"] == 12 * 4
