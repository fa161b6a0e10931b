"""Servers: many processes write at once, and the server goes away."""

import random
import subprocess
import time
from collections import Counter

import pytest
import sqlalchemy as sa

import turnspan
from support import servers
from support.programs import PATIENCE_S, PYTHON
from turnspan.recording.recovery import recover
from turnspan.settings import Settings
from turnspan.stores import open_store
from turnspan.stores.base import AuditFilter
from turnspan.stores.sql.database import Database
from turnspan.verification import verify

PROCESSES, TURNS, SHARED = 16, 200, 50

WORK = """
import os, random, sys, time
import turnspan
from turnspan.recording import runtime
from turnspan.events import *
number, turns, shared = map(int, sys.argv[1:])
turnspan.configure(home=f"home-{number}")
emit = runtime.recorder().emit
dice = random.Random(number)
for n in range(turns):
    ids = {"session_id": f"s-{dice.randrange(shared)}", "turn_id": f"t-{number}-{n:04}"}
    emit(TurnStarted(**ids, agent_id=f"a-{number}", prompt=str(n)))
    emit(ToolCallStarted(**ids, call_id="c", tool_name="f", arguments={"n": n}))
    emit(ToolCallEnded(**ids, call_id="c", result="x" * 200))
    emit(TurnEnded(**ids, response_content="done"))
    time.sleep(0.03)
"""


@pytest.fixture(params=["PostgreSQL", "PgBouncer", "MariaDB"])
def server_and_url(request, tmp_path):
    """Return a server of its own, and the URL of a database."""
    for name in ("server", "bouncer"):
        (tmp_path / name).mkdir()
    if request.param == "MariaDB":
        with servers.running(servers.MariaDb(tmp_path / "server")) as server:
            server.sql("CREATE DATABASE turnspan CHARACTER SET utf8mb4")
            yield server, server.url("turnspan")
        return
    with servers.running(servers.Postgres(tmp_path / "server")) as server:
        if request.param == "PostgreSQL":
            yield server, server.url()
            return
        with servers.running(servers.PgBouncer(tmp_path / "bouncer", server)) as bouncer:
            yield server, bouncer.url()


@pytest.mark.slow
def test_many_processes_write_while_the_server_is_killed_and_started_again(server_and_url, tmp_path):
    """16 processes, 200 turns each, in 50 sessions; the server dies twice in between."""
    server, url = server_and_url
    environment = turnspan.environment() | {"TURNSPAN_STORE": url, "TURNSPAN_LOG": "off"}
    workers = [
        subprocess.Popen(
            [PYTHON, "-c", WORK, str(number), str(TURNS), str(SHARED)],
            cwd=tmp_path,
            env=environment,
            stderr=subprocess.PIPE,
        )
        for number in range(PROCESSES)
    ]
    dice = random.Random(1)
    for _ in range(2):
        time.sleep(dice.uniform(2, 4))
        server.kill()
        time.sleep(dice.uniform(1, 2))
        server.start()
    said = [worker.communicate(timeout=PATIENCE_S)[1].decode() for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * PROCESSES, said
    store = open_store(url)
    for number in range(PROCESSES):  # what a process could not bring before it ended waits on its disk
        for one in recover(tmp_path / f"home-{number}" / "journal", store, url):
            assert one.problem is None
    counted: Counter[str] = Counter()
    for name in store.list_sessions():
        session = store.load_session(name)
        ids = [turn.turn_id for turn in session.turns]
        counted.update(ids)
        for number in range(PROCESSES):  # each process's turns are in the order in which it made them
            mine = [turn_id for turn_id in ids if turn_id.startswith(f"t-{number}-")]
            assert mine == sorted(mine)
        for turn in session.turns:
            assert (turn.status, len(turn.tool_calls), len(turn.audit_event_ids)) == ("success", 1, 4), turn.turn_id
    assert len(counted) == PROCESSES * TURNS
    assert set(counted.values()) == {1}
    events = [row.event_id for row in store.audit_rows(AuditFilter()) if row.turn_id is not None]
    assert len(events) == len(set(events)) == PROCESSES * TURNS * 4
    store.close()
    settings = Settings.read(home=tmp_path / "home-0", store=url)
    report = verify(settings=settings, logs="none", spans="none")
    assert report.exit_code < 2, report.findings[:5]


@pytest.mark.parametrize("url", ["postgres_url", "pgbouncer_url", "mariadb_url"])
def test_migrations_run_once_while_others_wait(url, request):
    """Six processes that start at the same time make one schema."""
    url = request.getfixturevalue(url)
    code = "import sys; from turnspan import SqlSessionStore; SqlSessionStore(sys.argv[1]).list_sessions()"
    at_once = [subprocess.Popen([PYTHON, "-c", code, url], stderr=subprocess.PIPE) for _ in range(6)]
    said = [one.communicate(timeout=PATIENCE_S)[1].decode() for one in at_once]
    assert [one.returncode for one in at_once] == [0] * 6, said
    with Database(url, busy_timeout_ms=0).reading() as connection:
        assert connection.execute(sa.text("SELECT version FROM turnspan_schema ORDER BY 1")).scalars().all() == [
            1,
            2,
            3,
        ]


def test_a_lock_of_mariadb_is_let_go_when_the_tables_are_made(mariadb, mariadb_url):
    """Its locks belong to connections, which are kept: the next process would wait for a minute."""
    store = open_store(mariadb_url)
    name = mariadb_url.rpartition("/")[2]
    assert mariadb.sql(f"SELECT IS_USED_LOCK('turnspan in {name}')") == ((None,),)
    store.close()
