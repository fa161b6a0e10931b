"""Registration: how the packages below get at the SDK without importing it.

The packages that a program comes in by, the hand-written API and zero-code start, register it as they are imported.
Nothing of the SDK is loaded until a recorder needs it.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from turnspan.recording import sdk

if TYPE_CHECKING:
    from turnspan.recording.recorder import Recorder
    from turnspan.settings import Settings


def register() -> None:
    """Let recording set the SDK up, and start spans late where the SDK makes them."""
    sdk.register(sdk.Sdk(set_up=_set_up, tracer_of=tracer_of))


def _set_up(settings: Settings, recorder: Recorder) -> None:
    from turnspan.otel_sdk.setup import set_up

    set_up(settings, recorder)


def tracer_of(tracer: Any) -> Any:
    """Return turnspan's own tracer as one whose spans may be made later, where it is the SDK's."""
    if "opentelemetry.sdk.trace" not in sys.modules:
        return tracer
    from turnspan.otel_sdk.deferred_spans import tracer_of

    return tracer_of(tracer)


def external_spans() -> ModuleType:
    """Return the module that follows external spans."""
    import opentelemetry.sdk.trace  # noqa: F401  first: its import wakes an adapter, which comes here again

    import turnspan.otel_sdk.external_spans as module

    return module
