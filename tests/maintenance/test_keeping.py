"""Erasing content, removing what is old, and making a store again: the proof stays."""

import json
import sqlite3
import time

import pytest

import turnspan
from support.programs import PYTHON, program, run
from support.programs import turnspan as command
from turnspan import FileSessionStore, InMemorySessionStore, open_store
from turnspan.errors import SessionNotFoundError, TurnspanError
from turnspan.events import Noted, SessionStarted
from turnspan.maintenance.erase import erase
from turnspan.maintenance.rebuild import lines_of_journals, lines_of_store, rebuild
from turnspan.maintenance.retention import prune, shrink
from turnspan.model.json_values import encode
from turnspan.recording import runtime
from turnspan.recording.recorder import Recorder
from turnspan.settings import Settings
from turnspan.verification import verify

PRIVATE = "Alice-Example-1985"
WORK = f"""
import turnspan
turnspan.configure()
for name in ("hers", "other"):
    said = {PRIVATE!r} if name == "hers" else "nothing of note"
    with turnspan.session(name, metadata={{"customer": said}}), turnspan.turn(agent="a", prompt=said) as turn:
        try:
            with turnspan.tool("t", who=said) as call:
                raise ValueError(f"{{said}} is unknown")
        except ValueError:
            pass
        with turnspan.tool("good", who=said) as call:
            call.result = {{"about": said}}
        with turnspan.model_call("m", messages=[{{"role": "user", "content": said}}]) as call:
            call.output = said
        turn.note("feedback", said)
        turn.handoff("b", reason=said)
        turn.response = said
"""
ENV = {"TURNSPAN_KEEP_JOURNAL": "1", "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_AND_EVENT"}


@pytest.fixture
def made(tmp_path):
    run(PYTHON, program(tmp_path / "work.py", WORK), cwd=tmp_path, env=ENV, check=True)
    (tmp_path / "work.py").unlink()
    return Settings.read(home=tmp_path / ".turnspan")


def files_with(home, text):
    return [path.name for path in home.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def test_erasing_takes_every_trace_of_content_out_and_keeps_the_proof(made):
    """Behind an erasure no file has the content, other sessions keep theirs, and verify still proves the rest."""
    assert len(files_with(made.home, PRIVATE)) == 4  # database, spans, log, journal
    before = open_store(made.store_url).load_session("hers")
    done = json.loads(command("erase", "hers", "--yes", "--json", "--home", made.home, check=True).stdout)
    assert (done["events"], done["turns"], len(done["files"])) == (13, 1, 3)
    assert files_with(made.home, PRIVATE) == []
    assert files_with(made.home, "nothing of note") != [], "the other session keeps its content"
    report = verify(settings=made)
    assert report.proven, report.findings
    assert report.erased == 12
    after = open_store(made.store_url).load_session("hers")
    assert [t.audit_event_ids for t in after.turns] == [t.audit_event_ids for t in before.turns]
    assert [(c.tool_name, c.status, c.duration_ms) for c in after.turns[0].tool_calls] == [
        (c.tool_name, c.status, c.duration_ms) for c in before.turns[0].tool_calls
    ]
    assert command("show", "hers", "--home", made.home, check=True).stdout.count("tool call") == 2


def test_erasing_takes_out_what_cannot_be_read_as_well(tmp_path):
    """An event that no version understands loses its content in the store and in kept journals; what is left is vouched for."""
    made = Settings.read(home=tmp_path / "home", keep_journal=True)
    recorder = Recorder(made)
    odd = Noted(session_id="hers", name="odd", data=PRIVATE)
    recorder.record([SessionStarted(session_id="hers")])
    recorder.pipeline.journal.append(odd, None, encode(odd).replace(b'"name":"odd"', b'"name":["odd"]'))
    recorder.close()
    assert len(files_with(made.home, PRIVATE)) == 2, "the store and the kept journal"
    store = open_store(made.store_url)
    erase("hers", store, made)
    assert files_with(made.home, PRIVATE) == []
    (kept,) = (row for row in store.audit_events("hers") if row.event_id == odd.event_id)
    assert json.loads(kept.payload)["event_id"] == odd.event_id and "name" not in json.loads(kept.payload)
    report = verify(settings=made, spans="none", logs="none")
    assert report.proven, report.findings
    store.rewrite_payloads("hers", {odd.event_id: kept.payload.replace("noted", "Noted")})
    assert verify(settings=made, spans="none", logs="none").exit_code == 3, "nothing else can stand there"


def test_what_is_altered_in_the_shadow_of_an_erasure_is_named(made):
    """An erasure excuses exactly what it took out, and no other change."""
    erase("hers", open_store(made.store_url), made)
    with sqlite3.connect(made.home / "sessions.db") as db:
        changed = db.execute(
            "update audit_events set payload = replace(payload, 'good', 'evil') where session_id = 'hers' and kind = 'tool_call.started'"
            " and payload like '%good%'"
        )
        assert changed.rowcount == 1
    db.close()
    assert verify(settings=made).exit_code == 3


def test_erasing_twice_is_as_good_as_once(made):
    """A second erasure changes nothing and breaks nothing."""
    store = open_store(made.store_url)
    erase("hers", store, made)
    erase("hers", store, made)
    assert verify(settings=made).proven


@pytest.mark.parametrize("kind", ["file", "memory"])
def test_other_stores_erase_too(tmp_path, kind):
    """Files and memory lose the content as a database does."""
    store = FileSessionStore(tmp_path / "files") if kind == "file" else InMemorySessionStore()
    made = Settings.read(home=tmp_path / "home", strict=True)
    recorder = Recorder(made, store)
    before = runtime.use(recorder)
    with turnspan.session("hers"), turnspan.turn(prompt=PRIVATE), turnspan.tool("t", who=PRIVATE):
        pass
    runtime.use(before)
    recorder.close()
    erase("hers", store, made)
    assert PRIVATE not in json.dumps(store.load_session("hers").to_dict())
    assert files_with(tmp_path, PRIVATE) == []
    assert verify(settings=made, store=store, spans="none").proven


def test_a_running_process_is_not_erased_under(tmp_path):
    """A session that a living process may still write is refused."""
    made = Settings.read(home=tmp_path / "home", strict=True)
    recorder = Recorder(made)
    before = runtime.use(recorder)
    try:
        with turnspan.session("hers"), turnspan.turn(prompt="p"):
            pass
        recorder.flush()
        with pytest.raises(TurnspanError, match="a running process holds"):
            erase("hers", open_store(made.store_url), made)
    finally:
        runtime.use(before)
        recorder.close()
    with pytest.raises(SessionNotFoundError):
        erase("nobody", open_store(made.store_url), made)


def test_it_asks_first(made):
    """Without an answer nothing is erased."""
    done = command("erase", "hers", "--home", made.home, stdin=-3)
    assert done.returncode == 4
    assert files_with(made.home, PRIVATE)


# Rebuilding ------------------------------------------------------------------------------------------------------


def same(one, two):
    return {i: one.load_session(i).to_dict() for i in one.list_sessions()} == {
        i: two.load_session(i).to_dict() for i in two.list_sessions()
    }


@pytest.mark.parametrize("target", ["sqlite:///{}/again.db", "file:///{}/again"])
def test_a_store_is_made_again_of_kept_journals(made, tmp_path, target):
    """Kept journals alone give the same store again, in each kind of store, and twice is once."""
    url = target.format(tmp_path)
    done = command("rebuild", "--store", url, "--home", made.home, check=True)
    assert "into 2 sessions" in done.stdout
    assert same(open_store(made.store_url), open_store(url))
    command("rebuild", "--store", url, "--home", made.home, check=True)
    assert same(open_store(made.store_url), open_store(url)), "twice is once"
    assert verify(settings=made, store=open_store(url)).proven


def test_a_store_that_was_tampered_with_is_made_again_of_its_audit_rows(made, tmp_path):
    """Rows that were forged are made right again from the audit rows, which prove themselves."""
    original = open_store(made.store_url)
    forged = original.load_session("hers")
    forged.turns[0].response_content = "forged"
    original.save_session(forged)
    assert verify(settings=made).exit_code == 2
    again = open_store(f"sqlite:///{tmp_path}/again.db")
    assert rebuild(lines_of_store(original), again) > 20
    assert verify(settings=made, store=again).proven
    assert again.load_session("hers").turns[0].response_content == PRIVATE


def test_journals_of_several_processes_are_folded_in_order_of_time(tmp_path):
    """A session that several processes wrote has its turns in the order in which they happened."""
    text = "import sys, turnspan\nturnspan.configure()\nwith turnspan.session('s'), turnspan.turn(prompt=sys.argv[1]): pass"
    path = program(tmp_path / "p.py", text)
    for n in range(5):
        run(PYTHON, path, str(n), cwd=tmp_path, env={"TURNSPAN_KEEP_JOURNAL": "1"}, check=True)
    store = InMemorySessionStore()
    rebuild(lines_of_journals(tmp_path / ".turnspan/journal"), store)
    assert [turn.prompt for turn in store.load_session("s").turns] == list("01234")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--store", "sqlite:///x.db"], "no journals"),
        (["--store", "sqlite:///x.db", "--of", "sqlite:///x.db"], "not rebuilt in place"),
        (["--store", "mongodb://x"], "is not a store URL that turnspan knows"),
    ],
)
def test_bad_input_to_rebuild_is_reported(tmp_path, options, says):
    """A wrong option is one line and exit code 4."""
    (tmp_path / ".turnspan/journal").mkdir(parents=True)
    if "mongodb" in options[1]:
        (tmp_path / ".turnspan/journal/x").touch()
    done = command("rebuild", *options, cwd=tmp_path)
    assert done.returncode == 4
    assert says in done.stderr


# Housekeeping ----------------------------------------------------------------------------------------------------


def record_session(made, name, text="x"):
    recorder = Recorder(made)
    before = runtime.use(recorder)
    with turnspan.session(name), turnspan.turn(prompt=text):
        pass
    runtime.use(before)
    recorder.close()


def test_old_sessions_go_and_what_is_left_is_explained(tmp_path):
    """What retention removes is gone everywhere, and verify says removed, not missing."""
    made = Settings.read(home=tmp_path / "home", strict=True, keep_journal=True)
    record_session(made, "old")
    time.sleep(0.02)
    from turnspan.model.ids import now_ns
    from turnspan.model.records import iso

    edge = iso(now_ns())
    record_session(made, "new")
    store = open_store(made.store_url)
    assert prune(store, made, edge, dry_run=True).sessions == 1
    done = prune(store, made, edge)
    assert (done.sessions, done.lines, done.journals) == (1, 4, 1)
    assert store.list_sessions() == ["new"]
    assert "old" not in made.log_path.read_text()
    assert verify(settings=made, spans="none").proven


def test_home_is_kept_below_a_size(tmp_path):
    """The oldest sessions go until home is as small as wanted, and no more of them."""
    made = Settings.read(home=tmp_path / "home", strict=True)
    for n in range(12):
        record_session(made, f"s-{n:02}", "x" * 300_000)
    store = open_store(made.store_url)
    done = shrink(store, made, 2_500_000)
    assert 6 <= done.sessions < 12
    assert sum(path.stat().st_size for path in made.home.rglob("*") if path.is_file()) <= 2_500_000
    assert store.list_sessions()[-1] == "s-11"
    assert verify(settings=made, spans="none").exit_code <= 1


def test_the_prune_command(made):
    """A dry run removes nothing; the real one removes content and says how much."""
    assert command("prune", "--older-than", "1h", "--dry-run", "--home", made.home, check=True).stdout == (
        "0 sessions would be removed\n"
    )
    done = json.loads(command("prune", "--older-than", "0s", "--json", "--home", made.home, check=True).stdout)
    assert done["sessions"] == 2
    assert files_with(made.home, PRIVATE) == []
    assert command("prune", "--home", made.home).returncode == 4
