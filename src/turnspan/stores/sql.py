"""Sessions in a SQL database: SQLite by default.

A turn is a row and so is each of its calls, so adding to a session never reads it. The writes are upserts: storing a
batch twice changes nothing.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import weakref
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError

from turnspan.content import encode
from turnspan.errors import SettingsError, StoreUnavailableError
from turnspan.events import now_ns
from turnspan.records import (
    OURS,
    AgentTransitionRecord,
    SessionRecord,
    ToolCallRecord,
    TurnRecord,
    check_id,
    from_iso,
    iso,
)
from turnspan.stores.base import AuditFilter, SessionFilter, SessionStore, SessionSummary
from turnspan.stores.rows import (
    AuditRow,
    Changes,
    ModelCallRow,
    Removed,
    SessionRow,
    ToolCallRow,
    TurnRow,
    merge_metadata,
    removal,
    rows_of_turn,
    transition_key,
)
from turnspan.stores.schema import (
    STEPS,
    agent_transitions,
    audit_events,
    audit_removed,
    migrate,
    model_calls,
    sessions,
    tool_calls,
    turns,
    version_of,
)

_SLACK_NS = 60_000_000_000  # clocks of different hosts
_MOST_NAMED = 500  # names in one query
R = TypeVar("R", SessionRecord, TurnRecord, ToolCallRecord, AgentTransitionRecord)
_ALL_CALLS = (tool_calls, model_calls, agent_transitions, audit_events, turns)


class SqlSessionStore(SessionStore):
    """Keeps sessions in a database that SQLAlchemy knows.

    Args:
        url: ``sqlite:///relative.db``, ``sqlite:////absolute.db``, or another SQLAlchemy URL.
        busy_timeout_ms: How long a write waits for another process's write (SQLite).

    Raises:
        SettingsError: When the URL cannot be understood.
        StoreUnavailableError: When the database cannot be opened or written.

    """

    def __init__(self, url: str, *, busy_timeout_ms: int = 10_000) -> None:
        self.url = url
        self._compiled: dict[tuple[Any, ...], tuple[str, Callable[[Any], Any]]] = {}
        try:
            parsed = sa.make_url(url)
            self._sqlite = parsed.get_backend_name() == "sqlite"
            if self._sqlite and parsed.database not in (None, "", ":memory:") and "uri" not in parsed.query:
                path = Path(parsed.database)
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                path.touch(mode=0o600)  # what agents say is for their owner only
            self._engine = sa.create_engine(
                parsed, connect_args={"timeout": busy_timeout_ms / 1000} if self._sqlite else {}
            )
        except OSError as error:
            raise StoreUnavailableError(f"The folder of {url} cannot be made: {error.strerror}") from error
        except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError) as error:
            raise SettingsError(f"{url!r} is no store URL that can be opened: {error}") from error
        except ImportError as error:
            raise SettingsError(f"The driver for {url!r} is not installed: {error}") from error
        weakref.finalize(self, self._engine.dispose)
        if self._sqlite:
            sa.event.listen(self._engine, "connect", _prepare_sqlite)
            sa.event.listen(self._engine, "begin", _begin_sqlite)
        if not self._is_current():  # a read-only database can be read as long as nothing is to be changed
            with self._writing() as connection:
                migrate(connection)

    def _is_current(self) -> bool:
        try:
            with self._reading() as connection:
                return version_of(connection) == len(STEPS)
        except StoreUnavailableError:
            return False

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def after_fork(self) -> None:
        """Forget connections that belong to the parent process."""
        self._engine.dispose(close=False)

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
        with self._writing() as connection:
            for table in (tool_calls, model_calls, agent_transitions, turns):
                connection.execute(sa.delete(table).where(table.c.session_id == session.session_id))
            metadata = {key: value for key, value in data["metadata"].items() if key != "ended" or value is not True}
            head = {
                **{key: data[key] for key in ("session_id", "workspace_id", "agent_id", "created_at", "updated_at")},
                "ended": len(metadata) != len(data["metadata"]), "metadata": _dump(metadata),
                "unknown": _dump_some(session.unknown()),
            }  # fmt: skip
            self._upsert(connection, sessions, [head], every=True)
            self._upsert(connection, turns, [_turn_values(row) for row in changes.turns])
            self._upsert(connection, tool_calls, [_tool_values(row) for row in changes.tool_calls])
            self._upsert(connection, model_calls, [_model_values(row) for row in changes.model_calls])
            self._insert_new(
                connection, agent_transitions,
                [
                    {
                        "session_id": session.session_id, **transition.fields(),
                        "key": _key_of(transition), "unknown": _dump_some(transition.unknown()),
                    }
                    for transition in session.agent_transitions
                ],
            )  # fmt: skip

    def load_session(self, session_id: str) -> SessionRecord | None:
        """Read a whole session."""
        with self._reading() as connection:
            head = connection.execute(sa.select(sessions).where(sessions.c.session_id == session_id)).mappings().first()
            if head is None:
                return None
            session = SessionRecord(
                session_id, head["workspace_id"], head["created_at"], head["updated_at"], head["agent_id"],
                metadata=_load(head["metadata"]),
            )  # fmt: skip
            if head["ended"]:
                session.metadata["ended"] = True
            _restore(session, head)
            session.turns = self._load_turns(connection, session_id)
            for row in _rows(connection, agent_transitions, session_id):
                transition = AgentTransitionRecord(
                    row["from_agent"], row["to_agent"], row["reason"], row["turn_id"], row["timestamp"]
                )
                session.agent_transitions.append(_restore(transition, row))
            return session

    def list_sessions(self, workspace_id: str | None = None) -> list[str]:
        """Return the ids, the oldest session first."""
        query = sa.select(sessions.c.session_id).order_by(sessions.c.created_at, sessions.c.session_id)
        if workspace_id is not None:
            query = query.where(sessions.c.workspace_id == workspace_id)
        with self._reading() as connection:
            return list(connection.execute(query).scalars())

    def delete_session(self, session_id: str) -> bool:
        """Remove a session with everything that belongs to it."""
        with self._writing() as connection:
            left = removal(
                session_id, self._audit_rows(connection, self._audit_range(connection, session_id)), iso(now_ns())
            )
            self._insert_new(connection, audit_removed, left)
            for table in _ALL_CALLS:
                connection.execute(sa.delete(table).where(table.c.session_id == session_id))
            return bool(connection.execute(sa.delete(sessions).where(sessions.c.session_id == session_id)).rowcount)

    # What it can do better --------------------------------------------------------------------------------------

    def apply(self, changes: Changes) -> None:
        """Store a batch in one transaction."""
        with self._writing() as connection:
            self._apply_heads(connection, changes)
            for table in (tool_calls, model_calls):
                for session_id, turn_id in changes.whole_turns:
                    connection.execute(
                        sa.delete(table).where(table.c.session_id == session_id, table.c.turn_id == turn_id)
                    )
            self._upsert(connection, turns, [_turn_values(row) for row in changes.turns])
            self._upsert(connection, tool_calls, [_tool_values(row) for row in changes.tool_calls])
            self._upsert(connection, model_calls, [_model_values(row) for row in changes.model_calls])
            self._insert_new(
                connection,
                agent_transitions,
                [{**row, "key": _key_of(row), "unknown": _dump_some(row["unknown"])} for row in changes.transitions],
            )
            self._insert_new(connection, audit_events, changes.audit)

    def has_session(self, session_id: str) -> bool:
        """Return whether there is such a session, without reading it."""
        with self._reading() as connection:
            query = sa.select(sa.literal(1)).where(sessions.c.session_id == session_id)
            return connection.execute(query).first() is not None

    def audit_events(self, session_id: str) -> list[AuditRow]:
        """Return the audit rows of a session, each journal's in order of sequence."""
        with self._reading() as connection:
            return list(self._audit_rows(connection, self._audit_range(connection, session_id)))

    def audit_rows(self, where: AuditFilter, *, by_session: bool = False) -> Iterator[AuditRow]:
        """Yield audit rows in order, a few thousand at a time."""
        with self._reading() as connection:
            yield from self._audit_rows(connection, where, by_session=by_session)

    def audit_removed(self) -> list[Removed]:
        """Return what is left of removed rows."""
        with self._reading() as connection:
            return [Removed(**row) for row in connection.execute(sa.select(audit_removed)).mappings()]

    def rewrite_payloads(self, session_id: str, payloads: dict[str, str]) -> None:
        """Replace payloads, and see that the old ones do not linger in free pages (SQLite)."""
        with self._writing() as connection:
            for event_id, payload in payloads.items():
                connection.execute(
                    sa.update(audit_events)
                    .where(audit_events.c.event_id == event_id, audit_events.c.session_id == session_id)
                    .values(payload=payload)
                )
        self.vacuum()

    def vacuum(self) -> None:
        """Give back the room of what was removed, and overwrite it."""
        if self._sqlite:
            with self._told("vacuumed"), self._engine.connect() as connection:
                raw: Any = connection.connection
                for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                    raw.execute(statement).close()

    def _audit_range(self, connection: sa.Connection, session_id: str) -> AuditFilter:
        """Return what finds a session's rows by their primary key: ids sort by time, and we know the first and the last.

        The rows of a process that was forked may come before the session's head does: then only its times are known.
        """
        mine = frozenset({session_id})
        head = connection.execute(sa.select(sessions).where(sessions.c.session_id == session_id)).mappings().first()
        if head is None:
            return AuditFilter(sessions=mine)
        first = connection.execute(
            sa.select(sa.func.min(turns.c.started_at)).where(turns.c.session_id == session_id)
        ).scalar()
        begun = min(filter(None, (from_iso(head["created_at"]), from_iso(first))), default=0)
        ours = _load(head["metadata"]).get(OURS)
        seals = (ours.get("seals") or {}) if isinstance(ours, dict) else {}
        ends = [head["updated_at"], *(seal.get("sealed_at") for seal in seals.values())]
        used = max(filter(None, map(from_iso, ends)), default=0)
        since_id, until_id = f"{max(0, begun - _SLACK_NS) // 1_000_000:012x}", f"{(used + _SLACK_NS) // 1_000_000:012x}"
        return AuditFilter(
            sessions=mine, since_id=min(since_id, head["first_event_id"] or since_id),
            until_id=max(until_id, f"{head['last_event_id'] or until_id}~"),
        )  # fmt: skip

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
        query = query.order_by(*([column.session_id] if by_session else []), column.journal, column.sequence)
        for row in connection.execute(query.execution_options(yield_per=2000)):
            found = AuditRow(**row._mapping)  # noqa: SLF001  SQLAlchemy's name for it
            if where.takes(found):
                yield found

    def summaries(self, where: SessionFilter) -> list[SessionSummary]:
        """Return a page of sessions, the last used first; ``after`` is the last session id of the page before."""
        one = sa.select(turns.c.position).where(turns.c.session_id == sessions.c.session_id)
        query = sa.select(sessions)
        if where.workspace_id is not None:
            query = query.where(sessions.c.workspace_id == where.workspace_id)
        if where.agent_id is not None:
            query = query.where(
                sa.or_(sessions.c.agent_id == where.agent_id, sa.exists(one.where(turns.c.agent_id == where.agent_id)))
            )
        if where.status is not None:
            query = query.where(sa.exists(one.where(turns.c.status == where.status)))
        if where.since is not None:
            query = query.where(sessions.c.updated_at >= where.since)
        if where.until is not None:
            query = query.where(sessions.c.created_at < where.until)
        if where.text is not None:
            text = where.text
            query = query.where(
                sa.exists(
                    one.where(
                        sa.or_(
                            turns.c.prompt.icontains(text, autoescape=True),
                            turns.c.response_content.icontains(text, autoescape=True),
                            turns.c.error.icontains(text, autoescape=True),
                        )
                    )
                )
            )
        with self._reading() as connection:
            if where.after is not None:
                edge = connection.execute(
                    sa.select(sessions.c.updated_at).where(sessions.c.session_id == where.after)
                ).scalar()
                query = query.where(
                    sa.tuple_(sessions.c.updated_at, sessions.c.session_id) < sa.tuple_(edge or "", where.after)
                )
            query = query.order_by(sessions.c.updated_at.desc(), sessions.c.session_id.desc()).limit(where.limit)
            return [self._summary(connection, row) for row in connection.execute(query).mappings().all()]

    def find(self, prefix: str, limit: int = 20) -> list[tuple[str, str, str | None, str]]:
        """Return what has an id that begins like this: (kind of id, session, turn, whole id)."""
        places: list[tuple[str, sa.Table, str]] = [
            ("session", sessions, "session_id"), ("turn", turns, "turn_id"), ("trace", turns, "trace_id"),
            ("audit event", audit_events, "event_id"), ("span", turns, "span_id"), ("span", tool_calls, "span_id"),
            ("span", model_calls, "span_id"), ("tool call", tool_calls, "call_id"), ("response", model_calls, "response_id"),
        ]  # fmt: skip
        found: list[tuple[str, str, str | None, str]] = []
        with self._reading() as connection:
            for kind, table, name in places:
                column = table.c[name]
                turn = table.c.turn_id if "turn_id" in table.c else sa.null()
                query = sa.select(table.c.session_id, turn, column).distinct().limit(limit)
                exact = connection.execute(query.where(column == prefix)).all()
                rows = exact or connection.execute(query.where(column >= prefix, column < prefix + "\U0010ffff")).all()
                found += [(kind, row[0], row[1], row[2]) for row in rows]
        whole = [hit for hit in found if hit[3] == prefix]
        return whole or found

    # Machinery --------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with self._told("written"), self._engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        engine = self._engine.execution_options(turnspan_reads=True)
        with self._told("read"), engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except OperationalError as error:
            name = sa.make_url(self.url).render_as_string(hide_password=True)
            raise StoreUnavailableError(f"The store {name} cannot be {what}: {_cause(error)}") from error
        except DBAPIError as error:
            if isinstance(error.orig, sqlite3.DatabaseError) and not isinstance(error.orig, sqlite3.IntegrityError):
                name = sa.make_url(self.url).render_as_string(hide_password=True)
                raise StoreUnavailableError(f"{name} is no database, or is damaged: {_cause(error)}") from error
            raise

    def _insert(self, table: sa.Table) -> Any:
        return (sqlite if self._sqlite else postgresql).insert(table)

    def _upsert(self, connection: sa.Connection, table: sa.Table, rows: Sequence[Any], *, every: bool = False) -> None:
        if rows:
            self._execute_many(
                connection, ("upsert", table.name, every), lambda: self._upsert_of(table, rows[0], every=every), rows
            )

    def _upsert_of(self, table: sa.Table, row: dict[str, Any], *, every: bool) -> Any:
        keys = ["session_id", "turn_id"] if table is turns else [column.name for column in table.primary_key]
        statement = self._insert(table)
        fixed = {*keys} if every else {*keys, "position"}
        changed = {name: statement.excluded[name] for name in row if name not in fixed}
        return statement.on_conflict_do_update(index_elements=keys, set_=changed)

    def _insert_new(self, connection: sa.Connection, table: sa.Table, rows: Sequence[Any]) -> None:
        if rows:
            self._execute_many(
                connection, ("new", table.name), lambda: self._insert(table).on_conflict_do_nothing(), rows
            )

    def _execute_many(
        self, connection: sa.Connection, key: tuple[Any, ...], statement: Callable[[], Any], rows: Sequence[Any]
    ) -> None:
        """Run one statement for many rows. Compiled once; SQLAlchemy's work for each parameter would cost more than SQLite's."""
        known = self._compiled.get(key)
        if known is None:
            is_dict = isinstance(rows[0], dict)
            columns = list(rows[0]) if is_dict else list(rows[0].__struct_fields__)
            compiled = statement().compile(dialect=self._engine.dialect, column_keys=columns)
            names = compiled.positiontup
            assert names is not None  # every driver that we use takes parameters by position
            known = self._compiled[key] = (str(compiled), (itemgetter if is_dict else attrgetter)(*names))
        sql, values = known
        connection.exec_driver_sql(sql, list(map(values, rows)))

    def _apply_heads(self, connection: sa.Connection, changes: Changes) -> None:
        for head in changes.sessions:
            kept = connection.execute(
                sa.select(sessions).where(sessions.c.session_id == head["session_id"]).with_for_update()
            ).mappings().first()  # fmt: skip
            connection.execute(*self._head_statement(head, dict(kept) if kept else None))
        column = sessions.c
        for session_id, (touched, first, last) in _reach(changes).items():
            values: dict[str, Any] = {
                "updated_at": sa.case((column.updated_at < touched, touched), else_=column.updated_at)
            }
            if first is not None:
                values["first_event_id"] = sa.case((column.first_event_id < first, column.first_event_id), else_=first)
            if last is not None:
                values["last_event_id"] = sa.case((column.last_event_id > last, column.last_event_id), else_=last)
            connection.execute(sa.update(sessions).where(column.session_id == session_id).values(values))

    def _head_statement(self, head: SessionRow, kept: dict[str, Any] | None) -> tuple[Any, dict[str, Any]]:
        if kept is None:
            return self._insert(sessions).on_conflict_do_nothing(), {**head, "metadata": _dump(head["metadata"])}
        metadata = _load(kept["metadata"])
        merge_metadata(metadata, head["metadata"])
        return sa.update(sessions).where(sessions.c.session_id == head["session_id"]), {
            "workspace_id": kept["workspace_id"] or head["workspace_id"],
            "agent_id": kept["agent_id"] or head["agent_id"],
            "updated_at": max(kept["updated_at"], head["updated_at"]),
            "ended": kept["ended"] or head["ended"],
            "metadata": _dump(metadata),
        }

    def _load_turns(self, connection: sa.Connection, session_id: str) -> list[TurnRecord]:
        found: dict[str, TurnRecord] = {}
        for row in _rows(connection, turns, session_id):
            turn = TurnRecord(
                row["turn_id"], row["agent_id"], row["prompt"], row["response_content"], [], row["started_at"],
                row["ended_at"], row["status"], row["error"], _load(row["audit_event_ids"] or "[]"), _load(row["metadata"]),
            )  # fmt: skip
            found[turn.turn_id] = _restore(turn, row)
        for row in _rows(connection, tool_calls, session_id):
            if turn_ := found.get(row["turn_id"]):
                call = ToolCallRecord(
                    row["call_id"], row["tool_name"], _load(row["arguments"]), _load(row["result"] or "null"), row["status"],
                    row["error"], row["duration_ms"], row["sandbox_context"], _load(row["metadata"]),
                )  # fmt: skip
                turn_.tool_calls.append(_restore(call, row))
        models: dict[str, list[Any]] = {}
        for row in _rows(connection, model_calls, session_id):
            models.setdefault(row["turn_id"], []).append(_load(row["details"]))
        for key, calls in models.items():
            if turn_ := found.get(key):
                turn_.metadata[OURS] = {**(turn_.metadata.get(OURS) or {}), "model_calls": calls}
        return list(found.values())

    def _summary(self, connection: sa.Connection, head: Any) -> SessionSummary:
        mine = turns.c.session_id == head["session_id"]
        count, failed = connection.execute(
            sa.select(sa.func.count(), sa.func.count().filter(turns.c.status.in_(("error", "cancelled")))).where(mine)
        ).one()
        prompt = connection.execute(sa.select(turns.c.prompt).where(mine).order_by(turns.c.position).limit(1)).scalar()
        return SessionSummary(
            head["session_id"], head["workspace_id"], head["agent_id"], head["created_at"], head["updated_at"],
            bool(head["ended"]), count, failed, prompt or "",
        )  # fmt: skip


def _reach(changes: Changes) -> dict[str, tuple[str, str | None, str | None]]:
    """Return how far a batch reaches, by session: its last time, its first and its last event."""
    found: dict[str, tuple[str, str | None, str | None]] = {}
    for turn in changes.turns:
        touched = max(found.get(turn["session_id"], ("",))[0], turn["ended_at"] or turn["started_at"])
        found[turn["session_id"]] = (touched, None, None)
    for row in changes.audit:
        touched, first, last = found.get(row.session_id, ("", None, None))
        event_id = row.event_id
        found[row.session_id] = (touched, min(first or event_id, event_id), max(last or event_id, event_id))
    return found


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see _begin_sqlite
    # Large pages: rows come in batches and stay; a commit writes each touched page with two system calls.
    for pragma in ("page_size=16384", "journal_mode=WAL", "synchronous=NORMAL", "wal_autocheckpoint=1000"):
        with contextlib.suppress(sqlite3.OperationalError):  # a read-only database can still be read
            connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: sa.Connection) -> None:
    """Take the write lock at the start of a write, so that waiting works and reads before it are not stale."""
    reads = connection.get_execution_options().get("turnspan_reads")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _rows(connection: sa.Connection, table: sa.Table, session_id: str) -> Any:
    order = [table.c.position, *([table.c.event_id] if "event_id" in table.c else [])]
    return connection.execute(sa.select(table).where(table.c.session_id == session_id).order_by(*order)).mappings()


def _turn_values(row: TurnRow) -> dict[str, Any]:
    return {
        **row, "audit_event_ids": _dump(row["audit_event_ids"]), "metadata": _dump(row["metadata"]),
        "unknown": _dump_some(row["unknown"]),
    }  # fmt: skip


def _tool_values(row: ToolCallRow) -> dict[str, Any]:
    result = None if row["result"] is None else _dump(row["result"])
    return {
        **row, "arguments": _dump(row["arguments"]), "result": result, "metadata": _dump(row["metadata"]),
        "unknown": _dump_some(row["unknown"]),
    }  # fmt: skip


def _model_values(row: ModelCallRow) -> dict[str, Any]:
    details = row["details"]
    usage = details.get("usage") or {}
    return {
        "session_id": row["session_id"], "turn_id": row["turn_id"], "event_id": row["event_id"], "position": row["position"],
        "provider": details.get("provider"), "model": details.get("response_model") or details.get("model"),
        "response_id": details.get("response_id"), "status": details.get("status", "success"), "error": details.get("error"),
        "started_at": details.get("started_at"), "duration_ms": details.get("duration_ms"),
        "input_tokens": usage.get("input_tokens"), "output_tokens": usage.get("output_tokens"),
        "trace_id": details.get("trace_id"), "span_id": details.get("span_id"), "details": _dump(details),
    }  # fmt: skip


def _key_of(transition: Any) -> str:
    from turnspan.events import derived_id

    return derived_id(*transition_key(transition))


def _dump(value: Any) -> str:
    return encode(value).decode()


def _load(text: str) -> Any:
    return json.loads(text)


def _dump_some(value: dict[str, Any] | None) -> str | None:
    return _dump(value) if value else None


def _restore(record: R, row: Any) -> R:
    return record.knowing(_load(row["unknown"])) if row["unknown"] else record


def _cause(error: DBAPIError) -> str:
    return str(error.orig).strip() or type(error.orig).__name__
