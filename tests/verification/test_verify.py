"""Each difference between record, trace and log gets its verdict."""

import json
import subprocess

import pytest

import turnspan
from support.programs import PYTHON, program, run
from support.programs import turnspan as command
from support.receiver import Receiver
from turnspan import FileSessionStore, InMemorySessionStore
from turnspan.recording import runtime
from turnspan.recording.recorder import Recorder
from turnspan.settings import Settings
from turnspan.stores.base import AuditFilter
from turnspan.stores.merging import MOST_SEALS
from turnspan.verification import verify

WORK = """
import turnspan
turnspan.configure()
for n in range({turns}):
    with turnspan.session(f"s-{{n % 3}}"), turnspan.turn(agent="triage", prompt="q") as turn:
        with turnspan.tool("search", query="x") as call:
            call.result = "found"
        turn.response = "done"
"""


def recorded(folder, turns=3, env=None, text=WORK):
    run(PYTHON, program(folder / "work.py", text.format(turns=turns)), cwd=folder, env=env, check=True)
    return Settings.read(home=folder / ".turnspan")


def lines_of(path):
    return path.read_text().splitlines(keepends=True)


def verdicts(report):
    return {
        check: {v: n for v, n in counts.items() if v != "ok"}
        for check, counts in report.counts.items()
        if set(counts) - {"ok"}
    }


def test_what_was_recorded_in_the_normal_way_is_proven(tmp_path):
    """A program that ran and ended has every event in all three places."""
    report = verify(settings=recorded(tmp_path))
    assert report.proven
    assert (report.sessions, report.events) == (3, 18)
    assert report.counts["trace"] == {"ok": 6}
    assert report.counts["log"] == {"ok": 18}


def test_in_a_test_a_program_verifies_itself(recording):
    """What this process has recorded is proven without a seal: it knows the end of its own chain; an open turn waits."""
    with turnspan.session("s"), turnspan.turn(agent="a"), turnspan.tool("t"):
        pass
    report = turnspan.verify()
    assert report.proven, str(report)
    assert (report.counts["completeness"], report.counts["log"]) == ({"ok": 1}, {"ok": 5})
    assert turnspan.verify("s", store=recording.store).proven
    with turnspan.session("s"), turnspan.turn(agent="a"):
        assert verdicts(turnspan.verify()) == {"structure": {"pending": 1}}
    assert turnspan.verify().proven


def test_a_program_that_verifies_itself_sees_that_its_newest_rows_are_gone(recording, monkeypatch):
    """Nothing was sealed yet, and what was cut off behind the last row that is left is found all the same."""
    with turnspan.turn(agent="a"), turnspan.tool("t"):
        pass
    recording.recorder.flush()
    rows = list(recording.store.audit_rows(AuditFilter()))
    monkeypatch.setattr(recording.store, "audit_rows", lambda *_args, **_more: iter(rows[:-1]))
    report = turnspan.verify()
    assert report.exit_code == 3
    assert "is not the one that this process wrote, or is not there" in str(report)


def test_a_report_is_read_where_it_is(recording):
    """Printed it is what the command says; in a notebook a table; in an assertion the first reason."""
    with turnspan.turn(agent="a", prompt="SECRET"):
        report = turnspan.verify()
    *_, difference, verdict = str(report).splitlines()
    assert difference.startswith("pending structure: session ") and "turn.started has no end" in difference
    assert verdict == "Gaps, all explained: the record does not have everything, for the reasons above."
    assert report._repr_html_().startswith("<table><caption>Gaps, all explained")
    first = "first='pending structure: turn.started has no end')"
    assert repr(report) == f"Report(proven=False, exit_code=1, sessions=1, events=2, findings=1, {first}"
    assert "SECRET" not in str(report) + repr(report) + report._repr_html_()


def test_sampled_out_spans_are_explained_and_sent_again(tmp_path):
    """A span that the sampler dropped is explained, and rehydrate makes the trace complete."""
    made = recorded(tmp_path, turns=30, env={"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.2"})
    report = verify(settings=made)
    assert set(verdicts(report)) == {"trace"}
    assert set(verdicts(report)["trace"]) == {"sampled-out"}
    assert str(report).endswith(": the record is complete; not everything is in trace and log.")
    assert report.exit_code == 1
    done = command("rehydrate", "--since", "1h", cwd=tmp_path, check=True)
    assert f"{report.counts['trace']['sampled-out']} spans of 3 sessions" in done.stdout
    assert verify(settings=made).proven
    assert "0 spans of 3" in command("rehydrate", "--since", "1h", cwd=tmp_path, check=True).stdout


def test_dropped_spans_are_counted_and_sent_again(tmp_path):
    """Spans that a full queue dropped are explained by the seal's count, and rehydrate sends them."""
    made = recorded(
        tmp_path,
        turns=200,
        env={
            "OTEL_BSP_MAX_QUEUE_SIZE": "64",
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "8",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        },
    )
    report = verify(settings=made)
    assert set(verdicts(report)) <= {"trace"}
    if dropped := report.counts["trace"]["dropped"]:
        assert report.exit_code == 1
        assert verdicts(report) == {"trace": {"dropped": dropped}}
    command("rehydrate", "--since", "1h", cwd=tmp_path, check=True)
    assert verify(settings=made).proven


def test_a_span_that_nothing_explains_is_missing_and_a_strange_one_an_orphan(tmp_path):
    """Each span that is missing or unknown is named by its id."""
    made = recorded(tmp_path)
    path = tmp_path / ".turnspan/spans.jsonl"
    request = json.loads(path.read_text())
    spans = request["resourceSpans"][0]["scopeSpans"][0]["spans"]
    gone = spans.pop()
    spans.append(
        {
            **spans[0],
            "spanId": "f" * 16,
            "attributes": [
                {**a, "value": {"stringValue": "e" * 32}} if "audit" in a["key"] else a for a in spans[0]["attributes"]
            ],
        }
    )
    spans[1]["startTimeUnixNano"] = "1"
    path.write_text(json.dumps(request))
    report = verify(settings=made)
    assert verdicts(report) == {"trace": {"missing": 1, "orphan": 1, "mismatch": 1}}
    assert report.exit_code == 2
    assert any(gone["spanId"] in finding.says for finding in report.findings)
    assert any("its start is 1, the record says" in finding.says for finding in report.findings)


def test_log_lines_that_are_missing_strange_or_altered_are_named(tmp_path):
    """Each line that differs from its event is named, with where it stands."""
    made = recorded(tmp_path)
    path = tmp_path / ".turnspan/turnspan.log.jsonl"
    lines = lines_of(path)
    gone = json.loads(lines.pop(5))
    lines[3] = lines[3].replace('"span_id":"', '"span_id":"0')
    lines.append(lines[2].replace(json.loads(lines[2])["audit_event_id"], "e" * 32))
    path.write_text("".join(lines))
    report = verify(settings=made)
    assert verdicts(report) == {"log": {"missing": 1, "orphan": 1, "mismatch": 1}}
    assert gone["audit_event_id"] in {finding.id for finding in report.findings}


def test_a_log_that_was_rotated_has_expired_lines(tmp_path):
    """What is older than the log's first line has expired."""
    made = recorded(tmp_path)
    path = tmp_path / ".turnspan/turnspan.log.jsonl"
    path.write_text("".join(lines_of(path)[4:]))
    report = verify(settings=made)
    assert verdicts(report) == {"log": {"expired": 4}}
    assert report.exit_code == 1


def test_a_seal_in_the_log_that_is_not_that_of_the_record_breaks_the_chain(tmp_path):
    """The log is a second witness of how a chain ended."""
    made = recorded(tmp_path)
    path = tmp_path / ".turnspan/turnspan.log.jsonl"
    path.write_text(path.read_text().replace('"events":5', '"events":4', 1))
    report = verify(settings=made)
    assert report.exit_code == 3
    assert verdicts(report) == {"log": {"altered": 1}}


def test_a_process_that_still_runs_is_pending(tmp_path):
    """What a living process of another pid has not sealed is pending, and proven when it has ended."""
    text = WORK.format(turns=1) + "turnspan.flush(); print('there', flush=True); input()"
    path = program(tmp_path / "work.py", text)
    worker = subprocess.Popen([PYTHON, path], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    worker.stdout.readline()
    made = Settings.read(home=tmp_path / ".turnspan")
    report = verify(settings=made)
    worker.communicate("\n")
    assert report.exit_code == 1
    assert set(verdicts(report)["completeness"]) == {"pending"}
    assert verify(settings=made).proven


def test_a_process_that_was_killed_is_explained_and_its_spans_are_sent_by_recovery(tmp_path):
    """A killed process is a gap with a reason, until recovery has stored and sent what it left."""
    text = (
        WORK.format(turns=2)
        + """
import os, signal
turnspan.flush()
with turnspan.session("s-0"), turnspan.turn(prompt="last"), turnspan.tool("deadly"):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    )
    run(PYTHON, program(tmp_path / "work.py", text), cwd=tmp_path)
    assert command("recover", cwd=tmp_path, env={"TURNSPAN_RESEND": "0"}, check=True).stdout.count("1 interrupted") == 1
    made = Settings.read(home=tmp_path / ".turnspan")
    report = verify(settings=made)
    assert verdicts(report) == {"trace": {"crashed": 2}}, "what was flushed had been sent"
    assert report.exit_code == 1
    command("rehydrate", "--since", "1h", cwd=tmp_path, check=True)
    assert verify(settings=made).proven
    run(PYTHON, tmp_path / "work.py", cwd=tmp_path)
    assert "6 spans sent again" in command("recover", cwd=tmp_path, check=True).stdout
    assert verify(settings=made).proven


def test_recovery_sends_to_the_endpoint_too(tmp_path):
    """Asked to resend, recovery brings a dead process's spans to the receiver."""
    text = WORK.format(turns=1) + "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    with Receiver() as receiver:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "TURNSPAN_RESEND": "1"}
        run(PYTHON, program(tmp_path / "work.py", text), cwd=tmp_path, env=env)
        assert receiver.spans == []
        command("recover", cwd=tmp_path, env=env, check=True)
        assert sorted(span.name for span in receiver.spans) == ["execute_tool search", "invoke_agent triage"]


def test_what_recovery_sends_has_the_names_that_were_set(tmp_path):
    """Recovered spans follow the profile of the process that died."""
    text = """
import os, signal, turnspan
turnspan.configure()
with turnspan.turn(), turnspan.model_call("m") as call:
    call.usage = turnspan.Usage(cache_write_tokens=3)
os.kill(os.getpid(), signal.SIGKILL)
"""
    run(PYTHON, program(tmp_path / "work.py", text), cwd=tmp_path)
    command("recover", cwd=tmp_path, env={"TURNSPAN_SEMCONV": "main"}, check=True)
    assert "gen_ai.usage.cache_write.input_tokens" in (tmp_path / ".turnspan/spans.jsonl").read_text()


def test_a_failing_exporter_is_counted(tmp_path):
    """The seal says how many spans the receiver refused."""
    with Receiver(status=503) as receiver:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
        recorded(tmp_path, env=env)
    seals = [
        json.loads(line)["seal"] for line in lines_of(tmp_path / ".turnspan/turnspan.log.jsonl") if '"seal"' in line
    ]
    counts = seals[-1]["spans"]
    assert counts["FileSpanExporter"] == {"ended": 6, "exported": 6, "failed": 0, "dropped": 0, "queued": 0}
    assert counts["OTLPSpanExporter"]["exported"] == 0
    (tmp_path / "there.jsonl").write_text("")
    report = verify(settings=Settings.read(home=tmp_path / ".turnspan"), spans=str(tmp_path / "there.jsonl"))
    assert report.exit_code == 1
    assert report.counts["trace"]["dropped"] == 6  # whether it failed or was still on its way


def test_the_log_a_disk_did_not_take_is_counted(tmp_path):
    """Lines that could not be written are explained by the seal's count."""
    (tmp_path / "log").mkdir()
    made = recorded(tmp_path, env={"TURNSPAN_LOG": str(tmp_path / "log")})
    (tmp_path / "empty").write_text("")
    report = verify(settings=made, logs=str(tmp_path / "empty"))
    assert report.counts["log"] == {"dropped": 18}
    assert report.exit_code == 1


def test_a_store_of_four_methods_is_compared_by_ids(recording):
    """A store without audit rows is still held against trace and log, and the report says what that proves."""

    class Four:
        def __init__(self):
            self.kept = {}

        def save_session(self, session):
            self.kept[session.session_id] = session

        def load_session(self, session_id):
            return self.kept.get(session_id)

        def list_sessions(self, workspace_id=None):
            return list(self.kept)

        def delete_session(self, session_id):
            return self.kept.pop(session_id, None) is not None

    store = Four()
    manager = turnspan.observe(turnspan.SessionManager(store))
    session = manager.start_session()
    manager.record_turn(session.session_id, turnspan.TurnRecord("t"))
    manager.get_session(session.session_id)
    report = turnspan.verify(store=store, spans="none")
    assert report.counts["log"] == {"ok": 2}
    assert "no audit rows" in report.sources["record"]


@pytest.mark.parametrize("kind", ["file", "memory"])
def test_file_and_memory_stores_are_proven_too(tmp_path, kind):
    """The proof does not need a database."""
    store = FileSessionStore(tmp_path / "files") if kind == "file" else InMemorySessionStore()
    recorder = Recorder(Settings.read(home=tmp_path / "home", strict=True), store)
    before = runtime.use(recorder)
    with turnspan.session("s"), turnspan.turn(agent="a", prompt="p"), turnspan.tool("t"):
        pass
    runtime.use(before)
    recorder.close()
    made = Settings.read(home=tmp_path / "home")
    assert verify(settings=made, store=store, spans="none").proven
    rows = store.audit_events("s")
    store.rewrite_payloads("s", {rows[1].event_id: rows[1].payload.replace('"p"', '"x"')})
    assert verify(settings=made, store=store, spans="none").exit_code == 3
    store.delete_session("s")
    assert [one.last for one in store.audit_removed()] == [len(rows)]


def test_a_session_of_many_processes_keeps_its_newest_seals_only(tmp_path):
    """A session that hundreds of processes wrote does not grow with their seals, and is proven."""
    made = Settings.read(home=tmp_path / "home", strict=True, log="off")
    store = InMemorySessionStore()
    for _ in range(MOST_SEALS + 3):
        recorder = Recorder(made, store)
        before = runtime.use(recorder)
        with turnspan.session("s"), turnspan.turn():
            pass
        runtime.use(before)
        recorder.close()
    assert len(store.load_session("s").metadata["turnspan"]["seals"]) == MOST_SEALS
    report = verify(settings=made, store=store, spans="none")
    assert report.proven, report.findings
    assert report.counts["completeness"]["ok"] == MOST_SEALS + 3


def test_the_command_prints_what_it_found_and_exits_accordingly(tmp_path):
    """Words and exit code of ``turnspan verify`` say the same."""
    recorded(tmp_path)
    done = command("verify", cwd=tmp_path)
    assert done.returncode == 0
    assert "Proven" in done.stdout
    (tmp_path / ".turnspan/turnspan.log.jsonl").write_text("")
    done = command("verify", "last", "--json", cwd=tmp_path)
    assert done.returncode == 2
    assert json.loads(done.stdout)["checks"]["log"] == {"missing": 6}
    assert "missing" in command("verify", "last", cwd=tmp_path).stdout


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--spans", "absent.jsonl"], "cannot be read"),
        (["--spans", "http://127.0.0.1:9"], "cannot be read"),
        (["--logs", "http://127.0.0.1:9"], "cannot be read"),
        (["--key", "absent"], "cannot be read"),
        (["--since", "yesterdayish"], "is not a time"),
        (["absent-session"], "absent-session"),
    ],
)
def test_bad_input_is_named_in_one_line(tmp_path, options, says):
    """A wrong option is one line and exit code 4."""
    recorded(tmp_path)
    done = command("verify", *options, cwd=tmp_path)
    assert done.returncode == 4
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_span_file_that_is_none_is_reported(tmp_path):
    """The error names file and line."""
    recorded(tmp_path)
    (tmp_path / "x.jsonl").write_text("{broken\n")
    assert "x.jsonl:1 is not valid OTLP JSON" in command("verify", "--spans", "x.jsonl", cwd=tmp_path).stderr
