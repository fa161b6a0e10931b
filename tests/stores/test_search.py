"""Search, filters and pages give the same answers from every store that has many sessions."""

import pytest

from turnspan import FileSessionStore, InMemorySessionStore, SqlSessionStore
from turnspan.model.records import AgentTransitionRecord, SessionRecord, ToolCallRecord, TurnRecord
from turnspan.reading.pages import summaries
from turnspan.stores import open_store
from turnspan.stores.base import SessionFilter
from turnspan.stores.rows import rows_of_turn

AT = "2026-01-01T10:{:02}:00+00:00"


def turn(
    turn_id,
    prompt,
    response="",
    *,
    agent="triage",
    status="success",
    error=None,
    calls=(),
    model="m-1",
    tokens=10,
    minutes=1,
    notes=(),
):
    return TurnRecord(
        turn_id,
        agent,
        prompt,
        response,
        list(calls),
        AT.format(0),
        AT.format(minutes),
        status,
        error,
        metadata={
            "turnspan": {
                "model_calls": [{"model": model, "usage": {"input_tokens": tokens, "output_tokens": 1}}],
                "notes": [{"name": name, "data": data} for name, data in notes],
            }
        },
    )


def session(number, *turns, **more):
    fields = {"created_at": AT.format(number), "updated_at": AT.format(number), "agent_id": "triage", **more}
    return SessionRecord(f"s-{number}", turns=list(turns), **fields)


SESSIONS = [
    session(1, turn("t1", "Which invoices are open?", "Two of them."), workspace_id="acme"),
    session(
        2,
        turn(
            "t1",
            "Refund the café bill",
            "Done",
            calls=[ToolCallRecord("c", "issue_refund", {"invoice": "INV-77"}, {"receipt": "REC-9"})],
        ),
        turn("t2", "again", None, status="error", error="RateLimitError: slow down", agent="billing"),
        agent_transitions=[AgentTransitionRecord("triage", "billing", None, "t2")],
    ),
    session(
        3, turn("t1", "hello", "world", model="gpt-5", tokens=5000, notes=[("approval", {"by": "maria"}), ("x", 1)])
    ),
    session(4, turn("t1", "long work", "done at last", minutes=30)),
    session(
        5,
        turn(
            "t1",
            "search",
            "nothing",
            calls=[ToolCallRecord("c", "web_search", {"q": "open questions"}, None, "error", "boom")],
        ),
        metadata={"turnspan": {"parent_session_id": "s-1", "root_session_id": "s-1"}},
    ),
    session(6),
]


@pytest.fixture(params=["memory", "file", "redis", "sqlite", "postgresql", "mariadb"], scope="module")
def store(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("search")
    match request.param:
        case "memory":
            made = InMemorySessionStore()
        case "file":
            made = FileSessionStore(folder)
        case "redis":
            server = request.getfixturevalue("redis_server")
            server.empty()
            made = open_store(server.url)
        case "sqlite":
            made = SqlSessionStore(f"sqlite:///{folder / 'x.db'}")
        case kind:
            server = request.getfixturevalue("postgres" if kind == "postgresql" else kind)
            server.sql("DROP DATABASE IF EXISTS search")
            server.sql("CREATE DATABASE search")
            made = SqlSessionStore(server.url("search"))
    for one in SESSIONS:
        made.save_session(one)
    yield made
    if isinstance(made, SqlSessionStore):
        made.close()


def found(store, **where):
    return [int(one.session_id[2:]) for one in summaries(store, SessionFilter(**where))]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("invoices", [1]),
        ("INVOICES", [1]),
        ("invoices open", [1]),
        ("open", [5, 1]),
        ("invoices refund", []),
        ('"which invoices"', [1]),
        ('"invoices which"', []),
        ("invo*", [2, 1]),
        ("invo", []),
        ("café", [2]),
        ("issue_refund", [2]),
        ("INV-77", [2]),
        ("refund INV-77", [2]),
        ("RateLimitError", [2]),
        ("web_search boom", [5]),
        ("REC-9", [2]),
        ("refund receipt", [2]),
        ("approval maria", [3]),
        ("hello maria", [3]),
        ("refund slow", []),
        ("world", [3]),
        ("...", [6, 5, 4, 3, 2, 1]),
        ("O'Reilly", []),
        ('open "', [5, 1]),
        ("a) OR (b", []),
        ("\x00open", [5, 1]),
    ],
)
def test_words_are_found_in_what_a_turn_says(store, text, numbers):
    """Words, phrases and beginnings are found in each store alike."""
    assert found(store, text=text) == numbers


@pytest.mark.parametrize(
    ("where", "numbers"),
    [
        ({"agent_id": "billing"}, [2]),
        ({"status": "error"}, [2]),
        ({"tool": "web_search"}, [5]),
        ({"tool": "web"}, []),
        ({"model": "gpt-5"}, [3]),
        ({"min_tokens": 5001}, [3]),
        ({"min_tokens": 5002}, []),
        ({"min_duration_ms": 30 * 60_000}, [4]),
        ({"parent_id": "s-1"}, [5]),
        ({"workspace_id": "acme"}, [1]),
        ({"since": AT.format(4)}, [6, 5, 4]),
        ({"until": AT.format(2)}, [1]),
        ({"status": "success", "text": "hello", "model": "gpt-5"}, [3]),
        ({"status": "error", "model": "gpt-5"}, []),
    ],
)
def test_filters(store, where, numbers):
    """Each filter alone and with others gives the same sessions in each store."""
    assert found(store, **where) == numbers


def test_pages_follow_each_other_without_gap_or_overlap(store):
    """Going on after the last id of a page visits each session once."""
    pages, after = [], None
    while page := summaries(store, SessionFilter(limit=2, after=after)):
        pages.append([one.session_id for one in page])
        after = page[-1].session_id
    assert pages == [["s-6", "s-5"], ["s-4", "s-3"], ["s-2", "s-1"]]


def test_a_summary_says_what_a_session_is(store):
    """Counts, first prompt, workspace and parent are those of the session."""
    by_id = {one.session_id: one for one in summaries(store, SessionFilter())}
    assert (by_id["s-2"].turns, by_id["s-2"].failed_turns, by_id["s-2"].prompt) == (2, 1, "Refund the café bill")
    assert (by_id["s-6"].turns, by_id["s-6"].failed_turns, by_id["s-6"].prompt) == (0, 0, "")
    assert (by_id["s-5"].parent_id, by_id["s-1"].parent_id, by_id["s-1"].workspace_id) == ("s-1", None, "acme")


@pytest.mark.parametrize("many", [False, True])
def test_the_answer_does_not_depend_on_how_many_match(store, many, monkeypatch):
    """A filter is answered from its index when few match, else by walking the newest sessions."""
    if isinstance(store, SqlSessionStore):
        monkeypatch.setattr("turnspan.stores.sql.queries.FEW", 1 if many else 1000)
        monkeypatch.setattr("turnspan.stores.sql.queries._FIRST_LOOK", 1 if many else 1000)
    assert found(store, text="open") == [5, 1]
    assert found(store, status="success") == [5, 4, 3, 2, 1]
    assert found(store, tool="issue_refund") == [2]
    assert found(store, model="m-1", text="re*") == [2]


@pytest.mark.parametrize("url", ["sqlite", "postgres_url", "mariadb_url"])
def test_what_changes_or_goes_is_found_no_more(url, tmp_path, request):
    """The index follows what is overwritten and deleted."""
    store = SqlSessionStore(f"sqlite:///{tmp_path / 'x.db'}" if url == "sqlite" else request.getfixturevalue(url))
    store.save_session(
        session(1, turn("t1", "secret plan", calls=[ToolCallRecord("c", "tell", {"to": "everybody"}, 1)]))
    )
    store.save_session(session(2, turn("t1", "another secret")))
    assert found(store, text="secret") == [2, 1]
    store.save_session(session(1, turn("t1", "harmless")))
    assert (found(store, text="secret"), found(store, text="everybody"), found(store, text="harmless")) == (
        [2],
        [],
        [1],
    )
    store.delete_session("s-2")
    assert found(store, text="secret") == []
    store.close()


@pytest.mark.parametrize("url", ["sqlite", "postgres_url", "mariadb_url"])
def test_of_a_word_that_very_many_have_the_newest_are_found(url, tmp_path, request, monkeypatch):
    """A word that is everywhere is answered with the newest sessions, without looking at all of them."""
    monkeypatch.setattr("turnspan.stores.sql.queries.NEWEST", 3)
    monkeypatch.setattr("turnspan.stores.sql.queries.NEWEST_OF_SERVER", 3)
    monkeypatch.setattr("turnspan.stores.sql.queries._FIRST_LOOK", 2)
    store = SqlSessionStore(f"sqlite:///{tmp_path / 'x.db'}" if url == "sqlite" else request.getfixturevalue(url))
    for number in range(1, 9):
        store.save_session(session(number, turn("t1", "the same word"), turn("t2", "rare" if number == 1 else "else")))
    assert found(store, text="same") == [8, 7, 6]
    assert found(store, text="rare") == [1]
    store.close()


def test_notes_are_still_found_when_another_process_adds_a_call(tmp_path):
    """A turn's words are those of its notes and of all its calls, whoever stored them, in whichever order."""
    store = SqlSessionStore(f"sqlite:///{tmp_path / 'x.db'}")
    store.save_session(SessionRecord("s", turns=[turn("t", "hello", notes=[("approval", {"by": "maria"})])]))
    added = rows_of_turn("s", turn("t", "", calls=[ToolCallRecord("c", "refund", {"n": 7}, "REC-9")]))
    added.turns.clear()
    store.apply(added)
    for words in ("maria", "refund", "REC-9", "maria REC-9"):
        assert [one.session_id for one in summaries(store, SessionFilter(text=words))] == ["s"], words
    store.close()
