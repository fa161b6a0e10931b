"""What requests and answers of the ``openai`` client are made of, whichever of its interfaces they belong to."""

from __future__ import annotations

from typing import Any

from turnspan.adapter import Invocation
from turnspan.events import Usage
from turnspan_integrations.loops import Kind

_ROLES: dict[str, Kind] = {"developer": "system", "system": "system", "assistant": "assistant"}


def role_of(message: dict[str, Any]) -> Kind:
    """Return who speaks in a message, as a loop reports it."""
    return _ROLES.get(str(message.get("role")), "user")


def given(call: Invocation) -> dict[str, Any]:
    """Return the arguments that were really given; helpers pass sentinels for all others."""
    return {k: v for k, v in call.kwargs.items() if v is not None and type(v).__name__ not in ("Omit", "NotGiven")}


def provider_of(instance: Any) -> str:
    """Return the provider that a resource of the client asks, as ``gen_ai.provider.name`` has it."""
    return "azure.ai.openai" if "Azure" in type(getattr(instance, "_client", None)).__name__ else "openai"


def forced_tool(asked: dict[str, Any]) -> str | None:
    """Return the function that the model must call, by its name."""
    choice = asked.get("tool_choice", asked.get("function_call"))
    found = (choice.get("function") or choice).get("name") if isinstance(choice, dict) else None
    return None if found is None else str(found)


def plain(value: Any) -> Any:
    """Return a model of the client as plain data; what a program had parsed from it may not fit its type."""
    return value.model_dump(exclude_none=True, warnings=False) if hasattr(value, "model_dump") else value


def usage_of(used: Any, asked: str, answered: str) -> Usage | None:
    """Return the tokens used, by the names that an interface has for both directions."""
    if used is None:
        return None
    read, thought = getattr(used, f"{asked}_tokens_details", None), getattr(used, f"{answered}_tokens_details", None)
    return Usage(
        input_tokens=getattr(used, f"{asked}_tokens", None),
        output_tokens=getattr(used, f"{answered}_tokens", None),
        cache_read_tokens=getattr(read, "cached_tokens", None) or None,
        reasoning_tokens=getattr(thought, "reasoning_tokens", None) or None,
    )


def text_of(content: Any) -> Any:
    """Return the text of a content; what has none as it is."""
    if isinstance(content, list):
        texts = [part.get("text") or part.get("refusal") for part in content if isinstance(part, dict)]
        return "".join(t for t in texts if isinstance(t, str)) or content
    return content
