"""The pytest plugin: the fixture ``recording``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from turnspan.testing.recording import Recording


@pytest.fixture
def recording() -> Iterator[Recording]:
    """What turnspan records during the test, in memory; turnspan's own errors are raised."""
    from turnspan.testing.recording import record

    with record() as found:
        yield found
