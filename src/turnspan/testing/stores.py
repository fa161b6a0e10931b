"""The conformance suite for session stores. Subclass it and give a fixture ``store``::

    class TestMyStore(SessionStoreConformance):
        @pytest.fixture
        def store(self, tmp_path):
            return MyStore(tmp_path)

A store with the four methods passes :class:`SessionStoreConformance`; one that can ``apply`` passes
:class:`AppendingStoreConformance` as well.
"""

from __future__ import annotations

import copy
import threading
from typing import Any

import msgspec

from turnspan.errors import InvalidIdError
from turnspan.model.records import AgentTransitionRecord, SessionRecord, ToolCallRecord, TurnRecord
from turnspan.stores.base import AuditFilter
from turnspan.stores.manager import SessionManager
from turnspan.stores.rows import AuditRow, Changes, SessionRow, removed_name, rows_of_turn


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


_AT_MS = 1_767_261_600_000  # 2026-01-01T10:00: ids of audit rows begin with their time


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


class AppendingStoreConformance(SessionStoreConformance):
    """What a store promises that can add to sessions without loading them."""

    def test_a_batch_is_stored_and_storing_it_again_changes_nothing(self, store: Any) -> None:
        changes = self.batch()
        store.apply(changes)
        once = store.load_session("s").to_dict()
        store.apply(changes)
        assert store.load_session("s").to_dict() == once
        assert [turn["turn_id"] for turn in once["turns"]] == ["t-1", "t-2"]
        assert once["turns"][0]["tool_calls"] == example_turn().to_dict()["tool_calls"]

    def test_a_batch_adds_to_what_is_there(self, store: Any) -> None:
        store.save_session(example_session("s"))
        changes = rows_of_turn("s", TurnRecord("t-3", prompt="third", started_at="2026-01-01T11:00:00+00:00"))
        store.apply(changes)
        assert [turn.turn_id for turn in store.load_session("s").turns] == ["t-1", "t-2", "t-3"]

    def test_the_head_of_a_session_keeps_what_it_has(self, store: Any) -> None:
        head = SessionRow(
            session_id="s",
            workspace_id="w",
            agent_id="a",
            created_at="2026-01-01T10:00:00+00:00",
            updated_at="2026-01-01T10:00:00+00:00",
            ended=False,
            metadata={"k": 1, "turnspan": {"session_id_from": "new"}},
        )
        store.apply(Changes(sessions=[head]))
        later: SessionRow = {
            **head,
            "workspace_id": None,
            "agent_id": "b",
            "created_at": "2027",
            "updated_at": "2027",
            "ended": True,
            "metadata": {"l": 2, "turnspan": {"session_id_from": "explicit"}},
        }
        store.apply(Changes(sessions=[later]))
        session = store.load_session("s")
        assert (session.workspace_id, session.agent_id) == ("w", "a")
        assert (session.created_at, session.updated_at) == ("2026-01-01T10:00:00+00:00", "2027")
        assert session.metadata == {"k": 1, "l": 2, "ended": True, "turnspan": {"session_id_from": "new"}}

    def test_a_turn_that_is_recorded_whole_replaces_its_calls(self, store: Any) -> None:
        store.apply(self.batch())
        fewer = example_turn()
        fewer.tool_calls = fewer.tool_calls[:1]
        store.apply(rows_of_turn("s", fewer))
        assert len(store.load_session("s").turns[0].tool_calls) == 1

    def batch(self) -> Changes:
        """Return a batch with one of everything."""
        changes = rows_of_turn("s", example_turn())
        changes.turns += rows_of_turn("s", TurnRecord("t-2", prompt="second")).turns
        changes.sessions.append(
            SessionRow(
                session_id="s",
                workspace_id=None,
                agent_id=None,
                created_at="2026-01-01T10:00:00+00:00",
                updated_at="2026-01-01T10:00:00+00:00",
                ended=False,
                metadata={},
            )
        )
        changes.transitions.append(
            {
                "session_id": "s",
                "turn_id": "t-1",
                "from_agent": "a",
                "to_agent": "b",
                "reason": None,
                "timestamp": "2026-01-01T10:00:10+00:00",
                "unknown": None,
            }
        )
        changes.audit.append(
            AuditRow(
                event_id="019b76da" + "0" * 24,
                journal="j" * 32,
                sequence=1,
                kind="turn.started",
                session_id="s",
                turn_id="t-1",
                call_id=None,
                at="2026-01-01T10:00:00+00:00",
                at_ns=1,
                trace_id=None,
                span_id=None,
                trace_flags=None,
                parent_span_id=None,
                digest="d" * 64,
                previous_hash="",
                hash="h" * 64,
                payload="{}",
            )
        )
        return changes


class AuditedStoreConformance(AppendingStoreConformance):
    """What a store that keeps audit rows promises as well: with them the record can be proven and sent again."""

    def audit_batch(self) -> Changes:
        """Return rows of two sessions in two journals, out of order."""
        changes = self.batch()
        changes.audit = [
            msgspec.structs.replace(
                changes.audit[0],
                event_id=f"{_AT_MS:012x}{journal}{sequence:019d}",
                journal=journal * 32,
                sequence=sequence,
                session_id="s" if sequence % 3 else "other",
                hash=f"{journal}{sequence}",
                previous_hash=f"{journal}{sequence - 1}",
                payload=f'{{"n":{sequence}}}',
            )
            for sequence in (3, 1, 2, 5, 4, 6)
            for journal in "ab"
        ]
        return changes

    def test_audit_rows_come_by_journal_and_sequence(self, store: Any) -> None:
        """By session and as a whole, each row as it was stored, and once however often it was."""
        changes = self.audit_batch()
        for _ in range(2):
            store.apply(changes)
        every = sorted(changes.audit, key=lambda row: (row.journal, row.sequence))
        assert list(store.audit_rows(AuditFilter())) == every
        assert store.audit_events("s") == [row for row in every if row.session_id == "s"]
        by_session = sorted(every, key=lambda row: (row.session_id, row.journal, row.sequence))
        assert list(store.audit_rows(AuditFilter(), by_session=True)) == by_session

    def test_audit_rows_can_be_asked_for_in_part(self, store: Any) -> None:
        """By journal, numbers, ids and sessions."""
        changes = self.audit_batch()
        store.apply(changes)
        for where in (
            AuditFilter(journal="a" * 32, first=2, last=4),
            AuditFilter(sessions=frozenset({"other"})),
            AuditFilter(since_id=f"{_AT_MS:012x}b", until_id=f"{_AT_MS:012x}c"),
            AuditFilter(sessions=frozenset()),
        ):
            assert {row.event_id for row in store.audit_rows(where)} == {
                row.event_id for row in changes.audit if where.takes(row)
            }

    def test_a_removed_session_leaves_its_places_in_the_chains(self, store: Any) -> None:
        """Which lines they were and the hashes at both ends, and no way to read the session's name."""
        store.apply(self.audit_batch())
        store.delete_session("s")
        left = sorted(
            (one.journal[0], one.first, one.last, one.previous_hash, one.hash) for one in store.audit_removed()
        )
        assert left == [
            ("a", 1, 2, "a0", "a2"),
            ("a", 4, 5, "a3", "a5"),
            ("b", 1, 2, "b0", "b2"),
            ("b", 4, 5, "b3", "b5"),
        ]
        assert {one.session for one in store.audit_removed()} == {removed_name("s")}
        assert {row.session_id for row in store.audit_rows(AuditFilter())} == {"other"}

    def test_payloads_can_be_replaced(self, store: Any) -> None:
        """Of one session only, with nothing else changed."""
        store.apply(self.audit_batch())
        before = store.audit_events("s")
        store.rewrite_payloads("s", {row.event_id: "{}" for row in before[:2]})
        after = store.audit_events("s")
        assert [row.payload for row in after] == ["{}", "{}", *(row.payload for row in before[2:])]
        assert [msgspec.structs.replace(row, payload=None) for row in after] == [
            msgspec.structs.replace(row, payload=None) for row in before
        ]
