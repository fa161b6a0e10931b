"""The servers that stores are tested with."""

import itertools

import pytest

from support import servers

_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    """Return a PostgreSQL server."""
    with servers.running(servers.Postgres(tmp_path_factory.mktemp("postgres"))) as server:
        yield server


@pytest.fixture
def postgres_url(postgres):
    """Return the URL of an empty database."""
    name = f"test_{next(_numbers)}"
    postgres.sql(f"CREATE DATABASE {name}")
    return postgres.url(name)


@pytest.fixture(scope="session")
def pgbouncer(postgres, tmp_path_factory):
    """Return a PgBouncer in transaction mode before the PostgreSQL server."""
    with servers.running(servers.PgBouncer(tmp_path_factory.mktemp("pgbouncer"), postgres)) as server:
        yield server


@pytest.fixture
def pgbouncer_url(postgres, pgbouncer):
    """Return the URL of an empty database behind PgBouncer."""
    name = f"test_{next(_numbers)}"
    postgres.sql(f"CREATE DATABASE {name}")
    return pgbouncer.url(name)


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory):
    """Return a MariaDB server."""
    with servers.running(servers.MariaDb(tmp_path_factory.mktemp("mariadb"))) as server:
        yield server


@pytest.fixture
def mariadb_url(mariadb):
    """Return the URL of an empty database."""
    name = f"test_{next(_numbers)}"
    mariadb.sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    return mariadb.url(name)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    """Return a Redis server."""
    with servers.running(servers.Redis(tmp_path_factory.mktemp("redis"))) as server:
        yield server


@pytest.fixture
def redis_url(redis_server):
    """Return the URL of an empty Redis."""
    redis_server.empty()
    return redis_server.url


@pytest.fixture(scope="session")
def redis_cluster(tmp_path_factory):
    """Return a Redis cluster of one server."""
    with servers.running(servers.Redis(tmp_path_factory.mktemp("cluster"), cluster=True)) as server:
        yield server


@pytest.fixture
def redis_cluster_url(redis_cluster):
    """Return the URL of an empty cluster."""
    redis_cluster.empty()
    return f"{redis_cluster.url}?cluster=1"
