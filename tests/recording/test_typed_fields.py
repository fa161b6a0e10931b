"""A value that is not of its field's type costs itself at most: never its event, and never the lines behind it."""

import enum
import uuid

import pytest

import turnspan
from support.programs import PYTHON, program, run
from support.programs import turnspan as command
from turnspan.events import FIELDS, KINDS, HandedOff, ModelCallEnded, Part, ToolCallEnded, TurnEnded, Usage
from turnspan.journal.hash_chain import Line, decode, digest_of
from turnspan.recording import runtime
from turnspan.recording.ledger import Ledger
from turnspan.recording.recorder import Recorder
from turnspan.recording.redaction import Redactor
from turnspan.recording.typed_fields import typed
from turnspan.settings import Settings
from turnspan.stores import open_store
from turnspan.verification import verify


class Color(enum.Enum):
    RED = "red"


class Opaque:
    pass


ODD = {
    "int": 7, "float": 12.5, "whole float": 12.0, "digits": "12", "huge": 2**70, "negative": -1, "nan": float("nan"), "bool": True, "none": None,
    "enum": Color.RED, "object": Opaque(), "exception": ValueError("x"), "bytes": b"\xff", "list": [None, 1], "pairs": [("a", 1)], "dict": {"a": 1},
    "empty": "", "word": "failed", "uuid": uuid.UUID(int=3), "class": int, "surrogate": "\ud800",
}  # fmt: skip
NEEDED = {"tool_name": "t", "to_agent": "b", "name": "n"}
TYPED = [
    (kind, name)
    for kind, cls in KINDS.items()
    for name in cls.__struct_fields__
    if FIELDS[name] not in (Part.CONTENT, Part.RECORD) and name not in ("borrowed", "follows", "resource")
]


def made(kind, name, value):
    cls = KINDS[kind]
    needed = {field: text for field, text in NEEDED.items() if field in cls.__struct_fields__}
    return cls(**{"session_id": "s", "turn_id": "t", **needed, name: value})


@pytest.mark.parametrize(("kind", "name"), TYPED)
def test_whatever_a_field_holds_its_event_can_be_read_back(kind, name):
    """Every field of every event with every odd value: what is written is an event, and the ledger takes it."""
    ledger = Ledger("j")
    for number, value in enumerate(ODD.values(), 1):
        event, payload = Redactor().take(typed(made(kind, name, value))[0])
        assert decode(payload) == event
        assert ledger.fold(Line(number, "", f"{number}", digest_of(payload), None, payload)) is not None
    assert len(ledger.take().audit) == len(ODD)


def test_what_says_the_same_in_its_own_type_is_kept():
    """Text of anything, numbers in digits, counts as a mapping: as meant."""
    usage = typed(ModelCallEnded(session_id="s", usage={"input_tokens": "12", "output_tokens": 3.0}))
    assert usage == (typed(usage[0])[0], [])
    assert usage[0].usage == Usage(input_tokens=12, output_tokens=3)
    assert typed(TurnEnded(session_id="s", turn_id=7))[0].turn_id == "7"
    assert typed(TurnEnded(session_id="s", turn_id="t", metadata=[("a", 1)]))[0].metadata == {"value": [["a", 1]]}
    assert typed(ModelCallEnded(session_id="s", response_id=5, finish_reasons=[None, Color.RED]))[0].finish_reasons == [
        "red"
    ]
    assert Redactor().take(HandedOff(session_id="s", to_agent=None))[0].to_agent == ""


def test_what_has_no_meaning_is_left_out_and_named():
    """Half a token, a status that nobody knows: the event stays, and it is said what is not in it."""
    event, lost = typed(ModelCallEnded(session_id="s", usage=Usage(input_tokens=12.5, output_tokens=3)))
    assert (event.usage, lost) == (Usage(output_tokens=3), ["usage.input_tokens"])
    event, lost = typed(ToolCallEnded(session_id="s", status="failed"))
    assert (event.status, event.error, lost) == ("error", "status failed", ["status"])


def test_it_is_reported_once_and_costs_nothing_else(tmp_path, caplog):
    """By hand, through record, log and spans to a store, with a verdict."""
    recorder = Recorder(Settings.read(home=tmp_path / "home"))
    with runtime.hold(recorder):
        for session in (7, uuid.UUID(int=3)):
            with turnspan.turn(agent=Opaque(), prompt="x", session=session, turn_id=session) as turn:
                with turnspan.tool("t") as call:
                    call.status = "failed"
                with turnspan.model_call("m", provider=Color.RED) as call:
                    call.usage, call.finish_reasons, call.response_id = {"input_tokens": 1.5}, [None], 5
                turn.handoff(None, reason={"a": 1})
                turn.error = ValueError("x")
    recorder.close()
    assert len([one for one in caplog.records if "turnspan event failed" in one.message]) == 1
    store = open_store(f"sqlite:///{tmp_path}/home/sessions.db")
    assert store.list_sessions() == ["7", "00000000-0000-0000-0000-000000000003"]
    turn = store.load_session("7").turns[0]
    assert (turn.turn_id, turn.status, [call.status for call in turn.tool_calls]) == ("7", "error", ["error"])
    report = verify(settings=Settings.read(home=tmp_path / "home"), spans="none")
    assert report.proven, report.findings


DIES = """
import os, turnspan
from turnspan.events import *
from turnspan.recording import runtime
turnspan.configure(home="home", telemetry=False)
def play(name):
    with turnspan.session(name), turnspan.turn(agent="a", prompt="x") as turn:
        with turnspan.tool("t"):
            pass
        turn.response = "ok"
play("before")
append = runtime.recorder().pipeline.appender.append
append(ToolCallEnded(session_id="before", turn_id="t", status="from another version"))
append(Noted(session_id="before", turn_id=None, name=5))
play("after")
if {killed}:
    os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("killed", [True, False])
def test_an_event_that_cannot_be_read_costs_itself_alone(killed, tmp_path):
    """Live, in recovery, in a rebuilt store and in verification: everything else is there, and it is named."""
    run(PYTHON, program(tmp_path / "dies.py", DIES.format(killed=killed)), cwd=tmp_path)
    command("recover", "--home", "home", cwd=tmp_path, check=True)
    assert not list((tmp_path / "home/journal").glob("*.journal"))
    report = verify(settings=Settings.read(home=tmp_path / "home"), spans="none")
    assert [(one.check, one.verdict) for one in report.findings] == [("integrity", "missing")] * 2, report.findings
    assert all("cannot be read as an event" in one.says for one in report.findings)
    assert report.exit_code == 2
    store = open_store(f"sqlite:///{tmp_path}/home/sessions.db")
    assert [store.load_session(name).turns[0].status for name in ("before", "after")] == ["success"] * 2
    command(
        "rebuild",
        "--home",
        "home",
        "--of",
        f"sqlite:///{tmp_path}/home/sessions.db",
        "--store",
        "sqlite:///again.db",
        cwd=tmp_path,
        check=True,
    )
    assert open_store(f"sqlite:///{tmp_path}/again.db").list_sessions() == ["before", "after"]
