"""What smolagents' models are asked, and what they answer."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from turnspan.adapter import Emit, Invocation, ModelCall, Outcome, StreamObserver
from turnspan_integrations.providers import provider_at
from turnspan_integrations.raw_answers import RawAnswer, of, raw_answer

_PROVIDERS = {
    "AzureOpenAIModel": "azure.ai.openai",
    "AzureOpenAIServerModel": "azure.ai.openai",
    "AmazonBedrockModel": "aws.bedrock",
    "AmazonBedrockServerModel": "aws.bedrock",
    "InferenceClientModel": "huggingface",
    "TransformersModel": "transformers",
    "VLLMModel": "vllm",
    "MLXModel": "mlx",
}
_ROLES = {"tool-call": "assistant", "tool-response": "tool"}
"""What the runtime calls messages that it writes for models without tools."""
_ours: set[str] = set()


def asks(emit: Emit, call: Invocation) -> Generator[Any, Outcome, None]:
    """Observe a model that is asked, whole or streamed; one that asks itself by another method is asked once."""
    run, model = emit.current_run(), call.instance
    here = emit.current()
    if run is None or here is None or here.call_id in _ours:
        yield None
        return
    asked = run.model_started(
        provider=_provider_of(model),
        model=getattr(model, "model_id", None),
        messages=[_plain(message) for message in call.argument(0, "messages") or ()],
    )
    _ours.add(asked.call_id)
    deltas: list[Any] = []

    def take(delta: Any) -> None:
        asked.chunk()
        deltas.append(delta)

    try:
        outcome = yield StreamObserver(asked, take)
    finally:
        _ours.discard(asked.call_id)
    _end(asked, outcome, _put_together(deltas) if deltas else outcome.result)


def _end(asked: ModelCall, outcome: Outcome, message: Any) -> None:
    used, raw = getattr(message, "token_usage", None), getattr(message, "raw", None)
    said = raw_answer(raw, asked.started.provider) if raw is not None else RawAnswer()
    if said.usage is None and used is not None:
        said = raw_answer(raw, None, {"input_tokens": used.input_tokens, "output_tokens": used.output_tokens})
    asked.ended(
        outcome._replace(result=None),
        None if message is None else [_plain(message)],
        response_model=said.model,
        response_id=said.response_id,
        usage=said.usage,
        finish_reasons=[said.finish_reason] if said.finish_reason else [],
    )


def _put_together(deltas: list[Any]) -> Any:
    from smolagents.models import agglomerate_stream_deltas

    return agglomerate_stream_deltas(deltas)


def _provider_of(model: Any) -> str | None:
    names = [cls.__name__ for cls in type(model).__mro__]
    known = next((_PROVIDERS[name] for name in names if name in _PROVIDERS), None)
    if known is not None:
        return known
    if "LiteLLMModel" in names:
        return str(model.model_id).partition("/")[0] if "/" in str(model.model_id) else "openai"
    if "OpenAIModel" in names or "OpenAIServerModel" in names:
        return provider_at((getattr(model, "client_kwargs", None) or {}).get("base_url"), "openai")
    return None


def _plain(message: Any) -> dict[str, Any]:
    role, content = of(message, "role"), of(message, "content")
    role = str(getattr(role, "value", role))
    if isinstance(content, list):
        texts = [str(part.get("text")) for part in content if isinstance(part, dict) and part.get("type") == "text"]
        content = "\n".join(texts) if texts and len(texts) == len(content) else content
    plain: dict[str, Any] = {"role": _ROLES.get(role, role), "content": content}
    if calls := of(message, "tool_calls"):
        plain["tool_calls"] = [
            {"id": one.id, "function": {"name": one.function.name, "arguments": one.function.arguments}}
            for one in calls
        ]
    return plain
