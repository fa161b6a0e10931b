"""Many disks that fill up, and many values of the wrong type: what is lost is counted, and nothing is there twice.

A few in CI; ``make soak`` has 1,000 of each.
"""

import os
import subprocess
from collections import Counter

import pytest

from support.programs import PYTHON, program
from turnspan import open_store
from turnspan.journal.hash_chain import read
from turnspan.journal.seals import seal_of
from turnspan.recording.recovery import recover
from turnspan.settings import Settings
from turnspan.verification import verify

SOAK = os.environ.get("SOAK") == "1"
DISKS = int(os.environ.get("SOAK_DISKS", "1000" if SOAK else "20"))
VALUES = int(os.environ.get("SOAK_VALUES", "1000" if SOAK else "200"))
AT_A_HOME = 5
"""Processes that record into one home, one after the other."""

IMPORTS = """
import os, random, resource, signal, sys
import turnspan
import turnspan.journal.unwritten
from turnspan.recording import runtime
from turnspan.events import *
import turnspan.stores.sql, turnspan.recording.recovery, turnspan.otel_sdk.rehydration, turnspan.otel_sdk.setup, turnspan.telemetry.log_lines, turnspan.telemetry.metrics

dice = random.Random(5)
said = os.dup(1)

def tell(emit, event):
    emit(event)
    os.write(said, (event.event_id + "\\n").encode())
"""

# Each child may write files up to some size only; some get room again, some are killed, some have no memory left either.
FULL = (
    IMPORTS
    + """
def limit(soft):
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, resource.RLIM_INFINITY))

def work(number, dice):
    turnspan.configure(home=f"home-{number // AT_A_HOME}", exit_timeout_s=0.3, log="off")
    turnspan.journal.unwritten.UNWRITTEN_BYTES = dice.choice([2_000, 10**9])
    emit = runtime.recorder().emit
    soft = dice.randrange(1_000, 40_000)
    for n in range(turns := dice.randrange(3, 25)):
        if n == 1:
            limit(soft)
        if n == turns - 2 and dice.random() < 0.4:
            limit(resource.RLIM_INFINITY)
        ids = {"session_id": f"s-{number % 3}", "turn_id": f"t-{number}-{n}"}
        tell(emit, TurnStarted(**ids, agent_id="a", prompt=str(n)))
        tell(emit, ToolCallStarted(**ids, call_id="c", tool_name="f", arguments={"n": n}))
        tell(emit, ToolCallEnded(**ids, call_id="c", result={"text": "x" * 300}))
        tell(emit, TurnEnded(**ids, response_content="done"))
    if dice.random() < 0.5:
        os.kill(os.getpid(), signal.SIGKILL)
    turnspan.shutdown()
    os._exit(0)

for number in range(int(sys.argv[1])):
    seed = dice.random()
    if (child := os.fork()) == 0:
        work(number, random.Random(seed))
    os.waitpid(child, 0)
""".replace("AT_A_HOME", str(AT_A_HOME))
)

# Events with one value of a wrong type, between good ones; every other process is killed.
WRONG = (
    IMPORTS
    + """
class Odd:
    def __repr__(self): raise SystemExit("content must not end the agent")

ODD = [7, -1.5, float("nan"), None, True, 2**63, -2**70, b"\\xff", "\\ud800", [None], {"a": 1}, {1: {2}}, Odd(), Odd, ValueError(Odd())]
FIELDS = [
    (TurnStarted, ["agent_id", "prompt", "metadata"]), (TurnEnded, ["response_content", "error", "status"]),
    (ToolCallStarted, ["tool_name", "arguments"]), (ToolCallEnded, ["result", "error", "status"]),
    (ModelCallStarted, ["model", "provider", "messages"]), (ModelCallEnded, ["output", "finish_reasons", "response_id", "usage"]),
    (HandedOff, ["from_agent", "to_agent", "reason"]), (Noted, ["name", "data"]),
]

def work(first, count, dice):
    turnspan.configure(home="home", log="off")
    emit = runtime.recorder().emit
    for n in range(first, first + count):
        ids = {"session_id": f"s-{first}", "turn_id": f"t-{n}"}
        tell(emit, TurnStarted(**ids, agent_id="a", prompt=str(n)))
        kind, names = dice.choice(FIELDS)
        more = {"call_id": "c"} if "Call" in kind.__name__ else {}
        need = {"tool_name": "f"} if kind is ToolCallStarted else {"model": "m"} if kind is ModelCallStarted else {}
        need = {"to_agent": "b"} if kind is HandedOff else {"name": "n"} if kind is Noted else need
        starts = {ToolCallEnded: [ToolCallStarted(**ids, **more, tool_name="f")], ModelCallEnded: [ModelCallStarted(**ids, **more, model="m")]}
        for start in starts.get(kind, []):
            tell(emit, start)
        if kind in (TurnStarted, TurnEnded):
            ids["turn_id"] = f"odd-{n}"
        if kind is TurnEnded:
            tell(emit, TurnStarted(**ids, agent_id="a"))
        tell(emit, kind(**ids, **more, **{**need, dice.choice(names): dice.choice(ODD)}))
        tell(emit, TurnEnded(session_id=f"s-{first}", turn_id=f"t-{n}", response_content="done"))
    if first // count % 2:
        os.kill(os.getpid(), signal.SIGKILL)
    turnspan.shutdown()
    os._exit(0)

count = 20
for first in range(0, int(sys.argv[1]), count):
    seed = dice.random()
    if (child := os.fork()) == 0:
        work(first, count, random.Random(seed))
    os.waitpid(child, 0)
"""
)


def played(folder, text, count):
    """Run a program; return the ids of the events that it had recorded for certain."""
    path = program(folder / "prog.py", text)
    done = subprocess.run([PYTHON, str(path), str(count)], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout.split()


def on_record(home):
    """Recover a home; return its settings, its audit rows, and by journal how many events are said to be lost."""
    made = Settings.read(home=home)
    store = open_store(made.store_url)
    found = recover(made.journal_path, store, made.store_url)
    assert [one.problem for one in found if one.problem] == []
    rows = [row for session in store.list_sessions() for row in store.audit_events(session)]
    counted = Counter({one.journal: one.lost for one in found})
    for row in rows:
        if (seal := seal_of(read(row.payload.encode()))) is not None:
            counted[row.journal] = max(counted[row.journal], seal.dropped)
    return made, rows, counted


@pytest.mark.slow
def test_what_full_disks_cost_is_reported(tmp_path):
    """Whatever fills up, whoever is killed: an event is on record once, or is one of those that are said to be lost."""
    said = played(tmp_path, FULL, DISKS)
    stored, counted = Counter(), 0
    for home in sorted(tmp_path.glob("home-*")):
        made, rows, lost = on_record(home)
        stored.update(row.event_id for row in rows)
        counted += sum(lost.values())
        if rows:
            report = verify(settings=made, spans="none", logs="none")
            assert report.exit_code <= 1, (home, report.findings[:5])
    missing = [event_id for event_id in said if event_id not in stored]
    print(f"{DISKS} full disks: {len(said)} events acknowledged, {len(missing)} lost, {counted} counted")
    assert [event_id for event_id, count in stored.items() if count > 1] == []
    assert 0 < len(missing) <= counted
    assert counted - len(missing) < DISKS * 5, "more is counted than is lost only where a seal is among it"


@pytest.mark.slow
def test_a_value_of_the_wrong_type_costs_nothing_else(tmp_path):
    """Each event is on record once, whatever was in it, by exit or SIGKILL; and what stands beside it is whole."""
    said = played(tmp_path, WRONG, VALUES)
    made, rows, counted = on_record(tmp_path / "home")
    stored = Counter(row.event_id for row in rows)
    assert sum(counted.values()) == 0
    assert [event_id for event_id in said if stored[event_id] != 1] == []
    print(f"{VALUES} odd values: {len(said)} events acknowledged, all of them on record once")
    store = open_store(made.store_url)
    turns = {turn.turn_id: turn for session in store.list_sessions() for turn in store.load_session(session).turns}
    assert all(f"t-{n}" in turns for n in range(VALUES))
    assert verify(settings=made, spans="none", logs="none").exit_code <= 1
