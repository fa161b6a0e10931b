"""Defects of the stores that ours are compatible with: each is reproduced by its row in the reference, and gone here."""

import json
import multiprocessing
import subprocess

import pytest

from support.programs import PATIENCE_S, PYTHON
from turnspan import (
    FileSessionStore,
    SessionManager,
    SessionRecord,
    SqlSessionStore,
    TurnRecord,
    UnreadableSessionError,
)
from turnspan.errors import StoreUnavailableError
from turnspan.testing.stores import example_session


@pytest.fixture
def base(tmp_path):
    return tmp_path / "base"


@pytest.fixture
def store(base):
    return FileSessionStore(base)


def test_loading_and_deleting_never_leave_the_base(store, base):
    """A session id with dots and slashes reaches no file outside of the store's folder."""
    outside = base.parent / "secret.json"
    outside.write_text(json.dumps({"session_id": "../secret"}))
    assert store.load_session("../secret") is None
    assert store.delete_session("../secret") is False
    assert outside.exists()


@pytest.mark.parametrize("workspace", ["../../out", "/abs/olute", "..", "a/b"])
def test_saving_never_leaves_the_base(store, base, workspace):
    """A workspace with dots and slashes is kept, in a file inside of the store's folder."""
    store.save_session(SessionRecord("x", workspace_id=workspace))
    written = [path for path in base.parent.rglob("*.json")]
    assert len(written) == 1
    assert base in written[0].parents
    assert store.load_session("x").workspace_id == workspace


def test_listing_never_leaves_the_base(store, base):
    """A workspace with dots lists nothing of the folders beside the store."""
    (base.parent / "other").mkdir()
    (base.parent / "other" / "s.json").write_text("{}")
    assert store.list_sessions("../other") == []


def test_a_write_that_dies_halfway_leaves_the_old_file(store, base, monkeypatch):
    """Where a write fails the session is as it was, and the error says what to do."""
    store.save_session(example_session("s"))
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(StoreUnavailableError, match="free some space"):
        store.save_session(SessionRecord("s"))
    monkeypatch.undo()
    assert store.load_session("s").to_dict() == example_session("s").to_dict()
    assert not [path for path in base.rglob("*.tmp")]


def _record(url, worker, turns):
    from turnspan import open_store

    manager = SessionManager(open_store(url))
    for n in range(turns):
        manager.record_turn("s", TurnRecord(f"{worker}-{n}", prompt="p" * 100))


@pytest.mark.parametrize("kind", ["file", "sqlite"])
def test_4_processes_x_100_turns_on_one_session_are_all_kept_once(kind, tmp_path):
    """Processes that write one session lose and double no turn."""
    url = f"file://{tmp_path}/files" if kind == "file" else f"sqlite:///{tmp_path}/s.db"
    from turnspan import open_store

    SessionManager(open_store(url)).start_session(session_id="s")
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_record, args=(url, n, 100)) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    ids = [turn.turn_id for turn in open_store(url).load_session("s").turns]
    assert len(ids) == 400
    assert set(ids) == {f"{worker}-{n}" for worker in range(4) for n in range(100)}
    for worker in range(4):
        assert [i for i in ids if i.startswith(f"{worker}-")] == [f"{worker}-{n}" for n in range(100)], "in order"


@pytest.mark.parametrize("kind", ["file", "sqlite"])
def test_8_threads_x_100_turns_on_one_session_are_all_kept_once(kind, tmp_path):
    """Threads that write one session lose and double no turn."""
    import threading

    from turnspan import open_store

    store = open_store(f"file://{tmp_path}/files" if kind == "file" else f"sqlite:///{tmp_path}/s.db")
    manager = SessionManager(store)
    manager.start_session(session_id="s")

    def work(worker):
        for n in range(100):
            manager.record_turn("s", TurnRecord(f"{worker}-{n}"))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    ids = [turn.turn_id for turn in store.load_session("s").turns]
    assert sorted(ids) == sorted(f"{worker}-{n}" for worker in range(8) for n in range(100))


def test_a_session_in_two_workspaces_is_one_session(store, base):
    """Files of one id in two workspaces are listed once and deleted together."""
    for workspace in ("w1", "w2"):
        (base / workspace).mkdir()
        (base / workspace / "s.json").write_text(json.dumps({"session_id": "s", "workspace_id": workspace}))
    assert store.list_sessions() == ["s"]
    assert store.delete_session("s") is True
    assert store.load_session("s") is None


@pytest.mark.parametrize(
    "content", ["{", "", "[]", "null", '"text"', '{"messages": [], "session_id": "bad"}', '{"session_id": "other"}']
)
def test_a_corrupt_or_foreign_file_is_reported_and_hides_no_other(store, base, content):
    """The error names the file that cannot be read, and all other sessions are there."""
    store.save_session(example_session("good"))
    (base / "bad.json").write_text(content)
    with pytest.raises(UnreadableSessionError, match=r"bad\.json"):
        store.load_session("bad")
    assert store.load_session("good") is not None
    assert store.list_sessions() == ["bad", "good"]
    assert (base / "bad.json").read_text() == content


def test_recording_over_a_corrupt_file_keeps_it_for_a_person(store, base):
    """A file that cannot be read is set aside, not overwritten."""
    from turnspan.stores.merging import apply
    from turnspan.stores.rows import rows_of_turn

    (base / "s.json").write_text("{")
    apply(store, rows_of_turn("s", TurnRecord("t")))
    assert [turn.turn_id for turn in store.load_session("s").turns] == ["t"]
    assert (base / "s.json.damaged").read_text() == "{"


def test_null_where_a_list_belongs_is_an_empty_list():
    """Records of programs that write null for nothing are read."""
    record = SessionRecord.from_dict({"session_id": "s", "turns": None, "agent_transitions": None, "metadata": None})
    assert (record.turns, record.agent_transitions, record.metadata) == ([], [], {})


def test_temporary_files_are_no_sessions(store, base):
    """A file that a dying process left is not listed."""
    (base / ".s.tmp.json").write_text("{}")
    assert store.list_sessions() == []


def test_the_order_of_a_list_is_defined(tmp_path, store):
    """Files are listed by name, rows by the time they were made."""
    sqlite = SqlSessionStore(f"sqlite:///{tmp_path}/s.db")
    for session_id, created in (("c", "2026-01-01"), ("a", "2026-01-03"), ("b", "2026-01-02")):
        store.save_session(SessionRecord(session_id, created_at=created))
        sqlite.save_session(SessionRecord(session_id, created_at=created))
    assert store.list_sessions() == ["a", "b", "c"]
    assert sqlite.list_sessions() == ["c", "b", "a"]


def test_nan_is_written_as_valid_json(store, base):
    """Any JSON reader can read a session file."""
    from turnspan import ToolCallRecord

    call = ToolCallRecord("c", "f", {1: "int key"}, float("nan"))
    store.save_session(SessionRecord("s", turns=[TurnRecord("t", tool_calls=[call])]))
    data = json.loads((base / "s.json").read_text(), parse_constant=lambda name: pytest.fail(f"bare {name}"))
    assert data["turns"][0]["tool_calls"][0]["result"] == "nan"


def test_a_locked_database_says_so_and_takes_the_write_later(tmp_path):
    """A write that waits too long says who holds it up, and succeeds when the lock is gone."""
    import sqlite3

    path = tmp_path / "s.db"
    store = SqlSessionStore(f"sqlite:///{path}", busy_timeout_ms=50)
    lock = sqlite3.connect(path, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailableError, match=r"s\.db cannot be written: database is locked"):
        store.save_session(SessionRecord("s"))
    lock.execute("COMMIT")
    lock.close()
    store.save_session(SessionRecord("s"))
    assert store.list_sessions() == ["s"]


def test_a_file_that_is_no_database_is_reported(tmp_path):
    """The error names the damage instead of a traceback of SQLite's."""
    (tmp_path / "s.db").write_text("this is no database, and longer than a header of one " * 20)
    with pytest.raises(StoreUnavailableError, match="is not a database, or is damaged"):
        SqlSessionStore(f"sqlite:///{tmp_path}/s.db")


def test_xerxes_and_turnspan_read_each_others_files(base):
    """In both directions, with the real package; run apart because it imports much."""
    pytest.importorskip("xerxes")
    text = f"""
from xerxes.session.models import AgentTransitionRecord, SessionRecord, ToolCallRecord, TurnRecord
from xerxes.session.store import FileSessionStore, SessionManager
import turnspan
from turnspan.testing.stores import example_session
base = {str(base)!r}
theirs, ours = FileSessionStore(base), turnspan.FileSessionStore(base)
ours.save_session(example_session("ours"))
loaded = theirs.load_session("ours")
for key, value in example_session("ours").to_dict().items():
    assert loaded.to_dict()[key] == value, key
manager = SessionManager(theirs)
session = manager.start_session("w", "a", session_id="theirs", metadata={{"k": [1]}})
manager.record_turn("theirs", TurnRecord("t", "a", "p", "r", [ToolCallRecord("c", "f", {{"x": 1}}, "res", "error", "no", 1.5)], "2026-01-01T00:00:00+00:00"))
manager.record_agent_transition("theirs", AgentTransitionRecord("a", "b", "why", "t", "2026-01-01T00:00:00+00:00"))
manager.end_session("theirs")
record = ours.load_session("theirs")
assert record.to_dict() == theirs.load_session("theirs").to_dict(), "every key, also those that only Xerxes has"
ours.save_session(record)
assert theirs.load_session("theirs").to_dict() == record.to_dict()
assert record.metadata["ended"] is True and ours.list_sessions("w") == theirs.list_sessions("w")
observed = turnspan.observe(SessionManager(FileSessionStore(base + "2")))
observed.start_session(session_id="s")
observed.record_turn("s", TurnRecord("t", "a", "p"))
assert len(observed.get_session("s").turns[0].audit_event_ids) == 2
print("ok")
"""
    done = subprocess.run([PYTHON, "-c", text], capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert done.stdout.endswith("ok\n"), done.stderr
