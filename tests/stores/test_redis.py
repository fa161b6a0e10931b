"""Redis: many writers in one session, expiry, and a server that goes away."""

import subprocess
import time

import pytest

import turnspan
from support import servers
from support.programs import PATIENCE_S, PYTHON
from turnspan import SessionRecord, StoreUnavailableError, TurnRecord
from turnspan.errors import MissingExtraError, SettingsError
from turnspan.reading.pages import summaries
from turnspan.stores import open_store
from turnspan.stores.base import SessionFilter

WORK = """
import sys
import turnspan
from turnspan.recording import runtime
from turnspan.events import *
turnspan.configure(home=f"home-{sys.argv[1]}")
emit = runtime.recorder().emit
for n in range(100):
    ids = {"session_id": "s", "turn_id": f"t-{sys.argv[1]}-{n:03}"}
    emit(TurnStarted(**ids, prompt=str(n)))
    emit(ToolCallStarted(**ids, call_id="c", tool_name="f", arguments={"n": n}))
    emit(ToolCallEnded(**ids, call_id="c", result=n))
    emit(TurnEnded(**ids))
assert turnspan.flush(300)  # the end of a process waits five seconds, and leaves the rest to recovery
"""


@pytest.mark.parametrize("kind", ["redis_url", "redis_cluster_url"])
def test_processes_in_one_session_lose_nothing_and_double_nothing(kind, request, tmp_path):
    """Four processes in one session keep every turn once."""
    url = request.getfixturevalue(kind)
    environment = turnspan.environment() | {"TURNSPAN_STORE": url, "TURNSPAN_LOG": "off"}
    at_once = [subprocess.Popen([PYTHON, "-c", WORK, str(n)], cwd=tmp_path, env=environment) for n in range(4)]
    assert [one.wait(PATIENCE_S) for one in at_once] == [0] * 4
    store = open_store(url)
    turns = store.load_session("s").turns
    assert sorted(turn.turn_id for turn in turns) == [f"t-{n}-{i:03}" for n in range(4) for i in range(100)]
    for n in range(4):
        mine = [turn.turn_id for turn in turns if turn.turn_id.startswith(f"t-{n}-")]
        assert mine == sorted(mine)
    assert all((turn.status, len(turn.tool_calls), len(turn.audit_event_ids)) == ("success", 1, 4) for turn in turns)
    rows = store.audit_events("s")
    assert len({row.event_id for row in rows if row.turn_id}) == 1600
    store.close()


def test_a_server_that_comes_back_has_what_was_kept(tmp_path):
    """While the server is away the error says so; back again it is used without a restart."""
    server = servers.Redis(tmp_path)
    server.start()
    store = open_store(server.url)
    store.save_session(SessionRecord("s", turns=[TurnRecord("t")]))
    server.kill()
    with pytest.raises(StoreUnavailableError, match="cannot be used"):
        store.load_session("s")
    server.start()
    assert [turn.turn_id for turn in store.load_session("s").turns] == ["t"]
    store.close()
    server.stop()


def test_sessions_expire_when_they_are_not_used(redis_url):
    """With expire_days an unused session goes, and takes its place in lists along."""
    store = open_store(f"{redis_url}?expire_days=0.00002")  # 1.7 seconds, so one
    store.save_session(SessionRecord("old", "w"))
    assert store.list_sessions("w") == ["old"]
    time.sleep(2.1)
    store.save_session(SessionRecord("new", "w"))
    assert store.load_session("old") is None
    assert (store.list_sessions("w"), store.list_sessions()) == (["new"], ["new"])
    assert [one.session_id for one in summaries(store, SessionFilter())] == ["new"]
    store.close()


def test_what_cannot_be_opened_says_why():
    """Server and option are named, the password is not."""
    with pytest.raises(StoreUnavailableError, match=r"127\.0\.0\.1") as caught:
        open_store(f"redis://me:hunter2@127.0.0.1:{servers.free_port()}/0")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(SettingsError, match="not a store URL"):
        open_store("redis://127.0.0.1:1/0?expire_days=soon")


def test_a_missing_client_names_the_extra(monkeypatch):
    """The error has the pip line."""
    monkeypatch.setitem(__import__("sys").modules, "redis", None)
    with pytest.raises(MissingExtraError, match=r"turnspan\[redis\]"):
        open_store("redis://somewhere/0")
