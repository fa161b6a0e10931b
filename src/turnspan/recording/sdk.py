"""What recording has of OpenTelemetry's SDK: two functions that the package over it registers; nothing is imported."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from turnspan.recording.recorder import Recorder
    from turnspan.settings import Settings


class Sdk(NamedTuple):
    """What there is to do with the SDK."""

    set_up: Callable[[Settings, Recorder], None]
    """Sets providers up for a recorder, where the program has none."""
    tracer_of: Callable[[Any], Any]
    """Returns the tracer that is used for turnspan's own."""


_registered: Sdk | None = None


def register(sdk: Sdk) -> None:
    """Say what there is to do with the SDK."""
    global _registered
    _registered = sdk


def registered() -> Sdk | None:
    """Return what was registered; None where neither the hand-written API nor zero-code start is in use."""
    return _registered
