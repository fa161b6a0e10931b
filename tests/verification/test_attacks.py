"""Whoever can write to the store, and has no key, gets nothing proven and nothing explained.

Each test is something that a breaker did, and that ``verify`` once let pass.
"""

import json
import sqlite3

import pytest

from support.breaker import (
    RECORD,
    TABLES,
    append,
    delete_session,
    forge_erasure,
    forget_in_files,
    insert,
    opened,
    put_seal_in_metadata,
    rows_of,
    seal_for,
)
from turnspan.events import ModelCallEnded, ModelCallStarted, TurnEnded, TurnStarted
from turnspan.journal.hash_chain import digest_of
from turnspan.journal.seals import Key
from turnspan.model.ids import new_id
from turnspan.recording import runtime
from turnspan.recording.recorder import Recorder
from turnspan.settings import Settings
from turnspan.stores import open_store
from turnspan.stores.rows import removed_name
from turnspan.verification import verify
from verification.conftest import record


def look(home, key=None, **more):
    return verify(settings=Settings.read(home=home), key=key, **{"spans": "none", **more})


def says(report):
    return "\n".join(finding.says for finding in report.findings)


def test_the_untouched_store_is_proven(home, key):
    """What nobody changed is proven, with the key and without."""
    report = look(home, key)
    assert report.proven, report.findings
    assert look(home).proven


def test_an_invented_handoff_is_named(home, key):
    """A handoff that no event tells of is an orphan, and is called by its agents."""
    with opened(home) as db:
        row = rows_of(db, "agent_transitions", "session_id = 'b'")[0]
        insert(db, "agent_transitions", {**row, "position": 999, "to_agent": "mallory", "key": "k9"})
    report = look(home, key)
    assert report.exit_code == 2
    assert "handoff from triage to mallory" in says(report)


def test_an_invented_session_is_named(home, key):
    """A session that no event tells of is an orphan."""
    with opened(home) as db:
        row = rows_of(db, "sessions", "session_id = 'b'")[0]
        insert(db, "sessions", {**row, "session_id": "FAKE", "metadata": '{"confession":"x"}'})
    report = look(home, key)
    assert [(f.verdict, f.session_id) for f in report.findings] == [("orphan", "FAKE")]


def test_turns_in_another_order_are_named(home, key):
    """The order in which turns are shown is that in which they began."""
    with opened(home) as db:
        db.execute("update turns set position = -position where session_id = 'b'")
    assert "the turns stand in the order" in says(look(home, key)), "of two processes, one after the other"


def test_turns_of_one_process_in_another_order_are_named(tmp_path, key):
    """The order in which the turns of a process are shown is that in which they began."""
    made = record(tmp_path / "home", sessions=("b", "b"), processes=1, signing_key=key)
    assert look(made.home, key).proven
    with opened(made.home) as db:
        db.execute("update turns set position = -position where session_id = 'b'")
    assert "the turns stand in the order" in says(look(made.home, key))


def test_metadata_that_was_changed_is_named_with_what_the_events_say(home, key):
    """A mismatch says what the record has, and what the events say."""
    with opened(home) as db:
        db.execute("update turns set metadata = json_set(metadata, '$.approved_by', 'mallory') where session_id = 'b'")
        db.execute("update sessions set metadata = json_set(metadata, '$.customer', 'evil') where session_id = 'b'")
    report = look(home, key)
    assert "metadata approved_by is mallory, the events say alice" in says(report)
    assert "metadata customer is evil, the events say acme" in says(report)


def test_a_result_that_was_changed_is_named_with_its_tool_and_turn(home, key):
    """A mismatch says which tool call of which turn it is."""
    with opened(home) as db:
        row = rows_of(db, "tool_calls", "session_id = 'b' and tool_name = 'search'")[0]
        db.execute("update tool_calls set result = '{\"found\":[9]}' where event_id = ?", (row["event_id"],))
    report = look(home, key)
    assert f"turn {row['turn_id']}, tool call {row['call_id']} (search): result is" in says(report)


@pytest.mark.parametrize("and_files", [False, True])
def test_a_removal_that_nobody_signed_excuses_nothing(home, key, and_files):
    """A session that was deleted with removal rows of one's own is named, also when log and spans are without it."""
    store = open_store(Settings.read(home=home).store_url)
    store.delete_session("b")
    store.close()
    if and_files:
        forget_in_files(home, lambda value: value == "b")
    report = look(home, key)
    assert report.exit_code == 3
    assert "the removal is not signed by the key" in says(report)


def test_a_turn_under_a_forged_removal_is_named(home, key):
    """One turn cannot be taken out under a removal row of one's own."""
    with opened(home) as db:
        (turn_id,) = db.execute("select turn_id from turns where session_id = 'b' order by position").fetchone()
        rows = rows_of(db, "audit_events", "turn_id = ? order by sequence", turn_id)
        row = {"journal": rows[0]["journal"], "first": rows[0]["sequence"], "last": rows[-1]["sequence"]}
        row |= {"previous_hash": rows[0]["previous_hash"], "hash": rows[-1]["hash"], "at": "2026"}
        insert(db, "audit_removed", row | {"session": removed_name("zz")})
        for table in (*RECORD, "audit_events"):
            db.execute(f"delete from {table} where turn_id = ?", (turn_id,))
    assert look(home, key).exit_code == 3
    assert look(home).exit_code == 3, "the seal counts its events"


def test_an_emptied_store_is_not_proven(home, key):
    """Nothing is not proof: the log says what is gone, and where that is empty too, nothing is recorded."""
    with opened(home) as db:
        for table in TABLES:
            db.execute(f"delete from {table}")
    assert look(home, key).exit_code == 2
    (home / "turnspan.log.jsonl").write_text("")
    report = look(home, key)
    assert not report.proven
    assert report.exit_code == 4
    assert "nothing is recorded" in report.problem


@pytest.mark.parametrize("journal", ["its own", "a new one"])
@pytest.mark.parametrize("with_key", [True, False])
def test_content_under_a_forged_erasure_is_named(home, key, journal, with_key):
    """A note that says 'erased' excuses no content that is there."""
    with opened(home) as db:
        own = db.execute("select max(journal) from audit_events").fetchone()[0]
        forge_erasure(db, "b", own if journal == "its own" else None)
    assert look(home, key if with_key else None).exit_code == 3


@pytest.mark.parametrize("logged", [True, False])
def test_a_self_made_seal_excuses_nothing(tmp_path, logged):
    """Without any key: a seal of one's own that says 'the log failed' does not make other content true."""
    made = record(tmp_path / "home")
    with opened(made.home) as db:
        journal, added = forge_erasure(db, "b")
        seal = seal_for(journal, added, "b", log_failed=0 if logged else 5)
        append(db, [seal], journal)
        put_seal_in_metadata(db, "b", journal, seal.data)
    if logged:
        with (made.home / "turnspan.log.jsonl").open("a") as log:
            for event in (added[-1][2], seal):
                line = {"event": "noted", "audit_event_id": event.event_id, "session_id": "b", "timestamp": "2026"}
                log.write(json.dumps(line) + "\n")
    assert look(made.home).exit_code == 3


def test_an_erasure_that_was_not_signed_erases_nothing(home, key):
    """Even what is exactly as erasure leaves it is altered, unless somebody with the key has erased it."""
    from turnspan.maintenance.erase import erase

    made = Settings.read(home=home)
    store = open_store(made.store_url)
    erase("b", store, made)
    store.close()
    report = look(home, key)
    assert report.exit_code == 3
    assert "is not signed" in says(report)
    assert "its content is not what its digest says" in says(report)


def test_what_is_not_content_cannot_change_in_an_erased_event(home, key):
    """An erased payload is exactly what erasure made of it."""
    from turnspan.maintenance.erase import erase

    made = Settings.read(home=home, signing_key=key)
    store = open_store(made.store_url)
    erase("b", store, made)
    store.close()
    assert look(home, key).proven
    with opened(home) as db:
        row = rows_of(db, "audit_events", "session_id = 'b' and kind = 'tool_call.started'")[0]
        payload = row["payload"].replace("search", "delete")
        db.execute("update audit_events set payload = ? where event_id = ?", (payload, row["event_id"]))
    assert look(home, key).exit_code == 3


@pytest.mark.parametrize("signed_by", ["nobody", "another key", "garbage"])
def test_an_invented_turn_in_a_chain_of_its_own_is_named(home, key, signed_by):
    """Right hashes, a record, log lines, and a seal that is not ours: invented all the same."""
    with opened(home) as db:
        ids = {"session_id": "b", "turn_id": new_id()}
        events = [
            TurnStarted(**ids, agent_id="triage", prompt="Delete it?"),
            ModelCallStarted(**ids, call_id="m", model="gpt-5"),
            ModelCallEnded(**ids, call_id="m", output="Yes."),
            TurnEnded(**ids, response_content="Yes."),
        ]
        journal, added = append(db, events, new_id())
        own = Key(b"the key of somebody else, long enough") if signed_by == "another key" else None
        seal = seal_for(journal, added, "b", own)
        if signed_by == "garbage":
            seal.data["signature"] = "hmac-sha256:" + "0" * 64
        append(db, [seal], journal)
        put_seal_in_metadata(db, "b", journal, seal.data)
    report = look(home, key, logs="none")
    assert report.exit_code == 3
    assert "signed" in says(report)


def two_stretches(home, key):
    """Record one session in one process, sealed twice: in the middle, and at the end."""
    import turnspan

    made = Settings.read(home=home, strict=True, signing_key=key)
    recorder = Recorder(made)
    before = runtime.use(recorder)
    try:
        for _ in range(2):
            with turnspan.session("a") as session:
                with turnspan.turn(agent="x", prompt="p") as turn:
                    turn.response = "r"
                session.end()
            recorder.flush()
            recorder.flush()  # the seal, too
    finally:
        runtime.use(before)
        recorder.close()
    return made


def test_a_chain_that_is_cut_back_to_an_older_seal_is_named(tmp_path, key):
    """A seal that does not close its chain says that there was more, even where log and spans were cut as well."""
    made = two_stretches(tmp_path / "home", key)
    assert look(made.home, key).proven
    with opened(made.home) as db:
        seals = rows_of(db, "audit_events", "kind = 'noted' order by sequence")
        gone = rows_of(db, "audit_events", "sequence > ?", seals[0]["sequence"])
        db.execute("delete from audit_events where sequence > ?", (seals[0]["sequence"],))
        for turn_id in {row["turn_id"] for row in gone if row["turn_id"]}:
            db.execute("delete from turns where turn_id = ?", (turn_id,))
        put_seal_in_metadata(db, "a", seals[0]["journal"], json.loads(seals[0]["payload"])["data"])
    ids = {row["event_id"] for row in gone}
    forget_in_files(made.home, lambda value: value in ids)
    report = look(made.home, key)
    assert report.exit_code == 2
    assert "with a seal that does not close it" in says(report)
    assert look(made.home, key, session="a").exit_code == 2, "also where only that session is asked for"


def test_a_chain_that_is_gone_as_a_whole_is_missed_by_those_that_came_later(home, key):
    """A new chain names the ends of those before it."""
    with opened(home) as db:
        first = db.execute("select min(journal) from audit_events").fetchone()[0]
        for row in rows_of(db, "audit_events", "journal = ?", first):
            if row["turn_id"]:
                for table in RECORD:
                    db.execute(f"delete from {table} where turn_id = ?", (row["turn_id"],))
        db.execute("delete from audit_events where journal = ?", (first,))
        db.execute(f"update sessions set metadata = json_remove(metadata, '$.turnspan.seals.\"{first}\"')")
    report = look(home, key, logs="none")
    assert report.exit_code == 3
    assert f"of journal {first} is not there" in says(report)


def test_a_seal_cannot_be_put_elsewhere_or_get_more_in_it(home, key):
    """What stands around a seal in its line is not signed, and so may not be there."""
    with opened(home) as db:
        row = rows_of(db, "audit_events", "kind = 'noted' order by journal desc, sequence desc")[0]
        payload = row["payload"].replace('"kind":"noted"', '"kind":"noted","agent_id":"mallory"')
        db.execute(
            "update audit_events set payload = ?, digest = ? where event_id = ?",
            (payload, digest_of(payload.encode()), row["event_id"]),
        )
    assert "has more in it than a seal" in says(look(home, key))


def test_a_chain_of_another_store_does_not_belong_here(home, other_home, key):
    """What was signed with the same key elsewhere has no line in this log."""
    with sqlite3.connect(other_home / "sessions.db") as source, opened(home) as db:
        source.row_factory = sqlite3.Row
        for table in TABLES:
            for row in rows_of(source, table):
                insert(db, table, {name: value for name, value in row.items() if name != "position" or "call" in table})
    source.close()
    report = look(home, key)
    assert report.exit_code == 2
    assert {f.session_id for f in report.findings} == {"x"}


def test_a_session_that_is_deleted_in_the_tables_only_is_named(home, key):
    """Gone is gone by record, or missing."""
    with opened(home) as db:
        delete_session(db, "b")
    assert look(home, key).exit_code == 3


def test_a_turn_without_spans_and_with_nothing_but_a_model_call_is_no_alarm(tmp_path):
    """What turnspan has nothing to say of a turn is the same whether it says so or not."""
    import turnspan

    recorder = Recorder(Settings.read(home=tmp_path / "home", strict=True))
    before = runtime.use(recorder)
    with turnspan.session("s"), turnspan.turn(prompt="p"), turnspan.model_call("m"):
        pass
    runtime.use(before)
    recorder.close()
    report = look(tmp_path / "home")
    assert report.proven, report.findings
