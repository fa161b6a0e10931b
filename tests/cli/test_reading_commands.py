"""What the reading commands show of a session, and that they only read."""

import json
import os
import pty
import re
import subprocess
from hashlib import sha256

import pytest

import turnspan
from support.commands import document, invoke, problem
from support.programs import BIN, PYTHON, program, run
from support.receiver import Receiver

PROMPT = "Please refund invoice 7: " + "I paid it twice. " * 20


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with a session of two turns: a failing tool, a model call, a handoff and an approval in the first."""
    folder = tmp_path_factory.mktemp("reading") / "home"
    turnspan.configure(home=folder, session_id="")
    with turnspan.session("support-42", workspace_id="eu"):
        with turnspan.turn(agent="triage", prompt=PROMPT) as turn:
            with turnspan.model_call("gpt-5", provider="openai") as call:
                call.usage = turnspan.Usage(input_tokens=12, output_tokens=3)
            with turnspan.tool("find_invoice", number=7) as call:
                call.result = {"state": "paid twice", "receipt": "REC-9"}
            with pytest.raises(OSError, match="bank"), turnspan.tool("refund", number=7):
                raise OSError("the bank did not answer")
            turn.note("approval", {"by": "maria", "decision": "granted"})
            turn.handoff("billing", "money")
            turn.response = "You get it back."
        with turnspan.turn(agent="billing", prompt="Thanks") as turn:
            turn.response = "Welcome."
    turnspan.shutdown()
    return folder


@pytest.fixture(autouse=True)
def in_home(home, monkeypatch):
    monkeypatch.setenv("TURNSPAN_HOME", str(home))


def record():
    return document("show", "support-42")


def ids_of(value):
    """Return every id in a document."""
    return set(re.findall(r"\b[0-9a-f]{32}\b|\b[0-9a-f]{16}\b", json.dumps(value)))


def test_show_with_ids_has_every_id_of_the_record():
    """--ids leaves no event, call, span, turn or trace id out."""
    shown = invoke("show", "support-42", "--ids")
    session = record()
    wanted = ids_of([{k: v for k, v in turn.items() if k != "metadata"} for turn in session["turns"]])
    wanted |= ids_of(
        [call["metadata"]["turnspan"]["audit_event_ids"] for t in session["turns"] for call in t["tool_calls"]]
    )
    assert len(wanted) >= 12
    assert not [id_ for id_ in wanted if id_ not in shown]


def test_replay_with_ids_has_an_event_for_everything_that_happened():
    """Handoffs and notes have their event ids too, in the table and in the document."""
    entries = document("replay", "support-42")["entries"]
    assert [entry["kind"] for entry in entries] == [
        "turn", "model call", "tool call", "tool call", "note", "handoff", "agent", "turn"
    ]  # fmt: skip
    assert all(entry["audit_event_ids"] for entry in entries)
    shown = invoke("replay", "support-42", "--ids")
    for entry in entries[1:-1]:
        assert all(id_ in shown for id_ in entry["audit_event_ids"])


def test_notes_are_timed_and_everywhere():
    """An approval has its time and content in show, replay, JSON and Markdown, and is found by its words."""
    note = next(entry for entry in document("replay", "support-42")["entries"] if entry["kind"] == "note")
    assert note["started_at"] and note["details"]["data"] == {"by": "maria", "decision": "granted"}
    event_id = note["audit_event_ids"][0]
    markdown = invoke("export", "support-42", "--format", "markdown")
    assert f"- note `approval` ({note['started_at']}, audit event {event_id})" in markdown and "maria" in markdown
    for command in (["show", "support-42", "--utc"], ["replay", "support-42", "--utc"]):
        (line,) = [line for line in invoke(*command).splitlines() if "note approval" in line]
        assert note["started_at"][:10] in line and "maria" in line and " UTC" in line
    for words in ("maria granted", "approval", '"paid twice"', "REC-9"):
        assert [one["session_id"] for one in document("sessions", "--search", words)["sessions"]] == ["support-42"]


def test_full_shows_content_whole_and_short_says_how_much_is_missing():
    """Content is folded with the number of characters left out; --full has all of it."""
    assert PROMPT.strip() not in invoke("show", "support-42")
    assert re.search(r"\(\+\d+\)", invoke("show", "support-42"))
    assert PROMPT.strip() in invoke("show", "support-42", "--full")


@pytest.mark.parametrize("wanted", ["2", "-1", "the beginning of its id"])
def test_one_turn_can_be_asked_for(wanted):
    """--turn takes a number, from either end, or an id or the beginning of one that is unambiguous."""
    turn_ids = [turn["turn_id"] for turn in record()["turns"]]
    wanted = wanted if wanted.lstrip("-").isdecimal() else turn_ids[1]
    assert [turn["turn_id"] for turn in document("show", "support-42", "--turn", wanted)["turns"]] == turn_ids[1:]
    assert {entry["turn_id"] for entry in document("replay", "support-42", "--turn", wanted)["entries"]} == {
        turn_ids[1]
    }
    assert "its turns are numbered 1 to 2" in problem("show", "support-42", "--turn", "3")


def test_times_have_their_zone(monkeypatch):
    """Local times carry their offset, UTC is named; both are the same moment."""
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    done = {zone: run(BIN / "turnspan", "sessions", *zone, check=True).stdout for zone in ((), ("--utc",))}
    assert re.search(r"\d\d:\d\d:\d\d \+05:30", done[()]) and re.search(r"\d\d:\d\d:\d\d UTC", done["--utc",])


def test_a_pipe_gets_a_row_a_line_and_all_of_it():
    """Nothing is wrapped, cut or coloured where output is no terminal."""
    rows = invoke("sessions").splitlines()
    assert len(rows) == 2 and PROMPT.strip() in rows[1] and "\x1b" not in "".join(rows)


def on_a_terminal(*command, env):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [str(BIN / "turnspan"), *command], stdin=theirs, stdout=theirs, stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "60", "LINES": "8", **env},
    )  # fmt: skip
    os.close(theirs)
    got = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other end was closed
            break
        if not piece:
            break
        got += piece
    os.close(ours)
    assert process.wait(60) == 0, got
    return got.decode()


def test_what_is_longer_than_the_screen_goes_through_the_pager(tmp_path):
    """On a terminal the pager of the environment gets it; what fits is printed."""
    pager = program(tmp_path / "pager.py", "import sys\nprint(f'paged {len(sys.stdin.readlines())} lines')\n")
    env = {"PAGER": f"{PYTHON} {pager}"}
    assert re.search(r"paged (1\d|2\d) lines", on_a_terminal("show", "support-42", env=env))
    assert "paged" not in on_a_terminal("sessions", env=env)


def test_ids_are_whole_on_a_narrow_terminal():
    """At 60 columns the trace and turn ids of show are still in one piece."""
    shown = on_a_terminal("show", "support-42", "--turn", "1", env={"PAGER": "cat"})
    assert record()["turns"][0]["turn_id"] in shown


# Reading changes nothing -------------------------------------------------------------------------------------------

DIES = """
import os, signal, turnspan
turnspan.configure()
with turnspan.session("before"), turnspan.turn(agent="a", prompt="x"):
    pass
turnspan.flush()  # it stands in SQLite's log, not in the database file
with turnspan.session("dead"), turnspan.turn(agent="a", prompt="x"):
    os.kill(os.getpid(), signal.SIGKILL)
"""
READING = [
    "sessions", "show support-42", "replay support-42", "replay support-42 --by tool", "find support-42", "verify",
    "export support-42", "export support-42 --format otlp", "doctor",
]  # fmt: skip


def contents(folder):
    """Return what is in a folder, but for SQLite's index of its log, and for a log with nothing in it."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".db-shm"]
    files = [path for path in files if path.suffix != ".db-wal" or path.stat().st_size]
    return {str(path): (sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns) for path in files}


def test_reading_commands_change_nothing_and_send_nothing(home, tmp_path):
    """With a dead process's journal waiting and an endpoint set, no command that reads stores, sends or writes anything."""
    copy = tmp_path / "home"
    run("cp", "-r", home, copy, check=True)
    run(PYTHON, program(tmp_path / "dies.py", DIES), env={"TURNSPAN_HOME": str(copy)})
    before = contents(copy)
    assert any(path.endswith("-wal") for path in before), "a database that was not closed"
    with Receiver() as receiver:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "TURNSPAN_HOME": str(copy)}
        for command in READING:
            done = run(BIN / "turnspan", *command.split(), env=env)
            said = done.stdout + done.stderr
            waits = "a dead process left a journal of 5 events" in said and "`turnspan recover` stores them" in said
            assert waits or command == "verify", f"{command} does not say that a journal waits: {said}"
            assert contents(copy) == before, command
        assert receiver.spans == []
        recovered = json.loads(run(BIN / "turnspan", "recover", "--json", env=env, check=True).stdout)
        assert [one["interrupted_turns"] for one in recovered["journals"]] == [1]
        assert {span.name for span in receiver.spans} == {"invoke_agent a"}
    assert "recover" not in run(BIN / "turnspan", "show", "dead", env={"TURNSPAN_HOME": str(copy)}, check=True).stderr


def test_a_reading_command_makes_no_home_and_no_store(tmp_path):
    """Where nothing is, nothing is made."""
    for command in ("sessions", "show last", "find x", "verify", "doctor"):
        run(BIN / "turnspan", *command.split(), "--home", tmp_path / "none")
        run(BIN / "turnspan", *command.split(), "--store", f"file://{tmp_path / 'sessions'}", cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_was_mistyped_is_corrected_by_recover(tmp_path):
    """What waits for a store that cannot be reached goes where --store says, and is read there."""
    env = {"TURNSPAN_HOME": str(tmp_path / "home"), "TURNSPAN_STORE": "postgresql://nobody@127.0.0.1:9/none"}
    run(PYTHON, program(tmp_path / "dies.py", DIES), env=env)
    waits = run(BIN / "turnspan", "recover", "--home", tmp_path / "home")
    assert waits.returncode == 1 and "recover --store URL" in waits.stderr
    right = f"sqlite:///{tmp_path / 'right.db'}"
    run(BIN / "turnspan", "recover", "--home", tmp_path / "home", "--store", right, check=True)
    shown = json.loads(run(BIN / "turnspan", "show", "dead", "--json", "--store", right, check=True).stdout)
    assert [turn["status"] for turn in shown["turns"]] == ["cancelled"]


def test_show_says_what_model_calls_cost():
    """By the list prices of genai-prices: 12 tokens in and 3 out of gpt-5, $1.25 and $10 a million."""
    assert "12 in / 3 out tokens  $0.000045" in invoke("show", "support-42")
