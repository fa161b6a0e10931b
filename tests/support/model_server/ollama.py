"""Ollama's own interface: chats and single prompts, streamed as lines of JSON."""

import json
from collections.abc import Iterator
from typing import Any

from support.model_server.openai_errors import closed
from support.model_server.script import Answer, Background, Disconnect, HttpError, StreamError, as_step, pieces
from support.model_server.wire import Cut, Reply, Request, whole


def serves(request: Request) -> bool:
    """Return whether a request is for this protocol."""
    return request.method == "POST" and request.path.partition("?")[0].endswith(("/api/chat", "/api/generate"))


def no_more(message: str) -> Reply:
    """Return the reply to more requests than the script has answers for."""
    return whole({"error": message}, status=400)


def reply(conversation: Any, request: Request) -> Reply:
    """Return the next answer."""
    step, _ = conversation.next()
    match step := as_step(step, request):
        case Reply():
            return step
        case HttpError():
            return whole({"error": step.message}, status=step.status)
        case Disconnect():
            return closed(step)
        case Background():
            step = step.answer
    asked = request.json
    chunks = list(_chunks(step, asked, request.path.endswith("/generate")))
    if asked.get("stream") is False:
        return whole(_together(chunks), delay_s=step.delay_s, cut=Cut(step.breaks.reset) if step.breaks else None)
    frames: list[Any] = [json.dumps(chunk).encode() + b"\n" for chunk in chunks]
    match step.breaks:
        case Disconnect(reset=reset):
            frames[-1] = Cut(reset)
        case StreamError(message=message):
            frames[-1] = json.dumps({"error": message}).encode() + b"\n"
    return Reply(200, {"content-type": "application/x-ndjson"}, frames=frames, delay_s=step.delay_s)


def _chunks(answer: Answer, asked: dict[str, Any], single: bool) -> Iterator[dict[str, Any]]:
    base = {"model": answer.model or asked["model"], "created_at": "2026-01-01T00:00:00Z", "done": False}

    def chunk(text: str, **more: Any) -> dict[str, Any]:
        said = {"response": text, **more} if single else {"message": {"role": "assistant", "content": text, **more}}
        return {**base, **said}

    yield from (chunk("", thinking=piece) for piece in pieces(answer.thinking or ""))
    yield from (chunk(piece) for piece in pieces(answer.text or ""))
    if answer.tool_calls:
        calls = [{"function": {"name": call.name, "arguments": call.arguments}} for call in answer.tool_calls]
        yield chunk("", tool_calls=calls)
    used = answer.usage
    counts = {"prompt_eval_count": used.input_tokens, "eval_count": used.output_tokens} if used else {}
    last = {"done": True, "done_reason": answer.finish or "stop", "total_duration": 1, "eval_duration": 1}
    yield {**chunk(""), **last, **counts, **answer.more}


def _together(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    last = chunks[-1]
    if "response" in last:
        return {**last, "response": "".join(chunk["response"] for chunk in chunks)}
    message: dict[str, Any] = {"role": "assistant", "content": "".join(c["message"]["content"] for c in chunks)}
    if thought := "".join(chunk["message"].get("thinking", "") for chunk in chunks):
        message["thinking"] = thought
    if calls := [call for chunk in chunks for call in chunk["message"].get("tool_calls", ())]:
        message["tool_calls"] = calls
    return {**last, "message": message}
