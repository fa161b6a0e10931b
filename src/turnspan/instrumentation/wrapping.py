"""Watching calls: one driver for every kind of function.

An observer is a generator around one call (see :data:`turnspan.adapter.Observer`). The driver runs it beside a plain
function, a coroutine, a generator, an asynchronous generator, or a coroutine that returns one, and makes what the
observer started the current turn or call while the program's own code runs. For streams it does so step by step and
never across a ``yield``, because there the consumer's code runs. The program's results and exceptions pass through
untouched. An observer that fails is reported once and left out, and what it had started ends as ``not observed``.
A warning or a log line of the program's that names its caller by a stack level names the same one as without us.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from types import AsyncGeneratorType, CodeType, FunctionType, GeneratorType
from typing import Any, TypeVar

import wrapt
from opentelemetry import context
from opentelemetry.context import Context

from turnspan.adapter import Invocation, Observable, Observer, Outcome, StreamObserver
from turnspan.model.ids import now_ns
from turnspan.recording.problems import Problem
from turnspan.recording.recorder import Recorder
from turnspan.telemetry.current_context import current_context

Running = Generator[Observable | StreamObserver | Context | None, Outcome, None]
_FunctionT = TypeVar("_FunctionT", bound=Callable[..., Any])
_CANCELLED = (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit)


def _not_a_caller(function: _FunctionT) -> _FunctionT:
    """Have ``warnings`` and ``logging`` pass over a function's frames when they count ``stacklevel``.

    Both pass over frames of the import system and know them by their file's name, so this appends to ours what they look
    for. Otherwise a deprecation that a client gives its caller would point at turnspan, where Python does not show it.
    """
    assert isinstance(function, FunctionType)
    function.__code__ = _unseen(function.__code__)
    return function


def _unseen(code: CodeType) -> CodeType:
    constants = tuple(_unseen(part) if isinstance(part, CodeType) else part for part in code.co_consts)
    return code.replace(co_filename=f"{code.co_filename} (like importlib._bootstrap)", co_consts=constants)


def outcome_of(error: BaseException | None, result: Any = None, items: int = 0) -> Outcome:
    """Return how a call ended."""
    if isinstance(error, GeneratorExit):
        return Outcome(result, None, cancelled=True, items=items, at_ns=now_ns())
    return Outcome(result, error, cancelled=isinstance(error, _CANCELLED), items=items)


class Watching:
    """One observer beside one call."""

    __slots__ = ("_context", "_failed", "_observed", "_observer", "_on_item", "_recorder", "items")

    def __init__(self, recorder: Recorder, begin: Callable[[], Running]) -> None:
        self._recorder = recorder
        self._observer: Running | None = None
        self._context: Context | None = None
        self._on_item: Callable[[Any], None] | None = None
        self._observed: Observable | None = None
        self._failed = False
        self.items = 0
        try:
            self._observer = begin()
            observed = next(self._observer)
        except StopIteration:
            self._observer = None  # not interested in this call
            return
        except Exception as error:
            self._fail(error)
            return
        if isinstance(observed, StreamObserver):
            observed, self._on_item = observed
        if isinstance(observed, Context):
            self._context = observed
        elif observed is not None and (started := observed.started) is not None:
            self._observed = observed
            self._context = recorder.context_of(started)

    @property
    def context(self) -> Context | None:
        """The context that the program's code runs in."""
        return self._context

    def enter(self) -> Any:
        """Make the turn or call the current one for the program's code; ``leave`` takes the token."""
        return None if self._context is None else context.attach(self._context)

    def leave_step(self, token: Any) -> None:
        """End a step of a stream; what is current in it then is so again in the next, as it would be without us."""
        if token is not None:
            self._context = context.get_current()
            context.detach(token)

    def item(self, item: Any) -> None:
        """Show the observer an item of a stream."""
        self.items += 1
        if self._on_item is not None and self._observer is not None:
            try:
                self._on_item(item)
            except Exception as error:
                self._on_item, self._failed = None, True  # what it made of the stream is no longer true
                self._recorder.problems.report(Problem.OBSERVER, error, _line_of(error))

    def end(self, outcome: Outcome) -> None:
        """Notify the observer how the call ended; only the first end counts."""
        observer, self._observer = self._observer, None
        if observer is None:
            return
        if outcome.cancelled and outcome.error is None:
            # A stream was closed, perhaps by the garbage collector in the middle of any allocation, also of one that a
            # context variable is being set by: CPython does not survive setting one then, and span processors do.
            self._recorder.defer(lambda: self._tell(observer, outcome))
        else:
            self._tell(observer, outcome)

    def _tell(self, observer: Running, outcome: Outcome) -> None:
        try:
            if self._failed:
                observer.close()
                self._end_unobserved(outcome)
            else:
                observer.send(outcome)
        except StopIteration:
            return
        except Exception as error:
            self._fail(error, outcome)

    def _fail(self, error: Exception, outcome: Outcome | None = None) -> None:
        self._observer = None
        self._end_unobserved(outcome)
        self._recorder.problems.report(Problem.OBSERVER, error, _line_of(error))

    def _end_unobserved(self, outcome: Outcome | None) -> None:
        """End what a failure of ours would leave open; what has ended already stays as it is."""
        if self._observed is not None:
            try:
                self._observed.not_observed(outcome)
            except Exception as error:
                self._recorder.problems.report(Problem.OBSERVER, error, _line_of(error))


def _line_of(error: Exception) -> str:
    """Return the line where an observer failed: what failures are counted by."""
    return str(getattr(error.__traceback__, "tb_lineno", ""))


class Watched(wrapt.FunctionWrapper):  # type: ignore[misc]
    """A watched function: it looks like the function, binds like it, and is pickled by its name like it."""

    def __reduce_ex__(self, _protocol: Any) -> str:
        return str(self.__wrapped__.__qualname__)


def always(_call: Invocation) -> bool:
    """Observe every call."""
    return True


@_not_a_caller
def watched(
    recorder: Callable[[], Recorder | None], observer: Observer, when: Callable[[Invocation], Any] = always
) -> Callable[..., Any]:
    """Return a wrapt wrapper that runs an observer beside each call of one function of which ``when`` is true."""
    kind: Callable[..., Any] | None = None

    def wrapper(function: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        nonlocal kind
        active = recorder()
        if active is None:
            return function(*args, **kwargs)
        if kind is None:
            kind = _kind_of(function)
        call = Invocation(instance, args, kwargs)
        try:
            if when is not always and not _asked(when, call):
                return function(*args, **kwargs)
            return kind(active, observer, call, function)
        except BaseException as error:
            _leave_no_frame(error)
            raise

    return wrapper


@_not_a_caller
def _kind_of(function: Callable[..., Any]) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(function):
        return _coroutine
    if inspect.isasyncgenfunction(function):
        return lambda active, observer, call, f: _async_steps(
            f(*call.args, **call.kwargs), _as_called(lambda: Watching(active, lambda: observer(call)))
        )
    if inspect.isgeneratorfunction(function):
        return lambda active, observer, call, f: _steps(
            f(*call.args, **call.kwargs), _as_called(lambda: Watching(active, lambda: observer(call)))
        )
    return _plain


def _asked(when: Callable[[Invocation], Any], call: Invocation) -> bool:
    try:
        return bool(when(call))
    except Exception:  # the observer has the same trouble, and its failure is reported
        return True


def _as_called(begin: Callable[[], Watching]) -> Callable[[], Watching]:
    """Have a stream that is first read outside of every session begin in the one that it was made in.

    A web handler makes it in ``with session(...)`` and returns it; the server reads it when that block was left.
    """
    called_in = context.get_current()

    def begin_there() -> Watching:
        if current_context() is not None or current_context(called_in) is None:
            return begin()
        token = context.attach(called_in)
        try:
            return begin()
        finally:
            context.detach(token)

    return begin_there


def _leave_no_frame(error: BaseException) -> None:
    """Take the caller's frame off the traceback of what it raises again, so that the traceback is as without us.

    A program may show it to somebody, or to a model: a runtime that lets a model read why its tool failed does.
    """
    if error.__traceback__ is not None:
        BaseException.with_traceback(error, error.__traceback__.tb_next)  # an exception's class may refuse assignments


def _leave(token: Any) -> None:
    if token is not None:
        context.detach(token)


@_not_a_caller
def _plain(active: Recorder, observer: Observer, call: Invocation, function: Callable[..., Any]) -> Any:
    watching = Watching(active, lambda: observer(call))
    token = watching.enter()
    try:
        result = function(*call.args, **call.kwargs)
    except BaseException as error:
        _leave(token)
        watching.end(outcome_of(error))
        _leave_no_frame(error)
        raise
    _leave(token)
    if inspect.iscoroutine(result):
        return _awaited(lambda: watching, lambda: result)
    return _returned(watching, result)


@_not_a_caller
def _coroutine(active: Recorder, observer: Observer, call: Invocation, function: Callable[..., Any]) -> Any:
    return _awaited(lambda: Watching(active, lambda: observer(call)), lambda: function(*call.args, **call.kwargs))


@_not_a_caller
async def _awaited(begin: Callable[[], Watching], make: Callable[[], Any]) -> Any:
    """Watch a coroutine, from when it is awaited. One frame, not two: each step of the program's goes through it."""
    watching = begin()
    token = watching.enter()
    try:
        result = await make()
    except BaseException as error:
        _leave(token)
        watching.end(outcome_of(error))
        _leave_no_frame(error)
        raise
    _leave(token)
    return _returned(watching, result)


def _returned(watching: Watching, result: Any) -> Any:
    """Go on watching a stream that was returned; anything else is the end."""
    if isinstance(result, AsyncGeneratorType):
        return _async_steps(result, lambda: watching)
    if isinstance(result, GeneratorType):
        return _steps(result, lambda: watching)
    watching.end(outcome_of(None, result))
    return result


@_not_a_caller
def _steps(stream: Generator[Any, Any, Any], begin: Callable[[], Watching]) -> Generator[Any, Any, Any]:
    watching = begin()  # at the first step, not before
    error: BaseException | None = None
    result: Any = None
    step: Callable[[], Any] = functools.partial(next, stream)
    try:
        while True:
            token = watching.enter()
            try:
                item = step()
            except StopIteration as stop:
                result = stop.value
                return result
            finally:
                watching.leave_step(token)
            watching.item(item)
            try:
                sent = yield item
            except GeneratorExit:
                stream.close()  # not as the current call: see Watching.end
                raise
            except BaseException as thrown:
                _leave_no_frame(thrown)
                step = functools.partial(stream.throw, thrown)
            else:
                step = functools.partial(stream.send, sent)
    except BaseException as caught:
        error = caught
        _leave_no_frame(error)
        raise
    finally:
        watching.end(outcome_of(error, result, watching.items))


@_not_a_caller
async def _async_steps(stream: AsyncGenerator[Any, Any], begin: Callable[[], Watching]) -> AsyncGenerator[Any, Any]:
    watching = begin()
    error: BaseException | None = None
    step: Callable[[], Any] = stream.__anext__
    try:
        while True:
            token = watching.enter()
            try:
                item = await step()
            except StopAsyncIteration:
                return
            finally:
                watching.leave_step(token)
            watching.item(item)
            try:
                sent = yield item
            except GeneratorExit:
                await stream.aclose()
                raise
            except BaseException as thrown:
                _leave_no_frame(thrown)
                step = functools.partial(stream.athrow, thrown)
            else:
                step = functools.partial(stream.asend, sent)
    except BaseException as caught:
        error = caught
        _leave_no_frame(error)
        raise
    finally:
        watching.end(outcome_of(error, None, watching.items))
