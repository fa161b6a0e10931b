"""Columns that say a second time, for searching, listing and finding, what a session says: do they say the same?"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from turnspan.model.records import OURS, SessionRecord, from_iso
from turnspan.stores.base import Difference
from turnspan.stores.rows import Changes, TurnRow, rows_of_turn
from turnspan.stores.sql import values
from turnspan.stores.sql.schema import agent_transitions, metadata, model_calls, sessions, tool_calls, turns

Row = Mapping[str, Any]
Kept = Callable[[str, Any], Any]
"""Returns what a database keeps of a value of a column."""


def columns_that_differ(connection: sa.Connection, session: SessionRecord, kept: Kept) -> list[Difference]:
    """Return where a session's columns are not what the session says."""
    rows = Changes()
    for turn in session.turns:
        made = rows_of_turn(session.session_id, turn)
        rows.turns += made.turns
        rows.tool_calls += made.tool_calls
        rows.model_calls += made.model_calls
    found = {table: _rows(connection, table, session.session_id) for table in _TABLES}
    of_calls = _of_calls(connection, session.session_id)
    wanted = {
        sessions: [_head(session)],
        turns: [_turn(row, of_calls.get(row["turn_id"], {})) for row in rows.turns],
        tool_calls: [values.tool_values(row) for row in rows.tool_calls],
        model_calls: [values.model_values(row) for row in rows.model_calls],
        agent_transitions: [
            values.transition_values({"session_id": session.session_id, **one.fields(), "unknown": one.unknown()})  # type: ignore[typeddict-item]
            for one in session.agent_transitions
        ],
    }
    differing = [one for table in _TABLES for one in _differences(table, found[table], wanted[table], kept)]
    return [*differing, *(one for table in _TABLES for one in _doubled_keys(table, found[table]))]


def sessions_without_head(connection: sa.Connection) -> list[str]:
    """Return the sessions that rows of other tables name, and that are not there."""
    found: set[str] = set()
    for table in (turns, tool_calls, model_calls, agent_transitions):
        known = sa.select(sessions.c.session_id).where(sessions.c.session_id == table.c.session_id)
        found |= set(connection.execute(sa.select(table.c.session_id).distinct().where(~known.exists())).scalars())
    return sorted(found)


def altered_tables(connection: sa.Connection) -> list[str]:
    """Return which of our tables are none, or compute what they show: they may say something else to each who asks."""
    inspector = sa.inspect(connection)
    tables = set(inspector.get_table_names())
    found = []
    for table in metadata.tables.values():
        if table.name not in tables:
            found.append(f"{table.name} is not a table any more")
            continue
        computed = [column["name"] for column in inspector.get_columns(table.name) if column.get("computed")]
        found += [
            f"{table.name}.{name} is computed" for name in computed if name != "words"
        ]  # the search's, on servers
    return found


def _says_twice(text: str) -> bool:
    """Return whether JSON has the same key twice: it says one thing to us, and another to who reads it otherwise."""
    if values.dump(values.load(text)) == text:
        return False  # as it was written
    twice = False

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal twice
        made = dict(pairs)
        twice = twice or len(made) < len(pairs)
        return made

    json.loads(text, object_pairs_hook=note)
    return twice


def _doubled_keys(table: sa.Table, rows: Iterable[Row]) -> Iterator[Difference]:
    for row in rows:
        for name in _JSON & row.keys():
            if isinstance(text := row[name], str) and _says_twice(text):
                what = " ".join(str(row[key]) for key in _TABLES[table])
                yield Difference(f"{table.name} {what}", name, text, "the same with each key once")


_JSON = {
    column.name for table in metadata.tables.values() for column in table.c if column.type is sessions.c.metadata.type
} - {"payload"}  # covered by its digest
_TABLES: dict[sa.Table, tuple[str, ...]] = {
    sessions: ("session_id",),
    turns: ("turn_id",),
    tool_calls: ("turn_id", "event_id"),
    model_calls: ("turn_id", "event_id"),
    agent_transitions: ("turn_id", "from_agent", "to_agent", "timestamp"),
}
"""The tables, and what distinguishes rows of the same session."""


def _rows(connection: sa.Connection, table: sa.Table, session_id: str) -> list[Row]:
    query = sa.select(table).where(table.c.session_id == session_id)
    return [dict(row) for row in connection.execute(query).mappings()]


def _head(session: SessionRecord) -> dict[str, Any]:
    """Return what of the head is there twice."""
    return {
        "session_id": session.session_id,
        "parent_id": session.parent_session_id,
        "root_id": session.root_session_id,
        "ended": session.metadata.get("ended") is True,
    }


def _of_calls(connection: sa.Connection, session_id: str) -> dict[str, Row]:
    """Return what the calls of each turn say now, by the expressions that its row was made with."""
    said = values.of_its_calls(turns.c.session_id, turns.c.turn_id, sa.literal_column("''", sa.Text))
    columns = [expression.label(name) for name, expression in said.items()]
    query = sa.select(turns.c.turn_id, *columns).where(turns.c.session_id == session_id)
    return {row["turn_id"]: dict(row) for row in connection.execute(query).mappings()}


def _turn(row: TurnRow, said: Row) -> dict[str, Any]:
    made = values.turn_values(row)
    notes = made.pop("note_words", "")
    return {**made, "tokens": said.get("tokens"), "tools": f"{said.get('tools') or ''}{notes}"}


def _differences(table: sa.Table, rows: list[Row], wanted: Iterable[Row], kept: Kept) -> Iterator[Difference]:
    keys = _TABLES[table]
    by_key = {tuple(row[name] for name in keys): row for row in rows}
    for should in wanted:
        key = tuple(kept(name, should[name]) for name in keys)
        what = " ".join(str(part) for part in (table.name, *key))
        row = by_key.pop(key, None)
        if row is None:
            yield Difference(what, "row", None, "there")
            continue
        for name, value in should.items():
            if name == "position":
                if row[name] not in (value, _time_of(row)):
                    yield Difference(what, name, row[name], value)
            elif name in row and not _same(name, row[name], kept(name, value)):
                yield Difference(what, name, row[name], value)
    for key in by_key:
        yield Difference(" ".join(str(part) for part in (table.name, *key)), "row", "there", None)


def _loaded(name: str, text: str) -> Any:
    """Return what a column with JSON says; metadata of ours with nothing in it is none."""
    found = values.load(text)
    if name == "metadata" and isinstance(found, dict) and found.get(OURS) == {}:
        del found[OURS]
    return found


def _time_of(row: Row) -> int | None:
    """Return the place in time that a call has among those of its turn: when it began, in microseconds."""
    at_ns = from_iso(row.get("started_at"))
    return None if at_ns is None else at_ns // 1000


def _same(name: str, has: Any, should: Any) -> bool:
    if name == "tools":  # the search's words, in whatever order the database put them together; once there were fewer
        return not Counter((has or "").split()) - Counter((should or "").split())
    if isinstance(has, str) and isinstance(should, str) and has[:1] in ("{", "[", '"'):
        return has == should or _loaded(name, has) == _loaded(name, should)
    return bool(has == should)
