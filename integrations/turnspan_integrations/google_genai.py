"""The ``google-genai`` client: handwritten loops over contents, its chats, and the functions that it calls by itself.

What asks the model is wrapped below the client's own loop over functions, so that each call is seen. What a list of
contents means for sessions, turns and tool calls is reported by :mod:`turnspan_integrations.loops`. Calls of functions
mostly have no ids: a result is of the oldest call of its function.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from turnspan.adapter import Emit, Invocation, Outcome
from turnspan.events import Usage
from turnspan_integrations import embeddings
from turnspan_integrations.google_genai_values import contents_of, message_of, plain, text_of, usage_of
from turnspan_integrations.loops import Answer, Loops, Message, Request, Said
from turnspan_integrations.streams import observed

REQUIRES = "google-genai>=1.20,<4"
CANNOT = {
    "agents": "a client knows none",
    "sub-agents": "a tool's own loop is a conversation of its own",
    "tool failures": "the program hands an error on as a result, like any other",
    "handoffs": "a client knows none",
    "how long a tool took": "to less than the time between two calls of the model",
    "embeddings outside of a turn": "nothing says which session they belong to",
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

    def embeds(call: Invocation) -> Generator[Any, Outcome, None]:
        provider, model = _who(call)
        return embeddings.observed(emit, embeddings.Asked(provider, model, call.kwargs.get("contents")), _embedded)

    for cls in ("Models", "AsyncModels"):
        emit.patch.wrap(f"google.genai.models:{cls}.embed_content", embeds)
        emit.patch.wrap(f"google.genai.models:{cls}._generate_content", whole)
        emit.patch.wrap(f"google.genai.models:{cls}._generate_content_stream", stream)


# Requests ------------------------------------------------------------------------------------------------------------


def _request(call: Invocation) -> Request:
    contents, config = call.kwargs.get("contents"), plain(call.kwargs.get("config")) or {}
    messages = [message_of(content) for content in contents_of(contents)]
    if system := config.get("system_instruction"):
        (found, *_) = contents_of(system)
        messages.insert(0, Message({**found, "role": "system"}, [Said("system", text_of(found))]))
    provider, model = _who(call)
    return Request(provider, model, messages, list_id=id(contents))


def _who(call: Invocation) -> tuple[str, str | None]:
    """Return the provider and the model that is asked."""
    cloud = getattr(getattr(call.instance, "_api_client", None), "vertexai", False)
    model = str(call.kwargs.get("model") or "").rpartition("/")[2]
    return "gcp.vertex_ai" if cloud else "gcp.gemini", model or None


def _embedded(result: Any) -> tuple[str | None, Usage | None]:
    """Return what embeddings used: Gemini says it of all of them, Vertex of each."""
    said = plain(result) or {}
    of_all = (said.get("usage_metadata") or {}).get("prompt_token_count")
    of_each = [
        count for one in said.get("embeddings") or () if (count := (one.get("statistics") or {}).get("token_count"))
    ]
    count = of_all if of_all is not None else int(sum(of_each)) if of_each else None
    return None, None if count is None else Usage(input_tokens=count)


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
        self._used = plain(chunk.usage_metadata) or self._used
        for candidate in (chunk.candidates or [])[:1]:
            for part in (plain(candidate.content) or {}).get("parts") or []:
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
        message, said = message_of({"role": "model", "parts": self._parts})
        return Answer(
            [message] if self._parts else [],
            said,
            final=not any(one.kind == "call" for one in said),
            model=self._model,
            response_id=self._response_id,
            usage=None if self._used is None else usage_of(self._used),
            finish_reasons=self._finish,
        )
