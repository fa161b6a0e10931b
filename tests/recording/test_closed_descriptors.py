"""A program may close every descriptor, as daemonizers do: what it opens next is its own, and nothing is lost."""

import pytest

from support.programs import PYTHON, program, run, turnspan
from turnspan import open_store

CLOSES = """
import os, turnspan
turnspan.configure()

def record(prompt):
    with turnspan.session("s"), turnspan.turn(agent="a", prompt=prompt):
        pass

{first}
os.closerange(3, 256)
files = [os.open(f"own{{number}}", os.O_CREAT | os.O_RDWR) for number in range(40)]
for file in files:
    os.write(file, b"own")
record("behind")
turnspan.flush(2)
record("at the end")
for file in files:
    os.write(file, b" and still open")
"""
RECORDS = """
record("before")
assert turnspan.flush()
"""
FORKS = """
if os.fork():
    os.wait()
    os._exit(0)
"""


def closed(folder, first):
    """Run the program, and return what turnspan said; its own files hold what it wrote, and nothing else."""
    path = program(folder / "prog.py", CLOSES.format(first=first))
    done = run(PYTHON, path, check=True, cwd=folder, env={"TURNSPAN_EXIT_TIMEOUT": "2"})
    assert {own.read_bytes() for own in folder.glob("own*")} == {b"own and still open"}
    return done.stderr


def prompts(folder):
    session = open_store(f"sqlite:///{folder}/.turnspan/sessions.db").load_session("s")
    return [turn.prompt for turn in session.turns]


def test_a_daemon_that_closes_every_descriptor_first_is_recorded_as_any_program(tmp_path):
    """It forks, closes all, and records: the journal goes on in files of its own, and the store is opened then."""
    assert closed(tmp_path, FORKS) == ""
    assert prompts(tmp_path) == ["behind", "at the end"]


@pytest.mark.slow
@pytest.mark.parametrize("first", [RECORDS, RECORDS + FORKS], ids=["here", "in a fork"])
def test_what_is_recorded_after_an_open_store_was_closed_waits_in_the_journal(first, tmp_path):
    """SQLite cannot be used any more in that process, which is said once; the next one stores it."""
    says = closed(tmp_path, first)
    assert says.count("the program has closed its files (os.closerange)") == 1
    assert "are stored at the next start" in says
    assert prompts(tmp_path) == ["before"]
    turnspan("recover", check=True, cwd=tmp_path)
    assert prompts(tmp_path) == ["before", "behind", "at the end"]
    assert turnspan("verify", cwd=tmp_path).returncode == 0
