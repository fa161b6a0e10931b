"""What can be asserted of a recording. Each failure says what was expected, and shows what happened instead."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NoReturn, TypeVar

from turnspan.model.json_values import folded
from turnspan.model.records import ToolCallRecord

T = TypeVar("T")
Expected = str | tuple[str, dict[str, Any]]
"""A tool call: the tool's name, or the name and some of the arguments."""


class Assertions(ABC):
    """Assertions about tool calls, and what may be spent."""

    @property
    @abstractmethod
    def tool_calls(self) -> list[ToolCallRecord]:
        """The tool calls, in order of their starts."""

    @property
    @abstractmethod
    def model_calls(self) -> list[dict[str, Any]]:
        """The model calls."""

    @property
    @abstractmethod
    def tokens(self) -> int:
        """The tokens that were used."""

    @property
    @abstractmethod
    def duration_s(self) -> float:
        """How long the turns took."""

    def assert_called(self, tool: str, /, **arguments: Any) -> ToolCallRecord:
        """Assert that a tool was called with (at least) these arguments, and return the first such call."""
        return self._calls(tool, arguments)[0]

    def assert_called_once(self, tool: str, /, **arguments: Any) -> ToolCallRecord:
        """Assert that a tool was called with these arguments once, and return the call."""
        found = self._calls(tool, arguments)
        if len(found) > 1:
            self._fail(f"{_call(tool, arguments)} was called {len(found)} times, not once")
        return found[0]

    def assert_not_called(self, tool: str, /, **arguments: Any) -> None:
        """Assert that a tool was never called, or never with these arguments."""
        if any(_is(call, tool, arguments) for call in self.tool_calls):
            self._fail(f"{_call(tool, arguments)} was called")

    def assert_called_in_order(self, *expected: Expected) -> None:
        """Assert that these calls were made, one behind the other; others may be between them."""
        rest = list(self.tool_calls)
        for number, (tool, arguments) in enumerate(map(_named, expected)):
            place = next((n for n, call in enumerate(rest) if _is(call, tool, arguments)), None)
            if place is None:
                before = f" behind {', '.join(_call(*_named(one)) for one in expected[:number])}" if number else ""
                self._fail(f"{_call(tool, arguments)} was not called{before}")
            del rest[: place + 1]

    def assert_called_in_any_order(self, *expected: Expected) -> None:
        """Assert that these calls were made, each of them one of its own; others may have been, too."""
        rest = list(self.tool_calls)
        for tool, arguments in map(_named, expected):
            found = next((call for call in rest if _is(call, tool, arguments)), None)
            if found is None:
                self._fail(f"{_call(tool, arguments)} was not called")
            rest.remove(found)

    def assert_within(
        self,
        *,
        tokens: int | None = None,
        model_calls: int | None = None,
        tool_calls: int | None = None,
        duration_s: float | None = None,
    ) -> None:
        """Assert that no more than this was spent, over all turns."""
        spent: list[tuple[str, float, float | None]] = [
            ("tokens", self.tokens, tokens),
            ("model calls", len(self.model_calls), model_calls),
            ("tool calls", len(self.tool_calls), tool_calls),
            ("seconds", self.duration_s, duration_s),
        ]
        over = [f"{used:g} {what}, not {limit:g}" for what, used, limit in spent if limit is not None and used > limit]
        if over:
            self._fail(f"more was spent than the budget allows: {'; '.join(over)}")

    def _calls(self, tool: str, arguments: dict[str, Any]) -> list[ToolCallRecord]:
        found = [call for call in self.tool_calls if _is(call, tool, arguments)]
        if not found:
            named = [call for call in self.tool_calls if call.tool_name == tool]
            others = f"; it was called with {', '.join(_call('', call.arguments) for call in named)}" if named else ""
            self._fail(f"{_call(tool, arguments)} was not called{others}")
        return found

    def _only(self, what: str, found: Sequence[T]) -> T:
        if not found:
            self._fail(
                f"there is no {what}: nothing was recorded. A runtime is recorded after turnspan.instrument(); code of "
                "your own is recorded by turnspan.turn()"
            )
        if len(found) > 1:
            self._fail(f"there are {len(found)} {what}s, not one; look at recording.{what}s")
        return found[0]

    def _fail(self, says: str) -> NoReturn:
        raise AssertionError(f"{says}\n\n{self}")


def _named(expected: Expected) -> tuple[str, dict[str, Any]]:
    return (expected, {}) if isinstance(expected, str) else expected


def _is(call: ToolCallRecord, tool: str, arguments: dict[str, Any]) -> bool:
    return call.tool_name == tool and all(
        name in call.arguments and call.arguments[name] == value for name, value in arguments.items()
    )


def _call(tool: str, arguments: dict[str, Any]) -> str:
    return f"{tool}({', '.join(f'{name}={folded(value, 80)}' for name, value in arguments.items())})"
