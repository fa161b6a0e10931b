"""However a process ends, what it recorded is stored and sent first, and it ends as it would have without turnspan."""

import signal

import pytest

from support.programs import PYTHON, program, run, turnspan
from support.receiver import Receiver
from turnspan import open_store

BY_A_SIGNAL = """
import signal, sys, turnspan
number = signal.Signals(int(sys.argv[1]))
signal.signal(number, signal.SIG_DFL)  # who started the tests may have had it ignored
assert signal.signal(number, signal.SIG_DFL) is signal.SIG_DFL
assert signal.getsignal(number) is signal.SIG_DFL
assert signal.signal(signalnum=number, handler=signal.SIG_DFL) is signal.SIG_DFL
with turnspan.session("s"), turnspan.turn(prompt="p"): pass
signal.raise_signal(number)
"""
WHILE_CLOSING = """
import os, signal, sys, turnspan
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
turnspan.instrument()
class Deadly(ConsoleSpanExporter):
    def export(self, spans):
        os.kill(os.getpid(), signal.{signal})
        return super().export(spans)
signal.signal(signal.{signal}, signal.{handler})
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(Deadly(formatter=lambda span: "sent\\n")))
trace.set_tracer_provider(provider)
with turnspan.session("s"), turnspan.turn(prompt="p"): pass
try:
    turnspan.shutdown()
finally:
    print("closed", flush=True)
"""
THREADS = """
import threading, time, turnspan
turnspan.configure()
def record():
    {before}
    with turnspan.session("s"), turnspan.turn(prompt="p"): pass
    {after}
threading.Thread(target=record, daemon={daemon}).start()
{end}
"""
ON_AND_ON = """
import atexit, os, threading, time
atexit.register(time.sleep, 0.2)  # another library's end, behind ours
import turnspan
turnspan.configure()
def record(name):
    while True:
        with turnspan.session(name), turnspan.turn(prompt="p") as turn:
            with turnspan.tool("t"): pass
        os.write(1, f"{turn.id}\\n".encode())
        time.sleep(0.005)
for name in "ab":
    threading.Thread(target=record, args=(name,), daemon=True).start()
time.sleep(0.2)
"""
LEFT_AT_ONCE = """
import os, turnspan
turnspan.configure()
with turnspan.session("s"), turnspan.turn(prompt="p"): pass
assert turnspan.flush()
os._exit(0)
"""


def statuses(folder):
    session = open_store(f"sqlite:///{folder}/.turnspan/sessions.db").load_session("s")
    return [turn.status for turn in session.turns]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
def test_the_default_action_of_a_signal_is_taken_after_storing_and_sending(number, tmp_path):
    """As gunicorn's uvicorn worker ends: it has set the default action and raises the signal again."""
    path = program(tmp_path / "prog.py", BY_A_SIGNAL)
    with Receiver() as receiver:
        done = turnspan("run", "--otlp", receiver.url, path, str(int(number)))
        assert (done.returncode, done.stderr) == (-number, "")
        assert len(receiver.spans) == 1
    assert statuses(tmp_path) == ["success"]


def test_a_signal_that_comes_while_everything_is_closed_does_not_wait_for_itself(tmp_path):
    """The main thread is in the middle of closing; what its handler waits for goes on all the same."""
    path = program(tmp_path / "prog.py", WHILE_CLOSING.format(signal="SIGTERM", handler="SIG_DFL"))
    done = run(PYTHON, path, env={"TURNSPAN_EXIT_TIMEOUT": "1000"})
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGTERM, "sent\n", "")
    assert statuses(tmp_path) == ["success"]


def test_an_interrupt_reaches_the_program_when_everything_is_closed(tmp_path):
    """Ctrl-C in the middle of `turnspan.shutdown()` cuts nothing in two, and is not lost."""
    path = program(tmp_path / "prog.py", WHILE_CLOSING.format(signal="SIGINT", handler="default_int_handler"))
    done = run(PYTHON, path)
    assert (done.returncode, done.stdout) == (-signal.SIGINT, "sent\nclosed\n")
    assert done.stderr.endswith("KeyboardInterrupt\n")
    assert statuses(tmp_path) == ["success"]


def test_what_threads_begin_behind_the_end_of_the_main_thread_is_stored_and_sent(tmp_path):
    """A program whose main thread has ended goes on in its other threads, though no thread pool can be made any more."""
    text = THREADS.format(before="threading.main_thread().join()", after="", daemon=False, end="")
    done = run(PYTHON, program(tmp_path / "prog.py", text))
    assert (done.returncode, done.stderr) == (0, "")
    assert statuses(tmp_path) == ["success"]
    assert (tmp_path / ".turnspan/spans.jsonl").read_text().count('"name":"invoke_agent') == 1


def test_what_daemon_threads_record_behind_the_end_is_kept_and_reported(tmp_path):
    """It waits in a journal of its own, and is on record from the next start on; until then verify explains the gap."""
    done = run(PYTHON, program(tmp_path / "prog.py", ON_AND_ON))
    assert done.returncode == 0
    assert "threads went on recording while the process ended" in done.stderr
    assert done.stderr.count("\n") == 1
    waiting = turnspan("verify")
    assert waiting.returncode == 1
    assert "of a process that died, and are not in the store yet" in waiting.stdout
    turnspan("recover", check=True)
    assert turnspan("verify").returncode == 0
    store = open_store(f"sqlite:///{tmp_path}/.turnspan/sessions.db")
    kept = {turn.turn_id: turn.status for name in store.list_sessions() for turn in store.load_session(name).turns}
    assert [turn_id for turn_id in done.stdout.split() if turn_id not in kept] == []
    assert set(kept.values()) <= {"success", "cancelled"}


def test_a_process_may_be_gone_behind_a_flush(tmp_path):
    """`turnspan.flush()` stores and sends, as far as the endpoint answers: `os._exit` may follow."""
    with Receiver() as receiver:
        done = run(
            PYTHON, program(tmp_path / "prog.py", LEFT_AT_ONCE), env={"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert len(receiver.spans) == 1
    assert statuses(tmp_path) == ["success"]
