"""Amazon Bedrock's runtime: Converse and InvokeModel, whole or as AWS's event stream."""

import base64
import json
import struct
import zlib
from typing import Any
from urllib.parse import unquote

from support.model_server.openai_errors import closed
from support.model_server.script import Answer, Background, Disconnect, HttpError, Usage, as_step, pieces
from support.model_server.wire import Cut, Reply, Request, whole

_TYPES = {400: "ValidationException", 403: "AccessDeniedException", 404: "ResourceNotFoundException",
          429: "ThrottlingException", 500: "InternalServerException"}  # fmt: skip
_OPERATIONS = ("converse", "converse-stream", "invoke", "invoke-with-response-stream")


def serves(request: Request) -> bool:
    """Return whether a request is for this protocol."""
    path = request.path.split("/")
    return request.method == "POST" and path[1] == "model" and path[-1] in _OPERATIONS


def no_more(message: str) -> Reply:
    """Return the reply to more requests than the script has answers for."""
    return _http_error(HttpError(400, message))


def _http_error(error: HttpError) -> Reply:
    headers = {"x-amzn-errortype": error.type or _TYPES.get(error.status, "InternalServerException")}
    return whole({"message": error.message}, status=error.status, headers=headers)


def reply(conversation: Any, request: Request) -> Reply:
    """Return the next answer."""
    step, _ = conversation.next()
    match step := as_step(step, request):
        case Reply():
            return step
        case HttpError():
            return _http_error(step)
        case Disconnect():
            return closed(step)
        case Background():
            step = step.answer
    operation, model = request.path.rpartition("/")[2], unquote(request.path.split("/")[2])
    used = usage(step.usage or Usage(0, 0))
    if operation.startswith("invoke"):
        return _invoked(step, used, model, streamed=operation != "invoke")
    if operation == "converse":
        message = {"role": "assistant", "content": _blocks(step)}
        body = {"output": {"message": message}, "stopReason": _stop(step), "usage": used, "metrics": {"latencyMs": 1}}
        cut = Cut(step.breaks.reset) if isinstance(step.breaks, Disconnect) else None
        return whole({**body, **step.more}, delay_s=step.delay_s, cut=cut)
    frames: list[Any] = [event(name, body) for name, body in _events(step, used)]
    if isinstance(step.breaks, Disconnect):
        frames[-2:] = [Cut(step.breaks.reset)]
    return stream(frames, delay_s=step.delay_s)


def stream(frames: list[Any], **more: Any) -> Reply:
    """Return a reply that is an event stream."""
    return Reply(200, {"content-type": "application/vnd.amazon.eventstream"}, frames=frames, **more)


def event(name: str, body: dict[str, Any]) -> bytes:
    """Return an event as AWS frames it: lengths, headers, payload, each with its checksum."""
    pairs = {":message-type": "event", ":event-type": name, ":content-type": "application/json"}
    headers = b"".join(
        struct.pack("!B", len(key)) + key.encode() + struct.pack("!BH", 7, len(value)) + value.encode()
        for key, value in pairs.items()
    )
    payload = json.dumps(body).encode()
    prelude = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack("!I", zlib.crc32(message))


def usage(used: Usage) -> dict[str, Any]:
    """Return tokens as this protocol says them: input tokens are those that no cache had."""
    read, written = used.cached_tokens, used.cache_write_tokens
    total = used.input_tokens + used.output_tokens + (read or 0) + (written or 0)
    counts = {"inputTokens": used.input_tokens, "outputTokens": used.output_tokens, "totalTokens": total}
    more = {"cacheReadInputTokens": read, "cacheWriteInputTokens": written}
    return {**counts, **{name: count for name, count in more.items() if count is not None}}


def _stop(answer: Answer) -> str:
    return answer.finish or ("tool_use" if answer.tool_calls else "end_turn")


def _blocks(answer: Answer) -> list[dict[str, Any]]:
    thought = [{"reasoningContent": {"reasoningText": {"text": answer.thinking}}}] if answer.thinking else []
    text = [{"text": answer.text}] if answer.text else []
    calls = [{"toolUse": {"toolUseId": c.call_id, "name": c.name, "input": c.arguments}} for c in answer.tool_calls]
    return [*thought, *text, *calls]


def _events(answer: Answer, used: dict[str, Any]) -> Any:
    yield "messageStart", {"role": "assistant"}
    for index, block in enumerate(_blocks(answer)):
        at = {"contentBlockIndex": index}
        if call := block.get("toolUse"):
            yield "contentBlockStart", {**at, "start": {"toolUse": {k: call[k] for k in ("toolUseId", "name")}}}
            text = json.dumps(call["input"])
            for half in (text[: len(text) // 2], text[len(text) // 2 :]):
                yield "contentBlockDelta", {**at, "delta": {"toolUse": {"input": half}}}
        elif thought := block.get("reasoningContent"):
            for piece in pieces(thought["reasoningText"]["text"]):
                yield "contentBlockDelta", {**at, "delta": {"reasoningContent": {"text": piece}}}
        else:
            for piece in pieces(block["text"]):
                yield "contentBlockDelta", {**at, "delta": {"text": piece}}
        yield "contentBlockStop", at
    yield "messageStop", {"stopReason": _stop(answer)}
    yield "metadata", {"usage": used, "metrics": {"latencyMs": 1}}


def _invoked(answer: Answer, used: dict[str, Any], model: str, *, streamed: bool) -> Reply:
    """Return the answer of a Claude, in Anthropic's words; tokens are in headers, or in the last event."""
    body = {"type": "message", "role": "assistant", "model": model, "content": [{"type": "text", "text": answer.text}]}
    if streamed:
        metrics = {"inputTokenCount": used["inputTokens"], "outputTokenCount": used["outputTokens"]}
        said = [body, {"type": "message_stop", "amazon-bedrock-invocationMetrics": metrics}]
        return stream([event("chunk", {"bytes": base64.b64encode(json.dumps(one).encode()).decode()}) for one in said])
    names = {"input": "inputTokens", "output": "outputTokens", "cache-read-input": "cacheReadInputTokens"}
    headers = {f"x-amzn-bedrock-{name}-token-count": str(used[key]) for name, key in names.items() if key in used}
    return whole(body, headers=headers)
