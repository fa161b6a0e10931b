"""The servers that stores are tested with."""

import itertools
from contextlib import contextmanager

import pytest

from support import servers

_numbers = itertools.count()


@contextmanager
def running(server):
    """Start a server, and stop it whatever happens."""
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    """Return a PostgreSQL server."""
    with running(servers.Postgres(tmp_path_factory.mktemp("postgres"))) as server:
        yield server


@pytest.fixture
def postgres_url(postgres):
    """Return the URL of an empty database."""
    name = f"test_{next(_numbers)}"
    postgres.sql(f"CREATE DATABASE {name}")
    return postgres.url(name)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    """Return a Redis server."""
    with running(servers.Redis(tmp_path_factory.mktemp("redis"))) as server:
        yield server


@pytest.fixture
def redis_url(redis_server):
    """Return the URL of an empty Redis."""
    redis_server.empty()
    return redis_server.url


@pytest.fixture(scope="session")
def redis_cluster(tmp_path_factory):
    """Return a Redis cluster of one server."""
    with running(servers.Redis(tmp_path_factory.mktemp("cluster"), cluster=True)) as server:
        yield server


@pytest.fixture
def redis_cluster_url(redis_cluster):
    """Return the URL of an empty cluster."""
    redis_cluster.empty()
    return f"{redis_cluster.url}?cluster=1"
