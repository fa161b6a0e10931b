"""With content off, nothing that anybody said is on record, in telemetry, or in what turnspan says of itself."""

import json
import logging

import msgspec
import pytest

import turnspan
from support.programs import BIN, program, run
from support.receiver import Receiver
from turnspan.adapter import notes
from turnspan.events import FIELDS, KINDS, Noted, Part, Usage
from turnspan.model.records import OURS
from turnspan.recording.content_policy import NOT_CAPTURED, NOTE_FACTS
from turnspan.recording.problems import Problem
from turnspan.recording.redaction import Redactor
from turnspan.testing import record

SAID = (Part.CONTENT, Part.TEXT, Part.METADATA)
TYPED = {
    "usage": Usage(input_tokens=1), "finish_reasons": ["stop"], "first_chunk_ns": 7, "history": 3, "streamed": True, "status": "error",
    "source": "explicit", "resource": {"service.name": "x"}, "at_ns": 5, "borrowed": None, "record": None,
}  # fmt: skip


def filled(kind):
    """Return an event of a kind with something in each field that says which field it is."""
    given = {}
    for name in kind.__struct_fields__:
        if name in TYPED:
            given[name] = TYPED[name]
        elif FIELDS[name] is Part.METADATA:
            given[name] = {
                "customer": f"SAID-{name}",
                "deep": {"k": ["SAID-deep"]},
                OURS: {"parent_turn_id": "KEPT-ours"},
            }
        elif FIELDS[name] is Part.CONTENT:
            given[name] = [{"role": "user", "content": f"SAID-{name}"}]
        else:
            given[name] = f"{'SAID' if FIELDS[name] in SAID else 'KEPT'}-{name}"
    return kind(**given)


def test_the_table_has_every_field_that_an_event_has():
    """A field that is added must be decided about."""
    assert set(FIELDS) == {name for kind in KINDS.values() for name in kind.__struct_fields__}


@pytest.mark.parametrize("mode", ["none", "redacted"])
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_each_field_is_treated_as_the_table_says(kind, mode):
    """What the table calls content, text or metadata is out of every event; everything else stays as it was."""
    given = filled(kind)
    event, payload = Redactor(mode=mode).take(given)
    assert b"SAID" not in payload
    assert b"SAID" not in msgspec.json.encode(event)
    for name in kind.__struct_fields__:
        before, after = getattr(given, name), getattr(event, name)
        match FIELDS[name]:
            case Part.CONTENT | Part.TEXT if mode == "redacted":
                assert "[redacted " in str(after)
            case Part.CONTENT:
                assert after in ("", None)
            case Part.TEXT:
                assert after == NOT_CAPTURED
            case Part.METADATA:
                assert after[OURS] == before[OURS]
                assert set(after) == ({OURS} if mode == "none" else set(before))
            case _:
                assert after == before


def test_full_keeps_everything():
    """Content that nobody wanted out stays."""
    for kind in KINDS.values():
        given = filled(kind)
        assert Redactor().take(given)[0] == given


def test_who_decided_what_stays_when_content_goes():
    """The facts of the notes that mean the same everywhere are no content; what was said about them is."""
    assert set(NOTE_FACTS) <= {getattr(notes, name) for name in dir(notes) if name.isupper()}
    data = {"tool_name": "refund", "call_id": "c", "by": "alice", "reason": "SAID", "arguments": {"x": "SAID"}}
    event, payload = Redactor(mode="none").take(Noted(session_id="s", name=notes.APPROVAL_DENIED, data=data))
    assert event.data == {"tool_name": "refund", "call_id": "c", "by": "alice"}
    assert b"SAID" not in payload
    event, _ = Redactor(mode="none").take(Noted(session_id="s", name="my own", data=data))
    assert event.data is None


PROGRAM = """
import turnspan
with turnspan.session("SESS-KEEP", metadata={"customer": "SAID1"}), turnspan.turn(agent="a", prompt="SAID2", metadata={"m": {"k": "SAID3"}}) as turn:
    with turnspan.tool("lookup", q="SAID4") as call:
        call.result = "SAID5"
    try:
        with turnspan.tool("boom", q=1):
            raise ValueError("SAID6")
    except ValueError:
        pass
    with turnspan.model_call("m", messages=[{"role": "user", "content": "SAID7"}]) as call:
        call.output = "SAID8"
    with turnspan.agent("sub", description="SAID9") as agent:
        agent.response = "SAID10"
    turnspan.note("approval", "SAID11")
    turn.handoff("b", reason="SAID12")
    turn.response = "SAID13"
try:
    with turnspan.turn(agent="a", prompt="SAID14"):
        raise RuntimeError("SAID15")
except RuntimeError:
    pass
"""


@pytest.mark.parametrize("telemetry", ["NO_CONTENT", "SPAN_AND_EVENT"])
@pytest.mark.parametrize("mode", ["none", "redacted"])
def test_nothing_said_is_in_any_file_or_sent_anywhere(tmp_path, mode, telemetry):
    """Journal, store, log and spans on disk, and traces, logs and metrics at a collector, are without content."""
    with Receiver() as receiver:
        env = {
            "TURNSPAN_CAPTURE_CONTENT": mode, "TURNSPAN_KEEP_JOURNAL": "1", "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": telemetry,
        }  # fmt: skip
        run(BIN / "turnspan", "run", program(tmp_path / "p.py", PROGRAM), cwd=tmp_path, env=env, check=True)
        sent = [bytes(request.SerializeToString()) for requests in receiver.requests.values() for request in requests]
    files = [path.read_bytes() for path in (tmp_path / ".turnspan").rglob("*") if path.is_file()]
    assert len(files) >= 4
    assert len(sent) >= 3
    assert not [data for data in (*files, *sent) if b"SAID" in data]
    assert any(b"SESS-KEEP" in data for data in files)
    for command in ("show SESS-KEEP --json", "export SESS-KEEP --format markdown", "replay SESS-KEEP"):
        shown = run(BIN / "turnspan", *command.split(), cwd=tmp_path, check=True).stdout
        assert "SAID" not in shown
        assert "boom" in shown


def test_descriptions_stand_on_spans_only_where_content_may(tmp_path):
    """What an agent is told to be is content: it is on record, and on spans where those may have content."""
    for telemetry, expected in (("NO_CONTENT", False), ("SPAN_ONLY", True)):
        home = tmp_path / telemetry
        env = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": telemetry}
        home.mkdir()
        run(BIN / "turnspan", "run", program(home / "p.py", PROGRAM), cwd=home, env=env, check=True)
        assert ("SAID9" in (home / ".turnspan" / "spans.jsonl").read_text()) is expected


@pytest.mark.parametrize("mode", ["full", "none", "redacted"])
def test_problems_quote_content_only_where_it_may_be_kept(mode, caplog):
    """An error of turnspan's own may quote what an agent said; with content off, its class is reported and its text is not."""
    caplog.set_level(logging.DEBUG)
    with record(capture_content=mode, strict=False) as recording:
        try:
            raise ValueError("cannot handle SAID")
        except ValueError as error:
            recording.recorder.problems.report(Problem.RECORDER, error)
    assert "ValueError" in caplog.text
    assert ("SAID" in caplog.text) is (mode == "full")


def test_errors_of_databases_do_not_quote_what_was_to_be_stored(tmp_path):
    """SQLAlchemy's messages have the parameters of a statement in them, unless told not to."""
    import sqlalchemy as sa

    from turnspan.stores.sql import SqlSessionStore

    store = SqlSessionStore(f"sqlite:///{tmp_path / 'x.db'}")
    with store._database.engine.begin() as connection, pytest.raises(sa.exc.OperationalError) as raised:
        connection.execute(sa.text("INSERT INTO absent VALUES (:said)"), {"said": "SAID"})
    assert "SAID" not in str(raised.value)
    store.close()


@pytest.mark.parametrize("mode", ["full", "none", "redacted"])
def test_imported_turns_go_by_the_same_table(mode, tmp_path):
    """A turn that another program kept is no write of the application: secrets and content are taken out of it, too."""
    secret = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789"
    call = turnspan.ToolCallRecord(
        "c", "f", {"q": f"SAID {secret}"}, result="SAID", error="SAID", metadata={"k": "SAID"}
    )
    turn = turnspan.TurnRecord(
        "t", agent_id="a", prompt=f"SAID {secret}", response_content="SAID", tool_calls=[call], status="success",
        metadata={"m": "SAID"},
    )  # fmt: skip
    session = turnspan.SessionRecord("s", turns=[turn])
    (tmp_path / "s.jsonl").write_text(json.dumps(session.to_dict()) + "\n")
    env = {"TURNSPAN_CAPTURE_CONTENT": mode, "TURNSPAN_KEEP_JOURNAL": "1"}
    run(BIN / "turnspan", "import", "jsonl", "s.jsonl", cwd=tmp_path, env=env, check=True)
    files = [path.read_bytes() for path in (tmp_path / ".turnspan").rglob("*") if path.is_file()]
    assert not [data for data in files if secret.encode() in data]
    assert any(b"SAID" in data for data in files) is (mode == "full")
    shown = json.loads(run(BIN / "turnspan", "show", "s", "--json", cwd=tmp_path, check=True).stdout)
    assert shown["turns"][0]["tool_calls"][0]["tool_name"] == "f"
    assert run(BIN / "turnspan", "verify", cwd=tmp_path).returncode in (0, 1)
