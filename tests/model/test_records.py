"""The records take what either side wrote, and refuse what cannot be a record with the place where it stands."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnspan import (
    AgentTransitionRecord,
    FileSessionStore,
    InMemorySessionStore,
    SessionRecord,
    ToolCallRecord,
    TurnRecord,
    UnreadableSessionError,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8
)  # NUL is escaped: no column takes it
IDS = st.text("abc1-", min_size=1, max_size=4)
MAPPING = st.dictionaries(TEXT, JSON, max_size=3)


def optional(**fields):
    """Each field missing, null or set."""
    return st.fixed_dictionaries({}, optional={name: st.none() | values for name, values in fields.items()})


def merged(required, fields):
    return st.tuples(st.fixed_dictionaries(required), fields).map(lambda pair: {**pair[0], **pair[1]})


CALLS = merged(
    {"call_id": IDS, "tool_name": IDS, "arguments": MAPPING},
    optional(
        result=JSON,
        status=IDS,
        error=TEXT,
        duration_ms=st.floats(0, 1e6),
        sandbox_context=TEXT,
        metadata=MAPPING,
    ),
)
TURNS = merged(
    {"turn_id": IDS},
    optional(
        agent_id=TEXT,
        prompt=TEXT,
        response_content=TEXT,
        tool_calls=st.lists(CALLS, max_size=2),
        started_at=TEXT,
        ended_at=TEXT,
        status=IDS,
        error=TEXT,
        audit_event_ids=st.lists(IDS, max_size=3),
        metadata=MAPPING,
    ),
)
HANDOFFS = merged(
    {"to_agent": IDS},
    optional(from_agent=TEXT, reason=TEXT, turn_id=IDS, timestamp=TEXT),
)
SESSIONS = merged(
    {"session_id": IDS},
    optional(
        workspace_id=TEXT,
        created_at=TEXT,
        updated_at=TEXT,
        agent_id=TEXT,
        turns=st.lists(TURNS, max_size=2),
        agent_transitions=st.lists(HANDOFFS, max_size=2),
        metadata=MAPPING,
        parent_session_id=TEXT,
    ),
)


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
    with pytest.raises(UnreadableSessionError) as caught:
        SessionRecord.from_dict(data)
    assert str(caught.value) == says


@given(
    st.fixed_dictionaries(
        {"session_id": IDS | JSON},
        optional={
            **dict.fromkeys(("workspace_id", "created_at", "updated_at", "agent_id", "metadata"), JSON),
            "agent_transitions": JSON
            | st.lists(
                st.fixed_dictionaries({"to_agent": IDS}, optional=dict.fromkeys(("from_agent", "timestamp"), JSON)),
                max_size=2,
            ),
            "turns": JSON
            | st.lists(
                st.fixed_dictionaries(
                    {"turn_id": IDS},
                    optional={
                        **dict.fromkeys(
                            "agent_id prompt response_content started_at ended_at status error metadata".split(), JSON
                        ),
                        "tool_calls": JSON
                        | st.lists(
                            st.fixed_dictionaries(
                                {"call_id": IDS, "tool_name": IDS},
                                optional=dict.fromkeys(
                                    "arguments result status error duration_ms sandbox_context metadata".split(), JSON
                                ),
                            ),
                            max_size=2,
                        ),
                    },
                ),
                max_size=2,
            ),
        },
    )
)
def test_any_json_is_a_record_that_every_store_keeps_or_is_refused_clearly(data):
    """Never another exception: not in ``from_dict``, and not in a store that is given what it took."""
    try:
        session = SessionRecord.from_dict(data)
    except UnreadableSessionError:
        return
    if session.session_id.isprintable() and session.session_id:
        store = InMemorySessionStore()
        store.save_session(session)
        assert store.load_session(session.session_id).to_dict() == session.to_dict()


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
