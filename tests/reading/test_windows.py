"""A long session, some turns at a time: every store gives the same window."""

import pytest

import turnspan
from turnspan import InMemorySessionStore, SqlSessionStore
from turnspan.model.records import AgentTransitionRecord, SessionRecord, ToolCallRecord, TurnRecord
from turnspan.reading.windows import window_of, window_trees
from turnspan.testing import record

AT = "2026-01-01T10:00:{:02}+00:00"


@pytest.fixture(params=["sqlite", "memory"])
def store(request, tmp_path):
    found = InMemorySessionStore() if request.param == "memory" else SqlSessionStore(f"sqlite:///{tmp_path}/s.db")
    turns = []
    for number in range(20):
        called = ToolCallRecord(f"c{number}", "search", {"n": number}, result=number)
        models = [
            {"model": "m", "usage": {"input_tokens": number, "output_tokens": 1}, "started_at": AT.format(number)}
        ]
        kept = {"turnspan": {"model_calls": models}}
        turns.append(
            TurnRecord(
                f"t{number:02}",
                "triage",
                f"q{number}",
                None,
                [called],
                AT.format(number),
                AT.format(number + 1),
                metadata=kept,
            )
        )
    handoff = AgentTransitionRecord("triage", "billing", turn_id="t05", timestamp=AT.format(5))
    found.save_session(SessionRecord("s", created_at=AT.format(0), turns=turns, agent_transitions=[handoff]))
    yield found
    if isinstance(found, SqlSessionStore):
        found.close()


def test_a_window_has_its_turns_whole_and_one_line_about_the_others(store):
    """Calls and handoffs of the window are there, and no others."""
    window = window_of(store, "s", 4, 3)
    assert [turn.turn_id for turn in window.session.turns] == ["t04", "t05", "t06"]
    assert (window.first, window.end, len(window.outline)) == (4, 7, 20)
    assert [turn.tool_calls[0].result for turn in window.session.turns] == [4, 5, 6]
    assert [(one.turn_id, one.agent_id, one.tokens, one.duration_ms) for one in window.outline[7:9]] == [
        ("t07", "triage", 8, 1000.0),
        ("t08", "triage", 9, 1000.0),
    ]
    kinds = [node.kind for node in window_trees(store, window.session)[1].walk()]
    assert sorted(kinds) == ["handoff", "model call", "tool call", "turn"]


def test_a_window_beyond_the_end_is_the_last_turn(store):
    """No place is an error; no session is None."""
    assert [turn.turn_id for turn in window_of(store, "s", 99, 5).session.turns] == ["t19"]
    assert window_of(store, "none", 0, 5) is None


def test_handoffs_of_a_window_have_their_events(tmp_path):
    """Of the audit rows of a session only those of its handoffs are read, and each handoff gets its own."""
    with record(home=tmp_path) as recording:
        with turnspan.session("s"), turnspan.turn(agent="a", prompt="x") as running:
            running.handoff("b", reason="one")
        with turnspan.session("s"), turnspan.turn(agent="b", prompt="y") as running:
            running.handoff("c", reason="two")
        assert len(recording.turns) == 2
        window = window_of(recording.store, "s", 0, 10)
        ids = [
            n.audit_event_ids
            for root in window_trees(recording.store, window.session)
            for n in root.walk()
            if n.kind == "handoff"
        ]
        assert all(len(one) == 1 for one in ids) and ids[0] != ids[1] and len(ids) == 2
