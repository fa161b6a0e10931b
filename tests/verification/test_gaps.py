"""What is not there, and why: gaps are reported, never proven; what was kept elsewhere is no gap."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

import turnspan
from support.breaker import opened
from support.programs import PYTHON, program, run
from support.programs import turnspan as command
from support.samples import unpack
from turnspan import InMemorySessionStore, open_store
from turnspan.events import Noted
from turnspan.maintenance.erase import erase
from turnspan.maintenance.retention import prune
from turnspan.model.ids import now_ns
from turnspan.model.records import iso
from turnspan.recording import runtime
from turnspan.recording.recorder import Recorder
from turnspan.settings import Settings
from turnspan.verification import verify
from verification.conftest import record

BEFORE = Path(__file__).parent / "data" / "version_before.tar.xz"
WORK = """
import turnspan
with turnspan.session("s"), turnspan.turn(agent="a", prompt="p") as turn:
    with turnspan.tool("search", q=1) as call:
        call.result = 2
    turn.response = "r"
"""
OWN_PROVIDER = (
    """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
trace.set_tracer_provider(TracerProvider())
"""
    + WORK
)


def seen(report):
    return {
        check: {verdict: n for verdict, n in counts.items() if verdict != "ok"}
        for check, counts in report.counts.items()
        if set(counts) - {"ok"}
    }


# Nothing to look at -----------------------------------------------------------------------------------------------


def test_nothing_is_not_proven_and_nothing_is_made(tmp_path):
    """Over an empty place there is no verdict, and there is nothing in it afterwards."""
    report = verify(settings=Settings.read(home=tmp_path / "home"))
    assert (report.proven, report.exit_code) == (False, 4)
    assert "nothing is recorded" in report.problem
    done = command("verify", cwd=tmp_path)
    assert done.returncode == 4
    assert "nothing is recorded" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_made_by_the_function_either(tmp_path):
    """``turnspan.verify()`` in a program that has recorded nothing makes no home."""
    text = "import turnspan; report = turnspan.verify(); print(report.proven, report.exit_code)"
    assert run(PYTHON, "-c", text, cwd=tmp_path, check=True).stdout == "False 4\n"
    assert list(tmp_path.iterdir()) == []


def test_a_session_that_is_not_there_is_not_proven(home):
    """Of a session that nobody knows nothing can be said."""
    report = verify("nobody", settings=Settings.read(home=home), spans="none")
    assert (report.proven, report.exit_code) == (False, 4)
    assert "no session nobody" in report.problem


@pytest.mark.parametrize(
    "options", [["--bogus"], ["nobody"], ["--key", "absent"], ["--logs", "http://127.0.0.1:9"], ["--store", "nosql:x"]]
)
def test_what_could_not_be_looked_at_has_a_code_of_its_own(home, options):
    """Usage, an unknown session, no key, no backend, no store: exit code 4, and one line that says so."""
    done = command("verify", "--home", home, *options)
    assert done.returncode == 4
    assert done.stderr.startswith("turnspan: ")


# In a process that runs -------------------------------------------------------------------------------------------


def test_inside_a_recording_it_looks_at_what_is_there(recording):
    """In a test, the spans in memory and the store in memory are looked at, up to where the process is; it is proven."""
    with turnspan.turn(agent="a", prompt="p"), turnspan.tool("t"):
        pass
    report = turnspan.verify()
    assert report.sources["trace"] == "the spans in memory"
    assert report.counts["trace"] == {"ok": 2}
    assert report.counts["log"] == {"ok": 5}
    assert seen(report) == {}
    assert report.proven


def test_a_process_that_runs_looks_at_what_is_there(tmp_path):
    """A program that verifies itself finds its spans in the file, and knows how far its own chain goes."""
    text = WORK + "report = turnspan.verify(); print(report.exit_code, dict(report.counts['trace']))"
    done = run(PYTHON, "-c", "import turnspan; turnspan.configure()" + text, cwd=tmp_path, check=True)
    assert done.stdout == "0 {'ok': 2}\n"


# Journals that wait -----------------------------------------------------------------------------------------------


def killed(folder):
    text = "import os, signal, turnspan\nturnspan.configure()" + WORK + "os.kill(os.getpid(), signal.SIGKILL)"
    assert run(PYTHON, program(folder / "work.py", text), cwd=folder).returncode == -signal.SIGKILL


def test_a_journal_that_waits_is_a_gap(tmp_path):
    """What a dead process left is reported, with what to do; stored, it is whole again."""
    killed(tmp_path)
    done = command("verify", cwd=tmp_path)
    assert done.returncode == 1
    assert "5 events wait in journal" in done.stdout
    assert "turnspan recover" in done.stdout
    command("recover", cwd=tmp_path, env={"TURNSPAN_RESEND": "1"}, check=True)
    assert verify(settings=Settings.read(home=tmp_path / ".turnspan")).proven


def test_a_process_that_died_before_it_had_written_anything_left_nothing_out(home):
    """A segment without its first line is of a process that had observed nothing."""
    journals = home / "journal"
    journals.mkdir(exist_ok=True)
    for suffix in ("journal", "kept"):
        (journals / f"01a215e6c24f792ebac259a4072734f2.000000.{suffix}").touch()
    assert verify(settings=Settings.read(home=home), spans="none").proven


def test_an_event_that_cannot_be_read_costs_itself_alone(home, key):
    """A line that no version understands is named; the rest of the store is looked at as before."""
    from support.breaker import rechain, rows_of

    with opened(home) as db:
        row = rows_of(db, "audit_events", "session_id = 'b' and kind = 'model_call.ended'")[0]
        payload = row["payload"].replace('"status"', '"finish_reasons":[null],"status"')
        payload = payload if "finish_reasons" in payload else payload[:-1] + ',"finish_reasons":[null]}'
        db.execute("update audit_events set payload = ? where event_id = ?", (payload, row["event_id"]))
        rechain(db, row["journal"])
    report = verify(settings=Settings.read(home=home), spans="none", logs="none")
    assert report.exit_code in (2, 3)
    assert any("cannot be read as an event" in finding.says for finding in report.findings)
    assert report.sessions == 3


def test_an_end_that_is_not_there_is_not_pending_unless_somebody_holds_the_journal(home):
    """'Pending' is an excuse: it counts only where a process holds the journal, or has left it."""
    with opened(home) as db:
        journal = db.execute("select max(journal) from audit_events").fetchone()[0]
        db.execute("delete from audit_events where journal = ? and kind = 'noted' and turn_id is null", (journal,))
    report = verify(settings=Settings.read(home=home), spans="none", logs="none")
    assert report.counts["completeness"]["pending"] == 0
    assert report.exit_code > 1


# Kept elsewhere ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("log", ["off", "stderr", "structlog"])
def test_log_lines_that_went_elsewhere_are_not_missing(tmp_path, log):
    """Where log lines go is part of the record; what was not kept here was not looked at, and that is said."""
    path = program(tmp_path / "work.py", "import turnspan\nturnspan.configure()" + WORK)
    run(PYTHON, path, cwd=tmp_path, env={"TURNSPAN_LOG": log}, check=True)
    report = verify(settings=Settings.read(home=tmp_path / ".turnspan"))
    assert report.proven
    assert report.counts["log"] == {"elsewhere": 6}
    (note,) = report.notes
    assert ("--logs" in note) == (log != "off")


def test_spans_of_a_provider_of_ones_own_are_not_missing(tmp_path):
    """A program with its own provider sends its spans where it wants; which option would look is said."""
    run(PYTHON, program(tmp_path / "work.py", OWN_PROVIDER), cwd=tmp_path, check=True)
    report = verify(settings=Settings.read(home=tmp_path / ".turnspan"))
    assert report.proven
    assert report.counts["trace"] == {"elsewhere": 2}
    assert "--spans" in report.notes[0]
    (tmp_path / "empty.jsonl").write_text("")
    named = verify(settings=Settings.read(home=tmp_path / ".turnspan"), spans=str(tmp_path / "empty.jsonl"))
    assert named.counts["trace"] == {"missing": 2}, "who says where they are is taken at their word"


def test_lines_that_are_missing_where_they_were_written_are_still_missing(tmp_path):
    """That lines went to the file in home is no excuse for a file that does not have them."""
    path = program(tmp_path / "work.py", "import turnspan\nturnspan.configure()" + WORK)
    run(PYTHON, path, cwd=tmp_path, check=True)
    (tmp_path / ".turnspan/turnspan.log.jsonl").unlink()
    assert verify(settings=Settings.read(home=tmp_path / ".turnspan")).counts["log"] == {"missing": 6}


# Erased, removed, older -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["erase", "prune"])
def test_after_erasing_and_pruning_nothing_is_missing(tmp_path, key, what):
    """Both go by the record, are signed, and leave nothing unexplained, in the files of home either."""
    made = Settings.read(home=tmp_path / ".turnspan", signing_key=key)
    text, edge = "import turnspan\nturnspan.configure()" + WORK, ""
    for session_id in ("old", "s"):
        path = program(tmp_path / "work.py", text.replace('"s"', repr(session_id)))
        run(PYTHON, path, cwd=tmp_path, env={"TURNSPAN_SIGNING_KEY": key}, check=True)
        edge = edge or iso(now_ns())
    store = open_store(made.store_url)
    if what == "erase":
        erase("old", store, made)
    else:
        assert prune(store, made, edge).sessions == 1
        assert all(removed.signature for removed in store.audit_removed())
    report = verify(settings=made, store=store, key=key)
    assert report.proven, report.findings
    store.close()


def test_what_stays_after_pruning_stays_whole(tmp_path):
    """Spans in one file line with those of a removed session do not go with them."""
    made = Settings.read(home=tmp_path / ".turnspan")
    text = "import turnspan\nturnspan.configure()" + WORK + WORK.replace('"s"', '"old"')
    run(PYTHON, program(tmp_path / "work.py", text), cwd=tmp_path, check=True)
    store = open_store(made.store_url)
    with opened(made.home) as db:
        db.execute("update sessions set updated_at = '2001-01-01T00:00:00.000000+00:00' where session_id = 'old'")
    assert prune(store, made, "2002-01-01T00:00:00+00:00").sessions == 1
    assert "old" not in made.spans_path.read_text()
    report = verify(settings=made, store=store)
    assert report.proven, report.findings
    assert report.counts["trace"] == {"ok": 2}
    store.close()


def test_stores_of_the_version_before_are_proven(tmp_path):
    """Chains without links and closing seals, an old erasure, kept journals: read and verified as they were."""
    unpack(BEFORE, tmp_path)
    made = Settings.read(home=tmp_path / ".turnspan")
    report = verify(settings=made, key=str(tmp_path / "key"))
    assert report.proven, report.findings
    assert report.erased == 20
    with opened(made.home) as db:
        db.execute("update turns set response_content = 'other' where session_id = 'a'")
    assert verify(settings=made, key=str(tmp_path / "key")).exit_code == 2


def test_a_chain_of_today_names_those_of_the_version_before(tmp_path):
    """Chains are linked from the first one on that a process of this version writes."""
    unpack(BEFORE, tmp_path)
    key = str(tmp_path / "key")
    made = record(tmp_path / ".turnspan", sessions=("new",), processes=1, signing_key=key)
    assert verify(settings=made, key=key, spans="none").proven
    with opened(made.home) as db:
        first = db.execute("select min(journal) from audit_events").fetchone()[0]
        db.execute("delete from audit_events where journal = ?", (first,))
    report = verify(settings=made, key=key, spans="none", logs="none")
    assert any(f"of journal {first} is not there" in finding.says for finding in report.findings)


def test_a_mixed_store_of_memory_is_linked_too():
    """Every store that keeps audit rows links its chains."""
    store = InMemorySessionStore()
    recorders = []
    for _ in range(2):
        recorder = Recorder(Settings.read(home=Path(os.devnull) / "x", log="off"), store)
        before = runtime.use(recorder)
        with turnspan.session("s"), turnspan.turn(prompt="p"):
            pass
        runtime.use(before)
        recorder.close()
        recorders.append(recorder)
    seals = [json.loads(row.payload)["data"] for row in store.audit_events("s") if '"seal"' in row.payload]
    assert len(seals) == 2
    assert sum(bool(seal.get("before")) for seal in seals) == 1


def test_the_command_is_quiet_about_processes_that_live(tmp_path):
    """A waiting journal of a process that runs is held, and pending."""
    text = "import turnspan\nturnspan.configure()" + WORK + "turnspan.flush(); print('there', flush=True); input()"
    path = program(tmp_path / "work.py", text)
    worker = subprocess.Popen([PYTHON, path], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    worker.stdout.readline()
    done = command("verify", cwd=tmp_path)
    worker.communicate("\n")
    assert done.returncode == 1
    assert "its process still runs" in done.stdout
    assert command("verify", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(("turns", "kept"), [(100, True), (600, False)])
def test_what_comes_late_is_judged_as_it_was_recorded(tmp_path, turns, kept):
    """A note behind its turn's end is put into the turn for some lines, whatever other sessions did meanwhile: proven."""
    made = Settings.read(home=tmp_path / "home")
    turnspan.configure(home=made.home, telemetry=False)
    with turnspan.session("s"), turnspan.turn(agent="a", prompt="x") as ended:
        pass
    for number in range(turns):
        with turnspan.session(f"other-{number % 4}"), turnspan.turn(agent="a", prompt="x"):
            pass
    runtime.recorder().emit(Noted(session_id="s", turn_id=ended.id, name="feedback", data={"good": True}))
    turnspan.shutdown()
    assert verify(settings=made).proven
    (turn,) = turnspan.get("s", home=made.home).turns
    assert ("notes" in turn.metadata["turnspan"]) == kept
