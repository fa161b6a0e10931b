"""Sessions in a SQL database.

A turn is a row and so is each of its calls, so adding to a session never reads it. The writes are upserts: storing a
batch twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import sqlalchemy as sa

from turnspan.errors import UnreadableSessionError
from turnspan.model.ids import now_ns
from turnspan.model.records import OURS, SessionRecord, TurnRecord, check_id, iso, turnspan_metadata
from turnspan.stores.base import (
    AuditFilter,
    Difference,
    Found,
    ModelUse,
    SessionFilter,
    SessionStore,
    SessionSummary,
    TurnSummary,
)
from turnspan.stores.rows import AuditRow, Changes, Removed, removal, rows_of_turn
from turnspan.stores.sql import columns, partitions, queries, values
from turnspan.stores.sql.database import Database
from turnspan.stores.sql.schema import (
    agent_transitions,
    audit_events,
    audit_removed,
    model_calls,
    sessions,
    tool_calls,
    turns,
)

_MOST_NAMED = 500  # names in one query
_TURN = ("session_id", "turn_id")
_CALL = (*_TURN, "event_id")
_ALL_OF_A_SESSION = (tool_calls, model_calls, agent_transitions, audit_events, turns, sessions)


class SqlSessionStore(SessionStore):
    """Keeps sessions in a database that SQLAlchemy knows.

    Args:
        url: ``sqlite:///relative.db``, ``sqlite:////absolute.db``, ``postgresql://user@host/database`` (with more hosts
            as ``?host=a:5432&host=b:5432&target_session_attrs=read-write``; with ``?partitions=monthly`` the months of
            turns and audit events are tables of their own), or another SQLAlchemy URL.
        busy_timeout_ms: How long a write waits for another process's write (SQLite).
        read_only: Change nothing, not even tables of an older version: an SQLite file is read through a copy then, and
            on a server it is an error.

    Raises:
        SettingsError: When the URL cannot be understood.
        MissingExtraError: When the database's driver is not installed.
        NothingRecordedError: When it is to be read, and nothing was ever recorded in it.
        StoreUnavailableError: When the database cannot be opened or written, or is to be read and of an older version.

    """

    def __init__(self, url: str, *, busy_timeout_ms: int = 10_000, read_only: bool = False) -> None:
        self.url = url
        self._database = Database(url, busy_timeout_ms=busy_timeout_ms, read_only=read_only)
        self._months: set[str] = set()  # that have partitions

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    def after_fork(self) -> None:
        """Forget connections that belong to the parent process."""
        self._database.after_fork()

    def is_in_place(self) -> bool:
        """Return whether the file that was opened is the one that stands there now (SQLite)."""
        return self._database.is_in_place()

    def reopen(self) -> None:
        """Open the file that stands there now, made anew where none does (SQLite)."""
        self._database.reopen()

    def lose_files(self) -> None:
        """Let go of connections whose descriptors the program has closed."""
        self._database.lose_files()

    # The four ---------------------------------------------------------------------------------------------------

    def save_session(self, session: SessionRecord) -> None:
        """Replace the session by this one; audit events that are already there stay."""
        check_id("session", session.session_id)
        changes = Changes()
        data = session.to_dict()
        for turn in session.turns:
            rows = rows_of_turn(session.session_id, turn)
            changes.turns += rows.turns
            changes.tool_calls += rows.tool_calls
            changes.model_calls += rows.model_calls
        metadata = {key: value for key, value in data["metadata"].items() if key != "ended" or value is not True}
        ended = len(metadata) != len(data["metadata"])
        names = ("session_id", "workspace_id", "agent_id", "created_at", "updated_at")
        head: Any = {**{name: data[name] for name in names}, "ended": ended, "metadata": metadata}
        self._make_months(changes)
        with self._database.writing() as connection:
            for table in (tool_calls, model_calls, agent_transitions, turns):
                connection.execute(sa.delete(table).where(table.c.session_id == session.session_id))
            row = {
                **values.session_values(head),
                "unknown": values.dump_some(session.unknown()),
                "parent_id": session.parent_session_id,
                "root_id": session.root_session_id,
            }
            self._database.upsert(connection, sessions, [row], ["session_id"])
            self._apply_turns(connection, changes)
            transitions: list[Any] = [
                {"session_id": session.session_id, **one.fields(), "unknown": one.unknown()}
                for one in session.agent_transitions
            ]
            self._database.insert_new(
                connection, agent_transitions, [values.transition_values(one) for one in transitions]
            )

    def load_session(self, session_id: str) -> SessionRecord | None:
        """Read a whole session."""
        with self._database.reading() as connection:
            head = connection.execute(sa.select(sessions).where(sessions.c.session_id == session_id)).mappings().first()
            if head is None:
                return None
            return self._session_of(connection, head, None)

    def _session_of(self, connection: sa.Connection, head: Any, turn_ids: Collection[str] | None) -> SessionRecord:
        try:
            session = values.session_of(head)
            session.turns = self._turns_of(connection, session.session_id, turn_ids)
            rows = _rows(connection, agent_transitions, session.session_id, turn_ids)
            session.agent_transitions = [values.transition_of(row) for row in rows]
        except (ValueError, TypeError, AttributeError, RecursionError) as error:  # somebody wrote into its rows
            says = f"Session {head['session_id']!r} cannot be read: {error}; `turnspan verify` says what was altered"
            raise UnreadableSessionError(says) from error
        return session

    def list_sessions(self, workspace_id: str | None = None) -> list[str]:
        """Return the ids, the oldest session first."""
        query = sa.select(sessions.c.session_id).order_by(sessions.c.created_at, sessions.c.session_id)
        if workspace_id is not None:
            query = query.where(sessions.c.workspace_id == workspace_id)
        with self._database.reading() as connection:
            return list(connection.execute(query).scalars())

    def delete_session(self, session_id: str) -> bool:
        """Remove a session with everything that belongs to it."""
        with self._database.writing() as connection:
            mine = AuditFilter(sessions=frozenset({session_id}))
            left = removal(session_id, self._audit_rows(connection, mine), iso(now_ns()))
            self._database.insert_new(connection, audit_removed, left)
            for table in _ALL_OF_A_SESSION:
                gone = connection.execute(sa.delete(table).where(table.c.session_id == session_id)).rowcount
            return bool(gone)

    # What it can do better --------------------------------------------------------------------------------------

    def apply(self, changes: Changes) -> None:
        """Store a batch in one transaction.

        Sessions come first, in order: two writers that meet wait for each other there, and never for each other's rows.
        """
        self._make_months(changes)
        with self._database.writing() as connection:
            self._apply_heads(connection, changes)
            for table in (tool_calls, model_calls):
                for session_id, turn_id in changes.whole_turns:
                    connection.execute(
                        sa.delete(table).where(table.c.session_id == session_id, table.c.turn_id == turn_id)
                    )
            self._apply_turns(connection, changes)
            transitions = [values.transition_values(row) for row in changes.transitions]
            self._database.insert_new(connection, agent_transitions, transitions)
            self._database.insert_new(connection, audit_events, changes.audit)

    def columns_that_differ(self, session: SessionRecord) -> list[Difference]:
        """Return the columns that are not what the session, as it is loaded, says."""
        with self._database.reading() as connection:
            return columns.columns_that_differ(connection, session, self._database.kept)

    def sessions_without_head(self) -> list[str]:
        """Return the ids of sessions that rows are there of, and not the session."""
        with self._database.reading() as connection:
            return columns.sessions_without_head(connection)

    def altered_tables(self) -> list[str]:
        """Return what does not show what was written into it: a view in the place of a table, a computed column."""
        with self._database.reading() as connection:
            return columns.altered_tables(connection)

    def is_cut(self, has: str, whole: str) -> bool:
        """Return whether a text is what this database keeps of another."""
        return has in (self._database.kept("prompt", whole), self._database.kept("tool_name", whole))

    def has_session(self, session_id: str) -> bool:
        """Return whether there is such a session, without reading it."""
        with self._database.reading() as connection:
            query = sa.select(sa.literal(1)).where(sessions.c.session_id == session_id)
            return connection.execute(query).first() is not None

    def audit_events(self, session_id: str) -> list[AuditRow]:
        """Return the audit rows of a session, each journal's in order of sequence."""
        return list(self.audit_rows(AuditFilter(sessions=frozenset({session_id}))))

    def audit_rows(self, where: AuditFilter, *, by_session: bool = False) -> Iterator[AuditRow]:
        """Yield audit rows in order, a few thousand at a time."""
        with self._database.reading() as connection:
            yield from self._audit_rows(connection, where, by_session=by_session)

    def audit_removed(self) -> list[Removed]:
        """Return what is left of removed rows."""
        with self._database.reading() as connection:
            return [Removed(**row) for row in connection.execute(sa.select(audit_removed)).mappings()]

    def audit_newest(self, limit: int) -> list[AuditRow]:
        """Return the newest audit rows: ids sort by time."""
        query = sa.select(audit_events).order_by(audit_events.c.event_id.desc()).limit(limit)
        with self._database.reading() as connection:
            return [AuditRow(**row) for row in connection.execute(query).mappings()]

    def replace_removed(self, rows: list[Removed]) -> None:
        """Replace what is left of removed rows."""
        with self._database.writing() as connection:
            for one in rows:
                same = (audit_removed.c.journal == one.journal, audit_removed.c.first == one.first)
                connection.execute(sa.delete(audit_removed).where(*same))
            self._database.insert_new(connection, audit_removed, rows)

    def rewrite_payloads(self, session_id: str, payloads: dict[str, str]) -> None:
        """Replace payloads, and see that the old ones do not linger in free pages (SQLite)."""
        with self._database.writing() as connection:
            for event_id, payload in payloads.items():
                connection.execute(
                    sa.update(audit_events)
                    .where(audit_events.c.event_id == event_id, audit_events.c.session_id == session_id)
                    .values(payload=payload)
                )
        self.vacuum()

    def vacuum(self) -> None:
        """Give back the room of what was removed, and overwrite it (SQLite)."""
        self._database.vacuum(_ALL_OF_A_SESSION)

    def _audit_rows(
        self, connection: sa.Connection, where: AuditFilter, *, by_session: bool = False
    ) -> Iterator[AuditRow]:
        column = audit_events.c
        query = sa.select(audit_events)
        if where.sessions is not None and len(where.sessions) <= _MOST_NAMED:
            query = query.where(column.session_id.in_(where.sessions))
        if where.since_id is not None:
            query = query.where(column.event_id >= where.since_id)
        if where.until_id is not None:
            query = query.where(column.event_id < where.until_id)
        if where.journal is not None:
            query = query.where(column.journal == where.journal)
        if where.first is not None:
            query = query.where(column.sequence >= where.first)
        if where.last is not None:
            query = query.where(column.sequence <= where.last)
        if where.kind is not None:
            query = query.where(column.kind == where.kind)
        query = query.order_by(*([column.session_id] if by_session else []), column.journal, column.sequence)
        for row in connection.execute(query.execution_options(yield_per=2000)):
            found = AuditRow(**row._mapping)  # noqa: SLF001  SQLAlchemy's name for it
            if where.takes(found):
                yield found

    def summaries(self, where: SessionFilter) -> list[SessionSummary]:
        """Return a page of sessions, the last used first; ``after`` is the last session id of the page before."""
        with self._database.reading() as connection:
            return queries.page(connection, where)

    def turn_summaries(self, session_id: str) -> list[TurnSummary]:
        """Return one line about each turn of a session."""
        with self._database.reading() as connection:
            return queries.turn_summaries(connection, session_id)

    def model_use(self, session_ids: Collection[str]) -> list[ModelUse]:
        """Return what the model calls of some sessions used."""
        with self._database.reading() as connection:
            return queries.model_use(connection, session_ids)

    def load_window(self, session_id: str, turn_ids: Collection[str]) -> SessionRecord | None:
        """Read some turns of a session."""
        with self._database.reading() as connection:
            head = connection.execute(sa.select(sessions).where(sessions.c.session_id == session_id)).mappings().first()
            return None if head is None else self._session_of(connection, head, turn_ids)

    def find(self, prefix: str, limit: int = 20) -> list[Found]:
        """Return what has this id, or else what has one that begins like it."""
        with self._database.reading() as connection:
            return queries.with_id(connection, prefix, limit)

    # Machinery --------------------------------------------------------------------------------------------------

    def _apply_heads(self, connection: sa.Connection, changes: Changes) -> None:
        heads = sorted(changes.sessions, key=lambda head: head["session_id"])
        new = {head["session_id"]: head for head in reversed(heads)}  # the first of each
        self._database.insert_new(connection, sessions, [values.session_values(new[name]) for name in sorted(new)])
        if touched := values.touched_by(changes):
            self._database.execute_many(connection, ("touched",), _touched, touched)
        for head in heads:
            query = sa.select(sessions).where(sessions.c.session_id == head["session_id"]).with_for_update()
            kept = connection.execute(query).mappings().one()
            if (merged := values.merged_head(kept, head)) is not None:
                connection.execute(sa.update(sessions).where(sessions.c.session_id == head["session_id"]), merged)

    def _make_months(self, changes: Changes) -> None:
        if self._database.monthly and (new := partitions.months_of(changes) - self._months):
            with self._database.writing() as connection:
                self._database.lock(connection)
                partitions.make(connection, new)
            self._months |= new

    def _apply_turns(self, connection: sa.Connection, changes: Changes) -> None:
        """Store turns behind their calls: a turn's row has what they say."""
        upsert = self._database.upsert
        upsert(
            connection, tool_calls, [values.tool_values(row) for row in changes.tool_calls], _CALL, keep=["position"]
        )
        upsert(
            connection, model_calls, [values.model_values(row) for row in changes.model_calls], _CALL, keep=["position"]
        )
        rows, keys = [values.turn_values(row) for row in changes.turns], list(_TURN)
        if self._database.monthly:
            partitions.as_started(connection, rows)
            keys.append("started_at")
        upsert(connection, turns, rows, keys, computed=values.OF_ITS_CALLS)
        given = {(row["session_id"], row["turn_id"]) for row in changes.turns}
        calls = [*changes.tool_calls, *changes.model_calls]
        if more := {(row["session_id"], row["turn_id"]) for row in calls} - given:  # calls of another process's turn
            self._database.execute_many(connection, ("calls",), _calls_of_turn, _with_notes(connection, more))

    def _turns_of(
        self, connection: sa.Connection, session_id: str, turn_ids: Collection[str] | None
    ) -> list[TurnRecord]:
        found = {row["turn_id"]: values.turn_of(row) for row in _rows(connection, turns, session_id, turn_ids)}
        for row in _rows(connection, tool_calls, session_id, turn_ids):
            if turn := found.get(row["turn_id"]):
                turn.tool_calls.append(values.tool_call_of(row))
        models: dict[str, list[Any]] = {}
        for row in _rows(connection, model_calls, session_id, turn_ids):
            models.setdefault(row["turn_id"], []).append(values.load(row["details"]))
        for turn_id, calls in models.items():
            if turn := found.get(turn_id):
                turn.metadata[OURS] = {**turnspan_metadata(turn.metadata), "model_calls": calls}
        return list(found.values())


def _touched() -> Any:
    """Return the statement that says when a session was last used."""
    column = sessions.c.updated_at
    later = sa.case((column < sa.bindparam("touched"), sa.bindparam("same_touched")), else_=column)
    return sa.update(sessions).where(sessions.c.session_id == sa.bindparam("of_session")).values(updated_at=later)


def _calls_of_turn() -> Any:
    """Return the statement that has a turn's row contain what its calls say."""
    here = (turns.c.session_id == sa.bindparam("same_session_id"), turns.c.turn_id == sa.bindparam("same_turn_id"))
    note_words = sa.bindparam("note_words", type_=sa.Text)
    return sa.update(turns).where(*here).values(values.of_its_calls(turns.c.session_id, turns.c.turn_id, note_words))


def _with_notes(connection: sa.Connection, names: set[tuple[str, str]]) -> list[dict[str, str]]:
    """Return turns by session and id, in order, with the words of their notes."""
    query = sa.select(turns.c.session_id, turns.c.turn_id, turns.c.metadata)
    found = connection.execute(query.where(sa.tuple_(turns.c.session_id, turns.c.turn_id).in_(names)))
    words = {(row[0], row[1]): values.note_words(values.load(row[2])) for row in found}
    return [{"session_id": n[0], "turn_id": n[1], "note_words": words.get(n, "")} for n in sorted(names)]


def _rows(connection: sa.Connection, table: sa.Table, session_id: str, turn_ids: Collection[str] | None = None) -> Any:
    """Return the rows of a session in their order, or those of some of its turns."""
    order = [table.c.position, *([table.c.event_id] if "event_id" in table.c else [])]
    query = sa.select(table).where(table.c.session_id == session_id).order_by(*order)
    return connection.execute(query if turn_ids is None else query.where(table.c.turn_id.in_(turn_ids))).mappings()
