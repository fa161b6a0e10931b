"""What the pages say, asked without a browser."""

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import turnspan
from support.pages import client_of, source_of
from support.programs import PYTHON, run
from turnspan import InMemorySessionStore, SqlSessionStore
from turnspan.errors import UnreadableSessionError
from turnspan.model.addresses import session_path
from turnspan.model.records import SessionRecord, ToolCallRecord, TurnRecord
from turnspan.reading.reader import Reader
from turnspan.recording import runtime
from turnspan.testing import record
from turnspan.viewer.app import make_app
from turnspan.viewer.live import _state
from turnspan.viewer.source import Source

AT = "2026-01-01T10:{:02}:{:02}+00:00"


def turn(number, **more):
    at = AT.format(number // 60 % 60, number % 60)
    return TurnRecord(f"t{number}", "triage", f"question {number}", f"answer {number}", [], at, at, **more)


def store_of(*sessions):
    store = InMemorySessionStore()
    for session in sessions:
        store.save_session(session)
    return store


def long_session(turns=100):
    return SessionRecord(
        "long", created_at=AT.format(0, 0), updated_at=AT.format(9, 9), turns=[*map(turn, range(turns))]
    )


def test_filters_are_addresses():
    """What a filter shows stands in the address; a condition that makes no sense is named."""
    failed = SessionRecord("broken", updated_at="2026-01-02", turns=[turn(1, status="error")])
    client = client_of(store_of(long_session(2), failed))
    assert [one["session_id"] for one in client.get("/sessions.json").json()["sessions"]] == ["broken", "long"]
    assert [one["session_id"] for one in client.get("/sessions.json?status=error").json()["sessions"]] == ["broken"]
    page = client.get("/sessions?status=error&agent=triage").text
    assert "broken" in page and "long" not in page and 'href="/sessions?agent=triage"' in page
    wrong = client.get("/sessions.json?min_tokens=many")
    assert wrong.status_code == 400 and "min_tokens=many" in wrong.json()["error"]["message"]
    assert client.get("/sessions?since=never").status_code == 400


def test_costs_stand_beside_tokens():
    """A call, its turn and its session say what they cost; where only a part of a session is shown it has no total."""
    call = {
        "provider": "openai",
        "model": "gpt-4o",
        "usage": {"input_tokens": 1_000_000},
        "started_at": AT.format(0, 0),
    }
    priced = [turn(n, metadata={"turnspan": {"model_calls": [call]}}) for n in range(2)]
    session = SessionRecord("priced", updated_at=AT.format(9, 9), turns=priced)
    page = client_of(store_of(session)).get("/sessions/priced").text
    assert page.count("<span>$2.50</span>") == 2 and page.count("$5.00") == 1
    many = long_session()
    many.turns[-1].metadata = priced[0].metadata
    page = client_of(store_of(many)).get("/sessions/long?turn=t99").text
    assert page.count("<span>$2.50</span>") == 1


def test_the_list_says_what_sessions_cost(tmp_path):
    """In its page and its JSON, from a store that knows it and from one that has to be read; a long one has no figure."""
    used = {"usage": {"input_tokens": 1_000_000}, "started_at": AT.format(0, 0), "provider": "openai"}
    kept = {"model_calls": [{**used, "model": "gpt-4o"}, {**used, "model": "nobodys"}]}
    sessions = [
        SessionRecord("dear", updated_at=AT.format(9, 9), turns=[turn(1, metadata={"turnspan": kept})]),
        SessionRecord("free", updated_at=AT.format(8, 9), turns=[turn(1)]),
        SessionRecord("long", turns=[turn(n, metadata={"turnspan": kept}) for n in range(201)]),
    ]
    database = SqlSessionStore(f"sqlite:///{tmp_path}/sessions.db")
    for session in sessions:
        database.save_session(session)
    for store in (store_of(*sessions), database):
        client = client_of(store)
        found = {one["session_id"]: one for one in client.get("/sessions.json").json()["sessions"]}
        assert (found["dear"]["cost_usd"], found["dear"]["unpriced_calls"]) == (2.5, 1)
        assert (found["free"]["cost_usd"], found["long"]["cost_usd"]) == (None, 201 * 2.5)
        assert "$2.50 + 1 without a price" in client.get("/sessions").text
    database.close()


def test_failures_are_found_from_everywhere(tmp_path):
    """Calls that failed inside of turns that did not: in the list, over the session, in its strip, and from window to window."""
    session = long_session(1200)
    for place in (30, 1000):
        session.turns[place].tool_calls = [
            ToolCallRecord(f"c{place}", "refund", {}, status="error", error="the bank is shut")
        ]
    session.turns[31].status = "error"
    database = SqlSessionStore(f"sqlite:///{tmp_path}/sessions.db")
    database.save_session(session)
    for store in (store_of(session), database):
        client = client_of(store)
        assert (
            "1 turn failed</span>" in client.get("/sessions").text and "2 calls failed" in client.get("/sessions").text
        )
        first = client.get("/sessions/long").text
        assert '<a class="bad" href="/sessions/long?turn=t30#failed-t30">1 turn failed, 2 calls failed</a>' in first
        assert "1 call failed" in first and 'data-failure href="/sessions/long?turn=t30#failed-t30"' in first
        behind = client.get("/sessions/long?turn=t40").text
        assert 'data-failure href="/sessions/long?turn=t1000#failed-t1000"' in behind
        assert 'href="/sessions/long?turn=t31#failed-t31">← failure before' in behind
    session.turns.append(turn(5000, status="error"))
    session.updated_at = "2027-01-01T00:00:00+00:00"
    database.save_session(session)  # what is kept of a long session is thrown away as soon as it is another one
    assert "2 turns failed" in client.get("/sessions/long").text
    database.close()


def test_pages_of_sessions_follow_each_other():
    """The link to older sessions begins behind the last one that was shown, and keeps the filter."""
    store = store_of(*(SessionRecord(f"s{n:02}", updated_at=f"2026-01-{n:02}", turns=[turn(n)]) for n in range(1, 13)))
    first = client_of(store).get("/sessions.json?limit=5").json()
    assert [one["session_id"] for one in first["sessions"]] == ["s12", "s11", "s10", "s09", "s08"]
    second = client_of(store).get(f"/sessions.json?limit=5&after={first['next']}").json()
    assert second["sessions"][0]["session_id"] == "s07"


def test_a_long_session_comes_in_windows():
    """A page has some turns, the strip all of them; any turn can be jumped to by its id or number."""
    client = client_of(store_of(long_session()))
    first = client.get("/sessions/long").text
    assert "question 11" in first and "question 12" not in first
    assert 'href="/sessions/long?turn=t12"' in first and "turn=t99" in first
    jumped = client.get("/sessions/long?turn=t50").text
    assert "question 50" in jumped and "question 49" not in jumped
    assert client.get("/sessions/long.json?turn=100&limit=1").json()["turns"][0]["turn_id"] == "t99"
    window = client.get("/sessions/long.json?turn=t50&limit=2").json()["window"]
    assert window == {"first": 51, "turns": 2, "of": 100, "next": "t52"}


@pytest.mark.parametrize(
    "name", ["a/b", "..", ".", "a.json", "a b?c#d", "100%", "%2F", "ä", "<b>", "'\"", "a.json.json"]
)
def test_any_id_has_an_address(name):
    """Whatever an id is made of, its address leads to it and to nothing else."""
    client = client_of(store_of(SessionRecord(name, turns=[turn(1)]), SessionRecord("b", turns=[])))
    for path in (session_path(name), session_path(name) + ".json"):
        answer = client.get(path)
        assert answer.status_code == 200 and "question 1" in answer.text


def test_every_event_and_trace_has_a_page():
    """From any audit event id or trace id the pages lead to the turn, as JSON too."""
    with record() as recording:
        with turnspan.session("s"), turnspan.turn(agent="triage", prompt="Hi") as running:
            with turnspan.tool("search", query="x") as call:
                call.result = "found"
            running.handoff("billing", reason="an invoice")
        stored = recording.session
        client = client_of(recording.store)
        page = client.get("/sessions/s").text
        for event_id in stored.turns[0].audit_event_ids:
            answer = client.get(f"/events/{event_id}")
            assert answer.status_code == 200 and stored.turns[0].turn_id in answer.text
            assert client.get(f"/events/{event_id}.json").json()["row"]["event_id"] == event_id
            assert f"/events/{event_id}" in page or event_id in (
                stored.turns[0].audit_event_ids[0],
                stored.turns[0].audit_event_ids[-1],
            )
        trace_id = stored.turns[0].metadata["turnspan"]["trace_id"]
        assert client.get(f"/traces/{trace_id}.json").json()["turns"][0]["turn_id"] == stored.turns[0].turn_id
        assert stored.turns[0].turn_id in client.get(f"/traces/{trace_id}").text
        assert client.get(f"/find?q={event_id}").headers["location"] == f"/events/{event_id}"
        assert client.get("/find?q=invoice").headers["location"] == "/sessions?search=invoice"
        assert client.get("/events/" + "0" * 32).status_code == 404


def test_reading_changes_no_byte(tmp_path):
    """Pages, JSON and verification leave every file of a home as it is; SQLite's own beside it stay empty."""
    home = tmp_path / "home"
    store = SqlSessionStore(f"sqlite:///{home}/sessions.db")
    store.save_session(long_session(3))
    store.close()
    before = digests(home)
    settings = turnspan.Settings.read(home=home)
    reader = Reader.open(settings)
    client = client_of(reader.store)
    for path in (
        "/sessions",
        "/sessions.json",
        "/sessions/long",
        "/sessions/long.json",
        "/sessions/long/trust.json",
        "/sessions?search=answer",
    ):
        assert client.get(path).status_code == 200
    assert client.post("/sessions/long").status_code == 405
    reader.store.close()
    after = digests(home)
    assert {path: after[path] for path in before} == before
    beside = {Path(path) for path in after.keys() - before.keys()}
    assert all(path.name.startswith("sessions.db-") for path in beside)
    assert all(path.stat().st_size == 0 for path in beside if path.name.endswith("-wal"))


def digests(folder):
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in Path(folder).rglob("*") if path.is_file()
    }


def test_news_are_noticed():
    """What an open page hears of changes with the newest session, and with its own."""
    store = store_of(long_session(1))
    source = source_of(store)
    all_of_them, own = _state(source, None), _state(source, "long")
    store.save_session(SessionRecord("other", updated_at="2027-01-01"))
    assert _state(source, None) != all_of_them and _state(source, "long") == own
    store.save_session(SessionRecord("long", updated_at="2027-01-02", turns=[turn(1), turn(2)]))
    assert _state(source, "long") != own


def test_what_cannot_be_shown_is_said():
    """Unknown ids, empty stores and stores that are away have pages of their own, and JSON for programs."""
    client = client_of(InMemorySessionStore())
    assert "turnspan run" in client.get("/sessions").text
    missing = client.get("/sessions/nope")
    assert missing.status_code == 404 and "nope" in missing.text
    assert json.loads(client.get("/sessions/nope.json").text)["error"]["kind"] == "SessionNotFoundError"

    class Away(InMemorySessionStore):
        def load_session(self, session_id):
            raise turnspan.errors.StoreUnavailableError("the database does not answer")

    away = client_of(Away()).get("/sessions/s")
    assert away.status_code == 503 and "does not answer" in away.text


def test_a_session_whose_rows_were_broken_is_said_to_be(tmp_path):
    """The list and the others are there; its own page says what is wrong, and leads to what verification says of it."""
    path = tmp_path / "sessions.db"
    store = SqlSessionStore(f"sqlite:///{path}")
    for name in ("broken", "long"):
        store.save_session(SessionRecord(name, turns=[turn(1)]))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE turns SET metadata = '{broken' WHERE session_id = 'broken'")
        connection.commit()
    client = client_of(store)
    assert "broken" in client.get("/sessions").text and client.get("/sessions/long").status_code == 200
    page = client.get("/sessions/broken")
    assert page.status_code == 500 and "cannot be read: Expecting property name" in page.text
    assert 'href="/sessions/broken/trust"' in page.text
    assert client.get("/sessions/broken.json").json()["error"]["kind"] == "UnreadableSessionError"
    with pytest.raises(UnreadableSessionError, match="turnspan verify"):
        store.load_session("broken")
    store.close()


def test_erased_content_is_shown_as_erased(tmp_path):
    """What is gone is not an empty conversation: the page says that it was erased, and when."""
    turnspan.configure(home=tmp_path / "home")
    with turnspan.session("gone"), turnspan.turn(agent="a", prompt="my secret") as running:
        running.response = "kept for now"
    runtime.shutdown(5.0)
    assert run(PYTHON, "-m", "turnspan", "erase", "gone", "--yes", "--home", tmp_path / "home").returncode == 0
    reader = Reader.open(turnspan.Settings.read(home=tmp_path / "home"))
    page = client_of(reader.store).get("/sessions/gone").text
    assert "The content of this session was erased" in page and "my secret" not in page
    reader.store.close()


def test_each_path_of_the_openapi_document_is_there():
    """What is described can be asked for, and answers with the fields that are promised."""
    client = client_of(store_of(long_session(1)))
    document = client.get("/openapi.json").json()
    for path, of in document["paths"].items():
        assert path in client.get("/api").text
        content = of["get"]["responses"]["200"]["content"]
        if "{event}" in path or "{trace}" in path or "application/json" not in content:
            continue
        needed = {
            one["name"]: "long" for one in of["get"]["parameters"] if one["in"] == "query" and one.get("required")
        }
        answer = client.get(path.replace("{session}", "long"), params=needed).json()
        assert set(content["application/json"]["schema"]["required"]) <= set(answer)


def test_json_is_json_whatever_another_program_kept():
    """Lone surrogates, NUL and NaN in a store that is not ours are no error of the page or its JSON."""
    store = InMemorySessionStore()
    strange = turn(
        1, metadata={"turnspan": {"notes": [{"name": "\ud800", "data": [float("nan"), "\x00", "[" * 5000]}]}}
    )
    store._sessions["s"] = SessionRecord("s", turns=[strange])
    assert json.loads(client_of(store).get("/sessions/s.json").text)["turns"][0]["turn_id"] == "t1"
    assert client_of(store).get("/sessions/s").status_code == 200
    assert client_of(store).get("/sessions/s.md").status_code == 200


def test_a_turn_leads_to_its_viewers_and_its_sub_sessions(monkeypatch):
    """Where a template is set, to the trace and log viewer; and to each session that began while the turn ran."""
    monkeypatch.setenv("TURNSPAN_TRACE_URL", "jaeger:https://jaeger.example")
    parent = SessionRecord(
        "up",
        created_at=AT.format(0, 0),
        turns=[turn(1, audit_event_ids=["e1"], metadata={"turnspan": {"trace_id": "4b" * 16}}), turn(30)],
    )
    child = SessionRecord(
        "down", created_at=AT.format(0, 31), turns=[turn(31)], metadata={"turnspan": {"parent_session_id": "up"}}
    )
    client = client_of(store_of(parent, child))
    first, second = client.get("/sessions/up").text.split('id="turn-t30"')
    assert f'href="https://jaeger.example/trace/{"4b" * 16}?uiFind=e1"' in first and "jaeger" not in second
    assert 'href="/sessions/down"' in second and 'href="/sessions/down"' not in first
    assert 'href="/sessions/up"' in client.get("/sessions/down").text


def test_a_sub_session_stands_inside_the_call_that_ran_when_it_began():
    """Folded, with its link, behind what the call did before; its failure is seen from outside."""
    ran = {"started_at": AT.format(0, 1), "audit_event_ids": ["e-run"]}
    before = {"started_at": AT.format(0, 2), "parent_id": "run", "audit_event_ids": ["e-before"]}
    behind = {"started_at": AT.format(0, 8), "parent_id": "run", "audit_event_ids": ["e-behind"]}
    calls = [
        ToolCallRecord("run", "research", {}, duration_ms=9000.0, metadata={"turnspan": ran}),
        ToolCallRecord("one", "look", {}, duration_ms=10.0, metadata={"turnspan": before}),
        ToolCallRecord("two", "write", {}, duration_ms=10.0, metadata={"turnspan": behind}),
    ]
    parent = SessionRecord("up", turns=[TurnRecord("t", prompt="go", tool_calls=calls, started_at=AT.format(0, 0))])
    child = SessionRecord(
        "down",
        created_at=AT.format(0, 5),
        turns=[turn(5, status="error")],
        metadata={"turnspan": {"parent_session_id": "up"}},
    )
    page = client_of(store_of(parent, child)).get("/sessions/up").text
    assert 'class="entry session failed" id="event-e-run-session-0"' in page
    places = [page.index(f'id="event-{one}"') for one in ("e-run", "e-before", "e-run-session-0", "e-behind")]
    assert places == sorted(places) and 'data-from="/sessions/down"' in page


def test_agents_are_drawn_together_and_step_by_step():
    """Of a session and of one turn: each step leads to where it stands in the conversation, and is there as JSON."""
    with record() as recording:
        with turnspan.session("s"):
            for _ in range(2):
                with turnspan.turn(agent="triage", prompt="Hi") as running:
                    running.handoff("billing", reason="an invoice")
            with turnspan.turn(agent="alone", prompt="Hi"):
                pass
        client, turns = client_of(recording.store), recording.session.turns
        found = client.get("/sessions/s/agents.json").json()
        assert found["ways"] == [{"source": "triage", "target": "billing", "kind": "handed over", "count": 2}]
        kinds = ["began", "handed over", "began", "handed over", "began"]
        assert [one["kind"] for one in found["steps"]] == kinds
        event_id = found["steps"][1]["audit_event_ids"][0]
        whole = client.get("/sessions/s/agents").text
        assert f'href="/sessions/s?turn={turns[0].turn_id}#event-{event_id}"' in whole
        one = client.get(f"/sessions/s/agents.json?turn={turns[1].turn_id}&limit=1").json()
        assert one["window"] == {"first": 2, "turns": 1, "of": 3} and len(one["steps"]) == 2
        alone = client.get(f"/sessions/s/agents?turn={turns[2].turn_id}&limit=1").text
        assert "One agent did everything" in alone
        assert f"/sessions/s/agents?turn={turns[0].turn_id}" in client.get("/sessions/s").text


def test_the_log_lines_of_a_call_stand_beside_it(tmp_path):
    """Both of its lines, whole, from the log of the home that is shown; where there is none, that is said."""
    turnspan.configure(home=tmp_path / "home")
    with turnspan.session("s"), turnspan.turn(agent="a", prompt="p"), turnspan.tool("search", query="x"):
        pass
    runtime.shutdown(5.0)
    reader = Reader.open(turnspan.Settings.read(home=tmp_path / "home"))
    client = TestClient(make_app(Source(reader.settings, reader)), base_url="http://127.0.0.1")
    event_id = reader.session("s").turns[0].tool_calls[0].metadata["turnspan"]["audit_event_ids"][0]
    found = client.get(f"/events/{event_id}/log.json").json()
    assert [one["line"]["event"] for one in found["lines"]] == ["tool_call.started", "tool_call.ended"]
    page = client.get(f"/events/{event_id}/log").text
    assert "tool_call.ended" in page and "turnspan.log.jsonl:" in page
    assert f"/events/{event_id}/log" in client.get("/sessions/s").text
    assert "No log is read here" in client_of(reader.store).get(f"/events/{event_id}/log").text
    reader.store.close()
