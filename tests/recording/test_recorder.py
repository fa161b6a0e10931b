"""The one door: nothing of ours reaches the agent, and nothing observed is lost."""

import gc
import os
import threading
import time

import pytest

import turnspan
from turnspan import InMemorySessionStore
from turnspan.events import (
    AgentStarted,
    ModelCallStarted,
    Noted,
    ToolCallEnded,
    ToolCallStarted,
    TurnEnded,
    TurnStarted,
)
from turnspan.journal.live import Journal
from turnspan.recording import runtime
from turnspan.recording.recorder import Recorder
from turnspan.recording.session_counts import IDLE_S
from turnspan.settings import Settings
from turnspan.testing import record

IDS = {"session_id": "s", "turn_id": "t"}


def test_what_nobody_ends_is_cancelled_with_its_turn(recording):
    """When a turn ends, what is still open inside of it is cancelled, children first."""
    emit = recording.recorder.emit
    emit(TurnStarted(**IDS))
    emit(AgentStarted(**IDS, call_id="a", agent_id="x"))
    emit(ToolCallStarted(**IDS, call_id="c", parent_id="a", tool_name="f"))
    emit(ModelCallStarted(**IDS, call_id="m", parent_id="a"))
    emit(TurnEnded(**IDS))
    turn = recording.turn
    ours = turn.metadata["turnspan"]
    assert turn.status == "success"
    assert [turn.tool_calls[0].status, ours["agents"][0]["status"], ours["model_calls"][0]["status"]] == [
        "cancelled"
    ] * 3
    assert turn.tool_calls[0].error == "its turn ended first"
    assert len(recording.spans) == 4
    assert recording.unresolved() == []


def test_ends_are_reported_once(recording):
    """A second end of a call or a turn changes nothing."""
    emit = recording.recorder.emit
    emit(TurnStarted(**IDS))
    emit(ToolCallStarted(**IDS, call_id="c", tool_name="f"))
    for n in range(3):
        emit(ToolCallEnded(**IDS, call_id="c", result=n))
    for _ in range(3):
        emit(TurnEnded(**IDS))
    assert len(recording.turn.audit_event_ids) == 4
    assert recording.turn.tool_calls[0].result == 0
    assert len(recording.spans) == 2


def test_the_same_call_id_twice_is_two_calls(recording):
    """Runtimes use call ids again; both calls are kept, each with its own arguments and result."""
    emit = recording.recorder.emit
    emit(TurnStarted(**IDS))
    for n in range(2):
        emit(ToolCallStarted(**IDS, call_id="c", tool_name="f", arguments={"n": n}))
        emit(ToolCallEnded(**IDS, call_id="c", result=n))
    emit(TurnEnded(**IDS))
    assert [(call.call_id, call.result) for call in recording.turn.tool_calls] == [("c", 0), ("c", 1)]


def test_late_fields_win(recording):
    """What is known only at the end replaces what was said at the start."""
    emit = recording.recorder.emit
    emit(TurnStarted(**IDS, prompt=""))
    emit(ToolCallStarted(**IDS, call_id="c", tool_name="f"))
    emit(ToolCallEnded(**IDS, call_id="c", arguments='{"late": 1}'))
    emit(TurnEnded(**IDS, prompt="late", agent_id="late"))
    assert (recording.turn.prompt, recording.turn.agent_id) == ("late", "late")
    assert recording.turn.tool_calls[0].arguments == {"late": 1}


def test_an_exception_of_ours_never_reaches_the_agent_and_is_reported_once(caplog):
    """A failure of turnspan's own is logged once, counted each time, and kept from the program."""
    with record(strict=False) as recording:
        recording.recorder._spans.start = lambda *_, **__: 1 / 0
        for n in range(3):
            with turnspan.turn(prompt=n):
                pass
        assert recording.problems == {"recorder: ZeroDivisionError": 3}
    assert caplog.text.count("turnspan recorder failed, the agent goes on") == 1


def test_strict_raises(recording):
    """In tests a failure of turnspan's own is raised."""
    recording.recorder._spans.start = lambda *_, **__: 1 / 0
    with pytest.raises(ZeroDivisionError), turnspan.turn():
        pass


def test_a_structlog_pipeline_that_fails_loses_nothing():
    """A broken log pipeline of the program costs log lines, not the record."""
    with record(strict=False, log="structlog") as recording:
        recording.recorder.pipeline._app_log.write = lambda *_: 1 / 0
        with turnspan.turn(prompt="p"):
            pass
        assert recording.turn.prompt == "p"
        assert recording.problems == {"structlog: ZeroDivisionError": 3}


def test_the_applications_structlog_gets_the_lines():
    """With TURNSPAN_LOG=structlog events go through the program's own processors."""
    import structlog

    with (
        structlog.testing.capture_logs() as lines,
        record(log="structlog"),
        turnspan.session("s"),
        turnspan.turn(agent="a"),
        turnspan.tool("t"),
    ):
        pass
    assert [line["event"] for line in lines] == [
        "session.started",
        "turn.started",
        "tool_call.started",
        "tool_call.ended",
        "turn.ended",
        "noted",  # the seal
    ]
    assert all(line["audit_event_id"] for line in lines)


def test_a_session_that_ended_or_is_idle_is_sealed_while_the_process_goes_on(recording, monkeypatch):
    """A long-lived process can be proven without being stopped."""
    clock = [0.0]
    monkeypatch.setattr("turnspan.recording.session_counts.monotonic", lambda: clock[0])

    def seals(count):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            recording.recorder.flush()
            found = sorted(line["session_id"] for line in recording.log if "seal" in line)
            if len(found) >= count:
                break
        return found

    for name in ("ended", "idle", "busy"):
        with turnspan.session(name) as session, turnspan.turn():
            pass
        if name == "ended":
            session.end()
    assert seals(1) == ["ended"]
    clock[0] = IDLE_S / 2
    with turnspan.session("busy"), turnspan.turn():
        pass
    recording.recorder.flush()
    clock[0] = IDLE_S + 1
    assert seals(2) == ["ended", "idle"]
    report = turnspan.verify("idle", store=recording.store, spans="none")
    assert report.proven, report.findings


class AwayStore(InMemorySessionStore):
    away = True
    calls = 0

    def apply(self, changes):
        self.calls += 1
        if self.away:
            raise OSError("away")
        super().apply(changes)


def test_a_store_that_is_away_gets_everything_later_in_order(tmp_path, caplog):
    """The agent does not wait for a store that is away, and nothing is lost or out of order when it is back."""
    store = AwayStore()
    recorder = Recorder(Settings.read(home=tmp_path), store)
    for n in range(50):
        started = time.perf_counter()
        recorder.emit(TurnStarted(session_id="s", turn_id=f"t{n}", prompt=str(n)))
        recorder.emit(TurnEnded(session_id="s", turn_id=f"t{n}"))
        assert time.perf_counter() - started < 5, "the agent does not wait"
    assert recorder.flush(0.5) is False
    store.away = False
    assert recorder.flush(10) is True
    assert [turn.prompt for turn in store.load_session("s").turns] == [str(n) for n in range(50)]
    assert recorder.problems.counts["store: OSError"] > 1
    assert caplog.text.count("turnspan store failed") == 1
    recorder.close()
    assert not list((tmp_path / "journal").iterdir())


def test_what_cannot_be_stored_at_the_end_waits_for_the_next_start(tmp_path, caplog):
    """A process that ends without its store says so, and the next one stores what it left."""
    away = AwayStore()
    recorder = Recorder(Settings.read(home=tmp_path), away)
    recorder.emit(TurnStarted(session_id="s", turn_id="t", prompt="kept"))
    recorder.close(0.3)
    assert "wait in" in caplog.text and "stored at the next start" in caplog.text
    store = InMemorySessionStore()
    later = Recorder(Settings.read(home=tmp_path), store)
    later.emit(Noted(session_id="other", name="wakes the writer"))
    assert later.flush(10)
    (turn,) = store.load_session("s").turns
    assert (turn.prompt, turn.status) == ("kept", "cancelled")
    later.close()


def test_reading_through_the_journal_on_disk_when_the_writer_falls_behind(tmp_path, monkeypatch):
    """A writer that is far behind reads from disk, and stores every turn once."""
    monkeypatch.setattr("turnspan.journal.live.MEMORY_LINES", 10)
    store = AwayStore()
    recorder = Recorder(Settings.read(home=tmp_path), store)
    for n in range(200):
        recorder.emit(TurnStarted(session_id="s", turn_id=f"t{n}", prompt=str(n)))
        recorder.emit(TurnEnded(session_id="s", turn_id=f"t{n}"))
    store.away = False
    assert recorder.flush(20)
    assert [turn.prompt for turn in store.load_session("s").turns] == [str(n) for n in range(200)]
    recorder.close()


def test_a_finalizer_in_the_middle_of_an_emit_does_not_deadlock(recording):
    """The garbage collector may close a watched generator at any allocation, also of our own."""

    @turnspan.tool
    def stream():
        yield 1
        yield 2

    with turnspan.turn():
        for _ in range(300):
            abandoned = stream()
            next(abandoned)
            cycle = [abandoned]
            cycle.append(cycle)
            del abandoned, cycle
        gc.collect()
    assert len(recording.turn.tool_calls) == 300


def test_turns_that_begin_while_the_sdk_is_set_up_wait_for_it(tmp_path):
    """The first turns of a program's threads have spans, all of them."""
    recorder, ready, order = Recorder(Settings.read(home=tmp_path), InMemorySessionStore()), threading.Event(), []

    def prepare():
        ready.set()
        time.sleep(0.2)
        order.append("set up")

    def second():
        ready.wait(10)
        recorder.emit(TurnStarted(session_id="s", turn_id="two"))
        order.append("second turn")

    recorder.before_first_turn(prepare)
    thread = threading.Thread(target=second)
    thread.start()
    recorder.emit(TurnStarted(session_id="s", turn_id="one"))
    thread.join(10)
    recorder.close()
    assert order == ["set up", "second turn"]


def test_memory_does_not_grow_with_finished_turns(recording):
    """Nothing of a turn is kept in memory once it has ended and is stored."""
    recorder = recording.recorder

    def sizes():
        return (
            len(recorder.turns.open),
            len(recorder.turns._finished),
            len(recorder.pipeline.writer._ledger._open),
            len(recorder.pipeline.writer._ledger._late),
        )

    for n in range(600):
        recorder.emit(TurnStarted(session_id=f"s{n % 3}", turn_id=f"t{n}"))
        recorder.emit(TurnEnded(session_id=f"s{n % 3}", turn_id=f"t{n}"))
    recorder.flush()
    first = sizes()
    assert first == (0, 256, 0, 513)  # those that ended at most 1,024 lines ago
    for n in range(600):
        recorder.emit(TurnStarted(session_id=f"s{n % 3}", turn_id=f"u{n}"))
        recorder.emit(TurnEnded(session_id=f"s{n % 3}", turn_id=f"u{n}"))
    recorder.flush()
    assert sizes() == first


def test_content_none_keeps_the_shape_and_leaves_the_words_out():
    """With capture_content none neither record nor spans have a word of content, and the calls are still there."""
    with record(capture_content="none") as recording:
        with turnspan.turn(agent="a", prompt="secret prompt") as turn, turnspan.tool("f", secret="argument") as call:
            call.result = "secret result"
            turn.response = "secret answer"
        assert "secret" not in str(recording.session.to_dict())
        assert "secret" not in str([dict(span.attributes) for span in recording.spans])
        assert recording.turn.tool_calls[0].tool_name == "f"
        assert len(recording.turn.audit_event_ids) == 4


def test_content_stays_off_spans_unless_asked_for():
    """Spans have content only when OpenTelemetry's own variable asks for it."""

    def attributes(**settings):
        with record(**settings) as recording:
            with turnspan.turn(agent="a", prompt="the prompt") as turn:
                with turnspan.tool("f", q="the argument") as call:
                    call.result = {"r": "the result"}
                turn.response = "the answer"
            return " ".join(str(dict(span.attributes)) for span in recording.spans)

    assert "the " not in attributes()
    shown = attributes(telemetry_content="SPAN_ONLY")
    assert all(words in shown for words in ("the prompt", "the argument", "the result", "the answer"))


def test_a_fork_with_open_turns_ends_them_once(tmp_path):
    """A child that inherits an open turn does not end it a second time."""
    store = turnspan.FileSessionStore(tmp_path / "files")
    recorder = Recorder(Settings.read(home=tmp_path / "home"), store)
    before = runtime.use(recorder)
    try:
        with turnspan.session("s"), turnspan.turn(turn_id="t", prompt="p") as turn:
            pid = os.fork()
            if pid == 0:
                with turnspan.tool("in the child"):
                    pass
                recorder.close()
                os._exit(0)
            assert os.waitpid(pid, 0)[1] == 0
            turn.response = "parent"
        recorder.flush()
        (stored,) = store.load_session("s").turns
        assert (stored.status, stored.response_content) == ("success", "parent")
        assert [call.tool_name for call in stored.tool_calls] == ["in the child"]
    finally:
        runtime.use(before)
        recorder.close()


def test_emitting_from_many_threads_keeps_the_chain(tmp_path):
    """Each line is chained to the one before it, whichever thread wrote them."""
    from turnspan.journal.hash_chain import decode, line_hash
    from turnspan.journal.segments import read_segment, segments_of

    recorder = Recorder(Settings.read(home=tmp_path, store="memory:"), AwayStore())
    threads = [
        threading.Thread(target=lambda: [recorder.emit(Noted(session_id="s", name="n")) for _ in range(200)])
        for _ in range(8)
    ]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    (path,) = segments_of(tmp_path / "journal", recorder.pipeline.journal.id)
    lines = read_segment(path, limit=10**8)[0]
    assert [line.sequence for line in lines] == list(range(1, 1601))
    for one, two in zip(lines, lines[1:], strict=False):
        assert two.previous == line_hash(recorder.pipeline.journal.id, one.head, decode(one.payload))
    recorder.pipeline._store.away = False
    recorder.close()


def test_a_read_only_store_is_reported_and_loses_nothing(tmp_path, caplog):
    """Where the store takes no writes a warning says so, and the events wait."""
    path = tmp_path / "s.db"
    turnspan.SqlSessionStore(f"sqlite:///{path}").close()
    read_only = f"sqlite:///file:{path}?mode=ro&uri=true"
    recorder = Recorder(Settings.read(home=tmp_path / "home", store=read_only))
    recorder.emit(TurnStarted(session_id="s", turn_id="t", prompt="kept"))
    recorder.emit(TurnEnded(session_id="s", turn_id="t"))
    assert recorder.flush(0.5) is False
    recorder.close(0.2)
    assert "attempt to write a readonly database" in caplog.text
    (waiting,) = (tmp_path / "home/journal").glob("*.journal")
    assert b'"prompt":"kept"' in waiting.read_bytes()
    assert turnspan.SqlSessionStore(read_only).list_sessions() == [], "it can be read"


def test_a_journal_that_cannot_be_stored_keeps_no_other_from_it(tmp_path, caplog):
    """One dead journal whose store is gone does not hold up the others."""
    (tmp_path / "file").write_text("not a folder")
    for n, url in enumerate((f"sqlite:///{tmp_path}/file/s.db", "memory:", "")):
        journal = Journal(tmp_path / "journal", store=url)
        journal.append(TurnStarted(session_id=f"s{n}", turn_id="t"), None)
        journal.close(confirmed=False)
    store = InMemorySessionStore()
    recorder = Recorder(Settings.read(home=tmp_path), store)
    recorder.emit(TurnStarted(session_id="mine", turn_id="t"))
    assert recorder.flush(10)
    assert set(store.list_sessions()) == {"mine", "s1", "s2"}
    assert "of a dead process waits" in caplog.text
    assert len(list((tmp_path / "journal").glob("*.lock"))) == 2, "the one that waits, and our own"
    recorder.close()


def test_a_result_of_50_megabytes_is_recorded_whole(recording):
    """Large results are stored to the last character."""
    with turnspan.turn(), turnspan.tool("big") as call:
        call.result = "x" * 50_000_000
    assert len(recording.turn.tool_calls[0].result) == 50_000_000


def test_odd_results_are_recorded(recording):
    """Bytes, sets, cycles and objects without JSON are on record in some readable form."""
    cycle = []
    cycle.append(cycle)
    for value in (b"bytes", {1, 2}, float("nan"), object(), cycle, "\ud800", {("a",): 1}):
        with turnspan.turn(), turnspan.tool("odd", value=value) as call:
            call.result = value
    results = [turn.tool_calls[0].result for session in recording.sessions for turn in session.turns]
    assert results[0] == "Ynl0ZXM=" and results[2] == "nan" and results[4] == ["<cycle>"] and results[5] == "\\ud800"
    assert len(results) == 7
    assert recording.unresolved() == []


def test_metadata_under_our_key_that_is_none_of_ours_harms_nothing(recording):
    """A program that uses the key ``turnspan`` in its own metadata is recorded as any other."""
    with turnspan.session("s", metadata={"turnspan": "theirs"}), turnspan.turn(metadata={"turnspan": 1}):
        pass
    assert recording.turn.status == "success"
    assert recording.problems == {}


def test_a_seal_says_where_spans_and_log_lines_went(tmp_path):
    """What went elsewhere is not called missing: verification reads from the seal where to look."""
    with record(home=tmp_path, log="off") as recording:
        with turnspan.session("s") as session, turnspan.turn():
            pass
        session.end()
        recording.recorder.flush()
        recording.recorder.flush()
        (seal,) = recording.session.metadata["turnspan"]["seals"].values()
    assert seal["outlets"]["log"] == ["off"]


def test_the_writer_seals_an_ended_session_by_itself():
    """A session is sealed with the batch that ends it: nobody has to wait for the end of the process."""
    with record() as recording:
        with turnspan.session("s") as session, turnspan.turn():
            pass
        session.end()
        recording.recorder.pipeline.flush(5)
        while recording.recorder.pipeline.writer.step():
            pass
        assert [line["event"] for line in recording.log][-2:] == ["session.ended", "noted"]
