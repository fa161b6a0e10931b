"""PostgreSQL: many hosts, and a server that goes away."""

import json

import pytest
import sqlalchemy as sa

import turnspan
from support import servers
from turnspan import SessionRecord, StoreUnavailableError, TurnRecord
from turnspan.errors import MissingExtraError, NothingRecordedError
from turnspan.events import ToolCallEnded, ToolCallStarted, TurnEnded, TurnStarted
from turnspan.recording.recorder import Recorder
from turnspan.settings import Settings
from turnspan.stores import open_store
from turnspan.stores.opening import open_for_reading
from turnspan.stores.sql import values
from turnspan.stores.sql.database import Database
from turnspan.stores.sql.schema import SEARCH, metadata, sessions, turns
from turnspan.verification import verify


def test_reading_neither_makes_tables_nor_brings_them_up_to_date(postgres_url):
    """An empty database stays empty, one of an older version is left for who records, and both errors say what to do."""
    engine = sa.create_engine(postgres_url.replace("postgresql:", "postgresql+psycopg:"), poolclass=sa.NullPool)
    with pytest.raises(NothingRecordedError, match="run a program with `turnspan run`"):
        open_for_reading(f"{postgres_url}?partitions=monthly")
    assert verify(store=postgres_url).sessions == 0
    assert sa.inspect(engine).get_table_names() == []
    recording = open_store(postgres_url)
    recording.save_session(SessionRecord("s"))
    recording.close()
    with engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM turnspan_schema WHERE version = 3"))
        connection.execute(sa.text("ALTER TABLE audit_removed DROP COLUMN signature"))
    columns = [column["name"] for column in sa.inspect(engine).get_columns("audit_removed")]
    with pytest.raises(StoreUnavailableError, match=r"older version of turnspan \(2 of 3\).*`turnspan recover`"):
        open_for_reading(postgres_url)
    assert [column["name"] for column in sa.inspect(engine).get_columns("audit_removed")] == columns
    open_store(postgres_url).close()  # as recover does
    reading = open_for_reading(f"{postgres_url}?partitions=monthly")
    assert reading.list_sessions() == ["s"]
    reading.close()


def test_what_the_server_would_refuse_does_not_hold_up_the_rest(postgres_url, tmp_path):
    """NUL in text, names longer than an index takes, prompts longer than a tsvector, numbers of any size."""
    store = open_store(postgres_url)
    recorder = Recorder(Settings.read(home=tmp_path / "home", store=postgres_url, log="off"), store)
    ids = {"session_id": "s", "turn_id": "t\u00e4"}
    words = " ".join(f"w{n}" for n in range(400_000))
    recorder.emit(TurnStarted(**ids, agent_id="a" * 5000, prompt="be\x00fore " + words))
    recorder.emit(
        ToolCallStarted(**ids, call_id="c" * 5000, tool_name="n\x00" * 3000, arguments={"k\x00": "\x00", "big": 2**70})
    )
    recorder.emit(ToolCallEnded(**ids, call_id="c" * 5000, result="\x00", status="error", error="\x00"))
    recorder.emit(TurnEnded(**ids, response_content="\ud800 lone", status="error", error="x\x00" * 100_000))
    assert recorder.flush(20), recorder.problems.counts
    turn = store.load_session("s").turns[0]
    assert turn.prompt.startswith("be\\u0000fore w0 w1")
    assert turn.agent_id == "a" * 255
    assert turn.tool_calls[0].arguments == {"k\\u0000": "\\u0000", "big": str(2**70)}
    assert turn.tool_calls[0].result == "\\u0000"
    assert [hit.session_id for hit in store.find("t\u00e4")] == ["s"]
    (row,) = [row for row in store.audit_events("s") if row.kind == "turn.started"]
    assert json.loads(row.payload)["prompt"].startswith("be\\u0000fore")
    recorder.close()


def test_ids_are_compared_byte_by_byte(postgres_url):
    """A look-up by the beginning of an id minds case and underscores, whatever the collation."""
    store = open_store(postgres_url)
    for name in ("a-1", "A-1", "a_1", "aa", "Ab"):
        store.save_session(SessionRecord(name, turns=[TurnRecord(f"turn-{name}")]))
    assert {hit.id for hit in store.find("a")} == {"a-1", "a_1", "aa"}
    assert {hit.id for hit in store.find("turn-A")} == {"turn-A-1", "turn-Ab"}
    store.close()


def test_an_idle_connection_that_broke_is_replaced(tmp_path):
    """A server that was restarted is used again without an error."""
    (tmp_path / "server").mkdir()
    server = servers.Postgres(tmp_path / "server")
    server.start()
    store = open_store(server.url())
    store.save_session(SessionRecord("s"))
    server.kill()
    with pytest.raises(StoreUnavailableError, match="cannot be read"):
        store.load_session("s")
    server.start()
    assert store.load_session("s") is not None
    server.sql(
        "ALTER DATABASE postgres SET default_transaction_read_only = on"
    )  # as a host that is not the first any more
    store.close()
    with pytest.raises(StoreUnavailableError, match="read-only"):
        store.save_session(SessionRecord("s2"))
    assert store.load_session("s") is not None
    store.close()
    server.stop()


def test_the_password_is_in_no_message(postgres_url):
    """What cannot be reached is named without its password."""
    with pytest.raises(StoreUnavailableError) as caught:
        open_store(f"postgresql://me:hunter2@127.0.0.1:{servers.free_port()}/x")
    assert "hunter2" not in str(caught.value)
    assert "127.0.0.1" in str(caught.value)


def test_a_missing_driver_names_the_extra(monkeypatch):
    """The error has the pip line."""
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r"turnspan\[postgresql\]"):
        open_store("postgresql://somewhere/x")


@pytest.mark.parametrize("dialect", ["mysql", "cockroachdb", "postgresql", "sqlite"])
def test_every_statement_is_valid_for_the_dialect(dialect):
    """Compiled, not run: for CockroachDB no server is among the tests."""
    made = sa.create_mock_engine(
        f"{'postgresql' if dialect == 'cockroachdb' else dialect}://", executor=lambda *_: None
    ).dialect
    if dialect == "cockroachdb":
        made.name = "cockroachdb"
    tables = [str(sa.schema.CreateTable(table).compile(dialect=made)) for table in metadata.sorted_tables]
    assert len(tables) == 8
    if dialect == "mysql":
        assert all(
            "TEXT" not in line or "NOT NULL" in line or "LONGTEXT" in line
            for text in tables
            for line in text.splitlines()
        )
    for table in metadata.sorted_tables:
        for index in table.indexes:
            assert str(sa.schema.CreateIndex(index).compile(dialect=made))
    assert SEARCH[dialect]
    database = object.__new__(Database)
    database.kind = dialect
    upsert = str(
        database.upsert_of(
            turns, ["session_id", "turn_id", "status"], ["session_id", "turn_id"], [], values.OF_ITS_CALLS
        ).compile(dialect=made, column_keys=["session_id", "turn_id", "status"])
    )
    assert (
        "ON DUPLICATE KEY UPDATE" if dialect == "mysql" else "ON CONFLICT (session_id, turn_id) DO UPDATE"
    ) in upsert
    assert ("group_concat" if dialect in ("mysql", "sqlite") else "string_agg") in upsert
    insert = str(database.insert_of(sessions).compile(dialect=made, column_keys=["session_id"]))
    assert ("ON DUPLICATE KEY UPDATE" if dialect == "mysql" else "ON CONFLICT DO NOTHING") in insert


def test_months_can_be_tables_of_their_own(postgres, postgres_url):
    """Also later, with what is there; a turn stays in its month whatever time it is recorded with again."""
    name = postgres_url.rpartition("/")[2]
    plain = open_store(postgres_url)
    old = TurnRecord("t-1", prompt="kept", started_at="2025-12-31T23:59:00+00:00", ended_at="2026-01-01T00:01:00+00:00")
    plain.save_session(SessionRecord("s", turns=[old, TurnRecord("t-2", prompt="odd", started_at="not a time")]))
    plain.close()
    store = open_store(f"{postgres_url}?partitions=monthly")
    assert [turn.prompt for turn in store.load_session("s").turns] == ["kept", "odd"]
    manager = turnspan.SessionManager(store)
    manager.record_turn("s", TurnRecord("t-3", prompt="new", started_at="2026-02-28T10:00:00+00:00"))
    for started_at in ("2025-12-31T23:59:00+00:00", "2026-03-01T00:00:00+00:00"):
        manager.record_turn("s", TurnRecord("t-1", prompt="again", started_at=started_at))
    assert [turn.prompt for turn in store.load_session("s").turns] == ["again", "odd", "new"]
    assert [hit.turn_id for hit in store.find("t-3")] == ["t-3"]
    found = postgres.sql("SELECT tableoid::regclass::text, turn_id FROM turns ORDER BY 2", name)
    assert found == [("turns_2025_12", "t-1"), ("turns_other", "t-2"), ("turns_2026_02", "t-3")]
    store.close()
    again = open_store(postgres_url)  # whoever comes without with_unknown_keys of it
    turnspan.SessionManager(again).record_turn(
        "s", TurnRecord("t-3", prompt="new", started_at="2026-02-28T10:00:00+00:00")
    )
    assert len(again.load_session("s").turns) == 3
    again.delete_session("s")
    assert postgres.sql("SELECT count(*) FROM turns", name) == [(0,)]
    again.close()
