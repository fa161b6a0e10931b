"""A disk that takes no more, for real: the operating system refuses to let files grow."""

from support.programs import PYTHON, program, run
from turnspan import open_store
from turnspan.recording.recovery import recover

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


def test_a_full_disk_is_told_and_the_agent_goes_on(tmp_path):
    """Journal, store, log and spans cannot grow beyond 300 kB; what was written until then stays."""
    path = program(tmp_path / "prog.py", AGENT.format(soft=300_000, hard=300_000))
    done = run(PYTHON, path, env={"PYTHONWARNINGS": "default", "TURNSPAN_EXIT_TIMEOUT": "5"})
    assert (done.returncode, done.stdout) == (0, "300\n"), done.stderr
    assert done.stderr.count("turnspan journal failed, the agent goes on") == 1
    assert "are not in the store" in done.stderr
    assert "Traceback" not in done.stderr
    url = f"sqlite:///{tmp_path}/.turnspan/sessions.db"
    store = open_store(url)
    recover(tmp_path / ".turnspan/journal", store, url)
    prompts = [turn.prompt for turn in store.load_session("s").turns]
    assert prompts == [str(n) for n in range(len(prompts))], "what fits is kept, from the first on, without a gap"
    assert len(prompts) > 30


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
