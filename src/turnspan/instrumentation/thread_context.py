"""Carrying OpenTelemetry's current context, and our turn with it, into threads, timers and thread pools.

OpenTelemetry has an instrumentation that does so, which cannot be a dependency: its package pins its siblings with
``==``, and on the days when they trail the SDK nothing that needs it can be installed. This one also reaches threads
whose class overrides ``run``, and adds no frame to the traceback of what fails in a thread: it stands around the places
where the standard library starts such code, which are private; ``test_thread_context.py`` sees that each
supported Python has them. A program that uses OpenTelemetry's instrumentation beside it gets the same context twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import wrapt
from opentelemetry import context

_CONTEXT = "_turnspan_context"
_wrapped: list[tuple[type, str, Any]] = []


def install() -> None:
    """Run what is started in a thread from now on in the context that it is started in."""
    if _wrapped:
        return
    from concurrent.futures import thread as pools

    _wrap(threading.Thread, "start", _note)
    _wrap(threading.Thread, "_bootstrap_inner", _in_thread)
    _wrap(pools._WorkItem, "__init__", _note)  # noqa: SLF001
    _wrap(pools._WorkItem, "run", _in_pool)  # noqa: SLF001


def uninstall() -> None:
    """Leave threads alone again; what somebody else wrapped since stays, and ours under it only passes calls on."""
    for owner, name, wrapper in _wrapped:
        if owner.__dict__[name] is wrapper:
            setattr(owner, name, wrapper.__wrapped__)
    _wrapped.clear()


def _wrap(owner: type, name: str, wrapper: Callable[..., Any]) -> None:
    wrapped = wrapt.FunctionWrapper(owner.__dict__[name], wrapper)
    setattr(owner, name, wrapped)
    _wrapped.append((owner, name, wrapped))


def _note(function: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    """Keep the starter's context; an empty one, too, because a pool's thread may have been started in another one."""
    if _wrapped:
        setattr(instance, _CONTEXT, context.get_current())
    return function(*args, **kwargs)


def _in_thread(function: Any, thread: Any, args: Any, kwargs: Any) -> Any:
    noted = vars(thread).pop(_CONTEXT, None)
    if not noted:
        return function(*args, **kwargs)
    own = getattr(thread, "_context", None)  # since Python 3.14 a thread runs in a contextvars.Context of its own
    if own is None:
        return _run_in(noted, function, *args, **kwargs)
    if own.run(context.get_current):  # the program gave it one, or has all threads inherit theirs
        return function(*args, **kwargs)
    token = own.run(context.attach, noted)
    try:
        return function(*args, **kwargs)
    finally:
        own.run(context.detach, token)


def _in_pool(function: Any, item: Any, args: Any, kwargs: Any) -> Any:
    noted = vars(item).pop(_CONTEXT, None)
    if noted is None:
        return function(*args, **kwargs)
    return _run_in(noted, function, *args, **kwargs)


def _run_in(noted: context.Context, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    token = context.attach(noted)
    try:
        return function(*args, **kwargs)
    finally:
        context.detach(token)
