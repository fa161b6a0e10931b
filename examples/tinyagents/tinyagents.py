"""A toy agent runtime: an agent asks its model, runs the tools that it asks for at the same time, and answers."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Call:
    """A tool call that a model asks for."""

    name: str
    arguments: dict[str, Any]
    id: str


@dataclass(frozen=True)
class Answer:
    """What a model says: a text, or calls of tools; and how many tokens went in and came out."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    tokens: tuple[int, int] = (0, 0)


class Model(Protocol):
    """A language model."""

    name: str

    async def answer(self, messages: list[dict[str, Any]]) -> Answer: ...


@dataclass
class Agent:
    """An agent; its threads are conversations, which it remembers."""

    name: str
    model: Model
    tools: tuple[Callable[..., Any], ...] = ()
    threads: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    async def run(self, prompt: str, thread: str) -> str:
        """Answer a prompt."""
        return " ".join([word async for word in self._words(prompt, thread)])

    async def stream(self, prompt: str, thread: str) -> AsyncIterator[str]:
        """Answer a prompt, word by word."""
        async for word in self._words(prompt, thread):
            yield word

    async def _words(self, prompt: str, thread: str) -> AsyncIterator[str]:
        messages = self.threads.setdefault(thread, [])
        messages.append({"role": "user", "content": prompt})
        while (answer := await self.ask(messages)).calls:
            messages.append({"role": "assistant", "calls": answer.calls})
            results = await asyncio.gather(*(self._result(call) for call in answer.calls))
            messages += [{"role": "tool", "content": result} for result in results]
        messages.append({"role": "assistant", "content": answer.text})
        for word in answer.text.split(" "):
            yield word

    async def ask(self, messages: list[dict[str, Any]]) -> Answer:
        """Ask the model once."""
        return await self.model.answer(messages)

    async def _result(self, call: Call) -> str:
        try:
            return str(await self.use(call))
        except Exception as error:
            return f"{type(error).__name__}: {error}"  # the model shall know

    async def use(self, call: Call) -> Any:
        """Call a tool once."""
        tool = next(tool for tool in self.tools if tool.__name__ == call.name)
        result = tool(**call.arguments)
        return await result if inspect.isawaitable(result) else result
