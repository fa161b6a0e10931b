"""What Haystack's generators are asked, and what they answer."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextvars import ContextVar
from typing import Any
from weakref import WeakSet

from turnspan.adapter import Emit, Invocation, ModelCall, Outcome
from turnspan.events import Usage
from turnspan_integrations.haystack_values import is_agent, is_message, message_of
from turnspan_integrations.providers import provider_at
from turnspan_integrations.raw_answers import raw_answer
from turnspan_integrations.usage import anthropic_usage

_PROVIDERS = {
    "Azure": "azure.ai.openai",
    "OpenAI": "openai",
    "Anthropic": "anthropic",
    "GoogleGenAI": "gcp.gemini",
    "GoogleAI": "gcp.gemini",
    "VertexAI": "gcp.vertex_ai",
    "AmazonBedrock": "aws.bedrock",
    "Mistral": "mistral_ai",
    "Cohere": "cohere",
    "Ollama": "ollama",
    "HuggingFace": "huggingface",
    "Nvidia": "nvidia",
    "Watsonx": "ibm.watsonx.ai",
}
"""By what the names of generators begin with."""
_FALLBACK = "haystack.components.generators.chat.fallback:FallbackChatGenerator"
_Watching = Generator[Any, Outcome, None]


class Models:
    """The generators that are met, and their calls."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._known: WeakSet[type] = WeakSet()
        self._seen = 0
        self._ours: set[str] = set()
        self._failed: ContextVar[list[Any]] = ContextVar("turnspan_haystack_failed")

    def install(self) -> None:
        """Wrap what is not a class of generators: chunks of a stream, and a generator that asks others."""
        self._emit.patch.wrap("haystack.dataclasses.streaming_chunk:StreamingChunk.__post_init__", self.chunk)
        for method in ("run", "run_async"):
            self._emit.patch.wrap(f"{_FALLBACK}.{method}", self.several)
        for method in ("_run_single_sync", "_run_single_async"):
            self._emit.patch.wrap(f"{_FALLBACK}.{method}", self.one_of_several)

    def watch(self, agent: Any = None) -> None:
        """Wrap the classes of generators that there are by now, and that of an agent's, where they are defined."""
        if agent is not None:
            self._wrap(type(getattr(agent, "chat_generator", None)))
        registered = sys.modules["haystack.core.component"].component.registry
        if len(registered) != self._seen:
            self._seen = len(registered)
            for cls in list(registered.values()):
                if is_generator(cls):
                    self._wrap(cls)

    def _wrap(self, cls: type) -> None:
        for method in ("run", "run_async"):
            owner = next((one for one in cls.__mro__ if method in vars(one)), None)
            if owner is not None and owner not in self._known and owner.__name__ != "FallbackChatGenerator":
                for own in {"run", "run_async"} & vars(owner).keys():
                    self._emit.patch.wrap((owner, own), self.asks)
                self._known.add(owner)

    def asking(self, pipeline: Any) -> list[Any]:
        """Return the components of a pipeline that ask a model, or run an agent."""
        return [node["instance"] for _, node in pipeline.graph.nodes(data=True) if self._asks(node["instance"])]

    def _asks(self, component: Any) -> bool:
        inside = [getattr(component, name, None) for name in ("chat_generator", "_chat_generator")]
        for generator in (component, *inside):
            if generator is not None and is_generator(type(generator)):
                self._wrap(type(generator))  # one that was defined anew is registered in place of the other
                return True
        part = getattr(component, "pipeline", None)
        return is_agent(component) or any(inside) or (hasattr(part, "graph") and bool(self.asking(part)))

    # Calls -----------------------------------------------------------------------------------------------------------

    def asks(self, call: Invocation) -> _Watching:
        """A generator is asked; one that asks itself by another method, or another one, is asked once."""
        run, here, generator = self._emit.current_run(), self._emit.current(), call.instance
        if run is None or here is None or here.call_id in self._ours:
            yield None
            return
        given = call.argument(0, "messages") or call.kwargs.get("prompt") or []
        asked = run.model_started(
            provider=_provider_of(generator),
            model=_model_of(generator),
            messages=[message_of(one) for one in ([given] if isinstance(given, str) else given)],
            streamed=bool(call.kwargs.get("streaming_callback") or getattr(generator, "streaming_callback", None)),
        )
        self._ours.add(asked.call_id)
        try:
            outcome = yield asked
        finally:
            self._ours.discard(asked.call_id)
        _end(asked, outcome)

    def chunk(self, _call: Invocation) -> _Watching:
        """A chunk of a stream is made, where it arrives."""
        here, run = self._emit.current(), self._emit.current_run()
        call = None if here is None or run is None else run.open_call(here.call_id)
        if isinstance(call, ModelCall):
            call.chunk()
        yield None

    def several(self, _call: Invocation) -> _Watching:
        """A generator asks others, each if those before it failed."""
        token = self._failed.set([])
        yield None
        self._failed.reset(token)

    def one_of_several(self, _call: Invocation) -> _Watching:
        """One of them is asked."""
        failed, run = self._failed.get([]), self._emit.current_run()
        if failed and run is not None:
            run.retried("model", len(failed) + 1, error=failed[-1])
        outcome = yield None
        if outcome.error is not None:
            failed.append(outcome.error)


def is_generator(cls: type) -> bool:
    """Return whether a class of components is one of generators: only these have replies."""
    return "replies" in getattr(getattr(cls, "run", None), "_output_types_cache", ())


def _end(asked: ModelCall, outcome: Outcome) -> None:
    result: Any = outcome.result or {}
    replies = result.get("replies") or []
    metas = [reply.meta for reply in replies if is_message(reply)] or result.get("meta") or []
    meta = metas[0] if isinstance(metas, list) and metas else {}
    said = raw_answer(meta)
    reasons = [str(one["finish_reason"]) for one in metas if one.get("finish_reason")] if meta else []
    asked.ended(
        outcome._replace(result=None),
        [{**message_of(reply), "role": "assistant"} for reply in replies] if replies else None,
        response_model=said.model,
        response_id=said.response_id,
        usage=_usage_of(meta, asked.started.provider) or said.usage,
        finish_reasons=reasons,
    )


def _usage_of(meta: dict[str, Any], provider: str | None) -> Usage | None:
    """Return the usage of Anthropic's models, whose generator renames only some of what they say."""
    used = meta.get("usage")
    if provider != "anthropic" or not isinstance(used, dict) or "prompt_tokens" not in used:
        return None
    return anthropic_usage(
        {"input_tokens": used["prompt_tokens"], "output_tokens": used.get("completion_tokens"), **used}
    )


def _provider_of(generator: Any) -> str | None:
    names = [cls.__name__ for cls in type(generator).__mro__]
    known = next((_PROVIDERS[word] for name in names for word in _PROVIDERS if name.startswith(word)), None)
    if known == "openai":
        client = getattr(generator, "client", None) or getattr(generator, "async_client", None)
        return provider_at(getattr(client, "base_url", None) or getattr(generator, "api_base_url", None), "openai")
    return known


def _model_of(generator: Any) -> str | None:
    names = ("model", "model_name", "_model", "azure_deployment")
    found = next((value for name in names if (value := getattr(generator, name, None)) is not None), None)
    return found if isinstance(found, str) else None
