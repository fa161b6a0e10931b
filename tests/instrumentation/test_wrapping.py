"""What a watched function sees of who called it."""

import asyncio
import logging
import traceback
import warnings

import pytest
import wrapt

import turnspan
from turnspan.instrumentation.wrapping import Watched, watched
from turnspan.recording import runtime


def _tell() -> str:
    warnings.warn("old", DeprecationWarning, stacklevel=3)
    logging.getLogger("library").warning("old", stacklevel=3)
    return "done"


def plain() -> str:
    return _tell()


async def coroutine() -> str:
    await asyncio.sleep(0)
    return _tell()


def steps():
    yield _tell()


async def async_steps():
    yield _tell()


async def _first(stream) -> str:
    async for item in stream:
        return item
    raise AssertionError


CALLS = {
    "plain": lambda wrap: wrap(plain)(),
    "coroutine": lambda wrap: asyncio.run(_await(wrap(coroutine))),
    "generator": lambda wrap: next(wrap(steps)()),
    "async generator": lambda wrap: asyncio.run(_first(wrap(async_steps)())),
}


async def _await(function) -> str:
    return await function()


def _callers(call, wrap, caplog) -> list[tuple[str, int]]:
    caplog.clear()
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        assert call(wrap) == "done"
    return [(shown[0].filename, shown[0].lineno), (caplog.records[0].pathname, caplog.records[0].lineno)]


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_warnings_and_log_lines_with_a_stack_level_name_the_same_caller(call, caplog, recording):
    """A deprecation that is meant for the program's line is shown there; pointed at turnspan, Python would hide it."""
    as_without = _callers(call, lambda function: function, caplog)
    with turnspan.turn():
        assert _callers(call, turnspan.tool, caplog) == as_without
    assert as_without[0][0] == __file__
    assert len(recording.turn.tool_calls) == 1


def _fail() -> None:
    raise ValueError("no")


def _fails() -> None:
    _fail()


async def _fails_later() -> None:
    await asyncio.sleep(0)
    _fail()


def _steps_that_fail():
    yield 1
    _fail()


async def _async_steps_that_fail():
    yield 1
    _fail()


async def _all(stream) -> list[int]:
    return [item async for item in stream]


async def _thrown_into(stream) -> None:
    await anext(stream)
    await stream.athrow(ValueError("no"))


def _throw_into(stream) -> None:
    next(stream)
    stream.throw(ValueError("no"))


FAILURES = {
    "plain": lambda wrap: wrap(_fails)(),
    "coroutine": lambda wrap: asyncio.run(_await(wrap(_fails_later))),
    "generator": lambda wrap: list(wrap(_steps_that_fail)()),
    "async generator": lambda wrap: asyncio.run(_all(wrap(_async_steps_that_fail)())),
    "thrown into a generator": lambda wrap: _throw_into(wrap(_steps_that_fail)()),
    "thrown into an async generator": lambda wrap: asyncio.run(_thrown_into(wrap(_async_steps_that_fail)())),
}


def _traceback(call, wrap) -> str:
    with pytest.raises(ValueError, match="no") as raised:
        call(wrap)
    return "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize("call", FAILURES.values(), ids=FAILURES)
def test_what_a_wrapped_function_raises_has_the_traceback_that_it_has_without_us(call, recording):
    """A runtime that lets its model read why a tool failed asks the model the same; a program prints the same."""

    def observer(_call):
        outcome = yield None
        seen.append(outcome.error)

    def wrap(function):
        return Watched(function, watched(lambda: recording.recorder, observer))

    seen: list[Exception] = []
    assert _traceback(call, wrap) == _traceback(call, lambda function: function)
    assert [str(error) for error in seen] == ["no"]


def test_a_call_that_there_is_nothing_to_observe_of_goes_straight_to_its_function(recording):
    """A runtime asks for a tool's guardrails with every call: where there are none, nothing is started around it."""
    seen = []

    def observer(call):
        seen.append(call.args)
        yield None

    def when(call):
        return call.args[0] / 2 >= 1  # a text cannot be divided: whoever asks so gets to see it

    async def call(given):
        return given

    own = wrapt.FunctionWrapper(call, watched(runtime.active, observer, when))
    unobserved = own(1)
    assert unobserved.cr_code is call.__code__
    assert [asyncio.run(one) for one in (unobserved, own(2), own("text"))] == [1, 2, "text"]
    assert seen == [(2,), ("text",)]
