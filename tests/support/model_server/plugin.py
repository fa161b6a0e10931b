"""The fixture: a server for one test, which must have been asked for nothing that no script foresaw."""

import pytest

from support.model_server.server import ModelServer


@pytest.fixture
def model_server():
    """Serve scripts to this test."""
    with ModelServer() as server:
        yield server
        assert server.problems == []
