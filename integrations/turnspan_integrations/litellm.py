"""LiteLLM: handwritten loops over ``completion`` and ``acompletion``, whoever answers them.

The functions of the package are wrapped, and the streams that they return. Messages are OpenAI's. The client that LiteLLM asks
through is below this call and adds nothing; where a framework asks through LiteLLM and reports the call itself, this adds
nothing either. What a list of messages means for sessions, turns and tool calls is reported by
:mod:`turnspan_integrations.loops`.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any
from weakref import WeakKeyDictionary

from msgspec.structs import replace

from turnspan.adapter import Emit, Invocation, Outcome
from turnspan_integrations import embeddings, openai_chat
from turnspan_integrations.loops import Answer, Asking, Loops
from turnspan_integrations.providers import provider_at
from turnspan_integrations.streams import ended
from turnspan_integrations.usage import openai_usage

REQUIRES = "litellm>=1.83.14,<2"
CANNOT = {
    "agents": "a client knows none",
    "sub-agents": "a tool's own loop is a conversation of its own",
    "tool failures": "the program hands an error on as text, like any other result",
    "handoffs": "a client knows none",
    "how long a tool took": "to less than the time between two calls of the model",
    "streams that are left without being closed": "they end with the next call of their conversation, or of the process; before 1.100 they cannot be closed",
    "embeddings outside of a turn": "nothing says which session they belong to",
    "`responses` and `text_completion`": "those that go through `openai` are reported by it, where it is watched",
    "a task that was left before the model was asked again": "in a loop without tasks",
}
_PROVIDERS = {
    "azure": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "bedrock": "aws.bedrock",
    "cohere_chat": "cohere",
    "fireworks_ai": "fireworks",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "moonshot": "moonshot_ai",
    "ollama_chat": "ollama",
    "together_ai": "together",
    "vertex_ai": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "xai": "x_ai",
}
"""Providers that the GenAI conventions, or the price list, have other names for than LiteLLM."""
_BEGINNINGS = {"claude": "anthropic", "gemini": "gcp.vertex_ai", "command": "cohere", "mistral": "mistral_ai"}
"""Models that LiteLLM knows the provider of without a prefix; all others are OpenAI's."""


def install(emit: Emit) -> None:
    """Wrap what asks a model, and what reads its streams."""
    loops = Loops(emit)
    streams: WeakKeyDictionary[Any, _Stream] = WeakKeyDictionary()

    def completion(call: Invocation) -> Generator[Any, Outcome, None]:
        asking = loops.ask(openai_chat.request(*_asked(call)))
        outcome = yield asking
        if asking is None:
            return
        if outcome.status != "success":
            asking.failed(outcome)
        elif asking.request.streamed:
            streams[outcome.result] = _Stream(asking)
        else:
            asking.answered(Reader().whole(outcome.result))

    def step(call: Invocation) -> Generator[Any, Outcome, None]:
        stream = streams.get(call.instance)
        if stream is None:
            return
        stream.is_read = True
        outcome = yield stream.asking
        stream.is_read = False
        if outcome.status == "success":
            stream.asking.call.chunk()
            stream.reader.take(outcome.result)
            return
        del streams[call.instance]
        over = isinstance(outcome.error, (StopIteration, StopAsyncIteration))
        ended(stream.asking, stream.reader, Outcome() if over else outcome)

    def closed(call: Invocation) -> Generator[Any, Outcome, None]:
        stream = streams.get(call.instance)
        yield None
        if stream is not None and not stream.is_read:  # LiteLLM closes it itself, too, when it has ended or failed
            del streams[call.instance]
            ended(stream.asking, stream.reader, Outcome(cancelled=True))

    def embeds(call: Invocation) -> Generator[Any, Outcome, None]:
        provider, model = _named(call)
        asked = embeddings.Asked(provider, model, call.argument(1, "input"))
        return embeddings.observed(emit, asked, lambda said: (said.model, openai_usage(said.usage)))

    for kind in ("", "a"):
        emit.patch.wrap(f"litellm:{kind}completion", completion)
        emit.patch.wrap(f"litellm:{kind}embedding", embeds)
        stream = "litellm.litellm_core_utils.streaming_handler:CustomStreamWrapper"
        emit.patch.wrap(f"{stream}.__{kind}next__", step)
        emit.patch.wrap(f"{stream}.{kind}close", closed)


class Reader(openai_chat.Reader):
    """Reads a completion; what it costs by LiteLLM's own list is not what anybody charged."""

    def _answer(self, messages: list[Any], finish: list[str]) -> Answer:
        said = super()._answer(messages, finish)
        return said._replace(usage=None if said.usage is None else replace(said.usage, cost_usd=None))


class _Stream:
    """A stream that is being read."""

    def __init__(self, asking: Asking) -> None:
        self.asking, self.reader = asking, Reader()
        self.is_read = False
        """Whether it is at a step right now."""


def _asked(call: Invocation) -> tuple[dict[str, Any], str]:
    """Return what is asked, and who."""
    asked = {name: value for name, value in call.kwargs.items() if value is not None}
    provider, model = _named(call)
    return {**asked, "messages": call.argument(1, "messages"), "model": model}, provider


def _named(call: Invocation) -> tuple[str, str]:
    """Return the provider and the model: the first's name stands before the second's, or is known by it."""
    asked = call.kwargs
    prefix, slash, name = str(call.argument(0, "model") or "").partition("/")
    known = asked.get("custom_llm_provider") or (prefix if slash else None)
    if known is None:
        known = next((one for word, one in _BEGINNINGS.items() if prefix.startswith(word)), "openai")
    provider = _PROVIDERS.get(known, known)
    return provider_at(asked.get("api_base") or asked.get("base_url"), provider), name or prefix
