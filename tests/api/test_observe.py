"""``observe(manager)``: the same interface, plus events; each turn is stored exactly once."""

import pytest

import turnspan
from turnspan import (
    AgentTransitionRecord,
    FileSessionStore,
    InMemorySessionStore,
    SessionManager,
    SqlSessionStore,
    TurnRecord,
)
from turnspan.api.observe import recorder_for
from turnspan.testing.stores import example_turn


@pytest.fixture(params=["memory", "file", "sqlite", "four methods"])
def manager(request, tmp_path, recording):
    match request.param:
        case "memory":
            store = InMemorySessionStore()
        case "file":
            store = FileSessionStore(tmp_path / "files")
        case "sqlite":
            store = SqlSessionStore(f"sqlite:///{tmp_path}/s.db")
        case _:
            from stores.test_conformance import FourMethods

            store = FourMethods()
    observed = turnspan.observe(SessionManager(store))
    yield observed
    recorder_for(store).close()


def test_a_finished_turn_is_stored_once_with_its_ids(manager, recording):
    """A turn that the application records is stored once, and its audit event ids are filled in, in place."""
    manager.start_session(session_id="s", agent_id="a")
    turn = example_turn()
    turn.audit_event_ids = []
    manager.record_turn("s", turn)
    assert len(turn.audit_event_ids) == 8, "2 of the turn, 4 of its tools, 2 of its model call: filled in, in place"
    for _ in range(2):
        (stored,) = manager.get_session("s").turns
        assert stored.audit_event_ids == turn.audit_event_ids
        assert [call.to_dict() for call in stored.tool_calls] == [call.to_dict() for call in turn.tool_calls]
        assert (stored.prompt, stored.response_content, stored.started_at) == (
            turn.prompt,
            turn.response_content,
            turn.started_at,
        )
        assert stored.metadata["x"] == 1
        manager.record_turn("s", turn)  # again: the same ids, and still one turn


def test_a_finished_turn_has_spans_with_its_own_times(manager, recording):
    """The span of a turn that is recorded afterwards has the turn's times, not the present."""
    manager.start_session(session_id="s")
    manager.record_turn(
        "s", TurnRecord("t", "a", "p", started_at="2026-01-01T00:00:00+00:00", ended_at="2026-01-01T00:00:02+00:00")
    )
    (span,) = recording.spans
    assert (span.name, span.end_time - span.start_time) == ("invoke_agent a", 2 * 10**9)
    assert span.start_time == 1_767_225_600 * 10**9
    assert span.attributes["turnspan.audit_event_id"] == manager.get_session("s").turns[0].audit_event_ids[0]


def test_a_turn_watched_live_is_only_stamped(manager, recording):
    """A turn that was recorded live and is then recorded by the application is one turn, in the manager's own store."""
    manager.start_session(session_id="s")
    with turnspan.session("s"), turnspan.turn(agent="a", prompt="live") as live:
        with turnspan.tool("t") as call:
            call.result = 1
        live.response = "observed"
    assert manager.get_session("s").turns[0].response_content == "observed", "it is in the manager's own store"
    assert recording.sessions == [], "and in no other"
    turn = TurnRecord(live.id, "a", "live", "as the application says")
    manager.record_turn("s", turn)
    assert len(turn.audit_event_ids) == 4
    session = manager.get_session("s")
    assert [stored.turn_id for stored in session.turns] == [live.id]
    assert session.turns[0].response_content == "as the application says"
    assert len(recording.spans) == 2, "no span was made again"


def test_a_turn_that_is_recorded_while_it_runs_ends_with_it(manager, recording):
    """A turn that the application records before its block ends keeps what the application said."""
    manager.start_session(session_id="s")
    with turnspan.session("s"), turnspan.turn(agent="a", prompt="live") as live:
        with turnspan.tool("t"):
            pass
        turn = TurnRecord(live.id, "a", "live", "recorded inside")
        manager.record_turn("s", turn)
    (stored,) = manager.get_session("s").turns
    assert (stored.response_content, stored.status) == ("recorded inside", "success")
    assert stored.audit_event_ids == turn.audit_event_ids
    assert len(turn.audit_event_ids) == 4
    assert len(recording.spans) == 2


def test_handoffs_and_the_end_are_events_too(manager, recording):
    """Transitions and the end of a session have spans and audit events as turns have."""
    manager.start_session(session_id="s")
    manager.record_turn("s", TurnRecord("t", "a"))
    manager.record_agent_transition("s", AgentTransitionRecord("a", "b", "why", "t", "2026-01-01T00:00:01+00:00"))
    manager.end_session("s")
    session = manager.get_session("s")
    assert [(t.from_agent, t.to_agent) for t in session.agent_transitions] == [("a", "b")]
    assert session.metadata["ended"] is True
    assert "execute_tool transfer_to_b" in [span.name for span in recording.spans]


def test_errors_are_those_of_the_manager(manager):
    """An unknown session raises what the manager without turnspan raises."""
    for call in (
        lambda: manager.record_turn("nobody", TurnRecord("t")),
        lambda: manager.record_agent_transition("nobody", AgentTransitionRecord("a", "b")),
        lambda: manager.end_session("nobody"),
    ):
        with pytest.raises(ValueError, match="Session not found: nobody"):
            call()
    assert manager.get_session("nobody") is None


def test_a_write_that_fails_raises_and_what_was_observed_is_kept(recording):
    """A write that the program asked for raises; what was observed meanwhile is stored when the store is back."""

    class Failing(InMemorySessionStore):
        broken = False

        def apply(self, changes):
            if self.broken:
                raise OSError("the store is away")
            super().apply(changes)

    store = Failing()
    manager = turnspan.observe(SessionManager(store))
    manager.start_session(session_id="s")
    recorder_for(store).flush()
    store.broken = True
    with pytest.raises(OSError, match="the store is away"):
        manager.record_turn("s", TurnRecord("t", prompt="p"))
    store.broken = False
    assert recorder_for(store).flush(10)
    assert [turn.prompt for turn in store.load_session("s").turns] == ["p"]
    recorder_for(store).close()


def test_everything_else_is_the_managers_own():
    """An observed manager has the attributes of the one that it stands for."""

    class Mine(SessionManager):
        extra = "mine"

    assert turnspan.observe(Mine(InMemorySessionStore())).extra == "mine"
