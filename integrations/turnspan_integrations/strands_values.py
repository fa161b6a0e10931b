"""What Strands' messages, results and models say, in turnspan's words."""

from __future__ import annotations

from typing import Any

from turnspan.events import Usage

_PROVIDERS = {
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "openai_responses": "openai",
    "sagemaker": "aws.sagemaker",
}
"""Models by the name of their module, where OpenTelemetry calls the provider otherwise."""


def provider_of(model: Any) -> str | None:
    """Return the value of ``gen_ai.provider.name`` for a model; None for one of the program's own."""
    module = type(model).__module__
    name = module.rpartition(".")[2]
    return _PROVIDERS.get(name, name) if module.startswith("strands.models.") else None


def usage_of(used: Any) -> Usage:
    """Return the tokens of an answer."""
    read, written = used.get("cacheReadInputTokens"), used.get("cacheWriteInputTokens")
    return Usage(
        input_tokens=used["inputTokens"] + (read or 0) + (written or 0),  # as its own spans count
        output_tokens=used["outputTokens"],
        cache_read_tokens=read,
        cache_write_tokens=written,
    )


def prompt_of(messages: Any, given: Any) -> Any:
    """Return what an agent is asked; of one that is resumed, what its questions were answered with."""
    for message in reversed(messages or ()):
        if message["role"] == "user":
            return _text(message["content"])
    if not isinstance(given, list):
        return given
    answers = [block["interruptResponse"]["response"] for block in given if "interruptResponse" in block]
    return (answers[0] if len(answers) == 1 else answers) or _text(given)


def _text(blocks: Any) -> Any:
    texts = [block["text"] for block in blocks if "text" in block]
    return "".join(texts) if texts or not blocks else blocks


def content_of(result: Any) -> Any:
    """Return what a tool said: its text, or whatever else it is."""
    blocks = [] if result is None else result.get("content") or []
    found = [next(iter(block.values()), None) for block in blocks]
    return found[0] if len(found) == 1 else found


def answer_of(result: Any) -> Any:
    """Return the last message of an agent, or those of the nodes that a swarm or graph ended with."""
    if result is None or getattr(result, "stop_reason", None) == "interrupt":
        return None
    if (nodes := getattr(result, "results", None)) is None:
        structured = getattr(result, "structured_output", None)
        return structured if structured is not None else _text((result.message or {}).get("content") or []) or None
    order = getattr(result, "node_history", None) or getattr(result, "execution_order", None) or ()
    last = nodes.get(order[-1].node_id) if order else None
    return answer_of(last.result) if last is not None and not isinstance(last.result, Exception) else None


def messages_of(message: Any) -> list[dict[str, Any]]:
    """Return a message as chat models have it; results of tools are messages of their own."""
    said: dict[str, Any] = {"role": message["role"], "content": ""}
    results, calls = [], []
    for block in message["content"]:
        if "text" in block:
            said["content"] += block["text"]
        elif (use := block.get("toolUse")) is not None:
            calls.append({"id": use["toolUseId"], "function": {"name": use["name"], "arguments": use["input"]}})
        elif (result := block.get("toolResult")) is not None:
            results.append({"role": "tool", "tool_call_id": result["toolUseId"], "content": content_of(result)})
    if calls:
        said["tool_calls"] = calls
    return [*results, *([said] if said["content"] or calls or not results else [])]
