"""Blocks: what every word of the hand-written API gives, to ``with``, to ``async with``, or to decorate with."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Generator
from types import FrameType, TracebackType
from typing import Any, Generic, TypeVar

from opentelemetry import context

from turnspan.adapter import Invocation, Outcome
from turnspan.api.operations import Operation
from turnspan.api.streams import stands_in_stream
from turnspan.errors import BlockInGeneratorError
from turnspan.instrumentation.wrapping import Watched, Watching, outcome_of, watched
from turnspan.recording import runtime

F = TypeVar("F", bound=Callable[..., Any])
P = TypeVar("P", bound=Operation)


class Block(Generic[P]):
    """Where an operation begins.

    Args:
        word: The word of the API that made it.
        make: Makes the operation, of the function that is decorated and its arguments, if there is one.

    """

    def __init__(
        self, word: str, make: Callable[[Callable[..., Any] | None, tuple[Any, ...], dict[str, Any]], P]
    ) -> None:
        self._word, self._make = word, make
        self._open: list[tuple[Watching | None, context.Context | None]] = []
        self._key = f"turnspan-block-{id(self)}"

    def __enter__(self) -> P:
        return self._enter(sys._getframe(1))  # noqa: SLF001  the block's own frame

    async def __aenter__(self) -> P:
        return self._enter(sys._getframe(1))  # noqa: SLF001

    def _enter(self, frame: FrameType) -> P:
        operation = self._make(None, (), {})
        active = runtime.active()
        if active is None:
            self._open.append((None, None))
            return operation
        if stands_in_stream(frame):
            word, name = self._word, frame.f_code.co_name
            raise BlockInGeneratorError(
                f"`with turnspan.{word}(...)` cannot hold around the yield of {name}(): a generator's steps run where the "
                f"next item is asked for, and other code runs in between. Decorate it with @turnspan.{word}(...) instead"
            )
        watching = Watching(active, operation.observe)
        before = None
        if watching.context is not None:
            before = context.get_current()
            context.attach(context.set_value(self._key, self, watching.context))
        self._open.append((watching, before))
        return operation

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        watching, before = self._open.pop()
        # A dependency of FastAPI may be left in another context than it was entered in, where nothing of ours is current;
        # and the steps of a stream have one each. So what was before is made current again, not by the token.
        if before is not None and context.get_value(self._key) is self:
            context.attach(before)
        if watching is not None:
            watching.end(outcome_of(error))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    def __call__(self, function: F) -> F:
        def observe(call: Invocation) -> Generator[Any, Outcome, None]:
            bound = () if call.instance is None or inspect.ismethod(function) else (call.instance,)
            yield from self._make(function, (*bound, *call.args), call.kwargs).observe()

        return Watched(function, watched(runtime.active, observe))
