"""kill -9 at random moments: everything that had been observed is in the store after a restart."""

import os
import random
import signal
import subprocess
import time

import pytest

from support.programs import PYTHON, program
from turnspan import open_store
from turnspan.journal.dead import dead_journals
from turnspan.journal.hash_chain import decode
from turnspan.recording.recovery import recover

# Each line on stdout is written behind the call of ours that it tells of: what it says had been observed for certain.
WORKER = """
import os, sys, time
import turnspan
from turnspan.events import *
from turnspan.recording import runtime

def tell(text):
    os.write(1, (text + "\\n").encode())

emit = runtime.recorder().emit
n = 0
while True:
    n += 1
    ids = {"session_id": f"s-{os.getpid()}", "turn_id": f"t-{os.getpid()}-{n}"}
    emit(TurnStarted(**ids, agent_id="a", prompt=str(n))); tell(f"turn {ids['turn_id']}")
    for c in range(3):
        emit(ToolCallStarted(**ids, call_id=f"c{c}", tool_name="f", arguments={"n": n}))
        tell(f"started {ids['turn_id']} c{c}")
        emit(ToolCallEnded(**ids, call_id=f"c{c}", result={"n": n, "text": "x" * 300})); tell(f"called {ids['turn_id']} c{c}")
    emit(TurnEnded(**ids, response_content="done")); tell(f"ended {ids['turn_id']}")
"""


def check(said, sessions):
    """Everything that was said is in the record, and nothing is there twice or left running."""
    turns = {turn.turn_id: turn for session in sessions for turn in session.turns}
    assert len(turns) == sum(len(session.turns) for session in sessions), "a turn is there twice"
    for line in said:
        kind, turn_id, *call = line.split()
        turn = turns[turn_id]
        calls = {c.call_id: c for c in turn.tool_calls}
        assert len(calls) == len(turn.tool_calls), "a call is there twice"
        match kind:
            case "ended":
                assert (turn.status, turn.response_content) == ("success", "done")
            case "called":
                assert calls[call[0]].status == "success"
                assert calls[call[0]].result["text"] == "x" * 300
            case "started":
                assert call[0] in calls
    for turn in turns.values():
        assert turn.status in ("success", "cancelled")
        assert all(c.status in ("success", "cancelled") for c in turn.tool_calls)
        if turn.status == "cancelled":
            assert turn.metadata["turnspan"]["interrupted"] == "the process died"
            assert turn.error == "the process died"


def events_of(store, session):
    rows = store.audit_events(session.session_id)
    assert len({row.event_id for row in rows}) == len(rows)
    recorded = [event_id for turn in session.turns for event_id in turn.audit_event_ids]
    assert {row.event_id for row in rows if row.turn_id} == set(recorded)
    return rows


@pytest.mark.slow
def test_50_kills_at_random_moments_lose_nothing(tmp_path):
    """What a process said it had done before SIGKILL is on record after recovery."""
    path = program(tmp_path / "worker.py", WORKER)
    dice = random.Random(7)
    said = []
    for _ in range(50):
        worker = subprocess.Popen([PYTHON, str(path)], stdout=subprocess.PIPE, cwd=tmp_path)
        # by what it has done, not by the clock: most die early, some when there is a lot
        lines = dice.randrange(1, 40) if dice.random() < 0.7 else dice.randrange(100, 400)
        rest = b"".join(worker.stdout.readline() for _ in range(lines))
        worker.send_signal(signal.SIGKILL)
        rest += worker.stdout.read()
        worker.wait()
        worker.stdout.close()
        said += rest.decode().splitlines()
    url = f"sqlite:///{tmp_path}/.turnspan/sessions.db"
    store = open_store(url)
    recover(tmp_path / ".turnspan/journal", store, url)
    sessions = [store.load_session(session_id) for session_id in store.list_sessions()]
    assert len(sessions) == 50
    assert len(said) > 500
    check(said, sessions)
    for session in sessions:
        rows = events_of(store, session)
        assert [row.sequence for row in rows] == list(range(1, len(rows) + 1)), (
            "the chain of the dead process has no gap"
        )
        for before, after in zip(rows, rows[1:], strict=False):
            assert after.previous_hash == before.hash
    assert list(dead_journals(tmp_path / ".turnspan/journal")) == []
    assert not [p for p in (tmp_path / ".turnspan/journal").iterdir()]


def test_the_next_start_recovers_by_itself_and_twice_changes_nothing(tmp_path):
    """No command is needed after a crash, and recovering again changes nothing."""
    path = program(tmp_path / "worker.py", WORKER)
    worker = subprocess.Popen([PYTHON, str(path)], stdout=subprocess.PIPE, cwd=tmp_path)
    first = worker.stdout.readline()
    time.sleep(0.02)
    worker.kill()
    said = (first + worker.stdout.read()).decode().splitlines()
    worker.wait()
    worker.stdout.close()
    program(tmp_path / "next.py", "import turnspan\nwith turnspan.session('next'), turnspan.turn(prompt='p'): pass")
    subprocess.run([PYTHON, "next.py"], cwd=tmp_path, check=True)
    store = open_store(f"sqlite:///{tmp_path}/.turnspan/sessions.db")
    sessions = [store.load_session(session_id) for session_id in store.list_sessions()]
    check(said, sessions)
    assert any(session.session_id == "next" for session in sessions)
    log = (tmp_path / ".turnspan/turnspan.log.jsonl").read_text()
    for session in sessions:
        for turn in session.turns:
            for event_id in turn.audit_event_ids:
                assert log.count(f'"audit_event_id":"{event_id}"') == 1, "each line once"


def test_a_kill_in_the_middle_of_recovery_is_recovered_too(tmp_path):
    """A recovery that dies is finished by the next one, and nothing is doubled."""
    path = program(
        tmp_path / "worker.py",
        WORKER.replace("    for c in range(3):", "    while n == 2: time.sleep(1)\n    for c in range(3):"),
    )
    worker = subprocess.Popen([PYTHON, str(path)], stdout=subprocess.PIPE, cwd=tmp_path)
    for line in worker.stdout:
        if line.startswith(b"turn ") and line.endswith(b"-2\n"):
            break  # it waits in the middle of its second turn
    worker.kill()
    worker.stdout.read()
    worker.wait()
    worker.stdout.close()

    class Dies(Exception):
        pass

    class DyingStore:
        url = ""

        def apply(self, changes):
            raise Dies("dies")

    directory = tmp_path / ".turnspan/journal"
    (found,) = recover(directory, DyingStore(), f"sqlite:///{tmp_path.resolve()}/.turnspan/sessions.db")
    assert found.problem == "dies"
    (dead,) = dead_journals(directory)
    ends = [decode(line.payload) for line in dead.lines if type(decode(line.payload)).__name__ == "TurnEnded"]
    assert ends[-1].error == "the process died"
    dead.close(confirmed=False)
    url = f"sqlite:///{tmp_path}/.turnspan/sessions.db"
    recover(directory, open_store(url), url)
    (session_id,) = open_store(url).list_sessions()
    turns = open_store(url).load_session(session_id).turns
    assert turns[-1].metadata["turnspan"]["interrupted"] == "the process died"
    assert len({turn.turn_id for turn in turns}) == len(turns)
    assert os.listdir(directory) == []


def test_a_torn_last_line_is_dropped_and_counted(tmp_path):
    """Half a line at the end of a journal costs itself alone, and is reported."""
    path = program(tmp_path / "worker.py", WORKER)
    worker = subprocess.Popen([PYTHON, str(path)], stdout=subprocess.PIPE, cwd=tmp_path)
    worker.stdout.readline()
    worker.kill()
    worker.stdout.close()
    worker.wait()
    directory = tmp_path / ".turnspan/journal"
    (segment,) = directory.glob("*.journal")
    with segment.open("ab") as file:
        file.write(b"00000200 deadbeef 99 half a li")
    url = f"sqlite:///{tmp_path}/.turnspan/sessions.db"
    (found,) = recover(directory, open_store(url), url)
    assert found.torn_bytes == 30
    assert found.interrupted_turns <= 1
