"""Carrying the current turn and session to threads and subprocesses.

Threads and pools take OpenTelemetry's context along, and our turn is part of that. Subprocesses: the environment carries
the W3C trace context (``TRACEPARENT``, ``BAGGAGE``), and the session in its baggage. What HTTP requests carry is decided
in :mod:`turnspan.telemetry.outgoing`.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from typing import Any

import wrapt
from opentelemetry import context

from turnspan.instrumentation import thread_context
from turnspan.telemetry import outgoing
from turnspan.telemetry.current_context import current_context

_NAMES = {"traceparent": "TRACEPARENT", "tracestate": "TRACESTATE", "baggage": "BAGGAGE"}
_popen_init: Any = None


def variables() -> dict[str, str]:
    """Return the environment variables that carry the current context; none outside of a session."""
    if current_context() is None:
        return {}
    return {_NAMES[name]: value for name, value in outgoing.carrier().items() if name in _NAMES}


def take_over(given: Mapping[str, str] = os.environ) -> None:
    """Go on in the context that the parent process left, in the environment unless it is given."""
    carrier = {name: given[variable] for name, variable in _NAMES.items() if variable in given}
    if carrier and current_context() is None:
        context.attach(outgoing.inherited(carrier))


def install() -> None:
    """Carry the current turn to threads and subprocesses from now on."""
    global _popen_init
    thread_context.install()
    if _popen_init is None:
        _popen_init = subprocess.Popen.__init__
        subprocess.Popen.__init__ = wrapt.FunctionWrapper(_popen_init, _with_environment)  # type: ignore[method-assign]


def uninstall() -> None:
    """Leave threads and subprocesses alone again."""
    global _popen_init
    thread_context.uninstall()
    if _popen_init is not None:
        subprocess.Popen.__init__, _popen_init = _popen_init, None  # type: ignore[method-assign]


def _with_environment(init: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
    if len(args) <= 10 and (more := variables()):  # env is the eleventh parameter of Popen
        given = kwargs.get("env")
        kwargs = {**kwargs, "env": {**more, **(os.environ if given is None else given)}}
    return init(*args, **kwargs)
