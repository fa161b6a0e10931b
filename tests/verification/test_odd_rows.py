"""Rows that no turnspan writes, and what is shown of a store beside its rows: named, and never a traceback."""

import datetime as dt
import json
import os
import sqlite3

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from support.breaker import RECORD, TABLES, columns_of, insert, opened, rows_of
from turnspan.errors import SettingsError
from turnspan.journal.seals import Key
from turnspan.maintenance.erase import erase
from turnspan.maintenance.removal import remove_session
from turnspan.settings import Settings
from turnspan.stores import open_store
from turnspan.verification import verify

ODD = [None, "", 0, b"x", -1, 2**62, "\x00", "[" * 100_000]
AT_ONCE = len(ODD) if "SOAK_EDITS" in os.environ else 1
"""Of these each column gets its own; all of them in ``make soak``."""
SHOWS_NOTHING = {
    ("turns", "position"), ("agent_transitions", "position"),  # counters of the database
    ("turns", "tools"),  # words of the search
    ("sessions", "unknown"), ("turns", "unknown"), ("tool_calls", "unknown"), ("agent_transitions", "unknown"),
    ("sessions", "ended"), ("model_calls", "position"), ("tool_calls", "position"),  # other ways to write the same
}  # fmt: skip


def look(home, key, **more):
    return verify(settings=Settings.read(home=home), key=key, spans="none", logs="none", **more)


@pytest.mark.parametrize("table", TABLES)
def test_a_value_of_any_type_is_named(home, key, table):
    """Nothing at all, an empty text, bytes, numbers out of range, what no parser takes: in every column."""
    with opened(home) as db:
        columns = [name for name, _ in columns_of(db, table) if (table, name) not in SHOWS_NOTHING]
        before = rows_of(db, table)
    for number, column in enumerate(columns):
        for odd in (ODD * 2)[number % len(ODD) :][:AT_ONCE]:
            with opened(home) as db:
                try:
                    changed = db.execute(
                        f'update {table} set "{column}" = ? where session_id = ? and "{column}" is not ?',
                        (odd, "b", odd),
                    ).rowcount
                except sqlite3.IntegrityError:
                    continue
            if not changed:
                continue
            assert look(home, key).exit_code in (2, 3), (column, odd)
            with opened(home) as db:
                db.execute(f"delete from {table}")
                for row in before:
                    insert(db, table, row)
    assert look(home, key).proven


@pytest.mark.parametrize(
    "values", ["x'00', 'a', 'b', 1, 2, 3, 4, 5, 6", "'j', 1, 9000000000000000000, '', '', '', '', '', ''"]
)
def test_what_is_left_of_removed_rows_may_be_anything(home, key, values):
    """Removal rows of odd types are named as well."""
    with opened(home) as db:
        db.execute(f"insert into audit_removed values ({values})")
    assert look(home, key).exit_code == 3


@pytest.mark.parametrize("table", ["sessions", "turns", "tool_calls", "model_calls"])
def test_a_key_that_stands_twice_in_json_is_named(home, key, table):
    """Readers disagree about which one counts, so it may say one thing to verify, and another to people."""
    column, name = {"tool_calls": ("arguments", "query"), "model_calls": ("details", "model")}.get(
        table, ("metadata", "turnspan")
    )
    with opened(home) as db:
        db.execute(f"""update {table} set {column} = replace({column}, '"{name}":', '"{name}":"evil","{name}":')""")
    assert look(home, key).exit_code in (2, 3)


@pytest.mark.parametrize("table", ["sessions", "turns"])
def test_a_key_without_a_value_is_named(home, key, table):
    """Metadata that says null of something says that there is such a thing."""
    with opened(home) as db:
        db.execute(f"update {table} set metadata = json_set(metadata, '$.reviewed', json('null'))")
    assert look(home, key).exit_code == 2


def test_a_table_that_is_none_any_more_is_named(home, key):
    """A view may show one thing to verify and another to people, as the clock or the reader has it."""
    with opened(home) as db:
        db.execute("alter table turns rename to true_turns")
        db.execute("create view turns as select * from true_turns")
    assert "turns is not a table" in "".join(f.says for f in look(home, key).findings)


def test_a_computed_column_is_named(home, key):
    """What a column computes may change by the day."""
    with opened(home) as db:
        (made,) = db.execute("select sql from sqlite_master where name = 'agent_transitions'").fetchone()
        rows = rows_of(db, "agent_transitions")
        db.execute("drop table agent_transitions")
        db.execute(made.replace("reason TEXT", "reason TEXT GENERATED ALWAYS AS (substr('r', 1))"))
        for row in rows:
            insert(db, "agent_transitions", {name: value for name, value in row.items() if name != "reason"})
    assert "agent_transitions.reason is computed" in "".join(f.says for f in look(home, key).findings)


def with_store(home, key, do):
    made = Settings.read(home=home, signing_key=key)
    store = open_store(made.store_url)
    try:
        do(store, made)
    finally:
        store.close()


def test_content_that_was_erased_and_is_back_is_named(home, key):
    """A copy of the store from before, put back row by row: it is true, and may not be there."""
    with opened(home) as db:
        old = {table: rows_of(db, table, "session_id = 'b'") for table in TABLES}
    with_store(home, key, lambda store, made: erase("b", store, made))
    with opened(home) as db:
        (metadata,) = db.execute("select metadata from sessions where session_id = 'b'").fetchone()
        for row in old["audit_events"]:
            db.execute("update audit_events set payload = ? where event_id = ?", (row["payload"], row["event_id"]))
        for table in (*RECORD, "sessions"):
            db.execute(f"delete from {table} where session_id = 'b'")
            for row in old[table]:
                insert(db, table, row)
        whole = json.loads(old["sessions"][0]["metadata"])
        whole["turnspan"]["seals"] = json.loads(metadata)["turnspan"]["seals"]
        db.execute("update sessions set metadata = ? where session_id = 'b'", (json.dumps(whole),))
    findings = [finding for finding in look(home, key).findings if finding.check == "integrity"]
    assert findings
    assert all(f.says.endswith("its content was erased by record, and is there again") for f in findings)


def test_a_session_that_was_removed_and_is_back_is_named(home, key):
    """The rows of a pruned session, put back."""
    with opened(home) as db:
        old = {table: rows_of(db, table, "session_id = 'b'") for table in TABLES}
    with_store(home, key, lambda store, made: remove_session("b", store, Key.read(made.signing_key)))
    with opened(home) as db:
        for table, rows in old.items():
            for row in rows:
                insert(db, table, row)
    assert any("was removed by record, and is there again" in f.says for f in look(home, key).findings)


def test_a_session_cannot_be_hidden_from_those_that_were_used_since(home, key):
    """Which sessions are looked at is not for what was altered to say."""
    since = (dt.datetime.now(dt.UTC) - dt.timedelta(days=1)).isoformat()
    assert look(home, key, since=since).sessions == 3
    with opened(home) as db:
        db.execute("update sessions set updated_at = '2001-01-01T00:00:00.000000+00:00' where session_id = 'b'")
        db.execute("update turns set prompt = 'evil' where session_id = 'b'")
    assert look(home, key, since=since).exit_code == 2


@pytest.mark.parametrize("kind", ["ssh", "rsa", "rsa public"])
def test_a_key_of_another_kind_is_refused(tmp_path, kind):
    """A public key of SSH, taken for a secret, would let everybody sign; RSA is not what seals are signed with."""
    private = rsa.generate_private_key(65537, 2048)
    pem, encoding = serialization.Encoding.PEM, serialization.PublicFormat
    (tmp_path / "key").write_bytes(
        {
            "ssh": private.public_key().public_bytes(serialization.Encoding.OpenSSH, encoding.OpenSSH),
            "rsa": private.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
            "rsa public": private.public_key().public_bytes(pem, encoding.SubjectPublicKeyInfo),
        }[kind]
    )
    with pytest.raises(SettingsError, match="Ed25519"):
        Key.read(tmp_path / "key")
