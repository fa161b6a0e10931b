"""Many processes killed with SIGKILL at random moments while several write to one store, others recover.

200 in CI; ``make soak`` kills 1,000. Children are forked off one process that has everything imported, so that most of
their life is recording.
"""

import os
import subprocess
from collections import Counter

import pytest

from support.programs import PYTHON, program
from turnspan import open_store
from turnspan.recording.recovery import recover
from turnspan.settings import Settings
from turnspan.verification import verify

KILLS = 1000 if os.environ.get("SOAK") == "1" else 200
AT_ONCE = 4

NURSERY = """
import os, random, signal, sys, time
import turnspan
from turnspan.recording import runtime
from turnspan.events import *
import turnspan.stores.sql, turnspan.recording.recovery, turnspan.otel_sdk.rehydration, turnspan.otel_sdk.setup, turnspan.telemetry.log_lines, turnspan.telemetry.metrics
import opentelemetry.sdk.trace.export

kills, at_once = int(sys.argv[1]), int(sys.argv[2])
dice = random.Random(11)

def work():
    said = os.open(f"said/{os.getpid()}", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    turnspan.configure()
    emit = runtime.recorder().emit
    n = 0
    def tell(event):
        emit(event)
        os.write(said, (event.event_id + "\\n").encode())
    while True:
        n += 1
        ids = {"session_id": f"s-{os.getpid() % 5}", "turn_id": f"t-{os.getpid()}-{n}"}
        tell(TurnStarted(**ids, agent_id="a", prompt=str(n)))
        for c in range(3):
            tell(ToolCallStarted(**ids, call_id=f"c{c}", tool_name="f", arguments={"n": n}))
            tell(ToolCallEnded(**ids, call_id=f"c{c}", result={"n": n, "text": "x" * 300}))
        tell(TurnEnded(**ids, response_content="done"))
        time.sleep(0.002)

os.mkdir("said")
alive = {}
killed = 0
while killed < kills:
    while len(alive) < at_once:
        pid = os.fork()
        if pid == 0:
            work()
        # by what it has said, not by the clock: some die in the middle of starting, most soon, some when there is a lot
        kind = dice.random()
        alive[pid] = 0 if kind < 0.15 else dice.randrange(1, 200) if kind < 0.85 else dice.randrange(400, 1500)
    for pid, lines in list(alive.items()):
        said = f"said/{pid}"
        if lines == 0 and dice.random() < 0.05 or os.path.exists(said) and os.path.getsize(said) >= 33 * lines:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            del alive[pid]
            killed += 1
    time.sleep(0.002)
for pid in alive:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
"""


@pytest.mark.slow
def test_no_event_is_lost_doubled_or_torn_and_verify_explains_each(tmp_path):
    """After many kills of many processes every event is there once, and every gap has a reason."""
    path = program(tmp_path / "nursery.py", NURSERY)
    subprocess.run([PYTHON, str(path), str(KILLS), str(AT_ONCE)], cwd=tmp_path, check=True)
    url = f"sqlite:///{tmp_path}/.turnspan/sessions.db"
    store = open_store(url)
    found = recover(tmp_path / ".turnspan/journal", store, url)
    assert [one for one in found if one.problem is not None] == []
    said = [line for file in (tmp_path / "said").iterdir() for line in file.read_text().split()]
    rows = [row for session in store.list_sessions() for row in store.audit_events(session)]
    counted = Counter(row.event_id for row in rows)
    assert len(said) > KILLS * 3
    assert set(said) - set(counted) == set(), "an observed event is missing"
    assert [event_id for event_id, count in counted.items() if count > 1] == [], "an event is there twice"
    assert sum(one.torn_bytes for one in found) == 0, "a line is torn"
    assert list((tmp_path / ".turnspan/journal").iterdir()) == []
    for session_id in store.list_sessions():
        turns = store.load_session(session_id).turns
        assert len({turn.turn_id for turn in turns}) == len(turns)
        assert {turn.status for turn in turns} <= {"success", "cancelled"}
    report = verify(settings=Settings.read(home=tmp_path / ".turnspan"), logs="none")
    verdicts = {verdict for counts in report.counts.values() for verdict in counts}
    assert verdicts <= {"ok", "crashed"}, report.findings[:5]
    assert report.exit_code <= 1
