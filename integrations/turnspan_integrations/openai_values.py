"""What requests and answers of the ``openai`` client are made of, whichever of its interfaces they belong to."""

from __future__ import annotations

from typing import Any

from turnspan.adapter import Invocation
from turnspan_integrations.loops import Kind
from turnspan_integrations.providers import provider_at

_ROLES: dict[str, Kind] = {"developer": "system", "system": "system", "assistant": "assistant"}


def role_of(message: dict[str, Any]) -> Kind:
    """Return who speaks in a message, as a loop reports it."""
    return _ROLES.get(str(message.get("role")), "user")


def given(call: Invocation) -> dict[str, Any]:
    """Return the arguments that were really given; helpers pass sentinels for all others."""
    return {k: v for k, v in call.kwargs.items() if v is not None and type(v).__name__ not in ("Omit", "NotGiven")}


def provider_of(instance: Any) -> str:
    """Return the provider that a resource of the client asks, as ``gen_ai.provider.name`` has it."""
    client = getattr(instance, "_client", None)
    if "Azure" in type(client).__name__:
        return "azure.ai.openai"
    return provider_at(getattr(client, "base_url", None), "openai")


def forced_tool(asked: dict[str, Any]) -> str | None:
    """Return the function that the model must call, by its name."""
    choice = asked.get("tool_choice", asked.get("function_call"))
    found = (choice.get("function") or choice).get("name") if isinstance(choice, dict) else None
    return None if found is None else str(found)


def plain(value: Any) -> Any:
    """Return a model of the client as plain data; what a program had parsed from it may not fit its type."""
    return value.model_dump(exclude_none=True, warnings=False) if hasattr(value, "model_dump") else value


def text_of(content: Any) -> Any:
    """Return the text of a content; what has none as it is."""
    if isinstance(content, list):
        texts = [part.get("text") or part.get("refusal") for part in content if isinstance(part, dict)]
        return "".join(t for t in texts if isinstance(t, str)) or content
    return content
