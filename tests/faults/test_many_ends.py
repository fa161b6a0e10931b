"""Many processes that end while threads go on recording, and many that are killed before a segment has its header.

A few in CI; ``make soak`` has 1,000 of each. Children are forked off one process that has everything imported.
"""

import os
import signal
import subprocess
from collections import Counter

import pytest

from support.programs import PYTHON, program
from turnspan import open_store
from turnspan.recording.recovery import recover
from turnspan.settings import Settings
from turnspan.verification import verify

ENDS = int(os.environ.get("SOAK_ENDS", "1000" if os.environ.get("SOAK") == "1" else "20"))

NURSERY = """
import os, random, signal, sys, threading, time
import turnspan
from turnspan.events import *
from turnspan.events import ENDS
from turnspan.journal.live import Journal
from turnspan.recording import runtime
import turnspan.stores.sql, turnspan.recording.recovery, turnspan.otel_sdk.rehydration, turnspan.otel_sdk.setup, turnspan.telemetry.log_lines, turnspan.telemetry.metrics

write = os.write
said = os.dup(1)

def record(name, pause_s):
    recorder = runtime.recorder()
    n = 0
    def tell(event):
        closing = recorder._closing.locked() or recorder.closed
        recorder.emit(event)
        closing = closing or recorder._closing.locked() or recorder.closed
        if not (closing and isinstance(event, ENDS)):  # closing has ended what was open: its own end is no news
            write(said, (event.event_id + "\\n").encode())
    while True:
        n += 1
        ids = {"session_id": f"s-{name}", "turn_id": f"t-{os.getpid()}-{name}-{n}"}
        tell(TurnStarted(**ids, agent_id="a", prompt=str(n)))
        tell(ToolCallStarted(**ids, call_id="c", tool_name="f", arguments={"n": n}))
        tell(ToolCallEnded(**ids, call_id="c", result={"text": "x" * 300}))
        tell(Noted(**ids, name="note", data=n))
        tell(TurnEnded(**ids, response_content="done"))
        time.sleep(pause_s)

def die():
    os.kill(os.getpid(), signal.SIGKILL)
"""

# The process closes while three threads record; they go on behind that, until it leaves or is killed, at any moment.
CLOSING = (
    NURSERY
    + """
def work(dice):
    turnspan.configure(exit_timeout_s=60)
    runtime.recorder()
    if dice.random() < 0.5:
        threading.Timer(dice.random() * 0.2, die).start()
    for name in "abc":
        threading.Thread(target=record, args=(name, dice.choice([0.001, 0.005])), daemon=True).start()
    time.sleep(dice.random() * 0.05)
    runtime.end()
    time.sleep(dice.random() * 0.05)
    os._exit(0)
"""
)

# The process is killed between the creation of a segment and the end of its first line: of its first segment, or a later one.
HEADER = (
    NURSERY
    + """
def work(dice):
    left = dice.choice([0, 0, 1, 2, 3])
    half = dice.random() < 0.5
    Journal.__init__.__kwdefaults__["segment_bytes"] = 8_000
    def kills(fd, data):
        nonlocal left
        if data[:1] == b"#":
            if not left:
                write(fd, data[: len(data) // 2]) if half else None
                die()
            left -= 1
        return write(fd, data)
    os.write = kills
    turnspan.configure(keep_journal=True)
    record("h", 0)
"""
)
RUN = """
dice = random.Random(23)
for number in range(int(sys.argv[1])):
    seed = dice.random()
    if (child := os.fork()) == 0:
        work(random.Random(seed))
    _, status = os.waitpid(child, 0)
    write(2, f"{os.waitstatus_to_exitcode(status)}\\n".encode())
"""


def played(folder, text):
    """Run a program; return the ids of the events that were recorded for certain, and how its children ended."""
    path = program(folder / "prog.py", text + RUN)
    done = subprocess.run([PYTHON, str(path), str(ENDS)], cwd=folder, capture_output=True, text=True, check=True)
    codes = [line for line in done.stderr.splitlines() if not line.startswith("turnspan: ")]
    assert set(codes) <= {"0", str(-signal.SIGKILL)}, done.stderr
    return done.stdout.split(), Counter(codes)


def checked(folder, said):
    """Recover; each event is on record once, and verify explains whatever is not as it should be."""
    made = Settings.read(home=folder / ".turnspan")
    store = open_store(made.store_url)
    assert [one.problem for one in recover(made.journal_path, store, made.store_url) if one.problem] == []
    rows = [row for session in store.list_sessions() for row in store.audit_events(session)]
    stored = Counter(row.event_id for row in rows)
    assert [event_id for event_id in said if stored[event_id] != 1] == []
    assert [event_id for event_id, count in stored.items() if count > 1] == []
    statuses = Counter(t.status for session in store.list_sessions() for t in store.load_session(session).turns)
    assert set(statuses) <= {"success", "cancelled"}
    report = verify(settings=made, spans="none", logs="none")
    assert report.proven, report.findings[:5]
    return len({row.journal for row in rows})


@pytest.mark.slow
def test_what_threads_record_while_a_process_ends_is_on_record_once(tmp_path):
    """Before, during and behind the closing of the chain, by exit or SIGKILL: nothing is lost or doubled."""
    said, codes = played(tmp_path, CLOSING)
    chains = checked(tmp_path, said)
    print(f"{ENDS} ends: {len(said)} events acknowledged, all on record once, in {chains} chains; {dict(codes)}")
    assert chains > ENDS, "some of it came behind the end"
    assert len(codes) == 2


@pytest.mark.slow
def test_a_kill_before_a_segment_has_its_header_costs_nothing(tmp_path):
    """Nothing was written yet, so nothing is missing; what is in the segments before it is on record."""
    said, codes = played(tmp_path, HEADER)
    checked(tmp_path, said)
    print(f"{ENDS} kills: {len(said)} events acknowledged, all on record once")
    assert set(codes) == {str(-signal.SIGKILL)} and said
