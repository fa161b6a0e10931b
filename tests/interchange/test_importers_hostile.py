"""Histories are other people's folders: whatever is in them costs one line each, and the rest goes on."""

import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.programs import turnspan as command
from turnspan import InMemorySessionStore
from turnspan.cli.formatting import Display
from turnspan.cli.views.session import session_view
from turnspan.cli.views.timeline import timeline_view
from turnspan.errors import TurnspanError
from turnspan.interchange.exporters import FORMATS
from turnspan.interchange.importers import KINDS, Unreadable, files, read, store_history
from turnspan.model.records import SessionRecord
from turnspan.reading.timeline import timeline_of
from turnspan.reading.tree import session_tree

GOOD = {"session_id": "good", "turns": [{"turn_id": "t", "prompt": "go", "response_content": "done"}]}
BAD_LINES = {
    "torn": b'{"session_id": "x", "tur',
    "no JSON": b"\x00\x01 nonsense",
    "not UTF-8": b'{"session_id": "\xff\xfe"}',
    "too deep": b"[" * 100_000,
    "a huge integer": b'{"session_id": "x", "turns": ' + b"9" * 5000 + b"}",
    "a list": b"[1, 2]",
    "a wrong type": b'{"session_id": "x", "turns": [{"turn_id": "t", "tool_calls": 5}]}',
    "a control character in an id": b'{"session_id": "a\\u0000b", "turns": []}',
    "messages that are none": b'{"messages": [1, "x", null]}',
}


def test_each_bad_line_costs_one_line_and_the_rest_goes_on(tmp_path):
    """Between nine kinds of bad lines the good one is stored, and each bad one is named with its place."""
    lines = list(BAD_LINES.values())
    path = tmp_path / "history.jsonl"
    path.write_bytes(b"\n".join([*lines[:5], json.dumps(GOOD).encode(), *lines[5:]]))
    done = command("import", "jsonl", path, "--home", tmp_path / "home")
    assert (done.returncode, done.stderr) == (0, "")
    first, *unreadable = done.stdout.splitlines()
    assert first.startswith("1 session and 1 turn stored")
    assert len(unreadable) == len(BAD_LINES)
    assert all(line.startswith("could not read ") and len(line) < 500 for line in unreadable)
    shown = json.loads(command("show", "good", "--json", "--home", tmp_path / "home", check=True).stdout)
    assert shown["turns"][0]["response_content"] == "done"


@pytest.mark.parametrize("kind", KINDS)
def test_a_pipe_does_not_block(kind, tmp_path):
    """A FIFO that nobody writes is not a file; the import ends at once and says so."""
    os.mkfifo(tmp_path / "pipe.json")
    os.mkfifo(tmp_path / "pipe.jsonl")
    path = tmp_path if kind in ("xerxes", "oats", "claude-code") else tmp_path / "pipe.jsonl"
    done = command("import", kind, path, "--home", tmp_path / "home", timeout=30)
    assert done.returncode == 1
    assert "it is not a file" in done.stdout


@pytest.mark.parametrize("kind", ["xerxes", "oats", "claude-code"])
def test_links_are_not_followed(kind, tmp_path):
    """What a link in the folder points to is not the folder's; a folder that links to itself ends."""
    (tmp_path / "elsewhere").mkdir()
    for name in ("secret.json", "secret.jsonl"):
        (tmp_path / "elsewhere" / name).write_text(json.dumps({**GOOD, "info": {"id": "x"}}))
    history = tmp_path / "history"
    history.mkdir()
    (history / "a.json").symlink_to(tmp_path / "elsewhere" / "secret.json")
    (history / "a.jsonl").symlink_to(tmp_path / "elsewhere" / "secret.jsonl")
    (history / "loop").symlink_to(history)
    found = list(read(kind, history))
    assert len(found) == 2 and all(isinstance(item, Unreadable) and "it is a link" in item.why for item in found)


def test_a_line_without_end_is_passed_over_without_being_held(tmp_path, monkeypatch):
    """A line above the limit is named; the one behind it is read."""
    monkeypatch.setattr(files, "MOST_OF_A_LINE", 1024)
    path = tmp_path / "history.jsonl"
    path.write_bytes(b'"' + b"x" * 3_000_000 + b'"\n' + json.dumps(GOOD).encode() + b"\n")
    unreadable, session = read("jsonl", path)
    assert unreadable == Unreadable(f"{path}:1", "it is a line of more than 0 MiB")
    assert session.session_id == "good"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def having(**fields):
    return st.fixed_dictionaries({}, optional=fields)


OURS = having(
    turnspan=having(
        trace_id=JSON, agents=st.lists(having(agent_id=JSON, call_id=JSON, parent_id=JSON, started_at=JSON)) | JSON,
        model_calls=st.lists(having(model=JSON, usage=having(input_tokens=JSON) | JSON, duration_ms=JSON)) | JSON,
        notes=st.lists(having(name=JSON, at=JSON, data=JSON, audit_event_id=JSON)) | JSON, parent_session_id=JSON,
    ) | JSON
)  # fmt: skip
CALL = having(call_id=JSON, tool_name=JSON, arguments=JSON, result=JSON, status=JSON, duration_ms=JSON, metadata=OURS)
TURN = having(turn_id=st.text(min_size=1, max_size=4) | JSON, prompt=JSON, response_content=JSON, started_at=JSON,
              tool_calls=st.lists(CALL, max_size=2) | JSON, ended_at=JSON, status=JSON, metadata=OURS)  # fmt: skip
SESSION = having(session_id=st.text(min_size=1, max_size=5) | JSON, created_at=JSON, metadata=OURS,
                 turns=st.lists(TURN, max_size=2) | JSON, agent_transitions=JSON)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(SESSION)
def test_what_is_taken_as_a_session_can_be_shown_and_exported(data):
    """Any JSON is either refused as a session or can be shown, replayed and exported: metadata may be anything."""
    try:
        session = SessionRecord.from_dict(data)
    except (TurnspanError, KeyError):
        return
    display = Display(ids=True)
    session_view(session, session_tree(session), turn_ids=[turn.turn_id for turn in session.turns], display=display)
    timeline_view(timeline_of(session), display)
    for make in FORMATS.values():
        make(session)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(SESSION | st.fixed_dictionaries({"messages": JSON}), max_size=3))
def test_any_json_is_imported_or_named(tmp_path_factory, lines):
    """No line of JSON stops an import: it is stored, or it is named."""
    path = tmp_path_factory.mktemp("fuzz") / "x.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines))
    for report in store_history("jsonl", read("jsonl", path), InMemorySessionStore(), dry_run=True):
        assert report.sessions + len(report.unreadable) <= len(lines)
