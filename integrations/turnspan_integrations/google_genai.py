"""The ``google-genai`` client: handwritten loops over contents, its chats, and the functions that it calls by itself.

What asks the model is wrapped below the client's own loop over functions, so that each call is seen. What a list of
contents means for sessions, turns and tool calls is reported by :mod:`turnspan_integrations.loops`. Calls of functions
mostly have no ids: a result is of the oldest call of its function. It is over 200 lines because contents, parts and
tokens by modality are translated for whole answers and for streams.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

from turnspan.adapter import Emit, Invocation, Outcome
from turnspan.events import Usage
from turnspan_integrations.loops import Answer, Loops, Message, Request, Said
from turnspan_integrations.streams import observed
from turnspan_integrations.usage import tier

REQUIRES = "google-genai>=1.20,<4"
CANNOT = {
    "agents": "a client knows none",
    "sub-agents": "a tool's own loop is a conversation of its own",
    "tool failures": "the program hands an error on as a result, like any other",
    "handoffs": "a client knows none",
    "how long a tool took": "to less than the time between two calls of the model",
    "live sessions and interactions": "they have no list of contents",
    "a task that was left before the model was asked again": "in a loop without tasks",
}


def install(emit: Emit) -> None:
    """Wrap what asks a model: once for each request, whoever makes it."""
    loops = Loops(emit)

    def whole(call: Invocation) -> Generator[Any, Outcome, None]:
        return observed(loops.ask(_request(call)), Reader())

    def stream(call: Invocation) -> Generator[Any, Outcome, None]:
        return observed(loops.ask(_request(call)._replace(streamed=True)), Reader())

    for cls in ("Models", "AsyncModels"):
        emit.patch.wrap(f"google.genai.models:{cls}._generate_content", whole)
        emit.patch.wrap(f"google.genai.models:{cls}._generate_content_stream", stream)


# Requests ------------------------------------------------------------------------------------------------------------


def _request(call: Invocation) -> Request:
    contents, config = call.kwargs.get("contents"), _plain(call.kwargs.get("config")) or {}
    messages = [_message(content) for content in _contents(contents)]
    if system := config.get("system_instruction"):
        (found, *_) = _contents(system)
        messages.insert(0, Message({**found, "role": "system"}, [Said("system", _text(found))]))
    cloud = getattr(getattr(call.instance, "_api_client", None), "vertexai", False)
    model = str(call.kwargs.get("model") or "").rpartition("/")[2]
    return Request("gcp.vertex_ai" if cloud else "gcp.gemini", model or None, messages, list_id=id(contents))


def _contents(given: Any) -> list[dict[str, Any]]:
    """Return contents as the API has them: what stands alone is a part of what the user says."""
    found: list[dict[str, Any]] = []
    loose: list[dict[str, Any]] = []
    for one in given if isinstance(given, (list, tuple)) else [given]:
        data = {"text": one} if isinstance(one, str) else _plain(one)
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


def _message(content: dict[str, Any]) -> Message:
    parts = [_plain(part) for part in content.get("parts") or []]
    role = "assistant" if content.get("role") == "model" else "user"
    said: list[Said] = []
    if text := _text(content):
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


def _text(content: dict[str, Any]) -> str:
    parts = [_plain(part) for part in content.get("parts") or []]
    return "".join(part["text"] for part in parts if part.get("text") and not part.get("thought"))


def _part(part: dict[str, Any], *names: str) -> dict[str, Any] | None:
    return next((_plain(part[name]) for name in names if part.get(name)), None)


def _plain(value: Any) -> Any:
    return value.model_dump(exclude_none=True) if hasattr(value, "model_dump") else value


# Answers -------------------------------------------------------------------------------------------------------------


class Reader:
    """Reads an answer, whole or in chunks; of several candidates the first goes on."""

    def __init__(self) -> None:
        self._parts: list[dict[str, Any]] = []
        self._finish: list[str] = []
        self._model: str | None = None
        self._response_id: str | None = None
        self._used: dict[str, Any] | None = None

    def whole(self, result: Any) -> Answer:
        """Return what an answer says."""
        self.take(result)
        return self.answer()

    def take(self, chunk: Any) -> None:
        """Take a chunk: what it says of tokens is of all there was until then."""
        self._model = getattr(chunk, "model_version", None) or self._model
        self._response_id = getattr(chunk, "response_id", None) or self._response_id
        self._used = _plain(chunk.usage_metadata) or self._used
        for candidate in (chunk.candidates or [])[:1]:
            for part in (_plain(candidate.content) or {}).get("parts") or []:
                self._add(part)
            if candidate.finish_reason is not None:
                self._finish = [str(getattr(candidate.finish_reason, "value", candidate.finish_reason)).lower()]

    def _add(self, part: dict[str, Any]) -> None:
        last = self._parts[-1] if self._parts else {}
        if "text" in part and "text" in last and part.get("thought") == last.get("thought"):
            last["text"] += part["text"]
        else:
            self._parts.append(dict(part))

    def is_whole(self) -> bool:
        """Return whether the model said why it stopped."""
        return bool(self._finish)

    def answer(self) -> Answer:
        """Return what came until now."""
        plain, said = _message({"role": "model", "parts": self._parts})
        return Answer(
            [plain] if self._parts else [],
            said,
            final=not any(one.kind == "call" for one in said),
            model=self._model,
            response_id=self._response_id,
            usage=None if self._used is None else _usage(self._used),
            finish_reasons=self._finish,
        )


def _usage(used: dict[str, Any]) -> Usage:
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
