"""What the objects of the OpenAI Agents SDK say: of calls, approvals, models, usage and answers."""

from __future__ import annotations

import contextlib
from typing import Any, cast

from turnspan.events import Usage


def call_id_of(context: Any) -> Any:
    """Return the id that the model gave the call of a tool; computers and shells are called without one."""
    return getattr(context, "tool_call_id", None)


def asked_for(item: Any) -> tuple[str, str | None]:
    """Return the name and the id of a tool call that waits for approval."""
    raw = item.raw_item
    given = raw if isinstance(raw, dict) else vars(raw)
    call_id = given.get("call_id") or given.get("id")
    return str(item.tool_name or given.get("name")), None if call_id is None else str(call_id)


def arguments_of(item: Any) -> Any:
    """Return what a tool call that waits for approval is to be made with."""
    raw = item.raw_item
    return raw.get("arguments") if isinstance(raw, dict) else getattr(raw, "arguments", None)


def approval_key(item: Any) -> str:
    """Return what distinguishes a wait for approval from others."""
    name, call_id = asked_for(item)
    return f"approval of {name} {call_id} {arguments_of(item)}"


def was_approved(context: Any, item: Any, name: str, call_id: str | None) -> bool | None:
    """Return what was decided; None if nothing was."""
    with contextlib.suppress(TypeError):
        return cast("bool | None", context.get_approval_status(name, call_id, existing_pending=item))
    return cast("bool | None", context.is_tool_approved(name, call_id))


def rejection_of(context: Any, item: Any, name: str, call_id: str | None) -> str | None:
    """Return what the model gets instead of a result."""
    with contextlib.suppress(AttributeError, TypeError):
        return cast("str | None", context.get_rejection_message(name, call_id, existing_pending=item))
    return None


def model_of(agent: Any, config: Any) -> tuple[str, str | None]:
    """Return the provider and the name of the model that is asked: the run's, the agent's, or the SDK's default."""
    model = getattr(config, "model", None)
    model = agent.model if model is None else model
    if model is None and type(getattr(config, "model_provider", None)).__name__ in ("NoneType", "MultiProvider"):
        with contextlib.suppress(ImportError):
            from agents.models import get_default_model

            model = get_default_model()
    name = getattr(model, "model", model)
    return provider_of(model), name if isinstance(name, str) else None


def usage_of(used: Any) -> Usage | None:
    """Return the tokens of one answer."""
    if not used.total_tokens:
        return None  # a model that counts nothing says zero
    read, reasoning = getattr(used, "input_tokens_details", None), getattr(used, "output_tokens_details", None)
    return Usage(
        input_tokens=used.input_tokens,
        output_tokens=used.output_tokens,
        cache_read_tokens=getattr(read, "cached_tokens", None) or None,
        cache_write_tokens=getattr(read, "cache_write_tokens", None) or None,
        reasoning_tokens=getattr(reasoning, "reasoning_tokens", None) or None,
    )


def prompt_of(given: Any) -> Any:
    """Return the last user message of an input."""
    if isinstance(given, list):
        users = [item for item in given if isinstance(item, dict) and item.get("role") == "user"]
        return users[-1:] or given[-1:]
    return given if isinstance(given, str) else ""


def provider_of(model: Any) -> str:
    """Return who serves a model."""
    if isinstance(model, str):
        parts = model.split("/")
        return "openai" if len(parts) == 1 else parts[1] if parts[0] == "litellm" and len(parts) > 2 else parts[0]
    name = type(model).__name__
    if name == "LitellmModel":
        return str(getattr(model, "model", "")).partition("/")[0] or "litellm"
    return "openai" if name.startswith("OpenAI") or model is None else "_OTHER"


def message_of(item: Any) -> Any:
    """Return an output item as a message; anything unusual as the SDK itself dumps it."""
    kind = getattr(item, "type", None)
    if kind == "function_call":
        return {"type": kind, "call_id": item.call_id, "name": item.name, "arguments": item.arguments}
    if kind == "message":
        return {"role": item.role, "content": "".join(getattr(part, "text", "") or "" for part in item.content)}
    return item
