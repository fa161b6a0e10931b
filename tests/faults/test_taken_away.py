"""Stores, journals and homes that somebody removes, moves or replaces while a process records into them."""

import json
import logging
import os
import stat
import subprocess

import pytest

import turnspan
from support.programs import PYTHON, program
from turnspan import open_store
from turnspan.recording import runtime
from turnspan.recording.recorder import Recorder
from turnspan.recording.recovery import recover
from turnspan.settings import Settings
from turnspan.verification import verify

KINDS = ["store", "store-files", "store-replaced", "folder", "home", "home-moved", "journal", "journal-files", "lock"]
ENDS = ["exit", "kill"]

# Each child of one process records into a home of its own, which is taken away.
PROGRAM = """
import glob, json, os, shutil, signal, sqlite3, sys
import turnspan
import turnspan.stores.sql, turnspan.otel_sdk.setup, turnspan.telemetry.log_lines, turnspan.telemetry.metrics

def remove(path):
    os.rename(path, path + ".gone")  # at once: what is removed file by file is made again meanwhile
    shutil.rmtree(path + ".gone")

def take(kind, home):
    db = home + "/sessions.db"
    match kind:
        case "store": os.unlink(db)
        case "store-files": [os.unlink(path) for path in glob.glob(db + "*")]
        case "store-replaced":
            with sqlite3.connect(home + "/other.db") as other: other.execute("create table notes (x)")
            os.replace(home + "/other.db", db)
        case "folder": remove(home + "/folder")
        case "home": remove(home)
        case "home-moved": os.rename(home, home + ".moved")
        case "journal": remove(home + "/journal")
        case "journal-files": [os.unlink(path) for path in glob.glob(home + "/journal/*.journal")]
        case "lock": [os.unlink(path) for path in glob.glob(home + "/journal/*.lock")]

def record(kind, end, home):
    turnspan.configure(home=home, store=f"file://{home}/folder" if kind == "folder" else None, exit_timeout_s=5)
    done = []
    def some():
        for n in range(5):
            with turnspan.session("s"), turnspan.turn(agent="a", prompt=str(n)) as turn:
                with turnspan.tool("t", n=n) as call: call.result = n
                turn.response = "ok"
            done.append(turn.id)
        assert turnspan.flush(20)
    some()
    take(kind, home)
    some()
    print(json.dumps([kind, end, home, done]), flush=True)
    if end == "kill": os.kill(os.getpid(), signal.SIGKILL)
    turnspan.shutdown()
    os._exit(0)

for kind in sys.argv[1].split():
    for end in sys.argv[2].split():
        if (child := os.fork()) == 0:
            record(kind, end, f"{os.getcwd()}/{kind}-{end}")
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == (-9 if end == "kill" else 0), (kind, end)
"""


def test_what_was_recorded_is_there_whatever_was_taken_away(tmp_path):
    """The journal is written anew, and what it still has goes into a new store: nothing is lost or doubled, by SIGKILL neither."""
    path = program(tmp_path / "prog.py", PROGRAM)
    command = [PYTHON, str(path), " ".join(KINDS), " ".join(ENDS)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    outcomes = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(outcomes) == len(KINDS) * len(ENDS)
    for kind, end, home, ids in outcomes:
        made = Settings.read(home=home, store=f"file://{home}/folder" if kind == "folder" else None)
        store = open_store(made.store_url)
        found = recover(made.journal_path, store, made.store_url)
        assert [one.problem for one in found] == [None] * (end == "kill"), (kind, end, found)
        assert [turn.turn_id for turn in store.load_session("s").turns] == ids, (kind, end)
        assert verify(settings=made, store=store, spans="none", logs="none").proven, (kind, end)
        assert list(made.journal_path.iterdir()) == [], (kind, end)


def test_what_only_the_store_had_is_reported_and_named(tmp_path, caplog):
    """What the journal had dropped already is gone with the store: how much is reported, and verify names the gap."""
    caplog.set_level(logging.WARNING)
    recorder = Recorder(Settings.read(home=tmp_path / "home", log="off", journal_limit_mb=1))
    before = runtime.use(recorder)
    try:
        with turnspan.session("s"):
            for n in range(30):
                if n == 20:
                    (tmp_path / "home/sessions.db").unlink()
                with turnspan.turn(agent="a", prompt="x" * 40_000) as turn:
                    turn.response = "ok"
                assert recorder.flush(60)
    finally:
        runtime.use(before)
        recorder.close()
    made = Settings.read(home=tmp_path / "home")
    store = open_store(made.store_url)
    first = store.audit_events("s")[0].sequence
    assert first > 1
    assert f"{first - 1} events behind line 0 are in no journal any more" in caplog.text
    report = verify(settings=made, spans="none", logs="none")
    assert report.exit_code == 3
    assert any(f"line 1 to {first - 1} of journal" in one.says for one in report.findings)


def test_a_journal_that_cannot_be_removed_is_reported(tmp_path, caplog, monkeypatch):
    """The end of a process, and recovery after it, say that a journal's files stay; neither fails."""
    real = os.unlink

    def refuse(path, **more):
        if str(path).endswith(".journal"):
            raise PermissionError(1, "Operation not permitted", str(path))
        real(path, **more)

    monkeypatch.setattr(os, "unlink", refuse)
    recorder = Recorder(Settings.read(home=tmp_path / "home", log="off"))
    before = runtime.use(recorder)
    try:
        with turnspan.turn(agent="a", prompt="x"):
            pass
    finally:
        runtime.use(before)
        recorder.close()
    assert "everything is stored, and the journal cannot be removed" in caplog.text
    made = Settings.read(home=tmp_path / "home")
    store = open_store(made.store_url)
    (found,) = recover(made.journal_path, store, made.store_url)
    assert found.problem.startswith("it is stored, and its files cannot be removed")
    monkeypatch.undo()
    (found,) = recover(made.journal_path, store, made.store_url)
    assert found.problem is None and not list(made.journal_path.iterdir())
    assert verify(settings=made, spans="none", logs="none").proven


def test_a_new_store_is_for_its_owner_only(tmp_path):
    """What is made in place of a store that was taken away can be read by nobody else."""
    store = open_store(f"sqlite:///{tmp_path}/s.db")
    assert store.is_in_place()
    (tmp_path / "s.db").unlink()
    assert not store.is_in_place()
    store.reopen()
    assert store.is_in_place() and store.list_sessions() == []
    assert stat.S_IMODE((tmp_path / "s.db").stat().st_mode) == 0o600


@pytest.mark.parametrize("url", ["sqlite://", "memory:"])
def test_what_is_in_no_file_is_in_place(url):
    """A store in memory cannot be taken away."""
    store = open_store(url)
    assert getattr(store, "is_in_place", lambda: True)()
