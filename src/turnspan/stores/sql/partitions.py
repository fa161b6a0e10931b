"""Months of turns and audit events as partitions of their own (PostgreSQL, ``?partitions=monthly``).

What is old is then in tables that nobody touches: they are vacuumed once, backed up once, and can be moved to another
tablespace. A partition is made when the first row of its month comes. Turns are kept by the time at which they started,
which never changes; audit events by their ids, which begin with their time.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from turnspan.stores.rows import Changes
from turnspan.stores.sql.schema import audit_events, turns

_PARTITIONED = {turns: "started_at", audit_events: "event_id"}


def convert(connection: sa.Connection) -> None:
    """Make the two tables partitioned, with what is in them; nothing is done where they are."""
    for table, key in _PARTITIONED.items():
        if is_partitioned(connection, table):
            continue
        name, old = table.name, f"{table.name}_before"
        unique = "session_id, turn_id, started_at" if table is turns else ""
        keys = ", ".join(dict.fromkeys([*(column.name for column in table.primary_key), key]))
        for index in table.indexes:
            connection.execute(sa.schema.DropIndex(index))
        for statement in (
            f"ALTER TABLE {name} RENAME TO {old}",
            f"CREATE TABLE {name} (LIKE {old} INCLUDING DEFAULTS INCLUDING GENERATED) PARTITION BY RANGE ({key})",
            f"ALTER TABLE {name} ADD PRIMARY KEY ({keys})",
            *(
                [
                    f"ALTER TABLE {name} ADD CONSTRAINT one_turn_of_a_month UNIQUE ({unique})",
                    f"ALTER SEQUENCE {name}_position_seq OWNED BY {name}.position",
                ]
                if unique
                else []
            ),
        ):
            connection.exec_driver_sql(statement)
        for index in table.indexes:
            connection.execute(sa.schema.CreateIndex(index))
        if table is turns:
            connection.exec_driver_sql("DROP INDEX turns_by_words")
            connection.exec_driver_sql("CREATE INDEX turns_by_words ON turns USING gin (words)")
        connection.exec_driver_sql(f"CREATE TABLE {name}_other PARTITION OF {name} DEFAULT")  # times that are none
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        times = connection.exec_driver_sql(f"SELECT DISTINCT left({key}, 12) FROM {old}").scalars()  # noqa: S608
        make(connection, {month for at in times if (month := _month_of(key, at))})
        connection.exec_driver_sql(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM {old}")  # noqa: S608  our names
        connection.exec_driver_sql(f"DROP TABLE {old}")


def _month_of(key: str, value: str) -> str | None:
    """Return the month that a time, or an id that begins with its time, lies in; None for what is neither."""
    try:
        if key == "started_at":
            return datetime.fromisoformat(f"{value[:7]}-01").strftime("%Y-%m")
        return datetime.fromtimestamp(int(value[:12], 16) / 1000, UTC).strftime("%Y-%m")
    except (ValueError, OverflowError, OSError):
        return None


def make(connection: sa.Connection, months: set[str]) -> None:
    """Make the partitions of some months (``2026-11``) of both tables, where there are none."""
    for month in sorted(months):
        begin = datetime.fromisoformat(f"{month}-01").replace(tzinfo=UTC)
        end = begin.replace(year=begin.year + begin.month // 12, month=begin.month % 12 + 1)
        for table, key in _PARTITIONED.items():
            if not is_partitioned(connection, table):
                continue
            first, last = (
                (at.strftime("%Y-%m") if key == "started_at" else f"{int(at.timestamp() * 1000):012x}")
                for at in (begin, end)
            )
            connection.exec_driver_sql(
                f"CREATE TABLE IF NOT EXISTS {table.name}_{month.replace('-', '_')} PARTITION OF {table.name} "
                f"FOR VALUES FROM ('{first}') TO ('{last}')"
            )


def is_partitioned(connection: sa.Connection, table: sa.Table) -> bool:
    """Return whether a table is partitioned."""
    kind = sa.text("SELECT relkind::text FROM pg_class WHERE oid = to_regclass(:name)")
    return connection.execute(kind, {"name": table.name}).scalar() == "p"


def months_of(changes: Changes) -> set[str]:
    """Return the months that a batch has rows of."""
    found = {_month_of("started_at", row["started_at"]) for row in changes.turns}
    found |= {_month_of("event_id", event_id) for event_id in {row.event_id[:12] for row in changes.audit}}
    return {month for month in found if month is not None}


def as_started(connection: sa.Connection, rows: list[dict[str, Any]]) -> None:
    """Give turns that are there already the time at which they started: it is part of what makes them the same."""
    names = {(row["session_id"], row["turn_id"]) for row in rows}
    if not names:
        return
    query = sa.select(turns.c.session_id, turns.c.turn_id, turns.c.started_at).where(
        sa.tuple_(turns.c.session_id, turns.c.turn_id).in_(names)
    )
    kept = {(session_id, turn_id): at for session_id, turn_id, at in connection.execute(query)}
    for row in rows:
        row["started_at"] = kept.get((row["session_id"], row["turn_id"]), row["started_at"])
