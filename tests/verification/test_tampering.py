"""Whatever is altered, removed, inserted, reordered or cut off in journal or audit rows is named by ``verify``."""

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import turnspan
from turnspan.errors import TurnspanError
from turnspan.recording import runtime
from turnspan.recording.recorder import Recorder
from turnspan.settings import Settings
from turnspan.stores import open_store
from turnspan.verification import verify


def recorded(home: Path, **more) -> Settings:
    """Record two sessions in two processes, with a bit of everything."""
    made = Settings.read(home=home, strict=True, keep_journal=True, **more)
    for part in range(2):
        recorder = Recorder(made)
        before = runtime.use(recorder)
        try:
            for name in ("a", "b"):
                with turnspan.session(name), turnspan.turn(agent="triage", prompt=f"question {part}") as turn:
                    with turnspan.tool("search", query="x") as call:
                        call.result = {"found": [1, 2, 3]}
                    with pytest.raises(ValueError), turnspan.tool("fails"):
                        raise ValueError("no")
                    with turnspan.model_call("gpt-5", provider="openai") as call:
                        call.output = "answer"
                    turn.handoff("billing", reason="r")
                    turn.note("approval", {"by": "me"})
                    turn.response = "done"
        finally:
            runtime.use(before)
            recorder.close()
    return made


def check(made: Settings, **more):
    return verify(settings=made, spans="none", **more)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    home = tmp_path_factory.mktemp("original") / "home"
    made = recorded(home)
    report = check(made)
    assert report.proven, report.findings
    return home


@contextlib.contextmanager
def copy_of(home: Path, tmp: Path):
    target = tmp / "copy"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(home, target)
    yield Settings.read(home=target)


def rows_of(home: Path):
    with contextlib.closing(sqlite3.connect(home / "sessions.db")) as db:
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute("select * from audit_events order by journal, sequence")]


def change(home: Path, statement: str, *values):
    with contextlib.closing(sqlite3.connect(home / "sessions.db")) as db:
        assert db.execute(statement, values).rowcount == 1
        db.commit()


def flipped(value, bit: int):
    if isinstance(value, int):
        return value ^ (1 << bit % 60)
    if value is None:
        return "x"
    data = bytearray(value.encode())
    if not data:
        return "x"
    data[bit // 8 % len(data)] ^= 1 << bit % 7  # the highest bit would not be ASCII any more
    return data.decode()


KEEP = [HealthCheck.function_scoped_fixture]


@settings(max_examples=150, deadline=None, suppress_health_check=KEEP)
@given(data=st.data())
def test_a_bit_flipped_in_any_column_of_any_audit_row_is_named(original, tmp_path, data):
    """Any change of an audit row breaks the chain at that row."""
    rows = rows_of(original)
    row = data.draw(st.sampled_from(rows))
    column = data.draw(st.sampled_from(list(row)))
    value = flipped(row[column], data.draw(st.integers(0, 4000)))
    with copy_of(original, tmp_path) as made:
        change(made.home, f"update audit_events set {column} = ? where event_id = ?", value, row["event_id"])
        report = check(made)
        assert report.exit_code == 3, (column, row[column], value)
        named = {finding.verdict for finding in report.findings}
        assert "altered" in named


@settings(max_examples=60, deadline=None, suppress_health_check=KEEP)
@given(data=st.data())
def test_a_removed_audit_row_is_named(original, tmp_path, data):
    """A row that is gone leaves a gap in the numbers."""
    row = data.draw(st.sampled_from(rows_of(original)))
    with copy_of(original, tmp_path) as made:
        change(made.home, "delete from audit_events where event_id = ?", row["event_id"])
        report = check(made)
        assert report.exit_code == 3
        assert any(
            f"line {row['sequence']} of journal {row['journal']}" in f.says or row["journal"] in f.says
            for f in report.findings
        )


@settings(max_examples=40, deadline=None, suppress_health_check=KEEP)
@given(data=st.data())
def test_cutting_off_the_end_of_the_rows_is_named(original, tmp_path, data):
    """Seals say how long a chain is, so that its end cannot be cut off."""
    rows = rows_of(original)
    journal = data.draw(st.sampled_from(sorted({row["journal"] for row in rows})))
    length = max(row["sequence"] for row in rows if row["journal"] == journal)
    keep = data.draw(st.integers(0, length - 1))
    with copy_of(original, tmp_path) as made:
        with contextlib.closing(sqlite3.connect(made.home / "sessions.db")) as db:
            db.execute("delete from audit_events where journal = ? and sequence > ?", (journal, keep))
            db.commit()
        shutil.rmtree(made.home / "journal")  # the journals that were kept go too
        report = verify(settings=made, spans="none", logs="none")  # and the log
        assert report.exit_code == 3
        assert report.counts["completeness"]["altered"] or report.counts["integrity"]["altered"]


def test_cutting_off_both_rows_and_seals_is_seen_in_kept_journals_and_in_the_log(tmp_path):
    """Who removes the seals too is found by the journals that were kept, and by the log."""
    made = recorded(tmp_path / "home")
    with contextlib.closing(sqlite3.connect(made.home / "sessions.db")) as db:
        last = db.execute("select max(journal) from audit_events").fetchone()[0]
        db.execute("delete from audit_events where journal = ?", (last,))
        db.execute("update sessions set metadata = json_remove(metadata, '$.turnspan.seals.' || ?)", (f'"{last}"',))
        db.commit()
    assert check(made).exit_code == 3
    shutil.rmtree(made.home / "journal")
    report = check(made)
    assert report.counts["log"]["orphan"] > 5
    assert report.exit_code == 2


@settings(max_examples=40, deadline=None, suppress_health_check=KEEP)
@given(data=st.data())
def test_rows_that_change_places_are_named(original, tmp_path, data):
    """Two rows in each other's place are both found."""
    rows = rows_of(original)
    one, two = data.draw(st.lists(st.sampled_from(rows), min_size=2, max_size=2, unique_by=lambda r: r["event_id"]))
    with copy_of(original, tmp_path) as made:
        for row, other in ((one, two), (two, one)):
            change(
                made.home,
                "update audit_events set sequence = ?, journal = ? where event_id = ?",
                other["sequence"],
                other["journal"],
                row["event_id"],
            )
        assert check(made).exit_code == 3


@settings(max_examples=30, deadline=None, suppress_health_check=KEEP)
@given(data=st.data())
def test_an_inserted_row_is_named_even_with_a_right_hash_of_its_own(original, tmp_path, data):
    """A row that was made up has no place in the chain, however well its own hash fits."""
    from turnspan.journal.hash_chain import digest_of, hash_of, head_of

    rows = rows_of(original)
    at = data.draw(st.sampled_from(rows))
    payload = at["payload"].replace(at["event_id"], "f" * 32)
    forged = {**at, "event_id": "f" * 32, "payload": payload, "digest": digest_of(payload.encode())}
    forged["sequence"] = data.draw(st.sampled_from([at["sequence"], len(rows) + 1]))
    forged["previous_hash"] = at["hash"]
    head = head_of(forged["sequence"], forged["previous_hash"], forged["digest"], None)
    forged |= {"trace_id": None, "span_id": None, "trace_flags": None, "parent_span_id": None}
    forged["hash"] = hash_of(
        forged["journal"],
        head,
        forged["kind"],
        "f" * 32,
        forged["at_ns"],
        forged["session_id"],
        forged["turn_id"],
        forged["call_id"],
    )
    with copy_of(original, tmp_path) as made:
        names = ",".join(forged)
        change(
            made.home, f"insert into audit_events ({names}) values ({','.join('?' * len(forged))})", *forged.values()
        )
        assert check(made).exit_code == 3


@settings(max_examples=150, deadline=None, suppress_health_check=KEEP)
@given(data=st.data())
def test_a_bit_flipped_in_a_kept_journal_is_named(original, tmp_path, data):
    """Kept journals are checked to the last bit."""
    with copy_of(original, tmp_path) as made:
        path = data.draw(st.sampled_from(sorted((made.home / "journal").glob("*.kept"))))
        whole = bytearray(path.read_bytes())
        at = data.draw(st.integers(0, len(whole) * 8 - 1))
        whole[at // 8] ^= 1 << at % 8
        path.write_bytes(whole)
        report = check(made)
        assert report.exit_code == 3, (path, at // 8, bytes(whole[at // 8 - 20 : at // 8 + 20]))


@settings(max_examples=40, deadline=None, suppress_health_check=KEEP)
@given(data=st.data())
def test_a_line_removed_from_swapped_in_or_cut_off_a_kept_journal_is_named(original, tmp_path, data):
    """Kept journals are compared with the rows, line by line."""
    with copy_of(original, tmp_path) as made:
        path = data.draw(st.sampled_from(sorted((made.home / "journal").glob("*.kept"))))
        head, *lines = path.read_bytes().splitlines(keepends=True)
        match data.draw(st.sampled_from(["remove", "swap", "double", "cut"])):
            case "remove":
                del lines[data.draw(st.integers(0, len(lines) - 2))]
            case "swap":
                at = data.draw(st.integers(0, len(lines) - 2))
                lines[at], lines[at + 1] = lines[at + 1], lines[at]
            case "double":
                lines.insert(0, lines[data.draw(st.integers(0, len(lines) - 1))])
            case "cut":
                del lines[-1]
        path.write_bytes(b"".join([head, *lines]))
        assert check(made).exit_code == 3


TABLES = {
    "turns": ["prompt", "response_content", "status", "error", "started_at", "ended_at", "agent_id", "audit_event_ids"],
    "tool_calls": ["call_id", "tool_name", "arguments", "result", "status", "error", "duration_ms", "metadata"],
    "model_calls": ["details"],
    "agent_transitions": ["from_agent", "to_agent", "reason"],
}


@pytest.mark.parametrize(("table", "column"), [(t, c) for t, columns in TABLES.items() for c in columns])
def test_what_people_read_is_compared_with_the_events(original, tmp_path, table, column):
    """Every column that is shown is held against the events that it was folded from."""
    with copy_of(original, tmp_path) as made:
        with contextlib.closing(sqlite3.connect(made.home / "sessions.db")) as db:
            rowid = db.execute(f"select * from {table} where session_id = 'a' limit 1").fetchone()
            assert rowid is not None
            new = {
                "audit_event_ids": "[]",
                "arguments": '{"other":1}',
                "result": '"other"',
                "duration_ms": 99,
                "metadata": '{"turnspan":{"other":1}}',
                "details": '{"model":"other"}',
            }.get(column, "other")
            key = "position" if table in ("turns", "agent_transitions") else "event_id"
            which = db.execute(f"select {key} from {table} where session_id = 'a' limit 1").fetchone()[0]
            db.execute(f"update {table} set {column} = ? where {key} = ? and session_id = 'a'", (new, which))
            db.commit()
        report = check(made)
        assert report.exit_code == 2
        assert report.counts["record"]["mismatch"] >= 1
        assert {finding.session_id for finding in report.findings} == {"a"}


def test_a_forged_turn_and_a_removed_one_are_named(original, tmp_path):
    """A turn that no event tells of, and events whose turn is gone, are mismatches."""
    with copy_of(original, tmp_path) as made:
        store = open_store(made.store_url)
        session = store.load_session("a")
        gone = session.turns.pop()
        store.save_session(session)
        session.turns.append(turnspan.TurnRecord("forged", response_content="I never said that"))
        store.save_session(session)
        report = check(made)
        assert [(f.verdict, f.id) for f in report.findings if f.check == "record"] == [
            ("orphan", "forged"),
            ("missing", gone.turn_id),
        ]


def test_only_the_session_that_is_asked_for_is_looked_at(original, tmp_path):
    """What is wrong with another session does not touch this one's verdict."""
    with copy_of(original, tmp_path) as made:
        row = next(row for row in rows_of(made.home) if row["session_id"] == "b" and row["kind"] == "turn.ended")
        change(made.home, "update audit_events set payload = 'x' where event_id = ?", row["event_id"])
        assert check(made, session="a").proven
        assert check(made, session="b").exit_code == 3


def test_a_session_that_was_removed_leaves_a_trace_of_itself(original, tmp_path):
    """Log lines of a removed session are explained as removed."""
    with copy_of(original, tmp_path) as made:
        shutil.rmtree(made.home / "journal")
        open_store(made.store_url).delete_session("b")
        report = check(made)
        assert {(f.check, f.verdict) for f in report.findings} == {("log", "removed")}
        assert report.exit_code == 1
        rest = [row for row in rows_of(made.home)]
        change(made.home, "delete from audit_events where event_id = ?", rest[3]["event_id"])
        assert check(made).exit_code == 3


@pytest.mark.parametrize("kind", ["hmac", "ed25519"])
def test_signed_seals_are_checked(tmp_path, kind):
    """With the key a seal of another key, or none, is altered; with HMAC and Ed25519 alike."""
    if kind == "hmac":
        (tmp_path / "key").write_text("0123456789abcdef0123456789abcdef")
        (tmp_path / "check").write_text("0123456789abcdef0123456789abcdef")
        (tmp_path / "other").write_text("another key, which is long enough")
    else:
        from cryptography.hazmat.primitives import serialization as ser
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        for private, public in (("key", "check"), ("private", "other")):
            made = Ed25519PrivateKey.generate()
            pem = made.private_bytes(ser.Encoding.PEM, ser.PrivateFormat.PKCS8, ser.NoEncryption())
            (tmp_path / private).write_bytes(pem)
            pem = made.public_key().public_bytes(ser.Encoding.PEM, ser.PublicFormat.SubjectPublicKeyInfo)
            (tmp_path / public).write_bytes(pem)
    made = recorded(tmp_path / "home", signing_key=str(tmp_path / "key"))
    assert verify(settings=made, spans="none", key=str(tmp_path / "check")).proven
    report = verify(settings=made, spans="none", key=str(tmp_path / "other"))
    assert report.exit_code == 4
    assert "no seal in it is signed by this key" in report.problem
    unsigned = recorded(tmp_path / "unsigned")
    assert verify(settings=unsigned, spans="none", key=str(tmp_path / "check")).exit_code == 3


def test_a_key_that_is_none_is_reported(tmp_path):
    """A key that is too short, broken or not there is an error, not a verdict."""
    (tmp_path / "short").write_text("short")
    (tmp_path / "bad").write_text("-----BEGIN PRIVATE KEY-----\nnothing\n-----END PRIVATE KEY-----")
    for name in ("short", "bad", "absent"):
        with pytest.raises(TurnspanError, match="key"):
            verify(settings=Settings.read(home=tmp_path), key=str(tmp_path / name))
