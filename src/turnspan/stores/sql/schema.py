"""The tables of :class:`~turnspan.stores.sql.SqlSessionStore`, made to be read by a person with a SQL prompt::

    SELECT tool_name, error, started_at FROM tool_calls WHERE status = 'error' AND started_at >= date('now', '-1 day');

Steps are numbered and run once; a step that was released stays as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

metadata = sa.MetaData()


def _bytewise(text: sa.String) -> sa.String:
    """Return a type whose values are compared byte by byte: ids sort by time, and by how they begin."""
    own = sa.Text(collation="C") if text.length is None else sa.String(text.length, collation="C")
    utf8 = mysql.VARCHAR(text.length or NAME_LENGTH, charset="utf8mb4", collation="utf8mb4_bin")
    return text.with_variant(own, "postgresql").with_variant(own, "cockroachdb").with_variant(utf8, "mysql")


NAME_LENGTH = 255
"""Characters of a name or id that have a place in an index; servers keep no more of them, SQLite keeps all."""
_id = _bytewise(sa.String(NAME_LENGTH))
_name = _bytewise(sa.Text())
_hex = _bytewise(sa.String(32))
_at = _bytewise(sa.String(40))
_text = sa.Text().with_variant(mysql.LONGTEXT(), "mysql")
_json = sa.Text().with_variant(mysql.LONGTEXT(), "mysql")
_number = sa.BigInteger().with_variant(sa.Integer, "sqlite")

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("session_id", _id, primary_key=True),
    sa.Column("workspace_id", _id),
    sa.Column("agent_id", _name),
    sa.Column("parent_id", _id),
    sa.Column("root_id", _id),
    sa.Column("created_at", _at, nullable=False),
    sa.Column("updated_at", _at, nullable=False),
    sa.Column("ended", sa.Boolean, nullable=False),
    sa.Column("metadata", _json, nullable=False),
    sa.Column("unknown", _json),
    sa.Index("sessions_by_time", "updated_at", "session_id"),
    sa.Index("sessions_by_parent", "parent_id"),
    sa.Index("sessions_by_workspace", "workspace_id", "updated_at"),
)

turns = sa.Table(
    "turns",
    metadata,
    sa.Column("position", _number, primary_key=True, autoincrement=True),
    sa.Column("session_id", _id, nullable=False),
    sa.Column("turn_id", _id, nullable=False),
    sa.Column("agent_id", _name),
    sa.Column("prompt", _text, nullable=False),
    sa.Column("response_content", _text),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("error", _text),
    sa.Column("started_at", _at, nullable=False),
    sa.Column("ended_at", _at),
    sa.Column("trace_id", _hex),
    sa.Column("span_id", _hex),
    sa.Column("audit_event_ids", _json),
    sa.Column("metadata", _json, nullable=False),
    sa.Column("unknown", _json),
    sa.Column("duration_ms", sa.Double),
    sa.Column("tokens", sa.BigInteger),
    sa.Column("tools", _text),
    sa.UniqueConstraint("session_id", "turn_id", name="one_turn"),
    sa.Index("turns_by_id", "turn_id"),
    sa.Index("turns_by_trace", "trace_id"),
    sa.Index("turns_by_span", "span_id"),
    sa.Index("turns_by_agent", "agent_id", "session_id"),
    sa.Index("turns_by_status", "status", "session_id"),
    sa.Index("turns_by_duration", "duration_ms", "session_id"),
    sa.Index("turns_by_tokens", "tokens", "session_id"),
)

tool_calls = sa.Table(
    "tool_calls",
    metadata,
    sa.Column("session_id", _id, primary_key=True),
    sa.Column("turn_id", _id, primary_key=True),
    sa.Column("event_id", _hex, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("call_id", _id, nullable=False),
    sa.Column("tool_name", _name, nullable=False),
    sa.Column("arguments", _json, nullable=False),
    sa.Column("result", _json),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("error", _text),
    sa.Column("started_at", _at),
    sa.Column("duration_ms", sa.Double),
    sa.Column("sandbox_context", _text),
    sa.Column("trace_id", _hex),
    sa.Column("span_id", _hex),
    sa.Column("metadata", _json, nullable=False),
    sa.Column("unknown", _json),
    sa.Index("tool_calls_by_id", "call_id"),
    sa.Index("tool_calls_by_name", "tool_name", "session_id"),
    sa.Index("tool_calls_by_span", "span_id"),
    sqlite_with_rowid=False,
)

model_calls = sa.Table(
    "model_calls",
    metadata,
    sa.Column("session_id", _id, primary_key=True),
    sa.Column("turn_id", _id, primary_key=True),
    sa.Column("event_id", _hex, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("provider", _name),
    sa.Column("model", _name),
    sa.Column("response_id", _name),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("error", _text),
    sa.Column("started_at", _at),
    sa.Column("duration_ms", sa.Double),
    sa.Column("input_tokens", sa.BigInteger),
    sa.Column("output_tokens", sa.BigInteger),
    sa.Column("trace_id", _hex),
    sa.Column("span_id", _hex),
    sa.Column("details", _json, nullable=False),
    sa.Index("model_calls_by_response", "response_id"),
    sa.Index("model_calls_by_model", "model", "session_id"),
    sa.Index("model_calls_by_span", "span_id"),
    sqlite_with_rowid=False,
)

agent_transitions = sa.Table(
    "agent_transitions",
    metadata,
    sa.Column("position", _number, primary_key=True, autoincrement=True),
    sa.Column("session_id", _id, nullable=False),
    sa.Column("turn_id", _id, nullable=False),
    sa.Column("from_agent", _text),
    sa.Column("to_agent", _text, nullable=False),
    sa.Column("reason", _text),
    sa.Column("timestamp", _at, nullable=False),
    sa.Column("key", sa.String(64), nullable=False),
    sa.Column("unknown", _json),
    sa.UniqueConstraint("session_id", "key", name="one_transition"),
)

audit_events = sa.Table(
    "audit_events",
    metadata,
    sa.Column("event_id", _hex, primary_key=True),
    sa.Column("journal", _hex, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("session_id", _id, nullable=False),
    sa.Column("turn_id", _id),
    sa.Column("call_id", _id),
    sa.Column("at", _at, nullable=False),
    sa.Column("at_ns", sa.BigInteger, nullable=False),
    sa.Column("trace_id", _hex),
    sa.Column("span_id", _hex),
    sa.Column("trace_flags", sa.SmallInteger),
    sa.Column("parent_span_id", _hex),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("previous_hash", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("payload", _json),
    sa.Index("audit_events_by_session", "session_id"),
    sqlite_with_rowid=False,
)

audit_removed = sa.Table(
    "audit_removed",
    metadata,
    sa.Column("journal", _hex, primary_key=True),
    sa.Column("first", sa.BigInteger, primary_key=True),
    sa.Column("last", sa.BigInteger, nullable=False),
    sa.Column("previous_hash", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("session", _hex, nullable=False),
    sa.Column("at", _at, nullable=False),
    sa.Column("closed", sa.String(512), nullable=False, server_default=""),
    sa.Column("signature", sa.String(512), nullable=False, server_default=""),
    sqlite_with_rowid=False,
)

_LIMITS: dict[Any, float] = {_id: NAME_LENGTH, _name: NAME_LENGTH, _text: math.inf}
AS_GIVEN = {
    column.name: _LIMITS[column.type]
    for table in metadata.tables.values()
    for column in table.c
    if column.type in _LIMITS
}
"""Columns with text as others gave it, and how many characters of it a server keeps; all other text is of our making."""

VERSION_TABLE = "turnspan_schema"
_version = sa.Table(VERSION_TABLE, metadata, sa.Column("version", sa.Integer, primary_key=True))

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


@step
def make_search(connection: sa.Connection) -> None:
    """Index the words of turns: prompts, answers, errors, tools' names, arguments, results and errors, and notes."""
    for statement in SEARCH.get(connection.dialect.name, ()):
        connection.exec_driver_sql(statement)


@step
def sign_removals(connection: sa.Connection) -> None:
    """Give what is left of removed rows a signature, and room for what the last of them said of its chain's end."""
    known = {column["name"] for column in sa.inspect(connection).get_columns(audit_removed.name)}
    for name in ("closed", "signature"):
        if name not in known:
            connection.exec_driver_sql(
                f"ALTER TABLE {audit_removed.name} ADD COLUMN {name} VARCHAR(512) NOT NULL DEFAULT ''"
            )


_WORDS = "prompt, response_content, error, tools"
_NEW, _OLD = (", ".join(f"{row}.{name}" for name in ("position", *_WORDS.split(", "))) for row in ("new", "old"))
_FORGET = f"INSERT INTO turns_words(turns_words, rowid, {_WORDS}) VALUES ('delete', {_OLD});"  # noqa: S608  constants
_LEARN = f"INSERT INTO turns_words(rowid, {_WORDS}) VALUES ({_NEW});"  # noqa: S608
SEARCH = {
    "sqlite": (
        f"CREATE VIRTUAL TABLE turns_words USING fts5({_WORDS}, content='turns', content_rowid='position')",
        # where a word is found, the session is read from here: rows of turns are large and lie apart
        "CREATE INDEX turns_by_position ON turns (position, session_id)",
        f"CREATE TRIGGER turns_words_new AFTER INSERT ON turns BEGIN {_LEARN} END",
        f"CREATE TRIGGER turns_words_gone AFTER DELETE ON turns BEGIN {_FORGET} END",
        f"CREATE TRIGGER turns_words_changed AFTER UPDATE OF {_WORDS} ON turns BEGIN {_FORGET} {_LEARN} END",
    ),
    "postgresql": (  # a tsvector holds a megabyte at most
        "ALTER TABLE turns ADD COLUMN words tsvector GENERATED ALWAYS AS (to_tsvector('simple', "
        + " || ' ' || ".join(f"left(coalesce({name}, ''), 100000)" for name in _WORDS.split(", "))
        + ")) STORED",
        "CREATE INDEX turns_by_words ON turns USING gin (words)",
    ),
    "mysql": (f"CREATE FULLTEXT INDEX turns_by_words ON turns ({_WORDS})",),
}
SEARCH["cockroachdb"] = SEARCH["postgresql"]
"""What indexes words, by dialect; an index that the database keeps up to date by itself, whoever writes."""


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
