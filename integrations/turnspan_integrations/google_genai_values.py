"""What Google's contents, parts and tokens say, in turnspan's words: for its client, and for what stands on that."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from turnspan.events import Usage
from turnspan_integrations.loops import Message, Said
from turnspan_integrations.usage import tier


def contents_of(given: Any) -> list[dict[str, Any]]:
    """Return contents as the API has them: what stands alone is a part of what the user says."""
    found: list[dict[str, Any]] = []
    loose: list[dict[str, Any]] = []
    for one in given if isinstance(given, (list, tuple)) else [given]:
        data = {"text": one} if isinstance(one, str) else plain(one)
        if not isinstance(data, dict):
            data = {"file": str(one)}
        if "parts" not in data:
            loose.append(data)
            continue
        found += [_by_user(loose)] if loose else []
        loose = []
        found.append(data)
    return [*found, _by_user(loose)] if loose else found


def _by_user(parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {"role": "user", "parts": parts}


def message_of(content: dict[str, Any]) -> Message:
    """Return a content as the conventions have it, and what is said in it."""
    parts = [plain(part) for part in content.get("parts") or []]
    role = "assistant" if content.get("role") == "model" else "user"
    said: list[Said] = []
    if text := text_of(content):
        said.append(Said("assistant" if role == "assistant" else "user", text))
    for part in parts:
        if call := _part(part, "function_call", "functionCall"):
            said.append(Said("call", None, call.get("id"), call.get("name"), call.get("args") or {}))
        elif result := _part(part, "function_response", "functionResponse"):
            said.append(Said("result", _result(result.get("response")), result.get("id"), result.get("name")))
        elif ran := _part(part, "executable_code", "executableCode"):
            results = [r for p in parts if (r := _part(p, "code_execution_result", "codeExecutionResult"))]
            failed = any("OK" not in str(result.get("outcome")) for result in results)
            output = "".join(str(result.get("output") or "") for result in results)
            said.append(
                Said("hosted", output, ran.get("id"), "code_execution", {"code": ran.get("code")}, failed=failed)
            )
    if role == "user" and not said:
        said.append(Said("user", parts))  # an image, a file
    return Message({"role": role, "parts": [_recorded(part) for part in parts]}, said)


def _recorded(part: dict[str, Any]) -> dict[str, Any]:
    """Return a part as the conventions have it."""
    if call := _part(part, "function_call", "functionCall"):
        return {"type": "tool_call", "id": call.get("id"), "name": call.get("name"), "arguments": call.get("args")}
    if result := _part(part, "function_response", "functionResponse"):
        return {"type": "tool_call_response", "id": result.get("id"), "response": _result(result.get("response"))}
    if (text := part.get("text")) is not None:
        return {"type": "reasoning" if part.get("thought") else "text", "content": text}
    return {"type": "generic", "content": part}


def _result(response: Any) -> Any:
    """Return what a function returned: the client puts what is no object into one."""
    if isinstance(response, dict) and len(response) == 1:
        return next((response[name] for name in ("result", "output", "error") if name in response), response)
    return response


def text_of(content: Any) -> str:
    """Return what a content says, without the model's thoughts."""
    parts = [plain(part) for part in (plain(content) or {}).get("parts") or []]
    return "".join(part["text"] for part in parts if part.get("text") and not part.get("thought"))


def _part(part: dict[str, Any], *names: str) -> dict[str, Any] | None:
    return next((plain(part[name]) for name in names if part.get(name)), None)


def plain(value: Any) -> Any:
    """Return an object of the client as its API has it."""
    return value.model_dump(exclude_none=True) if hasattr(value, "model_dump") else value


def usage_of(used: dict[str, Any]) -> Usage:
    """Return the tokens used: thoughts are beside the output here, and what the model's own tools said beside the input."""
    given, beside = used.get("prompt_token_count"), used.get("tool_use_prompt_token_count") or 0
    made, thought = used.get("candidates_token_count"), used.get("thoughts_token_count") or 0
    asked = [*_modalities(used, "prompt_tokens_details"), *_modalities(used, "tool_use_prompt_tokens_details")]
    answered = list(_modalities(used, "candidates_tokens_details"))
    served = str(getattr(used.get("traffic_type"), "value", used.get("traffic_type")) or "").lower()
    return Usage(
        input_tokens=None if given is None else given + beside,
        output_tokens=None if made is None and not thought else (made or 0) + thought,
        cache_read_tokens=used.get("cached_content_token_count") or None,
        reasoning_tokens=thought or None,
        audio_input_tokens=_count(asked, "AUDIO"),
        audio_output_tokens=_count(answered, "AUDIO"),
        image_input_tokens=_count(asked, "IMAGE"),
        image_output_tokens=_count(answered, "IMAGE"),
        service_tier=tier(used.get("service_tier") or served.removeprefix("on_demand_") or None),
    )


def _modalities(used: dict[str, Any], name: str) -> Iterable[tuple[str, int]]:
    for one in used.get(name) or []:
        modality = one.get("modality")
        yield str(getattr(modality, "value", modality)).upper(), one.get("token_count") or 0


def _count(found: Iterable[tuple[str, int]], modality: str) -> int | None:
    return sum(count for name, count in found if name == modality) or None
