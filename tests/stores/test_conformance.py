"""All stores keep the same promises."""

import asyncio
import re
import sys
import threading
from importlib import import_module
from pathlib import Path

import pytest

import turnspan
from support.programs import EXAMPLES
from turnspan import FileSessionStore, InMemorySessionStore, SqlSessionStore
from turnspan.stores import base as stores_base
from turnspan.stores import open_store
from turnspan.stores.base import (
    Appends,
    Audited,
    ByUse,
    Closes,
    Finds,
    Forks,
    Located,
    Pages,
    Peeks,
    SessionStore,
    Vacuums,
)
from turnspan.stores.redis import RedisSessionStore
from turnspan.testing import AuditedStoreConformance, SessionStoreConformance


class TestMemory(AuditedStoreConformance):
    @pytest.fixture
    def store(self):
        return InMemorySessionStore()


class TestFile(AuditedStoreConformance):
    @pytest.fixture
    def store(self, tmp_path):
        return FileSessionStore(tmp_path / "sessions")


class TestSqlite(AuditedStoreConformance):
    @pytest.fixture
    def store(self, tmp_path):
        store = SqlSessionStore(f"sqlite:///{tmp_path / 'sessions.db'}")
        yield store
        store.close()


class TestPostgresql(AuditedStoreConformance):
    @pytest.fixture
    def store(self, postgres_url):
        store = SqlSessionStore(postgres_url)
        yield store
        store.close()


class TestPostgresqlByMonth(AuditedStoreConformance):
    @pytest.fixture
    def store(self, postgres_url):
        store = SqlSessionStore(f"{postgres_url}?partitions=monthly")
        yield store
        store.close()


class TestPgBouncer(AuditedStoreConformance):
    """PostgreSQL behind PgBouncer in transaction mode."""

    @pytest.fixture
    def store(self, pgbouncer_url):
        store = SqlSessionStore(pgbouncer_url)
        yield store
        store.close()


class TestMariaDb(AuditedStoreConformance):
    @pytest.fixture
    def store(self, mariadb_url):
        store = SqlSessionStore(mariadb_url)
        yield store
        store.close()


class TestRedis(AuditedStoreConformance):
    @pytest.fixture
    def store(self, redis_url):
        store = open_store(redis_url)
        yield store
        store.close()


class TestRedisCluster(AuditedStoreConformance):
    @pytest.fixture
    def store(self, redis_cluster_url):
        store = open_store(redis_cluster_url)
        yield store
        store.close()


class TestShelf(SessionStoreConformance):
    """The store of one's own among the examples."""

    @pytest.fixture
    def store(self, tmp_path, monkeypatch):
        monkeypatch.syspath_prepend(EXAMPLES)
        return import_module("sessions_in_a_shelf").ShelfStore(tmp_path / "sessions")


DEFECTS_OF_XERXES = {
    "test_a_session_that_moves_to_another_workspace_is_there_once": "two files are left",
    "test_unknown_keys_survive": "keys that are not known are dropped",
    "test_odd_ids_stay_inside_the_store": "an id with a slash in it is a path",
    "test_ids_that_cannot_be_kept_are_refused_clearly": "any id is taken",
}


class TestXerxes(SessionStoreConformance):
    """Xerxes' own store keeps the promises, but for what its defects forbid."""

    @pytest.fixture
    def store(self, tmp_path, request):
        if (why := DEFECTS_OF_XERXES.get(request.node.name)) is not None:
            request.applymarker(pytest.mark.xfail(reason=f"xerxes-agent 0.2.5: {why}", strict=True))
        return pytest.importorskip("xerxes.session.store").FileSessionStore(tmp_path / "sessions")

    def test_observed_it_loses_nothing_to_threads(self, store):
        """Of which its own manager loses most."""
        from xerxes.session.models import TurnRecord
        from xerxes.session.store import SessionManager

        manager = turnspan.observe(SessionManager(store))
        session_id = manager.start_session(agent_id="a").session_id

        def work(worker):
            for n in range(10):
                manager.record_turn(session_id, TurnRecord(f"t-{worker}-{n}", prompt=str(n)))

        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        turnspan.flush()
        turns = manager.get_session(session_id).turns
        assert sorted(turn.turn_id for turn in turns) == sorted(f"t-{w}-{n}" for w in range(8) for n in range(10))
        assert all(turn.audit_event_ids for turn in turns)


def test_a_turn_that_was_watched_is_once_in_a_store_that_adds_blindly(tmp_path):
    """Xerxes' manager adds what it is given; the writer may have stored the turn already."""
    pytest.importorskip("xerxes")
    from xerxes.session.models import TurnRecord
    from xerxes.session.store import FileSessionStore as Theirs
    from xerxes.session.store import SessionManager

    manager = turnspan.observe(SessionManager(Theirs(tmp_path / "sessions")))
    session_id = manager.start_session(agent_id="a").session_id
    for number in range(2):
        with turnspan.session(session_id), turnspan.turn(agent="a", turn_id=f"t-{number}", prompt="live"):
            pass
        for _ in range(2):
            manager.record_turn(session_id, TurnRecord(f"t-{number}", prompt="as recorded"))
    turns = manager.get_session(session_id).turns
    assert [(turn.turn_id, turn.prompt) for turn in turns] == [("t-0", "as recorded"), ("t-1", "as recorded")]


class FourMethods:
    """A store that can do no more than it must, of a class of its own."""

    def __init__(self):
        self._inner = InMemorySessionStore()

    def save_session(self, session):
        from turnspan.model.records import check_id

        check_id("session", session.session_id)
        self._inner.save_session(session)

    def load_session(self, session_id):
        return self._inner.load_session(session_id)

    def list_sessions(self, workspace_id=None):
        return self._inner.list_sessions(workspace_id)

    def delete_session(self, session_id):
        return self._inner.delete_session(session_id)


class TestFourMethods(SessionStoreConformance):
    @pytest.fixture
    def store(self):
        return FourMethods()


def test_any_object_with_the_four_methods_is_a_store():
    """By its methods, not by its class; a manager is none, and an abstract store cannot be made."""
    assert isinstance(FourMethods(), SessionStore)
    assert not isinstance(turnspan.SessionManager(FourMethods()), SessionStore)
    with pytest.raises(TypeError, match="abstract"):
        type("Half", (SessionStore,), {"load_session": FourMethods.load_session})()


def test_an_asynchronous_manager_takes_any_store():
    """Also one that is not derived from ours."""

    async def record():
        manager = turnspan.AsyncSessionManager(FourMethods())
        session = await manager.start_session(agent_id="a")
        await manager.record_turn(session.session_id, turnspan.TurnRecord("t"))
        return (await manager.get_session(session.session_id)).turns

    assert [turn.turn_id for turn in asyncio.run(record())] == ["t"]


CAPABILITIES = [Appends, Audited, ByUse, Closes, Finds, Forks, Located, Pages, Peeks, Vacuums]


def test_what_each_store_can_do_is_written_down():
    """Each capability is a protocol; a store has it or has it not, and nothing is asked for by another name."""
    can = {
        store: {one.__name__ for one in CAPABILITIES if all(hasattr(store, name) for name in _methods_of(one))}
        for store in (InMemorySessionStore, FileSessionStore, SqlSessionStore, RedisSessionStore, FourMethods)
    }
    common = {"Appends", "Audited", "Peeks", "Forks"}
    assert can[InMemorySessionStore] == common | {"Located"}
    assert can[FileSessionStore] == common | {"Located"}
    assert can[SqlSessionStore] == common | {"Closes", "Finds", "Pages", "Vacuums"}
    assert can[RedisSessionStore] == common | {"Closes", "ByUse"}
    assert can[FourMethods] == set()
    assert all(one.__name__ in stores_base.__doc__ for one in CAPABILITIES)


def test_no_module_asks_a_store_by_the_name_of_a_method():
    """``isinstance(store, Capability)`` is the one way to ask."""
    names = "|".join(name for one in CAPABILITIES for name in _methods_of(one))
    asks = re.compile(rf"""(getattr|hasattr)\([^()]*store, ["']({names})["']""")
    source = Path(turnspan.__file__).parent
    knows_stores = [path for path in source.rglob("*.py") if path.parent.name not in ("telemetry", "otel_sdk")]
    found = {f"{path.name}: {hit[0]}" for path in knows_stores for hit in asks.finditer(path.read_text())}
    assert not found


def _methods_of(protocol):
    return [name for name in vars(protocol) if not name.startswith("_")]


@pytest.mark.parametrize(
    ("url", "package", "says"),
    [
        ("redis://127.0.0.1:1", "redis", "pip install 'turnspan[redis]'"),
        ("postgresql://127.0.0.1:1/x", "psycopg", "pip install 'turnspan[postgresql]'"),
        ("mysql://127.0.0.1:1/x", "pymysql", "pip install 'turnspan[mysql]'"),
    ],
)
def test_a_driver_that_is_not_installed_is_named_with_its_fix(monkeypatch, url, package, says):
    """It is no setting that is wrong."""
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(turnspan.MissingExtraError, match=re.escape(says)):
        open_store(url)
