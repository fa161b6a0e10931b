"""Every column of every table is compared with the events: whatever is changed in one is named."""

import json

import pytest

from support.breaker import columns_of, opened, rows_of
from turnspan.settings import Settings
from turnspan.stores.sql import schema
from turnspan.verification import verify

COLUMNS = [
    (table.name, column.name)
    for table in schema.metadata.tables.values()
    for column in table.c
    if table.name not in ("turnspan_schema", "audit_removed")
    # counters of the database: only the order that they give is shown, and that is compared
    and (table.name, column.name) not in {("turns", "position"), ("agent_transitions", "position")}
]


def another(value, type_):
    """Return another value of the kind that a column has."""
    if value is None:
        return 7 if type_.upper().split("(")[0] in ("BIGINT", "INTEGER", "DOUBLE", "SMALLINT", "BOOLEAN") else "evil"
    if isinstance(value, (int, float)):
        return value + 1
    if value[:1] == "{":
        return json.dumps({**json.loads(value), "evil": "x"})
    if value[:1] == "[":
        return json.dumps(json.loads(value)[::-1])
    if all(character in "0123456789abcdef" for character in value):
        return ("1" if value[:1] == "0" else "0") + value[1:]
    return "2001" + value[4:] if value[:2] == "20" else value + "X"  # a time is another time


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_value_that_was_changed_is_named(home, key, table, column):
    """No column can be changed in a row of a session without a finding that names the session."""
    with opened(home) as db:
        types = dict(columns_of(db, table))
        if column not in types:
            pytest.skip("another database's")
        which = {"sessions": "session_id", "turns": "position", "agent_transitions": "position"}.get(table, "event_id")
        row = rows_of(db, table, "session_id = 'b'")[0]
        value = another(row[column], types[column])
        db.execute(f"update {table} set {column} = ? where {which} = ? and session_id = 'b'", (value, row[which]))
    report = verify(settings=Settings.read(home=home), key=key, spans="none")
    assert report.exit_code in (2, 3), (row[column], value)
    named = {finding.session_id for finding in report.findings} | {finding.id for finding in report.findings}
    assert named & {"b", row.get("event_id"), row.get("journal"), value}


def test_every_table_has_rows_to_be_changed(home):
    """The tests above change something in each table that has what people read."""
    with opened(home) as db:
        for table in {table for table, _ in COLUMNS}:
            assert rows_of(db, table, "session_id = 'b'"), table
