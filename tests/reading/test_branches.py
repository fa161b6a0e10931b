"""Sessions that come out of others, and a session as a timeline."""

import json

import pytest

import turnspan
from support.programs import turnspan as command
from turnspan import InMemorySessionStore, SessionManager, SessionRecord, open_store
from turnspan.reading.pages import summaries
from turnspan.reading.timeline import aggregates_of, timeline_of
from turnspan.stores.base import SessionFilter
from turnspan.testing import record


def test_a_session_that_begins_inside_a_turn_has_that_as_its_parent(recording):
    """Sessions know the session whose turn they began in, and the root of them all."""
    with turnspan.session("caller"), turnspan.turn(agent="boss"):
        with turnspan.session("helper"), turnspan.turn(agent="helper"):
            with turnspan.session("helpers-helper"), turnspan.turn(agent="small"):
                pass
        with turnspan.session("caller"), turnspan.turn(agent="boss"):
            pass
    with turnspan.session("of its own"), turnspan.turn():
        pass
    turnspan.flush()
    above = {name: recording.store.load_session(name) for name in recording.store.list_sessions()}
    assert {name: (one.parent_session_id, one.root_session_id) for name, one in above.items()} == {
        "caller": (None, None),
        "helper": ("caller", "caller"),
        "helpers-helper": ("helper", "caller"),
        "of its own": (None, None),
    }


def test_a_session_can_be_said_to_go_on_with_an_old_one():
    """A parent may be named, whenever it ended."""
    with record() as recording:
        with turnspan.session("monday"), turnspan.turn():
            pass
        with turnspan.session("tuesday", parent_session_id="monday"), turnspan.turn():
            pass
        turnspan.flush()
        session = recording.store.load_session("tuesday")
    assert (session.parent_session_id, session.root_session_id) == ("monday", "monday")


@pytest.mark.parametrize("kind", ["memory:", "sqlite:///x.db"])
def test_a_manager_starts_sessions_out_of_others(kind):
    """A manager's fork names its parent and root, and is found by them, in each kind of store."""
    store = open_store(kind)
    manager = SessionManager(store)
    manager.start_session(session_id="root")
    manager.start_session(session_id="fork", parent_session_id="root", metadata={"why": "other plan"})
    manager.start_session(session_id="forks fork", parent_session_id="fork")
    last = manager.get_session("forks fork")
    assert (last.parent_session_id, last.root_session_id) == ("fork", "root")
    assert manager.get_session("fork").metadata["why"] == "other plan"
    assert [one.session_id for one in summaries(store, SessionFilter(parent_id="root"))] == ["fork"]
    if hasattr(store, "close"):
        store.close()


@pytest.mark.parametrize("kind", ["memory:", "sqlite:///x.db", "file:sessions"])
def test_a_parent_that_a_newer_xerxes_wrote_is_known(kind):
    """A parent that stands in a key of its own is read and kept."""
    store = open_store(kind)
    store.save_session(SessionRecord.from_dict({"session_id": "s", "parent_session_id": "p", "schema_version": 1}))
    assert store.load_session("s").parent_session_id == "p"
    assert [one.session_id for one in summaries(store, SessionFilter(parent_id="p"))] == ["s"]
    if hasattr(store, "close"):
        store.close()


def recorded(store=None):
    with turnspan.session("s"):
        with turnspan.turn(agent="boss", prompt="do it"):
            with turnspan.model_call("m-1") as call:
                call.usage = turnspan.Usage(input_tokens=100, output_tokens=10)
            with turnspan.agent("helper"), turnspan.tool("look", place="shelf"):
                pass
            with pytest.raises(OSError, match="gone"), turnspan.tool("look", place="cellar"):
                raise OSError("gone")
        with turnspan.turn(agent="boss", prompt="again"):
            pass
    turnspan.flush()


def test_a_timeline_has_everything_in_order_of_time(recording):
    """Calls, agents, handoffs and notes stand in order, each as deep as what it happened in."""
    recorded()
    entries = timeline_of(recording.session)
    assert [(entry.depth, entry.node.kind, entry.agent) for entry in entries] == [
        (0, "turn", "boss"),
        (1, "model call", "boss"),
        (1, "agent", "helper"),
        (2, "tool call", "helper"),
        (1, "tool call", "boss"),
        (0, "turn", "boss"),
    ]
    assert entries[0].offset_ms == 0
    assert [entry.offset_ms for entry in entries] == sorted(entry.offset_ms for entry in entries)


def test_totals_are_by_agent_tool_and_model(recording):
    """Counts, failures, times and tokens are added up by whom they are of."""
    recorded()
    entries = timeline_of(recording.session)
    by = {kind: {one.name: one for one in aggregates_of(entries, kind)} for kind in ("agent", "tool", "model")}
    assert {name: (one.count, one.failed) for name, one in by["tool"].items()} == {"look": (2, 1)}
    assert {name: one.count for name, one in by["agent"].items()} == {"boss": 2, "helper": 1}
    assert (by["model"]["m-1"].input_tokens, by["model"]["m-1"].output_tokens) == (100, 10)
    assert by["agent"]["boss"].input_tokens == 100


def test_an_empty_session_has_an_empty_timeline():
    """A session without turns is no error."""
    assert timeline_of(SessionRecord("s")) == []
    assert aggregates_of([], "tool") == []
    assert InMemorySessionStore().list_sessions() == []


def test_the_command_line_replays_searches_and_shows_families(tmp_path):
    """The commands show the timeline, its totals, and parents and children."""
    turnspan.configure(home=tmp_path / "home")
    recorded()
    with turnspan.session("child", parent_session_id="s"), turnspan.turn(agent="small", prompt="something else"):
        pass
    turnspan.shutdown()

    def says(*arguments):
        return command(*arguments, "--home", tmp_path / "home", check=True).stdout

    timeline = says("replay", "s")
    assert (
        "turn boss" in timeline and "tool call look" in timeline and "2 turns, 1 model call, 2 tool calls" in timeline
    )
    assert "100 in / 10 out tokens" in timeline
    entries = json.loads(says("replay", "s", "--json"))["entries"]
    assert [entry["kind"] for entry in entries[:2]] == ["turn", "model call"] and entries[0]["turn_id"]
    assert json.loads(says("replay", "s", "--by", "tool", "--json"))["aggregates"][0]["failed"] == 1
    assert "helper" in says("replay", "s", "--by", "agent")
    assert "m-1" in says("replay", "s", "--by", "model")
    assert "parent session s" in says("show", "child").replace("─", "")
    assert "child session child" in says("show", "s").replace("─", "")

    def ids(*arguments):
        return [one["session_id"] for one in json.loads(says("sessions", "--json", *arguments))["sessions"]]

    assert ids() == ["child", "s"]
    assert ids("--search", "cellar gone") == ["s"]
    assert ids("--text", "somethin*") == ["child"]
    assert ids("--tool", "look", "--model", "m-1", "--min-tokens", "110") == ["s"]
    assert ids("--parent", "s") == ["child"]
    assert ids("--min-seconds", "60") == []
