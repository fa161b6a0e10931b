"""What turnspan has to say about itself is heard."""

import pytest

from support.programs import PYTHON, program, run

SILENCED = """
import logging.config
import turnspan
turnspan.instrument()
logging.config.dictConfig({set_up})
with turnspan.session("s"), turnspan.turn(agent="a", prompt="x") as turn:
    turn.response = "y"
print("the agent went on")
"""


def without_home(folder):
    """Return settings with a home that cannot be made; a store that cannot come is not waited for."""
    return {"TURNSPAN_HOME": str(folder / "file" / "home"), "TURNSPAN_EXIT_TIMEOUT": "1"}


@pytest.mark.parametrize(
    "set_up",
    [
        '{"version": 1}',
        '{"version": 1, "handlers": {"h": {"class": "logging.StreamHandler"}}, "root": {"handlers": ["h"]}}',
        '{"version": 1, "disable_existing_loggers": False}',
    ],
)
def test_warnings_survive_the_programs_logging_set_up(set_up, tmp_path):
    """A home that cannot be written is said on standard error, once, whatever dictConfig does; the program goes on."""
    (tmp_path / "file").write_text("")
    path = program(tmp_path / "prog.py", SILENCED.replace("{set_up}", set_up))
    done = run(PYTHON, path, cwd=tmp_path, env=without_home(tmp_path))
    assert (done.returncode, done.stdout) == (0, "the agent went on\n")
    assert done.stderr.count("turnspan journal failed") == 1
    assert "and there was no journal to keep them: they are lost" in done.stderr
    assert "Traceback" not in done.stderr


def test_who_wants_silence_has_it(tmp_path):
    """A level set on the logger is obeyed."""
    (tmp_path / "file").write_text("")
    quiet = "logging.getLogger('turnspan').setLevel(logging.CRITICAL)\nlogging.config.dictConfig({set_up})"
    text = SILENCED.replace("logging.config.dictConfig({set_up})", quiet).replace("{set_up}", '{"version": 1}')
    done = run(PYTHON, program(tmp_path / "prog.py", text), env=without_home(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")


def test_a_variable_that_sets_nothing_is_reported_once(tmp_path):
    """A misspelt TURNSPAN_ variable is named, with what may have been meant; twice set up is once reported."""
    text = "import turnspan\nfor _ in range(2):\n    turnspan.configure()\n    with turnspan.turn():\n        pass\n"
    done = run(PYTHON, program(tmp_path / "prog.py", text), cwd=tmp_path, env={"TURNSPAN_STOER": "memory:"})
    assert done.stderr.count("unknown environment variable TURNSPAN_STOER; did you mean TURNSPAN_STORE?") == 1
    assert done.stderr.count("\n") == 1
