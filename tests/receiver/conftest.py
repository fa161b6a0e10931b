"""What the tests of the receiver share."""

import pytest

pytest.importorskip("starlette")
pytest.importorskip("opentelemetry.proto")
from support.serving import Serve


@pytest.fixture
def serving(tmp_path):
    """Start ``turnspan serve`` with options."""
    started = []

    def start(*options, **more):
        started.append(Serve(tmp_path / f"home-{len(started)}", *options, **more))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.kill()
