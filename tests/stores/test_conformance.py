"""All stores keep the same promises."""

import pytest

from turnspan import FileSessionStore, InMemorySessionStore, SqlSessionStore
from turnspan.stores import open_store
from turnspan.stores.base import SessionStore
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


class FourMethods(SessionStore):
    """A store that can do no more than it must."""

    def __init__(self):
        self._inner = InMemorySessionStore()

    def save_session(self, session):
        from turnspan.records import check_id

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
