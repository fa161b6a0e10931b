"""The tables of :class:`~turnspan.stores.sql.SqlSessionStore`, made to be read by a person with a SQL prompt::

    SELECT tool_name, error, started_at FROM tool_calls WHERE status = 'error' AND started_at >= date('now', '-1 day');

Steps are numbered and run once; a step that was released stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

metadata = sa.MetaData()
_id = sa.String(255)
_json = sa.Text

sessions = sa.Table(
    "sessions", metadata,
    sa.Column("session_id", _id, primary_key=True),
    sa.Column("workspace_id", _id),
    sa.Column("agent_id", sa.Text),
    sa.Column("created_at", sa.String(40), nullable=False),
    sa.Column("updated_at", sa.String(40), nullable=False),
    sa.Column("ended", sa.Boolean, nullable=False),
    sa.Column("metadata", _json, nullable=False),
    sa.Column("unknown", _json),
    sa.Column("first_event_id", sa.String(32)),
    sa.Column("last_event_id", sa.String(32)),
    sa.Index("sessions_by_time", "updated_at"),
    sa.Index("sessions_by_workspace", "workspace_id", "updated_at"),
)  # fmt: skip

turns = sa.Table(
    "turns", metadata,
    sa.Column("position", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("session_id", _id, nullable=False),
    sa.Column("turn_id", _id, nullable=False),
    sa.Column("agent_id", sa.Text),
    sa.Column("prompt", sa.Text, nullable=False),
    sa.Column("response_content", sa.Text),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("error", sa.Text),
    sa.Column("started_at", sa.String(40), nullable=False),
    sa.Column("ended_at", sa.String(40)),
    sa.Column("trace_id", sa.String(32)),
    sa.Column("span_id", sa.String(16)),
    sa.Column("audit_event_ids", _json),
    sa.Column("metadata", _json, nullable=False),
    sa.Column("unknown", _json),
    sa.UniqueConstraint("session_id", "turn_id", name="one_turn"),
    sa.Index("turns_by_id", "turn_id"),
    sa.Index("turns_by_trace", "trace_id"),
)  # fmt: skip

tool_calls = sa.Table(
    "tool_calls", metadata,
    sa.Column("session_id", _id, primary_key=True),
    sa.Column("turn_id", _id, primary_key=True),
    sa.Column("event_id", sa.String(32), primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("call_id", _id, nullable=False),
    sa.Column("tool_name", sa.Text, nullable=False),
    sa.Column("arguments", _json, nullable=False),
    sa.Column("result", _json),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("error", sa.Text),
    sa.Column("started_at", sa.String(40)),
    sa.Column("duration_ms", sa.Double),
    sa.Column("sandbox_context", sa.Text),
    sa.Column("trace_id", sa.String(32)),
    sa.Column("span_id", sa.String(16)),
    sa.Column("metadata", _json, nullable=False),
    sa.Column("unknown", _json),
    sa.Index("tool_calls_by_id", "call_id"),
    sqlite_with_rowid=False,
)  # fmt: skip

model_calls = sa.Table(
    "model_calls", metadata,
    sa.Column("session_id", _id, primary_key=True),
    sa.Column("turn_id", _id, primary_key=True),
    sa.Column("event_id", sa.String(32), primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("provider", sa.Text),
    sa.Column("model", sa.Text),
    sa.Column("response_id", sa.Text().with_variant(sa.String(255), "mysql")),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("error", sa.Text),
    sa.Column("started_at", sa.String(40)),
    sa.Column("duration_ms", sa.Double),
    sa.Column("input_tokens", sa.BigInteger),
    sa.Column("output_tokens", sa.BigInteger),
    sa.Column("trace_id", sa.String(32)),
    sa.Column("span_id", sa.String(16)),
    sa.Column("details", _json, nullable=False),
    sa.Index("model_calls_by_response", "response_id"),
    sqlite_with_rowid=False,
)  # fmt: skip

agent_transitions = sa.Table(
    "agent_transitions", metadata,
    sa.Column("position", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("session_id", _id, nullable=False),
    sa.Column("turn_id", _id, nullable=False),
    sa.Column("from_agent", sa.Text),
    sa.Column("to_agent", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("timestamp", sa.String(40), nullable=False),
    sa.Column("key", sa.String(64), nullable=False),
    sa.Column("unknown", _json),
    sa.UniqueConstraint("session_id", "key", name="one_transition"),
)  # fmt: skip

audit_events = sa.Table(
    "audit_events", metadata,
    sa.Column("event_id", sa.String(32), primary_key=True),
    sa.Column("journal", sa.String(32), nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("session_id", _id, nullable=False),
    sa.Column("turn_id", _id),
    sa.Column("call_id", _id),
    sa.Column("at", sa.String(40), nullable=False),
    sa.Column("at_ns", sa.BigInteger, nullable=False),
    sa.Column("trace_id", sa.String(32)),
    sa.Column("span_id", sa.String(16)),
    sa.Column("trace_flags", sa.SmallInteger),
    sa.Column("parent_span_id", sa.String(16)),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("previous_hash", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("payload", _json),
    sqlite_with_rowid=False,
)  # fmt: skip

audit_removed = sa.Table(
    "audit_removed", metadata,
    sa.Column("journal", sa.String(32), primary_key=True),
    sa.Column("first", sa.BigInteger, primary_key=True),
    sa.Column("last", sa.BigInteger, nullable=False),
    sa.Column("previous_hash", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("session", sa.String(32), nullable=False),
    sa.Column("at", sa.String(40), nullable=False),
    sqlite_with_rowid=False,
)  # fmt: skip

_version = sa.Table("turnspan_schema", metadata, sa.Column("version", sa.Integer, primary_key=True))

Step = Callable[[sa.Connection], None]
STEPS: list[Step] = []
"""What brings a database from one version to the next; the place in the list is the number."""


def step(function: Step) -> Step:
    """Add a step behind the ones before it."""
    STEPS.append(function)
    return function


@step
def make_tables(connection: sa.Connection) -> None:
    """Make the first tables."""
    metadata.create_all(connection)


def version_of(connection: sa.Connection) -> int:
    """Return how many steps a database has seen."""
    return connection.execute(sa.select(sa.func.max(_version.c.version))).scalar() or 0


def migrate(connection: sa.Connection) -> None:
    """Run the steps that this database has not seen. The caller holds a write transaction, so others wait."""
    _version.create(connection, checkfirst=True)
    done = version_of(connection)
    for number, run in enumerate(STEPS, start=1):
        if number > done:
            run(connection)
            connection.execute(sa.insert(_version).values(version=number))
