"""What CrewAI's models are asked, and what they answer."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from turnspan.events import Usage
from turnspan_integrations.providers import provider_at
from turnspan_integrations.raw_answers import of
from turnspan_integrations.usage import bedrock_usage, openai_usage

_PROVIDERS = {
    "azure": "azure.ai.openai",
    "azure_openai": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "aws": "aws.bedrock",
    "gemini": "gcp.gemini",
    "google": "gcp.gemini",
    "mistral": "mistral_ai",
    "claude": "anthropic",
}
"""What the runtime calls providers, as ``gen_ai.provider.name`` has it, where that differs."""
_COUNTS = {
    "prompt_token_count": "prompt_tokens",
    "cached_prompt_tokens": "cached_tokens",
    "cache_creation_tokens": "cache_creation_input_tokens",
}
"""What the runtime calls counts of tokens, as OpenAI does."""
_KEPT = ("role", "content", "tool_calls", "tool_call_id", "name")


class Asked(NamedTuple):
    """A call of a tool as a provider's model asks for it."""

    call_id: str | None
    name: str
    arguments: Any


def asked_for(asked: Any, given: dict[str, Any]) -> Asked:
    """Return the call that an executor is given: whole, or in parts."""
    from crewai.utilities.agent_utils import extract_tool_call_info

    if asked is None:
        return Asked(given.get("call_id"), str(given.get("func_name")), given.get("func_args"))
    return Asked(*(extract_tool_call_info(asked) or (of(asked, "id"), "unknown", None)))


def provider_of(model: Any) -> str | None:
    """Return who is asked."""
    if getattr(model, "is_litellm", False) and "/" in model.model:
        own = model.model.partition("/")[0]
    else:
        own = str(getattr(model, "provider", None) or "")
    if own == "openai":
        address = getattr(model, "base_url", None) or getattr(model, "api_base", None)
        return provider_at(address or os.environ.get("OPENAI_BASE_URL"), own)
    return _PROVIDERS.get(own, own) or None


def messages_of(messages: Any) -> list[Any]:
    """Return what a model is given, without what the runtime keeps in it for itself."""
    if not isinstance(messages, list):
        return [{"role": "user", "content": messages}]
    return [{key: m[key] for key in _KEPT if m.get(key) is not None} if isinstance(m, dict) else m for m in messages]


def message_of(response: Any, functions: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what a model answered: text, calls of tools, or what it called by itself."""
    if functions:
        return {"role": "assistant", "content": None, "tool_calls": functions}
    if isinstance(response, list) and response and all(_is_call(one) for one in response):
        return {
            "role": "assistant",
            "content": None,
            "tool_calls": [call_as_kept(asked_for(one, {})) for one in response],
        }
    return {"role": "assistant", "content": response}


def call_as_kept(asked: Asked) -> dict[str, Any]:
    """Return a call of a tool as messages have it."""
    return {"id": asked.call_id, "function": {"name": asked.name, "arguments": asked.arguments}}


def _is_call(one: Any) -> bool:
    return any(of(one, name) is not None for name in ("function", "function_call", "input", "toolUseId", "arguments"))


def usage_of(used: Any) -> Usage | None:
    """Return the tokens that a model says it used, by whatever names."""
    if not isinstance(used, dict) or not any(isinstance(n, int) and n for n in used.values()):
        return None
    if "inputTokens" in used:
        return bedrock_usage(used)
    return openai_usage({_COUNTS.get(name, name): count for name, count in used.items()})
