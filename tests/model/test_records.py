"""The records take what either side wrote, and refuse what cannot be a record with the place where it stands."""

import json

import pytest
from hypothesis import given, settings

import turnspan
from support.strategies import ANY_SESSION, ANY_TURN, SESSIONS
from turnspan import (
    AgentTransitionRecord,
    FileSessionStore,
    InMemorySessionStore,
    InvalidIdError,
    SessionFilter,
    SessionRecord,
    SqlSessionStore,
    ToolCallRecord,
    TurnRecord,
    UnreadableSessionError,
)
from turnspan.reading.pages import summaries
from turnspan.testing import record


def without_null_containers(value):
    """Leave out what Xerxes itself cannot read: null where it iterates."""
    if isinstance(value, dict):
        lists = ("turns", "agent_transitions", "tool_calls", "audit_event_ids", "metadata", "arguments")
        return {k: without_null_containers(v) for k, v in value.items() if not (v is None and k in lists)}
    return [without_null_containers(item) for item in value] if isinstance(value, list) else value


@given(SESSIONS)
def test_what_xerxes_wrote_is_taken_and_given_back(data):
    """Every field missing, null and set: what its ``to_dict`` gives loads here, and its ``from_dict`` takes ours."""
    Theirs = pytest.importorskip("xerxes.session.models").SessionRecord

    written = Theirs.from_dict(without_null_containers(data)).to_dict()
    taken = SessionRecord.from_dict(written)
    back = Theirs.from_dict(taken.to_dict())
    assert (back.session_id, back.parent_session_id) == (written["session_id"], written["parent_session_id"])
    assert [turn.turn_id for turn in back.turns] == [turn["turn_id"] for turn in written["turns"]]
    for ours, theirs in zip(taken.to_dict()["agent_transitions"], written["agent_transitions"], strict=True):
        assert ours == {name: value if value is not None else ours[name] for name, value in theirs.items()}


@given(SESSIONS)
def test_what_we_wrote_is_taken_and_means_the_same(data):
    """A record that went through JSON once is the same record ever after."""
    once = SessionRecord.from_dict(data)
    written = json.loads(json.dumps(once.to_dict(), allow_nan=False))
    assert SessionRecord.from_dict(written) == once
    assert SessionRecord.from_dict(written).to_dict() == written


def test_the_first_handoff_comes_from_nobody():
    """``from_agent: null`` is what Xerxes writes for every first handoff."""
    (handoff,) = SessionRecord.from_dict(
        {"session_id": "s", "agent_transitions": [{"from_agent": None, "to_agent": "billing"}]}
    ).agent_transitions
    assert (handoff.from_agent, handoff.to_agent, handoff.reason) == (None, "billing", None)
    assert AgentTransitionRecord.from_dict({"to_agent": "billing"}).from_agent is None


@pytest.mark.parametrize(
    ("record", "data", "key"),
    [
        (ToolCallRecord, {"tool_name": "t"}, "call_id"),
        (ToolCallRecord, {"call_id": "c"}, "tool_name"),
        (TurnRecord, {}, "turn_id"),
        (AgentTransitionRecord, {"from_agent": "a"}, "to_agent"),
        (SessionRecord, {"turns": []}, "session_id"),
    ],
)
def test_a_missing_required_key_is_a_key_error_that_says_so(record, data, key):
    """As the seeds raise, with a sentence for a person."""
    with pytest.raises(KeyError) as caught:
        record.from_dict(data)
    assert str(caught.value) == f"This {record.__name__} has no {key!r}"
    assert isinstance(caught.value, UnreadableSessionError)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ([], "This SessionRecord is not an object but a list"),
        ({"session_id": 5}, "session_id is not text but a number"),
        ({"session_id": "s", "turns": {"a": 1}}, "turns is not a list but an object"),
        ({"session_id": "s", "turns": [None]}, "turns[0] is not an object but null"),
        ({"session_id": "s", "metadata": "x"}, "metadata is not an object but text"),
        (
            {"session_id": "s", "turns": [{"turn_id": "t"}, {"turn_id": "t", "tool_calls": [{"call_id": "c"}]}]},
            "turns[1].tool_calls[0] has no 'tool_name'",
        ),
        (
            {"session_id": "s", "turns": [{"turn_id": "t", "audit_event_ids": "abc"}]},
            "turns[0].audit_event_ids is not a list but text",
        ),
    ],
)
def test_what_cannot_be_a_record_is_refused_with_its_place(data, says):
    """The error names the field that is wrong, and what should be there."""
    with pytest.raises(UnreadableSessionError) as caught:
        SessionRecord.from_dict(data)
    assert str(caught.value) == says


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """One of each kind of store."""
    folder = tmp_path_factory.mktemp("any_json")
    sql = SqlSessionStore(f"sqlite:///{folder}/sessions.db")
    yield [InMemorySessionStore(), FileSessionStore(folder / "files"), sql]
    sql.close()


@settings(max_examples=300)
@given(data=ANY_SESSION)
def test_any_json_is_a_record_that_every_store_keeps_or_is_refused_clearly(stores, data):
    """Never another exception: not in ``from_dict``, not in a store, and not where it is searched, printed or shown."""
    try:
        session = SessionRecord.from_dict(data)
    except UnreadableSessionError:
        return
    assert str(session) and session._repr_html_()
    session.session_id = session.session_id or "s"
    for store in stores:
        try:
            store.save_session(session)
        except InvalidIdError:
            continue
        kept = store.load_session(session.session_id)
        assert kept.session_id == session.session_id
        assert dict.fromkeys(turn.turn_id for turn in kept.turns) == dict.fromkeys(t.turn_id for t in session.turns)
        assert session.session_id in {one.session_id for one in summaries(store, SessionFilter(limit=1000))}
        summaries(store, SessionFilter(text="a", min_tokens=1, min_duration_ms=1))


@given(data=ANY_TURN)
def test_any_turn_that_an_observed_manager_is_given_is_recorded(recording_manager, data):
    """Or refused clearly: a runtime that puts odd things into its record is no reason to fail."""
    try:
        turn = TurnRecord.from_dict(data)
    except UnreadableSessionError:
        return
    recording_manager.record_turn("s", turn)
    assert turn.turn_id in {one.turn_id for one in recording_manager.get_session("s").turns}


@pytest.fixture(scope="module")
def recording_manager():
    """An observed manager, whose recorder raises its own errors."""
    with record():
        manager = turnspan.observe(turnspan.SessionManager(InMemorySessionStore()))
        manager.start_session(session_id="s")
        yield manager


def test_a_file_that_is_not_a_session_is_named(tmp_path):
    """With the place in it, so that a person can repair it."""
    (tmp_path / "s.json").write_text('{"session_id": "s", "turns": [{"turn_id": "t", "metadata": 3}]}')
    with pytest.raises(UnreadableSessionError, match=r"s\.json is not a session record: turns\[0\]\.metadata is not"):
        FileSessionStore(tmp_path).load_session("s")


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), 10**30, "soon", object()])
def test_what_a_runtime_put_into_a_record_is_written_as_what_can_be_read(odd):
    """Values of other types than declared must not make a record that nobody can load."""
    call = ToolCallRecord("c", "t", None, duration_ms=odd, error=odd, status=None, metadata=None)  # type: ignore[arg-type]
    written = TurnRecord("t", prompt=[{"role": "user"}], tool_calls=[call], audit_event_ids=None).to_dict()  # type: ignore[arg-type]
    read = TurnRecord.from_dict(json.loads(json.dumps(written, allow_nan=False)))
    assert read.to_dict() == written
    assert (read.prompt, read.audit_event_ids, read.tool_calls[0].status) == ('[{"role":"user"}]', [], "success")
    assert (read.tool_calls[0].duration_ms, read.tool_calls[0].arguments) == (None, {})
