"""The conformance suites for stores that append, and for those that keep audit rows; see :mod:`turnspan.testing.stores`."""

from __future__ import annotations

from typing import Any

import msgspec

from turnspan.model.records import TurnRecord
from turnspan.stores.base import AuditFilter
from turnspan.stores.rows import AuditRow, Changes, SessionRow, removed_name, rows_of_turn
from turnspan.testing.stores import SessionStoreConformance, example_session, example_turn

_AT_MS = 1_767_261_600_000  # 2026-01-01T10:00: ids of audit rows begin with their time


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
        """By journal, numbers, ids, sessions and kinds."""
        changes = self.audit_batch()
        store.apply(changes)
        for where in (
            AuditFilter(journal="a" * 32, first=2, last=4),
            AuditFilter(sessions=frozenset({"other"})),
            AuditFilter(since_id=f"{_AT_MS:012x}b", until_id=f"{_AT_MS:012x}c"),
            AuditFilter(sessions=frozenset()),
            AuditFilter(sessions=frozenset({"s"}), kind=changes.audit[0].kind),
            AuditFilter(kind="no.such.kind"),
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
