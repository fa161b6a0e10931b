"""A program that a signal ends has what it recorded stored and sent, and dies of the signal."""

import signal

import pytest

from support.programs import program, turnspan
from support.receiver import Receiver
from turnspan import open_store

PROGRAM = """
import signal, sys, turnspan
number = signal.Signals(int(sys.argv[1]))
assert signal.signal(number, signal.SIG_DFL) in (signal.SIG_DFL, signal.default_int_handler)
assert signal.getsignal(number) is signal.SIG_DFL
with turnspan.session("s"), turnspan.turn(prompt="p"): pass
signal.raise_signal(number)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
def test_the_default_action_of_a_signal_is_taken_after_storing_and_sending(number, tmp_path):
    """As gunicorn's uvicorn worker ends: it has set the default action and raises the signal again."""
    path = program(tmp_path / "prog.py", PROGRAM)
    with Receiver() as receiver:
        done = turnspan("run", "--otlp", receiver.url, path, str(int(number)))
        assert (done.returncode, done.stderr) == (-number, "")
        assert len(receiver.spans) == 1
    (turn,) = open_store(f"sqlite:///{tmp_path}/.turnspan/sessions.db").load_session("s").turns
    assert turn.status == "success"
