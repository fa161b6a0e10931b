"""Sessions are read back in a program or a notebook: nothing is made, changed or sent."""

import logging
from datetime import UTC, datetime, timedelta

import pytest

import turnspan
from turnspan import InMemorySessionStore, SessionManager, TurnRecord
from turnspan.model.records import SessionRecord, ToolCallRecord


@pytest.fixture
def two_sessions():
    turnspan.configure(home="home", telemetry=False)
    for name in ("first", "second"):
        with (
            turnspan.session(name, workspace_id="w"),
            turnspan.turn(agent="triage", prompt=f"the {name} prompt") as turn,
        ):
            with turnspan.tool("search", query="open") as call:
                call.result = "nothing"
            turn.response = "done"


def test_the_last_session_and_any_by_an_id_in_it(two_sessions):
    """What was recorded a moment ago is there; a turn's, call's, event's or trace's id finds its session."""
    last = turnspan.get("last")
    assert (last.session_id, last.turns[0].prompt) == ("second", "the second prompt")
    assert turnspan.get("first").turns[0].prompt == "the first prompt"
    for wanted in (last.turns[0].turn_id, last.turns[0].audit_event_ids[1][:20], last.turns[0].tool_calls[0].call_id):
        assert turnspan.get(wanted).session_id == "second"


def test_sessions_are_filtered(two_sessions):
    """By what they say, and by when they were used."""
    ids = lambda **where: [one.session_id for one in turnspan.sessions(**where)]  # noqa: E731
    assert ids() == ["second", "first"]
    assert ids(text='"first prompt"') == ["first"]
    assert ids(tool="search", limit=1, after="second") == ["first"]
    assert ids(since=timedelta(minutes=5)) == ["second", "first"]
    assert ids(since=datetime.now(UTC) + timedelta(minutes=5)) == []
    assert ids(status="error") == []


def test_a_process_that_records_nothing_reads_what_others_stored(two_sessions):
    """From the home that is set or given; no recorder, journal or database is made for it."""
    from turnspan.recording import runtime

    turnspan.shutdown()
    assert turnspan.get(home="home").session_id == "second"
    assert [one.session_id for one in turnspan.sessions(store="sqlite:///home/sessions.db")] == ["second", "first"]
    turnspan.configure(home="elsewhere")
    with pytest.raises(turnspan.NothingRecordedError, match=r"elsewhere.*run a program with `turnspan run`"):
        turnspan.get()
    assert runtime.existing() is None


def test_a_store_that_is_open_is_read(tmp_path):
    """Any object with the four methods."""
    store = InMemorySessionStore()
    manager = SessionManager(store)
    manager.record_turn(manager.start_session(session_id="s").session_id, TurnRecord("t", prompt="p"))
    assert turnspan.get(store=store).turns[0].prompt == "p"
    with pytest.raises(turnspan.SessionNotFoundError, match="did you mean s"):
        turnspan.get("ss", store=store)
    assert not (tmp_path / ".turnspan").exists()


HOSTILE = '<script>alert("x")</script>\x1b[2J\u202e'


def hostile_session():
    call = ToolCallRecord("c", HOSTILE, {"a": HOSTILE}, HOSTILE, "error", HOSTILE, 1500.0)
    model = {"model": "gpt", "usage": {"input_tokens": 3, "output_tokens": 4}, "status": "success", "duration_ms": 12.3}
    ours = {"model_calls": [model], "notes": [{"name": "approval", "data": HOSTILE}], "agents": [7, {}]}
    turn = TurnRecord("t-1", "triage", HOSTILE, HOSTILE, [call], status="error", metadata={"turnspan": ours})
    return SessionRecord("s-1", HOSTILE, turns=[turn, TurnRecord("t-2", metadata={"turnspan": 3})])


def test_a_session_in_a_notebook_is_its_page_in_a_frame_without_rights():
    """With content, escaped twice: no script runs in it, nothing acts, nothing is loaded from elsewhere."""
    html = hostile_session()._repr_html_()
    assert html.startswith("<iframe ") and html.endswith("</iframe>") and html.count("<") == 2
    assert 'sandbox=""' in html and "\x1b" not in html and "\u202e" not in html
    assert "&lt;script" not in html and "&amp;lt;script" in html


def test_a_list_of_sessions_in_a_notebook_is_a_table():
    """Of text alone, whatever prompts, ids and names look like; secrets are hidden, and it is a list as before."""
    store = InMemorySessionStore()
    store.save_session(hostile_session())
    secret = TurnRecord("t", "<b>", "key AKIAIOSFODNN7EXAMPLE \u202e")
    store.save_session(SessionRecord("<img src=x onerror=alert(1)>", agent_id="<b>", turns=[secret]))
    found = turnspan.sessions(store=store)
    assert [one.session_id for one in found] == ["s-1", "<img src=x onerror=alert(1)>"] and found == list(found)
    html = found._repr_html_()
    assert html.startswith("<table><caption>2 sessions</caption>") and html.endswith("</table>")
    assert "<img" not in html and "<script" not in html and "<b>" not in html and "\u202e" not in html
    assert "AKIAIOSFODNN7EXAMPLE" not in html and "1 turn, 1 call" in html
    assert "0 sessions" in turnspan.sessions(store=InMemorySessionStore())._repr_html_()


def test_a_session_in_a_notebook_is_a_table_where_the_extra_is_missing(monkeypatch):
    """With content, escaped: no markup, no control characters, no links."""
    monkeypatch.setattr("turnspan.model.display.entry_points", lambda group: [])
    html = hostile_session()._repr_html_()
    assert html.startswith("<table>") and html.endswith("</table>")
    assert "<script" not in html and "\x1b" not in html and "\u202e" not in html and "href" not in html
    assert "alert" in html and "1.5 s" in html and "3 + 4 tokens" in html and "approval" in html
    assert "t-1" in hostile_session().turns[0]._repr_html_()


def test_a_printed_session_is_a_tree_without_content():
    """It may be printed by accident, into a log: ids, names, outcomes and times only, on lines that move no terminal."""
    text = str(hostile_session())
    lines = text.split("\n")
    assert lines[0].startswith("session s-1, 2 turns, 1 failed, workspace <script>")
    assert lines[1].strip().partition(":")[0] == "turn t-1 triage"
    assert "    model call gpt: success, 12 ms" in lines
    assert "\x1b" not in text and "\u202e" not in text
    assert "approval" in text and "tokens" not in text
    assert str(TurnRecord("t", prompt="secret", response_content="secret")) == "turn t: success"


def test_nothing_shows_content_by_accident(two_sessions, caplog):
    """``repr`` of what the reading API gives has ids and counts."""
    with caplog.at_level(logging.INFO):
        logging.getLogger("app").info("%r %r %s", turnspan.sessions(), turnspan.get(), turnspan.get())
    assert "second" in caplog.text and "prompt" not in caplog.text
