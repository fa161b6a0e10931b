"""What spans say: the kinds and attributes of four dialects, the GenAI conventions, OpenInference, OpenLLMetry and the Vercel AI SDK.

It is over 200 lines because it is tables: what is said, in each dialect, under which name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

EMBEDDINGS, FETCH_RESPONSE = "embeddings", "fetch_response"
MEMORY_OPERATIONS = (
    "search_memory",
    "create_memory",
    "update_memory",
    "upsert_memory",
    "delete_memory",
    "create_memory_store",
    "delete_memory_store",
)
_CLIENT_WIDE = "openinference.instrumentation.openai"
"""Says of every request of the client that it is an LLM's, of the list of models, too; in that no model is named."""
_KINDS = {
    "gen_ai.operation.name": {
        "invoke_agent": "agent",
        "invoke_workflow": "agent",
        "chat": "model",
        "text_completion": "model",
        "generate_content": "model",
        "execute_tool": "tool",
        "embeddings": EMBEDDINGS,
        "fetch_response": FETCH_RESPONSE,
        "retrieval": "retrieval",
        "plan": "plan",
        **dict.fromkeys(MEMORY_OPERATIONS, "memory"),
    },
    "openinference.span.kind": {
        "AGENT": "agent",
        "LLM": "model",
        "TOOL": "tool",
        "EMBEDDING": EMBEDDINGS,
        "RETRIEVER": "retrieval",
        "RERANKER": "reranker",
        "GUARDRAIL": "guardrail",
        "EVALUATOR": "evaluator",
    },
    "traceloop.span.kind": {"workflow": "agent", "agent": "agent", "tool": "tool"},
    "llm.request.type": {"chat": "model", "completion": "model", "embedding": EMBEDDINGS, "rerank": "reranker"},
    "ai.operationId": {
        **dict.fromkeys(("ai.generateText", "ai.streamText", "ai.generateObject", "ai.streamObject"), "agent"),
        **dict.fromkeys(("ai.generateText.doGenerate", "ai.generateObject.doGenerate"), "model"),
        **dict.fromkeys(("ai.streamText.doStream", "ai.streamObject.doStream"), "model"),
        **dict.fromkeys(("ai.embed.doEmbed", "ai.embedMany.doEmbed"), EMBEDDINGS),
        "ai.toolCall": "tool",
    },
}
"""What a span is of: an agent, a model, a tool; what else a model is asked for; what else an agent does, by its type."""
_OF_MODELS = (EMBEDDINGS, FETCH_RESPONSE)
_OF_AGENTS = ("retrieval", "reranker", "memory", "plan", "guardrail", "evaluator")
_GIVEN: dict[str, dict[str, tuple[str, ...]]] = {
    "retrieval": {
        "query": ("gen_ai.retrieval.query.text", "input.value"),
        "data_source": ("gen_ai.data_source.id",),
        "top_k": ("gen_ai.retrieval.top_k", "gen_ai.request.top_k"),
    },
    "reranker": {
        "query": ("reranker.query", "input.value", "traceloop.entity.input"),
        "model": ("reranker.model_name", "gen_ai.request.model", "ai.model.id"),
        "top_k": ("reranker.top_k",),
    },
    "memory": {
        "query": ("gen_ai.memory.query.text",),
        "record": ("gen_ai.memory.record.id",),
        "store": ("gen_ai.memory.store.id",),
    },
    "plan": {"input": ("gen_ai.input.messages", "input.value")},
    "guardrail": {"input": ("input.value",)},
    "evaluator": {"input": ("input.value",), "evaluation": ("gen_ai.evaluation.name",)},
}
"""What each of these is given, by the name that the record has for it."""
_MADE: dict[str, tuple[str, ...]] = {
    "retrieval": ("gen_ai.retrieval.documents", "retrieval.documents."),
    "reranker": ("reranker.output_documents.",),
    "memory": ("gen_ai.memory.records", "gen_ai.memory.record.count"),
    "plan": ("gen_ai.output.messages",),
}
"""What comes of it: an attribute, or the beginning of those of each document."""
_NAMES = {
    "session": (
        "gen_ai.conversation.id",
        "session.id",
        "traceloop.association.properties.session_id",
        "ai.telemetry.metadata.sessionId",
        "ai.telemetry.metadata.conversationId",
    ),
    "run": ("gen_ai.agent.call.id",),
    "agent": (
        "gen_ai.agent.name",
        "agent.name",
        "traceloop.entity.name",
        "gen_ai.workflow.name",
        "ai.telemetry.functionId",
    ),
    "description": ("gen_ai.agent.description",),
    "provider": ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system"),
    "model": ("gen_ai.request.model", "llm.model_name", "llm.request.model", "embedding.model_name"),
    "response_model": ("gen_ai.response.model", "llm.response.model"),
    "response_id": ("gen_ai.response.id", "llm.response.id"),
    "finish": ("gen_ai.response.finish_reasons", "llm.finish_reason", "gen_ai.completion.0.finish_reason"),
    "input_tokens": (
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.prompt_tokens",
        "llm.token_count.prompt",
        "llm.usage.prompt_tokens",
    ),
    "output_tokens": (
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "llm.token_count.completion",
        "llm.usage.completion_tokens",
    ),
    "cache_read_tokens": (
        "gen_ai.usage.cache_read.input_tokens",
        "llm.token_count.prompt_details.cache_read",
        "gen_ai.usage.cache_read_input_tokens",
        "ai.usage.cachedInputTokens",
    ),
    "cache_write_tokens": (
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        "llm.token_count.prompt_details.cache_write",
        "gen_ai.usage.cache_creation_input_tokens",
    ),
    "cache_write_1h_tokens": (),  # no dialect says these
    "cost_usd": (),
    "service_tier": (),
    "audio_input_tokens": ("gen_ai.usage.audio.input_tokens", "llm.token_count.prompt_details.audio"),
    "audio_output_tokens": ("gen_ai.usage.audio.output_tokens", "llm.token_count.completion_details.audio"),
    "image_input_tokens": ("gen_ai.usage.image.input_tokens",),
    "image_output_tokens": ("gen_ai.usage.image.output_tokens",),
    "reasoning_tokens": (
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.details.reasoning_tokens",
        "llm.token_count.completion_details.reasoning",
        "ai.usage.reasoningTokens",
    ),
    "tool": ("gen_ai.tool.name", "tool.name", "traceloop.entity.name", "ai.toolCall.name"),
    "tool_type": ("gen_ai.tool.type",),
    "call": ("gen_ai.tool.call.id", "tool_call.id", "ai.toolCall.id"),
    "arguments": (
        "gen_ai.tool.call.arguments",
        "input.value",
        "traceloop.entity.input",
        "tool.parameters",
        "ai.toolCall.args",
    ),
    "result": ("gen_ai.tool.call.result", "output.value", "traceloop.entity.output", "ai.toolCall.result"),
    "input": ("gen_ai.input.messages", "input.value", "traceloop.entity.input", "ai.prompt", "ai.values", "ai.value"),
    "output": (
        "final_result",
        "gen_ai.output.messages",
        "output.value",
        "traceloop.entity.output",
        "ai.response.text",
        "ai.response.object",
    ),
}
"""What is said, and under which names; the conventions' own come first."""


class What:
    """What a span says: its kind, and its attributes under any of their names.

    ``kind`` is ``agent``, ``model`` or ``tool``; ``operation`` says what it is of, where that is not an agent's run, a
    model's answer or a function.
    """

    def __init__(self, kind: str, attributes: Mapping[str, Any]) -> None:
        self.operation = kind if kind in (*_OF_MODELS, *_OF_AGENTS) else None
        self.kind = "model" if kind in _OF_MODELS else "tool" if kind in _OF_AGENTS else kind
        self.attributes = attributes
        self._messages: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        return self._first(_NAMES[name])

    def json(self, name: str) -> Any:
        """Return content: parsed, if it is JSON."""
        return _content(self[name])

    @property
    def arguments(self) -> Any:
        """What a tool, or whatever else an agent uses, is given."""
        if self.operation is None:
            return self.json("arguments")
        found = {name: self._first(names) for name, names in _GIVEN[self.operation].items()}
        return {name: _content(value) for name, value in found.items() if value is not None}

    @property
    def result(self) -> Any:
        """What comes of it."""
        for name in _MADE.get(self.operation or "", ()):
            if (value := self.attributes.get(name)) is not None:
                return _content(value)
            if name.endswith(".") and (documents := self._documents(name)):
                return documents
        return self.json("result")

    @property
    def provider(self) -> Any:
        """Who is asked: the Vercel AI SDK puts the kind of its endpoint behind the name."""
        said = self["provider"]
        return said.partition(".")[0] if "ai.operationId" in self.attributes and isinstance(said, str) else said

    def _first(self, names: Iterable[str]) -> Any:
        get = self.attributes.get
        for name in names:  # the innermost loop of all that is received
            if (value := get(name)) is not None:
                return value
        return None

    def _documents(self, prefix: str) -> list[dict[str, Any]]:
        """Return documents, an attribute for each field of each."""
        numbered: dict[int, dict[str, Any]] = {}
        for name, value in self.attributes.items():
            if name.startswith(prefix):
                number, _, field = name.removeprefix(prefix).partition(".document.")
                if number.isdigit() and field:
                    numbered.setdefault(int(number), {})[field] = value
        return [document for _, document in sorted(numbered.items())]

    def messages(self, side: str) -> Any:
        """Return the messages of a model call, ``input`` or ``output``."""
        if side not in self._messages:
            self._messages[side] = _messages(self, side)
        return self._messages[side]


def what_of(span: Any) -> What | None:
    """Return what a span says it is, in any of the dialects; None for what is not an agent, model or tool."""
    attributes = span.attributes or {}
    if getattr(span.instrumentation_scope, "name", "") == _CLIENT_WIDE:
        body = str(attributes.get("input.value"))
        if body.startswith("{") and '"model"' not in body:
            return None
    for name, kinds in _KINDS.items():
        if (kind := kinds.get(str(attributes.get(name)))) is not None:
            return What(kind, attributes)
    return None


def outermost_chain(span: Any, spans: Mapping[int, Any]) -> Any:
    """Return the outermost of the chains that a span is in: of OpenInference, where no agent is said to be, it is the run."""
    found, seen = None, set()
    while span is not None and span.context.span_id not in seen:
        seen.add(span.context.span_id)
        if (span.attributes or {}).get("openinference.span.kind") == "CHAIN":
            found = span
        span = None if span.parent is None else spans.get(span.parent.span_id)
    return found


def _messages(what: What, side: str) -> Any:
    """Return the messages of a model call: one JSON text, or an attribute for each field of each.

    Of what is embedded the texts are read, and of what comes of it nothing: vectors say nothing to a reader.
    """
    if what.operation == EMBEDDINGS:
        prefix, end = "embedding.embeddings.", ".embedding.text"
        texts = [value for name, value in what.attributes.items() if name.startswith(prefix) and name.endswith(end)]
        return (texts or what.json("input")) if side == "input" else None
    if "ai.operationId" in what.attributes:
        return loaded(what.attributes.get("ai.prompt.messages")) if side == "input" else _ai_answer(what)
    if (found := what.attributes.get(f"gen_ai.{side}.messages")) is not None:
        return loaded(found)
    prefixes = (f"llm.{side}_messages.", "gen_ai.prompt." if side == "input" else "gen_ai.completion.")
    numbered: dict[int, dict[str, Any]] = {}
    for name, value in what.attributes.items():
        for prefix in prefixes:
            if name.startswith(prefix):
                number, _, field = name.removeprefix(prefix).partition(".")
                if number.isdigit() and (field := field.removeprefix("message.")) in ("role", "content"):
                    numbered.setdefault(int(number), {})[field] = value
    if numbered:
        return [message for _, message in sorted(numbered.items())]
    return what.json(side) if what.kind == "model" else None


def _ai_answer(what: What) -> list[dict[str, Any]]:
    """Return what a model has answered, where its text and the calls it asks for are told apart."""
    message = {"role": "assistant", "content": what.json("output")}
    if (calls := what.attributes.get("ai.response.toolCalls")) is not None:
        message["tool_calls"] = loaded(calls)
    return [{name: value for name, value in message.items() if value is not None}]


def _content(value: Any) -> Any:
    """Return content: parsed, if it looks like JSON that is no mere number or word."""
    return loaded(value) if isinstance(value, str) and value[:1] in ("{", "[", '"') else value


def loaded(value: Any) -> Any:
    """Return content: parsed, if it is JSON."""
    if isinstance(value, str):
        with suppress(ValueError, RecursionError):  # text it is then, as that of [[[[...
            return json.loads(value)
    return value


def prompt_of(what: What) -> Any:
    """Return what an agent was asked."""
    found = what.attributes.get("pydantic_ai.all_messages")
    given = loaded(found) if found is not None else what.json("input")
    if "ai.operationId" in what.attributes and isinstance(given, dict):
        given = given.get("messages", given.get("prompt"))
    return _last_text(_messages_in(given), "user")


def answer_of(what: What) -> Any:
    """Return what an agent has answered."""
    if "final_result" in what.attributes:  # an object, where one was asked for, also a list of them
        return what.json("output")
    return _last_text(_messages_in(what.json("output")), "assistant")


def _messages_in(value: Any) -> Any:
    """Return the messages of a state of LangGraph's, as OpenInference writes it; anything else as it is."""
    if not isinstance(value, dict) or not isinstance(messages := value.get("messages"), list):
        return value
    made = [_of_langchain(one) for one in messages]
    return made if all(isinstance(one, dict) and "role" in one for one in made) else value


def _of_langchain(message: Any) -> Any:
    kwargs, path = (message.get("kwargs"), message.get("id")) if isinstance(message, dict) else (None, None)
    if not isinstance(kwargs, dict) or not isinstance(path, list) or not path:
        return message
    role = {"HumanMessage": "user", "AIMessage": "assistant", "AIMessageChunk": "assistant"}.get(str(path[-1]))
    return {"role": role or str(path[-1]), "content": kwargs.get("content")}


def _last_text(value: Any, role: str) -> Any:
    """Return the text of the last message of a role; content that is not a list of messages as it is."""
    if not isinstance(value, list):
        return "" if value is None and role == "user" else value
    for message in reversed(value):
        if isinstance(message, dict) and message.get("role") == role:
            content = message.get("content")
            parts = message.get("parts") or (
                content if isinstance(content, list) else [{"type": "text", "text": content}]
            )
            parts = parts if isinstance(parts, list) else []
            texts = [
                p.get("content") or p.get("text") for p in parts if isinstance(p, dict) and p.get("type") == "text"
            ]
            if any(texts):
                return "".join(str(text) for text in texts if text)
    return "" if role == "user" else None
