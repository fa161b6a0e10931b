"""The ``mistralai`` client: handwritten loops over chat completions and over agents that are kept at the provider.

Methods of the client are wrapped; streams are listened to where the client keeps them. Messages are OpenAI's but for their
contents, which may come in chunks, thinking among them. What a list of messages means for sessions, turns and tool calls
is reported by :mod:`turnspan_integrations.loops`.
"""

from __future__ import annotations

from collections.abc import Generator
from types import SimpleNamespace
from typing import Any

from turnspan.adapter import Emit, Invocation, Outcome
from turnspan_integrations import embeddings, openai_chat
from turnspan_integrations.loops import Asking, Loops
from turnspan_integrations.streams import listen
from turnspan_integrations.usage import openai_usage

REQUIRES = "mistralai>=3.0,<4"
CANNOT = {
    "agents": "a client knows none",
    "sub-agents": "a tool's own loop is a conversation of its own",
    "tool failures": "the program hands an error on as text, like any other result",
    "handoffs": "a client knows none",
    "how long a tool took": "to less than the time between two calls of the model",
    "embeddings outside of a turn": "nothing says which session they belong to",
    "conversations that are kept at the provider": "`beta.conversations` has no list of messages",
    "a task that was left before the model was asked again": "in a loop without tasks",
}


def install(emit: Emit) -> None:
    """Wrap the methods that ask a model."""
    loops = Loops(emit)

    def complete(call: Invocation) -> Generator[Any, Outcome, None]:
        return _observed(emit, loops, call, streamed=False)

    def stream(call: Invocation) -> Generator[Any, Outcome, None]:
        return _observed(emit, loops, call, streamed=True)

    def embeds(call: Invocation) -> Generator[Any, Outcome, None]:
        asked = embeddings.Asked("mistral_ai", call.kwargs.get("model"), call.kwargs.get("inputs"))
        return embeddings.observed(emit, asked, lambda said: (said.model, openai_usage(said.usage)))

    for suffix in ("", "_async"):
        emit.patch.wrap(f"mistralai.client.embeddings:Embeddings.create{suffix}", embeds)
    for resource in ("chat:Chat", "agents:Agents"):
        for suffix in ("", "_async"):
            emit.patch.wrap(f"mistralai.client.{resource}.complete{suffix}", complete)
            emit.patch.wrap(f"mistralai.client.{resource}.stream{suffix}", stream)


def _observed(emit: Emit, loops: Loops, call: Invocation, *, streamed: bool) -> Generator[Any, Outcome, None]:
    asked = {"model": call.kwargs.get("agent_id"), **{k: v for k, v in call.kwargs.items() if v}, "stream": streamed}
    asking = loops.ask(openai_chat.request(asked, "mistral_ai"))
    outcome = yield asking
    if asking is None:
        return
    if outcome.error is not None or outcome.cancelled:
        asking.failed(outcome)
    else:
        _take(emit, asking, outcome.result)


def _take(emit: Emit, asking: Asking, result: Any) -> None:
    if hasattr(result, "generator"):
        listen(emit, asking, result, Reader(), "generator")
    else:
        asking.answered(Reader().whole(result))


class Reader(openai_chat.Reader):
    """Reads a completion; the chunks of a stream are the data of events."""

    def take(self, event: Any) -> None:
        """Take an event."""
        chunk = event.data
        choices = [
            SimpleNamespace(index=choice.index, finish_reason=choice.finish_reason, delta=_delta(choice.delta))
            for choice in chunk.choices
        ]
        super().take(SimpleNamespace(id=chunk.id, model=chunk.model, usage=chunk.usage, choices=choices))


def _delta(delta: Any) -> Any:
    """Return what a chunk adds to a message, its text and its thinking as texts."""
    content = delta.content or ""
    text = content if isinstance(content, str) else "".join(_texts(content, "text"))
    thought = (
        ""
        if isinstance(content, str)
        else "".join(piece for part in content if part.type == "thinking" for piece in _texts(part.thinking, "text"))
    )
    return SimpleNamespace(content=text, reasoning_content=thought or None, tool_calls=delta.tool_calls or None)


def _texts(parts: Any, kind: str) -> list[str]:
    return [part.text for part in parts if part.type == kind]
