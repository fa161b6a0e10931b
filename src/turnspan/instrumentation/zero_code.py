"""Zero code: watch the runtimes of a program without a line of it changed.

``turnspan run``, ``opentelemetry-instrument`` and ``turnspan.instrument()`` end here and do the same. Starting costs
little: adapters wait for the import of their runtime, and the SDK for the first turn.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import TYPE_CHECKING, Any, Unpack

import wrapt

from turnspan.instrumentation import process_end
from turnspan.instrumentation.registry import Adapters
from turnspan.settings import Settings, SettingsArguments, scheme_of, takes_settings
from turnspan.telemetry.own_log import logger

if TYPE_CHECKING:
    from turnspan.stores.base import SessionStore

_RUNTIME, _PROPAGATION = "turnspan.recording.runtime", "turnspan.instrumentation.propagation"
"""Modules that are not imported before a program needs them; only looked for among those that are."""
_adapters = Adapters()
_on = False
_given: dict[str, Any] = {}


@takes_settings
def instrument(
    *, store: str | SessionStore | None = None, telemetry: bool = True, **settings: Unpack[SettingsArguments]
) -> None:
    """Watch every supported runtime that this program imports, or has imported.

    Args:
        store: As for :func:`turnspan.configure`.
        telemetry: As for :func:`turnspan.configure`.
        settings: The fields of :class:`~turnspan.Settings`.

    Raises:
        SettingsError: When a setting has a value that turnspan does not know, or an adapter's name is unknown.
        MissingExtraError: When an adapter was named whose runtime is not installed.

    """
    global _on
    read = Settings.read(store=store if isinstance(store, str) else None, **settings)
    if read.disabled:
        return
    scheme_of(read.store_url)
    _given.clear()
    _given.update(settings, store=store, telemetry=telemetry)
    _adapters.watch(read.adapters, by_name=settings.get("adapters") is not None)
    if _RUNTIME in sys.modules:
        _configure(sys.modules[_RUNTIME])
    elif not _on:
        wrapt.register_post_import_hook(lambda module: _configure(module) if _on else None, _RUNTIME)
    _on = True
    process_end.follow()
    _carry_session_into_children()


def _configure(runtime: Any) -> None:
    """Set the process up when it is first needed: a program that uses no runtime pays for none of it."""
    from turnspan.instrumentation import propagation

    runtime.configure(**_given)
    runtime.on_first_use(propagation.install)


def uninstrument() -> None:
    """Stop watching; programs run as if turnspan had never been there. What was recorded is stored."""
    global _on
    _adapters.undo()
    if _on:
        _on = False
        from turnspan.instrumentation import propagation
        from turnspan.recording import runtime

        propagation.uninstall()
        runtime.configure(telemetry=False)


def is_on() -> bool:
    """Return whether runtimes are watched."""
    return _on


def installed() -> list[str]:
    """Return the adapters that watch a runtime now."""
    return _adapters.installed()


def begin() -> None:
    """Instrument at the start of a program that did not ask for it itself: say what is wrong, never stop it."""
    if _on:
        return
    if os.environ.get("TRACEPARENT") or os.environ.get("BAGGAGE"):
        from turnspan.instrumentation import propagation

        propagation.take_over()
    try:
        instrument()
    except Exception as error:
        logger.warning("turnspan records nothing: %s", error)


@cache  # once a process
def _carry_session_into_children() -> None:
    """Have spawned multiprocessing children go on in the session they were started in: they inherit no context."""
    wrapt.register_post_import_hook(_carry_session, "multiprocessing.process")


def _carry_session(process: Any) -> None:
    def start(function: Any, child: Any, args: Any, kwargs: Any) -> Any:
        if _on and _PROPAGATION in sys.modules:
            child._turnspan = sys.modules[_PROPAGATION].variables()  # noqa: SLF001  pickled with the child
        return function(*args, **kwargs)

    def bootstrap(function: Any, child: Any, args: Any, kwargs: Any) -> Any:
        if _on and (carried := getattr(child, "_turnspan", None)):
            from turnspan.instrumentation import propagation

            propagation.take_over(carried)
        return function(*args, **kwargs)

    wrapt.wrap_function_wrapper(process, "BaseProcess.start", start)
    wrapt.wrap_function_wrapper(process, "BaseProcess._bootstrap", bootstrap)
