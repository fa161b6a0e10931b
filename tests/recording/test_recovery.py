"""What dead processes left is recovered whenever somebody comes for it."""

from support.programs import PYTHON, program, run
from turnspan import InMemorySessionStore, Settings
from turnspan.otel_sdk import rehydration
from turnspan.recording import recovery

DIES = """
import os, signal, turnspan
turnspan.configure(home="home")
with turnspan.session("dead"), turnspan.turn(agent="a", prompt="x"):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_spans_are_sent_again_however_late_recovery_is(tmp_path, monkeypatch):
    """What ended shortly before its process died is sent: that is measured from the death, not from the recovery."""
    run(PYTHON, program(tmp_path / "dies.py", DIES), cwd=tmp_path)
    monkeypatch.setattr(rehydration, "_UNSENT_NS", 0)
    unsent = []

    def resend(events):
        unsent.extend(rehydration.unsent_spans(events, Settings.read()))
        return len(unsent)

    (recovered,) = recovery.recover(tmp_path / "home" / "journal", InMemorySessionStore(), "memory:", resend=resend)
    assert recovered.spans == 1
    assert [span.name for span in unsent] == ["invoke_agent a"]


def test_a_journal_can_be_given_to_another_store(tmp_path):
    """Where the store that it was meant for is wrong, it goes where the option says."""
    wrong = DIES.replace('home="home"', 'home="home", store="postgresql://nobody@127.0.0.1:9/none"')
    run(PYTHON, program(tmp_path / "dies.py", wrong), cwd=tmp_path)
    store, journals = InMemorySessionStore(), tmp_path / "home" / "journal"
    (waiting,) = recovery.recover(journals, store, "memory:")
    assert waiting.problem is not None and store.list_sessions() == []
    (recovered,) = recovery.recover(journals, store, "memory:", into_this=True)
    assert recovered.problem is None and store.list_sessions() == ["dead"]
