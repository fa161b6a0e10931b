"""Unmodified programs on real runtimes leave a session, a trace and a log that name each other."""

import json
import signal
import subprocess
import sys
import time

import pytest

from support.programs import BIN, EXAMPLES, PATIENCE_S, PYTHON, example, program, run, turnspan
from support.receiver import Receiver, attributes
from turnspan import SqlSessionStore, open_store

PROGRAMS = ["openai_agents_triage", "xerxes_agent"]
STARTERS = ["turnspan run", "opentelemetry-instrument", "turnspan.instrument()"]


def start(starter, path, url, cwd):
    env = {"OTEL_METRIC_EXPORT_INTERVAL": "300"}
    if starter == "turnspan run":
        return turnspan("run", "--otlp", url, path, env=env, cwd=cwd)
    env |= {
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_LOGS_EXPORTER": "otlp",
    }
    if starter == "opentelemetry-instrument":
        return run(BIN / "opentelemetry-instrument", PYTHON, path, env=env, cwd=cwd)
    text = f"import turnspan, runpy\nturnspan.instrument()\nrunpy.run_path({str(path)!r}, run_name='__main__')\n"
    return run(PYTHON, "-c", text, env=env, cwd=cwd)


@pytest.mark.parametrize("starter", STARTERS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_every_audit_event_id_is_in_record_trace_and_log(name, starter, tmp_path):
    """However a program is started, each id is in all three places, and its output is unchanged."""
    path = example(name)
    with Receiver() as receiver:
        done = start(starter, path, receiver.url, tmp_path)
    assert done.returncode == 0, done.stderr
    plain = run(PYTHON, path, cwd=tmp_path)
    assert done.stdout == plain.stdout
    store = SqlSessionStore(f"sqlite:///{tmp_path}/.turnspan/sessions.db")
    sessions = [store.load_session(session_id) for session_id in store.list_sessions()]
    assert len(sessions) == 1
    record = {event_id for session in sessions for turn in session.turns for event_id in turn.audit_event_ids}
    spans = [attributes(span) for span in receiver.spans]
    trace = {
        value
        for span in spans
        for key, value in span.items()
        if key in ("turnspan.audit_event_id", "turnspan.audit_event_id.end")
    }
    lines = [json.loads(line) for line in (tmp_path / ".turnspan/turnspan.log.jsonl").read_text().splitlines()]
    log = {line["audit_event_id"] for line in lines if "turn_id" in line}
    sent = {attributes(r)["turnspan.audit_event_id"] for r in receiver.logs if "turnspan.turn.id" in attributes(r)}
    assert record == trace == log == sent
    assert len(record) > 10
    assert {line["trace_id"] for line in lines if "turn_id" in line} == {span.trace_id.hex() for span in receiver.spans}
    assert (
        {span["gen_ai.conversation.id"] for span in spans}
        == {span["session.id"] for span in spans}
        == {sessions[0].session_id}
    )
    assert {
        "gen_ai.invoke_agent.duration",
        "gen_ai.execute_tool.duration",
        "gen_ai.client.operation.duration",
    } <= receiver.metrics
    for session in sessions:
        for turn in session.turns:
            assert turn.metadata["turnspan"]["trace_id"] in {span.trace_id.hex() for span in receiver.spans}


def test_a_program_without_a_runtime_leaves_nothing_behind(tmp_path):
    """A program that runs no agent has its own output and exit code, and no home is made."""
    path = program(tmp_path / "prog.py", "import sys; print('hi', sys.argv[1:]); sys.exit(3)")
    done = turnspan("run", path, "--its", "option")
    assert (done.returncode, done.stdout, done.stderr) == (3, "hi ['--its', 'option']\n", "")
    assert not (tmp_path / ".turnspan").exists()


def test_modules_scripts_and_commands_run(tmp_path):
    """``turnspan run`` starts scripts, modules and commands as Python does."""
    program(tmp_path / "mod.py", "import sys; print(__name__, sys.argv[1:])")
    assert turnspan("run", "-m", "mod", "a").stdout == "__main__ ['a']\n"
    assert turnspan("run", "mod.py", "b").stdout == "__main__ ['b']\n"
    assert (
        turnspan("run", "python", "-c", "import turnspan.instrumentation.zero_code as a; print(a._on)").stdout
        == "True\n"
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("raise ValueError('mine')", 1),
        ("import sys; sys.exit('bye')", 1),
        ("raise KeyboardInterrupt", 130),
        ("import os; os._exit(7)", 7),
    ],
)
def test_the_programs_own_end_is_unchanged(text, code, tmp_path):
    """Exit codes, exceptions and output are those of the program without turnspan."""
    path = program(tmp_path / "prog.py", text)
    plain, ours = run(PYTHON, path), turnspan("run", path)
    assert ours.returncode in (plain.returncode, code)
    assert ours.returncode == plain.returncode
    assert (ours.stdout, ours.stderr) == (plain.stdout, plain.stderr)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere.py"], "There is no program 'nowhere.py'"),
        (["no-such-command"], "There is no program 'no-such-command'"),
        (["--store", "mongodb://x", "prog.py"], "is not a store URL that turnspan knows; use sqlite:///path"),
        (["--adapters", "langgrph", "prog.py"], "Unknown adapter langgrph; known are: "),
    ],
)
def test_what_is_wrong_is_said_before_the_program_starts(arguments, says, tmp_path):
    """A wrong option is one line and exit code 4, and the program does not run."""
    program(tmp_path / "prog.py", "print('ran')")
    done = turnspan("run", *arguments)
    assert done.returncode == 4
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert "ran" not in done.stdout


def test_a_wrong_environment_does_not_stop_the_program(tmp_path):
    """Started without ``turnspan run``, a program with wrong settings runs, and a warning says what is wrong."""
    path = program(tmp_path / "prog.py", "import agents; print('ran')")
    env = {
        "TURNSPAN_STORE": "mongodb://x",
        "PYTHONPATH": str(EXAMPLES.parents[0] / "src/turnspan/instrumentation/bootstrap"),
    }
    done = run(PYTHON, path, env=env)
    assert done.stdout == "ran\n"
    assert "records nothing" in done.stderr and "sqlite:///path" in done.stderr


def test_a_dead_endpoint_harms_nothing(tmp_path):
    """Where nobody takes spans one line says so, and spans are kept on disk."""
    done = turnspan("run", "--otlp", "http://127.0.0.1:9", EXAMPLES / "openai_agents_triage.py")
    assert done.returncode == 0
    assert done.stderr.count("\n") == 1, "reported once"
    assert (
        "http://127.0.0.1:9/v1/traces does not accept spans; the record is complete, and spans are kept in .turnspan/spans.jsonl"
        in done.stderr
    )
    assert done.stdout.splitlines()[-1] == "You are welcome."
    session = open_store(f"sqlite:///{tmp_path}/.turnspan/sessions.db").load_session("support-42")
    assert len(session.turns) == 3
    kept = (tmp_path / ".turnspan/spans.jsonl").read_text()
    assert all(event_id in kept for turn in session.turns for event_id in turn.audit_event_ids)


@pytest.mark.parametrize("late", ["/v1/traces", "/v1/logs"])
@pytest.mark.parametrize("status", [500, 404])
def test_an_endpoint_that_answers_with_errors_harms_nothing(status, late, tmp_path):
    """One line says so, whichever signal is refused first."""
    with Receiver(status, {late: 0.5}) as receiver:
        done = turnspan("run", "--otlp", receiver.url, EXAMPLES / "openai_agents_triage.py")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "You are welcome.")
    assert done.stderr.count("does not accept spans") == done.stderr.count("\n") == 1
    assert len(open_store(f"sqlite:///{tmp_path}/.turnspan/sessions.db").load_session("support-42").turns) == 3


def test_for_an_endpoint_that_takes_spans_only_the_setting_is_named_that_keeps_the_rest_back():
    """As Jaeger does: one line for each signal, with the variable to set."""
    with Receiver({"/v1/logs": 404, "/v1/metrics": 404}) as receiver:
        done = turnspan("run", "--otlp", receiver.url, EXAMPLES / "openai_agents_triage.py")
        assert receiver.spans
    assert "does not accept logs; OTEL_LOGS_EXPORTER=none turns them off" in done.stderr
    assert "does not accept metrics; OTEL_METRICS_EXPORTER=none turns them off" in done.stderr
    assert done.stderr.count("\n") == 2


def test_an_unwritable_home_harms_nothing_and_is_reported(tmp_path):
    """The agent answers as ever, and standard error says what could not be kept."""
    (tmp_path / "home").write_text("a file, not a folder")
    done = turnspan(
        "run", "--home", tmp_path / "home", EXAMPLES / "openai_agents_triage.py", env={"TURNSPAN_EXIT_TIMEOUT": "1"}
    )
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "You are welcome."
    assert "turnspan journal failed, the agent goes on" in done.stderr
    assert done.stderr.count("turnspan journal failed") == 1


HAND = """
import os, sys, time, turnspan
with turnspan.session("s"), turnspan.turn(agent="a", prompt="p") as turn:
    with turnspan.tool("t"):
        print("inside", flush=True)
        {body}
"""


def test_sigterm_stores_what_is_open_and_kills_as_before(tmp_path):
    """A terminated process has its open turn on record, and dies of the signal."""
    path = program(tmp_path / "prog.py", HAND.format(body="time.sleep(60)"))
    running = subprocess.Popen([BIN / "turnspan", "run", str(path)], stdout=subprocess.PIPE, text=True)
    assert running.stdout.readline() == "inside\n"
    running.send_signal(signal.SIGTERM)
    assert running.wait(PATIENCE_S) == -signal.SIGTERM
    running.stdout.close()
    (turn,) = open_store(f"sqlite:///{tmp_path}/.turnspan/sessions.db").load_session("s").turns
    assert (turn.status, turn.tool_calls[0].status) == ("cancelled", "cancelled")
    assert turn.metadata["turnspan"]["interrupted"] == "the process ended"


def test_a_fork_a_spawned_child_and_a_subprocess_are_of_the_same_session(tmp_path):
    """Whatever a program starts records into its session."""
    path = program(
        tmp_path / "prog.py",
        """
import multiprocessing, os, subprocess, sys, threading, turnspan
from concurrent.futures import ThreadPoolExecutor

@turnspan.tool
def work(kind):
    return kind

def main():
    with turnspan.session("s"), turnspan.turn(agent="a", prompt="p"):
        work("parent")
        for method in ("fork", "spawn"):
            child = multiprocessing.get_context(method).Process(target=work, args=(method,))
            child.start(); child.join()
            assert child.exitcode == 0
        pid = os.fork()
        if pid == 0:
            work("os.fork")
            turnspan.flush()
            os._exit(0)
        os.waitpid(pid, 0)
        thread = threading.Thread(target=work, args=("thread",)); thread.start(); thread.join()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(work, "pool").result()
        subprocess.run([sys.executable, "-c", "import turnspan\\nwith turnspan.turn(prompt='child'): pass"], check=True)

if __name__ == "__main__":
    main()
""",
    )
    # From 3.12 on Python itself warns where a process with threads is forked; the SDK and our writer have one each.
    done = turnspan("run", path, env={"PYTHONWARNINGS": "ignore:This process:DeprecationWarning"})
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    store = open_store(f"sqlite:///{tmp_path}/.turnspan/sessions.db")
    session = store.load_session("s")
    first = next(turn for turn in session.turns if turn.prompt == "p")
    kinds = {call.arguments["kind"] for turn in session.turns for call in turn.tool_calls}
    assert kinds == {"parent", "fork", "spawn", "os.fork", "thread", "pool"}
    assert {"parent", "fork", "os.fork", "thread", "pool"} <= {call.arguments["kind"] for call in first.tool_calls}
    assert any(turn.prompt == "child" for turn in session.turns)
    assert store.list_sessions() == ["s"]
    spans = [
        span
        for line in (tmp_path / ".turnspan/spans.jsonl").read_text().splitlines()
        for resource in json.loads(line)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]
    assert len({span["traceId"] for span in spans}) == 1
    assert len({span["spanId"] for span in spans}) == len(spans)


def test_what_the_program_set_up_itself_is_used(tmp_path):
    """A tracer provider of the program's own is never replaced, and its spans carry the session."""
    path = program(
        tmp_path / "prog.py",
        """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
import turnspan
exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
with turnspan.session("mine"), turnspan.turn(agent="a"):
    with trace.get_tracer("user").start_as_current_span("their own"):
        pass
assert trace.get_tracer_provider() is provider
provider.force_flush()
for span in exporter.get_finished_spans():
    print(span.name, span.attributes["gen_ai.conversation.id"], span.attributes["session.id"])
""",
    )
    done = turnspan("run", path)
    assert done.stdout == "their own mine mine\ninvoke_agent a mine mine\n", done.stderr


def test_instrument_and_uninstrument_leave_no_trace(tmp_path):
    """Undone, nothing that was patched is still patched."""
    pytest.importorskip("xerxes")
    path = program(
        tmp_path / "prog.py",
        """
import subprocess, threading, turnspan
before = (subprocess.Popen.__init__, threading.Thread.start)
turnspan.instrument()
import agents, xerxes
from agents.run import AgentRunner
from xerxes.xerxes import Xerxes
watched = (AgentRunner.run, Xerxes.create_response)
with turnspan.turn(): pass
turnspan.uninstrument()
assert hasattr(watched[0], "__wrapped__")
assert not hasattr(AgentRunner.run, "__wrapped__") and not hasattr(Xerxes.create_response, "__wrapped__")
assert (subprocess.Popen.__init__, threading.Thread.start) == before
print("ok")
""",
    )
    assert run(PYTHON, path).stdout == "ok\n"


def test_import_stays_light():
    """``import turnspan`` imports neither the SDK nor SQLAlchemy nor a runtime."""
    text = (
        "import sys, turnspan; print([m for m in sys.modules if m.startswith("
        "('opentelemetry.sdk', 'sqlalchemy', 'structlog', 'agents', 'xerxes', 'rich', 'click'))])"
    )
    assert run(PYTHON, "-c", text).stdout == "[]\n"


def test_nothing_is_sent_anywhere_unless_an_endpoint_is_set(tmp_path):
    """Without an endpoint no connection is opened."""
    path = program(
        tmp_path / "prog.py",
        """
import socket, turnspan
def refuse(*a, **k): raise AssertionError("a connection was opened")
socket.socket.connect = refuse
with turnspan.turn(prompt="p"): pass
turnspan.shutdown()
print(sorted(m for m in __import__("sys").modules if m.startswith("opentelemetry.exporter")))
""",
    )
    done = turnspan("run", path)
    assert done.stdout == "[]\n", done.stderr


def test_a_missing_exporter_is_reported_clearly(tmp_path):
    """Without the OTLP exporter the program runs, and the pip line is on standard error."""
    path = program(
        tmp_path / "prog.py",
        "import sys\nsys.modules['opentelemetry.exporter.otlp.proto.http.trace_exporter'] = None\n"
        "import turnspan\nwith turnspan.turn(prompt='p'): pass\nprint('ran')",
    )
    done = turnspan("run", "--otlp", "http://127.0.0.1:9", path)
    assert done.stdout == "ran\n"
    assert "pip install 'turnspan[otlp]'" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="SIGKILL and /proc as on Linux")
def test_uvicorn_workers_flush(tmp_path):
    """Workers are multiprocessing children: they skip atexit, and their turns are stored all the same."""
    program(
        tmp_path / "app.py",
        """
import turnspan
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    with turnspan.session("web"), turnspan.turn(agent="web", prompt=scope["path"]):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})
""",
    )
    import socket
    import urllib.request

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        BIN / "turnspan",
        "run",
        "-m",
        "uvicorn",
        "app:app",
        "--workers",
        "2",
        "--port",
        str(port),
        "--log-level",
        "error",
    ]
    server = subprocess.Popen([str(c) for c in command])
    try:
        for n in range(20):
            for _ in range(100):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/{n}", timeout=5).close()
                    break
                except OSError:
                    time.sleep(0.2)
    finally:
        server.terminate()
        server.wait(PATIENCE_S)
    session = open_store(f"sqlite:///{tmp_path}/.turnspan/sessions.db").load_session("web")
    assert sorted(int(turn.prompt[1:]) for turn in session.turns) == list(range(20))
    assert all(turn.status == "success" for turn in session.turns)
    assert (tmp_path / ".turnspan/spans.jsonl").read_text().count('"name":"invoke_agent web"') == 20


@pytest.mark.parametrize("endpoint", [False, True])
def test_opentelemetry_instrument_needs_nothing_set(endpoint, tmp_path):
    """Its distro asks for gRPC, which is not installed: spans are kept in the file, or sent over HTTP to an endpoint."""
    path = program(
        tmp_path / "prog.py",
        "import turnspan\nwith turnspan.session('s'), turnspan.turn(agent='a', prompt='p'): pass\nprint('ran')",
    )
    with Receiver() as receiver:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url} if endpoint else {}
        done = run(BIN / "opentelemetry-instrument", PYTHON, path, env=env)
        assert (done.returncode, done.stdout, done.stderr) == (0, "ran\n", "")
        assert [span.name for span in receiver.spans] == ["invoke_agent a"] * endpoint
    assert (tmp_path / ".turnspan/spans.jsonl").exists() is not endpoint
    assert turnspan("verify").returncode == 0
