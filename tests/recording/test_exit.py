"""The end of a process: how long it takes is set, and what is left then is not lost."""

import sqlite3
import subprocess
from contextlib import closing

import pytest

from support.programs import PATIENCE_S, PYTHON, run
from support.programs import turnspan as command
from turnspan import open_store

PROGRAM = "import turnspan\nwith turnspan.session('s'), turnspan.turn(prompt='p'): pass\nprint('done', flush=True)"


@pytest.fixture
def locked(tmp_path):
    """A database that somebody else keeps locked."""
    open_store(f"sqlite:///{tmp_path}/.turnspan/sessions.db").close()
    with closing(sqlite3.connect(tmp_path / ".turnspan/sessions.db", isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        yield holder


def stored(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/.turnspan/sessions.db")
    session = store.load_session("s")
    store.close()
    return session and [turn.prompt for turn in session.turns]


def test_what_is_not_stored_in_time_waits_in_the_journal(locked, tmp_path):
    """`TURNSPAN_EXIT_TIMEOUT` over, the process ends and says what waits where; recovery stores it."""
    done = run(PYTHON, "-c", PROGRAM, env={"TURNSPAN_EXIT_TIMEOUT": "1"})
    assert (done.returncode, done.stdout) == (0, "done\n")
    assert "events are not in the store" in done.stderr
    locked.rollback()
    assert stored(tmp_path) is None
    command("recover", check=True)
    assert stored(tmp_path) == ["p"]


def test_who_gives_it_longer_has_everything_stored(locked, tmp_path):
    """A store that answers late, but in time, has it all when the process has ended."""
    environment = {"PATH": "", "TURNSPAN_EXIT_TIMEOUT": str(PATIENCE_S)}
    with subprocess.Popen([PYTHON, "-c", PROGRAM], stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout.readline() == b"done\n"
        locked.rollback()
        assert process.wait(PATIENCE_S) == 0
    assert stored(tmp_path) == ["p"]
