"""The pages of ``turnspan view`` for tests: asked in this process, or served to a real browser."""

import threading
from contextlib import contextmanager

import pytest
import uvicorn
from starlette.testclient import TestClient

from support.servers import program
from turnspan import Settings
from turnspan.reading.reader import Reader
from turnspan.viewer.app import make_app
from turnspan.viewer.source import Source


def source_of(store, home="."):
    """Return what the pages read, over an open store."""
    settings = Settings.read(home=home)
    return Source(settings, Reader(settings, store))


def client_of(store, **options):
    """Return what asks the pages over a store, in this process."""
    return TestClient(make_app(source_of(store), **options), base_url="http://127.0.0.1:7370", follow_redirects=False)


@contextmanager
def served(source):
    """Serve pages on a free port of loopback; their address."""
    server = uvicorn.Server(
        uvicorn.Config(make_app(source), port=0, log_level="error", lifespan="off", timeout_graceful_shutdown=2)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        thread.join(0.02)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        source.closing.set()
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="module")
def chromium():
    """Start the system's Chromium, for one module: Playwright has an event loop run in this thread until it is stopped."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()
