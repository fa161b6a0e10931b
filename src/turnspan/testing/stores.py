"""The conformance suite for session stores. Subclass it and give a fixture ``store``::

    class TestMyStore(SessionStoreConformance):
        @pytest.fixture
        def store(self, tmp_path):
            return MyStore(tmp_path)

A store with the four methods passes :class:`SessionStoreConformance`: whatever it can do beyond them
(:mod:`turnspan.stores.base`) must give the same answers as doing without. One that can ``apply`` passes
:class:`AppendingStoreConformance` as well, one that keeps audit rows :class:`AuditedStoreConformance`.
"""

from __future__ import annotations

import copy
import threading
from typing import Any

from turnspan.errors import InvalidIdError
from turnspan.model.records import AgentTransitionRecord, SessionRecord, ToolCallRecord, TurnRecord
from turnspan.reading.pages import summaries
from turnspan.reading.places import hits
from turnspan.stores import open_store
from turnspan.stores.base import Closes, SessionFilter, Vacuums, has_session, url_of
from turnspan.stores.manager import SessionManager


def example_session(session_id: str = "s-1", workspace_id: str | None = "w-1") -> SessionRecord:
    """Return a session with something in every field."""
    return SessionRecord(
        session_id=session_id,
        workspace_id=workspace_id,
        created_at="2026-01-01T10:00:00+00:00",
        updated_at="2026-01-01T10:05:00+00:00",
        agent_id="triage",
        turns=[example_turn("t-1"), TurnRecord("t-2", prompt="second", status="error", error="it broke")],
        agent_transitions=[AgentTransitionRecord("triage", "billing", "money", "t-1", "2026-01-01T10:00:30+00:00")],
        metadata={"ended": True, "channel": {"name": "mail", "tags": ["a", "b"]}},
    )


def example_turn(turn_id: str = "t-1") -> TurnRecord:
    """Return a turn with something in every field."""
    return TurnRecord(
        turn_id=turn_id,
        agent_id="triage",
        prompt="Grüße, what is open?",
        response_content="Nothing \U0001f642",
        tool_calls=[
            ToolCallRecord(
                "c1", "search", {"query": "open", "deep": {"list": [1, 2.5, None]}}, ["a", {"b": 1}], duration_ms=12.5
            ),
            ToolCallRecord("c1", "refund", {}, None, "error", "no", sandbox_context="docker", metadata={"try": 2}),
        ],
        started_at="2026-01-01T10:00:00+00:00",
        ended_at="2026-01-01T10:00:40+00:00",
        audit_event_ids=["a" * 32, "b" * 32],
        metadata={
            "turnspan": {"trace_id": "c" * 32, "model_calls": [{"model": "m", "usage": {"input_tokens": 3}}]},
            "x": 1,
        },
    )


def _is_kept(saved: dict[str, Any], loaded: Any) -> None:
    """A store may add keys of its own to a session; what was saved is there as it was."""
    found = loaded.to_dict()
    assert {key: found.get(key) for key in saved} == saved


class SessionStoreConformance:
    """What every store promises."""

    def test_a_saved_session_is_loaded_with_every_field(self, store: Any) -> None:
        session = example_session()
        store.save_session(session)
        _is_kept(session.to_dict(), store.load_session("s-1"))

    def test_a_session_that_is_not_there_is_none(self, store: Any) -> None:
        assert store.load_session("nobody") is None

    def test_saving_again_replaces(self, store: Any) -> None:
        store.save_session(example_session())
        session = example_session()
        session.turns = session.turns[:1]
        session.metadata = {"new": True}
        store.save_session(session)
        _is_kept(session.to_dict(), store.load_session("s-1"))
        assert store.list_sessions() == ["s-1"]

    def test_sessions_are_listed_by_workspace(self, store: Any) -> None:
        for session_id, workspace in (("a", "w1"), ("b", None), ("c", "w1"), ("d", "w2")):
            store.save_session(SessionRecord(session_id, workspace))
        assert sorted(store.list_sessions()) == ["a", "b", "c", "d"]
        assert sorted(store.list_sessions("w1")) == ["a", "c"]
        assert store.list_sessions("w3") == []

    def test_a_deleted_session_is_gone_and_others_stay(self, store: Any) -> None:
        store.save_session(example_session("a"))
        store.save_session(example_session("b"))
        assert store.delete_session("a") is True
        assert store.delete_session("a") is False
        assert store.load_session("a") is None
        assert store.list_sessions() == ["b"]

    def test_what_is_changed_outside_is_not_changed_inside(self, store: Any) -> None:
        session = example_session()
        store.save_session(session)
        expected = copy.deepcopy(session.to_dict())
        session.turns.clear()
        session.metadata["channel"]["tags"].append("changed")
        loaded = store.load_session("s-1")
        loaded.turns[0].tool_calls[0].arguments["deep"]["list"].append("changed")
        _is_kept(expected, store.load_session("s-1"))

    def test_a_session_that_moves_to_another_workspace_is_there_once(self, store: Any) -> None:
        store.save_session(SessionRecord("s", "w1"))
        store.save_session(SessionRecord("s", "w2", agent_id="new"))
        assert store.list_sessions() == ["s"]
        assert store.list_sessions("w1") == []
        assert store.load_session("s").agent_id == "new"
        assert store.delete_session("s") is True
        assert store.load_session("s") is None

    def test_unknown_keys_survive(self, store: Any) -> None:
        data = {**example_session().to_dict(), "schema_version": 99, "parent_session_id": "p"}
        data["turns"][0]["future"] = {"a": [1]}
        data["turns"][0]["tool_calls"][0]["future"] = "x"
        data["agent_transitions"][0]["future"] = 1
        store.save_session(SessionRecord.from_dict(copy.deepcopy(data)))
        assert store.load_session("s-1").to_dict() == data

    def test_results_that_are_no_json_are_kept_as_json(self, store: Any) -> None:
        call = ToolCallRecord("c", "f", {("a", 1): b"\x00", "s": {3}}, {"nan": float("nan"), "object": object()})  # type: ignore[dict-item]
        store.save_session(SessionRecord("s", turns=[TurnRecord("t", tool_calls=[call])]))
        (turn,) = store.load_session("s").turns
        assert turn.tool_calls[0].arguments == {"('a', 1)": "AA==", "s": [3]}
        assert turn.tool_calls[0].result["nan"] == "nan"

    def test_odd_ids_stay_inside_the_store(self, store: Any) -> None:
        for session_id in ("../secret", "/etc/passwd", "a/b", "..", ".hidden", "ünï côde", "a%2Fb", "CON", "x" * 200):
            store.save_session(SessionRecord(session_id, workspace_id="../w"))
            assert store.load_session(session_id).session_id == session_id
            assert store.list_sessions("../w") == [session_id]
            assert store.delete_session(session_id) is True

    def test_ids_that_cannot_be_kept_are_refused_clearly(self, store: Any) -> None:
        for session_id in ("", "x" * 300, "a\x00b", "a\nb"):
            try:
                store.save_session(SessionRecord(session_id))
            except InvalidIdError as error:
                assert "id" in str(error)  # noqa: PT017
            else:
                raise AssertionError(f"{session_id!r} was kept")

    def test_threads_on_one_manager_lose_nothing(self, store: Any) -> None:
        manager = SessionManager(store)
        manager.start_session(session_id="s")

        def work(worker: int) -> None:
            for n in range(10):
                manager.record_turn("s", TurnRecord(f"t-{worker}-{n}"))

        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ids = [turn.turn_id for turn in store.load_session("s").turns]
        assert sorted(ids) == sorted({f"t-{worker}-{n}" for worker in range(8) for n in range(10)})

    def test_recording_a_turn_twice_keeps_it_once(self, store: Any) -> None:
        manager = SessionManager(store)
        manager.start_session(session_id="s")
        manager.record_turn("s", example_turn())
        manager.record_turn("s", example_turn())
        (turn,) = store.load_session("s").turns
        assert turn.to_dict() == example_turn().to_dict()

    def test_starting_a_session_that_exists_goes_on_with_it(self, store: Any) -> None:
        manager = SessionManager(store)
        manager.start_session("w", "a", session_id="s", metadata={"k": 1})
        manager.record_turn("s", TurnRecord("t"))
        again = manager.start_session("w", "a", session_id="s")
        assert [turn.turn_id for turn in again.turns] == ["t"]
        assert store.load_session("s").metadata == {"k": 1}

    # Capabilities: by its own means or by ours, the answers are the same ------------------------------------------

    def test_whether_a_session_is_there_is_known(self, store: Any) -> None:
        """Without reading it, where it can be."""
        store.save_session(example_session())
        assert has_session(store, "s-1")
        assert not has_session(store, "s")
        assert not has_session(store, "nobody")

    def test_pages_have_the_last_used_first_and_go_on_where_one_ended(self, store: Any) -> None:
        """Whatever the order in which sessions were saved; each is on one page."""
        for number in (3, 1, 4, 2, 5):
            session = SessionRecord(f"s-{number}", "w", updated_at=f"2026-01-01T10:0{number}:00+00:00")
            session.turns.append(
                TurnRecord("t", prompt=f"prompt {number}", status="error" if number == 2 else "success")
            )
            store.save_session(session)
        first = summaries(store, SessionFilter(limit=3))
        rest = summaries(store, SessionFilter(limit=3, after=first[-1].session_id))
        assert [one.session_id for one in first] == ["s-5", "s-4", "s-3"]
        assert [(one.session_id, one.turns, one.failed_turns, one.prompt) for one in rest] == [
            ("s-2", 1, 1, "prompt 2"),
            ("s-1", 1, 0, "prompt 1"),
        ]

    def test_pages_are_filtered(self, store: Any) -> None:
        """By what the session, its turns and their calls say."""
        store.save_session(example_session("a", "w-1"))
        other = SessionRecord(
            "b", "w-2", updated_at="2026-01-02T10:00:00+00:00", turns=[TurnRecord("t", prompt="other")]
        )
        store.save_session(other)
        for wanted in (
            SessionFilter(workspace_id="w-1"),
            SessionFilter(agent_id="triage"),
            SessionFilter(status="error"),
            SessionFilter(tool="refund"),
            SessionFilter(model="m"),
            SessionFilter(min_tokens=3),
            SessionFilter(min_duration_ms=40_000),
            SessionFilter(text='"what is" op*'),
        ):
            assert [one.session_id for one in summaries(store, wanted)] == ["a"], wanted
        assert [one.session_id for one in summaries(store, SessionFilter(since="2026-01-02"))] == ["b"]
        assert summaries(store, SessionFilter(tool="refund", workspace_id="w-2")) == []

    def test_what_has_an_id_is_found_by_its_beginning(self, store: Any) -> None:
        """A session, a turn, a trace, a call; an exact id wins over those that only begin like it."""
        store.save_session(example_session("s-1"))
        store.save_session(example_session("s-10"))
        assert [(hit.kind, hit.session_id) for hit in hits(store, "s-1")] == [("session", "s-1")]
        assert {hit.id for hit in hits(store, "s-")} == {"s-1", "s-10"}
        assert {(hit.kind, hit.session_id, hit.turn_id) for hit in hits(store, "ccc")} == {
            ("trace", "s-1", "t-1"),
            ("trace", "s-10", "t-1"),
        }
        assert {hit.kind for hit in hits(store, "c1")} == {"tool call"}
        assert hits(store, "nothing") == []

    def test_maintenance_loses_nothing(self, store: Any) -> None:
        """Vacuuming, and closing a store that can be opened again."""
        store.save_session(example_session())
        if isinstance(store, Vacuums):
            store.vacuum()
        _is_kept(example_session().to_dict(), store.load_session("s-1"))
        url = url_of(store)
        if isinstance(store, Closes) and url and url != "memory:":
            store.close()
            again = open_store(url)
            _is_kept(example_session().to_dict(), again.load_session("s-1"))
            if isinstance(again, Closes):
                again.close()
