"""(7) The writer into SQLite and PostgreSQL, against the bare driver inserting the same rows in the same batches.

The floor's tables, indexes and search index are the same; its rows are made beforehand. Rounds of both alternate, each
into an empty database. Beside them, what other libraries' session stores need for a turn (when they are installed).
"""

import asyncio
import sqlite3
import sys
import time

from common import Path, median, say, temporary

from turnspan.events import (
    ModelCallEnded,
    ModelCallStarted,
    SessionStarted,
    ToolCallEnded,
    ToolCallStarted,
    TurnEnded,
    TurnStarted,
    Usage,
)
from turnspan.journal.live import BATCH_LINES, Journal, Position
from turnspan.recording.ledger import Ledger
from turnspan.stores import open_store

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

ROUNDS, TURNS, SESSIONS = 7, 3000, 300
TABLES = ("sessions", "turns", "tool_calls", "model_calls", "audit_events")
RESULT = {"rows": [{"id": n, "amount": 42.5, "text": f"invoice number {n}"} for n in range(3)]}


def batches():
    """Return what the writer would store: turns with 2 model calls and 3 tool calls, about 170 at a time."""
    journal = Journal(None)
    ledger, found = Ledger(journal.id), []
    for n in range(TURNS):
        ids = {"session_id": f"s-{n % SESSIONS}", "turn_id": f"t-{n}", "agent_id": "triage"}
        if n < SESSIONS:
            journal.append(SessionStarted(session_id=ids["session_id"]), None)
        events = [TurnStarted(**ids, prompt=f"Which invoices of customer {n} are open, and why?")]
        for call in range(2):
            events.append(ModelCallStarted(**ids, call_id=f"m{call}", provider="openai", model="gpt-5"))
            events.append(
                ModelCallEnded(
                    **ids,
                    call_id=f"m{call}",
                    output="Let me look.",
                    response_id=f"r-{n}-{call}",
                    usage=Usage(input_tokens=100, output_tokens=20),
                )
            )
        for call in range(3):
            events.append(
                ToolCallStarted(**ids, call_id=f"c{call}", tool_name="search", arguments={"query": f"open {n}"})
            )
            events.append(ToolCallEnded(**ids, call_id=f"c{call}", result=RESULT))
        events.append(TurnEnded(**ids, response_content=f"Invoices {n} and {n + 1} are open."))
        for event in events:
            journal.append(event, None)
    read = 0
    while lines := journal.read(Position(0, 0), read)[0]:
        for line in lines:
            ledger.fold(line)
        read = lines[-1].sequence
        found.append(ledger.take())
        assert len(lines) <= BATCH_LINES
    return found


def rows_of(url, changes, connect, mark):
    """Return the rows that a store has after each batch, as tuples to insert: the floor's work."""
    store = open_store(url)
    known = {table: set() for table in TABLES}
    keys = {"sessions": 1, "turns": 3, "tool_calls": 3, "model_calls": 3, "audit_events": 1}
    found, sql = [], {}
    for batch in changes:
        store.apply(batch)
        connection = connect()
        rows = {}
        for table in TABLES:
            cursor = connection.execute(f"SELECT * FROM {table}")
            names = [column[0] for column in cursor.description]
            kept = [n for n, name in enumerate(names) if name != "words"]
            new = [row for row in cursor.fetchall() if row[: keys[table]] not in known[table]]
            known[table].update(row[: keys[table]] for row in new)
            rows[table] = [tuple(row[n] for n in kept) for row in new]
            sql[table] = (
                f"INSERT INTO {table} ({', '.join(names[n] for n in kept)}) VALUES ({', '.join([mark] * len(kept))})"
            )
        found.append(rows)
        connection.close()
    store.close()
    return found, sql


def ours(url, changes):
    store = open_store(url)
    began = time.perf_counter()
    for batch in changes:
        store.apply(batch)
    took = time.perf_counter() - began
    store.close()
    return took


def floor(connection, rows, sql):
    began = time.perf_counter()
    for batch in rows:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("BEGIN IMMEDIATE")
        cursor = connection.cursor()
        for table in TABLES:
            if batch[table]:
                cursor.executemany(sql[table], batch[table])
        connection.commit()
    took = time.perf_counter() - began
    connection.close()
    return took


def compared(name, new_url, connect, mark, changes):
    rows, sql = rows_of(url := new_url(), changes, lambda: connect(url), mark)
    figures = {"ours": [], "floor": []}
    for _ in range(ROUNDS):
        figures["ours"].append(ours(new_url(), changes))
        url = new_url()
        open_store(url).close()  # the tables
        figures["floor"].append(floor(connect(url), rows, sql))
    own, bare = median(figures["ours"]), median(figures["floor"])
    say(
        f"(7) {TURNS} turns with 2 model calls and 3 tool calls in {len(changes)} batches into {name}",
        {
            "bare driver, the same rows: turns a second": round(TURNS / bare),
            "turnspan's writer: turns a second": round(TURNS / own),
            "of the bare driver's throughput (at least 0.6)": round(bare / own, 2),
            "us a turn: turnspan, bare driver": f"{own / TURNS * 1e6:.0f}, {bare / TURNS * 1e6:.0f}",
        },
    )


def sqlite_figures(changes):
    home = temporary()
    numbers = iter(range(1000))

    def connect(url):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "wal_autocheckpoint=1000"):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    compared("SQLite", lambda: f"sqlite:///{home}/{next(numbers)}.db", connect, "?", changes)


def postgresql_figures(changes):
    import psycopg
    import pytest

    from support import servers

    folder = temporary()
    try:
        server = servers.Postgres(folder)
    except pytest.skip.Exception as reason:
        print(f"\n(7) PostgreSQL: {reason}")
        return
    server.start()
    numbers = iter(range(1000))

    def new_url():
        name = f"bench{next(numbers)}"
        server.sql(f"CREATE DATABASE {name}")
        return server.url(name)

    compared("PostgreSQL", new_url, psycopg.connect, "%s", changes)
    server.stop()


# Others ------------------------------------------------------------------------------------------------------------


def others():
    """What a turn costs in the session stores that frameworks bring: the same texts, each as its store wants them."""
    home = temporary()
    turns = 300
    figures = {}
    for name, run in (
        ("OpenAI Agents SDK SQLiteSession", agents_sdk),
        ("LangGraph SqliteSaver", langgraph),
        ("ADK DatabaseSessionService", adk),
    ):
        try:
            figures[f"{name}: us a turn, in one session of {turns}"] = round(run(home, turns) / turns * 1e6)
        except ImportError as error:
            figures[name] = f"not installed ({error.name})"
    store = open_store(f"sqlite:///{home}/turnspan.db")
    changes = [one for one in batches_of_one(turns)]
    began = time.perf_counter()
    for batch in changes:
        store.apply(batch)
    figures[f"turnspan, each turn a batch of its own: us a turn, in one session of {turns}"] = round(
        (time.perf_counter() - began) / turns * 1e6
    )
    say("(7) beside the session stores of frameworks, each turn in a transaction of its own (SQLite)", figures)


def batches_of_one(turns):
    journal = Journal(None)
    ledger, read = Ledger(journal.id), 0
    for n in range(turns):
        ids = {"session_id": "s", "turn_id": f"t-{n}", "agent_id": "triage"}
        for event in (
            TurnStarted(**ids, prompt=f"Which invoices of customer {n} are open?"),
            ToolCallStarted(**ids, call_id="c", tool_name="search", arguments={"query": "open"}),
            ToolCallEnded(**ids, call_id="c", result=RESULT),
            TurnEnded(**ids, response_content="Two."),
        ):
            journal.append(event, None)
        for line in journal.read(Position(0, 0), read)[0]:
            ledger.fold(line)
            read = line.sequence
        yield ledger.take()


def agents_sdk(home, turns):
    from agents import SQLiteSession

    session = SQLiteSession("s", str(home / "agents.db"))

    async def run():
        began = time.perf_counter()
        for n in range(turns):
            await session.add_items(
                [
                    {"role": "user", "content": f"Which invoices of customer {n} are open?"},
                    {"type": "function_call", "call_id": "c", "name": "search", "arguments": '{"query":"open"}'},
                    {"type": "function_call_output", "call_id": "c", "output": str(RESULT)},
                    {"role": "assistant", "content": "Two."},
                ]
            )
        return time.perf_counter() - began

    try:
        return asyncio.run(run())
    finally:
        session.close()


def langgraph(home, turns):
    from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
    from langgraph.checkpoint.sqlite import SqliteSaver
    from langgraph.graph import START, MessagesState, StateGraph

    def answer(state):
        call = {"name": "search", "args": {"query": "open"}, "id": "c"}
        return {
            "messages": [
                AIMessage("", tool_calls=[call]),
                ToolMessage(str(RESULT), tool_call_id="c"),
                AIMessage("Two."),
            ]
        }

    graph = StateGraph(MessagesState).add_node("answer", answer).add_edge(START, "answer")
    bare, config = graph.compile(), {"configurable": {"thread_id": "s"}}
    with SqliteSaver.from_conn_string(str(home / "langgraph.db")) as saver:
        kept = graph.compile(checkpointer=saver)
        began = time.perf_counter()
        for n in range(turns):
            kept.invoke({"messages": [HumanMessage(f"Which invoices of customer {n} are open?")]}, config)
        took = time.perf_counter() - began
    began = time.perf_counter()
    for n in range(turns):
        bare.invoke({"messages": [HumanMessage(f"Which invoices of customer {n} are open?")]})
    return took - (time.perf_counter() - began)


def adk(home, turns):
    from google.adk.events import Event
    from google.adk.sessions import DatabaseSessionService
    from google.genai import types

    async def run():
        service = DatabaseSessionService(f"sqlite+aiosqlite:///{home / 'adk.db'}")
        session = await service.create_session(app_name="bench", user_id="me")
        began = time.perf_counter()
        for n in range(turns):
            for author, text in (
                ("user", f"Which invoices of customer {n} are open?"),
                ("agent", str(RESULT)),
                ("agent", "Two."),
            ):
                content = types.Content(role="user" if author == "user" else "model", parts=[types.Part(text=text)])
                await service.append_event(session, Event(author=author, content=content, invocation_id=f"i{n}"))
        return time.perf_counter() - began

    return asyncio.run(run())


def main():
    changes = batches()
    sqlite_figures(changes)
    postgresql_figures(changes)
    others()


if __name__ == "__main__":
    main()
