"""Streams of model clients: listened to where the client keeps its iterator, so that their types stay what they are.

A client closes its response while it is being pulled for the last time, or fails; a program that leaves early closes it
in between. Only the second says that the stream was left.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import Any, Protocol

from turnspan.adapter import Emit, Outcome, StreamObserver
from turnspan_integrations.loops import Answer, Asking


class Reader(Protocol):
    """Puts the chunks of a streamed answer together."""

    def take(self, chunk: Any) -> None:
        """Take a chunk."""

    def answer(self) -> Answer:
        """Return the answer as far as it came."""

    def is_whole(self) -> bool:
        """Return whether the provider said that the answer ended."""


class AnswerReader(Reader, Protocol):
    """Reads answers, whole or in chunks."""

    def whole(self, result: Any) -> Answer:
        """Return what a whole answer says."""


def observed(asking: Asking | None, reader: AnswerReader) -> Generator[Any, Outcome, None]:
    """Observe a call of a client whose streams are generators; None where somebody else reports it."""
    if asking is None:
        yield None
    elif not asking.request.streamed:
        outcome = yield asking
        if outcome.status == "success":
            asking.answered(reader.whole(outcome.result))
        else:
            asking.failed(outcome)
    else:

        def take(chunk: Any) -> None:
            asking.call.chunk()
            reader.take(chunk)

        outcome = yield StreamObserver(asking, take)
        ended(asking, reader, outcome)


def ended(asking: Asking, reader: Reader, outcome: Outcome) -> None:
    """Say how a stream ended; what comes after its whole answer is not its end."""
    if reader.is_whole() or outcome.status == "success":
        asking.answered(reader.answer())
    else:
        asking.failed(outcome, reader.answer())


def listen(emit: Emit, asking: Asking, stream: Any, reader: Reader, attribute: str = "_iterator") -> None:
    """Have a reader take what a stream gives, and say how it ended.

    Args:
        emit: Guards what is done.
        asking: The call that the stream answers.
        stream: The client's stream.
        reader: Takes its chunks.
        attribute: Where the client keeps the iterator of a stream.

    """

    def item(chunk: Any) -> None:
        asking.call.chunk()
        reader.take(chunk)

    over = emit.patch.guard(lambda outcome: ended(asking, reader, outcome), asking)
    tap = _Tap(emit.patch.guard(item, asking), over)
    source = getattr(stream, attribute)
    is_async = hasattr(source, "__anext__")
    setattr(stream, attribute, tap.async_items(source) if is_async else tap.items(source))
    with contextlib.suppress(AttributeError):
        tap.watch_closing(stream.response, "aclose" if is_async else "close")


class _Tap:
    """One iterator, and whether it is being pulled right now."""

    def __init__(self, item: Callable[[Any], None], end: Callable[[Outcome], None]) -> None:
        self._item, self._end = item, end
        self._pulling = False

    def items(self, source: Iterator[Any]) -> Iterator[Any]:
        """Yield what the source gives."""
        while True:
            self._pulling = True
            try:
                chunk = next(source)
            except StopIteration:
                self._end(Outcome())
                return
            except BaseException as error:
                self._end(Outcome(error=error, cancelled=_is_cancel(error)))
                raise
            finally:
                self._pulling = False
            self._item(chunk)
            yield chunk

    async def async_items(self, source: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Yield what the source gives."""
        while True:
            self._pulling = True
            try:
                chunk = await anext(source)
            except StopAsyncIteration:
                self._end(Outcome())
                return
            except BaseException as error:
                self._end(Outcome(error=error, cancelled=_is_cancel(error)))
                raise
            finally:
                self._pulling = False
            self._item(chunk)
            yield chunk

    def watch_closing(self, response: Any, method: str) -> None:
        """Take the closing of a response for the leaving of its stream, unless the stream itself closes it."""
        close = getattr(response, method)

        def closing(*args: Any, **kwargs: Any) -> Any:
            if not self._pulling:
                self._end(Outcome(cancelled=True))
            return close(*args, **kwargs)

        setattr(response, method, closing)


def _is_cancel(error: BaseException) -> bool:
    return isinstance(error, (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit))
