"""A disk that takes no more, for real: the operating system refuses to let files grow."""

import os
import shutil

import pytest

import turnspan
from support.programs import PYTHON, program, run
from turnspan import open_store
from turnspan.journal.seals import Key
from turnspan.recording import runtime
from turnspan.recording.recorder import Recorder
from turnspan.recording.recovery import recover
from turnspan.settings import Settings
from turnspan.verification import verify

AGENT = """
import resource, sys, time
import turnspan
resource.setrlimit(resource.RLIMIT_FSIZE, ({soft}, {hard}))

@turnspan.tool
def work(n):
    return "x" * 2000

done, longest = 0, 0.0
with turnspan.session("s"):
    for n in range(300):
        started = time.perf_counter()
        with turnspan.turn(agent="a", prompt=str(n)) as turn:
            turn.response = work(n)
        longest = max(longest, time.perf_counter() - started)
        done += 1
print(done)
"""


def test_a_full_disk_is_reported_and_the_agent_goes_on(tmp_path):
    """Journal, store, log and spans cannot grow beyond 300 kB; what was written until then stays."""
    path = program(tmp_path / "prog.py", AGENT.format(soft=300_000, hard=300_000))
    done = run(PYTHON, path, env={"PYTHONWARNINGS": "default", "TURNSPAN_EXIT_TIMEOUT": "5"})
    assert (done.returncode, done.stdout) == (0, "300\n"), done.stderr
    assert done.stderr.count("turnspan journal failed, the agent goes on") == 1
    assert "are not in the store" in done.stderr and "found no room" in done.stderr
    assert "Traceback" not in done.stderr
    url = f"sqlite:///{tmp_path}/.turnspan/sessions.db"
    store = open_store(url)
    recover(tmp_path / ".turnspan/journal", store, url)
    prompts = [turn.prompt for turn in store.load_session("s").turns]
    assert prompts == [str(n) for n in range(len(prompts))], "what fits is kept, from the first on, without a gap"
    assert len(prompts) > 30


COUNTS = """
journal = turnspan.recording.runtime.recorder().pipeline.journal
print(journal.sequence + journal.dropped, journal.unwritten > 0, flush=True)
"""
KILLS = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"


@pytest.mark.parametrize("memory", [10**9, 100_000], ids=["memory-has-room", "memory-is-full-too"])
@pytest.mark.parametrize("end", ["", KILLS], ids=["exit", "kill"])
def test_what_a_full_disk_costs_is_counted_and_sealed(tmp_path, end, memory):
    """What found no room anywhere is lost with the process, by exit or SIGKILL: its number is in the signed seal."""
    (tmp_path / "key").write_text("0123456789abcdef0123456789abcdef")
    small = f"import turnspan.journal.unwritten\nturnspan.journal.unwritten.UNWRITTEN_BYTES = {memory}\n"
    text = AGENT.format(soft=300_000, hard=300_000).replace("done, longest", small + "done, longest")
    text = text.replace("print(done)", "import turnspan.recording.runtime" + COUNTS + end)
    env = {"TURNSPAN_EXIT_TIMEOUT": "2", "TURNSPAN_SIGNING_KEY": str(tmp_path / "key")}
    done = run(PYTHON, program(tmp_path / "prog.py", text), env=env)
    count, waited = done.stdout.split()
    assert waited == "True", done.stderr
    made = Settings.read(home=tmp_path / ".turnspan", log="off")
    (tmp_path / ".turnspan/turnspan.log.jsonl").unlink(missing_ok=True)
    waiting = verify(settings=made, spans="none", logs="none", key=str(tmp_path / "key"))
    store, key = open_store(made.store_url), Key.read(tmp_path / "key")
    (found,) = recover(made.journal_path, store, made.store_url, key=key)
    assert found.problem is None
    assert found.lost > 0 and found.events + found.lost == int(count), "each is on record, or counted"
    assert any(f"with {found.lost} events" in one.says for one in waiting.findings), waiting.findings
    report = verify(settings=made, spans="none", logs="none", key=str(tmp_path / "key"))
    assert report.exit_code == 1, report.findings
    assert any(f"could not keep {found.lost} events" in one.says for one in report.findings), report.findings


@pytest.mark.parametrize("room_again", [False, True])
def test_what_the_store_took_from_memory_is_whole_after_a_crash(tmp_path, monkeypatch, room_again):
    """The journal's disk is full, the store's is not: a process that dies then has lost nothing, and its chain is whole."""
    home, real, full = tmp_path / "home", os.write, False

    def write(fd, data):
        if full and b" " in data[:20] and data[:1] != b"#":
            raise OSError(28, "No space left on device")
        return real(fd, data)

    monkeypatch.setattr(os, "write", write)
    recorder = Recorder(Settings.read(home=home, log="off"))
    before = runtime.use(recorder)
    try:
        with turnspan.session("s"):
            for n in range(6):
                full = n in (2, 3) if room_again else n >= 2
                with turnspan.turn(agent="a", prompt=str(n)) as turn:
                    turn.response = "ok"
                assert recorder.flush()
        shutil.copytree(home, tmp_path / "dead")
    finally:
        runtime.use(before)
        full = False
        recorder.close()
    made = Settings.read(home=tmp_path / "dead", log="off")
    assert verify(settings=made, spans="none", logs="none").exit_code == 1, "it waits, and nothing was altered"
    store = open_store(made.store_url)
    (found,) = recover(made.journal_path, store, made.store_url, into_this=True)
    assert (found.problem, found.lost, found.interrupted_turns) == (None, 0, 0)
    assert [turn.prompt for turn in store.load_session("s").turns] == [str(n) for n in range(6)]
    assert verify(settings=made, spans="none", logs="none").proven


def test_a_disk_with_room_again_takes_everything(tmp_path):
    """The journal cannot be written for a while; the lines wait in memory and reach the store."""
    text = AGENT.format(soft=300_000, hard="resource.RLIM_INFINITY").replace(
        "print(done)",
        "unlimited = resource.RLIM_INFINITY\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (unlimited, unlimited))\n"
        "assert turnspan.flush(20)\nprint(done)",
    )
    done = run(PYTHON, program(tmp_path / "prog.py", text))
    assert (done.returncode, done.stdout) == (0, "300\n"), done.stderr
    store = open_store(f"sqlite:///{tmp_path}/.turnspan/sessions.db")
    turns = store.load_session("s").turns
    assert [turn.prompt for turn in turns] == [str(n) for n in range(300)]
    assert all(turn.status == "success" and len(turn.tool_calls) == 1 for turn in turns)
