"""What a watched function sees of who called it."""

import asyncio
import logging
import warnings

import pytest

import turnspan


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
