"""The ends of a process that ``atexit`` does not see: signals, and children that leave by ``os._exit``.

A signal whose action is the default one ends a program without another word. So a handler stands in for that action: it
stores and sends, and then has the program die of the signal. The program sees none of it: where it asks, or sets
something else, the default action is what it asks for, and where it sets the default action again (uvicorn does as it
ends, its gunicorn worker as it begins, Celery in its pool), the handler stands in again.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from typing import Any

import wrapt

from turnspan.recording.uninterrupted import run_uninterrupted

_RUNTIME = "turnspan.recording.runtime"
_DEADLY = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGABRT)
"""What programs are stopped by, and die of by default."""
_FROM_THE_START = (signal.SIGTERM, signal.SIGHUP)
"""Those that the handler stands in for at once; for the others Python, debuggers or ``faulthandler`` have their own."""
_BUSY_S = 0.001

_set_action = signal.signal
"""What sets an action, without what :func:`follow` puts around it."""
_followed = False
_dying = False


def follow() -> None:
    """See that what was recorded is stored and sent however the process ends, from now on."""
    global _followed
    if _followed:
        return
    _followed = True
    wrapt.wrap_function_wrapper(signal, "getsignal", _get)
    wrapt.wrap_function_wrapper(signal, "signal", _set)
    if threading.current_thread() is threading.main_thread():
        for number in _FROM_THE_START:
            with suppress(ValueError, OSError):
                if signal.getsignal(number) is signal.SIG_DFL:
                    signal.signal(number, signal.SIG_DFL)
    wrapt.register_post_import_hook(_follow_children, "multiprocessing.util")
    wrapt.register_post_import_hook(_follow_celery, "celery.signals")


# Signals -------------------------------------------------------------------------------------------------------------


def _set(function: Any, _: Any, args: Any, kwargs: Any) -> Any:
    given = {**dict(zip(("signalnum", "handler"), args, strict=False)), **kwargs}
    handler = given.get("handler")
    if given.get("signalnum") in _DEADLY and isinstance(handler, int) and handler == signal.SIG_DFL:
        args, kwargs = (given["signalnum"], _die), {}
    return _as_seen(function(*args, **kwargs))


def _get(function: Any, _: Any, args: Any, kwargs: Any) -> Any:
    return _as_seen(function(*args, **kwargs))


def _as_seen(handler: Any) -> Any:
    return signal.SIG_DFL if handler is _die else handler


def _die(number: int, _frame: Any) -> None:
    """Store and send what there is, then die of the signal as the program would have."""
    global _dying
    if _dying:
        return
    runtime = sys.modules.get(_RUNTIME)
    if runtime is not None and runtime.is_emitting():  # with a lock in this very thread: a moment later
        _thread.start_new_thread(_send_again, (number,))
        return
    _dying = True
    if runtime is not None:
        with suppress(BaseException):
            run_uninterrupted(shut_down, runtime.settings().exit_timeout_s)
    _set_action(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _send_again(number: int) -> None:
    time.sleep(_BUSY_S)
    signal.pthread_kill(threading.main_thread().ident or 0, number)


def shut_down() -> None:
    """Store and send what there is, where anything was recorded."""
    if (runtime := sys.modules.get(_RUNTIME)) is not None:
        runtime.end()


# Children ------------------------------------------------------------------------------------------------------------


def _follow_children(util: Any) -> None:
    """Shut down at the end of multiprocessing children: they skip atexit (uvicorn's workers are such children)."""

    def register(_: Any = None) -> None:
        util.Finalize(None, shut_down, exitpriority=100)

    if getattr(sys.modules.get("multiprocessing.process"), "parent_process", lambda: None)() is not None:
        register()
    util.register_after_fork(shut_down, register)


def _follow_celery(signals: Any) -> None:
    """Shut down at the end of the processes of Celery's pool, which leave by ``os._exit``."""

    def ended(**_: Any) -> None:
        shut_down()

    signals.worker_process_shutdown.connect(ended, weak=False)
