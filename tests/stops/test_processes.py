"""However a process ends that is no web server, what it did is on record, and was sent."""

import signal
import subprocess
import sys
import time

import pytest

from support.programs import BIN, PATIENCE_S, PYTHON, program, run, turnspan
from support.receiver import Receiver
from support.stopped import STARTERS, recorded, sent
from turnspan import open_store

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="signals as on Linux")]

CHILDREN = """
import concurrent.futures, multiprocessing, sys, time
{first}
import turnspan

def work(prompt, said=None):
    with turnspan.session("web"), turnspan.turn(agent="web", prompt=prompt):
        pass
    if said is not None:
        said.send("done")
        time.sleep(600)

if __name__ == "__main__":
    for method in sys.argv[1:]:
        context = multiprocessing.get_context(method)
        ends = context.Process(target=work, args=(f"{{method}} ends",))
        ends.start()
        heard, said = context.Pipe()
        terminated = context.Process(target=work, args=(f"{{method}} terminated", said))
        terminated.start()
        assert heard.recv() == "done"
        terminated.terminate()
        for child in (ends, terminated):
            child.join()
        assert (ends.exitcode, terminated.exitcode) == (0, -15)
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
            pool.submit(work, f"{{method}} in a pool").result()
"""
TASKS = """
{first}
import turnspan
from celery import Celery

app = Celery("tasks")
app.conf.update(
    broker_url="filesystem://",
    broker_transport_options={{"data_folder_in": "queue", "data_folder_out": "queue", "control_folder": "control"}},
    result_backend="file://results",
)

@app.task
def work(prompt):
    with turnspan.session("web"), turnspan.turn(agent="web", prompt=prompt):
        return "done"
"""
INTERRUPTED = """
import time, turnspan
with turnspan.session("web"), turnspan.turn(agent="web", prompt="interrupted"):
    print("inside", flush=True)
    time.sleep(600)
"""
FIRST_CELL = """
import turnspan
turnspan.instrument()
with turnspan.session("web"), turnspan.turn(agent="web", prompt="in a cell"):
    pass
"""


def first_line(starter):
    return "import turnspan; turnspan.instrument()" if starter == "instrument()" else ""


METHODS = {
    "turnspan run": ["fork", "spawn", "forkserver"],
    "opentelemetry-instrument": ["spawn"],  # which loads every instrumentation in each child: slow
    "instrument()": ["fork", "spawn", "forkserver"],
}


@pytest.mark.parametrize("starter", STARTERS)
def test_children_of_every_kind_store_and_send(starter, tmp_path):
    """A child that ends, is terminated, or works in a pool, with each of the start methods."""
    path = program(tmp_path / "prog.py", CHILDREN.format(first=first_line(starter)))
    with Receiver() as receiver:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
        python = [] if starter == "turnspan run" else [PYTHON]
        run(*STARTERS[starter], *python, path, *METHODS[starter], env=env, cwd=tmp_path, check=True)
        ends = ("ends", "in a pool", "terminated")
        expected = sorted(f"{method} {end}" for method in METHODS[starter] for end in ends)
        assert recorded(tmp_path) == expected
        assert sent(receiver) == len(expected)


@pytest.mark.parametrize(
    ("starter", "options"), [("turnspan run", []), ("instrument()", ["--max-tasks-per-child", "1"])]
)
def test_the_processes_of_celerys_pool_store_and_send(starter, options, tmp_path):
    """The pool's processes leave by `os._exit`, replaced after a number of tasks or with the worker."""
    program(tmp_path / "tasks.py", TASKS.format(first=first_line(starter)))
    for folder in ("queue", "control", "results"):
        (tmp_path / folder).mkdir()
    prompts = ["1", "2", "3", "4"]
    send = f"import tasks\nfor n in {prompts}: tasks.work.delay(n)"
    run(PYTHON, "-c", send, cwd=tmp_path, check=True, env={"TURNSPAN_DISABLED": "1"})
    with Receiver() as receiver, (tmp_path / "log").open("w+") as log:
        command = [*STARTERS[starter], BIN / "celery", "-A", "tasks", "worker", "-c", "2", *options]
        worker = subprocess.Popen(
            [str(part) for part in command],
            cwd=tmp_path,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={"PATH": "/bin", "HOME": str(tmp_path), "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url},
        )
        deadline = time.monotonic() + PATIENCE_S
        while len(list((tmp_path / "results").iterdir())) < len(prompts):
            assert worker.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.1)
        worker.terminate()
        worker.wait(PATIENCE_S)
        assert recorded(tmp_path) == prompts, (tmp_path / "log").read_text()
        assert sent(receiver) == len(prompts)


def test_who_interrupts_twice_cuts_nothing_in_two(tmp_path):
    """The second Ctrl-C comes while the end of the process stores and sends: it does, and the turn is on record."""
    path = program(tmp_path / "prog.py", INTERRUPTED)
    with Receiver(delays_s={"/v1/traces": 1.0}) as receiver:
        running = subprocess.Popen(
            [BIN / "turnspan", "run", "--otlp", receiver.url, str(path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(
                signal.SIGINT, signal.SIG_DFL
            ),  # shells ignore it for what runs behind them
        )
        assert running.stdout.readline() == "inside\n"
        running.send_signal(signal.SIGINT)
        time.sleep(0.5)
        running.send_signal(signal.SIGINT)
        _, says = running.communicate(timeout=PATIENCE_S)
        assert running.returncode == -signal.SIGINT
        assert says.endswith("KeyboardInterrupt\n"), says
        assert sent(receiver) == 1
    (turn,) = open_store(f"sqlite:///{tmp_path}/.turnspan/sessions.db").load_session("web").turns
    assert turn.status == "cancelled"


def test_a_kernel_that_is_started_anew_has_stored_what_its_cells_did(tmp_path):
    """A notebook's kernel is shut down and started again; a session goes on over both."""
    from jupyter_client.manager import start_new_kernel

    with Receiver() as receiver:
        env = {"HOME": str(tmp_path), "PATH": "/bin", "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
        manager, client = start_new_kernel(kernel_name="python3", cwd=str(tmp_path), env=env)
        try:
            assert client.execute_interactive(FIRST_CELL, timeout=PATIENCE_S)["content"]["status"] == "ok"
            manager.restart_kernel()
            assert recorded(tmp_path) == ["in a cell"]
            assert sent(receiver) == 1
        finally:
            client.stop_channels()
            manager.shutdown_kernel()
    assert turnspan("verify", cwd=tmp_path).returncode == 0
